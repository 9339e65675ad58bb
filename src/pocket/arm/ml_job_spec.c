// SPDX-License-Identifier: Apache-2.0
// What a command job is as a process: its code and inputs into folders, ${{inputs.NAME}} and ${{outputs.NAME}} of its
// command as paths, its environment. Source: "Azure Machine Learning CLI (v2) command job YAML schema" and "environment
// variables that are set in jobs" (Microsoft). The image isobar is this program and has no shell: its command is words.
#include <stdio.h>
#include <string.h>

#include "pocket/arm/entra.h"
#include "pocket/arm/ml_jobs_impl.h"

static const json_t *member(const json_t *doc, const char *name)
{
	return json_object_get(arm_properties_of(doc), name);
}

static bool is_literal(const json_t *input)
{
	return str_eq(json_str(input, "jobInputType"), S("literal"));
}

// ---------------------------------------------------------------- inputs

// Part 0 is the code, when there is any; then the inputs that are no literals, in their order.
static const json_t *nth(const json_t *object, bool inputs, size_t n, const char **name)
{
	json_t *value;
	const char *key;
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		if (inputs && is_literal(value))
			continue;
		if (n-- == 0) {
			*name = key;
			return value;
		}
	}
	return NULL;
}

size_t ml_job_parts(const json_t *doc)
{
	size_t n = arm_text(doc, "codeId").n > 0;
	const char *name;
	while (nth(member(doc, "inputs"), true, n - (arm_text(doc, "codeId").n > 0), &name))
		n++;
	return n;
}

int ml_job_part(const struct ml_run *run, size_t n, struct ml_place *from, struct str *folder, struct err *e)
{
	struct arm_state *s = run->state;
	struct arena *a = run->arena;
	const json_t *doc = run->doc;
	struct str code = arm_text(doc, "codeId");
	const char *name = "";
	if (code.n && n-- == 0) {
		const json_t *asset = ml_asset_find(s, "codes", code);
		*folder = arena_str(a, str_of(run->at->work));
		return asset ? ml_place_of(s, a, arm_text(asset, "codeUri"), from, e)
			     : err_set(e, ERR_NOT_FOUND, "the code %.*s is gone", STR(str_clip(code, 200)));
	}
	const json_t *input = nth(member(doc, "inputs"), true, n, &name);
	*folder = arena_printf(a, "%s/%s", run->at->input, name);
	if (!input || !folder->p || strchr(name, '/') || name[0] == '.')
		return err_set(e, ERR_INVALID, "the input \"%.80s\" cannot be the name of a folder", name);
	return ml_place_of(s, a, json_str(input, "uri"), from, e);
}

// ---------------------------------------------------------------- outputs

static const char *const kept[] = {"outputs", "logs"}; // of the folder where it runs

size_t ml_job_products(const json_t *doc)
{
	return COUNT_OF(kept) + json_object_size(member(doc, "outputs"));
}

int ml_job_product(const struct ml_run *run, size_t n, struct ml_place *to, struct str *folder, struct err *e)
{
	struct arena *a = run->arena;
	struct str name = run->name;
	const char *key = "";
	if (n < COUNT_OF(kept)) {
		*folder = arena_printf(a, "%s/%s", run->at->work, kept[n]);
		*to = (struct ml_place){.container = S("azureml"),
			.path = arena_printf(a, "ExperimentRun/dcid.%.*s/%s", STR(name), kept[n])};
		return folder->p && to->path.p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	const json_t *output = nth(member(run->doc, "outputs"), false, n - COUNT_OF(kept), &key);
	struct str uri = json_str(output, "uri");
	*folder = arena_printf(a, "%s/%s", run->at->output, key);
	if (!uri.n)
		uri = arena_printf(a, "azureml://datastores/workspaceblobstore/paths/azureml/%.*s/%s/", STR(name), key);
	return uri.p && folder->p ? ml_place_of(run->state, a, uri, to, e) : err_set(e, ERR_NO_MEMORY, "out of memory");
}

// ---------------------------------------------------------------- the command

static struct str last_part(struct str path)
{
	for (size_t i = path.n; i > 0; i--)
		if (path.p[i - 1] == '/')
			return str_drop(path, i);
	return path;
}

// The path or the value that stands for "inputs.NAME" or "outputs.NAME".
static struct str value_of(const struct ml_run *run, struct str word)
{
	struct arena *a = run->arena;
	const json_t *doc = run->doc;
	const struct engine_place *at = run->at;
	struct str kind, name;
	str_cut(str_trim(word), '.', &kind, &name);
	bool input = str_eq(kind, S("inputs"));
	const char *key = arena_cstr(a, name);
	const json_t *one = key ? json_object_get(member(doc, input ? "inputs" : "outputs"), key) : NULL;
	if (!one)
		return (struct str){0};
	if (input && is_literal(one))
		return arena_str(a, json_str(one, "value"));
	if (input && str_eq(json_str(one, "jobInputType"), S("uri_file")))
		return arena_printf(a, "%s/%s/%.*s", at->input, key, STR(last_part(json_str(one, "uri"))));
	return arena_printf(a, "%s/%s", input ? at->input : at->output, key);
}

static int substitute(const struct ml_run *run, struct str *out, struct err *e)
{
	struct str rest = arm_text(run->doc, "command");
	AUTO(buf) text = {0};
	for (;;) {
		ptrdiff_t begin = str_find(rest, S("${{"));
		ptrdiff_t end = begin < 0 ? -1 : str_find(str_drop(rest, (size_t)begin), S("}}"));
		if (end < 0)
			break;
		struct str word = {.p = rest.p + begin + 3, .n = (size_t)end - 3};
		struct str value = value_of(run, word);
		if (!value.p)
			return err_set(e, ERR_INVALID, "the command names ${{%.*s}}, which the job does not have",
				STR(str_clip(word, 80)));
		buf_add(&text, str_take(rest, (size_t)begin));
		buf_add(&text, value);
		rest = str_drop(rest, (size_t)(begin + end) + 2);
	}
	buf_add(&text, rest);
	*out = arena_str(run->arena, buf_str(&text));
	return out->p && !text.failed ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

bool ml_image_is_isobar(struct str image)
{
	struct str last = last_part(image), name, tag;
	str_cut(last, '@', &last, &tag);
	str_cut(last, ':', &name, &tag);
	return str_eq(name, S("isobar"));
}

int ml_split_command(struct str command, json_t *words, struct err *e)
{
	struct str word;
	for (size_t i = 0; i < command.n; i++)
		if (memchr("|&;<>()$`\\\"'*?[]{}~!\n", command.p[i], 22))
			return err_set(e, ERR_INVALID,
				"the image isobar has no shell: its command is the program and its arguments, without '%c'",
				command.p[i]);
	while (str_next(&command, ' ', &word))
		if (word.n)
			json_array_append_new(words, json_of_str(word));
	return 0;
}

static int command_words(struct str image, struct str command, json_t *words, struct err *e)
{
	if (!ml_image_is_isobar(image)) {
		json_array_append_new(words, json_string("/bin/sh"));
		json_array_append_new(words, json_string("-c"));
		json_array_append_new(words, json_of_str(command));
		return 0;
	}
	int rc = ml_split_command(command, words, e);
	if (rc == 0 && !str_eq(json_value_str(json_array_get(words, 0)), S("isobar")))
		rc = err_set(e, ERR_INVALID, "the image isobar has one program, isobar, with which its command begins");
	if (rc == 0)
		json_array_remove(words, 0);
	return rc;
}

// ---------------------------------------------------------------- the environment

static void add_paths(const struct ml_run *run, json_t *environment)
{
	struct arena *a = run->arena;
	static const char *const kinds[][2] = {{"inputs", "AZURE_ML_INPUT_"}, {"outputs", "AZURE_ML_OUTPUT_"}};
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		const char *key;
		json_t *one;
		json_object_foreach((json_t *)(uintptr_t)member(run->doc, kinds[i][0]), key, one)
		{
			struct str variable = arena_printf(a, "%s%s", kinds[i][1], key);
			struct str value = value_of(run, arena_printf(a, "%s.%s", kinds[i][0], key));
			if (variable.p && value.p)
				json_set_str(environment, variable.p, value);
		}
	}
}

static json_t *environment_of(const struct ml_run *run, json_t *identity)
{
	const struct arm_state *s = run->state;
	const json_t *doc = run->doc;
	const json_t *wanted = member(doc, "environmentVariables");
	json_t *j = json_object();
	json_set_str(j, "AZUREML_RUN_ID", run->name);
	json_set_str(j, "AZUREML_EXPERIMENT_NAME",
		arm_text(doc, "experimentName").n ? arm_text(doc, "experimentName") : S("Default"));
	json_set_str(j, "AZUREML_ARM_SUBSCRIPTION", s->subscription);
	json_set_str(j, "AZUREML_ARM_RESOURCEGROUP", s->group);
	json_set_str(j, "AZUREML_ARM_WORKSPACE_NAME", s->workspace);
	add_paths(run, j);
	json_object_update(j, identity);
	if (wanted)
		json_object_update(j, (json_t *)(uintptr_t)wanted);
	return j;
}

// ---------------------------------------------------------------- machines

// Sizes of general, memory and compute machines. Source: "Sizes for virtual machines in Azure" (Microsoft).
static const struct {
	const char *name;
	int cpu;
	double gib;
} machines[] = {
	{"Standard_DS1_v2", 1, 3.5}, {"Standard_DS2_v2", 2, 7}, {"Standard_DS3_v2", 4, 14}, {"Standard_DS4_v2", 8, 28},
	{"Standard_DS5_v2", 16, 56}, {"Standard_D2s_v3", 2, 8}, {"Standard_D4s_v3", 4, 16}, {"Standard_D8s_v3", 8, 32},
	{"Standard_D16s_v3", 16, 64}, {"Standard_D32s_v3", 32, 128}, {"Standard_E2s_v3", 2, 16},
	{"Standard_E4s_v3", 4, 32}, {"Standard_E8s_v3", 8, 64}, {"Standard_E16s_v3", 16, 128},
	{"Standard_E32s_v3", 32, 256}, {"Standard_F2s_v2", 2, 4}, {"Standard_F4s_v2", 4, 8}, {"Standard_F8s_v2", 8, 16},
	{"Standard_F16s_v2", 16, 32}, {"Standard_F32s_v2", 32, 64},
};

bool ml_machine_find(struct str instance_type, struct ml_machine *out)
{
	for (size_t i = 0; i < COUNT_OF(machines); i++) {
		if (!str_eq_nocase(instance_type, str_of(machines[i].name)))
			continue;
		*out = (struct ml_machine){
			.cpu = machines[i].cpu, .memory = (uint64_t)(machines[i].gib * (double)(UINT64_C(1) << 30))};
		return true;
	}
	return false;
}

int ml_job_spec(const struct ml_run *run, struct engine_spec *out, struct err *e)
{
	struct arena *a = run->arena;
	const json_t *doc = run->doc;
	const json_t *environment = ml_asset_find(run->state, "environments", arm_text(doc, "environmentId"));
	struct str image = str_of(ml_environment_image(environment)), command = S("");
	struct str timeout = json_str(member(doc, "limits"), "timeout");
	json_t *words = json_in_arena(a, json_array());
	struct ml_machine machine = {0};
	int64_t deadline_ns = 0;
	json_t *identity = json_in_arena(a, json_object());
	int rc = substitute(run, &command, e);
	if (rc == 0)
		rc = command_words(image, command, words, e);
	if (rc == 0)
		rc = entra_add_identity(run->state->pocket, json_str(doc, "engine"), identity, e);
	if (rc < 0)
		return rc;
	(void)ml_machine_find(json_str(member(doc, "resources"), "instanceType"), &machine);
	if (timeout.n)
		(void)!arm_duration(timeout, &deadline_ns); // looked at when the job was made
	*out = (struct engine_spec){.kind = ENGINE_JOB,
		.id = json_str(doc, "engine"),
		.image = image.n ? image : S("curated"),
		.argv = words,
		.environment = json_in_arena(a, environment_of(run, identity)),
		.memory = machine.memory,
		.cpu = machine.cpu,
		.deadline_ns = deadline_ns,
		.spot = str_eq_nocase(json_str(member(doc, "queueSettings"), "jobTier"), S("Spot"))};
	return out->environment ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}
