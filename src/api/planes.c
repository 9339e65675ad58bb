// SPDX-License-Identifier: Apache-2.0
// See planes.h.
#include "api/planes.h"

#include <unistd.h>

#include "base/hash.h"
#include "base/time.h"

enum { RANDOM_BYTES = 8, HOST_MAX = 64 };

static bool random_hex(struct call *c, char hex[2 * RANDOM_BYTES + 1])
{
	unsigned char bytes[RANDOM_BYTES];
	if (c->edges->random(c->edges->ctx, bytes, sizeof(bytes)) < 0)
		return false;
	hex_encode(str_bytes(bytes, sizeof(bytes)), hex);
	return true;
}

int planes_name(struct call *c, struct arena *a, struct str *out)
{
	char host[HOST_MAX + 1] = "", hex[2 * RANDOM_BYTES + 1];
	if (gethostname(host, HOST_MAX) < 0 || !str_utf8_valid(str_of(host)))
		str_copy(host, sizeof(host), S("host"));
	if (!random_hex(c, hex))
		return call_fail(c, ERR_IO, "no randomness for the control plane's name");
	struct str name = arena_printf(a, "%s/%d/%s", host, (int)getpid(), hex);
	if (!name.p)
		return call_no_memory(c);
	*out = name;
	return 0;
}

struct str planes_holder(struct call *c, struct str plane)
{
	char hex[2 * RANDOM_BYTES + 1];
	return random_hex(c, hex) ? arena_printf(c->arena, "%.*s/%s", STR(plane), hex) : (struct str){0};
}

int planes_take_turn(struct call *c, const struct state *s, struct str plane, struct held **out)
{
	const struct held_options o = {.state = s, .name = S("control/change"), .holder = planes_holder(c, plane)};
	int rc = held_take(c, &o, out);
	return rc == ERR_IN_USE ? call_context(c, "another isobar works on this workspace") : rc;
}

int planes_take_service(struct call *c, const struct state *s, struct str plane, const char *service, atomic_bool *lost,
	struct held **out)
{
	const struct held_options o = {.state = s,
		.name = arena_printf(c->arena, "service/%s", service),
		.holder = planes_holder(c, plane),
		.lost = lost};
	return held_take(c, &o, out);
}

// ---------------------------------------------------------------- who lives
static struct str key_of(struct call *c, struct str plane)
{
	return arena_printf(c->arena, "plane/%.*s", STR(plane));
}

int planes_join(struct call *c, const struct state *s, struct str plane, struct str folder, struct held **out)
{
	struct str key = key_of(c, plane), host = plane, rest;
	const struct held_options o = {.state = s, .name = key, .holder = plane};
	AUTO(json) value = json_pack("{s:i, s:I}", "pid", (int)getpid(), "since", (json_int_t)call_now_ns(c));
	if (!value || !key.p)
		return call_no_memory(c);
	(void)str_cut(plane, '/', &host, &rest);
	json_set_str(value, "host", host);
	json_set_str(value, "folder", folder);
	json_set_str(value, "plane", plane);
	struct held *joined = NULL;
	int rc = held_take(c, &o, &joined);
	if (rc == 0)
		rc = state_put(c, s, key, value, UINT64_MAX, NULL);
	if (rc < 0) {
		held_give_back(c, joined);
		return rc;
	}
	*out = joined;
	return 0;
}

void planes_leave(struct call *c, const struct state *s, struct str plane, struct held *joined)
{
	struct err first = c->err;
	if (!joined)
		return;
	if (state_put(c, s, key_of(c, plane), NULL, UINT64_MAX, NULL) < 0)
		c->err = first; // planes_list removes what is left
	held_give_back(c, joined);
}

// A lease that can be taken has nobody: the process died.
static int is_alive(struct call *c, const struct state *s, struct str key, struct str asker, bool *alive)
{
	struct lease lease;
	int rc = s->ops->lease(c, s->ctx, key, asker, NS_PER_MS, &lease);
	*alive = rc == ERR_IN_USE;
	if (rc == ERR_IN_USE)
		err_clear(&c->err);
	if (rc == 0)
		rc = s->ops->release(c, s->ctx, &lease);
	return rc == ERR_IN_USE ? 0 : rc;
}

int planes_list(struct call *c, const struct state *s, struct str plane, json_t **out)
{
	struct record *records;
	size_t count;
	AUTO(json) list = json_array();
	struct str asker = planes_holder(c, plane);
	int rc = list ? state_list(c, s, S("plane/"), &records, &count) : call_no_memory(c);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		bool alive = false;
		rc = is_alive(c, s, records[i].key, asker, &alive);
		if (rc == 0 && alive)
			json_array_append(list, records[i].value);
		else if (rc == 0)
			rc = state_put(c, s, records[i].key, NULL, UINT64_MAX, NULL);
	}
	if (rc == 0)
		*out = json_incref(list);
	return rc;
}

// ---------------------------------------------------------------- runs
int planes_run_begin(struct call *c, const struct state *s, struct str plane, struct str goal)
{
	AUTO(json) value = json_object();
	json_set_str(value, "goal", goal);
	json_set_str(value, "by", c->principal);
	json_set_str(value, "plane", plane);
	return value ? state_put(c, s, S("run/open"), value, UINT64_MAX, NULL) : call_no_memory(c);
}

int planes_run_end(struct call *c, const struct state *s)
{
	return state_put(c, s, S("run/open"), NULL, UINT64_MAX, NULL);
}

int planes_run_open(struct call *c, const struct state *s, struct str *goal)
{
	struct record record;
	int rc = state_get(c, s, S("run/open"), &record);
	if (rc == 0)
		*goal = record.value ? json_str(record.value, "goal") : S("");
	return rc;
}
