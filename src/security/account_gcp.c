// SPDX-License-Identifier: Apache-2.0
// Credentials of Google Cloud: the file of a service account, from the operator's file, GOOGLE_APPLICATION_CREDENTIALS
// or gcloud's well-known place. Source: "How Application Default Credentials works", Google Cloud.
#include "base/file.h"
#include "security/account_impl.h"

enum { FILE_LIMIT = 64 << 10 };

// Other types of the same file lead elsewhere for a token.
static int use_json(struct call *c, json_t *j, struct str where, struct account *out)
{
	struct str type = json_str(j, "type");
	bool is_account = str_eq(type, S("service_account"));
	out->source = where;
	out->account = arena_str(c->arena, json_str(j, "project_id"));
	if (is_account)
		return account_credentials(c, j, out);
	int rc = type.n ? call_fail(c, ERR_UNSUPPORTED,
				  "%.*s holds credentials of type \"%.*s\", which are for a later release: this one "
				  "uses "
				  "the file of a service account",
				  STR(where), STR(str_clip(type, 63)))
			: call_fail(c, ERR_INVALID, "%.*s is no file of a service account", STR(where));
	json_decref(j);
	return rc;
}

static int use_file(struct call *c, struct str path, struct account *out)
{
	json_t *j = NULL;
	const char *name = arena_cstr(c->arena, path);
	if (!name)
		return call_no_memory(c);
	int rc = json_parse_file(name, FILE_LIMIT, &j, &c->err);
	return rc < 0 ? call_context(c, "credentials of Google Cloud") : use_json(c, j, path, out);
}

// One that the operator's file names is a secret like others.
static int use_private_file(struct call *c, const struct account_search *s, struct account *out)
{
	AUTO(secret) text = {0};
	json_t *j = NULL;
	struct str path = s->entry->credentials.file;
	int rc = secret_read_file(&text, arena_cstr(c->arena, path), &c->err);
	if (rc == 0)
		rc = json_parse(secret_str(&text), &j, &c->err);
	return rc < 0 ? call_context(c, "clouds.%.*s of %.*s", STR(s->entry->name), STR(s->op->path))
		      : use_json(c, j, path, out);
}

int account_gcp_file(struct call *c, const struct account_search *s, struct account *out)
{
	const struct operator_credentials *from = &s->entry->credentials;
	struct str text = S("");
	json_t *j = NULL;
	if (from->file.n)
		return use_private_file(c, s, out);
	if (!from->service_account.name.n)
		return call_fail(c, ERR_INVALID,
			"credentials of clouds.%.*s in %.*s: write file: or service_account:, a service account's file",
			STR(s->entry->name), STR(s->op->path));
	int rc = account_secret(c, s, &from->service_account, &text);
	if (rc == 0)
		rc = json_parse(text, &j, &c->err);
	if (rc < 0)
		return call_context(c, "the service account of clouds.%.*s", STR(s->entry->name));
	// The assertion that its key signs goes to its token endpoint.
	struct err e = {0};
	struct str token_uri = json_str(j, "token_uri"), host = str_drop(token_uri, sizeof("https://") - 1);
	str_cut(host, '/', &host, &(struct str){0});
	if (str_starts(token_uri, S("https://")) && str_find_char(host, ':') < 0)
		host = arena_printf(c->arena, "%.*s:443", STR(host));
	else if (str_starts(token_uri, S("http://")))
		str_cut(str_drop(token_uri, sizeof("http://") - 1), '/', &host, &(struct str){0});
	if (operator_secret_allow(s->op, from->service_account.name, host, &e) < 0) {
		json_decref(j);
		c->err = e;
		return call_context(c, "the token endpoint of the service account");
	}
	return use_json(c, j, arena_printf(c->arena, "secret/%.*s", STR(from->service_account.name)), out);
}

int account_gcp_ambient(struct call *c, const struct account_search *s, struct account *out)
{
	struct str path = account_variable("GOOGLE_APPLICATION_CREDENTIALS");
	if (path.n)
		return use_file(c, path, out);
	path = account_home(c, ".config/gcloud/application_default_credentials.json");
	if (path.n && file_exists(arena_cstr(c->arena, path)))
		return use_file(c, path, out);
	return call_fail(c, ERR_NOT_FOUND,
		"no credentials of Google Cloud: let GOOGLE_APPLICATION_CREDENTIALS name the file of a service "
		"account, or "
		"write clouds.%.*s.credentials into %.*s/operator.yaml",
		STR(s->request->cloud), STR(s->op->folder));
}
