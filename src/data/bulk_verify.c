// SPDX-License-Identifier: Apache-2.0
// Proving what lies at a place: see bulk.h. Reading an object whole lets its driver compare the bytes with the store's
// checksum; with a second place, lengths and CRC-32C of both sides are compared.
#include "data/bulk_impl.h"

static int drain(void *ctx, struct str data)
{
	*(uint64_t *)ctx += data.n;
	return 0;
}

static int drain_again(void *ctx)
{
	*(uint64_t *)ctx = 0;
	return 0;
}

static int read_whole(struct call *c, const struct object_place *at, uint64_t size, uint64_t *bytes)
{
	struct sink sink = {.ctx = bytes, .write = drain, .restart = drain_again};
	const struct store_get get = {.bucket = at->bucket, .key = at->key};
	struct object got = {0};
	uint32_t crc;
	int rc =
		at->cloud ? CLOUD_CALL(c, at->cloud, store, get, &get, &sink, &got) : bulk_checksum(c, at, bytes, &crc);
	if (rc < 0)
		return call_context(c, "read %.*s", STR(at->text));
	return *bytes == size ? 0
			      : call_fail(c, ERR_CORRUPT, "%.*s: %llu bytes came, its list says %llu", STR(at->text),
					(unsigned long long)*bytes, (unsigned long long)size);
}

static int compare(struct call *c, const struct object_place *from, const struct object_place *to, uint64_t *bytes)
{
	uint64_t sizes[2];
	uint32_t crcs[2];
	int rc = bulk_checksum(c, from, &sizes[0], &crcs[0]);
	if (rc == 0)
		rc = bulk_checksum(c, to, &sizes[1], &crcs[1]);
	if (rc < 0)
		return rc;
	*bytes = sizes[0];
	if (sizes[0] == sizes[1] && crcs[0] == crcs[1])
		return 0;
	return call_fail(c, ERR_CORRUPT, "%.*s has %llu bytes with CRC-32C %08x, %.*s has %llu with %08x",
		STR(from->text), (unsigned long long)sizes[0], crcs[0], STR(to->text), (unsigned long long)sizes[1],
		crcs[1]);
}

static int act(struct call *c, const struct bulk_run *run, const struct bulk_task *task, uint64_t *bytes)
{
	const struct bulk_options *o = run->options;
	struct object_place from, to;
	int rc = bulk_place(c, &o->from, task->item->name, &from);
	if (rc == 0 && o->to.text.n)
		rc = bulk_place(c, &o->to, task->item->name, &to);
	if (rc == 0)
		rc = o->to.text.n ? compare(c, &from, &to, bytes) : read_whole(c, &from, task->item->size, bytes);
	if (rc < 0)
		return rc;
	const struct bulk_event event = {.action = "verify", .from = from.text, .bytes = *bytes};
	bulk_tell(run, &event);
	return 0;
}

int bulk_verify(struct call *c, const struct bulk_options *options, struct bulk_result *out)
{
	struct bulk_list list;
	struct bulk_result result = {0};
	int rc = bulk_list_source(c, &options->from, &options->select, &list);
	if (rc < 0)
		return rc;
	struct bulk_run run = {.options = options, .act = act, .result = &result, .count = list.count};
	run.tasks = bulk_tasks(c, &list, BULK_TAKE);
	if (!run.tasks)
		return call_no_memory(c);
	bulk_begin(&run);
	rc = bulk_do(c, &run);
	*out = result;
	return rc;
}
