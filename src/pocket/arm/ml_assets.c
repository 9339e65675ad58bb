// SPDX-License-Identifier: Apache-2.0
// Environments, models, codes and data of a workspace: a container a name, and versions in it that do not change once
// they are made. Source: "Azure Machine Learning REST API": {Environment,Model,Code,Data} {Containers,Versions}. One code
// for the four: they differ in what must be said of a version.
#include <string.h>

#include "pocket/arm/arm_impl.h"

static const struct sort {
	const char *name;       // "environments"
	const char *containers, *versions; // collections
	const char *type;
	const char *needs;      // a property that a version must have; NULL: none of its own
} sorts[] = {
	{"environments", "arm/environments", "arm/environment-versions", ARM_TYPE "/environments", NULL},
	{"models", "arm/models", "arm/model-versions", ARM_TYPE "/models", "modelUri"},
	{"codes", "arm/codes", "arm/code-versions", ARM_TYPE "/codes", "codeUri"},
	{"data", "arm/data", "arm/data-versions", ARM_TYPE "/data", "dataUri"},
};

static const struct sort *find_sort(struct str word)
{
	for (size_t i = 0; i < COUNT_OF(sorts); i++)
		if (str_eq_nocase(word, str_of(sorts[i].name)))
			return &sorts[i];
	return NULL;
}

static const struct sort *sort_of(const struct front_request *r)
{
	return find_sort(arm_name(r, 0)); // which the table of operations has looked at
}

static struct str key_of(struct arena *a, struct str name, struct str version)
{
	struct str key = arena_printf(a, "%.*s/%.*s", STR(name), STR(version));
	return key.p ? key : S("");
}

static void not_found(struct front_request *r, struct str key)
{
	arm_refuse(r, 404, "UserError", "Asset %s with name %.*s is not found in workspace %.*s.", sort_of(r)->name,
		STR(str_clip(key, 300)), STR(arm_state(r)->workspace));
	arm_fail(r);
}

static bool is_archived(const json_t *doc)
{
	return json_flag(arm_properties_of(doc), "isArchived", false);
}

// listViewType: ActiveOnly (when it is not said), ArchivedOnly, All.
static bool view_takes(struct front_request *r, struct str name, const json_t *doc)
{
	struct str view = front_query(r, "listViewType");
	(void)name;
	if (str_eq(view, S("All")))
		return true;
	return is_archived(doc) == str_eq(view, S("ArchivedOnly"));
}

// ---------------------------------------------------------------- containers

// The version that was made last, and the one after the highest number.
static void add_versions(struct front_request *r, struct str name, json_t *properties)
{
	struct docs_row rows[32];
	struct str prefix = key_of(r->arena, name, S("")), latest = S("");
	struct docs_cursor from = {.collection = sort_of(r)->versions, .prefix = prefix};
	int64_t newest = 0;
	uint64_t highest = 0, number = 0;
	size_t count = 0;
	bool more = true;
	while (more && docs_list(r->pocket, &from, rows, COUNT_OF(rows), &count, &more) == 0 && count) {
		for (size_t i = 0; i < count; i++) {
			struct str version = str_drop(rows[i].name, prefix.n);
			if (json_int(rows[i].doc, "created_ns", 0) >= newest) {
				newest = json_int(rows[i].doc, "created_ns", 0);
				latest = version;
			}
			if (str_to_u64(version, &number) == 0 && number > highest && number < UINT32_MAX)
				highest = number;
		}
		from.after = rows[count - 1].name;
	}
	if (latest.n)
		json_set_str(properties, "latestVersion", latest);
	json_set_str(properties, "nextVersion", arena_printf(r->arena, "%llu", (unsigned long long)highest + 1));
}

static json_t *tell_container(struct front_request *r, struct str name, const json_t *doc)
{
	const struct sort *sort = sort_of(r);
	json_t *j = arm_resource(
		arm_id(arm_state(r), r->arena, "%s/%.*s", sort->name, STR(name)), name, sort->type, doc);
	json_t *properties = json_object_get(j, "properties");
	add_versions(r, name, properties);
	json_object_set_new(properties, "provisioningState", json_string("Succeeded"));
	return j;
}

void ml_list_containers(struct front_request *r)
{
	struct arm_list list = {.collection = sort_of(r)->containers, .takes = view_takes, .tell = tell_container};
	arm_reply_list(r, &list);
}

void ml_get_container(struct front_request *r)
{
	const json_t *doc = docs_get(r->pocket, sort_of(r)->containers, arm_name(r, 1), NULL);
	if (doc)
		arm_reply(r, 200, tell_container(r, arm_name(r, 1), doc));
	else
		not_found(r, arm_name(r, 1));
}

static int put_container(struct front_request *r, const json_t *body, const json_t **out, bool *made)
{
	const struct sort *sort = sort_of(r);
	struct str name = arm_name(r, 1);
	const json_t *before = docs_get(r->pocket, sort->containers, name, NULL);
	int rc = arm_check_name(r, sort->name, name);
	*made = !before;
	if (rc < 0)
		return rc;
	AUTO(json) doc = arm_document(r, before, body);
	rc = doc ? docs_put(r->pocket, sort->containers, name, doc, &r->err)
		 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (rc == 0)
		*out = docs_get(r->pocket, sort->containers, name, NULL);
	return rc;
}

void ml_put_container(struct front_request *r)
{
	const json_t *doc = NULL;
	bool made = false;
	if (put_container(r, arm_request(r)->body, &doc, &made) < 0)
		arm_fail(r);
	else
		arm_reply(r, made ? 201 : 200, tell_container(r, arm_name(r, 1), doc));
}

// With all its versions.
void ml_delete_container(struct front_request *r)
{
	const struct sort *sort = sort_of(r);
	struct docs_cursor from = {.collection = sort->versions, .prefix = key_of(r->arena, arm_name(r, 1), S(""))};
	struct docs_row row;
	size_t count = 1;
	bool more = true;
	int rc = 0;
	while (rc == 0 && more) {
		rc = arm_read_docs(docs_list(r->pocket, &from, &row, 1, &count, &more), &r->err);
		struct str key = rc == 0 && count ? arena_str(r->arena, row.name) : S("");
		if (key.n)
			rc = docs_delete(r->pocket, sort->versions, key, &r->err);
	}
	if (rc == 0)
		rc = docs_delete(r->pocket, sort->containers, arm_name(r, 1), &r->err);
	if (rc < 0 && rc != ERR_NOT_FOUND)
		arm_fail(r);
	else
		front_reply(r, rc == 0 ? 200 : 204, S(""));
}

// ---------------------------------------------------------------- versions

static json_t *tell_version(struct front_request *r, struct str key, const json_t *doc)
{
	const struct sort *sort = sort_of(r);
	struct str name, version;
	char type[128];
	str_cut(key, '/', &name, &version);
	str_copy(type, sizeof(type), arena_printf(r->arena, "%s/versions", sort->type));
	json_t *j = arm_resource(
		arm_id(arm_state(r), r->arena, "%s/%.*s/versions/%.*s", sort->name, STR(name), STR(version)), version,
		type, doc);
	json_object_set_new(json_object_get(j, "properties"), "provisioningState", json_string("Succeeded"));
	if (strcmp(sort->name, "environments") == 0)
		json_object_set_new(
			json_object_get(j, "properties"), "environmentType", json_string("UserCreated"));
	return j;
}

void ml_list_versions(struct front_request *r)
{
	struct arm_list list = {.collection = sort_of(r)->versions,
		.prefix = key_of(r->arena, arm_name(r, 1), S("")),
		.takes = view_takes,
		.tell = tell_version};
	if (docs_get(r->pocket, sort_of(r)->containers, arm_name(r, 1), NULL))
		arm_reply_list(r, &list);
	else
		not_found(r, arm_name(r, 1));
}

void ml_get_version(struct front_request *r)
{
	struct str key = key_of(r->arena, arm_name(r, 1), arm_name(r, 2));
	const json_t *doc = docs_get(r->pocket, sort_of(r)->versions, key, NULL);
	if (doc)
		arm_reply(r, 200, tell_version(r, key, doc));
	else
		not_found(r, key);
}

static int check_version(struct front_request *r, const json_t *before)
{
	static const char *const free_members[] = {"description", "tags", "isArchived", "properties", "stage"};
	const struct sort *sort = sort_of(r);
	const json_t *properties = json_object_get(arm_request(r)->body, "properties"), *old = arm_properties_of(before);
	const char *name;
	json_t *value;
	if (sort->needs && !before && !json_str(properties, sort->needs).n)
		return arm_user_error(r, "The %s of a version of %s is required.", sort->needs, sort->name);
	if (strcmp(sort->name, "environments") == 0 && !before && !json_str(properties, "image").n &&
		!json_object_get(properties, "build"))
		return arm_user_error(r, "An environment has an image or a build context.");
	json_object_foreach((json_t *)(uintptr_t)properties, name, value)
	{
		bool may_change = false;
		for (size_t i = 0; i < COUNT_OF(free_members); i++)
			may_change = may_change || strcmp(name, free_members[i]) == 0;
		if (before && !may_change && !json_is_null(value) && !json_equal(value, json_object_get(old, name)))
			return arm_user_error(r,
				"A version of %s with this name and version exists: its %s cannot be changed. Make another "
				"version.",
				sort->name, name);
	}
	return 0;
}

static int put_version(struct front_request *r, struct str key, bool *made)
{
	const struct sort *sort = sort_of(r);
	const json_t *before = docs_get(r->pocket, sort->versions, key, NULL), *container = NULL;
	AUTO(json) empty = json_pack("{s:{}}", "properties");
	int rc = arm_check_name(r, "version", arm_name(r, 2));
	*made = !before;
	if (rc == 0)
		rc = check_version(r, before);
	if (rc == 0 && !docs_get(r->pocket, sort->containers, arm_name(r, 1), NULL))
		rc = put_container(r, empty, &container, &(bool){false});
	if (rc < 0)
		return rc;
	AUTO(json) doc = arm_document(r, before, arm_request(r)->body);
	if (before) { // what was not sent again stays
		AUTO(json) kept = json_deep_copy(arm_properties_of(before));
		json_object_update_missing(arm_properties(doc), kept);
	}
	return doc ? docs_put(r->pocket, sort->versions, key, doc, &r->err)
		   : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

void ml_put_version(struct front_request *r)
{
	struct str key = key_of(r->arena, arm_name(r, 1), arm_name(r, 2));
	bool made = false;
	if (put_version(r, key, &made) < 0)
		arm_fail(r);
	else
		arm_reply(r, made ? 201 : 200, tell_version(r, key, docs_get(r->pocket, sort_of(r)->versions, key, NULL)));
}

void ml_delete_version(struct front_request *r)
{
	struct str key = key_of(r->arena, arm_name(r, 1), arm_name(r, 2));
	int rc = docs_delete(r->pocket, sort_of(r)->versions, key, &r->err);
	if (rc < 0 && rc != ERR_NOT_FOUND)
		arm_fail(r);
	else
		front_reply(r, rc == 0 ? 200 : 204, S(""));
}

// ---------------------------------------------------------------- for jobs and deployments

const json_t *ml_asset_find(struct arm_state *s, const char *kind, struct str id)
{
	const struct sort *sort = find_sort(str_of(kind));
	struct str name, version;
	AUTO(arena) scratch = {0};
	if (!sort || !arm_id_cut(id, kind, &name, &version))
		return NULL;
	return docs_get(s->pocket, sort->versions, key_of(&scratch, name, version), NULL);
}

const char *ml_environment_image(const json_t *environment)
{
	return json_text(arm_properties_of(environment), "image");
}
