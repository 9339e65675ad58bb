// SPDX-License-Identifier: Apache-2.0
// Credentials of upstreams out of JSON: see upstreams.h.
#include "gateway/upstreams.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/time.h"
#include "net/http.h"

static const char *const words[] = {
	[UPSTREAM_OPEN] = "open",
	[UPSTREAM_SAGEMAKER] = "sagemaker",
	[UPSTREAM_VERTEX] = "vertex",
	[UPSTREAM_AZUREML] = "azureml",
};

bool upstream_service_of(struct str word, enum upstream_service *out)
{
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if ((i == UPSTREAM_OPEN && word.n == 0) || str_eq(word, str_of(words[i]))) {
			*out = (enum upstream_service)i;
			return true;
		}
	}
	return false;
}

const char *upstream_service_word(enum upstream_service service)
{
	return (size_t)service < COUNT_OF(words) ? words[service] : words[UPSTREAM_OPEN];
}

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NO_MEMORY, "out of memory for the upstreams' credentials");
}

// What stands here becomes a header's value; a message never shows it.
static int take_text(struct secret *out, const json_t *json, const char *name, struct err *e)
{
	struct str text = json_str(json, name);
	if (text.n == 0)
		return 0;
	if (!http_is_field_value(text))
		return err_set(e, ERR_INVALID, "%s: not what a header may hold", name);
	return secret_set(out, text, e);
}

static int make_bearer(struct upstream *u, struct str token, struct err *e)
{
	static const char word[] = "Bearer ";
	int code = secret_alloc(&u->bearer, sizeof(word) - 1 + token.n, e);
	if (code)
		return code;
	for (size_t i = 0; i < sizeof(word) - 1; i++)
		u->bearer.p[i] = word[i];
	for (size_t i = 0; i < token.n; i++)
		u->bearer.p[sizeof(word) - 1 + i] = token.p[i];
	return 0;
}

static int read_secrets(const json_t *json, struct upstream *out, struct err *e)
{
	struct str token = json_str(json, "secret");
	if (token.n == 0 || !http_is_field_value(token))
		return err_set(e, ERR_INVALID, "secret: missing, or not what a header may hold");
	if (out->service != UPSTREAM_SAGEMAKER)
		return make_bearer(out, token, e);
	if (out->access_key.n == 0 || out->region.n == 0 || !http_is_token(out->access_key) ||
		!http_is_token(out->region) || out->region.n >= SIGV4_REGION_SIZE)
		return err_set(e, ERR_INVALID, "access_key and region: missing or malformed");
	int code = take_text(&out->secret, json, "secret", e);
	return code ? code : take_text(&out->session, json, "session", e);
}

static int read_one(struct arena *a, const json_t *json, struct upstream *out, struct err *e)
{
	struct str expires = json_str(json, "expires");
	out->cloud = arena_str(a, json_str(json, "cloud"));
	out->endpoint = arena_str(a, json_str(json, "endpoint"));
	out->access_key = arena_str(a, json_str(json, "access_key"));
	out->region = arena_str(a, json_str(json, "region"));
	if (!out->cloud.p || !out->endpoint.p || !out->access_key.p || !out->region.p)
		return no_memory(e);
	if (!upstream_service_of(json_str(json, "service"), &out->service) || out->service == UPSTREAM_OPEN)
		return err_set(e, ERR_INVALID, "service: none of sagemaker, vertex, azureml");
	if (out->cloud.n == 0 || out->endpoint.n == 0)
		return err_set(e, ERR_INVALID, "cloud and endpoint: missing");
	if (expires.n && time_parse_rfc3339(expires, &out->expires_ns))
		return err_set(e, ERR_INVALID, "expires: not a time");
	return read_secrets(json, out, e);
}

int upstreams_of_json(const json_t *json, struct upstreams **out, struct err *e)
{
	const json_t *list = json_object_get(json, "credentials");
	size_t count = json_array_size(list);
	if (!json_is_array(list) || count > UPSTREAMS_MAX)
		return err_set(e, ERR_INVALID, "credentials: not a list of at most %d", UPSTREAMS_MAX);
	struct upstreams *u = calloc(1, sizeof(*u));
	if (!u)
		return no_memory(e);
	u->users = 1;
	u->items = arena_new_array(&u->arena, count, struct upstream);
	int code = u->items ? 0 : no_memory(e);
	while (code == 0 && u->count < count) {
		struct upstream *item = &u->items[u->count];
		code = read_one(&u->arena, json_array_get(list, u->count++), item, e);
		if (code)
			err_context(e, "credentials[%zu]", u->count - 1);
	}
	if (code) {
		upstreams_release(u);
		return code;
	}
	*out = u;
	return 0;
}

int upstreams_load(const char *path, struct upstreams **out, struct err *e)
{
	AUTO(json) json = NULL;
	struct stat at;
	if (lstat(path, &at) < 0 && errno == ENOENT) {
		json = json_pack("{s:[]}", "credentials");
		return json ? upstreams_of_json(json, out, e) : no_memory(e);
	}
	int code = json_parse_file(path, UPSTREAMS_MAX_BYTES, &json, e);
	if (code)
		return code;
	if (!S_ISREG(at.st_mode) || (at.st_mode & 077))
		return err_set(e, ERR_DENIED, "%s: others may read it; its mode must be 0600", path);
	code = upstreams_of_json(json, out, e);
	return code ? err_context(e, "%s", path) : 0;
}

struct upstreams *upstreams_hold(struct upstreams *u)
{
	if (u)
		u->users++;
	return u;
}

void upstreams_release(struct upstreams *u)
{
	if (!u || --u->users)
		return;
	for (size_t i = 0; i < u->count; i++) {
		secret_free(&u->items[i].secret);
		secret_free(&u->items[i].session);
		secret_free(&u->items[i].bearer);
		sigv4_key_wipe(&u->items[i].key);
	}
	arena_free(&u->arena);
	free(u);
}

struct upstream *upstreams_find(struct upstreams *u, struct str cloud, struct str endpoint)
{
	for (size_t i = 0; u && i < u->count; i++)
		if (str_eq(u->items[i].endpoint, endpoint) && str_eq(u->items[i].cloud, cloud))
			return &u->items[i];
	return NULL;
}
