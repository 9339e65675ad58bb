// SPDX-License-Identifier: Apache-2.0
// See fake_arm.h.
#include "fake_arm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { PAGE = 2 };

// ---------------------------------------------------------------- what it answers

static json_t *page_of(struct fake_arm *f, const char *path, const char *query)
{
	const char *key, *at = strstr(query, "skip=");
	size_t skip = at ? strtoul(at + 5, NULL, 10) : 0, seen = 0, n = strlen(path);
	json_t *values = json_array(), *j = json_object(), *one;
	json_object_foreach(f->resources, key, one)
	{
		if (strncmp(key, path, n) != 0 || key[n] != '/' || strchr(key + n + 1, '/') || seen++ < skip)
			continue;
		if (json_array_size(values) < PAGE)
			json_array_append(values, one);
	}
	json_object_set_new(j, "value", values);
	if (seen > skip + PAGE) {
		char next[2000];
		snprintf(next, sizeof(next), "%.*s%s?api-version=2024-04-01&skip=%zu", STR(f->base), path, skip + PAGE);
		json_object_set_new(j, "nextLink", json_string(next));
	}
	return j;
}

static int put(struct fake_arm *f, const char *path, json_t *sent, json_t **body)
{
	json_t *kept = json_deep_copy(sent);
	json_t *before = json_object_get(json_object_get(f->resources, path), "properties");
	bool made = !before;
	if (json_object_get(before, "status")) // is the service's
		json_object_set(json_object_get(kept, "properties"), "status", json_object_get(before, "status"));
	json_object_set_new(kept, "id", json_string(path));
	json_object_set_new(kept, "name", json_string(strrchr(path, '/') + 1));
	json_object_set_new(f->resources, path, kept);
	*body = json_incref(kept);
	return made ? 201 : 200;
}

static int keep(struct fake_arm *f, const char *method, const char *path, json_t *sent, json_t **body)
{
	if (strcmp(method, "PUT") == 0)
		return put(f, path, sent, body);
	if (strcmp(method, "DELETE") == 0)
		return json_object_del(f->resources, path) == 0 ? 200 : 204;
	if (strcmp(method, "POST") == 0)
		return 202;
	*body = json_incref(json_object_get(f->resources, path));
	if (*body)
		return 200;
	*body = json_pack("{s:{s:s, s:s}}", "error", "code", "ResourceNotFound", "message", "it is not there");
	return 404;
}

static bool is_collection(const char *path)
{
	static const char *const ends[] = {"/jobs", "/onlineEndpoints", "/deployments"};
	for (size_t i = 0; i < COUNT_OF(ends); i++)
		if (str_ends(str_of(path), str_of(ends[i])))
			return true;
	return false;
}

static int respond(struct call *c, struct fake_arm *f, int status, json_t *body, struct transport_response *out)
{
	AUTO(buf) text = {0};
	struct sign_header *headers = arena_new_array(c->arena, 1, struct sign_header);
	assert_non_null(headers);
	if (body)
		assert_int_equal(json_write(body, &text, NULL), 0);
	json_decref(body);
	*out = (struct transport_response){.status = status, .headers = headers, .body = arena_str(c->arena, buf_str(&text))};
	if (f->operation) {
		headers[0] = (struct sign_header){S("azure-asyncoperation"), str_of(f->operation)};
		out->header_count = 1;
		f->operation = NULL;
	}
	return 0;
}

static int perform(struct call *c, void *ctx, const struct transport_request *r, struct transport_response *out)
{
	struct fake_arm *f = ctx;
	struct str path, query;
	AUTO(json) sent = NULL;
	json_t *body = NULL;
	char line[1200];
	assert_true(str_starts(r->url, f->base));
	str_cut(str_drop(r->url, f->base.n), '?', &path, &query);
	assert_true(str_find(query, S("api-version=")) >= 0);
	const char *p = arena_cstr(c->arena, path), *q = arena_cstr(c->arena, query);
	if (r->body.n)
		assert_int_equal(json_parse(r->body, &sent, NULL), 0);
	snprintf(line, sizeof(line), "%s %s", r->method, p);
	json_array_append_new(f->log, json_string(line));
	json_array_append_new(f->bodies, sent ? json_deep_copy(sent) : json_null());
	bool list = strcmp(r->method, "GET") == 0 && is_collection(p);
	int status = list ? 200 : keep(f, r->method, p, sent, &body);
	if (list)
		body = page_of(f, p, q);
	if (f->answer)
		f->answer(f, r->method, p, &status, &body);
	if (f->lose && --f->lose == 0) {
		json_decref(body);
		call_fail(c, ERR_UNAVAILABLE, "the connection was cut");
		c->err.retryable = true;
		return ERR_UNAVAILABLE;
	}
	return respond(c, f, status, body, out);
}

// ---------------------------------------------------------------- life

static void close_transport(void *ctx)
{
	(void)ctx;
}

static int make_token(struct call *c, void *ctx, struct str audience, struct credential_made *out)
{
	(void)ctx;
	assert_true(str_eq(audience, AZURE_SCOPE_ARM));
	return secret_set(&out->token, S("token-of-a-test"), &c->err);
}

void fake_arm_init(struct fake_arm *f, const struct cloud_config *config, const struct cloud *self)
{
	static const struct credential_ops ops = {.make = make_token, .close = close_transport};
	struct err e = {0};
	*f = (struct fake_arm){.resources = json_object(), .log = json_array(), .bodies = json_array()};
	assert_int_equal(credential_source_new(&ops, NULL, &f->credentials, &e), 0);
	struct services_options o = {.config = config,
		.transport = {.ctx = f, .perform = perform, .close = close_transport},
		.credentials = f->credentials,
		.self = self};
	if (azure_services_open(&o, &f->services, &e) < 0)
		fail_msg("%s", e.message);
	f->base = f->services->apis[AZURE_API_ARM].provider.base;
}

void fake_arm_free(struct fake_arm *f)
{
	azure_services_close(f->services);
	credential_source_free(f->credentials);
	json_decref(f->resources);
	json_decref(f->log);
	json_decref(f->bodies);
}

json_t *fake_arm_find(const struct fake_arm *f, const char *end)
{
	const char *key;
	json_t *one;
	json_object_foreach(f->resources, key, one)
	{
		if (str_ends(str_of(key), str_of(end)))
			return one;
	}
	return NULL;
}

size_t fake_arm_count(const struct fake_arm *f, const char *method, const char *part)
{
	size_t n = 0, i;
	json_t *line;
	json_array_foreach(f->log, i, line)
	{
		const char *text = json_string_value(line);
		n += strncmp(text, method, strlen(method)) == 0 && strstr(text, part);
	}
	return n;
}
