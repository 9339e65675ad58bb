// SPDX-License-Identifier: Apache-2.0
// Finding the state of a workspace: see workspace_state.h. Of each file only the blocks at the left edge that matter
// are parsed: a workspace may be large, and commands ask this at every start.
#include "infra/workspace_state.h"

#include "base/file.h"
#include "infra/workspace_impl.h"
#include "state/postgres_url.h"

struct finder {
	const struct workspace_place *place;
	struct arena *a;
	struct err *e;
	struct str workspace, overlay;
	bool pocket;
	bool from_overlay; // the url is the environment's own
	struct workspace_state_place found;
};

// ---------------------------------------------------------------- blocks of a text
static bool is_top_key(struct str line, struct str key)
{
	return str_starts(line, key) && line.n > key.n && line.p[key.n] == ':';
}

// "key: ..." at the left edge and what is indented below it, appended to out.
static void cut_block(struct str text, struct str key, struct buf *out)
{
	struct str rest = text, line;
	bool inside = false;
	while (str_next(&rest, '\n', &line)) {
		bool edge = line.n && line.p[0] != ' ' && line.p[0] != '\t' && line.p[0] != '#' && line.p[0] != '\r';
		if (edge)
			inside = is_top_key(line, key);
		if (!inside)
			continue;
		buf_add(out, line);
		buf_add_char(out, '\n');
	}
}

// The few top-level keys that matter, as a map; a file in another form (a flow map, quoted keys) is parsed whole.
static const struct node *parse_top(struct finder *f, struct str text)
{
	static const struct str keys[] = {S_INIT("workspace"), S_INIT("state"), S_INIT("environments")};
	struct findings ignored = {.arena = f->a}; // whoever loads the workspace tells of them
	struct node *root = NULL;
	AUTO(buf) blocks = {0};
	for (size_t i = 0; i < COUNT_OF(keys); i++)
		cut_block(text, keys[i], &blocks);
	bool plain = blocks.n > 0 || (!str_starts(str_trim(text), S("{")) && str_find(text, S("\"state\"")) < 0);
	if (node_parse_yaml(plain ? buf_str(&blocks) : text, "", &ignored, &root) < 0)
		return root;
	return root;
}

static struct str text_of(const struct node *map, struct str key)
{
	const struct node *n = map ? node_member(map, key) : NULL;
	return n && n->type == NODE_SCALAR ? n->text : (struct str){0};
}

static void take_state(struct finder *f, const struct node *root, bool overlay)
{
	const struct node *state = root ? node_member(root, S("state")) : NULL;
	struct str url = text_of(state, S("url")), credentials = text_of(state, S("credentials"));
	if (url.n) {
		f->found.url = url;
		f->from_overlay = overlay;
	}
	if (credentials.n)
		f->found.credentials = credentials;
}

static void take_environment(struct finder *f, const struct node *root)
{
	const struct node *all = root ? node_member(root, S("environments")) : NULL;
	const struct node *one = all ? node_member(all, f->place->environment) : NULL;
	struct str overlay = text_of(one, S("overlay"));
	if (overlay.n)
		f->overlay = overlay;
	if (str_eq(text_of(one, S("pocket")), S("true")))
		f->pocket = true;
}

// ---------------------------------------------------------------- files
static int read_one(struct finder *f, struct str name, bool overlay)
{
	AUTO(buf) text = {0};
	const char *path = arena_printf(f->a, "%.*s/%.*s", STR(f->place->folder), STR(name)).p;
	int rc =
		path ? file_read(path, WORKSPACE_MAX_FILE, &text, f->e) : err_set(f->e, ERR_NO_MEMORY, "out of memory");
	if (rc < 0)
		return rc;
	const struct node *root = parse_top(f, buf_str(&text));
	struct str workspace = text_of(root, S("workspace"));
	if (workspace.n)
		f->workspace = workspace;
	take_state(f, root, overlay);
	if (!overlay)
		take_environment(f, root);
	return 0;
}

static int read_all(struct finder *f, const char *path)
{
	struct workspace_files files = {0};
	int rc = workspace_list_files(path, f->a, &files, f->e);
	if (rc == ERR_NOT_FOUND && files.folder.n) { // no workspace: whoever loads it says so
		err_clear(f->e);
		return 0;
	}
	for (size_t i = 0; rc == 0 && i < files.count; i++)
		rc = read_one(f, str_of(files.names[i]), false);
	if (rc == 0 && f->overlay.n && file_check_relative(f->overlay, NULL) == 0)
		rc = read_one(f, f->overlay, true);
	return rc;
}

// ---------------------------------------------------------------- the URL
static int interpolate(struct finder *f)
{
	AUTO(buf) out = {0};
	struct str rest = f->found.url;
	ptrdiff_t at;
	while ((at = str_find(rest, S("${"))) >= 0) {
		struct str name, tail;
		buf_add(&out, str_take(rest, (size_t)at));
		str_cut(str_drop(rest, (size_t)at + 2), '}', &name, &tail);
		if (str_eq(name, S("env")))
			buf_add(&out, f->place->environment);
		else if (str_eq(name, S("workspace")))
			buf_add(&out, f->workspace);
		else
			return err_set(f->e, ERR_INVALID,
				"state.url: ${%.*s} is not known there: state is looked for before anything else is "
				"read; only ${env} and ${workspace} are",
				STR(str_clip(name, 60)));
		rest = tail;
	}
	buf_add(&out, rest);
	int rc = buf_check(&out, f->e);
	f->found.url = arena_str(f->a, buf_str(&out));
	return rc < 0 ? rc : f->found.url.p ? 0 : err_set(f->e, ERR_NO_MEMORY, "out of memory");
}

static int check_url(struct finder *f)
{
	struct postgres_place p;
	struct str schema = postgres_schema_of(f->a, f->workspace, f->place->environment);
	int rc = postgres_url_parse(f->found.url, schema, f->a, &p, f->e);
	if (rc < 0)
		return err_context(f->e, "state.url");
	if (f->pocket && !p.loopback && !f->from_overlay) { // the base speaks of the real thing
		f->found = (struct workspace_state_place){0};
		return 0;
	}
	if (f->pocket && !p.loopback)
		return err_set(f->e, ERR_DENIED,
			"state.url: the environment %.*s has pocket: true, so its state stays on this machine, and %s "
			"is not: take the url out of its overlay",
			STR(f->place->environment), p.hosts);
	struct str host = {.p = "", .n = 0}, port = {.p = "", .n = 0}, rest;
	str_cut(str_of(p.hosts), ',', &host, &rest);
	str_cut(str_of(p.ports), ',', &port, &rest);
	f->found.schema = str_of(p.schema);
	f->found.shown = str_of(p.shown);
	f->found.host = arena_printf(f->a, "%.*s:%.*s", STR(host), STR(port.n ? port : S("5432")));
	return f->found.host.p ? 0 : err_set(f->e, ERR_NO_MEMORY, "out of memory");
}

int workspace_state_find(const char *path, const struct workspace_place *place, struct arena *a,
	struct workspace_state_place *out, struct err *e)
{
	struct finder f = {.place = place, .a = a, .e = e};
	int rc = read_all(&f, path);
	if (rc == 0 && f.found.url.n)
		rc = interpolate(&f);
	if (rc == 0 && f.found.url.n)
		rc = check_url(&f);
	if (rc == 0)
		*out = f.found;
	return rc;
}

void workspace_check_state(const struct workspace *w, struct findings *f)
{
	struct err e = {0};
	struct postgres_place p;
	const struct node *url = node_member(node_member(w->root, S("state")), S("url"));
	if (!url || url->type != NODE_SCALAR)
		return; // the tables say what is wrong with it
	if (postgres_url_parse(url->text, (struct str){0}, f->arena, &p, &e) < 0)
		findings_add(f, url->at, node_path(url, f->arena), S("postgresql://HOST/DATABASE, and a secret in credentials:"),
			"%s", e.message);
}
