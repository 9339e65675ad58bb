// SPDX-License-Identifier: Apache-2.0
// Versions of a key of Google Cloud: rotating, disabling and destroying go by them. See kms_impl.h.
#include <string.h>

#include "cloud/gcp/kms_impl.h"
#include "cloud/http/looks.h"

enum { PAGE = 100 };

// ---------------------------------------------------------------- looking

static void count_version(struct gcp_versions *v, const json_t *one)
{
	struct str name = json_str(one, "name"), state = json_str(one, "state"), number = name;
	int64_t n = 0;
	for (ptrdiff_t at; (at = str_find_char(number, '/')) >= 0;)
		number = str_drop(number, (size_t)at + 1);
	if (str_to_i64(number, &n) || n <= 0)
		return;
	v->highest = MAX(v->highest, n);
	if (str_starts(state, S("DESTROY")))
		return;
	v->count++;
	if (str_eq(state, S("ENABLED")))
		v->enabled = MAX(v->enabled, n);
	if (!v->created.n)
		v->created = json_str(one, "createTime");
	v->rotated = json_str(one, "createTime");
	v->numbers[v->kept % COUNT_OF(v->numbers)] = number;
	v->states[v->kept++ % COUNT_OF(v->states)] = state;
}

static int list_page(struct call *c, void *ctx, struct str token, struct str *next)
{
	struct gcp_versions *v = ctx;
	AUTO(buf) query = {0};
	const json_t *answer = NULL, *one;
	size_t i;
	buf_printf(&query, "pageSize=%d", PAGE);
	if (token.n)
		exchange_parameter(&query, "pageToken", token);
	const struct gcp_request request = {.call = GCP_KMS_VERSION_LIST,
		.path = gcp_key_path(c, v->s, v->name, "/cryptoKeyVersions"),
		.query = buf_str(&query)};
	int r = gcp_key_call(c, v->s, &request, &answer);
	json_array_foreach(json_object_get(answer, "cryptoKeyVersions"), i, one)
	{
		count_version(v, one);
	}
	*next = json_str(answer, "nextPageToken");
	return r;
}

int gcp_versions_list(struct call *c, struct gcp_versions *v)
{
	*v = (struct gcp_versions){.s = v->s, .name = v->name, .before = v->before, .created = S(""), .rotated = S("")};
	return pages_all(c, list_page, v);
}

// ---------------------------------------------------------------- adding

static int add(struct call *c, void *ctx)
{
	struct gcp_versions *v = ctx;
	AUTO(json) in = json_object();
	const json_t *answer = NULL;
	const struct gcp_request request = {.call = GCP_KMS_VERSION_CREATE,
		.path = gcp_key_path(c, v->s, v->name, "/cryptoKeyVersions"),
		.in = in};
	int r = gcp_key_call(c, v->s, &request, &answer);
	if (!r)
		count_version(v, answer);
	return r || v->highest > v->before ? r : call_fail(c, ERR_PROTOCOL, "the answer names no version");
}

static int was_added(struct call *c, void *ctx, bool *done)
{
	struct gcp_versions *v = ctx;
	int r = gcp_versions_list(c, v);
	*done = v->highest > v->before;
	return r;
}

int gcp_versions_set_primary(struct call *c, struct gcp_versions *v, int64_t number)
{
	AUTO(json) in = json_object();
	json_set_str(in, "cryptoKeyVersionId", arena_printf(c->arena, "%lld", (long long)number));
	const struct gcp_request request = {.call = GCP_KMS_SET_PRIMARY,
		.path = gcp_key_path(c, v->s, v->name, ":updatePrimaryVersion"),
		.in = in};
	return gcp_key_call(c, v->s, &request, NULL);
}

int gcp_versions_add(struct call *c, struct gcp_versions *v)
{
	v->before = v->highest;
	int r = act_looking(c, &(struct looked_act){.ctx = v, .act = add, .look = was_added});
	return r ? r : gcp_versions_set_primary(c, v, v->highest);
}

static int64_t primary_of(const json_t *key)
{
	struct str name = json_str(json_object_get(key, "primary"), "name");
	int64_t n = 0;
	for (ptrdiff_t at; (at = str_find_char(name, '/')) >= 0;)
		name = str_drop(name, (size_t)at + 1);
	return str_to_i64(name, &n) ? 0 : n;
}

// A rotation that was cut after its first half left a version behind that is newer than the primary one: that is it.
int gcp_key_rotate(struct call *c, void *keys, struct str name)
{
	struct gcp_versions v = {.s = keys, .name = name};
	const json_t *key = NULL;
	const struct gcp_request request = {.call = GCP_KMS_KEY_GET, .path = gcp_key_path(c, keys, name, "")};
	int r = gcp_key_call(c, keys, &request, &key);
	if (!r)
		r = gcp_versions_list(c, &v);
	if (!r && v.enabled > primary_of(key) && v.enabled == v.highest)
		r = gcp_versions_set_primary(c, &v, v.enabled);
	else if (!r)
		r = gcp_versions_add(c, &v);
	return r ? call_context(c, "rotate key %.*s", STR(name)) : 0;
}

// ---------------------------------------------------------------- states

// Each version in the state `from` is put into `to`; destroy: is scheduled for destruction.
struct change {
	struct str from, to; // from "": any
	bool destroy;
};

static int change_one(struct call *c, struct gcp_versions *v, struct str number, const struct change *change)
{
	AUTO(json) in = json_object();
	struct gcp_request request = {
		.call = change->destroy ? GCP_KMS_VERSION_DESTROY : GCP_KMS_VERSION_PATCH, .in = in};
	struct str tail = arena_printf(
		c->arena, "/cryptoKeyVersions/%.*s%s", STR(number), change->destroy ? ":destroy" : "");
	if (!tail.p)
		return call_no_memory(c);
	request.path = gcp_key_path(c, v->s, v->name, tail.p);
	request.query = change->destroy ? S("") : S("updateMask=state");
	if (!change->destroy)
		json_set_str(in, "state", change->to);
	return gcp_key_call(c, v->s, &request, NULL);
}

static int change_all(struct call *c, struct gcp_versions *v, const struct change *change)
{
	int r = gcp_versions_list(c, v);
	if (!r && v->kept > COUNT_OF(v->numbers))
		return call_fail(c, ERR_LIMIT, "key %.*s has more than %zu versions", STR(v->name), COUNT_OF(v->numbers));
	for (size_t i = 0; !r && i < v->kept; i++) {
		if (!change->from.n || str_eq(v->states[i], change->from))
			r = change_one(c, v, v->numbers[i], change);
		if (r == ERR_CONFLICT && change->destroy) // on its way out since
			err_clear(&c->err), r = 0;
	}
	return r ? call_context(c, "key %.*s", STR(v->name)) : 0;
}

int gcp_key_delete(struct call *c, void *keys, struct str name)
{
	struct gcp_versions v = {.s = keys, .name = name};
	int r = change_all(c, &v, &(struct change){.destroy = true});
	if (r == ERR_NOT_FOUND)
		err_clear(&c->err), r = 0;
	return r;
}

int gcp_key_disable(struct call *c, void *keys, struct str name)
{
	struct gcp_versions v = {.s = keys, .name = name};
	return change_all(c, &v, &(struct change){.from = S("ENABLED"), .to = S("DISABLED")});
}

int gcp_key_enable(struct call *c, void *keys, struct str name)
{
	struct gcp_versions v = {.s = keys, .name = name};
	return change_all(c, &v, &(struct change){.from = S("DISABLED"), .to = S("ENABLED")});
}
