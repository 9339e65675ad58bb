// SPDX-License-Identifier: Apache-2.0
// The records "endpoint-status/NAME on CLOUD": see deploy_impl.h. Gateway and monitor read them.
#include <string.h>

#include "deploy/deploy_impl.h"

const char *status_word(enum endpoint_state state)
{
	static const char *const words[] = {[ENDPOINT_STARTING] = "starting",
		[ENDPOINT_READY] = "ready",
		[ENDPOINT_DOWN] = "down",
		[ENDPOINT_STOPPED] = "stopped"};
	return (size_t)state < COUNT_OF(words) ? words[state] : "down";
}

struct str status_key(struct arena *a, struct str name, struct str cloud)
{
	return arena_printf(a, "endpoint-status/%.*s on %.*s", STR(name), STR(cloud));
}

int status_read(struct call *c, const struct state *s, struct str key, struct status_record *out)
{
	struct record r;
	int rc = state_get(c, s, key, &r);
	if (rc < 0)
		return rc;
	*out = (struct status_record){
		.state = json_str(r.value, "state"),
		.url = json_str(r.value, "url"),
		.version = json_str(r.value, "version"),
		.generation = json_str(r.value, "generation"),
		.reason = json_str(r.value, "reason"),
		.starts = json_int(r.value, "starts", 0),
		.revision = r.revision,
	};
	rc = endpoint_invoke_of_json(json_object_get(r.value, "invoke"), &out->invoke, &c->err);
	if (rc < 0)
		return call_context(c, "%.*s", STR(key));
	const json_t *pids = json_object_get(r.value, "pids");
	for (size_t i = 0; i < json_array_size(pids) && i < COUNT_OF(out->pids); i++)
		out->pids[i] = (int64_t)json_integer_value(json_array_get(pids, i));
	return 0;
}

static json_t *to_json(const struct status_record *r)
{
	json_t *j = json_object(), *pids = json_array();
	for (size_t i = 0; i < COUNT_OF(r->pids) && r->pids[i]; i++)
		json_array_append_new(pids, json_integer(r->pids[i]));
	json_set_str(j, "state", r->state);
	json_set_str(j, "url", r->url);
	json_set_str(j, "version", r->version);
	json_set_str(j, "generation", r->generation);
	json_set_str(j, "reason", r->reason);
	json_object_set_new(j, "starts", json_integer(r->starts));
	json_object_set_new(j, "pids", pids);
	json_t *invoke = endpoint_invoke_to_json(&r->invoke);
	if (invoke)
		json_object_set_new(j, "invoke", invoke);
	return j;
}

// Other words (of a failed connection) alone are no news: they would be journaled at every look at a dead cloud.
static bool same(const struct status_record *a, const struct status_record *b)
{
	return str_eq(a->state, b->state) && !a->reason.n == !b->reason.n && str_eq(a->url, b->url) &&
	       str_eq(a->version, b->version) && str_eq(a->generation, b->generation) && a->starts == b->starts && a->invoke.how == b->invoke.how &&
	       str_eq(a->invoke.url, b->invoke.url) &&
	       memcmp(a->pids, b->pids, sizeof(a->pids)) == 0;
}

static struct str key_of_address(struct arena *a, struct str address)
{
	return arena_printf(a, "endpoint-status/%.*s", STR(str_drop(address, sizeof("endpoint/") - 1)));
}

int status_write(struct call *c, const struct state *s, struct str address, const struct status_record *before,
	const struct status_record *now)
{
	if (before->revision && same(before, now))
		return 0;
	AUTO(json) value = to_json(now);
	json_t *data = json_deep_copy(value);
	json_set_str(data, "before", before->state);
	const struct state_note note = {.key = key_of_address(c->arena, address),
		.value = value,
		.expected = before->revision,
		.type = S("endpoint.changed"),
		.address = address,
		.data = data};
	int rc = state_put_noted(c, s, &note);
	if (rc != ERR_CONFLICT)
		return rc;
	err_clear(&c->err); // the next look sees what the other wrote
	return 0;
}

int status_forget(struct call *c, const struct state *s, struct str address)
{
	const struct state_note note = {.key = key_of_address(c->arena, address),
		.expected = UINT64_MAX,
		.type = S("endpoint.changed"),
		.address = address,
		.data = json_pack("{s:s}", "state", "deleted")};
	return state_put_noted(c, s, &note);
}
