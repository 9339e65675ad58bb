// SPDX-License-Identifier: Apache-2.0
// A training as a step: reads what was declared and where the data lies, has it made one way or the other, tells the outputs.
#include "train/training.h"

#include "train/training_impl.h"

json_t *training_with(const struct training *t)
{
	json_t *with = t->with ? node_to_json(t->with) : json_object();
	if (json_is_object(with))
		return with;
	json_decref(with);
	return json_object();
}

struct str training_code(const struct training *t, const struct step *step, struct arena *a)
{
	if (!t->code.n || t->code.p[0] == '/')
		return t->code;
	return arena_printf(a, "%s/%.*s", step->folder ? step->folder : ".", STR(t->code));
}

const char *const *training_argv(const struct training *t, struct arena *a)
{
	size_t n = t->trainer.n ? 1 : t->command.count;
	const char **argv = arena_new_array(a, n + 1, const char *);
	for (size_t i = 0; argv && i < n; i++) {
		argv[i] = arena_cstr(a, t->trainer.n ? t->trainer : ((const struct str *)t->command.items)[i]);
		if (!argv[i])
			return NULL;
	}
	return argv;
}

static json_t *places_to_json(const struct training_made *made)
{
	json_t *list = json_array();
	for (size_t i = 0; i < made->place_count; i++) {
		json_t *place = json_object();
		json_set_str(place, "cloud", made->places[i].cloud->name);
		json_set_str(place, "bucket", made->places[i].bucket);
		json_set_str(place, "prefix", made->places[i].prefix);
		json_array_append_new(list, place);
	}
	return list;
}

static json_t *outputs_of(const struct step *step, const struct training *t, const struct parts *parts, const struct training_made *made)
{
	json_t *j = json_object();
	json_set_str(j, "run", step->run);
	json_set_str(j, "sha256", made->sha256);
	json_object_set_new(j, "size", json_integer((json_int_t)made->size));
	json_object_set_new(j, "samples", json_integer((json_int_t)made->samples));
	json_object_set_new(j, "rounds", json_integer(made->rounds));
	json_set_str(j, "trainer", t->trainer.n ? t->trainer : S("command"));
	json_object_set_new(j, "parts", places_to_json(made));
	json_object_set_new(j, "metrics", made->metrics ? json_deep_copy(made->metrics) : json_object());
	static const char *const inherited[] = {"class", "residency", "operators"};
	for (size_t i = 0; i < COUNT_OF(inherited); i++)
		if (json_object_get(parts->outputs, inherited[i]))
			json_object_set_new(j, inherited[i], json_deep_copy(json_object_get(parts->outputs, inherited[i])));
	return j;
}

int training_make(struct call *c, void *ctx, const struct step *step, json_t **outputs)
{
	struct training t = {0};
	struct parts parts;
	struct training_made made = {0};
	(void)ctx;
	int rc = kind_decode_json(&training_kind, step->resource->resolved, c->arena, &t, &c->err);
	if (rc < 0)
		return call_context(c, "%.*s", STR(step->address));
	rc = parts_find(c, step, &t.data, &parts);
	if (rc == 0)
		rc = t.federated.rounds > 0 ? training_federated(c, step, &t, &parts, &made) : training_single(c, step, &t, &parts, &made);
	if (rc < 0)
		return rc;
	*outputs = outputs_of(step, &t, &parts, &made);
	return *outputs ? 0 : call_no_memory(c);
}
