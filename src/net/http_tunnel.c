// SPDX-License-Identifier: Apache-2.0
// Connections of the HTTP client that go through a proxy: which do, and asking the proxy for a tunnel before TLS begins
// with the target itself (RFC 9110 9.3.6). The proxy sees the target's name and port, and never what is said.
#include <stdlib.h>
#include <string.h>

#include "base/secret.h"
#include "net/http_client_impl.h"

enum { HEAD_MOST = 8192 }; // of a proxy's answer

int tunnel_plan(struct http_origin *o, struct err *e)
{
	struct proxy_settings settings;
	struct proxy found;
	if (o->client->options.proxy)
		settings = *o->client->options.proxy;
	else
		proxy_of_environment(&settings);
	// Plain http is for loopback, by the guard, and loopback is called directly: only tunnels are left.
	int code = o->url.https ? proxy_for(&settings, &o->url, &found, e) : 0;
	if (code || !o->url.https || !found.used)
		return code;
	o->via_text = strndup(settings.https.p, settings.https.n);
	if (!o->via_text)
		return err_set(e, ERR_NO_MEMORY, "out of memory for a proxy's address");
	settings.https = str_of(o->via_text); // so that what is kept refers to text of our own
	code = proxy_for(&settings, &o->url, &o->via, e);
	return code ? code : proxy_guard(&o->via, &o->via_guard, e);
}

void tunnel_forget(struct http_origin *o)
{
	guard_free(o->via_guard);
	if (o->via_text)
		secret_wipe(o->via_text, strlen(o->via_text));
	free(o->via_text);
}

void tunnel_begin(struct http_link *l)
{
	proxy_write_connect(&l->origin->via, &l->origin->url, &l->out);
	if (l->out.failed) {
		link_break(l, ERR_NO_MEMORY, "out of memory for a request to the proxy");
		return;
	}
	l->state = LINK_TUNNEL;
	tunnel_step(l);
}

static bool send_rest(struct http_link *l)
{
	while (l->out_sent < l->out.n) {
		struct iovec piece = {l->out.p + l->out_sent, l->out.n - l->out_sent};
		ssize_t n = stream_write(&l->stream, &piece, 1);
		if (n == STREAM_AGAIN)
			return false;
		if (n < 0) {
			link_break(l, ERR_UNAVAILABLE, "the proxy closed the connection");
			return false;
		}
		l->out_sent += (size_t)n;
	}
	return true;
}

// "HTTP/1.1 407 Proxy Authentication Required"
static void judge_answer(struct http_link *l, struct str head)
{
	AUTO(arena) arena = {0};
	struct http_response answer = {0};
	struct err e = {0};
	int code = http1_parse_response(head, &l->client->limits, HTTP_GET, &arena, &answer, &e);
	if (code) {
		link_break(l, ERR_PROTOCOL, "the proxy's answer is malformed");
		return;
	}
	if (answer.status >= 200 && answer.status < 300)
		return;
	char text[120];
	snprintf(text, sizeof(text), "the proxy %.*s:%u opens no tunnel: it answered %d",
		STR(str_take(l->origin->via.url.authority.host, 60)), l->origin->via.url.port, answer.status);
	link_break(l, answer.status == 407 || answer.status == 403 ? ERR_DENIED : ERR_UNAVAILABLE, text);
}

// The target says nothing before TLS begins, so that nothing may follow the head.
static void read_answer(struct http_link *l)
{
	char bytes[1024];
	ssize_t n;
	while ((n = stream_read(&l->stream, bytes, sizeof(bytes))) > 0) {
		buf_add_bytes(&l->in, bytes, (size_t)n);
		struct str all = buf_str(&l->in);
		ptrdiff_t end = str_find(all, S("\r\n\r\n"));
		if (end >= 0) {
			judge_answer(l, str_take(all, (size_t)end + 4));
			if (l->state == LINK_TUNNEL && all.n > (size_t)end + 4)
				link_break(l, ERR_PROTOCOL, "the proxy sent more than an answer");
			buf_free(&l->in);
			if (l->state == LINK_TUNNEL)
				link_begin_tls(l);
			return;
		}
		if (all.n > HEAD_MOST || l->in.failed) {
			link_break(l, ERR_PROTOCOL, "the proxy's answer is too long");
			return;
		}
	}
	if (n != STREAM_AGAIN)
		link_break(l, ERR_UNAVAILABLE, "the proxy closed the connection");
}

void tunnel_step(struct http_link *l)
{
	if (l->out_sent < l->out.n) {
		if (!send_rest(l)) {
			if (l->state == LINK_TUNNEL)
				loop_io_set(l->client->options.loop, &l->io, LOOP_WRITE);
			return;
		}
		secret_wipe(l->out.p, l->out.n); // the proxy's password may be in it
		buf_clear(&l->out);
		l->out_sent = 0;
		loop_io_set(l->client->options.loop, &l->io, LOOP_READ);
	}
	read_answer(l);
}
