// SPDX-License-Identifier: Apache-2.0
// isobar data cp | sync | mv | verify: what moves objects, and what compares them. See cmd_data.c.
#include <stdlib.h>
#include <string.h>

#include "cli/data_impl.h"

// ---------------------------------------------------------------- shared
static bool is_file(const char *place)
{
	struct str text = str_of(place), head, tail;
	return !str_cut(text, ':', &head, &tail) || str_find_char(head, '/') >= 0 || !head.n || head.p[0] == '.';
}

const char *data_whole_place(struct session *s, const char *place)
{
	if (strncmp(place, "file://", 7) == 0 || !is_file(place) || place[0] == '/')
		return place;
	char *here = realpath(".", NULL);
	struct str whole = arena_printf(&s->arena, "%s/%s", here ? here : ".", place);
	free(here);
	return whole.p ? whole.p : place;
}

static void add_list(json_t *body, const char *name, const struct option_texts *texts)
{
	json_t *list = texts->count ? json_array() : NULL;
	for (size_t i = 0; i < texts->count; i++)
		json_array_append_new(list, json_of_str(str_of(texts->items[i])));
	if (list)
		json_object_set_new(body, name, list);
}

static void add_flag(json_t *body, const char *name, bool set)
{
	if (set)
		json_object_set_new(body, name, json_true());
}

json_t *data_body(struct session *s, const struct data_options *o, const char *from, const char *to)
{
	json_t *body = json_object();
	json_set_str(body, "from", str_of(data_whole_place(s, from)));
	if (to)
		json_set_str(body, "to", str_of(data_whole_place(s, to)));
	add_flag(body, "recursive", o->recursive);
	add_flag(body, "update", o->update);
	add_flag(body, "delete", o->delete_others);
	add_flag(body, "checksum", o->checksum);
	add_flag(body, "dry_run", o->dry_run);
	add_list(body, "include", &o->include);
	add_list(body, "exclude", &o->exclude);
	if (o->parallel && o->parallel != 8)
		json_object_set_new(body, "parallel", json_integer(o->parallel));
	return body;
}

static void print_object(struct session *s, const struct data_options *o, const json_t *event)
{
	const char *action = json_text(event, "action");
	struct str from = json_str(event, "from"), to = json_str(event, "to"), error = json_str(event, "error");
	if (error.n) {
		fprintf(s->arguments->error, "failed: %.*s: %.*s\n", STR(from), STR(error));
		return;
	}
	if (o->quiet)
		return;
	fprintf(s->arguments->out, "%s%s %.*s", o->dry_run ? "would " : "", action, STR(from));
	if (to.n)
		fprintf(s->arguments->out, " -> %.*s", STR(to));
	fputc('\n', s->arguments->out);
}

void data_event(struct session *s, const json_t *event)
{
	bool object = strcmp(json_text(event, "event"), "object") == 0;
	if (object)
		print_object(s, s->on_event_ctx, event);
	else if (stream_is_terminal(s->arguments->error)) // elsewhere the lines say enough
		progress_event(s->progress, event);
}

// ---------------------------------------------------------------- one request
struct act {
	const char *path;
	void (*print)(struct session *s, const struct data_options *o, const json_t *result);
};

static int act_run(const struct arguments *a, const struct act *act)
{
	const struct data_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	AUTO(json) body = NULL;
	int rc = session_open_here(&s, a, &o->common);
	if (rc == 0) {
		body = data_body(&s, o, a->rest[0], a->count > 1 ? a->rest[1] : NULL);
		s.on_event = data_event;
		s.on_event_ctx = (void *)(uintptr_t)o;
		rc = session_request(&s, "POST", act->path, body, &result);
	}
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		act->print(&s, o, result);
	return session_end(&s, rc);
}

static struct str bytes_of(struct session *s, const json_t *result)
{
	return cell_bytes(&s->arena, json_num(result, "bytes", 0));
}

static void print_copied(struct session *s, const struct data_options *o, const json_t *result)
{
	struct str sha256 = json_str(result, "sha256");
	long long objects = (long long)json_int(result, "objects", 0),
		  skipped = (long long)json_int(result, "skipped", 0),
		  deleted = (long long)json_int(result, "deleted", 0);
	if (sha256.n) {
		fprintf(s->arguments->out, "%lld bytes, SHA-256 %.*s\n", (long long)json_int(result, "bytes", 0),
			STR(sha256));
		return;
	}
	fprintf(s->arguments->out, "%s%lld copied (%.*s), %lld there already, %lld deleted\n",
		o->dry_run ? "dry run: " : "", objects, STR(bytes_of(s, result)), skipped, deleted);
}

static void print_moved(struct session *s, const struct data_options *o, const json_t *result)
{
	fprintf(s->arguments->out, "%s%lld moved (%.*s)\n", o->dry_run ? "dry run: " : "",
		(long long)json_int(result, "objects", 0), STR(bytes_of(s, result)));
}

static void print_verified(struct session *s, const struct data_options *o, const json_t *result)
{
	(void)o;
	fprintf(s->arguments->out, "%lld in order (%.*s)\n", (long long)json_int(result, "objects", 0),
		STR(bytes_of(s, result)));
}

// ---------------------------------------------------------------- commands
static const struct option copy_options[] = {
	COMMON_OPTIONS(struct data_options),
	DATA_RECURSIVE,
	{.name = "update",
		.letter = 'u',
		.type = OPTION_FLAG,
		.offset = offsetof(struct data_options, update),
		.help = "with --recursive, pass over what is there already in the same size and not older"},
	DATA_CHECKSUM,
	DATA_SELECT,
	DATA_ACT,
};
static const struct option sync_options[] = {
	COMMON_OPTIONS(struct data_options),
	{.name = "delete",
		.type = OPTION_FLAG,
		.offset = offsetof(struct data_options, delete_others),
		.help = "remove at the target what the source has not, once all else was copied without a failure"},
	DATA_CHECKSUM,
	DATA_SELECT,
	DATA_ACT,
};
static const struct option verify_options[] = {COMMON_OPTIONS(struct data_options), DATA_SELECT, DATA_ACT};

static int cp_run(const struct arguments *a)
{
	static const struct act act = {"/v1/objects/copy", print_copied};
	return act_run(a, &act);
}

const struct command data_cp_command = {
	.name = "data cp",
	.arguments = "FROM TO",
	.help = "Copies an object or a file, or with --recursive what lies below a place; a target that ends in / "
		"keeps the "
		"name. Lengths and checksums are compared." PLACES,
	.example = "isobar data cp model.bin s3://bucket/models/\n"
		   "isobar data cp -r --exclude '*.tmp' gs://bucket/data/ aws-us:lake/raw/",
	COMMAND_OPTIONS(copy_options, struct data_options),
	.min_arguments = 2,
	.max_arguments = 2,
	.run = cp_run,
};

static int sync_run(const struct arguments *a)
{
	static const struct act act = {"/v1/objects/sync", print_copied};
	return act_run(a, &act);
}

const struct command data_sync_command = {
	.name = "data sync",
	.arguments = "FROM TO",
	.help = "Makes a place hold what lies below another; what is there already is not moved again, so that a run "
		"that was "
		"cut goes on." PLACES,
	.example = "isobar data sync ./photos s3://bucket/photos/\n"
		   "isobar data sync --delete -n s3://bucket/a/ az://container/a/",
	COMMAND_OPTIONS(sync_options, struct data_options),
	.min_arguments = 2,
	.max_arguments = 2,
	.run = sync_run,
};

static int mv_run(const struct arguments *a)
{
	static const struct act act = {"/v1/objects/move", print_moved};
	return act_run(a, &act);
}

const struct command data_mv_command = {
	.name = "data mv",
	.arguments = "FROM TO",
	.help = "Moves an object or a file, or with --recursive what lies below a place: the source goes once its copy "
		"is "
		"proven." PLACES,
	.example = "isobar data mv s3://bucket/new/x.csv s3://bucket/done/\nisobar data mv -r ./out gs://bucket/out/",
	COMMAND_OPTIONS(copy_options, struct data_options),
	.min_arguments = 2,
	.max_arguments = 2,
	.run = mv_run,
};

static int verify_run(const struct arguments *a)
{
	static const struct act act = {"/v1/objects/verify", print_verified};
	return act_run(a, &act);
}

const struct command data_verify_command = {
	.name = "data verify",
	.arguments = "PLACE [OTHER]",
	.help = "Reads what lies below a place against its store's checksums, or compares it with another "
		"place." PLACES,
	.example = "isobar data verify aws-us:lake/models/\nisobar data verify ./photos s3://bucket/photos/",
	COMMAND_OPTIONS(verify_options, struct data_options),
	.min_arguments = 1,
	.max_arguments = 2,
	.run = verify_run,
};
