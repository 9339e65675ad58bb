// SPDX-License-Identifier: Apache-2.0
// Commands for single acts beside plan and apply: override, adopt, approve, approvals.
#include <string.h>

#include "base/time.h"
#include "cli/cli_impl.h"

// ---------------------------------------------------------------- override
struct override_options {
	struct common common;
	const char *reason;
	int64_t expires_ns;
};
static const struct option override_options[] = {
	COMMON_OPTIONS(struct override_options),
	{.name = "reason",
		.type = OPTION_TEXT,
		.offset = offsetof(struct override_options, reason),
		.argument = "TEXT",
		.help = "why; it is journaled, and shown by plan"},
	{.name = "expires",
		.type = OPTION_DURATION,
		.offset = offsetof(struct override_options, expires_ns),
		.argument = "DURATION",
		.help = "ends by itself after so long, 2h; without it a person ends it"},
};

static void print_overrides(const struct session *s, const json_t *result)
{
	size_t i;
	json_t *one;
	json_array_foreach(json_object_get(result, "overrides"), i, one)
	{
		AUTO(buf) value = {0};
		if (json_write(json_object_get(one, "value"), &value, NULL) < 0)
			continue;
		fprintf(s->arguments->out, "%s: %s is %s until the override ends.\n", json_text(one, "address"),
			s->arguments->rest[1], buf_cstr(&value));
	}
}

static int override_run(const struct arguments *a)
{
	const struct override_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	AUTO(json)
	body = json_pack("{s:s, s:s, s:s, s:s, s:I}", "address", a->rest[0], "field", a->rest[1], "value", a->rest[2],
		"reason", o->reason ? o->reason : "", "expires_s", (json_int_t)(o->expires_ns / NS_PER_S));
	int rc = session_open(&s, a, &o->common, NULL);
	if (rc == 0)
		rc = session_request(&s, "POST", "/v1/overrides", body, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		print_overrides(&s, result);
	return session_end(&s, rc);
}

const struct command override_command = {
	.name = "override",
	.arguments = "ADDRESS FIELD VALUE",
	.help = "Changes a field while it runs, where `isobar explain` says that an operator may. Apply keeps it.",
	.example = "isobar override \"endpoint/classify on azure-eu\" traffic 0% --reason \"bad answers\" --expires 2h\n"
		   "isobar overrides",
	COMMAND_OPTIONS(override_options, struct override_options),
	.min_arguments = 3,
	.max_arguments = 3,
	.run = override_run,
};

// ---------------------------------------------------------------- adopt
struct adopt_options {
	struct common common;
	const char *from;
};
static const struct option adopt_options[] = {
	COMMON_OPTIONS(struct adopt_options),
	{.name = "from",
		.type = OPTION_TEXT,
		.offset = offsetof(struct adopt_options, from),
		.argument = "OWNER",
		.help = "whose mark it carries, as the refusal names it: it is taken over from there"},
};

static int adopt_run(const struct arguments *a)
{
	const struct adopt_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	AUTO(json)
	body = json_pack("{s:s, s:s, s:s}", "address", a->rest[0], "id", a->rest[1], "from", o->from ? o->from : "");
	int rc = session_open(&s, a, &o->common, NULL);
	if (rc == 0)
		rc = session_request(&s, "POST", "/v1/adopt", body, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		fprintf(a->out, "%s is Isobar's now, as %s. `isobar plan` shows what would change.\n", a->rest[0],
			a->rest[1]);
	return session_end(&s, rc);
}

const struct command adopt_command = {
	.name = "adopt",
	.arguments = "ADDRESS ID",
	.help = "Takes over what exists at a provider and is declared: marked and recorded, nothing else changed.",
	.example = "isobar adopt \"bucket/old on gcp-eu\" lumen-returns-2023",
	COMMAND_OPTIONS(adopt_options, struct adopt_options),
	.min_arguments = 2,
	.max_arguments = 2,
	.run = adopt_run,
};

// ---------------------------------------------------------------- approve
struct approve_options {
	struct common common;
	const char *note;
};
static const struct option approve_options[] = {
	COMMON_OPTIONS(struct approve_options),
	{.name = "note",
		.type = OPTION_TEXT,
		.offset = offsetof(struct approve_options, note),
		.argument = "TEXT",
		.help = "what was looked at; it is journaled"},
};

static int approve_run(const struct arguments *a)
{
	const struct approve_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	AUTO(json) body = json_pack("{s:s, s:s}", "digest", a->rest[0], "note", o->note ? o->note : "");
	int rc = session_open(&s, a, &o->common, NULL);
	if (rc == 0)
		rc = session_request(&s, "POST", "/v1/approvals", body, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		fprintf(a->out, "Approved, %lld of %lld.\n", (long long)json_int(result, "given", 0),
			(long long)json_int(result, "needed", 0));
	return session_end(&s, rc);
}

const struct command approve_command = {
	.name = "approve",
	.arguments = "DIGEST",
	.help = "Approves a plan by the digest that `isobar plan` prints, where the environment asks for approvals.",
	.example = "isobar plan --env prod\nisobar approve --env prod DIGEST --note \"looked at the replacements\"",
	COMMAND_OPTIONS(approve_options, struct approve_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = approve_run,
};
