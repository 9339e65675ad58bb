// SPDX-License-Identifier: Apache-2.0
// The table of buckets, and the handler that makes them through each cloud's resources.
#include "data/bucket_kind.h"

#include "state/resource_common.h"

static const char *const public_choices[] = {"never", NULL};

static const struct field bucket_fields[] = {
	{.name = "clouds",
		.type = FIELD_CLOUDS,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct bucket, clouds),
		.help = "where the bucket is made: one on each of these clouds, under one name for all of them"},
	{.name = "cloud",
		.type = FIELD_CLOUD,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct bucket, clouds),
		.help = "the one cloud where it is, in place of clouds"},
	{.name = "name",
		.type = FIELD_NAME,
		.flags = 0,
		.offset = offsetof(struct bucket, name),
		.help = "name at the provider; without it the workspace's name and the bucket's, \"fashion-lake\""},
	{.name = "encrypt_with",
		.type = FIELD_REF,
		.flags = 0,
		.offset = offsetof(struct bucket, encrypt_with),
		.refers = "encryption-key",
		.help = "key that wraps the bucket's data key; objects are encrypted before they leave for the provider"},
	{.name = "versioning",
		.type = FIELD_BOOL,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct bucket, versioning),
		.otherwise = "false",
		.help = "whether the provider keeps the older versions of objects"},
	{.name = "public",
		.type = FIELD_CHOICE,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct bucket, public),
		.choices = public_choices,
		.otherwise = "never",
		.help = "never: nobody reads it without credentials; nothing else can be said"},
};

const struct kind bucket_kind = {
	.plural = "buckets",
	.singular = "bucket",
	.help = "a place for objects on each of its clouds",
	.example = "buckets:\n  lake: {clouds: all, encrypt_with: lake}\n",
	.size = sizeof(struct bucket),
	KIND_FIELDS(bucket_fields),
	.at_providers = true,
};

struct str bucket_physical_name(struct call *c, const struct bucket *b, struct str name)
{
	if (b->name.n)
		return arena_str(c->arena, b->name);
	return arena_printf(c->arena, "%.*s-%.*s", STR(c->workspace), STR(name));
}

// ---------------------------------------------------------------- handler
// The cloud of a bucket and the bucket's id there; NULL with c->err set.
static const struct cloud *bucket_cloud(struct call *c, void *ctx, const struct resource *r, struct str *id)
{
	struct bucket b = {0};
	if (kind_decode_json(&bucket_kind, r->resolved, c->arena, &b, &c->err)) {
		(void)call_context(c, "%.*s", STR(r->address));
		return NULL;
	}
	const struct cloud *cloud = clouds_find(ctx, r->cloud);
	if (!cloud)
		(void)call_fail(
			c, ERR_NOT_FOUND, "%.*s: the workspace has no cloud \"%.*s\"", STR(r->address), STR(r->cloud));
	*id = r->cloud_id.n ? r->cloud_id : bucket_physical_name(c, &b, r->name);
	return cloud;
}

static json_t *label_names(const json_t *labels)
{
	json_t *names = json_array();
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)labels, name, value) json_array_append_new(names, json_string(name));
	return names;
}

// What cloud/resources.h says a bucket takes.
static json_t *bucket_inputs(struct call *c, const struct resource *r)
{
	json_t *j = json_in_arena(c->arena, json_object()), *labels = resource_labels(c->arena, r->common);
	if (!j || !labels)
		return NULL;
	json_set_str(j, "workspace", c->workspace);
	json_set_str(j, "uid", r->uid);
	json_object_set(j, "labels", labels);
	json_object_set_new(j, "resumed", json_boolean(r->resumed));
	if (!r->before)
		return j;
	json_object_set_new(j, "drop", label_names(resource_labels(c->arena, r->before->common)));
	json_t *was = json_object_get(json_object_get(r->before->outputs, "settings"), "labels");
	if (r->reverts && was)
		json_object_set(j, "was", was);
	return j;
}

static int bucket_create(struct call *c, void *ctx, const struct resource *r, json_t **outputs, struct str *cloud_id)
{
	struct str id = {0};
	const struct cloud *cloud = bucket_cloud(c, ctx, r, &id);
	const json_t *inputs = bucket_inputs(c, r);
	if (!cloud || !inputs)
		return cloud ? call_no_memory(c) : c->err.code;
	int rc = CLOUD_CALL(c, cloud, resources, create, S("bucket"), id, inputs, outputs);
	if (rc == 0)
		*cloud_id = id;
	return rc;
}

// The mark of another workspace makes it the owner, as another tool's would.
static void name_owner(struct call *c, const struct resource *r, json_t *outputs)
{
	const json_t *mark = json_object_get(outputs, "mark");
	struct str workspace = json_str(mark, "workspace");
	if (!mark || str_eq(workspace, c->workspace) || str_eq(json_str(mark, "uid"), r->uid) ||
		json_object_get(outputs, "owner"))
		return;
	json_t *owner = json_object();
	json_set_str(owner, "by", arena_printf(c->arena, "the Isobar workspace %.*s", STR(workspace)));
	json_set_str(owner, "mark", arena_printf(c->arena, "isobar-uid=%s", json_text(mark, "uid")));
	json_set_str(owner, "advice",
		S("write `existing: keep` to use it as it is, or take it out of that workspace first"));
	json_object_set_new(outputs, "owner", owner);
}

static int bucket_read(struct call *c, void *ctx, const struct resource *r, json_t **outputs)
{
	struct str id = {0};
	const struct cloud *cloud = bucket_cloud(c, ctx, r, &id);
	if (!cloud)
		return c->err.code;
	int rc = CLOUD_CALL(c, cloud, resources, read, S("bucket"), id, outputs);
	if (rc == 0)
		name_owner(c, r, *outputs);
	return rc;
}

static int bucket_update(struct call *c, void *ctx, const struct resource *r, const json_t *before, json_t **outputs)
{
	(void)before;
	struct str id = {0};
	const struct cloud *cloud = bucket_cloud(c, ctx, r, &id);
	const json_t *inputs = bucket_inputs(c, r);
	if (!cloud || !inputs)
		return cloud ? call_no_memory(c) : c->err.code;
	return CLOUD_CALL(c, cloud, resources, update, S("bucket"), id, inputs, outputs);
}

// A record of a creation that failed may name what was never ours: only what carries our mark, or nobody's, is deleted.
static int check_ours(struct call *c, const struct resource *r, const json_t *found, bool *ours)
{
	const json_t *owner = json_object_get(found, "owner"), *mark = json_object_get(found, "mark");
	struct str uid = json_str(mark, "uid");
	*ours = uid.n ? str_eq(uid, r->uid) : !owner;
	if (*ours || !str_eq(r->status, S("ready")))
		return 0;
	return call_fail(c, ERR_DENIED,
		"it carries the mark of %s%s (%s), so it is not deleted: take the mark away if it is Isobar's after all",
		uid.n ? "the Isobar workspace " : "", uid.n ? json_text(mark, "workspace") : json_text(owner, "by"),
		uid.n ? json_text(mark, "uid") : json_text(owner, "mark"));
}

static int find_ours(struct call *c, const struct cloud *cloud, const struct resource *r, struct str id, bool *ours)
{
	json_t *found = NULL;
	*ours = false;
	int rc = CLOUD_CALL(c, cloud, resources, read, S("bucket"), id, &found);
	if (rc == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	if (rc == 0)
		rc = check_ours(c, r, found, ours);
	json_decref(found);
	return rc;
}

static int bucket_delete(struct call *c, void *ctx, const struct resource *r)
{
	struct str id = {0};
	bool ours = false;
	const struct cloud *cloud = bucket_cloud(c, ctx, r, &id);
	if (!cloud)
		return c->err.code;
	int rc = find_ours(c, cloud, r, id, &ours);
	if (rc < 0 || !ours)
		return rc;
	rc = CLOUD_CALL(c, cloud, resources, delete, S("bucket"), id);
	if (rc == ERR_CONFLICT)
		return call_context(c, "it holds objects; isobar destroy --objects, or isobar data rm --recursive %.*s:%.*s/, removes them",
			STR(r->cloud), STR(id));
	return rc;
}

const struct resource_handler bucket_handler = {
	.kind = &bucket_kind,
	.per_cloud = true,
	.create = bucket_create,
	.read = bucket_read,
	.update = bucket_update,
	.delete = bucket_delete,
};

// ---------------------------------------------------------------- finding
static int bucket_ready(struct call *c, const struct resource *r, struct str *physical)
{
	if (!r->cloud_id.n)
		return call_fail(c, ERR_WAITING, "%.*s is not made yet (status \"%.*s\"): apply the workspace first",
			STR(r->address), STR(r->status));
	*physical = r->cloud_id;
	return 0;
}

static int bucket_find_only(struct call *c, const struct state *s, struct str cloud, struct str *physical)
{
	struct resource *all = NULL;
	size_t count = 0;
	if (resource_list(c, s, S("bucket/"), &all, &count))
		return c->err.code;
	const struct resource *found = NULL;
	for (size_t i = 0; i < count; i++) {
		if (!str_eq(all[i].cloud, cloud) || resource_is_kept(&all[i]))
			continue; // what is made never goes into a bucket that is only used
		if (found)
			return call_fail(c, ERR_INVALID,
				"several buckets lie on %.*s (%.*s and %.*s): say which with `bucket:`", STR(cloud),
				STR(found->name), STR(all[i].name));
		found = &all[i];
	}
	if (!found)
		return call_fail(
			c, ERR_NOT_FOUND, "no bucket of ours lies on %.*s: declare one under `buckets:` and apply", STR(cloud));
	return bucket_ready(c, found, physical);
}

int bucket_find(struct call *c, const struct state *s, struct str name, struct str cloud, struct str *physical)
{
	if (!name.n)
		return bucket_find_only(c, s, cloud, physical);
	struct resource r = {0};
	int code = resource_get(c, s, resource_address(c->arena, S("bucket"), name, cloud), &r);
	if (code == ERR_NOT_FOUND)
		return call_fail(c, ERR_NOT_FOUND,
			"bucket/%.*s is not on %.*s: add the cloud to its `clouds:` and apply", STR(name), STR(cloud));
	return code ? code : bucket_ready(c, &r, physical);
}
