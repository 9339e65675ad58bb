// SPDX-License-Identifier: Apache-2.0
// Looking into buckets, and emptying them. See buckets.h.
#include "infra/buckets.h"

#include "base/time.h"

enum { REQUEST_TIMEOUT_S = 10, NAMED_MOST = 5 }; // of one request; buckets in a message

struct visit {
	const struct clouds *clouds;
	struct str down; // the last cloud that did not answer: its other buckets are not asked
	// look
	struct buf named;
	size_t full;
	// empty
	uint64_t removed;
};

static bool is_silence(int code)
{
	return code == ERR_TIMEOUT || code == ERR_UNAVAILABLE;
}

// ---------------------------------------------------------------- each bucket that goes
typedef int bucket_visit(struct call *c, struct visit *v, const struct cloud *cloud, const struct resource *r);

static bool goes(const struct plan_change *change, bool replaced_too)
{
	return (change->action == PLAN_DELETE || (replaced_too && change->action == PLAN_REPLACE)) &&
	       str_eq(change->recorded->kind, S("bucket")) && change->recorded->cloud_id.n;
}

static int visit_one(struct call *c, struct visit *v, const struct resource *r, bucket_visit *visit)
{
	const struct cloud *cloud = clouds_find(v->clouds, r->cloud);
	if (!cloud)
		return call_fail(c, ERR_NOT_FOUND, "look into %.*s: its cloud is not declared", STR(r->address));
	if (str_eq(v->down, r->cloud))
		return 0;
	int rc = visit(c, v, cloud, r);
	struct call probe = *c;
	if (!is_silence(rc) || call_check(&probe) < 0)
		return rc < 0 ? call_context(c, "look into %.*s", STR(r->address)) : 0;
	v->down = r->cloud; // what is on it fails by itself, and the others go on
	err_clear(&c->err);
	return 0;
}

static int visit_all(struct call *c, struct visit *v, const struct plan *plan, bucket_visit *visit)
{
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < plan->count; i++) {
		if (goes(&plan->changes[i], v->named.limit > 0))
			rc = visit_one(c, v, plan->changes[i].recorded, visit);
	}
	return rc;
}

// The first page that has something on it: what an encrypted bucket keeps for itself is not shown.
static int list_some(struct call *c, const struct cloud *cloud, struct store_list *list, struct store_page *page)
{
	int rc = CLOUD_CALL(c, cloud, store, list, list, page);
	while (rc == 0 && page->count == 0 && page->next.n) {
		list->token = page->next;
		rc = CLOUD_CALL(c, cloud, store, list, list, page);
	}
	return rc;
}

// ---------------------------------------------------------------- looking
static int look(struct call *c, struct visit *v, const struct cloud *cloud, const struct resource *r)
{
	AUTO(arena) arena = {0};
	struct call one;
	struct store_page page = {0};
	struct store_list list = {.bucket = r->cloud_id, .prefix = S(""), .delimiter = S(""), .token = S(""), .limit = 2};
	call_child(&one, c, &arena, REQUEST_TIMEOUT_S * NS_PER_S);
	int rc = list_some(&one, cloud, &list, &page);
	if (rc == ERR_NOT_FOUND)
		return 0;
	if (rc < 0) {
		c->err = one.err;
		return rc;
	}
	if (page.count && ++v->full <= NAMED_MOST)
		buf_printf(&v->named, "%s%.*s", v->full > 1 ? ", " : "", STR(r->address));
	return 0;
}

int buckets_check_empty(struct call *c, const struct clouds *clouds, const struct plan *plan)
{
	struct visit v = {.clouds = clouds, .named.limit = 64 << 10};
	int rc = visit_all(c, &v, plan, look);
	if (rc == 0 && v.full)
		rc = call_fail(c, ERR_CONFLICT,
			"%zu bucket%s to be deleted still hold%s objects, so nothing is done: %.*s%s; isobar destroy "
			"--objects, or isobar data rm --recursive CLOUD:BUCKET/, removes them",
			v.full, v.full == 1 ? "" : "s", v.full == 1 ? "s" : "", STR(buf_str(&v.named)),
			v.full > NAMED_MOST ? ", ..." : "");
	buf_free(&v.named);
	return rc;
}

// ---------------------------------------------------------------- emptying
static int empty_page(struct call *c, struct visit *v, const struct cloud *cloud, struct str bucket, bool *more)
{
	AUTO(arena) arena = {0};
	struct call one;
	struct store_page page = {0};
	struct store_list list = {.bucket = bucket, .prefix = S(""), .delimiter = S(""), .token = S("")};
	call_child(&one, c, &arena, REQUEST_TIMEOUT_S * NS_PER_S);
	int rc = list_some(&one, cloud, &list, &page);
	for (size_t i = 0; rc == 0 && i < page.count; i++) {
		call_child(&one, c, &arena, REQUEST_TIMEOUT_S * NS_PER_S);
		rc = CLOUD_CALL(&one, cloud, store, delete, bucket, page.objects[i].key);
		v->removed += rc == 0;
	}
	*more = page.count > 0;
	if (rc < 0 && rc != ERR_NOT_FOUND)
		c->err = one.err;
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

// From the start each time: what was listed is gone by then.
static int empty(struct call *c, struct visit *v, const struct cloud *cloud, const struct resource *r)
{
	bool more = true;
	int rc = 0;
	while (rc == 0 && more)
		rc = empty_page(c, v, cloud, r->cloud_id, &more);
	return rc;
}

int buckets_empty(struct call *c, const struct clouds *clouds, const struct plan *plan, struct buckets_emptied *out)
{
	struct visit v = {.clouds = clouds};
	int rc = visit_all(c, &v, plan, empty);
	out->objects = v.removed;
	return rc;
}
