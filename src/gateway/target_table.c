// SPDX-License-Identifier: Apache-2.0
// Which targets there are, and their statistics: see target.h. Statistics stay when a target goes, since counters only
// grow.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/target_impl.h"
#include "net/url.h"

int targets_init(struct target_table *t, struct loop *l, struct err *e)
{
	*t = (struct target_table){.loop = l};
	return guard_new(NULL, 0, &t->guard, e);
}

static void free_target(struct target *t)
{
	target_forget_probe(t);
	if (t->origin)
		http_origin_drop(t->origin);
	free(t->url);
	free(t->prefix);
	free(t->probe_path);
	free(t->authority);
	free(t);
}

void targets_free(struct target_table *t)
{
	while (t->targets) {
		struct target *next = t->targets->next;
		free_target(t->targets);
		t->targets = next;
	}
	guard_free(t->guard);
	upstreams_release(t->upstreams);
	arena_free(&t->arena);
	*t = (struct target_table){0};
}

// ---- statistics

struct route_stats *stats_of_route(struct target_table *t, struct str name)
{
	for (struct route_stats *s = t->routes; s; s = s->next)
		if (str_eq(s->route, name))
			return s;
	struct route_stats *s = arena_new(&t->arena, struct route_stats);
	struct str copy = arena_str(&t->arena, name);
	if (!s || !copy.p)
		return NULL;
	s->route = copy;
	s->next = t->routes;
	t->routes = s;
	return s;
}

void stats_count(struct route_stats *s, int status, double seconds)
{
	if (!s)
		return;
	histogram_add(&s->seconds, seconds);
	size_t i = 0;
	while (i < s->code_count && s->codes[i].status != status)
		i++;
	if (i == STATS_MAX_CODES)
		i--; // more different codes than that are one row
	else if (i == s->code_count)
		s->codes[s->code_count++].status = status;
	s->codes[i].count++;
}

static struct attempt_stats *stats_of_attempts(
	struct target_table *t, struct str route, const struct snapshot_target *target)
{
	for (struct attempt_stats *s = t->attempts; s; s = s->next)
		if (str_eq(s->route, route) && str_eq(s->endpoint, target->endpoint) && str_eq(s->cloud, target->cloud))
			return s;
	struct attempt_stats *s = arena_new(&t->arena, struct attempt_stats);
	if (!s)
		return NULL;
	s->route = arena_str(&t->arena, route);
	s->endpoint = arena_str(&t->arena, target->endpoint);
	s->cloud = arena_str(&t->arena, target->cloud);
	if (!s->route.p || !s->endpoint.p || !s->cloud.p)
		return NULL;
	s->next = t->attempts;
	t->attempts = s;
	return s;
}

static struct cloud_stats *stats_of_cloud(struct target_table *t, const struct snapshot_target *target)
{
	for (struct cloud_stats *s = t->clouds; s; s = s->next)
		if (str_eq(s->endpoint, target->endpoint) && str_eq(s->cloud, target->cloud))
			return s;
	struct cloud_stats *s = arena_new(&t->arena, struct cloud_stats);
	if (!s)
		return NULL;
	s->endpoint = arena_str(&t->arena, target->endpoint);
	s->cloud = arena_str(&t->arena, target->cloud);
	if (!s->endpoint.p || !s->cloud.p)
		return NULL;
	s->next = t->clouds;
	t->clouds = s;
	return s;
}

// ---- binding

static struct target *find_target(struct target_table *t, const struct snapshot_target *wanted)
{
	for (struct target *target = t->targets; target; target = target->next)
		if (str_eq(str_of(target->url), wanted->url) && str_eq(target->endpoint, wanted->endpoint) &&
			str_eq(target->cloud, wanted->cloud) && target->service == wanted->service)
			return target;
	return NULL;
}

// The address of a service is all of the path, and its Host is signed: without the scheme's own port, as it is sent.
static int fill_address(struct target *t, const struct url *url)
{
	bool v6 = url->authority.type == URL_HOST_IPV6, own_port = url->port == (url->https ? 443 : 80);
	struct str prefix = url->path;
	while (t->service == UPSTREAM_OPEN && prefix.n && prefix.p[prefix.n - 1] == '/')
		prefix.n--;
	t->prefix = strndup(prefix.p ? prefix.p : "", prefix.n);
	if (asprintf(&t->authority, v6 ? "[%.*s]:%u" : "%.*s:%u", STR(url->authority.host), url->port) < 0)
		t->authority = NULL;
	if (t->authority && own_port)
		*strrchr(t->authority, ':') = '\0';
	if (t->service != UPSTREAM_OPEN)
		t->probe_path = strdup("/ping");
	else if (!t->prefix || asprintf(&t->probe_path, "%s/v2/health/ready", t->prefix) < 0)
		t->probe_path = NULL;
	return t->prefix && t->authority && t->probe_path ? 0 : ERR_NO_MEMORY;
}

static struct target *add_target(struct target_table *t, const struct snapshot_target *wanted, struct err *e)
{
	struct url url;
	struct target *target = calloc(1, sizeof(*target));
	if (!target || url_parse(wanted->url, &url, e)) {
		free(target);
		err_set(e, ERR_NO_MEMORY, "out of memory for a target");
		return NULL;
	}
	target->table = t;
	target->service = wanted->service;
	target->url = strndup(wanted->url.p, wanted->url.n);
	target->stats = stats_of_cloud(t, wanted);
	if (fill_address(target, &url) || !target->url || !target->stats) {
		free_target(target);
		err_set(e, ERR_NO_MEMORY, "out of memory for a target");
		return NULL;
	}
	target->endpoint = target->stats->endpoint;
	target->cloud = target->stats->cloud;
	if (http_client_origin(t->client, wanted->url, &target->origin, e)) {
		free_target(target);
		return NULL;
	}
	target->next = t->targets;
	t->targets = target;
	return target;
}

static int bind_target(
	struct target_table *t, const struct snapshot_route *route, struct snapshot_target *wanted, struct err *e)
{
	struct target *target = find_target(t, wanted);
	if (!target)
		target = add_target(t, wanted, e);
	if (!target)
		return e->code;
	wanted->attempts = stats_of_attempts(t, route->name, wanted);
	if (!wanted->attempts)
		return err_set(e, ERR_NO_MEMORY, "out of memory for statistics");
	wanted->target = target;
	target->users++;
	return 0;
}

// The guard lets through exactly the hosts of the snapshot's targets, and those of the present ones until the swap is
// done.
static int new_guard(const struct target_table *t, const struct snapshot *s, struct guard **out, struct err *e)
{
	struct arena a = {0};
	size_t count = 0, room = 0;
	for (const struct target *target = t->targets; target; target = target->next)
		room++;
	for (size_t i = 0; i < s->route_count; i++)
		room += s->routes[i].target_count;
	struct str *hosts = arena_new_array(&a, room, struct str), *urls = arena_new_array(&a, room, struct str);
	for (const struct target *target = t->targets; urls && target; target = target->next)
		urls[count++] = str_of(target->url);
	for (size_t i = 0; urls && i < s->route_count; i++)
		for (size_t k = 0; k < s->routes[i].target_count; k++)
			urls[count++] = s->routes[i].targets[k].url;
	int code = hosts ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory for targets");
	for (size_t i = 0; code == 0 && i < count; i++) {
		struct url u;
		code = url_parse(urls[i], &u, e);
		bool v6 = code == 0 && u.authority.type == URL_HOST_IPV6;
		if (code == 0)
			hosts[i] = arena_printf(&a, v6 ? "[%.*s]:%u" : "%.*s:%u", STR(u.authority.host), u.port);
	}
	if (code == 0)
		code = guard_new(hosts, count, out, e);
	arena_free(&a);
	return code;
}

static void note_weights(struct target_table *t, const struct snapshot *s)
{
	for (struct target *target = t->targets; target; target = target->next)
		target->listed = false;
	for (size_t i = 0; i < s->route_count; i++) {
		for (size_t k = 0; k < s->routes[i].target_count; k++) {
			const struct snapshot_target *listed = &s->routes[i].targets[k];
			struct target *target = listed->target;
			target->weight = target->listed ? MAX(target->weight, listed->weight) : listed->weight;
			target->probe_stats = listed->attempts;
			target->listed = true;
		}
	}
	for (struct target *target = t->targets; target; target = target->next)
		target_watch(target);
}

static void drop_unused(struct target_table *t)
{
	for (struct target **at = &t->targets; *at;) {
		struct target *target = *at;
		if (target->users) {
			at = &target->next;
			continue;
		}
		*at = target->next;
		free_target(target);
	}
}

void targets_unbind(struct target_table *t, struct snapshot *s)
{
	for (size_t i = 0; i < s->route_count; i++) {
		for (size_t k = 0; k < s->routes[i].target_count; k++) {
			struct snapshot_target *bound = &s->routes[i].targets[k];
			if (bound->target)
				bound->target->users--;
			bound->target = NULL;
		}
	}
	drop_unused(t);
}

void targets_use_upstreams(struct target_table *t, struct upstreams *u)
{
	upstreams_release(t->upstreams);
	t->upstreams = u;
	for (struct target *target = t->targets; target; target = target->next)
		if (target->refused)
			target->probe_began_ns = 0; // the next look asks, however short ago the last one was
}

int targets_bind(struct target_table *t, struct snapshot *s, struct err *e)
{
	struct guard *guard;
	int code = new_guard(t, s, &guard, e);
	if (code)
		return code;
	http_client_use_guard(t->client, guard);
	guard_free(t->guard);
	t->guard = guard;
	for (size_t i = 0; code == 0 && i < s->route_count; i++) {
		struct snapshot_route *route = &s->routes[i];
		route->stats = stats_of_route(t, route->name);
		for (size_t k = 0; code == 0 && k < route->target_count; k++)
			code = bind_target(t, route, &route->targets[k], e);
	}
	if (code)
		targets_unbind(t, s);
	else
		note_weights(t, s);
	return code;
}
