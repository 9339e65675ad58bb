// SPDX-License-Identifier: Apache-2.0
// A key service in front of an older one: see key_route.h.
#include "cloud/key_route.h"

#include "cloud/key_wrap.h"

#define FIRST(slot, ...) r->first.ops->slot(c, r->first.ctx, __VA_ARGS__)
#define OLDER(slot, ...) r->older.ops->slot(c, r->older.ctx, __VA_ARGS__)

static int not_offered(struct call *c, const struct key_service *s, const char *slot)
{
	return call_fail(c, ERR_UNSUPPORTED, "the key service %s has no %s", s->ops->name, slot);
}

// After an error of the first service: whether that was "no such key", and the older one has it. The error stays unless
// it does.
static bool only_older_has(struct call *c, const struct key_route *r, struct str name, json_t **description)
{
	struct err first = c->err;
	json_t *found = NULL;
	if (first.code != ERR_NOT_FOUND)
		return false;
	err_clear(&c->err);
	if (OLDER(describe, name, &found) == 0) {
		*description = found;
		return true;
	}
	c->err = first;
	return false;
}

static bool older_has(struct call *c, const struct key_route *r, struct str name)
{
	AUTO(json) description = NULL;
	return only_older_has(c, r, name, &description);
}

static int key_route_create(struct call *c, void *keys, struct str name)
{
	struct key_route *r = keys;
	return FIRST(create, name);
}

static int key_route_wrap(
	struct call *c, void *keys, struct str name, struct str context, struct str plain, struct str *wrapped)
{
	struct key_route *r = keys;
	int code = FIRST(wrap, name, context, plain, wrapped);
	return code && older_has(c, r, name) ? OLDER(wrap, name, context, plain, wrapped) : code;
}

static int key_route_unwrap(
	struct call *c, void *keys, struct str name, struct str context, struct str wrapped, struct str *plain)
{
	struct key_route *r = keys;
	if (str_eq(key_wrap_engine(wrapped), str_of(r->older.ops->name)))
		return OLDER(unwrap, name, context, wrapped, plain);
	return FIRST(unwrap, name, context, wrapped, plain);
}

static int key_route_rotate(struct call *c, void *keys, struct str name)
{
	struct key_route *r = keys;
	int code = FIRST(rotate, name);
	return code && older_has(c, r, name) ? FIRST(create, name) : code;
}

static int key_route_describe(struct call *c, void *keys, struct str name, json_t **out)
{
	struct key_route *r = keys;
	json_t *older = NULL;
	int code = FIRST(describe, name, out);
	if (!code || !only_older_has(c, r, name, &older))
		return code;
	json_object_set_new(older, "engine", json_string(r->older.ops->name));
	*out = older;
	return 0;
}

static int key_route_delete(struct call *c, void *keys, struct str name)
{
	struct key_route *r = keys;
	int code = FIRST(delete, name);
	return code ? code : OLDER(delete, name);
}

// Both where both have it: a disabled key opens nothing, whoever closed it.
static int set_state(struct call *c, const struct key_route *r, struct str name, bool on)
{
	const struct key_ops *first = r->first.ops, *second = r->older.ops;
	int (*to_first)(struct call *, void *, struct str) = on ? first->enable : first->disable;
	int (*to_second)(struct call *, void *, struct str) = on ? second->enable : second->disable;
	if (!to_first || !to_second)
		return not_offered(c, to_first ? &r->older : &r->first, on ? "enable" : "disable");
	int code = to_first(c, r->first.ctx, name);
	if (code && code != ERR_NOT_FOUND)
		return code;
	struct err of_first = c->err;
	err_clear(&c->err);
	int of_second = to_second(c, r->older.ctx, name);
	if (of_second != ERR_NOT_FOUND)
		return of_second;
	c->err = of_first;
	return code;
}

static int key_route_disable(struct call *c, void *keys, struct str name)
{
	return set_state(c, keys, name, false);
}

static int key_route_enable(struct call *c, void *keys, struct str name)
{
	return set_state(c, keys, name, true);
}

static int key_route_grants(struct call *c, void *keys, struct str name, json_t **out)
{
	struct key_route *r = keys;
	return r->first.ops->grants ? FIRST(grants, name, out) : not_offered(c, &r->first, "grants");
}

static int key_route_set_grants(struct call *c, void *keys, struct str name, const json_t *grants)
{
	struct key_route *r = keys;
	return r->first.ops->set_grants ? FIRST(set_grants, name, grants) : not_offered(c, &r->first, "set_grants");
}

void key_route_init(struct key_route *r, struct key_service first, struct key_service older)
{
	*r = (struct key_route){.first = first, .older = older};
	r->ops = (struct key_ops){.name = first.ops->name,
		.create = key_route_create,
		.wrap = key_route_wrap,
		.unwrap = key_route_unwrap,
		.rotate = key_route_rotate,
		.describe = key_route_describe,
		.delete = key_route_delete,
		.disable = key_route_disable,
		.enable = key_route_enable,
		.grants = key_route_grants,
		.set_grants = key_route_set_grants};
}
