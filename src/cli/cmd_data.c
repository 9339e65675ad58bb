// SPDX-License-Identifier: Apache-2.0
// isobar data ls | cat | rm | du: what looks at a place, and what removes from it. What copies stands in
// cmd_data_many.c. None of them needs a workspace, and bytes move where the command runs.
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "cli/data_impl.h"

static const struct option ls_options[] = {COMMON_OPTIONS(struct data_options), DATA_RECURSIVE};
static const struct option cat_options[] = {
	COMMON_OPTIONS(struct data_options),
	{.name = "offset",
		.type = OPTION_INTEGER,
		.offset = offsetof(struct data_options, offset),
		.argument = "BYTE",
		.help = "from this byte on"},
	{.name = "length",
		.type = OPTION_INTEGER,
		.offset = offsetof(struct data_options, length),
		.argument = "BYTES",
		.help = "so many bytes, else all to the end"},
};
static const struct option rm_options[] = {COMMON_OPTIONS(struct data_options), DATA_RECURSIVE, DATA_SELECT, DATA_ACT};
static const struct option du_options[] = {COMMON_OPTIONS(struct data_options), DATA_SELECT};

static const char *objects_path(struct session *s, const char *path, const struct data_options *o)
{
	struct str at = client_escape(&s->arena, str_of(data_whole_place(s, s->arguments->rest[0])));
	struct str text = arena_printf(&s->arena, "%s?at=%.*s%s", path, STR(at), o->recursive ? "&recursive=1" : "");
	return text.p ? text.p : path;
}

// ---------------------------------------------------------------- ls
static void print_objects(struct session *s, const json_t *result)
{
	static const struct table_column columns[] = {{"SIZE", true}, {"MODIFIED", false}, {"NAME", false}};
	struct table *t = table_new(&s->arena, columns, COUNT_OF(columns));
	size_t i;
	const json_t *object;
	json_array_foreach(json_object_get(result, "objects"), i, object)
	{
		struct str modified = json_str(object, "modified");
		struct str size = modified.n ? cell_bytes(&s->arena, json_num(object, "size", 0)) : S("-");
		const struct str cells[] = {size, modified, json_str(object, "name")};
		table_add(t, cells);
	}
	table_write(t, s->arguments->out);
}

static int ls_run(const struct arguments *a)
{
	const struct data_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open_here(&s, a, &o->common);
	if (rc == 0)
		rc = session_request(&s, "GET", objects_path(&s, "/v1/objects", o), NULL, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		print_objects(&s, result);
	return session_end(&s, rc);
}

const struct command data_ls_command = {
	.name = "data ls",
	.arguments = "PLACE",
	.help = "Lists what lies at a place." PLACES,
	.example = "isobar data ls s3://bucket/data/\nisobar data ls -r aws-us:lake/datasets/",
	COMMAND_OPTIONS(ls_options, struct data_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = ls_run,
};

// ---------------------------------------------------------------- cat
struct cat {
	struct arguments const *arguments;
	bool failed;
};

static void cat_event(void *ctx, const json_t *event)
{
	struct cat *cat = ctx;
	AUTO(buf) bytes = {0};
	if (strcmp(json_text(event, "event"), "bytes") != 0)
		return;
	if (base64_decode(json_str(event, "base64"), &bytes) < 0 ||
		fwrite(bytes.p, 1, bytes.n, cat->arguments->out) != bytes.n)
		cat->failed = true;
}

static const char *number_part(struct session *s, const char *name, int64_t number)
{
	return number > 0 ? arena_printf(&s->arena, "&%s=%lld", name, (long long)number).p : "";
}

static int cat_run(const struct arguments *a)
{
	const struct data_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	struct cat cat = {.arguments = a};
	int rc = session_open_here(&s, a, &o->common);
	if (rc == 0) {
		struct str path = arena_printf(&s.arena, "%s%s%s", objects_path(&s, "/v1/objects/content", o),
			number_part(&s, "offset", o->offset), number_part(&s, "length", o->length));
		struct client_request request = {.method = "GET", .path = path.p, .on_event = cat_event, .ctx = &cat};
		rc = client_call(&s.call, s.client, &request, &result);
	}
	if (rc == 0 && cat.failed)
		rc = call_fail(&s.call, ERR_IO, "cannot write the object's bytes to standard output");
	return session_end(&s, rc);
}

const struct command data_cat_command = {
	.name = "data cat",
	.arguments = "PLACE",
	.help = "Writes an object's bytes to standard output.",
	.example = "isobar data cat gs://bucket/model.json\nisobar data cat --offset 1000 --length 16 "
		   "aws-us:lake/models/classifier/1/weights.safetensors",
	COMMAND_OPTIONS(cat_options, struct data_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = cat_run,
};

// ---------------------------------------------------------------- rm
static int remove_below(struct session *s, const struct data_options *o, json_t **result)
{
	AUTO(json) body = data_body(s, o, s->arguments->rest[0], NULL);
	s->on_event = data_event;
	s->on_event_ctx = (void *)(uintptr_t)o;
	return session_request(s, "POST", "/v1/objects/clear", body, result);
}

static int rm_run(const struct arguments *a)
{
	const struct data_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	bool many = o->recursive && (o->include.count || o->exclude.count || o->dry_run);
	int rc = session_open_here(&s, a, &o->common);
	if (rc == 0 && !o->recursive && (o->include.count || o->exclude.count || o->dry_run))
		rc = call_fail(&s.call, ERR_INVALID,
			"--include, --exclude and --dry-run are about what lies below: say --recursive");
	if (rc == 0 && many)
		rc = remove_below(&s, o, &result);
	else if (rc == 0)
		rc = session_request(&s, "DELETE", objects_path(&s, "/v1/objects", o), NULL, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		fprintf(a->out, "%lld %s\n", (long long)json_int(result, many ? "deleted" : "removed", 0),
			o->dry_run ? "would be removed" : "removed");
	return session_end(&s, rc);
}

const struct command data_rm_command = {
	.name = "data rm",
	.arguments = "PLACE",
	.help = "Removes an object, or with --recursive what lies below a place." PLACES,
	.example = "isobar data rm -r aws-us:lake/scratch/\nisobar data rm -r --include '*.tmp' -n s3://bucket/data/",
	COMMAND_OPTIONS(rm_options, struct data_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = rm_run,
};

// ---------------------------------------------------------------- du
static void print_usage(struct session *s, const json_t *result)
{
	static const struct table_column columns[] = {{"SIZE", true}, {"OBJECTS", true}, {"NAME", false}};
	struct table *t = table_new(&s->arena, columns, COUNT_OF(columns));
	size_t i;
	const json_t *row;
	json_array_foreach(json_object_get(result, "below"), i, row)
	{
		const struct str cells[] = {cell_bytes(&s->arena, json_num(row, "bytes", 0)),
			arena_printf(&s->arena, "%lld", (long long)json_int(row, "objects", 0)), json_str(row, "name")};
		table_add(t, cells);
	}
	const struct str total[] = {cell_bytes(&s->arena, json_num(result, "bytes", 0)),
		arena_printf(&s->arena, "%lld", (long long)json_int(result, "objects", 0)), S("in all")};
	table_add(t, total);
	table_write(t, s->arguments->out);
}

static int du_run(const struct arguments *a)
{
	const struct data_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	AUTO(json) body = NULL;
	int rc = session_open_here(&s, a, &o->common);
	if (rc == 0) {
		body = data_body(&s, o, a->rest[0], NULL);
		rc = session_request(&s, "POST", "/v1/objects/usage", body, &result);
	}
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		print_usage(&s, result);
	return session_end(&s, rc);
}

const struct command data_du_command = {
	.name = "data du",
	.arguments = "PLACE",
	.help = "Says how much lies below a place, by its first folder." PLACES,
	.example = "isobar data du gs://bucket/\nisobar data du --include '*.parquet' aws-us:lake/",
	COMMAND_OPTIONS(du_options, struct data_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = du_run,
};
