// SPDX-License-Identifier: Apache-2.0
// rollback: an alias or endpoints back to an earlier version of their model.
#include "cli/cli_impl.h"

struct rollback_options {
	struct common common;
	const char *to, *reason;
	int64_t for_ns;
};
static const struct option rollback_options[] = {
	COMMON_OPTIONS(struct rollback_options),
	{.name = "to",
		.type = OPTION_TEXT,
		.offset = offsetof(struct rollback_options, to),
		.argument = "VERSION",
		.help = "this version; else the one before that which the alias names"},
	{.name = "for",
		.type = OPTION_DURATION,
		.offset = offsetof(struct rollback_options, for_ns),
		.argument = "DURATION",
		.help = "goes forward again by itself after so long"},
	{.name = "reason",
		.type = OPTION_TEXT,
		.offset = offsetof(struct rollback_options, reason),
		.argument = "TEXT",
		.help = "recorded with the override"},
};

static void tell(const struct arguments *a, const json_t *result)
{
	size_t i;
	const json_t *address;
	fprintf(a->out, "model/%s@%s: version %s instead of %s, by an override of\n", json_text(result, "model"),
		json_text(result, "alias"), json_text(result, "to"), json_text(result, "from"));
	json_array_foreach(json_object_get(result, "overridden"), i, address)
		fprintf(a->out, "  %s\n", json_string_value(address));
	fprintf(a->out, "`isobar overrides end` goes forward again.\n");
}

static int rollback_run(const struct arguments *a)
{
	const struct rollback_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	AUTO(json) body = json_pack("{s:s, s:s, s:s, s:I}", "target", a->rest[0], "version", o->to ? o->to : "", "reason",
		o->reason ? o->reason : "", "for_ns", (json_int_t)o->for_ns);
	int rc = session_open(&s, a, &o->common, NULL);
	if (rc == 0)
		rc = session_request(&s, "POST", "/v1/rollback", body, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		tell(a, result);
	int pending = (int)json_int(result, "endpoints_pending", 0);
	if (rc == 0 && pending)
		rc = call_fail(&s.call, ERR_UNAVAILABLE,
			"%d endpoint%s not up: see `isobar endpoints`, and `isobar deploy` again", pending,
			pending == 1 ? " is" : "s are");
	return session_end(&s, rc);
}

const struct command rollback_command = {
	.name = "rollback",
	.arguments = "TARGET",
	.help = "Takes an alias of a model, or the endpoints of one name, back to an earlier version.",
	.example = "isobar rollback model/classifier@champion\nisobar rollback endpoint/classify --to 3 --for 2h",
	COMMAND_OPTIONS(rollback_options, struct rollback_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = rollback_run,
};
