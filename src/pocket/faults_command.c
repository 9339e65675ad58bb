// SPDX-License-Identifier: Apache-2.0
// isobar pocket faults: shows, sets and ends the faults of a pocket cloud by its folder, whether it runs or not.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/call.h"
#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "net/http_call.h"
#include "pocket/admin.h"
#include "pocket/faults.h"
#include "pocket/pocket.h"

struct faults_options {
	const char *output;
	bool off;
};

struct visit {
	struct call *c;
	const struct arguments *a;
	const char *root;
	struct buf spec; // rules to set
	bool has_spec;
};

static const char *path_in(const struct visit *v, const char *file)
{
	return arena_printf(v->c->arena, "%s/%s", v->root, file).p;
}

// ---------------------------------------------------------------- of one that runs

// ERR_UNAVAILABLE when nobody listens.
static int ask(struct visit *v, struct str method, struct str body, json_t **answer)
{
	AUTO(json) admin = NULL;
	AUTO(guard) guard = NULL;
	struct call *c = v->c;
	struct http_call_response response;
	if (json_parse_file(path_in(v, "admin.json"), JSON_DEFAULT_LIMIT, &admin, &c->err) < 0)
		return c->err.code == ERR_NOT_FOUND
			       ? call_fail(c, ERR_UNAVAILABLE, "no pocket cloud has run in %s", v->root)
			       : c->err.code;
	int rc = guard_new_loopback(&guard, &c->err);
	if (rc < 0)
		return rc;
	struct http_header header = {.name = S("authorization"),
		.value = arena_printf(c->arena, "Bearer %s", json_text(admin, "token"))};
	struct http_call_request request = {.method = method,
		.url = arena_printf(c->arena, "%s%s", json_text(admin, "url"), ADMIN_FAULTS_PATH),
		.headers = &header,
		.header_count = 1,
		.body = body,
		.guard = guard,
		.ca_file = json_object_get(admin, "certificate") ? json_text(admin, "certificate") : NULL};
	rc = http_call(c, &request, &response);
	if (rc < 0)
		return rc;
	if (response.status != 200)
		return call_fail(c, response.status == 400 ? ERR_INVALID : ERR_UNAVAILABLE,
			"the pocket cloud in %s answered %d: %.*s", v->root, response.status,
			STR(str_clip(response.body, 400)));
	return json_parse(response.body, answer, &c->err);
}

static void print(const struct visit *v, const json_t *answer)
{
	const struct faults_options *o = v->a->options;
	const json_t *rules = json_object_get(answer, "rules");
	AUTO(buf) text = {0};
	if (o->output && strcmp(o->output, "json") == 0) {
		if (json_write_pretty(answer, &text, NULL) == 0)
			fprintf(v->a->out, "%s\n", buf_cstr(&text));
		return;
	}
	if (json_array_size(rules) == 0)
		fprintf(v->a->out, "no faults\n");
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *rule = json_array_get(rules, i);
		fprintf(v->a->out, "%s: matched %lld, fired %lld\n", json_text(rule, "rule"),
			(long long)json_int(rule, "matched", 0), (long long)json_int(rule, "fired", 0));
	}
}

// ---------------------------------------------------------------- of one that does not

static int write_file(struct visit *v)
{
	struct call *c = v->c;
	int rc = file_make_dirs(v->root, 0700, &c->err);
	if (rc == 0)
		rc = file_write_atomic(path_in(v, "faults"), buf_str(&v->spec), 0600, &c->err);
	if (rc == 0)
		fprintf(v->a->out, "written; the pocket cloud in %s meets them from its next start on\n", v->root);
	return rc;
}

static int without_pocket(struct visit *v)
{
	const struct faults_options *o = v->a->options;
	if (v->has_spec)
		return write_file(v);
	if (o->off) {
		(void)unlink(path_in(v, "faults"));
		fprintf(v->a->out, "no faults\n");
		return 0;
	}
	return call_fail(v->c, ERR_UNAVAILABLE, "no pocket cloud runs in %s", v->root);
}

static int visit(struct visit *v)
{
	const struct faults_options *o = v->a->options;
	AUTO(json) answer = NULL;
	struct faults *parsed = NULL;
	int rc = 0;
	if (v->has_spec) {
		rc = admin_read_spec(v->a->rest[1], &v->spec, &v->c->err);
		if (rc == 0)
			rc = faults_parse(buf_str(&v->spec), &parsed, &v->c->err);
		faults_free(parsed);
	}
	if (rc < 0)
		return rc;
	rc = ask(v, v->has_spec ? S("PUT") : o->off ? S("DELETE") : S("GET"), buf_str(&v->spec), &answer);
	if (rc == ERR_UNAVAILABLE && v->c->err.http_status == 0 && !answer) {
		err_clear(&v->c->err);
		return without_pocket(v);
	}
	if (rc == 0)
		print(v, answer);
	return rc;
}

static int run_faults(const struct arguments *a)
{
	AUTO(arena) arena = {0};
	struct call c;
	call_init(&c, &arena, edges_real(), S("pocket faults"));
	const struct faults_options *o = a->options;
	struct visit v = {.c = &c, .a = a, .root = a->rest[0], .has_spec = a->count > 1};
	if (o->off && v.has_spec) {
		fprintf(a->error, "isobar pocket faults: rules, or --off, not both\n");
		return err_exit_code(ERR_INVALID);
	}
	int rc = visit(&v);
	buf_free(&v.spec);
	if (rc == 0)
		return 0;
	log_err(LOG_ERROR, &c.err, "isobar pocket faults");
	return err_exit_code(rc);
}

static const char *const outputs[] = {"table", "json", NULL};
#define AT(member) offsetof(struct faults_options, member)
static const struct option options[] = {
	{.name = "output",
		.letter = 'o',
		.type = OPTION_CHOICE,
		.offset = AT(output),
		.argument = "FORMAT",
		.choices = outputs,
		.otherwise = "table",
		.help = "table for people, json for programs"},
	{.name = "off", .type = OPTION_FLAG, .offset = AT(off), .help = "end all faults"},
};

const struct command pocket_faults_command = {
	.name = "pocket faults",
	.arguments = "FOLDER [RULES|FILE]",
	.help = "show, set or end the faults that a pocket cloud plays: lost replies, stalls, throttling, partitions",
	.example = "isobar pocket faults .isobar/pocket/aws-us 'lose-reply PUT nth=3; throttle 1s p=0.05'\n"
		   "isobar pocket faults .isobar/pocket/aws-us 'seed=7; partition nth=20 for=3s'\n"
		   "isobar pocket faults .isobar/pocket/aws-us --off",
	COMMAND_OPTIONS(options, struct faults_options),
	.min_arguments = 1,
	.max_arguments = 2,
	.run = run_faults,
};
