// SPDX-License-Identifier: Apache-2.0
// Parts of made data, read from a step's outputs or, for data that is not upstream, from the record of what was made.
#include "train/parts.h"

#include "jobs/pipeline.h"

static const json_t *outputs_of(struct call *c, const struct step *step, struct str address)
{
	const struct step_input *in = step_find_input(step, address);
	const json_t *made = NULL;
	if (in)
		return in->outputs;
	if (pipeline_made(c, step->state, address, &made) < 0)
		return NULL;
	return json_object_get(made, "outputs");
}

static int find_outputs(struct call *c, const struct step *step, const struct field_ref *ref, struct str *of, const json_t **out)
{
	static const struct str kinds[] = {S_INIT("transform"), S_INIT("dataset")};
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		if (ref->kind.n && !str_eq(ref->kind, kinds[i]))
			continue;
		struct str address = resource_address(c->arena, kinds[i], ref->name, S(""));
		*out = address.p ? outputs_of(c, step, address) : NULL;
		if (!address.p)
			return call_no_memory(c);
		*of = address;
		if (*out)
			return 0;
		if (c->err.code && c->err.code != ERR_NOT_FOUND)
			return c->err.code;
		err_clear(&c->err);
	}
	return call_fail(c, ERR_WAITING, "%.*s has not been made yet", STR(ref->name));
}

// The member of a part that says where its objects are: the split that is asked for, the only one, or the part itself.
static const json_t *place_in(const json_t *part, struct str qualifier)
{
	const json_t *splits = json_object_get(part, "splits");
	if (!splits)
		return qualifier.n ? NULL : part;
	if (qualifier.n)
		return json_object_getn(splits, qualifier.p, qualifier.n);
	return json_object_size(splits) == 1 ? json_object_iter_value(json_object_iter((json_t *)(uintptr_t)splits)) : NULL;
}

static int read_part(struct call *c, const struct step *step, const struct field_ref *ref, const json_t *j, struct part *out)
{
	const json_t *place = place_in(j, ref->qualifier);
	if (!place)
		return call_fail(c, ERR_INVALID, "%.*s has no part \"%.*s\": write NAME/PART with a part that its maker left", STR(ref->name),
			STR(ref->qualifier));
	*out = (struct part){
		.cloud = clouds_find(step->clouds, json_str(j, "cloud")),
		.bucket = json_str(j, "bucket"),
		.prefix = json_str(place, "prefix"),
		.bytes = (uint64_t)MAX(json_int(place, "bytes", 0), 0),
		.records = (uint64_t)MAX(json_int(place, "records", json_int(j, "records", 0)), 0),
	};
	if (!out->cloud)
		return call_fail(c, ERR_INVALID, "%.*s lies on cloud %.*s, which the workspace does not declare", STR(ref->name),
			STR(json_str(j, "cloud")));
	if (!out->bucket.n || !out->prefix.n)
		return call_fail(c, ERR_CORRUPT, "the record of %.*s does not say where it lies on %.*s", STR(ref->name), STR(out->cloud->name));
	return 0;
}

// Whole copies have all of the source's records each.
static bool is_partitioned(const json_t *source)
{
	const json_t *parts = json_object_get(source, "parts"), *part;
	int64_t records = json_int(source, "records", 0);
	size_t i;
	if (json_array_size(parts) < 2)
		return false;
	json_array_foreach(parts, i, part)
		if (json_int(part, "records", 0) != records)
			return true;
	return false;
}

int parts_find(struct call *c, const struct step *step, const struct field_ref *ref, struct parts *out)
{
	struct parts p = {0};
	struct str of = {0};
	int rc = find_outputs(c, step, ref, &of, &p.outputs);
	if (rc < 0)
		return rc;
	const json_t *list = json_object_get(p.outputs, "parts");
	const struct step_input *source = step_find_kind(step, S("dataset"));
	p.partitioned = is_partitioned(json_object_get(p.outputs, "records") || !source ? p.outputs : source->outputs);
	p.items = arena_new_array(c->arena, json_array_size(list) + 1, struct part);
	if (!p.items)
		return call_no_memory(c);
	for (size_t i = 0; i < json_array_size(list) && rc == 0; i++) {
		rc = read_part(c, step, ref, json_array_get(list, i), &p.items[p.count]);
		p.items[p.count++].of = of;
	}
	if (rc < 0)
		return rc;
	if (!p.count)
		return call_fail(c, ERR_WAITING, "%.*s lies on no cloud", STR(ref->name));
	*out = p;
	return 0;
}

const struct part *parts_on(const struct parts *p, struct str cloud)
{
	for (size_t i = 0; i < p->count; i++)
		if (str_eq(p->items[i].cloud->name, cloud))
			return &p->items[i];
	return NULL;
}
