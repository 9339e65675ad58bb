// SPDX-License-Identifier: Apache-2.0
// Credentials of AWS, and of others that speak S3: static keys from the operator's file, the environment, or a profile
// of the shared files. Source: "AWS SDKs and Tools Reference Guide", standardized settings.
#include <string.h>

#include "base/file.h"
#include "security/account_impl.h"
#include "base/ini.h"

static json_t *keys_json(struct str id, struct str key, struct str token)
{
	json_t *j = json_object();
	json_set_str(j, "access_key_id", id);
	json_set_str(j, "secret_access_key", key);
	if (token.n)
		json_set_str(j, "session_token", token);
	return j;
}

static int later(struct call *c, const char *what, struct str where)
{
	return call_fail(c, ERR_UNSUPPORTED,
		"%.*s: %s is for a later release, which will exchange it for keys; this one uses static keys: "
		"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile that has them, or the operator's file",
		STR(where), what);
}

// ---------------------------------------------------------------- profiles of the shared files
struct profile {
	struct str name, path, text; // of one file; text "" when it is absent
	struct str id, key, token, region;
	bool there;
};

static int load(struct call *c, struct profile *p, const char *variable, const char *below)
{
	AUTO(buf) text = {0};
	p->path = account_variable(variable);
	if (!p->path.n)
		p->path = account_home(c, below);
	const char *path = p->path.n ? arena_cstr(c->arena, p->path) : NULL;
	if (!path || !file_exists(path))
		return 0;
	int rc = file_read(path, INI_MAX_BYTES, &text, &c->err);
	if (rc < 0)
		return rc;
	p->text = arena_str(c->arena, buf_str(&text));
	secret_wipe(text.p, text.n);
	return p->text.p ? 0 : call_no_memory(c);
}

static int need(struct call *c, struct profile *p, struct str section, const char *name, struct str *out)
{
	struct str value;
	bool there;
	int rc = ini_find(p->text, section, str_of(name), &value, &there, &c->err);
	if (rc < 0)
		return call_context(c, "%.*s", STR(p->path));
	p->there = p->there || there;
	if (value.n)
		*out = value;
	return 0;
}

// Sources in a profile that lead elsewhere for the keys.
static int refuse_indirect(struct call *c, struct profile *p, struct str section)
{
	static const struct {
		const char *name, *what;
	} rows[] = {{"role_arn", "assuming a role"}, {"sso_session", "single sign-on"},
		{"sso_start_url", "single sign-on"}, {"credential_process", "a credential process"},
		{"web_identity_token_file", "federation"}, {"login_session", "a login session"}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct str value = S("");
		int rc = need(c, p, section, rows[i].name, &value);
		if (rc < 0)
			return rc;
		if (value.n)
			return later(
				c, rows[i].what, arena_printf(c->arena, "[%.*s] of %.*s", STR(section), STR(p->path)));
	}
	return 0;
}

static int read_profile(struct call *c, struct profile *p, struct str section)
{
	int rc = need(c, p, section, "aws_access_key_id", &p->id);
	if (rc == 0)
		rc = need(c, p, section, "aws_secret_access_key", &p->key);
	if (rc == 0)
		rc = need(c, p, section, "aws_session_token", &p->token);
	if (rc == 0)
		rc = need(c, p, section, "region", &p->region);
	if (rc == 0 && !p->id.n)
		rc = refuse_indirect(c, p, section);
	return rc;
}

// The credentials file comes first; the configuration file calls its sections "profile NAME", but for "default".
static int find_profile(struct call *c, struct str name, struct profile *keys, struct profile *config)
{
	bool is_default = str_eq(name, S("default"));
	struct str section = is_default ? name : arena_printf(c->arena, "profile %.*s", STR(name));
	*keys = *config = (struct profile){.name = name};
	int rc = section.p ? load(c, keys, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials") : call_no_memory(c);
	if (rc == 0)
		rc = load(c, config, "AWS_CONFIG_FILE", ".aws/config");
	if (rc == 0)
		rc = read_profile(c, keys, name);
	if (rc < 0)
		return rc;
	if (keys->id.n) // only the region is still of interest
		return need(c, config, section, "region", &config->region);
	return read_profile(c, config, section);
}

static int use_profile(struct call *c, struct str name, struct account *out)
{
	struct profile keys, config;
	int rc = find_profile(c, name, &keys, &config);
	if (rc < 0)
		return rc;
	const struct profile *with = keys.id.n ? &keys : &config;
	if (!keys.there && !config.there)
		return call_fail(c, ERR_NOT_FOUND, "there is no profile \"%.*s\" in %.*s", STR(str_clip(name, 63)),
			STR(keys.path.n ? keys.path : S("~/.aws/credentials")));
	if (!with->id.n || !with->key.n)
		return call_fail(c, ERR_NOT_FOUND,
			"profile \"%.*s\" of %.*s has no aws_access_key_id and aws_secret_access_key",
			STR(str_clip(name, 63)), STR(keys.path));
	out->region = config.region.n ? config.region : keys.region;
	out->source = arena_printf(c->arena, "profile %.*s of %.*s", STR(name), STR(with->path));
	return account_credentials(c, keys_json(with->id, with->key, with->token), out);
}

// ---------------------------------------------------------------- the operator's file
int account_aws_file(struct call *c, const struct account_search *s, struct account *out)
{
	const struct operator_credentials *from = &s->entry->credentials;
	struct str key = S(""), token = S("");
	if (from->profile.n)
		return use_profile(c, from->profile, out);
	if (!from->access_key_id.n || !from->secret_access_key.name.n)
		return call_fail(c, ERR_INVALID,
			"credentials of clouds.%.*s in %.*s: write profile:, or access_key_id: and secret_access_key:",
			STR(s->entry->name), STR(s->op->path));
	int rc = account_secret(c, s, &from->secret_access_key, &key);
	if (rc == 0)
		rc = account_secret(c, s, &from->session_token, &token);
	out->source = arena_printf(c->arena, "clouds.%.*s of %.*s", STR(s->entry->name), STR(s->op->path));
	return rc < 0 ? rc : account_credentials(c, keys_json(from->access_key_id, key, token), out);
}

// ---------------------------------------------------------------- the environment
static int refuse_ambient(struct call *c)
{
	static const struct {
		const char *name, *what;
	} rows[] = {{"AWS_WEB_IDENTITY_TOKEN_FILE", "federation"},
		{"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "a container's role"},
		{"AWS_CONTAINER_CREDENTIALS_FULL_URI", "a container's role"}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (account_variable(rows[i].name).n)
			return later(c, rows[i].what, str_of(rows[i].name));
	}
	return 0;
}

int account_aws_ambient(struct call *c, const struct account_search *s, struct account *out)
{
	struct str id = account_variable("AWS_ACCESS_KEY_ID"), key = account_variable("AWS_SECRET_ACCESS_KEY"),
		   profile = account_variable("AWS_PROFILE"), region = account_variable("AWS_REGION");
	int rc;
	if (id.n && key.n) {
		out->source = S("AWS_ACCESS_KEY_ID");
		rc = account_credentials(c, keys_json(id, key, account_variable("AWS_SESSION_TOKEN")), out);
	} else {
		rc = profile.n ? 0 : refuse_ambient(c);
		if (rc == 0)
			rc = use_profile(c, profile.n ? profile : S("default"), out);
		if (rc == ERR_NOT_FOUND && !profile.n)
			rc = call_fail(c, ERR_NOT_FOUND,
				"no credentials of AWS: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
				"AWS_PROFILE with "
				"~/.aws/credentials, or write clouds.%.*s.credentials into %.*s/operator.yaml",
				STR(s->request->cloud), STR(s->op->folder));
	}
	if (!region.n)
		region = account_variable("AWS_DEFAULT_REGION");
	if (rc == 0 && region.n)
		out->region = region;
	return rc;
}
