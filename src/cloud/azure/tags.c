// SPDX-License-Identifier: Apache-2.0
// Metadata of a container. Source: "Get Container Properties" and "Set Container Metadata", Blob Storage REST API. Names
// are identifiers of C#, so that a hyphen becomes '_'.
#include "cloud/azure/store_impl.h"
#include "cloud/http/object_fields.h"
#include "cloud/tags.h"

int azure_store_bucket_tags(struct call *c, void *store, struct str bucket, json_t **tags)
{
	struct azure_store *s = store;
	struct exchange x = {.call = &azure_calls[AZURE_GET_CONTAINER_PROPERTIES],
		.path = azure_path(c, bucket, S("")),
		.query = S("restype=container")};
	struct transport_response answer = {0};
	json_t *found = NULL;
	int r = object_check_bucket(c, bucket);
	if (!r)
		r = x.path.p ? exchange_run(c, &s->provider, &x, &answer) : call_no_memory(c);
	if (!r)
		r = object_read_metadata(c, &answer, "x-ms-meta-", S(""), &found);
	if (r)
		return call_context(c, "metadata of container %.*s", STR(bucket));
	*tags = found ? json_incref(found) : json_object();
	return *tags ? 0 : call_no_memory(c);
}

int azure_store_bucket_set_tags(struct call *c, void *store, struct str bucket, const json_t *tags)
{
	struct azure_store *s = store;
	struct exchange x = {.call = &azure_calls[AZURE_SET_CONTAINER_METADATA],
		.path = azure_path(c, bucket, S("")),
		.query = S("restype=container&comp=metadata")};
	struct transport_response answer = {0};
	AUTO(json) plain = json_object();
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)tags, name, value)
	{
		struct str n = tags_plain(c->arena, str_of(name), '_', 128);
		if (!n.p)
			return call_no_memory(c);
		json_set_str(plain, n.p, json_value_str(value));
	}
	int r = object_check_bucket(c, bucket);
	if (!r)
		r = object_add_metadata(c, &x, "x-ms-meta-", plain);
	if (!r)
		r = x.path.p ? exchange_run(c, &s->provider, &x, &answer) : call_no_memory(c);
	return r ? call_context(c, "set the metadata of container %.*s", STR(bucket)) : 0;
}
