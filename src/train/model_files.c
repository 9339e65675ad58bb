// SPDX-License-Identifier: Apache-2.0
// model.json and the weights it describes.
#include "train/model_files.h"

#include "base/file.h"
#include "math/mlp.h"
#include "train/carry.h"
#include "train/reference.h"

// From the first cloud that gives the right bytes.
static int fetch_weights(struct call *c, const struct step *step, const struct model_version *v, const json_t *trained, const char *path)
{
	const json_t *place, *places = json_object_get(trained, "parts");
	size_t i;
	int rc = call_fail(c, ERR_NOT_FOUND, "the training's record says no place of its weights");
	json_array_foreach(places, i, place) {
		struct carry here = {
			.cloud = clouds_find(step->clouds, json_str(place, "cloud")),
			.bucket = json_str(place, "bucket"),
			.key = arena_printf(c->arena, "%sweights.safetensors", json_text(place, "prefix")),
			.path = path,
			.state = step->state,
			.what = step->address,
			.id = arena_printf(c->arena, "%.*s/%.*s/weights", STR(step->address), STR(step->run)),
		};
		if (carry_is(path, v->sha256))
			return 0;
		if (!here.cloud)
			continue;
		rc = carry_here(c, &here);
		if (rc == 0 && carry_is(path, v->sha256))
			return 0;
		if (rc == 0)
			rc = call_fail(c, ERR_CORRUPT, "the weights on %.*s are not those that the training recorded", STR(here.cloud->name));
	}
	return carry_is(path, v->sha256) ? 0 : rc;
}

static json_t *tensors_to_json(const struct field_list *list)
{
	json_t *all = json_array();
	for (size_t i = 0; i < list->count; i++) {
		const struct model_tensor *t = &((const struct model_tensor *)list->items)[i];
		const char *type = model_datatype(t->type);
		json_t *one = json_object(), *shape = json_array();
		json_array_append_new(shape, json_integer(-1));
		for (size_t k = 0; k < t->shape.count; k++)
			json_array_append_new(shape, json_integer(((const int64_t *)t->shape.items)[k]));
		json_set_str(one, "name", t->name);
		json_object_set_new(one, "datatype", json_string(type ? type : "BYTES"));
		json_object_set_new(one, "shape", shape);
		json_array_append_new(all, one);
	}
	return all;
}

// A perceptron is told from other weights by its tensors, not by who made it.
static int describe_weights(struct call *c, const char *path, json_t *j)
{
	AUTO(safetensors_file) file = {0};
	AUTO(mlp) m = {0};
	struct err none;
	int rc = safetensors_open(path, c->arena, &file, &c->err);
	if (rc < 0)
		return rc;
	if (mlp_read(&file.content, &m, &none) < 0) {
		json_object_set_new(j, "format", json_string("safetensors"));
		return 0;
	}
	json_t *layers = json_array();
	for (size_t i = 0; i <= m.layers; i++)
		json_array_append_new(layers, json_integer((json_int_t)m.sizes[i]));
	json_object_set_new(j, "format", json_string("mlp"));
	json_object_set_new(j, "layers", layers);
	return 0;
}

// Data without a sketch gives a model without a reference: nothing is measured against it, and nothing else is lost.
static int add_sketch(struct call *c, const struct parts *sketched, json_t *j)
{
	AUTO(sketch) s = {0};
	int rc = sketched ? reference_of_parts(c, sketched, &s) : ERR_NOT_FOUND;
	if (rc == 0)
		json_object_set_new(j, "sketch", sketch_to_json(&s));
	else if (rc != ERR_NOT_FOUND)
		return rc;
	err_clear(&c->err);
	return 0;
}

static int write_description(struct call *c, const struct model_source *from, const struct model_files *files)
{
	const struct model_version *v = from->version;
	AUTO(json) j = json_object();
	AUTO(buf) text = {0};
	json_set_str(j, "name", v->model);
	json_set_str(j, "version", v->version);
	json_set_str(j, "sha256", v->sha256);
	json_object_set_new(j, "inputs", tensors_to_json(&from->model->input));
	json_object_set_new(j, "outputs", tensors_to_json(&from->model->output));
	int rc = describe_weights(c, files->weights, j);
	if (rc == 0)
		rc = add_sketch(c, from->sketched, j);
	if (rc == 0)
		rc = json_write(j, &text, &c->err);
	if (rc == 0)
		rc = file_write_atomic(files->description, buf_str(&text), 0600, &c->err);
	return rc;
}

int model_files_make(struct call *c, const struct step *step, const struct model_source *from, struct model_files *out)
{
	struct model_files files = {
		.weights = arena_printf(c->arena, "%s/weights.safetensors", step->scratch).p,
		.description = arena_printf(c->arena, "%s/model.json", step->scratch).p,
	};
	if (!files.weights || !files.description)
		return call_no_memory(c);
	int rc = fetch_weights(c, step, from->version, from->trained, files.weights);
	if (rc == 0)
		rc = write_description(c, from, &files);
	if (rc < 0)
		return rc;
	*out = files;
	return 0;
}
