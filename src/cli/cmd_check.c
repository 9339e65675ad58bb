// SPDX-License-Identifier: Apache-2.0
// isobar check: who we are to each cloud, and what works there. isobar check --deep: the drivers' conformance cases on
// one account.
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli_impl.h"

struct check_options {
	struct common common;
	bool deep;
	const char *at_most, *record, *server;
};
static const struct option check_options[] = {
	COMMON_OPTIONS(struct check_options),
	{.name = "deep",
		.type = OPTION_FLAG,
		.offset = offsetof(struct check_options, deep),
		.help = "run the drivers' conformance cases on the account, in a scratch bucket that is taken down "
			"again"},
	{.name = "at-most",
		.type = OPTION_TEXT,
		.offset = offsetof(struct check_options, at_most),
		.argument = "AMOUNT",
		.help = "with --deep: what it may cost, as 1EUR or 0.50USD; nothing is done when it may cost more"},
	{.name = "record",
		.type = OPTION_TEXT,
		.offset = offsetof(struct check_options, record),
		.argument = "FILE",
		.help = "with --deep: write what was asked and answered, without secrets, ids and account numbers"},
	{.name = "server",
		.type = OPTION_TEXT,
		.offset = offsetof(struct check_options, server),
		.argument = "TEXT",
		.help = "with --record: what answered, when it is not the provider: \"MinIO 2026-10\""},
};

// ---------------------------------------------------------------- check

static void print_who(FILE *out, const json_t *cloud)
{
	fprintf(out, "cloud/%s  %s, %s", json_text(cloud, "cloud"), json_text(cloud, "provider"),
		json_text(cloud, "region"));
	if (json_str(cloud, "location").n)
		fprintf(out, " (%s)", json_text(cloud, "location"));
	fputc('\n', out);
	if (json_str(cloud, "who").n)
		fprintf(out, "  as           %s (%s)\n  account      %s\n", json_text(cloud, "who"),
			json_text(cloud, "kind"), json_text(cloud, "account"));
	if (json_str(cloud, "error").n)
		fprintf(out, "  error        %s\n", json_text(cloud, "error"));
}

static void print_row(FILE *out, const char *label, const char *what, const char *state, struct str reason)
{
	fprintf(out, "  %-12s %-24s %s%s%.*s\n", label, what, state, reason.n ? ": " : "", STR(reason));
}

static void print_parts(FILE *out, const json_t *cloud)
{
	size_t i;
	const json_t *one;
	json_array_foreach(json_object_get(cloud, "parts"), i, one) print_row(
		out, i ? "" : "parts", json_text(one, "part"), json_text(one, "state"), json_str(one, "reason"));
	json_array_foreach(json_object_get(cloud, "buckets"), i, one)
	{
		struct str reason = json_str(one, "reason");
		print_row(out, i ? "" : "buckets", json_text(one, "bucket"), json_text(one, "state"),
			reason.n ? reason : json_str(one, "location"));
	}
	const json_t *quota = json_object_get(cloud, "quota");
	if (quota)
		print_row(out, "quota", "", json_text(quota, "state"), json_str(quota, "reason"));
}

// What is allowed is counted; the rest is named.
static void print_permissions(FILE *out, const json_t *cloud)
{
	const json_t *list = json_object_get(cloud, "permissions"), *one;
	size_t i, allowed = 0, untested = 0;
	json_array_foreach(list, i, one)
	{
		const char *verdict = json_text(one, "verdict");
		allowed += strcmp(verdict, "allowed") == 0;
		untested += strcmp(verdict, "not tested") == 0;
		if (strcmp(verdict, "denied") == 0 || strcmp(verdict, "failed") == 0)
			print_row(out, "permission", json_text(one, "permission"), verdict, json_str(one, "reason"));
	}
	if (json_array_size(list))
		fprintf(out, "  permissions  %zu allowed, %zu not tested (-o json says why), %zu lacking\n", allowed,
			untested, json_array_size(list) - allowed - untested);
}

static void print_clouds(FILE *out, const json_t *result)
{
	size_t i, j;
	const json_t *cloud, *text;
	json_array_foreach(json_object_get(result, "clouds"), i, cloud)
	{
		if (i)
			fputc('\n', out);
		print_who(out, cloud);
		print_parts(out, cloud);
		print_permissions(out, cloud);
		json_array_foreach(json_object_get(cloud, "lacks"), j, text)
			fprintf(out, "  LACKS        %s\n", json_string_value(text));
		if (json_flag(cloud, "ok", false))
			fputs("  ok\n", out);
	}
}

static int run_check(struct session *s, json_t **result)
{
	const char *only = s->arguments->count ? s->arguments->rest[0] : NULL;
	const char *path = only ? session_path(s, "/v1/check?cloud=", str_of(only), "") : "/v1/check";
	int rc = session_request(s, "GET", path, NULL, result);
	if (rc == 0 && !s->json)
		print_clouds(s->arguments->out, *result);
	return rc;
}

// ---------------------------------------------------------------- check --deep

// The control plane may run in another folder.
static int whole_path(struct session *s, const char *path, json_t *body)
{
	char here[PATH_MAX];
	if (!path)
		return 0;
	if (path[0] != '/' && !getcwd(here, sizeof(here)))
		return call_errno(&s->call, "find the current folder");
	struct str whole = path[0] == '/' ? str_of(path) : arena_printf(&s->arena, "%s/%s", here, path);
	json_set_str(body, "record", whole);
	return whole.p ? 0 : call_no_memory(&s->call);
}

static void print_deep(FILE *out, const json_t *result)
{
	const json_t *cost = json_object_get(result, "cost"), *one;
	size_t i;
	json_array_foreach(json_object_get(result, "cases"), i, one)
	{
		const char *verdict = json_text(one, "verdict");
		if (strcmp(verdict, "ok") != 0)
			print_row(out, verdict, json_text(one, "name"), "", json_str(one, "reason"));
	}
	json_array_foreach(json_object_get(result, "swept"), i, one) print_row(
		out, "swept", json_string_value(one), "", S("an earlier check --deep that was killed left it"));
	fprintf(out, "cloud/%s: %d cases ok, %d failed, %d skipped; the bucket %s is gone again. At most %.4f %s.\n",
		json_text(result, "cloud"), (int)json_int(result, "ok", 0), (int)json_int(result, "failed", 0),
		(int)json_int(result, "skipped", 0), json_text(result, "bucket"), json_num(cost, "amount", 0),
		json_text(cost, "currency"));
	if (json_str(result, "record").n)
		fprintf(out, "%s\n", json_text(result, "record"));
}

static int run_deep(struct session *s, json_t **result)
{
	const struct check_options *o = s->arguments->options;
	if (!s->arguments->count || !o->at_most)
		return call_fail(&s->call, ERR_INVALID,
			"say which cloud and what it may cost: isobar check --deep CLOUD --at-most 1EUR");
	AUTO(json) body = json_pack("{s:s, s:s}", "cloud", s->arguments->rest[0], "at_most", o->at_most);
	if (o->server)
		json_object_set_new(body, "server", json_string(o->server));
	int rc = whole_path(s, o->record, body);
	if (rc == 0)
		rc = session_request(s, "POST", "/v1/check/deep", body, result);
	if (rc == 0 && !s->json)
		print_deep(s->arguments->out, *result);
	return rc;
}

static int check_run(const struct arguments *a)
{
	const struct check_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, NULL);
	if (rc == 0)
		rc = o->deep ? run_deep(&s, &result) : run_check(&s, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	int code = session_end(&s, rc);
	bool ok = o->deep ? json_int(result, "failed", 0) == 0 : json_flag(result, "ok", true);
	return rc < 0 || ok ? code : 1;
}

const struct command check_command = {
	.name = "check",
	.arguments = "[CLOUD]",
	.help = "Says of each cloud as whom, which account and region, which parts work, which permissions lack, what "
		"quota "
		"is left. Changes nothing; exit code 1 when something lacks.",
	.example = "isobar check\nisobar check aws-us -o json\nisobar check --deep aws-us --at-most 1EUR",
	COMMAND_OPTIONS(check_options, struct check_options),
	.max_arguments = 1,
	.run = check_run,
};
