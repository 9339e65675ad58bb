// SPDX-License-Identifier: Apache-2.0
// Checks, defaults and messages that all implementations of state_ops share. See state_impl.h.
#include <inttypes.h>
#include <string.h>

#include "state/state_impl.h"

int state_check_text(struct call *c, struct str text, const char *what)
{
	if (text.n > STATE_KEY_MAX)
		return call_fail(
			c, ERR_LIMIT, "a %s of %zu bytes is over the limit of %d", what, text.n, STATE_KEY_MAX);
	if (!str_utf8_valid(text) || (text.n && memchr(text.p, 0, text.n)))
		return call_fail(c, ERR_INVALID, "a %s is not valid UTF-8 or holds a NUL", what);
	return 0;
}

int state_check_key(struct call *c, struct str key)
{
	return key.n ? state_check_text(c, key, "key") : call_fail(c, ERR_INVALID, "a record has no key");
}

int state_check_lease(struct call *c, struct str name, struct str holder, int64_t ttl_ns)
{
	int rc = state_check_text(c, name, "lease name");
	if (rc == 0)
		rc = state_check_text(c, holder, "lease holder");
	if (rc == 0 && (name.n == 0 || holder.n == 0 || ttl_ns <= 0))
		rc = call_fail(c, ERR_INVALID, "a lease needs a name, a holder and a time to live");
	return rc;
}

static int check_event(struct call *c, const struct event *e)
{
	const struct str texts[] = {e->type, e->address, e->trace, e->principal, e->workspace};
	static const char *const names[] = {"event type", "event address", "trace", "principal", "workspace name"};
	if (e->type.n == 0)
		return call_fail(c, ERR_INVALID, "an event has no type");
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		int rc = state_check_text(c, texts[i], names[i]);
		if (rc < 0)
			return rc;
	}
	return 0;
}

int state_fill_event(struct call *c, struct event *e)
{
	e->schema = e->schema ? e->schema : 1;
	e->time_ns = e->time_ns ? e->time_ns : call_now_ns(c);
	e->trace = e->trace.n ? e->trace : str_of(c->trace);
	e->principal = e->principal.n ? e->principal : c->principal;
	e->workspace = e->workspace.n ? e->workspace : c->workspace;
	return check_event(c, e);
}

int state_write_json(struct call *c, const json_t *value, struct buf *out)
{
	out->limit = STATE_VALUE_MAX;
	return json_write(value, out, &c->err);
}

void *state_grow(struct call *c, void *items, size_t count, size_t size)
{
	// Full at 0 and at each power of two from 16 on: then twice the room.
	if (count && (count < 16 || (count & (count - 1))))
		return items;
	void *grown = arena_alloc_array(c->arena, count ? 2 * count : 16, size);
	if (!grown) {
		(void)call_no_memory(c);
		return NULL;
	}
	if (count)
		memcpy(grown, items, count * size);
	return grown;
}

bool state_clock_is_real(const struct call *c)
{
	return c->edges == edges_real();
}

int state_conflict_head(struct call *c, uint64_t head, uint64_t expected)
{
	return call_fail(
		c, ERR_CONFLICT, "the journal has moved on: its head is %" PRIu64 ", not %" PRIu64, head, expected);
}

int state_conflict_revision(struct call *c, struct str key, uint64_t found, uint64_t expected)
{
	return call_fail(c, ERR_CONFLICT, "\"%.*s\" was changed meanwhile: its revision is %" PRIu64 ", not %" PRIu64,
		STR(key), found, expected);
}

int state_denied_fence(struct call *c, struct str lease, uint64_t held, uint64_t fence)
{
	return call_fail(c, ERR_DENIED,
		"the lease \"%.*s\" was lost: its fence is %" PRIu64 " now, not %" PRIu64 "; nothing was written",
		STR(lease), held, fence);
}

int state_denied_expired(struct call *c, struct str lease)
{
	return call_fail(c, ERR_DENIED, "the lease \"%.*s\" has run out; nothing was written", STR(lease));
}

int state_not_empty(struct call *c, uint64_t items)
{
	return call_fail(c, ERR_EXISTS,
		"the state is not empty (%" PRIu64 " events and records): nothing was changed; --force replaces it", items);
}

int state_gap(struct call *c, uint64_t found, uint64_t expected)
{
	return call_fail(c, ERR_CORRUPT, "event %" PRIu64 " stands where %" PRIu64 " should: nothing was changed", found,
		expected);
}

int state_in_use(struct call *c, struct str lease, struct str holder, int64_t left_ns)
{
	return call_fail(c, ERR_IN_USE, "the lease \"%.*s\" is held by %.*s for another %" PRId64 " ms", STR(lease),
		STR(holder), left_ns / 1000000);
}
