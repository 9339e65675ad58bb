// SPDX-License-Identifier: Apache-2.0
// Resource records in state: see resource.h.
#include "state/resource.h"

#include "base/hash.h"
#include "state/resource_common.h"
#include "state/resource_impl.h"
#include "state/resource_scan.h"

static const struct str key_prefix = S_INIT("resource/");
static const struct str on_cloud = S_INIT(" on ");

int resource_parse_address(struct str address, struct str *kind, struct str *name, struct str *cloud)
{
	struct str k, rest, cl = S("");
	if (!str_cut(address, '/', &k, &rest))
		return ERR_INVALID;
	ptrdiff_t on = str_find(rest, on_cloud);
	if (on >= 0) {
		cl = str_drop(rest, (size_t)on + on_cloud.n);
		rest = str_take(rest, (size_t)on);
	}
	if (k.n == 0 || rest.n == 0 || (on >= 0 && cl.n == 0))
		return ERR_INVALID;
	*kind = k;
	*name = rest;
	*cloud = cl;
	return 0;
}

struct str resource_address(struct arena *a, struct str kind, struct str name, struct str cloud)
{
	const struct str parts[] = {kind, S("/"), name, on_cloud, cloud};
	return arena_join(a, parts, cloud.n ? COUNT_OF(parts) : 3);
}

static struct str key_of(struct call *c, struct str address)
{
	return arena_printf(c->arena, "resource/%.*s", STR(address));
}

static int decode_needs(struct call *c, const json_t *array, struct resource *out)
{
	out->need_count = json_array_size(array);
	out->needs = arena_new_array(c->arena, out->need_count + 1, struct str);
	if (!out->needs)
		return call_no_memory(c);
	for (size_t i = 0; i < out->need_count; i++) {
		const json_t *item = json_array_get(array, i);
		out->needs[i] = str_bytes(json_string_value(item), json_string_length(item));
	}
	return 0;
}

static const json_t *object_member(const json_t *j, const char *name)
{
	const json_t *member = json_object_get(j, name);
	return json_is_object(member) ? member : NULL;
}

// Texts are borrowed from the record's value, which lives as long as the arena does.
int resource_decode(struct call *c, const struct record *record, struct resource *out)
{
	const json_t *j = record->value;
	struct resource r = {
		.address = str_drop(record->key, key_prefix.n),
		.uid = json_str(j, "uid"),
		.cloud_id = json_str(j, "cloud_id"),
		.status = json_str(j, "status"),
		.reason = json_str(j, "reason"),
		.written = object_member(j, "written"),
		.resolved = object_member(j, "resolved"),
		.outputs = object_member(j, "outputs"),
		.later = json_str(j, "later"),
		.waits_for = json_str(j, "waits_for"),
		.revision = record->revision,
	};
	if (resource_parse_address(r.address, &r.kind, &r.name, &r.cloud) < 0 || r.uid.n == 0)
		return call_fail(c, ERR_CORRUPT, "the record \"%.*s\" is not a resource", STR(record->key));
	int rc = decode_needs(c, json_object_get(j, "needs"), &r);
	if (rc == 0 && resource_common_of_json(json_object_get(j, "common"), c->arena, &r.common) < 0)
		rc = call_no_memory(c);
	if (rc == 0)
		*out = r;
	return rc;
}

int resource_get(struct call *c, const struct state *s, struct str address, struct resource *out)
{
	struct record record;
	int rc = state_get(c, s, key_of(c, address), &record);
	if (rc < 0)
		return rc;
	if (record.revision == 0)
		return call_fail(c, ERR_NOT_FOUND, "there is no resource %.*s: declare and apply it", STR(address));
	return resource_decode(c, &record, out);
}

int resource_list(struct call *c, const struct state *s, struct str prefix, struct resource **out, size_t *count)
{
	struct record *records;
	size_t n;
	int rc = state_list(c, s, key_of(c, prefix), &records, &n);
	if (rc < 0)
		return rc;
	struct resource *list = arena_new_array(c->arena, n + 1, struct resource);
	if (!list)
		return call_no_memory(c);
	for (size_t i = 0; i < n; i++) {
		rc = resource_decode(c, &records[i], &list[i]);
		if (rc < 0)
			return rc;
	}
	*out = list;
	*count = n;
	return 0;
}

static int give_uid(struct call *c, struct resource *r)
{
	unsigned char bytes[12];
	if (r->uid.n)
		return 0;
	if (c->edges->random(c->edges->ctx, bytes, sizeof(bytes)) < 0)
		return call_fail(c, ERR_IO, "the system gives no randomness");
	char *hex = arena_alloc(c->arena, 2 * sizeof(bytes) + 1);
	if (!hex)
		return call_no_memory(c);
	hex_encode(str_bytes(bytes, sizeof(bytes)), hex);
	r->uid = str_of(hex);
	return 0;
}

static void set_copy(json_t *object, const char *name, const json_t *value)
{
	if (value)
		json_object_set_new(object, name, json_deep_copy(value));
}

int resource_sum_read(struct str hex, uint64_t out[2])
{
	unsigned char bytes[16];
	if (hex.n != 2 * sizeof(bytes) || hex_decode(hex, bytes) < 0)
		return ERR_INVALID;
	for (size_t half = 0; half < 2; half++) {
		out[half] = 0;
		for (size_t i = 0; i < 8; i++)
			out[half] = out[half] << 8 | bytes[8 * half + i];
	}
	return 0;
}

static json_t *encode(struct arena *a, const struct resource *r)
{
	json_t *j = json_object(), *needs = json_array();
	json_set_str(j, "uid", r->uid);
	json_set_str(j, "cloud_id", r->cloud_id);
	json_set_str(j, "status", r->status);
	json_set_str(j, "reason", r->reason);
	set_copy(j, "written", r->written);
	set_copy(j, "resolved", r->resolved);
	set_copy(j, "outputs", r->outputs);
	json_t *common = r->common ? resource_common_to_json(a, r->common) : NULL;
	if (json_object_size(common))
		json_object_set(j, "common", common);
	if (r->later.n)
		json_set_str(j, "later", r->later);
	if (r->waits_for.n)
		json_set_str(j, "waits_for", r->waits_for);
	for (size_t i = 0; i < r->need_count; i++)
		json_array_append_new(needs, json_of_str(r->needs[i]));
	json_object_set_new(j, "needs", needs);
	uint64_t sum[2];
	char hex[2 * sizeof(sum) + 1];
	resource_sum(r, sum);
	(void)snprintf(hex, sizeof(hex), "%016llx%016llx", (unsigned long long)sum[0], (unsigned long long)sum[1]);
	json_object_set_new(j, "sum", json_string(hex));
	return j;
}

int resource_put(struct call *c, const struct state *s, struct resource *r)
{
	struct str kind, name, cloud;
	if (resource_parse_address(r->address, &kind, &name, &cloud) < 0)
		return call_fail(
			c, ERR_INVALID, "\"%.*s\" is not an address such as bucket/lake on aws-us", STR(r->address));
	int rc = give_uid(c, r);
	if (rc < 0)
		return rc;
	AUTO(json) value = encode(c->arena, r);
	return state_put(c, s, key_of(c, r->address), value, r->revision, &r->revision);
}

int resource_delete(struct call *c, const struct state *s, const struct resource *r)
{
	return state_put(c, s, key_of(c, r->address), NULL, r->revision, NULL);
}

int resource_move(struct call *c, const struct state *s, const struct resource *from, struct resource *r)
{
	json_t *data = json_in_arena(c->arena, json_object());
	AUTO(json) value = encode(c->arena, r);
	if (!data || !value)
		return call_no_memory(c);
	json_set_str(data, "from", from->address);
	json_set_str(data, "to", r->address);
	json_set_str(data, "uid", r->uid);
	json_set_str(data, "cloud_id", r->cloud_id);
	struct event event = {.type = S("resource.moved"), .address = r->address, .data = data};
	struct record records[] = {{.key = key_of(c, r->address), .value = value}, {.key = key_of(c, from->address)}};
	struct state_write writes[] = {
		{.record = &records[0], .expected = 0}, {.record = &records[1], .expected = from->revision}};
	const struct state_batch batch = {.expected_head = UINT64_MAX,
		.events = &event,
		.event_count = 1,
		.writes = writes,
		.write_count = COUNT_OF(writes)};
	int rc = state_commit(c, s, &batch);
	if (rc == 0)
		r->revision = records[0].revision;
	return rc < 0 ? call_context(c, "move %.*s to %.*s", STR(from->address), STR(r->address)) : 0;
}

int resource_put_noted(struct call *c, const struct state *s, struct resource *r, struct str event, json_t *data)
{
	AUTO(json) value = encode(c->arena, r);
	const struct state_note note = {.key = key_of(c, r->address),
		.value = value,
		.expected = r->revision,
		.type = event,
		.address = r->address,
		.data = data};
	return state_put_noted(c, s, &note);
}

int resource_record(struct call *c, struct resource *r, struct record *out)
{
	int rc = give_uid(c, r);
	if (rc < 0)
		return rc;
	*out = (struct record){.key = key_of(c, r->address), .value = json_in_arena(c->arena, encode(c->arena, r))};
	return out->key.p && out->value ? 0 : call_no_memory(c);
}
