// SPDX-License-Identifier: Apache-2.0
// `isobar why THING`: tells how something came about and what followed from it.
#include "cli/cli_impl.h"

struct why_options {
	struct common common;
};
static const struct option why_options[] = {COMMON_OPTIONS(struct why_options)};

// "2026-11-24 14:22:27.620": a time stamp as people read it.
static void print_time(const json_t *item, FILE *out)
{
	struct str at = json_str(item, "at");
	if (at.n > 20)
		fprintf(out, "%.10s %.12s  ", at.p, at.p + 11);
	else
		fprintf(out, "%-25s", "");
}

static void print_history(const json_t *history, FILE *out)
{
	size_t i;
	const json_t *line;
	json_array_foreach(history, i, line)
	{
		fputs("  ", out);
		print_time(line, out);
		fputs(json_text(line, "text"), out);
		if (*json_text(line, "by"))
			fprintf(out, "  (%s)", json_text(line, "by"));
		fputc('\n', out);
	}
}

static void print_chain(const char *title, const json_t *chain, FILE *out)
{
	size_t i;
	const json_t *item;
	if (json_array_size(chain) == 0)
		return;
	fprintf(out, "\n%s\n", title);
	json_array_foreach(chain, i, item)
	{
		fprintf(out, "%*s%s  %s", (int)(2 * json_int(item, "depth", 1)), "", json_text(item, "label"),
			json_text(item, "id"));
		if (*json_text(item, "text"))
			fprintf(out, ": %s", json_text(item, "text"));
		if (*json_text(item, "by"))
			fprintf(out, "  (%s)", json_text(item, "by"));
		fputc('\n', out);
	}
}

static void print_story(const json_t *story, FILE *out)
{
	const json_t *cost = json_object_get(story, "cost"), *all = json_object_get(cost, "of_all");
	fprintf(out, "%s: %s", json_text(story, "thing"), json_text(story, "kind"));
	if (*json_text(story, "by"))
		fprintf(out, ", by %s", json_text(story, "by"));
	if (*json_text(story, "trace"))
		fprintf(out, ", trace %s", json_text(story, "trace"));
	fputc('\n', out);
	print_history(json_object_get(story, "history"), out);
	print_chain("Because of", json_object_get(story, "because"), out);
	print_chain("What followed", json_object_get(story, "then"), out);
	if (json_int(all, "bytes", 0) > 0)
		fprintf(out,
			"\nCost: %lld bytes moved for it, %.6f %s; with all that it was made from %lld bytes, %.6f "
			"%s\n",
			(long long)json_int(cost, "bytes", 0), json_number_value(json_object_get(cost, "amount")),
			json_text(cost, "currency"), (long long)json_int(all, "bytes", 0),
			json_number_value(json_object_get(all, "amount")), json_text(cost, "currency"));
	if (json_is_true(json_object_get(story, "more")))
		fputs("\nThere is more: ask why of one of the above.\n", out);
}

static int why_run(const struct arguments *a)
{
	const struct why_options *o = a->options;
	struct session s;
	AUTO(json) story = NULL;
	int rc = session_open(&s, a, &o->common, NULL);
	if (rc == 0 && !*a->rest[0])
		rc = call_fail(&s.call, ERR_INVALID, "why of what? THING is empty; see isobar why --help");
	const char *path = rc == 0 ? session_path(&s, "/v1/why/", str_of(a->rest[0]), "") : NULL;
	if (rc == 0)
		rc = path ? session_request(&s, "GET", path, NULL, &story) : call_no_memory(&s.call);
	if (rc == 0 && s.json)
		session_print_json(&s, story);
	else if (rc == 0)
		print_story(story, a->out);
	return session_end(&s, rc);
}

const struct command why_command = {
	.name = "why",
	.arguments = "THING",
	.help = "Tells how a thing came about and what followed: an address, run, version, job, object, request, trace, "
		"alert, override, cost line, event or audit record.",
	.example = "isobar why model/classifier@champion\nisobar why \"endpoint/classify on aws-us\"\n"
		   "isobar why gateway/edge#17\nisobar why cost/gcp-eu/aws-us",
	COMMAND_OPTIONS(why_options, struct why_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = why_run,
};
