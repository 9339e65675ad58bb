// SPDX-License-Identifier: Apache-2.0
// What is known of copies without asking any cloud.
#include "data/replica.h"

int replica_list(struct call *c, const struct state *s, struct replica_status **out, size_t *count)
{
	struct record *records = NULL;
	size_t n = 0;
	if (state_list(c, s, S("replica/"), &records, &n))
		return c->err.code;
	struct replica_status *list = arena_new_array(c->arena, n + 1, struct replica_status);
	if (!list)
		return call_no_memory(c);
	for (size_t i = 0; i < n; i++) {
		struct str address = str_drop(records[i].key, sizeof("replica/") - 1);
		ptrdiff_t on = str_find(address, S(" on "));
		const json_t *v = records[i].value;
		int64_t synced = json_int(v, "synced_ns", 0);
		list[i] = (struct replica_status){.dataset = on < 0 ? address : str_take(address, (size_t)on),
			.cloud = on < 0 ? S("") : str_drop(address, (size_t)on + 4),
			.synced_ns = synced,
			.lag_ns = MAX(call_now_ns(c) - synced, (int64_t)0),
			.objects = (uint64_t)json_int(v, "objects", 0),
			.bytes = (uint64_t)json_int(v, "bytes", 0),
			.held = (uint64_t)json_int(v, "held", 0),
			.error = json_str(v, "error")};
	}
	*out = list;
	*count = n;
	return 0;
}

int replica_note_failure(struct call *c, const struct state *s, struct str key, const struct err *why)
{
	struct record record = {0};
	if (state_get(c, s, key, &record))
		return c->err.code;
	if (record.revision && str_eq(json_str(record.value, "error"), str_of(why->message)))
		return 0;
	AUTO(json) value = record.revision ? json_copy(record.value) : json_object();
	json_set_str(value, "error", str_of(why->message));
	json_t *data = json_object();
	json_set_str(data, "error", str_of(why->message));
	json_object_set_new(data, "code", json_string(err_name(why->code)));
	json_set_str(data, "replica", key);
	struct str address = str_drop(key, sizeof("replica/") - 1);
	ptrdiff_t on = str_find(address, S(" on "));
	const struct state_note note = {.key = key,
		.value = value,
		.expected = record.revision,
		.type = S("replica.failed"),
		.address = on < 0 ? address : str_take(address, (size_t)on),
		.data = data};
	return state_put_noted(c, s, &note);
}
