// SPDX-License-Identifier: Apache-2.0
// isobar permissions: the least that Isobar needs on an account, in the provider's own language.
#include "cli/cli_impl.h"

struct permissions_options {
	struct common common;
	bool read_only, deep, services;
};
static const struct option permissions_options[] = {
	COMMON_OPTIONS(struct permissions_options),
	{.name = "read-only",
		.type = OPTION_FLAG,
		.offset = offsetof(struct permissions_options, read_only),
		.help = "only what plan, check and init need: calls that change nothing"},
	{.name = "deep",
		.type = OPTION_FLAG,
		.offset = offsetof(struct permissions_options, deep),
		.help = "also the scratch buckets of check --deep"},
	{.name = "services",
		.type = OPTION_FLAG,
		.offset = offsetof(struct permissions_options, services),
		.help = "also jobs, endpoints, keys and secrets in the provider's own services"},
};

static int permissions_run(const struct arguments *a)
{
	const struct permissions_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, NULL);
	if (rc == 0) {
		const char *flags = arena_printf(s.call.arena, "%s%s%s", o->read_only ? "&read_only=1" : "",
			o->deep ? "&deep=1" : "", o->services ? "&services=1" : "")
					    .p;
		const char *path =
			flags ? session_path(&s, "/v1/permissions?cloud=", str_of(a->rest[0]), flags) : NULL;
		rc = path ? session_request(&s, "GET", path, NULL, &result) : call_no_memory(&s.call);
	}
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		fputs(json_text(result, "policy"), a->out);
	return session_end(&s, rc);
}

const struct command permissions_command = {
	.name = "permissions",
	.arguments = "CLOUD",
	.help = "Writes the least that Isobar needs on an account, limited to the workspace's buckets: an IAM policy, "
		"roles and bindings of Google Cloud, or a custom role of Azure. Makes no call.",
	.example = "isobar permissions aws-us > policy.json\nisobar permissions gcp-eu --read-only",
	COMMAND_OPTIONS(permissions_options, struct permissions_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = permissions_run,
};
