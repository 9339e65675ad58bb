// SPDX-License-Identifier: Apache-2.0
// Secrets of a Key Vault: see vault.h and cloud/secrets.h. Key Vault keeps texts: a value that is none is kept as base64
// and marked with the content type "application/octet-stream;base64".
#include "cloud/secrets.h"

#include <string.h>

#include "cloud/azure/vault_impl.h"
#include "cloud/http/looks.h"

#define BINARY S("application/octet-stream;base64")

static int check_name(struct call *c, struct str name)
{
	bool good = name.n > 0 && name.n <= 127;
	for (size_t i = 0; good && i < name.n; i++)
		good = (name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= 'A' && name.p[i] <= 'Z') ||
		       (name.p[i] >= '0' && name.p[i] <= '9') || name.p[i] == '-';
	return good ? 0
		    : call_fail(c, ERR_INVALID, "\"%.*s\" is no name of a secret of a Key Vault: letters, digits and '-'",
			      (int)MIN(name.n, 80), name.p);
}

static int reword(struct call *c, struct str name)
{
	return call_context(c, "secret %.*s", STR(name));
}

// ---------------------------------------------------------------- reading

static int read_value(
	struct call *c, struct azure_services *s, struct str name, struct str *version, struct secret *out)
{
	const json_t *answer = NULL;
	struct str tail = version->n ? arena_printf(c->arena, "/%.*s", STR(*version)) : S("");
	if (str_find_char(*version, '/') >= 0 || !tail.p || str_eq(*version, S("versions")))
		return call_fail(c, ERR_INVALID, "\"%.*s\" is no version", STR(str_clip(*version, 40)));
	const struct vault_request request = {.call = version->n ? AZURE_SECRET_GET_VERSION : AZURE_SECRET_GET,
		.path = vault_path(c, "secrets", name, tail.p)};
	int r = vault_call(c, s, &request, &answer);
	if (r)
		return r;
	*version = vault_version_of(json_str(answer, "id"));
	if (str_eq(json_str(answer, "contentType"), BINARY))
		return secret_of_base64(c, json_str(answer, "value"), out);
	return secret_set(out, json_str(answer, "value"), &c->err);
}

static int azure_secret_get(struct call *c, void *secrets, struct str name, struct str version, struct secret *out)
{
	int r = check_name(c, name);
	if (!r)
		r = read_value(c, secrets, name, &version, out);
	return r ? reword(c, name) : 0;
}

// ---------------------------------------------------------------- putting

struct putting {
	struct azure_services *s;
	struct str name;
	const struct secret *value;
	struct str version; // that holds the value; "": none yet
};

static int holds(struct call *c, void *ctx, bool *done)
{
	struct putting *p = ctx;
	AUTO(secret) old = {0};
	struct str version = S("");
	int r = read_value(c, p->s, p->name, &version, &old);
	*done = !r && secret_equal(&old, p->value);
	if (*done)
		p->version = version;
	bool disabled = r == ERR_DENIED && strstr(c->err.message, "disabled"); // "Forbidden" is its code, too
	if (r == ERR_NOT_FOUND || disabled)
		err_clear(&c->err), r = 0;
	return r;
}

static int set(struct call *c, void *ctx)
{
	struct putting *p = ctx;
	struct str value = secret_str(p->value), text = S("");
	bool plain = str_utf8_valid(value) && !memchr(value.p, 0, value.n);
	AUTO(json) in = json_pack("{s:{}}", "tags");
	const json_t *answer = NULL;
	int r = plain ? 0 : secret_to_base64(c, value, &text);
	json_set_str(in, "value", plain ? value : text);
	if (!plain)
		json_set_str(in, "contentType", BINARY);
	json_set_str(json_object_get(in, "tags"), "isobar-workspace", p->s->config.workspace);
	if (!r)
		r = vault_call(c, p->s,
			&(struct vault_request){
				.call = AZURE_SECRET_SET, .path = vault_path(c, "secrets", p->name, ""), .in = in},
			&answer);
	if (text.n)
		secret_wipe((char *)(uintptr_t)text.p, text.n);
	if (!r)
		p->version = vault_version_of(json_str(answer, "id"));
	return r;
}

// A name whose secret was deleted is brought back: nobody else may have it until then.
static int set_deleted(struct call *c, struct putting *p)
{
	err_clear(&c->err);
	int r = vault_recover(c, p->s,
		&(struct vault_recovery){.recover = AZURE_SECRET_RECOVER,
			.get = AZURE_SECRET_GET,
			.recover_path = vault_path(c, "deletedsecrets", p->name, "/recover"),
			.get_path = vault_path(c, "secrets", p->name, "")});
	return r ? r : act_looking(c, &(struct looked_act){.ctx = p, .act = set, .look = holds});
}

static int azure_secret_put(
	struct call *c, void *secrets, struct str name, const struct secret *value, struct str *version)
{
	struct putting p = {.s = secrets, .name = name, .value = value, .version = S("")};
	bool done = false;
	int r = check_name(c, name);
	if (!r && (!value->n || value->n > SECRET_MAX))
		r = call_fail(c, ERR_LIMIT, "a secret has 1 to %d bytes", SECRET_MAX);
	if (!r)
		r = holds(c, &p, &done);
	if (!r && !done)
		r = act_looking(c, &(struct looked_act){.ctx = &p, .act = set, .look = holds});
	if (r && vault_is_deleted(&c->err))
		r = set_deleted(c, &p);
	if (r)
		return reword(c, name);
	*version = p.version;
	return 0;
}

// ---------------------------------------------------------------- versions

static int64_t created_of(const json_t *item)
{
	return json_int(json_object_get(item, "attributes"), "created", 0);
}

// Newest first; the vault lists in an order of its own.
static int add_version(struct call *c, void *ctx, const json_t *item)
{
	json_t *list = ctx;
	size_t at = 0;
	json_t *told = json_pack("{s:b, s:I}", "enabled", (int)vault_is_enabled(item), "at", (json_int_t)created_of(item));
	json_set_str(told, "version", vault_version_of(json_str(item, "id")));
	json_set_str(told, "created", vault_time(c, json_object_get(item, "attributes"), "created"));
	while (at < json_array_size(list) && json_int(json_array_get(list, at), "at", 0) > created_of(item))
		at++;
	return json_array_insert_new(list, at, told) ? call_no_memory(c) : 0;
}

static int azure_secret_describe(struct call *c, void *secrets, struct str name, json_t **out)
{
	AUTO(json) list = json_array();
	const struct vault_list versions = {.s = secrets,
		.call = AZURE_SECRET_VERSIONS,
		.path = vault_path(c, "secrets", name, "/versions"),
		.one = add_version,
		.ctx = list};
	int r = check_name(c, name);
	if (!r)
		r = vault_list_all(c, &versions);
	size_t count = json_array_size(list);
	if (!r && !count)
		r = call_fail(c, ERR_NOT_FOUND, "there is none of this name");
	if (r)
		return reword(c, name);
	for (size_t i = 0; i < count; i++) {
		json_object_del(json_array_get(list, i), "at");
		json_object_set_new(json_array_get(list, i), "newest", json_boolean(i == 0));
	}
	json_t *j = json_pack("{s:O}", "versions", list);
	json_set_str(j, "created", json_str(json_array_get(list, count - 1), "created"));
	json_set_str(j, "changed", json_str(json_array_get(list, 0), "created"));
	*out = j;
	return 0;
}

static int azure_secret_disable(struct call *c, void *secrets, struct str name, struct str version)
{
	AUTO(json) in = json_pack("{s:{s:b}}", "attributes", "enabled", 0);
	struct str tail = arena_printf(c->arena, "/%.*s", STR(version));
	int r = check_name(c, name);
	if (!r && (!version.n || !tail.p || str_find_char(version, '/') >= 0))
		r = call_fail(c, ERR_INVALID, "\"%.*s\" is no version", STR(str_clip(version, 40)));
	if (!r)
		r = vault_call(c, secrets,
			&(struct vault_request){
				.call = AZURE_SECRET_UPDATE, .path = vault_path(c, "secrets", name, tail.p), .in = in},
			NULL);
	return r ? reword(c, name) : 0;
}

static int azure_secret_delete(struct call *c, void *secrets, struct str name)
{
	int r = check_name(c, name);
	if (!r)
		r = vault_call(c, secrets,
			&(struct vault_request){.call = AZURE_SECRET_DELETE, .path = vault_path(c, "secrets", name, "")}, NULL);
	if (r == ERR_NOT_FOUND || vault_is_deleted(&c->err))
		err_clear(&c->err), r = 0;
	return r ? reword(c, name) : 0;
}

static int add_name(struct call *c, void *ctx, const json_t *item)
{
	return secret_names_add(c, ctx, vault_name_of(json_str(item, "id")));
}

static int azure_secret_list(struct call *c, void *secrets, struct str **names, size_t *count)
{
	struct secret_names found = {0};
	const struct vault_list list = {
		.s = secrets, .call = AZURE_SECRET_LIST, .path = S("/secrets"), .one = add_name, .ctx = &found};
	int r = vault_list_all(c, &list);
	if (r)
		return call_context(c, "list the secrets");
	secret_names_sort(&found);
	*names = found.items;
	*count = found.count;
	return 0;
}

const struct secret_ops azure_secret_ops = {
	.name = "azure",
	.put = azure_secret_put,
	.get = azure_secret_get,
	.describe = azure_secret_describe,
	.disable = azure_secret_disable,
	.delete = azure_secret_delete,
	.list = azure_secret_list,
};
