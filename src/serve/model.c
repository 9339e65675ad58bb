// SPDX-License-Identifier: Apache-2.0
// Loading a served model and running it: see model.h. Everything in the folder is checked, since it came over a
// network.
#include "serve/model.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"

static int read_signature(const json_t *j, struct served_model *m, struct err *e)
{
	const json_t *input = json_array_get(json_object_get(j, "inputs"), 0);
	const json_t *output = json_array_get(json_object_get(j, "outputs"), 0);
	struct str name, other;
	if (!str_eq(json_str(j, "format"), S("mlp")))
		return err_set(e, ERR_UNSUPPORTED, "format \"%s\" is not served here; this server knows mlp",
			json_text(j, "format"));
	if (json_need_str(input, "name", &name, e) < 0 || json_need_str(output, "name", &other, e) < 0)
		return err_set(e, ERR_CORRUPT, "the signature needs one named input and output");
	if (!str_eq(json_str(input, "datatype"), S("FP32")))
		return err_set(
			e, ERR_UNSUPPORTED, "input datatype \"%s\": an mlp takes FP32", json_text(input, "datatype"));
	m->input = arena_str(&m->arena, name);
	m->output = arena_str(&m->arena, other);
	return m->input.p && m->output.p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

// The reference sketch gives the form (bins and range); counting starts at zero.
static int read_sketch(const json_t *j, struct served_model *m, struct err *e)
{
	const json_t *reference = json_object_get(j, "sketch");
	if (!json_is_object(reference))
		return 0;
	int rc = sketch_of_json(reference, &m->sketch, e);
	if (rc < 0)
		return err_context(e, "sketch");
	if (m->sketch.elements != m->mlp.sizes[0])
		return err_set(e, ERR_CORRUPT, "the sketch has %zu elements, the model takes %zu", m->sketch.elements,
			m->mlp.sizes[0]);
	sketch_clear(&m->sketch);
	m->has_sketch = true;
	return 0;
}

static int read_weights(const char *folder, struct served_model *m, struct err *e)
{
	AUTO(arena) arena = {0};
	AUTO(safetensors_file) file = {0};
	struct str path = arena_printf(&arena, "%s/weights.safetensors", folder);
	int rc = safetensors_open(path.p, &arena, &file, e); // its errors name the file
	if (rc < 0)
		return rc;
	rc = mlp_read(&file.content, &m->mlp, e);
	if (rc == 0)
		rc = mlp_finite(&m->mlp, e);
	return rc < 0 ? err_context(e, "%s", path.p) : 0;
}

int served_model_load(const char *folder, struct str name, struct str version, struct served_model *out, struct err *e)
{
	struct served_model m = {0};
	AUTO(json) j = NULL;
	struct str path = arena_printf(&m.arena, "%s/model.json", folder);
	m.name = arena_str(&m.arena, name);
	m.version = arena_str(&m.arena, version);
	int rc = json_parse_file(path.p, MODEL_MAX_FILE, &j, e);
	if (rc == 0 && (rc = read_signature(j, &m, e)) < 0)
		err_context(e, "%s", path.p);
	if (rc == 0)
		rc = read_weights(folder, &m, e);
	if (rc == 0)
		rc = read_sketch(j, &m, e);
	if (rc == 0 && !(m.scratch = calloc(mlp_scratch_size(&m.mlp) + m.mlp.sizes[m.mlp.layers], sizeof(float))))
		rc = err_set(e, ERR_NO_MEMORY, "out of memory");
	if (rc < 0)
		served_model_free(&m);
	else
		*out = m;
	return rc;
}

void served_model_free(struct served_model *m)
{
	if (!m)
		return;
	mlp_free(&m->mlp);
	sketch_free(&m->sketch);
	free(m->scratch);
	arena_free(&m->arena);
	*m = (struct served_model){0};
}

// [784] is one sample, [n, 784] are n.
static int check_request(const struct served_model *m, const struct infer_request *r, size_t *n, struct err *e)
{
	const struct infer_tensor *t = &r->inputs[0];
	uint64_t width = m->mlp.sizes[0];
	if (r->input_count != 1 || !str_eq(t->name, m->input))
		return err_set(e, ERR_INVALID, "this model takes one input, \"%.*s\"", STR(m->input));
	if (!str_eq(t->datatype, S("FP32")))
		return err_set(e, ERR_INVALID, "input \"%.*s\" is FP32, got %.*s", STR(t->name),
			STR(str_take(t->datatype, 32)));
	bool one = t->rank == 1 && t->shape[0] == width, many = t->rank == 2 && t->shape[1] == width && t->shape[0] > 0;
	if (!one && !many)
		return err_set(e, ERR_INVALID, "input \"%.*s\" has the shape [%" PRIu64 "] or [n, %" PRIu64 "]",
			STR(t->name), width, width);
	for (size_t i = 0; i < r->output_count; i++)
		if (!str_eq(r->outputs[i], m->output))
			return err_set(e, ERR_INVALID, "this model has one output, \"%.*s\"", STR(m->output));
	*n = one ? 1 : (size_t)t->shape[0];
	return 0;
}

int served_model_run(
	struct served_model *m, const struct infer_request *r, struct arena *a, struct infer_answer *out, struct err *e)
{
	size_t n = 0, width = m->mlp.sizes[0], labels = m->mlp.sizes[m->mlp.layers];
	int rc = check_request(m, r, &n, e);
	if (rc < 0)
		return rc;
	int64_t *classes = arena_new_array(a, n, int64_t);
	if (!classes)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	float *logits = m->scratch + mlp_scratch_size(&m->mlp);
	for (size_t i = 0; i < n; i++) {
		const float *x = r->inputs[0].data + i * width;
		mlp_forward(&m->mlp, x, m->scratch, logits);
		classes[i] = (int64_t)mlp_class(logits, labels);
		if (m->has_sketch)
			sketch_add(&m->sketch, x);
	}
	m->samples += n;
	*out = (struct infer_answer){
		.model = m->name, .version = m->version, .classes = classes, .n = n, .output = m->output};
	return 0;
}

void served_model_describe(const struct served_model *m, struct buf *out)
{
	buf_printf(out,
		"{\"name\":\"%.*s\",\"versions\":[\"%.*s\"],\"platform\":\"isobar_mlp\","
		"\"inputs\":[{\"name\":\"%.*s\",\"datatype\":\"FP32\",\"shape\":[-1,%zu]}],"
		"\"outputs\":[{\"name\":\"%.*s\",\"datatype\":\"INT64\",\"shape\":[-1,1]}]}",
		STR(m->name), STR(m->version), STR(m->input), m->mlp.sizes[0], STR(m->output));
}
