// SPDX-License-Identifier: Apache-2.0
// Resources over a cloud's parts: see resources.h. One table of types; each does with its part what its slots can.
#include "cloud/resources.h"

struct type {
	const char *name;
	int (*create)(struct call *c, const struct cloud *cloud, struct str id);
	int (*read)(struct call *c, const struct cloud *cloud, struct str id, json_t **outputs);
	int (*delete)(struct call *c, const struct cloud *cloud, struct str id);
};

// ---------------------------------------------------------------- bucket

static int bucket_create(struct call *c, const struct cloud *cloud, struct str id)
{
	return CLOUD_CALL(c, cloud, store, bucket_create, id);
}

static int bucket_read(struct call *c, const struct cloud *cloud, struct str id, json_t **outputs)
{
	int r = CLOUD_CALL(c, cloud, store, bucket_head, id);
	if (r)
		return r;
	json_t *j = json_object();
	if (!j)
		return call_no_memory(c);
	json_set_str(j, "name", id);
	json_set_str(j, "region", cloud->region);
	json_set_str(j, "location", cloud->location);
	*outputs = j;
	return 0;
}

static int bucket_delete(struct call *c, const struct cloud *cloud, struct str id)
{
	return CLOUD_CALL(c, cloud, store, bucket_delete, id);
}

// ---------------------------------------------------------------- encryption-key

static int key_create(struct call *c, const struct cloud *cloud, struct str id)
{
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
	{"bucket", bucket_create, bucket_read, bucket_delete},
	{"encryption-key", key_create, key_read, key_delete},
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
	(void)inputs;
	int r = find(c, resources, type, &t);
	if (!r)
		r = t->create(c, resources, id);
	return r ? r : t->read(c, resources, id, outputs);
}

// Neither type has an input that changes in place: what there is, is what was asked for.
static int parts_resource_update(
	struct call *c, void *resources, struct str type, struct str id, const json_t *inputs, json_t **outputs)
{
	(void)inputs;
	return parts_resource_read(c, resources, type, id, outputs);
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
