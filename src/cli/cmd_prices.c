// SPDX-License-Identifier: Apache-2.0
// Prices of machines: the catalog that is shipped, or a file of one's own before it. No workspace is asked.
#include <string.h>

#include "cli/cli_impl.h"

struct prices_options {
	const char *cloud, *region, *accelerator, *prices, *out, *url, *key_file, *output;
	int64_t count, cpu, memory;
	bool spot;
};
#define PRICES_OPTION(member, title, what, text)                                                                     \
	{.name = title, .type = OPTION_TEXT, .offset = offsetof(struct prices_options, member), .argument = what, .help = text}
#define PRICES_NUMBER(member, title, text)                                                                           \
	{.name = title, .type = OPTION_INTEGER, .offset = offsetof(struct prices_options, member), .argument = "N", .help = text}
#define PRICES_OUTPUT                                                                                                \
	{.name = "output", .letter = 'o', .type = OPTION_CHOICE, .offset = offsetof(struct prices_options, output),     \
		.argument = "FORM", .otherwise = "table", .choices = output_choices,                                    \
		.help = "table for people, json for programs"}

static const struct option list_options[] = {
	PRICES_OPTION(cloud, "cloud", "PROVIDER", "aws, azure or gcp; else all"),
	PRICES_OPTION(region, "region", "NAME", "only this region"),
	PRICES_OPTION(accelerator, "accelerator", "NAME", "H100, A100, L4, ...: only machines with it"),
	PRICES_NUMBER(count, "count", "at least so many accelerators"),
	PRICES_NUMBER(cpu, "cpu", "at least so many processors"),
	PRICES_NUMBER(memory, "memory", "at least so many GiB"),
	{.name = "spot", .type = OPTION_FLAG, .offset = offsetof(struct prices_options, spot),
		.help = "only machines with a known spot price, in order of it"},
	PRICES_OPTION(prices, "prices", "FILE", "of `prices import`: its rows stand in for the shipped ones of their regions"),
	PRICES_OUTPUT,
};
static const struct option check_options[] = {PRICES_OUTPUT};
static const struct option import_options[] = {
	PRICES_OPTION(region, "region", "NAME", "region whose prices are read"),
	PRICES_OPTION(out, "out", "FILE", "where the rows are written"),
	PRICES_OPTION(key_file, "key-file", "FILE", "API key for gcp; the others need none"),
	PRICES_OPTION(url, "url", "URL", "another address of the interface; the only host that is then called"),
	PRICES_OUTPUT,
};

static void set(json_t *to, const char *name, const char *value)
{
	if (value && *value)
		json_set_str(to, name, str_of(value));
}

static json_t *request_of(const struct prices_options *o, const char *what)
{
	json_t *request = json_pack("{s:s,s:I,s:I,s:I,s:b}", "do", what, "count", (json_int_t)o->count, "cpu",
		(json_int_t)o->cpu, "memory_gib", (json_int_t)o->memory, "spot", o->spot);
	set(request, "cloud", o->cloud);
	set(request, "region", o->region);
	set(request, "accelerator", o->accelerator);
	set(request, "prices", o->prices);
	set(request, "out", o->out);
	set(request, "url", o->url);
	set(request, "key_file", o->key_file);
	return request;
}

static struct str money(struct arena *a, double amount)
{
	return amount > 0 ? arena_printf(a, "%.4f", amount) : S("-");
}

static void print_rows(struct arena *a, const json_t *rows, FILE *out)
{
	static const struct table_column columns[] = {{"CLOUD", false}, {"REGION", false}, {"MACHINE", false}, {"CPU", true},
		{"GIB", true}, {"ACCELERATOR", false}, {"USD/H", true}, {"SPOT", true}, {"DATE", false}, {"TRUST", false}};
	struct table *t = table_new(a, columns, COUNT_OF(columns));
	for (size_t i = 0; i < json_array_size(rows); i++) {
		const json_t *row = json_array_get(rows, i);
		int64_t count = json_int(row, "count", 0);
		const struct str cells[] = {json_str(row, "provider"), json_str(row, "region"), json_str(row, "shape"),
			arena_printf(a, "%g", json_num(row, "vcpu", 0)), arena_printf(a, "%g", json_num(row, "memory_gib", 0)),
			count ? arena_printf(a, "%lld x %s", (long long)count, json_text(row, "accelerator")) : S("-"),
			money(a, json_num(row, "on_demand", 0)), money(a, json_num(row, "spot", 0)), json_str(row, "date"),
			json_str(row, "confidence")};
		table_add(t, cells);
	}
	table_write(t, out);
}

static void print_pairs(const json_t *list, const char *first, const char *second, FILE *out)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);
		fprintf(out, "%s: %s\n", json_text(one, first), json_text(one, second));
	}
}

static void print_result(struct arena *a, const char *what, const json_t *result, FILE *out)
{
	long long rows = (long long)json_int(result, "rows", 0);
	if (strcmp(what, "list") == 0) {
		print_rows(a, json_object_get(result, "rows"), out);
	} else if (strcmp(what, "check") == 0) {
		const json_t *findings = json_object_get(result, "findings");
		print_pairs(findings, "fault", "text", out);
		fprintf(out, "%lld rows, %zu findings\n", rows, json_array_size(findings));
	} else {
		print_pairs(json_object_get(result, "refused"), "shape", "why", out);
		fprintf(out, "%lld rows in %s, %lld prices refused\n", rows, json_text(result, "file"),
			(long long)json_int(result, "refused_count", 0));
	}
}

// Findings of a check are its result and its exit code, so that a pipeline stops at them.
static int run(const struct arguments *a, struct prices_options o, const char *what)
{
	const struct cli *cli = a->app;
	AUTO(arena) arena = {0};
	AUTO(json) result = NULL;
	AUTO(json) request = request_of(&o, what);
	AUTO(buf) text = {0};
	struct call c;
	call_init(&c, &arena, edges_real(), (struct str){0});
	int rc = request ? cli->prices(&c, request, &result) : ERR_NO_MEMORY;
	if (rc == 0 && strcmp(o.output, "json") == 0)
		rc = json_write_pretty(result, &text, &c.err);
	if (rc < 0) {
		fprintf(a->error, "isobar: %s\n", c.err.message);
		return err_exit_code(rc);
	}
	if (text.n)
		fprintf(a->out, "%s\n", buf_cstr(&text));
	else
		print_result(&arena, what, result, a->out);
	return json_array_size(json_object_get(result, "findings")) ? err_exit_code(ERR_FAILED) : 0;
}

static int list_run(const struct arguments *a)
{
	const struct prices_options *o = a->options;
	return run(a, *o, "list");
}

static int check_run(const struct arguments *a)
{
	struct prices_options o = *(const struct prices_options *)a->options;
	o.prices = a->count ? a->rest[0] : NULL;
	return run(a, o, "check");
}

static int import_run(const struct arguments *a)
{
	struct prices_options o = *(const struct prices_options *)a->options;
	o.cloud = a->rest[0];
	return run(a, o, "import");
}

const struct command prices_list_command = {
	.name = "prices list",
	.help = "Lists machines by price, cheapest first, with the date of each price and how far it is to be trusted.",
	.example = "isobar prices list --cloud aws --accelerator H100 --spot\nisobar prices list --cpu 8 --memory 32 --region eastus",
	COMMAND_OPTIONS(list_options, struct prices_options),
	.run = list_run,
};
const struct command prices_check_command = {
	.name = "prices check",
	.arguments = "[FILE]",
	.help = "Looks for prices that cannot be right: spot above on demand, regions too far apart, old or unknown ones.",
	.example = "isobar prices check\nisobar prices check prices.json",
	COMMAND_OPTIONS(check_options, struct prices_options),
	.max_arguments = 1,
	.run = check_run,
};
const struct command prices_import_command = {
	.name = "prices import",
	.arguments = "PROVIDER",
	.help = "Reads today's prices of a region from the provider's public interface into a file.",
	.example = "isobar prices import azure --region westeurope --out prices.json\n"
		   "isobar prices import gcp --region us-central1 --key-file key.txt --out prices.json",
	COMMAND_OPTIONS(import_options, struct prices_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = import_run,
};
