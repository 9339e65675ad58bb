// SPDX-License-Identifier: Apache-2.0
// Cloud configurations as JSON: see config.h. One table of the plain texts; lists by hand.
#include "cloud/config.h"

#include <string.h>

static const struct {
	const char *name;
	size_t offset;
	bool required;
} texts[] = {
	{"name", offsetof(struct cloud_config, name), true},
	{"provider", offsetof(struct cloud_config, provider), true},
	{"region", offsetof(struct cloud_config, region), true},
	{"law", offsetof(struct cloud_config, law), false},
	{"store_url", offsetof(struct cloud_config, store_url), false},
	{"identity_url", offsetof(struct cloud_config, identity_url), false},
	{"services_url", offsetof(struct cloud_config, services_url), false},
	{"vault_url", offsetof(struct cloud_config, vault_url), false},
	{"account", offsetof(struct cloud_config, account), false},
	{"project", offsetof(struct cloud_config, project), false},
	{"subscription", offsetof(struct cloud_config, subscription), false},
	{"resource_group", offsetof(struct cloud_config, resource_group), false},
	{"ml_workspace", offsetof(struct cloud_config, ml_workspace), false},
	{"job_role", offsetof(struct cloud_config, job_role), false},
	{"image", offsetof(struct cloud_config, image), false},
	{"jobs_engine", offsetof(struct cloud_config, jobs_engine), false},
	{"endpoints_engine", offsetof(struct cloud_config, endpoints_engine), false},
	{"keys_engine", offsetof(struct cloud_config, keys_engine), false},
	{"location", offsetof(struct cloud_config, location), false},
	{"ca_file", offsetof(struct cloud_config, ca_file), false},
	{"trust_file", offsetof(struct cloud_config, trust_file), false},
	{"proxy_https", offsetof(struct cloud_config, proxy.https), false},
	{"proxy_http", offsetof(struct cloud_config, proxy.http), false},
	{"proxy_no", offsetof(struct cloud_config, proxy.no), false},
	{"local_root", offsetof(struct cloud_config, local_root), false},
	{"workspace", offsetof(struct cloud_config, workspace), false},
};
enum { CONFIG_MAX_ITEMS = 1000 };

static bool member_known(const char *name)
{
	static const char *const others[] = {"credentials", "sealed", "hosts"};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		if (strcmp(texts[i].name, name) == 0)
			return true;
	}
	for (size_t i = 0; i < COUNT_OF(others); i++) {
		if (strcmp(others[i], name) == 0)
			return true;
	}
	return false;
}

static struct str *text_at(struct cloud_config *config, size_t i)
{
	return (struct str *)((char *)config + texts[i].offset);
}

static int read_text(const json_t *j, size_t i, struct arena *a, struct cloud_config *out, struct err *e)
{
	const json_t *value = json_object_get(j, texts[i].name);
	struct str *at = text_at(out, i);
	*at = S("");
	if (!value && !texts[i].required)
		return 0;
	if (!json_is_string(value) || (texts[i].required && !json_string_length(value)))
		return err_set(e, ERR_INVALID, "cloud configuration: \"%s\" is absent or no text", texts[i].name);
	*at = arena_str(a, json_str(j, texts[i].name));
	return at->p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

static int read_credentials(const json_t *j, struct arena *a, struct cloud_config *out, struct err *e)
{
	json_t *value = json_object_get(j, "credentials");
	if (!value || json_is_null(value))
		return 0;
	if (!json_is_object(value))
		return err_set(e, ERR_INVALID, "cloud configuration: \"credentials\" is no object");
	out->credentials = json_in_arena(a, json_deep_copy(value));
	return out->credentials ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

// The list at `name`; *count 0 and NULL when absent.
static int need_list(const json_t *j, const char *name, const json_t **list, size_t *count, struct err *e)
{
	*list = json_object_get(j, name);
	*count = json_array_size(*list);
	if (*list && (!json_is_array(*list) || *count > CONFIG_MAX_ITEMS))
		return err_set(
			e, ERR_INVALID, "cloud configuration: \"%s\" is no list of at most %d", name, CONFIG_MAX_ITEMS);
	return 0;
}

static int read_sealed(const json_t *j, struct arena *a, struct cloud_config *out, struct err *e)
{
	const json_t *list;
	size_t count;
	int r = need_list(j, "sealed", &list, &count, e);
	if (r || !count)
		return r;
	out->sealed = arena_new_array(a, count, struct cloud_sealed);
	if (!out->sealed)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);
		struct str bucket, key;
		if (json_need_str(item, "bucket", &bucket, e) || json_need_str(item, "key", &key, e))
			return err_context(e, "cloud configuration: \"sealed\", item %zu", i + 1);
		out->sealed[i] = (struct cloud_sealed){.bucket = arena_str(a, bucket), .key = arena_str(a, key)};
		if (!out->sealed[i].bucket.p || !out->sealed[i].key.p)
			return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	out->sealed_count = count;
	return 0;
}

static int read_hosts(const json_t *j, struct arena *a, struct cloud_config *out, struct err *e)
{
	const json_t *list;
	size_t count;
	int r = need_list(j, "hosts", &list, &count, e);
	if (r || !count)
		return r;
	out->hosts = arena_new_array(a, count, struct str);
	if (!out->hosts)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		const json_t *item = json_array_get(list, i);
		if (!json_is_string(item))
			return err_set(e, ERR_INVALID, "cloud configuration: \"hosts\", item %zu is no text", i + 1);
		out->hosts[i] = arena_str(a, str_bytes(json_string_value(item), json_string_length(item)));
		if (!out->hosts[i].p)
			return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	out->host_count = count;
	return 0;
}

int cloud_config_of_json(const json_t *j, struct arena *a, struct cloud_config *out, struct err *e)
{
	struct cloud_config config = {0};
	const char *name;
	json_t *value;
	int r = 0;
	if (!json_is_object(j))
		return err_set(e, ERR_INVALID, "cloud configuration: expected an object");
	// jansson's macro wants a pointer that it could change, and does not.
	json_t *object = json_incref((json_t *)(uintptr_t)j);
	json_object_foreach(object, name, value)
	{
		if (!r && !member_known(name))
			r = err_set(e, ERR_INVALID, "cloud configuration: \"%.64s\" is unknown to this release", name);
	}
	json_decref(object);
	for (size_t i = 0; !r && i < COUNT_OF(texts); i++)
		r = read_text(j, i, a, &config, e);
	if (!r)
		r = read_credentials(j, a, &config, e);
	if (!r)
		r = read_sealed(j, a, &config, e);
	if (!r)
		r = read_hosts(j, a, &config, e);
	if (!r)
		*out = config;
	return r;
}

static json_t *sealed_to_json(const struct cloud_config *config)
{
	json_t *list = json_array();
	for (size_t i = 0; i < config->sealed_count; i++) {
		json_t *item = json_object();
		json_set_str(item, "bucket", config->sealed[i].bucket);
		json_set_str(item, "key", config->sealed[i].key);
		json_array_append_new(list, item);
	}
	return list;
}

json_t *cloud_config_to_json(const struct cloud_config *config)
{
	json_t *j = json_object();
	struct cloud_config copy = *config;
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		if (text_at(&copy, i)->n)
			json_set_str(j, texts[i].name, *text_at(&copy, i));
	}
	if (config->credentials)
		json_object_set_new(j, "credentials", json_deep_copy(config->credentials));
	if (config->sealed_count)
		json_object_set_new(j, "sealed", sealed_to_json(config));
	json_t *hosts = config->host_count ? json_array() : NULL;
	for (size_t i = 0; i < config->host_count; i++)
		json_array_append_new(hosts, json_of_str(config->hosts[i]));
	if (hosts)
		json_object_set_new(j, "hosts", hosts);
	return j;
}

int cloud_config_copy_texts(
	const struct cloud_config *from, struct arena *a, struct cloud_config *out, struct err *e)
{
	struct cloud_config copy = *from, made = {0};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		if (str_starts(str_of(texts[i].name), S("proxy_")))
			continue;
		*text_at(&made, i) = arena_str(a, *text_at(&copy, i));
		if (!text_at(&made, i)->p)
			return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	*out = made;
	return 0;
}
