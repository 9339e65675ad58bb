// SPDX-License-Identifier: Apache-2.0
// Commands that prove and tell: audit verify, report; and the manual's generated pages.
#include <string.h>

#include "base/file.h"
#include "cli/cli_impl.h"

// ---------------------------------------------------------------- audit verify
struct plain_options {
	struct common common;
};
static const struct option plain_options[] = {COMMON_OPTIONS(struct plain_options)};

static void print_verdict(const struct arguments *a, const json_t *result)
{
	size_t i;
	const json_t *g;
	json_array_foreach(json_object_get(result, "gateways"), i, g)
	{
		bool intact = json_flag(g, "intact", false), complete = json_flag(g, "complete", false);
		fprintf(a->out, "gateway/%s: %lld records, %s\n", json_text(g, "gateway"),
			(long long)json_int(g, "records", 0),
			intact && complete ? "complete and unaltered"
			: intact           ? "unaltered, but not complete"
					   : "ALTERED");
		if (!intact)
			fprintf(a->out, "  first fault at record %lld: %s\n", (long long)json_int(g, "bad_index", 0),
				json_text(g, "reason"));
		else if (!complete)
			fprintf(a->out, "  %lld records were lost in %lld gaps\n", (long long)json_int(g, "lost", 0),
				(long long)json_int(g, "gaps", 0));
		fprintf(a->out, "  Merkle root %s, %lld heads compared\n", json_text(g, "root"),
			(long long)json_int(g, "heads_checked", 0));
	}
	if (json_array_size(json_object_get(result, "gateways")) == 0)
		fputs("No gateway has run yet, so there is nothing to verify.\n", a->out);
}

static int audit_verify_run(const struct arguments *a)
{
	const struct plain_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, NULL);
	if (rc == 0)
		rc = session_request(&s, "GET", "/v1/audit/verify", NULL, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		print_verdict(a, result);
	int code = session_end(&s, rc);
	return rc < 0 || json_flag(result, "verified", false) ? code : err_exit_code(ERR_CORRUPT);
}

const struct command audit_verify_command = {
	.name = "audit verify",
	.help = "Proves that the audit logs are complete and unaltered; exit code 9 when they are not.",
	.example = "isobar audit verify",
	COMMAND_OPTIONS(plain_options, struct plain_options),
	.run = audit_verify_run,
};

// ---------------------------------------------------------------- report
struct report_options {
	struct common common;
	const char *file;
};
static const struct option report_options[] = {
	COMMON_OPTIONS(struct report_options),
	{.name = "file",
		.letter = 'f',
		.type = OPTION_TEXT,
		.offset = offsetof(struct report_options, file),
		.argument = "FILE",
		.otherwise = "report.html",
		.help = "where the page goes; - is standard output"},
};

static int write_page(struct session *s, const char *file, struct str html)
{
	if (strcmp(file, "-") == 0) {
		fwrite(html.p, 1, html.n, s->arguments->out);
		return 0;
	}
	int rc = file_write_atomic(file, html, 0644, &s->call.err);
	if (rc == 0)
		fprintf(s->arguments->out, "%s\n", file);
	return rc;
}

static int report_run(const struct arguments *a)
{
	const struct report_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, NULL);
	if (rc == 0)
		rc = session_request(&s, "GET", "/v1/report", NULL, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		rc = write_page(&s, o->file, json_str(result, "html"));
	return session_end(&s, rc);
}

const struct command report_command = {
	.name = "report",
	.help = "Writes one HTML page about the workspace: training, traffic, failover, audit. It loads nothing.",
	.example = "isobar report --file report.html",
	COMMAND_OPTIONS(report_options, struct report_options),
	.run = report_run,
};
