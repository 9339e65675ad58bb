// SPDX-License-Identifier: Apache-2.0
// A fixture with a state of its own. Include after cmocka.h.
#ifndef ISOBAR_TESTS_FIXTURE_STATE_H
#define ISOBAR_TESTS_FIXTURE_STATE_H

#include "fixture.h"
#include "state/resource.h"

static inline void fixture_open_state(struct fixture *f, struct state *s)
{
	fixture_open(f);
	assert_ok(f, state_open_sqlite(&f->call, fixture_path(f, "state.db"), s));
}

static inline void fixture_close_state(struct fixture *f, struct state *s)
{
	state_close(s);
	fixture_close(f);
}

// Records a resource that is ready; needs: addresses separated by ',' or NULL.
static inline void fixture_resource(
	struct fixture *f, const struct state *s, const char *address, json_t *resolved, const char *needs)
{
	struct resource r = {.address = str_of(address), .status = S("ready"), .uid = str_of(address)};
	assert_int_equal(resource_parse_address(r.address, &r.kind, &r.name, &r.cloud), 0);
	if (str_eq(r.kind, S("bucket")))
		r.cloud_id = arena_printf(&f->arena, "fashion-%.*s", STR(r.name));
	r.resolved = r.written = json_in_arena(&f->arena, resolved);
	struct str rest = str_of(needs), one;
	r.needs = arena_new_array(&f->arena, 16, struct str);
	while (rest.n && str_next(&rest, ',', &one))
		r.needs[r.need_count++] = one;
	struct resource old;
	if (resource_get(&f->call, s, r.address, &old) == 0)
		r.revision = old.revision;
	err_clear(&f->call.err);
	assert_ok(f, resource_put(&f->call, s, &r));
}

static inline size_t fixture_events(struct fixture *f, const struct state *s, const char *type, struct event **out)
{
	struct event *events;
	size_t count;
	assert_ok(f, state_read_all(&f->call, s, str_of(type), S(""), &events, &count));
	if (out)
		*out = events;
	return count;
}

#endif
