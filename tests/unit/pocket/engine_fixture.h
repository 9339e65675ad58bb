// SPDX-License-Identifier: Apache-2.0
// A pocket cloud on the test's own thread, whose jobs are supervised by this very program: main() of a test calls
// engine_test_role() first.
#ifndef ISOBAR_TESTS_POCKET_ENGINE_FIXTURE_H
#define ISOBAR_TESTS_POCKET_ENGINE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/process.h"
#include "base/time.h"
#include "pocket/engine/engine.h"
#include "pocket/engine/engine_impl.h"
#include "pocket/pocket_impl.h"

#define WAIT_NS (20 * NS_PER_S) // for a loaded machine; nothing here takes long

static struct engine_test {
	char folder[64];
	struct loop *loop;
	struct pocket *pocket;
	struct engine *engine;
	struct arena arena;
} here;

// -1: this is the test itself.
static inline int engine_test_role(int argc, char **argv)
{
	struct err e = {0};
	if (argc != 4 || strcmp(argv[1], "pocket") != 0 || strcmp(argv[2], "run") != 0)
		return -1;
	int rc = supervisor_run(argv[3], &e);
	if (rc < 0 && rc != ERR_IN_USE)
		log_err(LOG_ERROR, &e, "supervisor");
	return rc < 0;
}

static inline void open_pocket(void)
{
	struct err e = {0};
	assert_int_equal(loop_new(&here.loop, &e), 0);
	const struct pocket_config config = {.as = "aws",
		.name = "engine-test",
		.root = here.folder,
		.listen = S("127.0.0.1:0"),
		.edges = edges_real(),
		.loop = here.loop};
	if (pocket_start(&config, &here.pocket, &e) < 0)
		fail_msg("%s", e.message);
	here.engine = here.pocket->engine;
}

// As a SIGKILL would: what runs is not told.
static inline void close_pocket(void)
{
	pocket_free(here.pocket);
	loop_free(here.loop);
	here.pocket = NULL;
	here.loop = NULL;
}

static inline int engine_setup(UNUSED void **state)
{
	snprintf(here.folder, sizeof(here.folder), "/tmp/isobar-test-engine-XXXXXX");
	if (!mkdtemp(here.folder))
		return -1;
	open_pocket();
	return 0;
}

static inline int engine_teardown(UNUSED void **state)
{
	struct err e = {0};
	if (here.pocket)
		close_pocket();
	int rc = engine_end_root(here.folder, 0, &e);
	arena_free(&here.arena);
	return rc < 0 ? rc : file_remove_tree(here.folder, &e);
}

static inline int64_t test_now_ns(void)
{
	return edges_real()->mono_ns(edges_real()->ctx);
}

static inline void one_round(void)
{
	struct err e = {0};
	assert_int_equal(loop_round(here.loop, 10 * NS_PER_MS, &e), 0);
}

static inline struct engine_status status_of(const char *id)
{
	struct engine_status s = {0};
	assert_int_equal(engine_status(here.engine, str_of(id), &s), 0);
	return s;
}

#define await(condition)                                                                                               \
	do {                                                                                                           \
		int64_t await_until = test_now_ns() + WAIT_NS;                                                         \
		while (!(condition)) {                                                                                 \
			if (test_now_ns() > await_until)                                                               \
				fail_msg("waited in vain for " #condition);                                            \
			one_round();                                                                                   \
		}                                                                                                      \
	} while (0)

static inline struct engine_status await_end(const char *id)
{
	await(engine_state_ended(status_of(id).state));
	return status_of(id);
}

static inline void await_state(const char *id, enum engine_state state)
{
	await(status_of(id).state == state);
}

static inline void start(struct engine_spec *spec)
{
	struct err e = {0};
	if (engine_start(here.engine, spec, &e) < 0)
		fail_msg("%s", e.message);
}

static inline int pid_of(const char *id)
{
	await(status_of(id).pid > 0);
	return status_of(id).pid;
}

// A shell script as a job's command.
static inline void start_script(const char *id, const char *script, const struct engine_spec *like)
{
	struct engine_spec spec = like ? *like : (struct engine_spec){0};
	AUTO(json) argv = json_pack("[s,s,s]", "sh", "-c", script);
	spec.id = str_of(id);
	spec.image = S("debian:12");
	spec.argv = argv;
	start(&spec);
}

static inline struct engine_log log_from(const char *id, uint64_t offset)
{
	struct engine_log log = {0};
	struct err e = {0};
	const struct engine_log_from from = {.id = str_of(id), .offset = offset, .most = 1 << 20};
	assert_int_equal(engine_log(here.engine, &from, &here.arena, &log, &e), 0);
	return log;
}

static inline void assert_line(const struct engine_log *log, size_t i, const char *wanted)
{
	assert_true(i < log->count);
	if (!str_is(log->lines[i].text, wanted))
		fail_msg("line %zu is \"%.*s\", not \"%s\"", i, STR(log->lines[i].text), wanted);
}

static inline bool contains(struct str text, const char *part)
{
	return str_find(text, str_of(part)) >= 0;
}

#endif
