// SPDX-License-Identifier: Apache-2.0
// From weights to a version with an alias: what the version is, its files and record (model_put.c), the measuring, the alias.
#include "train/model_step.h"

#include "data/attempts.h"
#include "data/bucket_kind.h"
#include "data/passage.h"
#include "train/measure.h"
#include "train/model_step_impl.h"
#include "train/training_kind.h"

// ---------------------------------------------------------------- what the version is
static json_t *lineage_of(const struct model_run *run)
{
	json_t *j = json_object(), *inputs = json_object();
	json_set_str(j, "training", run->model.from.name);
	json_set_str(j, "run", json_str(run->trained, "run"));
	json_object_set(j, "rounds", json_object_get(run->trained, "rounds"));
	json_object_set(j, "samples", json_object_get(run->trained, "samples"));
	for (size_t i = 0; i < run->step->input_count; i++) {
		const struct step_input *in = &run->step->inputs[i];
		json_object_setn_new(inputs, in->address.p, in->address.n, json_of_str(in->run));
	}
	json_object_set_new(j, "inputs", inputs);
	json_t *sites = json_array();
	const json_t *place;
	size_t i;
	json_array_foreach(json_object_get(run->trained, "parts"), i, place)
		json_array_append(sites, json_object_get(place, "cloud"));
	json_object_set_new(j, "sites", sites);
	static const char *const bounds[] = {"class", "residency", "operators"}; // of its making: they stay with the version
	for (size_t k = 0; k < COUNT_OF(bounds); k++)
		if (json_object_get(run->trained, bounds[k]))
			json_object_set(j, bounds[k], json_object_get(run->trained, bounds[k]));
	return j;
}

static int may_lie_on(struct call *c, const struct model_run *run, const struct cloud *cloud, bool *may)
{
	const struct passage p = {
		.what = run->step->address, .to = cloud, .making = true, .of = run->step->resource, .made = run->trained};
	return passage_allows(c, run->step->state, &p, may);
}

// Every cloud that has the bucket and may have the model.
static int find_targets(struct call *c, struct model_run *run)
{
	const struct clouds *clouds = run->step->clouds;
	run->targets = arena_new_array(c->arena, clouds->count + 1, struct target);
	run->version.clouds = arena_new_array(c->arena, clouds->count + 1, struct str);
	if (!run->targets || !run->version.clouds)
		return call_no_memory(c);
	struct err last = {0};
	for (size_t i = 0; i < clouds->count; i++) {
		struct target t = {.cloud = &clouds->items[i], .failures = ATTEMPTS_UNKNOWN};
		bool may = false;
		if (may_lie_on(c, run, t.cloud, &may))
			return c->err.code;
		if (!may)
			continue;
		int rc = bucket_find(c, run->step->state, run->model.bucket.name, t.cloud->name, &t.bucket);
		if (rc < 0 && rc != ERR_NOT_FOUND)
			return rc;
		last = rc < 0 ? c->err : last;
		err_clear(&c->err);
		if (rc < 0)
			continue;
		run->version.clouds[run->version.cloud_count++] = t.cloud->name;
		run->targets[run->count++] = t;
	}
	if (run->count)
		return 0;
	if (last.code)
		c->err = last;
	return last.code ? last.code : call_fail(c, ERR_DENIED, "%.*s may lie on no cloud", STR(run->step->address));
}

// The sketch of what it learned from is the reference of its inputs.
static int find_sketched(struct call *c, const struct model_run *run, struct parts *out, bool *found)
{
	struct resource r;
	struct training t = {0};
	struct str address = resource_address(c->arena, S("training"), run->model.from.name, S(""));
	int rc = address.p ? resource_get(c, run->step->state, address, &r) : call_no_memory(c);
	if (rc == 0)
		rc = kind_decode_json(&training_kind, r.resolved, c->arena, &t, &c->err);
	if (rc == 0)
		rc = parts_find(c, run->step, &t.data, out);
	*found = rc == 0;
	if (rc != ERR_WAITING)
		return rc;
	err_clear(&c->err);
	return 0;
}

static int describe(struct call *c, struct model_run *run)
{
	struct str address = resource_address(c->arena, S("training"), run->model.from.name, S(""));
	const struct step_input *training = address.p ? step_find_input(run->step, address) : NULL;
	struct parts parts;
	bool sketched = false;
	if (!training)
		return call_fail(c, ERR_WAITING, "%.*s: training/%.*s has not been made yet", STR(run->step->address), STR(run->model.from.name));
	run->trained = training->outputs;
	run->version.model = run->step->resource->name;
	run->version.bucket = run->model.bucket.name;
	run->version.sha256 = json_str(run->trained, "sha256");
	run->version.created_ns = call_now_ns(c);
	run->version.lineage = json_in_arena(c->arena, lineage_of(run));
	if (!run->version.lineage)
		return call_no_memory(c);
	int rc = model_version_of_run(c, run->step->state, &run->version, &run->version.version);
	if (rc == 0)
		rc = find_targets(c, run);
	if (rc == 0)
		rc = find_sketched(c, run, &parts, &sketched);
	const struct model_source from = {
		.model = &run->model, .version = &run->version, .trained = run->trained, .sketched = sketched ? &parts : NULL};
	return rc < 0 ? rc : model_files_make(c, run->step, &from, &run->files);
}

// ---------------------------------------------------------------- the alias
static const struct model_alias *find_alias(const struct model *m, struct str name)
{
	for (size_t i = 0; i < m->aliases.count; i++) {
		const struct model_alias *a = &((const struct model_alias *)m->aliases.items)[i];
		if (str_eq(a->name, name))
			return a;
	}
	return NULL;
}

static int check_needs(struct call *c, const struct model_run *run, const struct model_alias *alias, const json_t *metrics, json_t *needs)
{
	int rc = 0;
	for (size_t i = 0; i < alias->needs.count; i++) {
		const struct need *n = &((const struct need *)alias->needs.items)[i];
		struct str name = measure_name(c->arena, n);
		double measured = name.p ? json_num(metrics, name.p, 0) : 0;
		json_t *one = json_object();
		json_set_str(one, "need", n->text);
		json_object_set_new(one, "measured", json_real(measured));
		json_array_append_new(needs, one);
		if (!need_holds(n, measured) && rc == 0)
			rc = call_fail(c, ERR_FAILED, "model/%.*s version %.*s measures %.4f for \"%.*s\": the alias %.*s stays where it was",
				STR(run->version.model), STR(run->version.version), measured, STR(n->text), STR(alias->name));
	}
	return rc;
}

static void tell(const struct model_run *run, const struct model_alias *alias, const json_t *needs)
{
	AUTO(buf) text = {0};
	const json_t *one;
	size_t i;
	buf_printf(&text, "version %.*s is %.*s", STR(run->version.version), STR(alias->name));
	json_array_foreach(needs, i, one)
		buf_printf(&text, "%s %s: measured %.4f", i ? "," : ":", json_text(one, "need"), json_num(one, "measured", 0));
	step_report(run->step, &(struct progress_event){.what = alias->name, .done = 1, .total = 1, .unit = "", .text = buf_str(&text)});
}

static int promote(struct call *c, struct model_run *run, json_t *needs)
{
	const struct model_alias *alias = find_alias(&run->model, run->step->alias);
	AUTO(json) metrics = NULL;
	if (!run->step->alias.n)
		return 0;
	if (!alias)
		return call_fail(c, ERR_NOT_FOUND, "model/%.*s declares no alias %.*s", STR(run->version.model), STR(run->step->alias));
	int rc = measure_needs(c, run->step, &run->version, &alias->needs, &metrics);
	if (rc == 0)
		rc = model_record_metrics(c, run->step->state, run->version.model, run->version.version, metrics);
	if (rc == 0)
		rc = check_needs(c, run, alias, metrics, needs);
	if (rc < 0)
		return rc;
	struct model_alias_record record = {.model = run->version.model, .alias = alias->name, .version = run->version.version, .needs = needs};
	rc = model_promote(c, run->step->state, &record);
	if (rc == 0)
		tell(run, alias, needs);
	return rc;
}

static json_t *outputs_of(const struct model_run *run, json_t *needs)
{
	json_t *j = json_object(), *clouds = json_array();
	for (size_t i = 0; i < run->version.cloud_count; i++)
		json_array_append_new(clouds, json_of_str(run->version.clouds[i]));
	json_set_str(j, "version", run->version.version);
	json_set_str(j, "sha256", run->version.sha256);
	json_set_str(j, "bucket", run->version.bucket);
	json_set_str(j, "alias", run->step->alias);
	json_object_set_new(j, "clouds", clouds);
	json_object_set(j, "needs", needs);
	static const char *const inherited[] = {"class", "residency", "operators"};
	for (size_t i = 0; i < COUNT_OF(inherited); i++)
		if (json_object_get(run->trained, inherited[i]))
			json_object_set_new(j, inherited[i], json_deep_copy(json_object_get(run->trained, inherited[i])));
	return j;
}

int model_make(struct call *c, void *ctx, const struct step *step, json_t **outputs)
{
	struct model_run run = {.step = step};
	AUTO(json) needs = json_array();
	(void)ctx;
	int rc = kind_decode_json(&model_kind, step->resource->resolved, c->arena, &run.model, &c->err);
	if (rc < 0)
		return call_context(c, "%.*s", STR(step->address));
	rc = describe(c, &run);
	if (rc == 0)
		rc = model_put(c, &run);
	if (rc == 0)
		rc = promote(c, &run, needs);
	if (rc < 0)
		return rc;
	*outputs = outputs_of(&run, needs);
	return *outputs ? 0 : call_no_memory(c);
}
