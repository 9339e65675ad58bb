// SPDX-License-Identifier: Apache-2.0
// The outbound guard: see guard.h for its rules.
#include "net/guard.h"

#include <stdlib.h>
#include <string.h>

struct pattern {
	struct str host; // "*.domain" is kept as ".domain"
	bool wildcard;
	bool loopback; // any loopback address
	uint16_t port; // 0: any
};
struct guard {
	struct arena arena;
	struct pattern *patterns;
	size_t count;
};

static int read_pattern(struct arena *a, struct str text, struct pattern *out, struct err *e)
{
	struct url_authority authority;
	bool any_port = str_ends(text, S(":*"));
	struct str rest = any_port ? str_take(text, text.n - 2) : text;
	out->wildcard = str_starts(rest, S("*."));
	if (out->wildcard)
		rest = str_drop(rest, 2);
	if (url_parse_authority(rest, &authority, e) || (authority.port == 0) != any_port ||
		(out->wildcard && (authority.type != URL_HOST_NAME || str_find_char(authority.host, '.') < 0)))
		return err_set(e, ERR_INVALID, "allowed host \"%.*s\" is not HOST:PORT, HOST:* or *.DOMAIN:PORT",
			STR(str_take(text, 200)));
	out->port = authority.port;
	out->host = out->wildcard ? arena_printf(a, ".%.*s", STR(authority.host)) : arena_str(a, authority.host);
	return out->host.p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory for allowed hosts");
}

static struct guard *guard_alloc(size_t count)
{
	struct guard *g = calloc(1, sizeof(*g));
	struct pattern *patterns = g ? arena_new_array(&g->arena, count, struct pattern) : NULL;
	if (!patterns) {
		free(g);
		return NULL;
	}
	g->patterns = patterns;
	return g;
}

int guard_new(const struct str *patterns, size_t count, struct guard **out, struct err *e)
{
	struct guard *g = guard_alloc(count);
	if (!g)
		return err_set(e, ERR_NO_MEMORY, "out of memory for allowed hosts");
	for (; g->count < count; g->count++) {
		int code = read_pattern(&g->arena, patterns[g->count], &g->patterns[g->count], e);
		if (code) {
			guard_free(g);
			return code;
		}
	}
	*out = g;
	return 0;
}

int guard_new_loopback(struct guard **out, struct err *e)
{
	struct guard *g = guard_alloc(1);
	if (!g)
		return err_set(e, ERR_NO_MEMORY, "out of memory for allowed hosts");
	g->patterns[g->count++].loopback = true;
	*out = g;
	return 0;
}

void guard_free(struct guard *g)
{
	if (!g)
		return;
	arena_free(&g->arena);
	free(g);
}

static bool is_literal(const struct url *u)
{
	return u->authority.type != URL_HOST_NAME;
}

static bool names_loopback(const struct url *u)
{
	struct address a;
	if (str_eq_nocase(u->authority.host, S("localhost")))
		return true;
	return is_literal(u) && address_of_literal(u->authority.host, u->port, &a) == 0 && address_is_loopback(&a);
}

static bool pattern_matches(const struct pattern *p, const struct url *u)
{
	struct str host = u->authority.host;
	if (p->loopback)
		return names_loopback(u);
	if (p->port && p->port != u->port)
		return false;
	if (!p->wildcard)
		return str_eq_nocase(p->host, host);
	return !is_literal(u) && host.n > p->host.n && str_eq_nocase(str_drop(host, host.n - p->host.n), p->host);
}

static const struct pattern *find_pattern(const struct guard *g, const struct url *u)
{
	const struct pattern *wildcard = NULL;
	for (size_t i = 0; i < g->count; i++) {
		if (!pattern_matches(&g->patterns[i], u))
			continue;
		if (!g->patterns[i].wildcard)
			return &g->patterns[i];
		wildcard = &g->patterns[i];
	}
	return wildcard;
}

// The metadata services of clouds, which speak plain http on a link that never leaves the machine: instances of AWS,
// Azure and Google Cloud; containers of AWS (ECS, EKS).
static bool names_metadata(const struct url *u)
{
	static const char *const hosts[] = {
		"169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23"};
	for (size_t i = 0; is_literal(u) && i < COUNT_OF(hosts); i++) {
		if (str_eq_nocase(u->authority.host, str_of(hosts[i])))
			return true;
	}
	return false;
}

int guard_check_url(const struct guard *g, const struct url *u, struct err *e)
{
	struct str host = str_take(u->authority.host, 200);
	if (!find_pattern(g, u))
		return err_set(e, ERR_DENIED,
			"a call to %.*s:%u was not made: this host is not among those that the workspace declares",
			STR(host), u->port);
	if (!u->https && !names_loopback(u) && !names_metadata(u))
		return err_set(e, ERR_DENIED,
			"a call to http://%.*s:%u was not made: plain http is for loopback only, use https", STR(host),
			u->port);
	return 0;
}

// What an address is, with IPv4 inside IPv6 unwrapped. On-link covers cloud metadata services (169.254.169.254,
// fd00:ec2::254).
enum address_class { ADDRESS_PUBLIC, ADDRESS_PRIVATE, ADDRESS_LOOPBACK, ADDRESS_SPECIAL };

static enum address_class classify_v4(uint32_t ip)
{
	static const struct {
		uint32_t net;
		unsigned bits;
		enum address_class class;
	} ranges[] = {
		{0x00000000, 8, ADDRESS_SPECIAL},                                     // this network
		{0x0a000000, 8, ADDRESS_PRIVATE},                                     // 10/8
		{0x64400000, 10, ADDRESS_PRIVATE},                                    // 100.64/10, carrier-grade NAT
		{0x7f000000, 8, ADDRESS_LOOPBACK}, {0xa9fe0000, 16, ADDRESS_SPECIAL}, // link-local
		{0xac100000, 12, ADDRESS_PRIVATE},                                    // 172.16/12
		{0xc0a80000, 16, ADDRESS_PRIVATE},                                    // 192.168/16
		{0xe0000000, 3, ADDRESS_SPECIAL},                                     // multicast, reserved, broadcast
	};
	for (size_t i = 0; i < COUNT_OF(ranges); i++)
		if ((ip ^ ranges[i].net) >> (32 - ranges[i].bits) == 0)
			return ranges[i].class;
	return ADDRESS_PUBLIC;
}

static enum address_class classify(const struct address *a)
{
	static const unsigned char ec2_metadata[8] = {0xfd, 0x00, 0x0e, 0xc2, 0, 0, 0, 0};
	if (a->any.sa_family == AF_INET)
		return classify_v4(ntohl(a->v4.sin_addr.s_addr));
	const struct in6_addr *v6 = &a->v6.sin6_addr;
	const unsigned char *b = v6->s6_addr;
	bool nat64 = memcmp(b, (const unsigned char[12]){0x00, 0x64, 0xff, 0x9b}, 12) == 0;
	if (IN6_IS_ADDR_LOOPBACK(v6))
		return ADDRESS_LOOPBACK;
	if (IN6_IS_ADDR_V4MAPPED(v6) || nat64)
		return classify_v4((uint32_t)b[12] << 24 | (uint32_t)b[13] << 16 | (uint32_t)b[14] << 8 | b[15]);
	if (IN6_IS_ADDR_LINKLOCAL(v6) || IN6_IS_ADDR_MULTICAST(v6) || b[0] == 0 || memcmp(b, ec2_metadata, 8) == 0)
		return ADDRESS_SPECIAL;
	return (b[0] & 0xfe) == 0xfc || IN6_IS_ADDR_SITELOCAL(v6) ? ADDRESS_PRIVATE : ADDRESS_PUBLIC;
}

int guard_check_address(const struct guard *g, const struct url *u, const struct address *a, struct err *e)
{
	char text[ADDRESS_TEXT_SIZE];
	address_text(a, text);
	const struct pattern *p = find_pattern(g, u);
	int code = guard_check_url(g, u, e);
	if (code)
		return code;
	enum address_class class = classify(a);
	struct str host = str_take(u->authority.host, 200);
	bool loopback_name = names_loopback(u);
	if (loopback_name != (class == ADDRESS_LOOPBACK))
		return err_set(e, ERR_DENIED,
			"a call to %.*s was not made: it resolved to %s, and loopback is only reached by its name",
			STR(host), text);
	if (class == ADDRESS_SPECIAL && !is_literal(u))
		return err_set(e, ERR_DENIED, "a call to %.*s was not made: it resolved to the reserved address %s",
			STR(host), text);
	if (class == ADDRESS_PRIVATE && p->wildcard)
		return err_set(e, ERR_DENIED,
			"a call to %.*s was not made: it resolved to the private address %s, which needs the "
			"host to be allowed by its full name",
			STR(host), text);
	return 0;
}
