// SPDX-License-Identifier: Apache-2.0
// Taking a copy away: where the dataset may not lie any more, or is not to. What somebody else wrote there stays; the
// record goes last, with its event, so that a crash in between repeats the rest.
#include "data/replica_impl.h"

struct withdrawal {
	const struct replica *r;
	struct str key, prefix;
	const json_t *record;
	uint64_t removed, left;
};

static int remove_object(struct call *c, struct withdrawal *w, const struct object *o)
{
	struct str name = str_drop(o->key, w->prefix.n);
	const json_t *known = json_object_getn(json_object_get(w->record, "files"), name.p, name.n);
	if (!known || !str_eq(json_str(known, "etag"), o->etag)) {
		w->left++;
		return 0;
	}
	if (CLOUD_CALL(c, w->r->to, store, delete, w->r->bucket, o->key))
		return call_context(c, "remove %.*s", STR(o->key));
	w->removed++;
	return 0;
}

static int remove_objects(struct call *c, struct withdrawal *w)
{
	struct store_page page = {0};
	struct str manifest = arena_printf(c->arena, "datasets/%.*s/files.json", STR(w->r->in->resource->name));
	if (!manifest.p)
		return call_no_memory(c);
	int rc = cloud_list_all(c, w->r->to, w->r->bucket, w->prefix, &page);
	if (rc == ERR_NOT_FOUND) { // the bucket went, and all with it
		err_clear(&c->err);
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < page.count; i++)
		rc = call_check(c) ? c->err.code : remove_object(c, w, &page.objects[i]);
	return rc < 0 ? rc : CLOUD_CALL(c, w->r->to, store, delete, w->r->bucket, manifest);
}

static json_t *event_json(const struct withdrawal *w)
{
	json_t *j = json_object();
	json_set_str(j, "dataset", w->r->in->resource->address);
	json_set_str(j, "cloud", w->r->to->name);
	json_set_str(j, "bucket", w->r->bucket);
	json_set_str(j, "prefix", w->prefix);
	json_object_set_new(j, "removed", json_integer((json_int_t)w->removed));
	json_object_set_new(j, "left", json_integer((json_int_t)w->left));
	return j;
}

int replica_withdraw(struct call *c, const struct replica *r)
{
	struct withdrawal w = {.r = r,
		.key = replica_key(c->arena, r->in->resource->address, r->to->name),
		.prefix = replica_prefix(c->arena, r->in->resource->name)};
	struct record record = {0};
	if (!w.key.p || !w.prefix.p)
		return call_no_memory(c);
	if (state_get(c, r->in->state, w.key, &record))
		return c->err.code;
	if (!record.revision)
		return 0;
	w.record = record.value;
	if (r->bucket.n && remove_objects(c, &w))
		return call_context(
			c, "take the copy of %.*s on %.*s away", STR(r->in->resource->address), STR(r->to->name));
	const struct state_note note = {.key = w.key,
		.expected = record.revision,
		.type = S("replica.withdrawn"),
		.address = r->in->resource->address,
		.data = event_json(&w)};
	return state_put_noted(c, r->in->state, &note);
}
