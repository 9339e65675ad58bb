// SPDX-License-Identifier: Apache-2.0
// A workspace in its environment: the overlay over the base, variables, modules, copies, defaults, then entries and
// resources. When several environments are declared and none is chosen, a check goes through all of them, each from the
// files anew, and its findings say which environment they are about when they are not about all.
#include <string.h>

#include "infra/workspace_language_impl.h"

enum { NAMES_TOLD = 16 }; // of environments, in a message

// ---------------------------------------------------------------- one environment
static struct node *text_node(struct arena *a, struct str text)
{
	struct node *n = arena_new(a, struct node);
	if (n)
		*n = (struct node){.type = NODE_SCALAR, .quoted = true, .text = text};
	return n;
}

// Values that nobody writes: ${env} and ${workspace}.
static void name_values(struct language *l)
{
	const struct node *workspace = node_member(l->root, S("workspace"));
	l->environment = text_node(l->arena, l->w->environment->name);
	if (workspace && workspace->type == NODE_SCALAR)
		l->workspace = text_node(l->arena, workspace->text);
	l->broken = (struct node){.type = NODE_NULL};
	l->empty = (struct node){.type = NODE_MAP};
}

static struct node *read_overlay(struct language *l)
{
	const struct node *environments = node_member(l->root, S("environments"));
	const struct node *declared = node_member(environments, l->w->environment->name);
	const struct node *at = node_member(declared, S("overlay"));
	return at && l->w->environment->overlay.n ? language_read(l, l->w->environment->overlay, at) : NULL;
}

// Everything that is no kind, but for what was read with rules of its own.
static bool is_read_apart(struct str key)
{
	static const char *const keys[] = {"isobar", "workspace", "environments", "variables", "inputs", "modules"};
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		if (str_eq(key, str_of(keys[i])))
			return true;
	}
	return false;
}

static void fill_all(struct language *l, const struct scope *scope)
{
	for (struct node *n = l->root->first; n && !language_is_over(l); n = n->next) {
		if (is_read_apart(n->key))
			continue;
		if (kind_find(l->w->options->kinds, n->key))
			language_expand(l, scope, n);
		else
			language_fill(l, scope, n);
	}
}

static void speak(struct language *l)
{
	struct scope scope = {0};
	struct node *overlay = read_overlay(l);
	const struct node *given = node_member(overlay, S("variables"));
	if (overlay)
		language_overlay(l, overlay, l->w->environment->name);
	language_variables(l, node_member(l->root, S("variables")), given, &scope);
	language_inputs(l, &scope);
	language_modules(l, l->root, &scope, 0);
	fill_all(l, &scope);
	if (language_is_over(l))
		return;
	language_drop_nulls(l, overlay, true);
	language_defaults(l, l->root, l->root);
	language_drop_nulls(l, overlay, false);
	language_clouds(l);
}

// Everything up to the entries; false when it is not whole.
static bool speak_in(struct workspace *w, struct findings *f)
{
	bool untrusted = w->options->given.untrusted;
	struct language l = {
		.w = w,
		.arena = f->arena,
		.f = f,
		.root = w->root,
		.stand_ins = w->environment->pocket || untrusted,
		.copies_left = untrusted ? LANGUAGE_UNTRUSTED_COPIES : LANGUAGE_MAX_COPIES,
		.bytes_left = untrusted ? LANGUAGE_UNTRUSTED_FILLED : LANGUAGE_MAX_FILLED,
		.modules_left = LANGUAGE_MAX_MODULES,
	};
	name_values(&l);
	speak(&l);
	return !language_is_over(&l) && workspace_index_make(w);
}

static void build_one(struct workspace *w, struct findings *f)
{
	if (!speak_in(w, f))
		return; // nothing more can be said of what is there
	workspace_decode(w, w->root, f);
	if (!workspace_index_clouds(w))
		return;
	workspace_check_references(w, f);
	workspace_check_paths(w, f);
	workspace_check_moved(w, f);
	workspace_check_named(w, f);
	workspace_check_state(w, f);
	workspace_check_models(w, f);
	workspace_check_when(w, f);
	workspace_resolve(w, f);
}

// ---------------------------------------------------------------- all of them
struct sweep { // over all environments
	struct workspace *w;
	struct findings *f; // of the whole
	struct str_map seen; // text of a finding -> struct sighting
	size_t done;
};
struct sighting {
	struct finding *finding;
	size_t count;
	struct str first;
};

static struct finding *copy_finding(struct sweep *s, const struct finding *from)
{
	struct position at = from->at;
	at.file = at.file ? arena_cstr(s->f->arena, str_of(at.file)) : NULL;
	findings_add(s->f, at, from->field, from->suggestion, "%.*s", STR(from->problem));
	return s->f->last;
}

static void take_finding(struct sweep *s, const struct finding *one, struct str environment)
{
	AUTO(buf) text = {0};
	finding_text(one, &text);
	struct sighting *seen = str_map_get(&s->seen, buf_str(&text));
	if (seen) {
		seen->count++;
		return;
	}
	seen = arena_new(s->f->arena, struct sighting);
	if (!seen || s->f->count >= FINDINGS_MAX)
		return;
	*seen = (struct sighting){.finding = copy_finding(s, one), .count = 1, .first = environment};
	(void)str_map_put(&s->seen, arena_str(s->f->arena, buf_str(&text)), seen);
}

static int check_one(struct sweep *s, const struct environment *environment, struct err *e)
{
	AUTO(arena) arena = {.limit = s->f->arena->limit};
	struct workspace_options options = *s->w->options;
	struct findings f = {.arena = &arena};
	struct workspace one = {0};
	options.environment = environment->name;
	options.keep_document = false;
	int rc = workspace_load(&options, &f, &one, e);
	if (rc < 0 && rc != ERR_INVALID)
		return rc;
	for (const struct finding *found = f.first; found; found = found->next)
		take_finding(s, found, environment->name);
	s->w->checked[s->done++] = (struct workspace_checked){.environment = environment->name, .resources = one.resource_count};
	if (rc < 0 && f.count == 0)
		return rc;
	err_clear(e);
	return 0;
}

static void name_environments(struct sweep *s)
{
	size_t count = s->w->environment_count;
	struct str *keys = arena_new_array(s->f->arena, s->seen.count + 1, struct str);
	size_t n = keys ? str_map_keys(&s->seen, keys) : 0;
	for (size_t i = 0; i < n; i++) {
		const struct sighting *one = str_map_get(&s->seen, keys[i]);
		if (one->finding && one->count < count)
			one->finding->problem = arena_printf(s->f->arena, "%.*s, in the environment %.*s", STR(one->finding->problem),
				STR(one->first));
	}
}

static int check_all(struct workspace *w, struct findings *f, struct err *e)
{
	struct sweep s = {.w = w, .f = f};
	int rc = 0;
	w->checked = arena_new_array(f->arena, w->environment_count, struct workspace_checked);
	if (!w->checked || !str_map_init(&s.seen, f->arena, 16))
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	const struct node *workspace = node_member(w->root, S("workspace"));
	w->name = workspace ? workspace->text : (struct str){0};
	for (size_t i = 0; rc == 0 && i < w->environment_count; i++)
		rc = check_one(&s, &w->environments[i], e);
	w->checked_count = s.done;
	name_environments(&s);
	return rc;
}

// ---------------------------------------------------------------- which
static struct str environment_name_at(const void *ctx, size_t i)
{
	return ((const struct workspace *)ctx)->environments[i].name;
}

static int choose(struct workspace *w, struct err *e)
{
	static const struct environment none = {.name = S_INIT("default")};
	struct str wanted = w->options->environment;
	if (!wanted.n) {
		w->environment = w->environment_count == 0 ? &none : w->environment_count == 1 ? &w->environments[0] : NULL;
		return 0;
	}
	for (size_t i = 0; i < w->environment_count; i++) {
		if (str_eq(w->environments[i].name, wanted))
			w->environment = &w->environments[i];
	}
	if (w->environment)
		return 0;
	struct str meant = kind_suggest(wanted, environment_name_at, w, w->environment_count);
	AUTO(buf) more = {0};
	if (meant.n)
		buf_printf(&more, ": did you mean \"%.*s\"?", STR(meant));
	for (size_t i = 0; !meant.n && i < w->environment_count && i < NAMES_TOLD; i++)
		buf_printf(&more, "%s%.*s", i ? ", " : "; there are: ", STR(w->environments[i].name));
	return err_set(e, ERR_INVALID, "the workspace has no environment \"%.*s\"%.*s", STR(str_clip(wanted, 80)),
		STR(buf_str(&more)));
}

int workspace_build(struct workspace *w, struct findings *f, struct err *e)
{
	const struct environment *ignored;
	size_t before = f->count;
	workspace_decode_environments(w, node_member(w->root, S("environments")), f);
	bool known = f->count == before;
	int rc = known ? choose(w, e) : 0;
	if (rc < 0)
		return rc;
	if (!known && !w->environment) { // check at least what does not depend on it
		static const struct environment none = {.name = S_INIT("default")};
		w->environment = &none;
	}
	if (w->environment)
		build_one(w, f);
	else if (w->options->check_only)
		rc = check_all(w, f, e);
	else
		rc = workspace_need_environment(w, &ignored, e);
	return rc;
}

int workspace_read_names(
	const struct workspace_options *options, struct findings *f, struct workspace *w, struct err *e)
{
	static const struct environment none = {.name = S_INIT("default")};
	*w = (struct workspace){.arena = f->arena, .options = options};
	int rc = workspace_read(options->path, f, w, &w->root, e);
	if (rc < 0 || !w->root)
		return rc;
	workspace_decode_environments(w, node_member(w->root, S("environments")), f);
	if (choose(w, e) < 0 || !w->environment)
		w->environment = w->environment_count ? &w->environments[0] : &none;
	err_clear(e);
	if (!speak_in(w, f))
		return 0;
	workspace_decode_names(w, w->root, f);
	if (w->entries && !workspace_index_clouds(w))
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	return 0;
}
