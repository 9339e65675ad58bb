// SPDX-License-Identifier: Apache-2.0
// Sketches of all parts, added up.
#include "train/reference.h"

enum { SKETCH_LIMIT = 16 << 20 };

static int read_one(struct call *c, const struct part *p, struct sketch *out)
{
	struct str text, key = arena_printf(c->arena, "%.*ssketch.json", STR(p->prefix));
	AUTO(json) j = NULL;
	int rc = key.p ? cloud_get_bytes(c, p->cloud, p->bucket, key, SKETCH_LIMIT, &text) : call_no_memory(c);
	if (rc == 0)
		rc = json_parse(text, &j, &c->err);
	if (rc == 0)
		rc = sketch_of_json(j, out, &c->err);
	return rc < 0 ? call_context(c, "%.*s on %.*s", STR(key), STR(p->cloud->name)) : 0;
}

int reference_of_parts(struct call *c, const struct parts *parts, struct sketch *out)
{
	AUTO(sketch) all = {0};
	size_t wanted = parts->partitioned ? parts->count : 1; // whole copies would only say the same again
	int rc = 0;
	for (size_t i = 0; i < wanted && rc == 0; i++) {
		AUTO(sketch) one = {0};
		rc = read_one(c, &parts->items[i], i ? &one : &all);
		if (rc == 0 && i)
			rc = sketch_merge(&all, &one, &c->err);
	}
	if (rc < 0)
		return rc;
	*out = all;
	all = (struct sketch){0};
	return 0;
}

int reference_sketch(struct call *c, void *ctx, const struct field_ref *against, struct sketch *out)
{
	const struct reference_env *env = ctx;
	const struct step nowhere = {.state = env->state, .clouds = env->clouds};
	struct parts parts;
	int rc = parts_find(c, &nowhere, against, &parts);
	if (rc == ERR_WAITING)
		c->err.code = rc = ERR_NOT_FOUND;
	return rc < 0 ? rc : reference_of_parts(c, &parts, out);
}
