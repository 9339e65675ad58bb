// SPDX-License-Identifier: Apache-2.0
// One operation against a provider: see exchange.h.
#include "cloud/http/exchange.h"

#include <string.h>

#include "base/time.h"
#include "cloud/http/provider_error.h"

int provider_init(
	struct provider *p, const struct provider_ops *ops, struct str base_url, struct arena *a, struct err *e)
{
	struct url url;
	struct str base = arena_str(a, base_url);
	if (!base.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	while (str_ends(base, S("/")))
		base.n--;
	int r = url_parse(base, &url, e);
	if (r)
		return err_context(e, "the object store's address \"%.*s\"", STR(base_url));
	if (url.query.p)
		return err_set(e, ERR_INVALID, "the object store's address \"%.*s\" has a query", STR(base_url));
	// The authority as it is written, which is what a Host header says.
	struct str host = str_drop(base, url.https ? sizeof("https://") - 1 : sizeof("http://") - 1);
	str_cut(host, '/', &host, &(struct str){0});
	p->ops = ops;
	p->base = base;
	p->host = host;
	p->base_path = url.path;
	p->secure = url.https;
	p->retry = retry_standard;
	return 0;
}

void exchange_header(struct exchange *x, const char *name, struct str value)
{
	if (x->header_count < EXCHANGE_MAX_HEADERS)
		x->headers[x->header_count] = (struct sign_header){str_of(name), value};
	x->header_count++;
}

void exchange_parameter(struct buf *query, const char *name, struct str value)
{
	if (query->n)
		buf_add_char(query, '&');
	buf_printf(query, "%s=", name);
	sign_uri_encode(value, "", query);
}

static int check_proof(struct call *c, const struct exchange *x, const struct transport_response *r)
{
	struct str echoed = x->echo.name.n ? transport_header(r, x->echo.name) : S("");
	bool proved = !x->proof || transport_header(r, str_of(x->proof)).n;
	if (proved && (!echoed.n || str_eq(echoed, x->echo.value)))
		return 0;
	if (proved)
		call_fail(c, ERR_CORRUPT, "the answer to %s says %.*s \"%.*s\", but \"%.*s\" was sent: it is another's",
			x->call->operation, STR(x->echo.name), (int)MIN(echoed.n, 64), echoed.p, STR(x->echo.value));
	else
		call_fail(c, ERR_CORRUPT, "the answer to %s has no %s: it is another's", x->call->operation, x->proof);
	c->err.retryable = true;
	return ERR_CORRUPT;
}

// The text of an error answer can be long; drivers keep the first line of it. What was tried is for the driver to say.
static int judge(struct call *c, struct provider *p, const struct exchange *x, const struct transport_response *r)
{
	if ((r->status >= 200 && r->status < 300) || (x->accept && r->status == x->accept))
		return check_proof(c, x, r);
	if (r->status >= 300 && r->status < 400 && r->status != 304)
		return call_fail(c, ERR_PROTOCOL,
			"%.*s answers %d and wants to send us elsewhere; redirects are not followed, correct the "
			"region or the address",
			STR(p->host), r->status);
	int refused = p->ops->refused(c, p, r);
	provider_add_clock(c, r->status, transport_header(r, S("date")));
	return refused;
}

// A request that was not let in did nothing. Whether it would be with the provider's time, or with other credentials.
static bool may_enter(struct call *c, struct provider *p, const struct exchange *x, const struct transport_response *r)
{
	bool about_us = r->status == 400 || r->status == 401 || r->status == 403;
	bool later = p->clock && about_us && provider_clock_learn(c, p->clock, transport_header(r, S("date")));
	bool others = p->credentials && x->serial && c->err.code == ERR_UNAUTHENTICATED &&
		      credentials_refused(c, p->credentials, p->audience, x->serial);
	return later || others;
}

static int check_room(struct call *c, const struct exchange *x)
{
	if (x->header_count <= EXCHANGE_MAX_HEADERS)
		return 0;
	return call_fail(c, ERR_INTERNAL, "%zu headers are more than an exchange holds", x->header_count);
}

// One attempt: the headers that authorise it are added behind the operation's own and dropped afterwards.
static int attempt(struct call *c, struct provider *p, struct exchange *x, struct transport_response *out)
{
	AUTO(buf) url = {0};
	size_t own = x->header_count;
	struct sign_request to_sign = {.method = str_of(x->call->method), .query = x->query, .headers = x->headers};
	to_sign.path = arena_printf(c->arena, "%.*s%.*s", STR(p->base_path), STR(x->path));
	exchange_header(x, "host", p->host);
	to_sign.header_count = x->header_count;
	int r = to_sign.path.p ? check_room(c, x) : call_no_memory(c);
	if (!r && p->throttle)
		r = throttle_wait(c, p->throttle);
	if (!r)
		r = p->ops->authorize(c, p, &to_sign, x);
	if (!r)
		r = check_room(c, x);
	buf_printf(&url, "%.*s%.*s%s%.*s", STR(p->base), STR(x->path), x->query.n ? "?" : "", STR(x->query));
	if (!r)
		r = buf_check(&url, &c->err);
	struct transport_request request = {.method = x->call->method,
		.url = buf_str(&url),
		.headers = x->headers,
		.header_count = x->header_count,
		.body = x->body,
		.head = x->head,
		.data = x->data,
		.ctx = x->ctx};
	if (!r)
		r = p->transport.perform(c, p->transport.ctx, &request, out);
	x->header_count = own;
	return r;
}

static int check_row(struct call *c, const struct exchange *x)
{
	if (x->call && cloud_call_fits(x->call, str_of(x->call->method), x->path, x->query))
		return 0;
	return call_fail(c, ERR_INTERNAL, "%.*s?%.*s is not what the driver's table says of %s", STR(x->path),
		STR(x->query), x->call ? x->call->operation : "a request without a row");
}

int exchange_run(struct call *c, struct provider *p, struct exchange *x, struct transport_response *out)
{
	int fits = check_row(c, x);
	if (fits)
		return fits;
	for (;;) {
		struct transport_response answer = {0};
		if (x->attempts++ == 0)
			x->began_ns = call_mono_ns(c);
		int r = attempt(c, p, x, &answer);
		if (!r)
			r = judge(c, p, x, &answer);
		if (!r) {
			*out = answer;
			return 0;
		}
		if (p->throttle)
			throttle_told(c, p->throttle, c->err.code == ERR_THROTTLED);
		bool unheard = answer.status && may_enter(c, p, x, &answer);
		if (unheard)
			c->err.retryable = true;
		unheard = unheard || c->err.code == ERR_THROTTLED; // what comes too fast is not done
		if ((x->once && !unheard) || call_mono_ns(c) - x->began_ns > EXCHANGE_PATIENCE_S * NS_PER_S)
			return r;
		int64_t after = retry_after_ns(transport_header(&answer, S("retry-after")), call_now_ns(c));
		if ((r = retry_pause(c, &p->retry, x->attempts, after)))
			return r;
		if (x->again && (r = x->again(c, x->ctx, x)))
			return r;
	}
}
