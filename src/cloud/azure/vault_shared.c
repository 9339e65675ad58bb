// SPDX-License-Identifier: Apache-2.0
// What the keys and the secrets of a Key Vault share: see vault_impl.h.
#include "base/time.h"
#include "cloud/azure/vault_impl.h"

int vault_call(struct call *c, struct azure_services *s, const struct vault_request *request, const json_t **out)
{
	struct azure_answer answer = {0};
	struct str path = request->path, query = S(VAULT_VERSION), rest;
	if (!s->apis[AZURE_API_VAULT].provider.ops)
		return call_fail(c, ERR_INVALID, "no Key Vault is named for cloud/%.*s: the operator's file says its address",
			STR(s->config.name));
	if (!path.p)
		return call_no_memory(c);
	if (str_cut(path, '?', &path, &rest))
		query = rest;
	const struct azure_request r = {.call = request->call, .path = path, .query = query, .in = request->in};
	int code = arm_json_call(c, s, &r, &answer);
	if (!code && out)
		*out = answer.body;
	return code;
}

struct str vault_path(struct call *c, const char *collection, struct str name, const char *tail)
{
	return arena_printf(c->arena, "/%s/%.*s%s", collection, STR(name), tail);
}

struct str vault_version_of(struct str id)
{
	for (ptrdiff_t at; (at = str_find_char(id, '/')) >= 0;)
		id = str_drop(id, (size_t)at + 1);
	return id;
}

struct str vault_name_of(struct str id)
{
	struct str rest = id, piece = S("");
	ptrdiff_t host = str_find(id, S("://"));
	if (host >= 0)
		rest = str_drop(id, (size_t)host + 3);
	for (int i = 0; i < 3; i++) // host, collection, name
		if (!str_next(&rest, '/', &piece))
			return S("");
	return piece;
}

struct str vault_time(struct call *c, const json_t *attributes, const char *name)
{
	char text[TIME_TEXT_SIZE];
	int64_t seconds = json_int(attributes, name, 0);
	if (seconds <= 0 || seconds > INT64_C(4102444800))
		return S("");
	time_rfc3339(seconds * NS_PER_S, 0, text);
	return arena_str(c->arena, str_of(text));
}

bool vault_is_enabled(const json_t *item)
{
	return json_flag(json_object_get(item, "attributes"), "enabled", true);
}

// ---------------------------------------------------------------- lists

static int list_page(struct call *c, void *ctx, struct str token, struct str *next)
{
	const struct vault_list *l = ctx;
	const struct str base = l->s->apis[AZURE_API_VAULT].provider.base;
	const json_t *answer = NULL, *one;
	size_t i;
	int r = vault_call(c, l->s, &(struct vault_request){.call = l->call, .path = token.n ? token : l->path}, &answer);
	json_array_foreach(json_object_get(answer, "value"), i, one)
	{
		if (!r)
			r = l->one(c, l->ctx, one);
	}
	struct str link = json_str(answer, "nextLink");
	if (!r && link.n && !(str_starts(link, base) && link.n > base.n && link.p[base.n] == '/'))
		r = call_fail(c, ERR_PROTOCOL, "the next page lies at another address: %.*s", STR(str_clip(link, 200)));
	*next = r || !link.n ? S("") : str_drop(link, base.n);
	return r;
}

int vault_list_all(struct call *c, const struct vault_list *list)
{
	struct vault_list copy = *list;
	return pages_all(c, list_page, &copy);
}

// ---------------------------------------------------------------- what was deleted

bool vault_is_deleted(const struct err *e)
{
	return e->http_status == 409;
}

struct look {
	struct azure_services *s;
	const struct vault_recovery *recovery;
};

static int look_again(struct call *c, void *ctx, struct lro_look *look)
{
	const struct look *l = ctx;
	int r = vault_call(
		c, l->s, &(struct vault_request){.call = l->recovery->get, .path = l->recovery->get_path}, NULL);
	look->done = !r;
	if (r == ERR_NOT_FOUND || vault_is_deleted(&c->err))
		err_clear(&c->err), r = 0;
	return r;
}

int vault_recover(struct call *c, struct azure_services *s, const struct vault_recovery *recovery)
{
	struct look l = {.s = s, .recovery = recovery};
	int r = vault_call(
		c, s, &(struct vault_request){.call = recovery->recover, .path = recovery->recover_path}, NULL);
	if (r == ERR_NOT_FOUND || vault_is_deleted(&c->err)) // back already, or on its way in either direction
		err_clear(&c->err), r = 0;
	return r ? r : lro_wait(c, look_again, &l, VAULT_RECOVER_S * NS_PER_S);
}
