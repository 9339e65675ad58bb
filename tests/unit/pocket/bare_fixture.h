// SPDX-License-Identifier: Apache-2.0
// A pocket cloud without a server, with documents in a folder of its own and a clock that the test moves: for what works
// on a front_request alone.
#ifndef ISOBAR_TESTS_POCKET_BARE_FIXTURE_H
#define ISOBAR_TESTS_POCKET_BARE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "pocket/pocket_impl.h"

#define BARE_START_S INT64_C(1795515331)

static struct bare {
	char folder[64];
	struct edges_fake edges;
	struct arena arena;
	struct pocket pocket;
	struct front_request request;
} bare;

// After it the test sets the keys of the pocket and of the request.
static inline int bare_setup(const struct front *front)
{
	struct err e = {0};
	memset(&bare, 0, sizeof(bare));
	snprintf(bare.folder, sizeof(bare.folder), "/tmp/isobar-test-bare-XXXXXX");
	if (!mkdtemp(bare.folder))
		return -1;
	edges_fake_init(&bare.edges, BARE_START_S * NS_PER_S, 1);
	static char name[] = "Unit-Test";
	bare.pocket = (struct pocket){.front = front, .edges = &bare.edges.edges, .root = bare.folder, .name = name};
	bare.request = (struct front_request){.pocket = &bare.pocket, .arena = &bare.arena};
	return docs_open(bare.folder, &bare.pocket.docs, &e);
}

static inline int bare_teardown(void)
{
	docs_close(bare.pocket.docs);
	arena_free(&bare.arena);
	return file_remove_tree(bare.folder, NULL);
}

// The request as if nothing had been asked yet.
static inline struct front_request *bare_request(void)
{
	bare.request.who = NULL;
	err_clear(&bare.request.err);
	return &bare.request;
}

static inline void bare_put(const char *collection, const char *name, const char *text)
{
	struct err e = {0};
	AUTO(json) doc = NULL;
	assert_int_equal(json_parse(str_of(text), &doc, &e), 0);
	assert_int_equal(docs_put(&bare.pocket, collection, str_of(name), doc, &e), 0);
}

static inline void assert_str(struct str got, struct str wanted)
{
	if (!str_eq(got, wanted))
		fail_msg("got \"%.*s\", wanted \"%.*s\"", STR(got), STR(wanted));
}

// The token with one byte of it changed.
static inline struct str bare_tampered(struct str token, size_t at)
{
	char *copy = (char *)(uintptr_t)arena_str(&bare.arena, token).p;
	assert_non_null(copy);
	assert_true(at < token.n);
	copy[at] = copy[at] == 'A' ? 'B' : 'A';
	return str_bytes(copy, token.n);
}

#endif
