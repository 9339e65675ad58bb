// SPDX-License-Identifier: Apache-2.0
// isobar data ls | cp | cat | rm, on places written CLOUD:bucket/key, and on paths of files.
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/hash.h"
#include "cli/cli_impl.h"

struct data_options {
	struct common common;
	bool recursive;
};
static const struct option data_options[] = {
	COMMON_OPTIONS(struct data_options),
	{.name = "recursive",
		.letter = 'r',
		.type = OPTION_FLAG,
		.offset = offsetof(struct data_options, recursive),
		.help = "everything below, not only what is directly there"},
};

static const char *objects_path(struct session *s, const char *path, const struct data_options *o)
{
	struct str at = client_escape(&s->arena, str_of(s->arguments->rest[0]));
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
	int rc = session_open(&s, a, &o->common, NULL);
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
	.help = "Lists objects at CLOUD:bucket/prefix.",
	.example = "isobar data ls -r aws-us:lake/datasets/",
	COMMAND_OPTIONS(data_options, struct data_options),
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

static int cat_run(const struct arguments *a)
{
	const struct data_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	struct cat cat = {.arguments = a};
	int rc = session_open(&s, a, &o->common, NULL);
	if (rc == 0) {
		struct client_request request = {.method = "GET",
			.path = objects_path(&s, "/v1/objects/content", o),
			.on_event = cat_event,
			.ctx = &cat};
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
	.example = "isobar data cat aws-us:lake/models/classifier/1/model.json",
	COMMAND_OPTIONS(data_options, struct data_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = cat_run,
};

// ---------------------------------------------------------------- cp and rm
// The control plane may have another current folder, so paths of files go there whole.
static const char *whole_place(struct session *s, const char *place)
{
	bool is_file = strchr(place, ':') == NULL;
	if (!is_file || place[0] == '/')
		return place;
	char *here = realpath(".", NULL);
	struct str whole = arena_printf(&s->arena, "%s/%s", here ? here : ".", place);
	free(here);
	return whole.p ? whole.p : place;
}

static int cp_run(const struct arguments *a)
{
	const struct data_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, NULL);
	AUTO(json)
	body = json_pack("{s:s, s:s}", "from", whole_place(&s, a->rest[0]), "to", whole_place(&s, a->rest[1]));
	if (rc == 0)
		rc = session_request(&s, "POST", "/v1/objects/copy", body, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		fprintf(a->out, "%lld bytes, SHA-256 %s\n", (long long)json_int(result, "bytes", 0),
			json_text(result, "sha256"));
	return session_end(&s, rc);
}

const struct command data_cp_command = {
	.name = "data cp",
	.arguments = "FROM TO",
	.help = "Copies an object or a file; a target that ends in / keeps the name. Lengths and checksums are "
		"compared.",
	.example = "isobar data cp aws-us:lake/models/classifier/1/weights.safetensors gcp-eu:lake/backup/",
	COMMAND_OPTIONS(data_options, struct data_options),
	.min_arguments = 2,
	.max_arguments = 2,
	.run = cp_run,
};

static int rm_run(const struct arguments *a)
{
	const struct data_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, NULL);
	if (rc == 0)
		rc = session_request(&s, "DELETE", objects_path(&s, "/v1/objects", o), NULL, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		fprintf(a->out, "%lld removed\n", (long long)json_int(result, "removed", 0));
	return session_end(&s, rc);
}

const struct command data_rm_command = {
	.name = "data rm",
	.arguments = "PLACE",
	.help = "Removes an object, or with --recursive everything below a prefix.",
	.example = "isobar data rm -r aws-us:lake/scratch/",
	COMMAND_OPTIONS(data_options, struct data_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = rm_run,
};
