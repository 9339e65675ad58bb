// SPDX-License-Identifier: Apache-2.0
// `clouds:` beyond lists of names: group/NAME of `groups:`, and selectors {labels: {...}, location: [...]}. Both become
// the list of clouds that they stand for before any table reads them; each name stands where the group or selector was
// written. `all` stays as it is.
#include <string.h>

#include "cloud/regions.h"
#include "data/places.h"
#include "infra/workspace_language_impl.h"

enum { MAX_CLOUDS = 1000, MAX_GROUPS = 1000 }; // of one workspace; each use of a selector looks at all clouds

struct selection {
	struct language *l;
	const struct node *clouds; // the map of them; NULL: none
	const struct node *groups;
	struct str *countries; // of the clouds, in their order
};

static void complain(const struct selection *s, const struct node *n, struct str suggestion, const char *problem, struct str what)
{
	findings_add(s->l->f, n->at, node_path(n, s->l->f->arena), suggestion, "%s%.*s", problem, STR(str_clip(what, 100)));
}

// ---------------------------------------------------------------- selectors
static struct str text_of(const struct node *cloud, const char *member)
{
	const struct node *n = node_member(cloud, str_of(member));
	return n && n->type == NODE_SCALAR ? n->text : (struct str){0};
}

static struct str country_of(const struct node *cloud)
{
	const struct region *region = region_find(text_of(cloud, "provider"), text_of(cloud, "region"));
	struct str country = text_of(cloud, "location");
	return country.n || !region ? country : str_of(region->country);
}

static struct places places_of(const struct node *location)
{
	struct places places = {0};
	if (location->type == NODE_SCALAR)
		places_add(&places, location->text);
	for (const struct node *n = location->first; n; n = n->next)
		places_add(&places, n->text);
	return places;
}

static bool has_labels(const struct node *cloud, const struct node *labels)
{
	const struct node *own = node_member(cloud, S("labels"));
	for (const struct node *n = labels->first; n; n = n->next) {
		const struct node *label = node_member(own, n->key);
		if (!label || !str_eq(label->text, n->text))
			return false;
	}
	return true;
}

static bool check_places(const struct selection *s, const struct node *location)
{
	const struct node *n = location->type == NODE_LIST ? location->first : location;
	for (; n; n = location->type == NODE_LIST ? n->next : NULL) {
		struct str meant = {0};
		if (n->type == NODE_SCALAR && places_check(n->text, &meant) == 0)
			continue;
		struct str hint = meant.n ? arena_printf(s->l->f->arena, "did you mean %.*s?", STR(meant)) : (struct str){0};
		complain(s, n, hint, "expected a country such as DE, or EU", (struct str){0});
		return false;
	}
	return true;
}

static bool check_selector(const struct selection *s, const struct node *selector)
{
	for (const struct node *n = selector->first; n; n = n->next) {
		bool location = str_eq(n->key, S("location")), labels = str_eq(n->key, S("labels"));
		if (!location && !labels) {
			findings_add(s->l->f, n->key_at, node_path(n, s->l->f->arena), S("write {labels: {...}, location: [...]}"),
				"clouds are selected by labels and by location, not by \"%.*s\"", STR(n->key));
			return false;
		}
		if (location && !check_places(s, n))
			return false;
		if (labels && n->type != NODE_MAP) {
			complain(s, n, (struct str){0}, "expected a map of labels", (struct str){0});
			return false;
		}
	}
	return true;
}

// ---------------------------------------------------------------- lists
struct list { // of clouds in the making
	struct node *map;
	struct node **end;
};

static void add_cloud(const struct selection *s, struct list *list, struct str name, const struct node *at)
{
	for (const struct node *n = list->map->first; n; n = n->next) {
		if (n->type == NODE_SCALAR && str_eq(n->text, name))
			return; // in two groups: once is enough
	}
	struct node *n = arena_new(s->l->arena, struct node);
	if (!n)
		return;
	*n = (struct node){.type = NODE_SCALAR, .text = name, .at = at->at, .parent = list->map};
	*list->end = n;
	list->end = &n->next;
	list->map->count++;
}

static void add_selected(const struct selection *s, struct list *list, const struct node *selector, const struct node *at)
{
	size_t before = list->map->count;
	if (!check_selector(s, selector))
		return;
	const struct node *labels = node_member(selector, S("labels")), *location = node_member(selector, S("location"));
	const struct places places = location ? places_of(location) : (struct places){.any = true};
	size_t i = 0;
	for (const struct node *c = s->countries ? s->clouds->first : NULL; c; c = c->next, i++) {
		bool there = !location || (s->countries[i].n && places_hold(&places, s->countries[i]));
		if (there && (!labels || has_labels(c, labels)))
			add_cloud(s, list, c->key, at);
	}
	if (list->map->count == before)
		complain(s, at, S("`labels:` and `location:` of clouds are compared"), "selects no cloud", (struct str){0});
}

static struct str group_name_at(const void *ctx, size_t i)
{
	const struct node *n = ((const struct node *)ctx)->first;
	for (; n && i; i--)
		n = n->next;
	return n ? n->key : (struct str){0};
}

static void add_group(const struct selection *s, struct list *list, const struct node *at)
{
	struct str name = str_drop(at->text, S("group/").n);
	const struct node *group = node_member(s->groups, name);
	if (!group) {
		struct str meant = s->groups ? kind_suggest(name, group_name_at, s->groups, s->groups->count) : (struct str){0};
		struct str hint = meant.n ? arena_printf(s->l->f->arena, "did you mean \"group/%.*s\"?", STR(meant))
					  : S("declare it: groups: {NAME: [CLOUD]}");
		complain(s, at, hint, "there is no group of clouds ", name);
		return;
	}
	if (group->type == NODE_MAP)
		add_selected(s, list, group, at);
	for (const struct node *n = group->type == NODE_LIST ? group->first : NULL; n; n = n->next)
		add_cloud(s, list, n->text, at);
}

static bool is_group(const struct node *n)
{
	return n->type == NODE_SCALAR && str_starts(n->text, S("group/"));
}

static bool needs_work(const struct node *n)
{
	if (n->type == NODE_MAP || is_group(n))
		return true;
	for (const struct node *m = n->type == NODE_LIST ? n->first : NULL; m; m = m->next) {
		if (m->type == NODE_MAP || is_group(m))
			return true;
	}
	return false;
}

// The list is made beside the node, which findings still point into.
static void rewrite(const struct selection *s, struct node *n)
{
	struct node made = {.type = NODE_LIST, .key = n->key, .key_at = n->key_at, .at = n->at, .parent = n->parent, .next = n->next};
	struct list list = {.map = &made, .end = &made.first};
	size_t before = s->l->f->count;
	for (const struct node *one = n->type == NODE_LIST ? n->first : n; one; one = n->type == NODE_LIST ? one->next : NULL) {
		if (one->type == NODE_MAP)
			add_selected(s, &list, one, one);
		else if (is_group(one))
			add_group(s, &list, one);
		else
			add_cloud(s, &list, one->text, one);
	}
	*n = made;
	for (struct node *one = n->first; one; one = one->next)
		one->parent = n;
	if (s->l->f->count > before)
		workspace_distrust(s->l->w, n->at, s->l->f);
}

// ---------------------------------------------------------------- the walk
static bool has_clouds(const struct kind *table)
{
	for (size_t i = 0; i < table->field_count; i++) {
		const struct field *f = &table->fields[i];
		if (f->type == FIELD_CLOUDS || (f->block && f->block != table && has_clouds(f->block)))
			return true;
	}
	return false;
}

static void walk(const struct selection *s, const struct kind *table, struct node *map)
{
	for (struct node *n = map->type == NODE_MAP ? map->first : NULL; n; n = n->next) {
		const struct field *field = kind_field(table, n->key);
		if (field && field->type == FIELD_CLOUDS && needs_work(n))
			rewrite(s, n);
		else if (field && field->type == FIELD_BLOCK)
			walk(s, field->block, n);
		else if (field && (field->type == FIELD_NAMED || field->type == FIELD_BLOCKS))
			for (struct node *m = n->first; m; m = m->next)
				walk(s, field->block, m);
	}
}

static void check_groups(const struct selection *s)
{
	for (const struct node *g = s->groups ? s->groups->first : NULL; g; g = g->next) {
		if (g->type == NODE_MAP) {
			(void)check_selector(s, g);
			continue;
		}
		if (g->type != NODE_LIST)
			complain(s, g, (struct str){0}, "expected a list of clouds, or {labels: {...}, location: [...]}", (struct str){0});
		for (const struct node *n = g->type == NODE_LIST ? g->first : NULL; n; n = n->next) {
			if (!node_member(s->clouds, n->text))
				complain(s, n, (struct str){0}, "there is no cloud ", n->text);
		}
	}
}

static bool find_countries(struct selection *s)
{
	size_t i = 0;
	if (!s->clouds || s->clouds->type != NODE_MAP)
		return true;
	s->countries = arena_new_array(s->l->arena, s->clouds->count + 1, struct str);
	for (const struct node *c = s->clouds->first; c && s->countries; c = c->next)
		s->countries[i++] = country_of(c);
	return s->countries != NULL;
}

// Whether there are so many that looking through them would take too long.
static bool too_many(const struct selection *s)
{
	const struct node *many = s->clouds && s->clouds->count > MAX_CLOUDS ? s->clouds : s->groups && s->groups->count > MAX_GROUPS ? s->groups : NULL;
	if (many)
		complain(s, many, (struct str){0}, "has more than 1000 names", (struct str){0});
	return many != NULL;
}

void language_clouds(struct language *l)
{
	struct selection s = {.l = l, .clouds = node_member(l->root, S("clouds")), .groups = node_member(l->root, S("groups"))};
	if (s.groups && s.groups->type != NODE_MAP) {
		complain(&s, s.groups, S("write groups: {eu: [CLOUD]}"), "expected a map of groups", (struct str){0});
		s.groups = NULL;
	}
	if (too_many(&s) || !find_countries(&s))
		return;
	check_groups(&s);
	for (struct node *map = l->root->first; map; map = map->next) {
		const struct kind *k = kind_find(l->w->options->kinds, map->key);
		if (!k || map->type != NODE_MAP || !has_clouds(k))
			continue;
		if (k->single)
			walk(&s, k, map);
		for (struct node *n = k->single ? NULL : map->first; n; n = n->next)
			walk(&s, k, n);
	}
}
