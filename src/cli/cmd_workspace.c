// SPDX-License-Identifier: Apache-2.0
// The command validate.
#include <string.h>
#include <unistd.h>

#include "cli/cli_impl.h"

// ---------------------------------------------------------------- validate
struct plain_options {
	struct common common;
};
static const struct option plain_options[] = {COMMON_OPTIONS(struct plain_options)};

static void print_valid(const struct session *s, const json_t *result)
{
	FILE *out = s->arguments->out;
	const json_t *checked = json_object_get(result, "environments"), *one;
	size_t i, count = json_array_size(checked);
	if (count < 2) {
		fprintf(out, "The workspace %s is valid: %d resources.\n", json_text(result, "workspace"),
			(int)json_int(result, "resources", 0));
		return;
	}
	fprintf(out, "The workspace %s is valid:", json_text(result, "workspace"));
	json_array_foreach(checked, i, one) fprintf(out, "%s %d resources in %s", i ? "," : "",
		(int)json_int(one, "resources", 0), json_text(one, "environment"));
	fputs(".\n", out);
}

static int validate_run(const struct arguments *a)
{
	const struct plain_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, a->count ? a->rest[0] : NULL);
	AUTO(json) body = json_pack("{s:b}", "document", (int)s.json);
	if (rc == 0)
		rc = session_request(&s, "POST", "/v1/validate", body, &result);
	if (rc < 0)
		return session_end(&s, rc);
	bool valid = json_flag(result, "valid", false);
	if (s.json)
		session_print_json(&s, result);
	else if (valid)
		print_valid(&s, result);
	else
		fprintf(a->error, "%zu mistake%s\n", s.findings, s.findings == 1 ? "" : "s");
	int code = session_end(&s, 0);
	return valid ? code : err_exit_code(ERR_INVALID);
}

const struct command validate_command = {
	.name = "validate",
	.arguments = "[FOLDER]",
	.help = "Checks the workspace: every mistake with file:line:column, the field, and what to write instead.",
	.example = "isobar validate examples/fashion",
	COMMAND_OPTIONS(plain_options, struct plain_options),
	.max_arguments = 1,
	.run = validate_run,
};
