// SPDX-License-Identifier: Apache-2.0
// A workspace in a folder of its own, loaded with the toy kinds, for tests of the language.
#ifndef ISOBAR_TEST_LOADED_WORKSPACE_H
#define ISOBAR_TEST_LOADED_WORKSPACE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "infra/workspace.h"
#include "toy_kinds.h"

static const struct resource_handler loaded_handlers[] = {
	{.kind = &toy_cloud_kind},
	{.kind = &toy_key_kind, .per_cloud = true},
	{.kind = &toy_bucket_kind, .per_cloud = true},
	{.kind = &toy_set_kind},
	{.kind = &toy_job_kind},
};

struct loaded {
	char folder[64];
	struct arena arena;
	struct findings findings;
	struct workspace_options options;
	const char *variables[8], *files[4]; // of --var and --var-file
	struct workspace w;
	struct err err;
	int rc;
	struct buf text; // of the findings
};

static inline void loaded_put(struct loaded *l, const char *name, const char *text)
{
	char path[256], *slash;
	snprintf(path, sizeof(path), "%s/%s", l->folder, name);
	slash = strrchr(path, '/');
	*slash = '\0';
	assert_int_equal(0, file_make_dirs(path, 0700, &l->err));
	*slash = '/';
	assert_int_equal(0, file_write_atomic(path, str_of(text), 0600, &l->err));
}

static inline void loaded_begin(struct loaded *l, const char *text)
{
	memset(l, 0, sizeof(*l));
	snprintf(l->folder, sizeof(l->folder), "%s", "/tmp/isobar-language-XXXXXX");
	assert_non_null(mkdtemp(l->folder));
	loaded_put(l, "isobar.yaml", text);
}

static inline void loaded_give(struct loaded *l, const char *variable)
{
	l->variables[l->options.given.variable_count++] = variable;
}

static inline void loaded_load(struct loaded *l)
{
	l->findings = (struct findings){.arena = &l->arena};
	l->options.path = l->folder;
	l->options.kinds = toy_kinds;
	l->options.handlers = loaded_handlers;
	l->options.handler_count = COUNT_OF(loaded_handlers);
	l->options.given.variables = l->variables;
	l->options.given.variable_files = l->files;
	err_clear(&l->err);
	l->w = (struct workspace){0};
	l->rc = workspace_load(&l->options, &l->findings, &l->w, &l->err);
	buf_clear(&l->text);
	findings_write(&l->findings, &l->text);
}

static inline void loaded_end(struct loaded *l)
{
	assert_int_equal(0, file_remove_tree(l->folder, &l->err));
	buf_free(&l->text);
	arena_free(&l->arena);
}

static inline void loaded_in(struct loaded *l, const char *environment)
{
	l->options.environment = str_of(environment);
	loaded_load(l);
}

static inline void loaded_is_valid(struct loaded *l)
{
	assert_string_equal("", buf_cstr(&l->text));
	if (l->rc)
		fail_msg("%s", l->err.message);
}

static inline const struct resource *loaded_find(const struct loaded *l, const char *address)
{
	for (size_t i = 0; i < l->w.resource_count; i++) {
		if (str_eq(l->w.resources[i].address, str_of(address)))
			return &l->w.resources[i];
	}
	return NULL;
}

static inline void loaded_resolves(const struct loaded *l, const char *address, const char *expected)
{
	const struct resource *r = loaded_find(l, address);
	struct buf text = {0};
	if (!r) {
		fail_msg("no resource %s", address);
		return;
	}
	assert_int_equal(0, json_write(r->resolved, &text, NULL));
	assert_string_equal(expected, buf_cstr(&text));
	buf_free(&text);
}

// The findings of a workspace of one file.
static inline void loaded_finds(const char *text, const char *expected)
{
	struct loaded l;
	loaded_begin(&l, text);
	loaded_load(&l);
	if (strcmp(expected, buf_cstr(&l.text)) != 0)
		fprintf(stderr, "found:\n%s", buf_cstr(&l.text)); // cmocka cuts long texts
	assert_string_equal(expected, buf_cstr(&l.text));
	assert_int_equal(ERR_INVALID, l.rc);
	loaded_end(&l);
}

#define LOADED_HEAD                                                                                                    \
	"isobar: 1\nworkspace: w\nclouds:\n"                                                                           \
	"  a: {provider: aws, region: us-east-1, labels: {tier: cheap}}\n"                                             \
	"  b: {provider: gcp, region: europe-west4}\n"

#endif
