// SPDX-License-Identifier: Apache-2.0
// The HTTP client of one loop: origins and their kept connections. See http_client.h.
#include "net/http_client.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "net/http_client_impl.h"

#define SWEEP_NS (5 * NS_PER_S)

// Closes links of a list that have been idle since before `since_ns`; the newest come first.
static void close_idle(struct http_origin *o, int64_t since_ns)
{
	struct http_link **at = &o->idle;
	while (*at && (*at)->idle_since_ns > since_ns)
		at = &(*at)->next;
	struct http_link *old = *at;
	*at = NULL;
	while (old) {
		struct http_link *next = old->next;
		link_destroy(old);
		o->idle_count--;
		old = next;
	}
}

static void sweep_fire(struct loop_timer *t)
{
	struct http_client *c = CONTAINER_OF(t, struct http_client, sweep);
	int64_t now = loop_now_ns(c->options.loop);
	bool more = false;
	for (struct http_origin *o = c->origins; o; o = o->next) {
		close_idle(o, now - c->options.idle_ns);
		more = more || o->idle;
	}
	// Without memory for the timer the next kept link starts it again.
	if (more && loop_timer_set(c->options.loop, &c->sweep, now + SWEEP_NS))
		return;
}

int http_client_new(const struct http_client_options *o, struct http_client **out, struct err *e)
{
	struct http_client *c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(e, ERR_NO_MEMORY, "out of memory for an HTTP client");
	c->options = *o;
	c->options.idle_per_origin = o->idle_per_origin ? o->idle_per_origin : 32;
	c->options.origins = o->origins ? o->origins : 256;
	c->options.idle_ns = o->idle_ns ? o->idle_ns : 30 * NS_PER_S;
	c->limits = http1_default_limits;
	if (o->head_bytes)
		c->limits.head_bytes = o->head_bytes;
	c->sweep.fire = sweep_fire;
	int code = dns_new(o->loop, &c->dns, e);
	if (code) {
		free(c);
		return code;
	}
	*out = c;
	return 0;
}

static void forget_origin(struct http_origin *o)
{
	struct http_origin **at = &o->client->origins;
	while (*at != o)
		at = &(*at)->next;
	*at = o->next;
	o->client->origin_count--;
	close_idle(o, INT64_MAX);
	tunnel_forget(o);
	free(o->text);
	free(o);
}

void http_client_free(struct http_client *c)
{
	if (!c)
		return;
	while (c->fetches)
		fetch_abandon(c->fetches, ERR_CANCELLED);
	while (c->origins)
		forget_origin(c->origins);
	while (c->spare) {
		struct http_fetch *f = c->spare;
		c->spare = f->next;
		free(f);
	}
	loop_timer_clear(c->options.loop, &c->sweep);
	dns_free(c->dns);
	free(c);
}

static struct http_origin *find_origin(struct http_client *c, const struct url *u)
{
	for (struct http_origin *o = c->origins; o; o = o->next)
		if (!o->dropped && o->url.https == u->https && o->url.port == u->port &&
			str_eq_nocase(o->url.authority.host, u->authority.host))
			return o;
	return NULL;
}

static struct http_origin *add_origin(struct http_client *c, struct str url)
{
	struct http_origin *o = calloc(1, sizeof(*o));
	char *text = o ? strndup(url.p, url.n) : NULL;
	if (!text || url_parse(str_of(text), &o->url, NULL)) {
		free(text);
		free(o);
		return NULL;
	}
	o->text = text;
	o->authority = str_drop(str_of(text), o->url.scheme.n + 3);
	o->client = c;
	o->next = c->origins;
	c->origins = o;
	c->origin_count++;
	return o;
}

int http_client_origin(struct http_client *c, struct str url, struct http_origin **out, struct err *e)
{
	struct url u;
	int code = url_parse(url, &u, e);
	if (code == 0)
		code = guard_check_url(c->options.guard, &u, e);
	if (code)
		return code;
	if (u.https && !c->options.tls)
		return err_set(
			e, ERR_UNSUPPORTED, "https://%.*s: this client was set up without TLS", STR(u.authority.host));
	struct http_origin *o = find_origin(c, &u);
	bool is_new = !o;
	if (!o && c->origin_count >= c->options.origins)
		return err_set(e, ERR_LIMIT, "more than %zu different hosts", c->options.origins);
	if (!o) {
		const char *path = u.path.p ? u.path.p : url.p + url.n;
		o = add_origin(c, str_take(url, (size_t)(path - url.p)));
	}
	if (!o)
		return err_set(e, ERR_NO_MEMORY, "out of memory for a host");
	if (is_new && (code = tunnel_plan(o, e))) {
		forget_origin(o);
		return code;
	}
	o->holders++;
	*out = o;
	return 0;
}

void http_origin_flush(struct http_origin *o)
{
	close_idle(o, INT64_MAX);
}

void http_origin_drop(struct http_origin *o)
{
	if (--o->holders)
		return;
	o->dropped = true;
	if (o->users == 0)
		forget_origin(o);
}

void origin_leave(struct http_origin *o)
{
	o->users--;
	if (o->dropped && o->users == 0)
		forget_origin(o);
}

void http_client_use_guard(struct http_client *c, const struct guard *g)
{
	c->options.guard = g;
}

void http_client_use_tls(struct http_client *c, struct tls *t)
{
	c->options.tls = t;
}

struct http_link *origin_take_idle(struct http_origin *o)
{
	struct http_link *l = o->idle;
	if (!l)
		return NULL;
	o->idle = l->next;
	o->idle_count--;
	l->next = NULL;
	return l;
}

void origin_keep(struct http_origin *o, struct http_link *l)
{
	struct http_client *c = o->client;
	int64_t now = loop_now_ns(c->options.loop);
	if (o->idle_count >= c->options.idle_per_origin) {
		link_destroy(l);
		return;
	}
	l->fetch = NULL;
	l->reused = true;
	l->idle_since_ns = now;
	l->next = o->idle;
	o->idle = l;
	o->idle_count++;
	buf_free(&l->in);
	loop_io_set(c->options.loop, &l->io, LOOP_READ);
	if (!c->sweep.slot && loop_timer_set(c->options.loop, &c->sweep, now + SWEEP_NS))
		origin_drop_idle(l);
}

void origin_drop_idle(struct http_link *l)
{
	struct http_origin *o = l->origin;
	struct http_link **at = &o->idle;
	while (*at != l)
		at = &(*at)->next;
	*at = l->next;
	o->idle_count--;
	link_destroy(l);
}
