// SPDX-License-Identifier: Apache-2.0
// Proxies: see proxy.h.
#include "net/proxy.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/secret.h"

// ---------------------------------------------------------------- the environment
static struct str variable(const char *lower, const char *upper)
{
	const char *value = getenv(lower);
	if (!value || !*value)
		value = getenv(upper);
	return str_trim(str_of(value ? value : ""));
}

void proxy_of_environment(struct proxy_settings *out)
{
	*out = (struct proxy_settings){
		.https = variable("https_proxy", "HTTPS_PROXY"),
		// A server hands HTTP_PROXY to a CGI program from a request's header "Proxy"; then it is no setting.
		.http = getenv("REQUEST_METHOD") ? variable("http_proxy", "http_proxy")
						 : variable("http_proxy", "HTTP_PROXY"),
		.no = variable("no_proxy", "NO_PROXY"),
	};
}

// ---------------------------------------------------------------- what goes directly
static bool is_loopback(const struct url *target)
{
	struct address a;
	if (str_eq_nocase(target->authority.host, S("localhost")))
		return true;
	return address_of_literal(target->authority.host, target->port, &a) == 0 && address_is_loopback(&a);
}

static void bytes_of(const struct address *a, const unsigned char **bytes, unsigned *bits)
{
	bool v6 = a->any.sa_family == AF_INET6;
	*bytes = v6 ? a->v6.sin6_addr.s6_addr : (const unsigned char *)&a->v4.sin_addr;
	*bits = v6 ? 128 : 32;
}

// "10.0.0.0/8", "fd00::/8"
static bool net_covers(struct str net, struct str bits_text, const struct address *host)
{
	struct address base;
	const unsigned char *a, *b;
	unsigned most, other;
	uint64_t bits;
	if (address_of_literal(net, 0, &base) || str_to_u64(bits_text, &bits) ||
		base.any.sa_family != host->any.sa_family)
		return false;
	bytes_of(&base, &a, &most);
	bytes_of(host, &b, &other);
	if (bits > most || memcmp(a, b, bits / 8) != 0)
		return false;
	unsigned rest = bits % 8;
	return !rest || (a[bits / 8] ^ b[bits / 8]) >> (8 - rest) == 0;
}

// "host:8080" -> host and port; "[::1]:80", "::1" and "fd00::/8" keep their colons.
static struct str without_port(struct str entry, uint64_t *port)
{
	struct str head = entry, tail;
	*port = 0;
	if (entry.n && entry.p[0] == '[') {
		str_cut(str_drop(entry, 1), ']', &head, &tail);
		if (tail.n > 1 && tail.p[0] == ':' && str_to_u64(str_drop(tail, 1), port))
			*port = UINT64_MAX;
		return head;
	}
	if (str_cut(entry, ':', &head, &tail) && str_find_char(tail, ':') < 0 && str_to_u64(tail, port) == 0)
		return head;
	*port = 0;
	return entry;
}

static bool name_covers(struct str pattern, struct str host)
{
	if (str_starts(pattern, S("*.")))
		pattern = str_drop(pattern, 1);
	bool below_only = str_starts(pattern, S("."));
	struct str bare = below_only ? str_drop(pattern, 1) : pattern;
	if (!bare.n)
		return false;
	if (str_eq_nocase(bare, host))
		return !below_only;
	return host.n > bare.n && host.p[host.n - bare.n - 1] == '.' &&
	       str_eq_nocase(str_drop(host, host.n - bare.n), bare);
}

static bool entry_covers(struct str entry, const struct url *target)
{
	uint64_t port;
	struct str net, bits, host = target->authority.host;
	struct address literal, other;
	if (str_eq(entry, S("*")))
		return true;
	struct str name = without_port(entry, &port);
	if (port && port != target->port)
		return false;
	if (address_of_literal(host, 0, &literal) != 0)
		return name_covers(name, host);
	if (str_cut(name, '/', &net, &bits))
		return net_covers(net, bits, &literal);
	return address_of_literal(name, 0, &other) == 0 &&
	       net_covers(name, other.any.sa_family == AF_INET6 ? S("128") : S("32"), &literal);
}

static bool goes_directly(struct str no, const struct url *target)
{
	struct str entry, inner;
	if (is_loopback(target))
		return true;
	while (str_next(&no, ',', &entry)) {
		while (str_next(&entry, ' ', &inner)) {
			inner = str_trim(inner);
			if (inner.n && entry_covers(inner, target))
				return true;
		}
	}
	return false;
}

// ---------------------------------------------------------------- the proxy itself
// An authority of "user:password@host:port": the '@' that counts is the last one before a path.
static struct str split_user(struct str text, struct str *user)
{
	size_t end = str_find_char(text, '/') >= 0 ? (size_t)str_find_char(text, '/') : text.n;
	*user = S("");
	for (size_t i = end; i-- > 0;) {
		if (text.p[i] == '@') {
			*user = str_take(text, i);
			return str_drop(text, i + 1);
		}
	}
	return text;
}

static int parse(struct str text, const char *name, struct proxy *out, struct err *e)
{
	struct str rest = text;
	ptrdiff_t scheme = str_find(text, S("://"));
	if (scheme >= 0) {
		rest = str_drop(text, (size_t)scheme + 3);
		if (!str_eq_nocase(str_take(text, (size_t)scheme), S("http")))
			return err_set(e, ERR_UNSUPPORTED,
				"%s names a proxy of another sort than http://HOST:PORT, which this release cannot use",
				name);
	}
	rest = split_user(rest, &out->user);
	while (str_ends(rest, S("/")))
		rest.n--;
	if (url_parse_authority(rest, &out->url.authority, NULL) < 0)
		return err_set(e, ERR_INVALID, "%s is no proxy's address: write http://HOST:PORT", name);
	out->url.scheme = S("http");
	out->url.port = out->url.authority.port ? out->url.authority.port : 80;
	out->text = text;
	out->used = true;
	return 0;
}

int proxy_for(const struct proxy_settings *s, const struct url *target, struct proxy *out, struct err *e)
{
	struct str text = target->https ? s->https : s->http;
	struct proxy found = {0};
	if (text.n && !goes_directly(s->no, target)) {
		int rc = parse(text, target->https ? "HTTPS_PROXY" : "HTTP_PROXY", &found, e);
		if (rc < 0)
			return rc;
	}
	*out = found;
	return 0;
}

// ---------------------------------------------------------------- guarding it
int proxy_guard(const struct proxy *p, struct guard **out, struct err *e)
{
	AUTO(buf) text = {0};
	bool v6 = p->url.authority.type == URL_HOST_IPV6;
	buf_printf(&text, "%s%.*s%s:%u", v6 ? "[" : "", STR(p->url.authority.host), v6 ? "]" : "", p->url.port);
	int rc = buf_check(&text, e);
	struct str pattern = buf_str(&text);
	return rc < 0 ? rc : guard_new(&pattern, 1, out, e);
}

int proxy_check_address(const struct guard *g, const struct proxy *p, const struct address *a, struct err *e)
{
	// The guard's rule of plain http is about what is said: to a proxy that is only where the tunnel shall lead.
	struct url as_tunnel = p->url;
	as_tunnel.https = true;
	int rc = guard_check_address(g, &as_tunnel, a, e);
	return rc < 0 ? err_context(e, "the proxy") : 0;
}

static void add_credentials(struct str user, struct buf *out)
{
	AUTO(buf) plain = {0};
	if (url_decode(user, &plain) < 0) { // then it is meant as it stands
		buf_clear(&plain);
		buf_add(&plain, user);
	}
	if (str_find_char(user, ':') < 0)
		buf_add_char(&plain, ':');
	buf_add(out, S("proxy-authorization: Basic "));
	base64_encode(buf_str(&plain), out);
	buf_add(out, S("\r\n"));
	secret_wipe(plain.p, plain.n);
}

static void add_target(const struct url *target, struct buf *out)
{
	bool v6 = target->authority.type == URL_HOST_IPV6;
	buf_printf(out, "%s%.*s%s:%u", v6 ? "[" : "", STR(target->authority.host), v6 ? "]" : "", target->port);
}

void proxy_write_connect(const struct proxy *p, const struct url *target, struct buf *out)
{
	buf_add(out, S("CONNECT "));
	add_target(target, out);
	buf_add(out, S(" HTTP/1.1\r\nhost: "));
	add_target(target, out);
	buf_add(out, S("\r\n"));
	if (p->user.n)
		add_credentials(p->user, out);
	buf_add(out, S("\r\n"));
}
