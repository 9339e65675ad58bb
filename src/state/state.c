// SPDX-License-Identifier: Apache-2.0
// Short forms over any state_ops: see state.h.
#include "state/state.h"

#include "state/postgres_url.h"
#include "state/transfer.h"

int state_commit(struct call *c, const struct state *s, const struct state_batch *batch)
{
	return s->ops->commit(c, s->ctx, batch);
}

int state_list(struct call *c, const struct state *s, struct str prefix, struct record **out, size_t *count)
{
	return s->ops->list(c, s->ctx, prefix, out, count);
}

int state_watch(struct call *c, const struct state *s, uint64_t after, int64_t timeout_ns, uint64_t *head)
{
	return s->ops->watch(c, s->ctx, after, timeout_ns, head);
}

int state_append_one(
	struct call *c, const struct state *s, struct str type, struct str address, json_t *data, uint64_t *sequence)
{
	struct event e = {.type = type, .address = address, .data = data};
	int rc = s->ops->append(c, s->ctx, UINT64_MAX, &e, 1);
	json_decref(data);
	if (rc == 0 && sequence)
		*sequence = e.sequence;
	return rc;
}

int state_read(
	struct call *c, const struct state *s, const struct state_query *query, struct event **out, size_t *count)
{
	return s->ops->read(c, s->ctx, query, out, count);
}

int state_read_all(struct call *c, const struct state *s, struct str type_prefix, struct str address,
	struct event **out, size_t *count)
{
	struct event *events = NULL;
	size_t n = 0;
	const struct state_query all = {.type_prefix = type_prefix, .address = address};
	int rc = state_read(c, s, &all, &events, &n);
	if (rc < 0)
		return rc;
	if (n == STATE_READ_MAX)
		return call_fail(c, ERR_LIMIT, "the journal has more than %d events \"%.*s\": read it in parts",
			STATE_READ_MAX, STR(type_prefix));
	*out = events;
	*count = n;
	return 0;
}

int state_get(struct call *c, const struct state *s, struct str key, struct record *out)
{
	return s->ops->get(c, s->ctx, key, out);
}

int state_put(
	struct call *c, const struct state *s, struct str key, json_t *value, uint64_t expected, uint64_t *revision)
{
	struct record r = {.key = key, .value = value};
	int rc = s->ops->put(c, s->ctx, &r, expected, (struct str){0}, 0);
	if (rc == 0 && revision)
		*revision = r.revision;
	return rc;
}

int state_put_noted(struct call *c, const struct state *s, const struct state_note *note)
{
	struct record r = {.key = note->key, .value = note->value};
	struct state_write write = {.record = &r, .expected = note->expected};
	struct event e = {.type = note->type, .address = note->address, .data = note->data};
	const struct state_batch batch = {
		.expected_head = UINT64_MAX, .events = &e, .event_count = 1, .writes = &write, .write_count = 1};
	int rc = state_commit(c, s, &batch);
	json_decref(note->data);
	return rc;
}

int state_open(struct call *c, const struct state_place *place, struct state *out)
{
	if (postgres_is_url(place->url))
		return state_open_postgres(c, place, out);
	char *path = arena_cstr(c->arena, place->url);
	return path ? state_open_sqlite(c, path, out) : call_no_memory(c);
}

int state_dump(struct call *c, const struct state *s, const struct state_sink *sink)
{
	if (!s->ops->dump)
		return call_fail(c, ERR_UNSUPPORTED, "a state on %s cannot be copied", s->ops->name);
	return s->ops->dump(c, s->ctx, sink);
}

int state_load(struct call *c, const struct state *s, const struct state_source *source, bool replace)
{
	if (!s->ops->load)
		return call_fail(c, ERR_UNSUPPORTED, "nothing can be copied into a state on %s", s->ops->name);
	return s->ops->load(c, s->ctx, source, replace);
}

void state_close(struct state *s)
{
	if (s && s->ops)
		s->ops->close(s->ctx);
	if (s)
		*s = (struct state){0};
}

static int visit_record(struct call *c, const struct record *r, const struct state_scan *scan)
{
	AUTO(buf) text = {0};
	int rc = json_write(r->value, &text, &c->err);
	return rc < 0 ? rc : scan->visit(scan->ctx, r->key, r->revision, buf_str(&text));
}

int state_scan(struct call *c, const struct state *s, struct str prefix, const struct state_scan *scan)
{
	struct record *records;
	size_t count;
	if (s->ops->scan)
		return s->ops->scan(c, s->ctx, prefix, scan);
	int rc = state_list(c, s, prefix, &records, &count);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = visit_record(c, &records[i], scan);
	return rc < 0 && !c->err.code ? call_fail(c, rc, "a record below %.*s was refused", STR(prefix)) : rc;
}
