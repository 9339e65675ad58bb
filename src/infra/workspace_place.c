// SPDX-License-Identifier: Apache-2.0
// Finding the place of a workspace: see workspace_place.h. Only the names of its environments are read, and of a big
// file only the part that declares them.
#include "infra/workspace_place.h"

#include <string.h>

#include "base/file.h"
#include "infra/workspace_impl.h"

enum { NOTE_LIMIT = 4096 };

struct names { // of the environments, of all files
	struct str *items;
	size_t count, room;
	bool unreadable; // a file that may declare some is not YAML
};

// ---------------------------------------------------------------- the names of environments
static bool is_block_end(struct str line)
{
	return line.n && line.p[0] != ' ' && line.p[0] != '\t' && line.p[0] != '#' && line.p[0] != '\r';
}

// The lines of "environments:" as a key at the left edge, and what is indented below it; all of the text when the word
// stands in it in any other way.
static struct str cut_environments(struct str text)
{
	struct str rest = text, line;
	const char *start = NULL;
	while (str_next(&rest, '\n', &line)) {
		if (start && is_block_end(line))
			return str_bytes(start, (size_t)(line.p - start));
		if (!start && str_starts(line, S("environments:")))
			start = line.p;
	}
	return start ? str_bytes(start, (size_t)(text.p + text.n - start)) : text;
}

static bool add_name(struct names *names, struct arena *a, struct str name)
{
	if (names->count == names->room) {
		size_t room = names->room ? 2 * names->room : 8;
		struct str *more = arena_new_array(a, room, struct str);
		if (!more)
			return false;
		if (names->count)
			memcpy(more, names->items, names->count * sizeof(*more));
		names->items = more;
		names->room = room;
	}
	names->items[names->count++] = arena_str(a, name);
	return names->items[names->count - 1].p != NULL;
}

static int scan_text(struct str text, struct names *names, struct arena *a, struct err *e)
{
	AUTO(arena) scratch = {0};
	struct findings f = {.arena = &scratch};
	struct node *root = NULL;
	if (str_find(text, S("environments")) < 0)
		return 0;
	if (node_parse_yaml(cut_environments(text), "", &f, &root) < 0)
		names->unreadable = true;
	const struct node *map = root ? node_member(root, S("environments")) : NULL;
	for (const struct node *n = map ? map->first : NULL; n; n = n->next) {
		if (!add_name(names, a, n->key))
			return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	return 0;
}

static int scan_files(const struct workspace_files *files, struct names *names, struct arena *a, struct err *e)
{
	for (size_t i = 0; i < files->count; i++) {
		AUTO(buf) text = {0};
		const char *path = arena_printf(a, "%.*s/%s", STR(files->folder), files->names[i]).p;
		int rc = path ? file_read(path, WORKSPACE_MAX_FILE, &text, e)
			      : err_set(e, ERR_NO_MEMORY, "out of memory");
		if (rc == 0)
			rc = scan_text(buf_str(&text), names, a, e);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static bool has_name(const struct names *names, struct str name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (str_eq(names->items[i], name))
			return true;
	}
	return false;
}

// ---------------------------------------------------------------- choosing
static struct str list_of(const struct names *names, struct arena *a)
{
	AUTO(buf) text = {0};
	for (size_t i = 0; i < names->count; i++)
		buf_printf(&text, "%s%.*s", i ? ", " : "", STR(names->items[i]));
	return arena_str(a, buf_str(&text));
}

static struct str hidden(const struct workspace_place *p, struct arena *a, const char *name)
{
	return arena_printf(a, "%.*s/.isobar%s", STR(p->folder), name);
}

// Whose state FOLDER/.isobar is: "" when there is none yet, or when nobody noted it.
static struct str noted_owner(const struct workspace_place *p, struct arena *a)
{
	AUTO(buf) text = {0};
	const char *path = hidden(p, a, "/environment").p;
	if (!path || file_read(path, NOTE_LIMIT, &text, NULL) < 0)
		return (struct str){0};
	return arena_str(a, str_trim(buf_str(&text)));
}

static void ask_for_owner(struct workspace_place *p, const struct names *names, struct str owner, struct arena *a)
{
	p->problem = arena_printf(a,
		"the state in %.*s/.isobar was made %s%.*s%s: write the name of the environment that goes on with it into "
		"%.*s/.isobar/environment (one of: %.*s)",
		STR(p->folder), owner.n ? "by the environment \"" : "when there was only one environment", STR(owner),
		owner.n ? "\", which is not declared any more" : "", STR(p->folder), STR(list_of(names, a)));
}

// A state is never left behind: not when a second environment comes, not when the first one is renamed or goes.
static void choose_folder(struct workspace_place *p, const struct names *names, struct arena *a)
{
	struct str owner = noted_owner(p, a), own = arena_printf(a, "%.*s/.isobar/env/%.*s", STR(p->folder), STR(p->environment));
	bool has_old = file_exists(hidden(p, a, "/state.db").p), was_several = file_exists(hidden(p, a, "/env").p);
	if (str_eq(owner, p->environment))
		p->state_folder = hidden(p, a, "");
	else if (p->several ? has_old && !has_name(names, owner) : was_several && has_old && !file_exists(own.p))
		ask_for_owner(p, names, owner, a);
	else
		p->state_folder = p->several || file_exists(own.p) ? own : hidden(p, a, "");
}

static void choose(struct workspace_place *p, const struct names *names, struct str wanted, struct arena *a)
{
	p->several = names->count > 1;
	p->environment = wanted.n ? arena_str(a, wanted) : names->count == 1 ? names->items[0] : (struct str){0};
	if (names->unreadable && names->count == 0 && file_exists(hidden(p, a, "/env").p))
		p->problem = S("the environments cannot be read, so it is not known whose state is meant: see `isobar "
			       "validate`");
	else if (!p->environment.n && p->several)
		p->problem = arena_printf(a, "which environment? say --env NAME (or ISOBAR_ENV) with one of: %.*s",
			STR(list_of(names, a)));
	else if (wanted.n && !names->unreadable && !has_name(names, wanted))
		p->problem = arena_printf(a, "the workspace has no environment \"%.*s\"%s%.*s", STR(wanted),
			names->count ? "; there are: " : "", STR(list_of(names, a)));
	if (p->problem.n)
		return;
	if (!p->environment.n)
		p->environment = S("default");
	choose_folder(p, names, a);
}

int workspace_place_find(
	const char *path, struct str environment, struct arena *a, struct workspace_place *out, struct err *e)
{
	struct workspace_files files = {0};
	struct workspace_place p = {0};
	struct names names = {0};
	int rc = workspace_list_files(path, a, &files, e);
	p.folder = files.folder;
	if (rc == ERR_NOT_FOUND && files.folder.n) { // a folder without a workspace: whoever loads it says so
		err_clear(e);
		p.missing = true;
		rc = 0;
	}
	if (rc == 0)
		rc = scan_files(&files, &names, a, e);
	if (rc < 0)
		return rc;
	choose(&p, &names, environment, a);
	*out = p;
	return 0;
}

int workspace_place_need(const struct workspace_place *p, struct err *e)
{
	return p->state_folder.n ? 0 : err_set(e, ERR_INVALID, "%.*s", STR(p->problem));
}

// What only reads must not begin a state in any folder that somebody names by mistake.
static int need_workspace(const struct workspace_place *p, const char *state_folder, struct arena *scratch, struct err *e)
{
	struct workspace_files files = {0};
	const char *folder = arena_cstr(scratch, p->folder);
	if (!p->missing || !folder || file_exists(state_folder))
		return 0;
	int rc = workspace_list_files(folder, scratch, &files, e);
	return rc < 0 ? rc : 0;
}

int workspace_place_make(const struct workspace_place *p, struct err *e)
{
	AUTO(arena) scratch = {0};
	int rc = workspace_place_need(p, e);
	const char *folder = arena_cstr(&scratch, p->state_folder);
	const char *note = hidden(p, &scratch, "/environment").p;
	if (rc == 0 && (!folder || !note))
		rc = err_set(e, ERR_NO_MEMORY, "out of memory");
	if (rc == 0)
		rc = need_workspace(p, folder, &scratch, e);
	if (rc == 0)
		rc = file_make_dirs(folder, 0700, e);
	struct str owner = noted_owner(p, &scratch);
	if (rc < 0 || p->several || str_eq(owner, p->environment) || 
		!str_ends(p->state_folder, S("/.isobar")))
		return rc;
	return file_write_atomic(note, p->environment, 0600, e);
}
