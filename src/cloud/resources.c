// SPDX-License-Identifier: Apache-2.0
// Resources over a cloud's parts: see resources.h. One table of types; each does with its part what its slots can.
#include "cloud/resources.h"

#include <string.h>

#include "cloud/job_package.h"
#include "cloud/tags.h"

struct type {
	const char *name;
	int (*create)(struct call *c, const struct cloud *cloud, struct str id, const json_t *inputs);
	int (*read)(struct call *c, const struct cloud *cloud, struct str id, json_t **outputs);
	int (*update)(struct call *c, const struct cloud *cloud, struct str id, const json_t *inputs); // NULL: nothing to do
	int (*delete)(struct call *c, const struct cloud *cloud, struct str id);
};

// ---------------------------------------------------------------- bucket: whose it is

// Of a store without tags, and of a bucket that we may not look at, there is nothing to say.
static int read_tags(struct call *c, const struct cloud *cloud, struct str id, const json_t **tags)
{
	json_t *found = NULL;
	*tags = NULL;
	if (!cloud->store->bucket_tags)
		return CLOUD_CALL(c, cloud, store, bucket_head, id);
	int r = cloud->store->bucket_tags(c, cloud->store_ctx, id, &found);
	if (r == ERR_DENIED) {
		err_clear(&c->err);
		return CLOUD_CALL(c, cloud, store, bucket_head, id);
	}
	if (r)
		return r;
	*tags = json_in_arena(c->arena, found);
	return *tags ? 0 : call_no_memory(c);
}

static int check_taken(struct call *c, struct str id, const json_t *tags, const json_t *inputs)
{
	struct tags_owner owner;
	if (!tags && !json_flag(inputs, "resumed", false))
		return call_fail(c, ERR_DENIED,
			"the bucket %.*s exists already, and whose it is stands in its tags, which may not be read",
			STR(id));
	if (tags_find_owner(c->arena, tags, &owner) < 0)
		return call_no_memory(c);
	if (owner.by.n)
		return call_fail(c, ERR_DENIED, "the bucket %.*s exists already and belongs to %.*s (%.*s): %.*s",
			STR(id), STR(owner.by), STR(owner.mark), STR(owner.advice));
	if (owner.uid.n && !str_eq(owner.uid, json_str(inputs, "uid")))
		return call_fail(c, ERR_DENIED,
			"the bucket %.*s exists already and belongs to the Isobar workspace %.*s (" TAG_UID
			"=%.*s): give this one another `name:`, or write `existing: keep` to use it as it is",
			STR(id), STR(owner.workspace), STR(owner.uid));
	if (!owner.uid.n && !json_flag(inputs, "resumed", false))
		return call_fail(c, ERR_EXISTS,
			"the bucket %.*s exists already and Isobar did not make it: write `existing: adopt` to take it "
			"over, `existing: keep` to use it as it is, or another `name:`",
			STR(id));
	return 0;
}

// ---------------------------------------------------------------- bucket

static bool has_label(struct call *c, const json_t *list, const char *name)
{
	struct str plain = tags_plain(c->arena, str_of(name), '_', strlen(name));
	for (size_t i = 0; i < json_array_size(list); i++) {
		struct str one = json_value_str(json_array_get(list, i));
		if (str_eq(tags_plain(c->arena, one, '_', one.n), plain))
			return true;
	}
	return false;
}

// What stays of the labels that are there, ours, and the mark.
static json_t *wanted_tags(struct call *c, const json_t *now, const json_t *inputs)
{
	const json_t *was = json_object_get(inputs, "was"), *base = json_is_object(was) ? was : now;
	AUTO(json) tags = json_object();
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)base, name, value)
	{
		if (!has_label(c, json_object_get(inputs, "drop"), name))
			json_object_set(tags, name, value);
	}
	json_object_update(tags, json_object_get(inputs, "labels"));
	return json_in_arena(c->arena, tags_with_mark(tags, json_str(inputs, "workspace"), json_str(inputs, "uid")));
}

static int bucket_mark(struct call *c, const struct cloud *cloud, struct str id, const json_t *inputs)
{
	const json_t *now;
	if (!cloud->store->bucket_set_tags || !json_str(inputs, "uid").n)
		return 0;
	int r = read_tags(c, cloud, id, &now);
	if (r)
		return r;
	AUTO(json) theirs = tags_without_mark(c->arena, now);
	const json_t *tags = theirs ? wanted_tags(c, theirs, inputs) : NULL;
	if (!tags)
		return call_no_memory(c);
	return json_equal(now, tags) ? 0 : CLOUD_CALL(c, cloud, store, bucket_set_tags, id, tags);
}

static int bucket_create(struct call *c, const struct cloud *cloud, struct str id, const json_t *inputs)
{
	const json_t *tags;
	int r = json_str(inputs, "uid").n ? read_tags(c, cloud, id, &tags) : ERR_NOT_FOUND;
	if (!r && cloud->store->bucket_tags)
		r = check_taken(c, id, tags, inputs);
	else if (r == ERR_NOT_FOUND || r == ERR_DENIED) // somebody else's is refused when it is created
		r = 0;
	if (r)
		return r;
	err_clear(&c->err);
	r = CLOUD_CALL(c, cloud, store, bucket_create, id);
	return r ? r : bucket_mark(c, cloud, id, inputs);
}

static void set_owner(json_t *outputs, const struct tags_owner *owner)
{
	if (owner->uid.n || owner->workspace.n) {
		json_t *mark = json_object();
		json_set_str(mark, "workspace", owner->workspace);
		json_set_str(mark, "uid", owner->uid);
		json_object_set_new(outputs, "mark", mark);
	}
	if (owner->by.n) {
		json_t *by = json_object();
		json_set_str(by, "by", owner->by);
		json_set_str(by, "mark", owner->mark);
		json_set_str(by, "advice", owner->advice);
		json_object_set_new(outputs, "owner", by);
	}
}

static int bucket_read(struct call *c, const struct cloud *cloud, struct str id, json_t **outputs)
{
	const json_t *tags;
	struct tags_owner owner = {0};
	int r = read_tags(c, cloud, id, &tags);
	if (r)
		return r;
	json_t *j = json_object(), *labels = tags_without_mark(c->arena, tags);
	if (!j || !labels || tags_find_owner(c->arena, tags, &owner) < 0) {
		json_decref(j);
		json_decref(labels);
		return call_no_memory(c);
	}
	json_set_str(j, "name", id);
	json_set_str(j, "region", cloud->region);
	json_set_str(j, "location", cloud->location);
	json_object_set_new(j, "settings", json_pack("{s:o}", "labels", labels));
	set_owner(j, &owner);
	*outputs = j;
	return 0;
}

static int bucket_delete(struct call *c, const struct cloud *cloud, struct str id)
{
	if (job_packages_sweep(c, cloud, id))
		return c->err.code;
	return CLOUD_CALL(c, cloud, store, bucket_delete, id);
}

// ---------------------------------------------------------------- encryption-key

static int key_create(struct call *c, const struct cloud *cloud, struct str id, const json_t *inputs)
{
	(void)inputs;
	return CLOUD_CALL(c, cloud, keys, create, id);
}

static int key_read(struct call *c, const struct cloud *cloud, struct str id, json_t **outputs)
{
	return CLOUD_CALL(c, cloud, keys, describe, id, outputs);
}

static int key_delete(struct call *c, const struct cloud *cloud, struct str id)
{
	return CLOUD_CALL(c, cloud, keys, delete, id);
}

static const struct type types[] = {
	{"bucket", bucket_create, bucket_read, bucket_mark, bucket_delete},
	{"encryption-key", key_create, key_read, NULL, key_delete},
};

static int find(struct call *c, const struct cloud *cloud, struct str name, const struct type **out)
{
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		if (str_eq(str_of(types[i].name), name)) {
			*out = &types[i];
			return 0;
		}
	}
	return call_fail(c, ERR_UNSUPPORTED, "cloud/%.*s does not offer resources of type \"%.*s\"", STR(cloud->name),
		STR(name));
}

static int parts_resource_read(struct call *c, void *resources, struct str type, struct str id, json_t **outputs)
{
	const struct type *t = NULL;
	int r = find(c, resources, type, &t);
	return r ? r : t->read(c, resources, id, outputs);
}

static int parts_resource_create(
	struct call *c, void *resources, struct str type, struct str id, const json_t *inputs, json_t **outputs)
{
	const struct type *t = NULL;
	int r = find(c, resources, type, &t);
	if (!r)
		r = t->create(c, resources, id, inputs);
	return r ? r : t->read(c, resources, id, outputs);
}

static int parts_resource_update(
	struct call *c, void *resources, struct str type, struct str id, const json_t *inputs, json_t **outputs)
{
	const struct type *t = NULL;
	int r = find(c, resources, type, &t);
	if (!r && t->update)
		r = t->update(c, resources, id, inputs);
	return r ? r : t->read(c, resources, id, outputs);
}

static int parts_resource_delete(struct call *c, void *resources, struct str type, struct str id)
{
	const struct type *t = NULL;
	int r = find(c, resources, type, &t);
	return r ? r : t->delete (c, resources, id);
}

const struct resource_ops parts_resource_ops = {
	.name = "parts",
	.create = parts_resource_create,
	.read = parts_resource_read,
	.update = parts_resource_update,
	.delete = parts_resource_delete,
};
