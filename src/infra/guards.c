// SPDX-License-Identifier: Apache-2.0
// What lies on each cloud, which regions its bounds allow, and the files of its provider.
#include "infra/guards.h"

#include <string.h>

#include "cloud/regions.h"
#include "infra/guards_impl.h"
#include "state/resource_common.h"

// ---------------------------------------------------------------- files
int guard_add(struct guard_list *list, const struct guard_file *file)
{
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 16;
		struct guard_file *more = arena_new_array(list->arena, room, struct guard_file);
		if (!more)
			return err_set(list->err, ERR_NO_MEMORY, "out of memory");
		if (list->count)
			memcpy(more, list->items, list->count * sizeof(*more));
		list->items = more;
		list->room = room;
	}
	if (!file->path.p || !file->put.p)
		return err_set(list->err, ERR_NO_MEMORY, "out of memory");
	list->items[list->count++] = *file;
	return 0;
}

int guard_add_json(struct guard_list *list, const struct guard_file *file, json_t *j)
{
	AUTO(json) owned = j;
	AUTO(buf) text = {0};
	struct guard_file with = *file;
	if (!j)
		return err_set(list->err, ERR_NO_MEMORY, "out of memory");
	int rc = json_write_pretty(j, &text, list->err);
	if (rc < 0)
		return rc;
	if (text.n && text.p[text.n - 1] != '\n')
		buf_printf(&text, "\n");
	with.content = arena_str(list->arena, buf_str(&text));
	return with.content.p ? guard_add(list, &with) : err_set(list->err, ERR_NO_MEMORY, "out of memory");
}

json_t *guard_strings(const struct str *items, size_t count)
{
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_of_str(items[i]));
	return list;
}

// ---------------------------------------------------------------- what there is on a cloud
static bool leaves_out(const struct bounds *b)
{
	return !b->where.any;
}

static int find_regions(struct guard_list *list, struct guard_cloud *cloud)
{
	size_t count;
	const struct region *table = region_table(&count);
	struct str provider = json_str(cloud->resolved, "provider");
	cloud->regions = arena_new_array(list->arena, count, struct str);
	if (!cloud->regions)
		return err_set(list->err, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < count; i++) {
		struct str country = str_of(table[i].country);
		bool fits = places_hold(&cloud->held.bounds.where, country) || places_hold(&cloud->held.doors, country);
		if (fits && str_eq(str_of(table[i].provider), provider))
			cloud->regions[cloud->region_count++] = str_of(table[i].name);
	}
	return 0;
}

static struct str physical_name(struct arena *a, const struct guard_input *in, const struct resource *r)
{
	struct str name = json_str(r->resolved, "name");
	return name.n ? name : arena_printf(a, "%.*s-%.*s", STR(in->workspace), STR(r->name));
}

static int find_buckets(struct guard_list *list, const struct guard_input *in, struct guard_cloud *cloud)
{
	cloud->buckets = arena_new_array(list->arena, in->count + 1, struct str);
	if (!cloud->buckets)
		return err_set(list->err, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < in->count; i++) {
		const struct resource *r = &in->resources[i];
		if (str_eq(r->kind, S("bucket")) && str_eq(r->cloud, cloud->name) && !resource_is_kept(r))
			cloud->buckets[cloud->bucket_count++] = physical_name(list->arena, in, r);
	}
	return 0;
}

static int add_cloud(struct guard_list *list, const struct guard_input *in, struct flow *flow, const struct resource *r)
{
	static const struct {
		const char *provider;
		int (*write)(struct guard_list *list, const struct guard_cloud *cloud);
	} writers[] = {{"aws", guards_aws}, {"gcp", guards_gcp}, {"azure", guards_azure}};
	struct guard_cloud cloud = {.name = r->name, .resolved = r->resolved};
	int rc = flow_held_on(flow, r->name, &cloud.held, list->err);
	cloud.bound = rc == 0 && leaves_out(&cloud.held.bounds);
	if (rc == 0)
		rc = find_regions(list, &cloud);
	if (rc == 0)
		rc = find_buckets(list, in, &cloud);
	for (size_t i = 0; i < COUNT_OF(writers) && rc == 0; i++)
		if (str_eq(str_of(writers[i].provider), json_str(r->resolved, "provider")))
			rc = writers[i].write(list, &cloud);
	return rc;
}

// ---------------------------------------------------------------- the page that goes with them
static int add_readme(struct guard_list *list, struct str workspace)
{
	AUTO(buf) text = {0};
	buf_printf(&text,
		"# Guards of the workspace %.*s\n\n"
		"Written by `isobar guards` from the residency, class and operators that the workspace declares. "
		"Nothing was sent: read\n"
		"each file, then put it into force as its owner. They are a second line behind Isobar's own checks, "
		"and hold for\n"
		"everybody who has access to these accounts.\n\n"
		"| file | keeps | put it into force |\n|---|---|---|\n",
		STR(workspace));
	for (size_t i = 0; i < list->count; i++)
		buf_printf(&text, "| %.*s | %.*s | `%.*s` |\n", STR(list->items[i].path), STR(list->items[i].about),
			STR(list->items[i].put));
	struct guard_file readme = {
		.path = S("README.md"), .about = S("what each file keeps, and how it is put into force"), .put = S("")};
	readme.content = arena_str(list->arena, buf_str(&text));
	if (!readme.content.p)
		return err_set(list->err, ERR_NO_MEMORY, "out of memory");
	int rc = guard_add(list, &readme);
	for (size_t i = list->count - 1; rc == 0 && i > 0; i--)
		list->items[i] = list->items[i - 1];
	if (rc == 0)
		list->items[0] = readme;
	return rc;
}

int guards_make(struct arena *a, const struct guard_input *in, struct guard_file **out, size_t *count, struct err *e)
{
	struct guard_list list = {.arena = a, .err = e};
	struct flow *flow;
	int rc = flow_new(a, in->resources, in->count, in->now_ns, &flow, e);
	for (size_t i = 0; i < in->count && rc == 0; i++)
		if (str_eq(in->resources[i].kind, S("cloud")))
			rc = add_cloud(&list, in, flow, &in->resources[i]);
	if (rc == 0)
		rc = add_readme(&list, in->workspace);
	if (rc < 0)
		return rc;
	*out = list.items;
	*count = list.count;
	return 0;
}
