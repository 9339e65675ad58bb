// SPDX-License-Identifier: Apache-2.0
// encryption_keys: the table and how a key is made in its cloud. See encryption_key_kind.h.
// A key lives in the cloud's own key service under its declared name; outputs are what the service says of it.
#include "security/encryption_key_kind.h"

#include "security/security_ctx.h"

static const struct field fields[] = {
	{.name = "clouds",
		.type = FIELD_CLOUDS,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct encryption_key, clouds),
		.help = "where the key exists: one key of its own on each cloud"},
	{.name = "rotate",
		.type = FIELD_DURATION,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct encryption_key, rotate_ns),
		.help = "a new version after this long; older versions still open what they closed"},
};

const struct kind encryption_key_kind = {
	.plural = "encryption_keys",
	.singular = "encryption-key",
	.help = "a key in a cloud's key service that wraps the data keys of buckets",
	.example = "encryption_keys:\n"
		   "  lake: {clouds: all, rotate: 90d}\n",
	.size = sizeof(struct encryption_key),
	KIND_FIELDS(fields),
	.at_providers = true,
};

static int cloud_of(struct call *c, const struct security_ctx *s, const struct resource *r, const struct cloud **out)
{
	*out = clouds_find(s->clouds, r->cloud);
	if (!*out)
		return call_fail(c, ERR_NOT_FOUND, "%.*s: there is no cloud \"%.*s\"", STR(r->address), STR(r->cloud));
	return 0;
}

static int key_create(struct call *c, void *ctx, const struct resource *r, json_t **outputs, struct str *cloud_id)
{
	const struct cloud *cloud;
	int rc = cloud_of(c, ctx, r, &cloud);
	if (rc == 0)
		rc = CLOUD_CALL(c, cloud, keys, create, r->name);
	if (rc == 0)
		rc = CLOUD_CALL(c, cloud, keys, describe, r->name, outputs);
	if (rc < 0)
		return rc;
	*cloud_id = r->name;
	return 0;
}

static int key_read(struct call *c, void *ctx, const struct resource *r, json_t **outputs)
{
	const struct cloud *cloud;
	int rc = cloud_of(c, ctx, r, &cloud);
	if (rc == 0)
		rc = CLOUD_CALL(c, cloud, keys, describe, r->name, outputs);
	return rc < 0 ? call_context(c, "read %.*s", STR(r->address)) : 0;
}

// `rotate` is the only field that changes, and it only decides when the next rotation is due: the key itself stays.
static int key_update(
	struct call *c, void *ctx, const struct resource *r, UNUSED const json_t *before, json_t **outputs)
{
	return key_read(c, ctx, r, outputs);
}

static int key_delete(struct call *c, void *ctx, const struct resource *r)
{
	const struct cloud *cloud;
	int rc = cloud_of(c, ctx, r, &cloud);
	if (rc == 0)
		rc = CLOUD_CALL(c, cloud, keys, delete, r->name);
	return rc;
}

const struct resource_handler encryption_key_handler = {
	.kind = &encryption_key_kind,
	.per_cloud = true,
	.create = key_create,
	.read = key_read,
	.update = key_update,
	.delete = key_delete,
};
