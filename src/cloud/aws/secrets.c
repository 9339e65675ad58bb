// SPDX-License-Identifier: Apache-2.0
// Secrets of AWS: Secrets Manager. See kms.h and cloud/secrets.h. A version's id is the ClientRequestToken that it was
// put with, made once for a put, so that the provider itself tells a repetition from a second value.
#include "cloud/secrets.h"

#include <stdio.h>
#include <string.h>

#include "cloud/aws/kms_impl.h"
#include "cloud/http/pages.h"

enum { TOKEN_BYTES = 16, TOKEN_TEXT = 36, PAGE = 100, RECOVERY_DAYS = 7 };

static int check_name(struct call *c, struct str name)
{
	bool good = name.n > 0 && name.n <= 512;
	for (size_t i = 0; good && i < name.n; i++)
		good = (name.p[i] >= 'a' && name.p[i] <= 'z') || (name.p[i] >= 'A' && name.p[i] <= 'Z') ||
		       (name.p[i] >= '0' && name.p[i] <= '9') || (name.p[i] && strchr("-/_+=.@!:", name.p[i]));
	return good ? 0
		    : call_fail(c, ERR_INVALID, "\"%.*s\" is no name of a secret of AWS", (int)MIN(name.n, 80), name.p);
}

// "Being deleted" and "disabled" are not states of the request but of the secret.
static int reword(struct call *c, struct str name)
{
	if (str_eq(str_of(c->err.provider_code), S("InvalidRequestException")))
		c->err.code = ERR_CONFLICT;
	return call_context(c, "secret %.*s", STR(name));
}

static json_t *named(struct str name)
{
	json_t *in = json_object();
	json_set_str(in, "SecretId", name);
	return in;
}

// ---------------------------------------------------------------- reading

static int read_value(struct call *c, const json_t *answer, struct secret *out)
{
	struct str text = json_str(answer, "SecretString"), binary = json_str(answer, "SecretBinary");
	if (binary.n)
		return secret_of_base64(c, binary, out);
	if (!json_object_get(answer, "SecretString"))
		return call_fail(c, ERR_PROTOCOL, "GetSecretValue answered no value");
	return secret_set(out, text, &c->err);
}

static int get_with(struct call *c, struct aws_services *s, struct str name, struct str version, const json_t **answer)
{
	AUTO(json) in = named(name);
	if (version.n)
		json_set_str(in, "VersionId", version);
	return aws_json_call(c, s, AWS_SECRET_GET, in, answer);
}

static int aws_secret_get(struct call *c, void *secrets, struct str name, struct str version, struct secret *out)
{
	const json_t *answer = NULL;
	int r = check_name(c, name);
	if (!r)
		r = get_with(c, secrets, name, version, &answer);
	if (!r)
		r = read_value(c, answer, out);
	return r ? reword(c, name) : 0;
}

// ---------------------------------------------------------------- putting

// Whether the newest version holds the value already; an absent secret or value is "no".
static int holds(struct call *c, struct aws_services *s, struct str name, const struct secret *value, struct str *version)
{
	AUTO(secret) old = {0};
	const json_t *answer = NULL;
	int r = get_with(c, s, name, S(""), &answer);
	if (!r)
		r = read_value(c, answer, &old);
	if (!r && secret_equal(&old, value))
		*version = json_str(answer, "VersionId");
	if (r == ERR_NOT_FOUND)
		err_clear(&c->err), r = 0;
	return r;
}

static int make_token(struct call *c, char out[TOKEN_TEXT + 1])
{
	unsigned char bytes[TOKEN_BYTES];
	char hex[2 * TOKEN_BYTES + 1];
	int r = c->edges->random(c->edges->ctx, bytes, sizeof(bytes));
	if (r)
		return call_fail(c, r, "no random bytes");
	hex_encode(str_bytes(bytes, sizeof(bytes)), hex);
	snprintf(out, TOKEN_TEXT + 1, "%.8s-%.4s-4%.3s-a%.3s-%.12s", hex, hex + 8, hex + 13, hex + 17, hex + 20);
	return 0;
}

static int add_tags(struct aws_services *s, json_t *in)
{
	json_t *tags = json_pack("[{s:s, s:s}]", "Key", "isobar-workspace", "Value", "");
	json_set_str(json_array_get(tags, 0), "Value", s->config.workspace);
	return json_object_set_new(in, "Tags", tags);
}

// Texts go as texts, so that others can read them; anything else as bytes.
static int set_value(struct call *c, const struct secret *value, json_t *in)
{
	struct str bytes = secret_str(value), text;
	if (str_utf8_valid(bytes) && !memchr(bytes.p, 0, bytes.n)) {
		json_set_str(in, "SecretString", bytes);
		return 0;
	}
	int r = secret_to_base64(c, bytes, &text);
	if (r)
		return r;
	json_set_str(in, "SecretBinary", text);
	secret_wipe((char *)(uintptr_t)text.p, text.n);
	return 0;
}

static int put_new(
	struct call *c, struct aws_services *s, struct str name, const struct secret *value, struct str *version)
{
	char token[TOKEN_TEXT + 1];
	const json_t *answer = NULL;
	AUTO(json) in = named(name);
	int r = make_token(c, token);
	json_object_set_new(in, "ClientRequestToken", json_string(r ? "" : token));
	if (!r)
		r = set_value(c, value, in);
	if (!r)
		r = aws_json_call(c, s, AWS_SECRET_PUT, in, &answer);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		json_object_del(in, "SecretId");
		json_set_str(in, "Name", name);
		if (s->config.workspace.n && add_tags(s, in))
			return call_no_memory(c);
		r = aws_json_call(c, s, AWS_SECRET_CREATE, in, &answer);
	}
	if (!r)
		*version = json_str(answer, "VersionId");
	return r;
}

static int aws_secret_put(
	struct call *c, void *secrets, struct str name, const struct secret *value, struct str *version)
{
	struct str found = S("");
	int r = check_name(c, name);
	if (!r && (!value->n || value->n > SECRET_MAX))
		r = call_fail(c, ERR_LIMIT, "a secret has 1 to %d bytes", SECRET_MAX);
	if (!r)
		r = holds(c, secrets, name, value, &found);
	if (!r && !found.n)
		r = put_new(c, secrets, name, value, &found);
	if (r)
		return reword(c, name);
	*version = found;
	return 0;
}

// ---------------------------------------------------------------- versions

struct versions {
	struct aws_services *s;
	struct str name;
	json_t *list; // of describe's
};

static bool is_current(const json_t *version)
{
	const json_t *one;
	size_t i;
	json_array_foreach(json_object_get(version, "VersionStages"), i, one)
	{
		if (str_eq(json_value_str(one), S("AWSCURRENT")))
			return true;
	}
	return false;
}

static int versions_page(struct call *c, void *ctx, struct str token, struct str *next)
{
	struct versions *v = ctx;
	AUTO(json) in = named(v->name);
	const json_t *answer = NULL, *one;
	size_t i;
	json_object_set_new(in, "IncludeDeprecated", json_true());
	if (token.n)
		json_set_str(in, "NextToken", token);
	int r = aws_json_call(c, v->s, AWS_SECRET_LIST_VERSIONS, in, &answer);
	json_array_foreach(json_object_get(answer, "Versions"), i, one)
	{
		bool current = is_current(one);
		json_t *told = json_pack("{s:b, s:b}", "newest", (int)current, "enabled",
			(int)(json_array_size(json_object_get(one, "VersionStages")) > 0));
		json_set_str(told, "version", json_str(one, "VersionId"));
		json_set_str(told, "created", aws_time_text(c, json_num(one, "CreatedDate", 0)));
		if (current)
			json_array_insert_new(v->list, 0, told);
		else
			json_array_append_new(v->list, told);
	}
	*next = json_str(answer, "NextToken");
	return r;
}

static int aws_secret_describe(struct call *c, void *secrets, struct str name, json_t **out)
{
	AUTO(json) in = named(name);
	AUTO(json) list = json_array();
	struct versions v = {.s = secrets, .name = name, .list = list};
	const json_t *answer = NULL;
	int r = check_name(c, name);
	if (!r)
		r = aws_json_call(c, secrets, AWS_SECRET_DESCRIBE, in, &answer);
	if (!r && json_num(answer, "DeletedDate", 0) > 0)
		r = call_fail(c, ERR_CONFLICT, "it is being deleted");
	if (!r)
		r = pages_all(c, versions_page, &v);
	if (r)
		return reword(c, name);
	json_t *j = json_pack("{s:O}", "versions", list);
	json_set_str(j, "created", aws_time_text(c, json_num(answer, "CreatedDate", 0)));
	json_set_str(j, "changed", aws_time_text(c, json_num(answer, "LastChangedDate", 0)));
	*out = j;
	return 0;
}

// AWS has no disabled versions: one without a stage is deprecated, and in time gone. The newest cannot be without its.
static int aws_secret_disable(struct call *c, void *secrets, struct str name, struct str version)
{
	const json_t *answer = NULL;
	const char *stage;
	int r = check_name(c, name);
	AUTO(json) in = named(name);
	if (!r)
		r = aws_json_call(c, secrets, AWS_SECRET_DESCRIBE, in, &answer);
	const char *id = arena_cstr(c->arena, version);
	const json_t *stages = id ? json_object_get(json_object_get(answer, "VersionIdsToStages"), id) : NULL;
	for (size_t i = 0; !r && i < json_array_size(stages); i++) {
		stage = json_string_value(json_array_get(stages, i));
		if (stage && strcmp(stage, "AWSCURRENT") == 0)
			r = call_fail(c, ERR_UNSUPPORTED,
				"the newest version of a secret of AWS cannot be disabled: put another value, or delete it");
		json_set_str(in, "VersionStage", str_of(stage));
		json_set_str(in, "RemoveFromVersionId", version);
		if (!r)
			r = aws_json_call(c, secrets, AWS_SECRET_UPDATE_STAGE, in, NULL);
	}
	return r ? reword(c, name) : 0;
}

static int aws_secret_delete(struct call *c, void *secrets, struct str name)
{
	AUTO(json) in = named(name);
	json_object_set_new(in, "RecoveryWindowInDays", json_integer(RECOVERY_DAYS));
	int r = check_name(c, name);
	if (!r)
		r = aws_json_call(c, secrets, AWS_SECRET_DELETE, in, NULL);
	if (r == ERR_NOT_FOUND || str_eq(str_of(c->err.provider_code), S("InvalidRequestException"))) {
		err_clear(&c->err); // gone, or waiting already
		return 0;
	}
	return r ? reword(c, name) : 0;
}

// ---------------------------------------------------------------- all of them

struct listing {
	struct aws_services *s;
	struct secret_names names;
};

static int list_page(struct call *c, void *ctx, struct str token, struct str *next)
{
	struct listing *l = ctx;
	AUTO(json) in = json_pack("{s:i}", "MaxResults", PAGE);
	const json_t *answer = NULL, *one;
	size_t i;
	if (token.n)
		json_set_str(in, "NextToken", token);
	int r = aws_json_call(c, l->s, AWS_SECRET_LIST, in, &answer);
	json_array_foreach(json_object_get(answer, "SecretList"), i, one)
	{
		if (!r)
			r = secret_names_add(c, &l->names, json_str(one, "Name"));
	}
	*next = json_str(answer, "NextToken");
	return r;
}

static int aws_secret_list(struct call *c, void *secrets, struct str **names, size_t *count)
{
	struct listing l = {.s = secrets};
	int r = pages_all(c, list_page, &l);
	if (r)
		return call_context(c, "list the secrets");
	secret_names_sort(&l.names);
	*names = l.names.items;
	*count = l.names.count;
	return 0;
}

const struct secret_ops aws_secret_ops = {
	.name = "aws",
	.put = aws_secret_put,
	.get = aws_secret_get,
	.describe = aws_secret_describe,
	.disable = aws_secret_disable,
	.delete = aws_secret_delete,
	.list = aws_secret_list,
};
