// SPDX-License-Identifier: Apache-2.0
// Jobs as JSON, and their folder's name.
#include "cloud/job_files.h"

#include <string.h>

#include "base/file.h"

static const char *const state_texts[] = {
	[JOB_QUEUED] = "queued",
	[JOB_RUNNING] = "running",
	[JOB_SUCCEEDED] = "succeeded",
	[JOB_FAILED] = "failed",
	[JOB_STOPPED] = "stopped",
	[JOB_LOST] = "lost",
};

const char *job_state_text(enum job_state state)
{
	return (size_t)state < COUNT_OF(state_texts) ? state_texts[state] : "unknown";
}

int job_state_of_text(struct str text, enum job_state *out)
{
	for (size_t i = 0; i < COUNT_OF(state_texts); i++)
		if (str_eq(text, str_of(state_texts[i]))) {
			*out = (enum job_state)i;
			return 0;
		}
	return ERR_INVALID;
}

bool job_state_ended(enum job_state state)
{
	return state == JOB_SUCCEEDED || state == JOB_FAILED || state == JOB_STOPPED;
}

// ---------------------------------------------------------------- names
static bool name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
	       c == '-' || c == '@';
}

static int check_name(struct str job, char separator, struct err *e)
{
	if (!job.n || job.n > JOB_NAME_MAX)
		return err_set(e, ERR_INVALID, "job name of %zu bytes: 1 to %d are allowed", job.n, JOB_NAME_MAX);
	for (size_t i = 0; i < job.n; i++) {
		bool starts = i == 0 || job.p[i - 1] == separator;
		bool ends = i + 1 == job.n;
		bool bad = job.p[i] == separator ? starts || ends : !name_char(job.p[i]) || (starts && job.p[i] == '.');
		if (bad)
			return err_set(e, ERR_INVALID, "job name \"%.*s\" is not allowed at byte %zu", STR(job), i);
	}
	return 0;
}

static int swap_separator(struct arena *a, struct str in, const char pair[2], struct str *out, struct err *e)
{
	int code = check_name(in, pair[0], e);
	if (code)
		return code;
	char *copy = arena_cstr(a, in);
	if (!copy)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	for (char *p = copy; (p = strchr(p, pair[0])); p++)
		*p = pair[1];
	*out = (struct str){.p = copy, .n = in.n};
	return 0;
}

int job_folder_name(struct arena *a, struct str job, struct str *out, struct err *e)
{
	return swap_separator(a, job, "/+", out, e);
}

int job_name_of_folder(struct arena *a, struct str folder, struct str *out, struct err *e)
{
	return swap_separator(a, folder, "+/", out, e);
}

// ---------------------------------------------------------------- spec
static json_t *texts_to_json(const char *const *texts)
{
	json_t *list = json_array();
	for (size_t i = 0; texts && texts[i]; i++)
		json_array_append_new(list, json_of_str(str_of(texts[i])));
	return list;
}

static json_t *inputs_to_json(const struct job_spec *spec)
{
	json_t *list = json_array();
	for (size_t i = 0; i < spec->input_count; i++) {
		json_t *one = json_object();
		json_set_str(one, "name", spec->inputs[i].name);
		json_set_str(one, "bucket", spec->inputs[i].bucket);
		json_set_str(one, "prefix", spec->inputs[i].prefix);
		json_array_append_new(list, one);
	}
	return list;
}

json_t *job_spec_to_json(const struct job_spec *spec)
{
	json_t *j = json_object();
	json_set_str(j, "name", spec->name);
	json_object_set_new(j, "argv", texts_to_json(spec->argv));
	json_object_set_new(j, "environment", texts_to_json(spec->environment));
	json_set_str(j, "code", spec->code_directory);
	json_object_set_new(j, "with", spec->with ? json_deep_copy(spec->with) : json_object());
	json_object_set_new(j, "inputs", inputs_to_json(spec));
	json_t *output = json_object();
	json_set_str(output, "bucket", spec->output.bucket);
	json_set_str(output, "prefix", spec->output.prefix);
	json_object_set_new(j, "output", output);
	json_object_set_new(j, "cpu", json_real(spec->cpu));
	json_object_set_new(j, "memory", json_integer((json_int_t)spec->memory));
	json_object_set_new(j, "deadline_ns", json_integer(spec->deadline_ns));
	if (spec->spot) // absent else: a job that an older release wrote is the same job
		json_object_set_new(j, "spot", json_true());
	return j;
}

static int corrupt(struct err *e, const char *member)
{
	return err_set(e, ERR_CORRUPT, "job specification: \"%s\" is missing or not what it should be", member);
}

static int texts_of_json(struct arena *a, const json_t *list, const char *const **out)
{
	size_t count = json_array_size(list);
	const char **texts = arena_new_array(a, count + 1, const char *);
	if (!texts || !json_is_array(list))
		return ERR_CORRUPT;
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);
		texts[i] = json_is_string(item)
				   ? arena_cstr(a, str_bytes(json_string_value(item), json_string_length(item)))
				   : NULL;
		if (!texts[i])
			return ERR_CORRUPT;
	}
	*out = texts;
	return 0;
}

static struct str member(struct arena *a, const json_t *object, const char *name)
{
	return arena_str(a, json_str(object, name));
}

static int inputs_of_json(struct arena *a, const json_t *list, struct job_spec *out)
{
	size_t count = json_array_size(list);
	if (!json_is_array(list) || count > JOB_MAX_INPUTS)
		return ERR_CORRUPT;
	out->inputs = arena_new_array(a, count + 1, struct job_input);
	if (!out->inputs)
		return ERR_CORRUPT;
	for (size_t i = 0; i < count; i++) {
		const json_t *one = json_array_get(list, i);
		struct job_input *in = &out->inputs[i];
		*in = (struct job_input){.name = member(a, one, "name"),
			.bucket = member(a, one, "bucket"),
			.prefix = member(a, one, "prefix")};
		if (!in->bucket.n || file_check_relative(in->name, NULL))
			return ERR_CORRUPT;
	}
	out->input_count = count;
	return 0;
}

int job_spec_of_json(struct arena *a, const json_t *j, struct job_spec *out, struct err *e)
{
	struct job_spec s = {.name = member(a, j, "name"),
		.code_directory = member(a, j, "code"),
		.cpu = json_num(j, "cpu", 0),
		.spot = json_flag(j, "spot", false)};
	if (check_name(s.name, '/', e))
		return corrupt(e, "name");
	if (texts_of_json(a, json_object_get(j, "argv"), &s.argv) || !s.argv[0])
		return corrupt(e, "argv");
	if (texts_of_json(a, json_object_get(j, "environment"), &s.environment))
		return corrupt(e, "environment");
	if (inputs_of_json(a, json_object_get(j, "inputs"), &s))
		return corrupt(e, "inputs");
	const json_t *output = json_object_get(j, "output");
	s.output = (struct job_output){.bucket = member(a, output, "bucket"), .prefix = member(a, output, "prefix")};
	if (!s.output.bucket.n || !str_ends(s.output.prefix, S("/")))
		return corrupt(e, "output");
	s.with = json_in_arena(a, json_deep_copy(json_object_get(j, "with")));
	if (!json_is_object(s.with))
		return corrupt(e, "with");
	int64_t memory = json_int(j, "memory", -1);
	s.deadline_ns = json_int(j, "deadline_ns", -1);
	if (memory < 0 || s.deadline_ns < 0)
		return corrupt(e, memory < 0 ? "memory" : "deadline_ns");
	s.memory = (uint64_t)memory;
	*out = s;
	return 0;
}

// ---------------------------------------------------------------- status
json_t *job_status_to_json(const struct job_status *s)
{
	json_t *j = json_object();
	json_object_set_new(j, "state", json_string(job_state_text(s->state)));
	json_object_set_new(j, "exit_code", json_integer(s->exit_code));
	json_set_str(j, "reason", s->reason);
	json_object_set_new(j, "started_ns", json_integer(s->started_ns));
	json_object_set_new(j, "ended_ns", json_integer(s->ended_ns));
	json_object_set_new(j, "cpu_s", json_real(s->cpu_s));
	json_object_set_new(j, "peak_rss", json_integer((json_int_t)s->peak_rss));
	json_object_set_new(j, "billed_s", json_real(s->billed_s));
	json_object_set_new(j, "interrupted", json_integer(s->interrupted));
	json_set_str(j, "id", s->id);
	return j;
}

int job_status_of_json(struct arena *a, const json_t *j, struct job_status *out, struct err *e)
{
	struct job_status s = {
		.exit_code = (int)json_int(j, "exit_code", 0),
		.reason = member(a, j, "reason"),
		.started_ns = json_int(j, "started_ns", 0),
		.ended_ns = json_int(j, "ended_ns", 0),
		.cpu_s = json_num(j, "cpu_s", 0),
		.peak_rss = (uint64_t)json_int(j, "peak_rss", 0),
		.billed_s = json_num(j, "billed_s", 0),
		.interrupted = (uint32_t)json_int(j, "interrupted", 0),
		.id = member(a, j, "id"),
	};
	if (job_state_of_text(json_str(j, "state"), &s.state))
		return err_set(e, ERR_CORRUPT, "job status: \"%.64s\" is no state", json_text(j, "state"));
	*out = s;
	return 0;
}

json_t *job_process_to_json(const struct process *p)
{
	json_t *j = json_object();
	json_object_set_new(j, "pid", json_integer(p->pid));
	json_object_set_new(j, "start", json_integer((json_int_t)p->start_ticks));
	return j;
}

struct process job_process_of_json(const json_t *j)
{
	return (struct process){.pid = (pid_t)json_int(j, "pid", 0), .start_ticks = (uint64_t)json_int(j, "start", 0)};
}
