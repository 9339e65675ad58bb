// SPDX-License-Identifier: Apache-2.0
// See open_state.h.
#include "api/open_state.h"

#include <sys/stat.h>

#include "api/backup_files.h"
#include "base/file.h"
#include "infra/secret_clouds.h"
#include "infra/workspace_state.h"
#include "security/operator.h"

enum { NOTE_LIMIT = 4096 };

static const char *path_in(struct call *c, const struct open_state_options *o, const char *name)
{
	return arena_printf(c->arena, "%.*s/%s", STR(o->place->state_folder), name).p;
}

static int read_secret(struct call *c, const struct open_state_options *o, const struct workspace_state_place *at,
	struct secret *out, struct str *ca)
{
	AUTO(operator_file) op = NULL;
	int rc = operator_load(c, o->operator_file, &op);
	if (rc == 0)
		secret_clouds_fill(op);
	if (rc == 0 && at->credentials.n)
		rc = operator_secret_read(c, op, at->credentials, at->host, out);
	if (rc == 0)
		*ca = arena_str(c->arena, op->ca);
	return rc < 0 ? call_context(c, "the credentials of the state on %.*s", STR(at->host)) : 0;
}

static int open_server(
	struct call *c, const struct open_state_options *o, const struct workspace_state_place *at, struct state *out)
{
	AUTO(secret) password = {0};
	struct str ca = {0};
	int rc = read_secret(c, o, at, &password, &ca);
	const struct state_place place = {
		.url = at->url, .schema = at->schema, .password = &password, .ca_file = ca.n ? ca.p : NULL};
	return rc < 0 ? rc : state_open(c, &place, out);
}

// ---------------------------------------------------------------- where it was before
static struct str last_place(struct call *c, const struct open_state_options *o)
{
	AUTO(buf) text = {0};
	const char *path = path_in(c, o, "state.place");
	if (path && file_read(path, NOTE_LIMIT, &text, NULL) == 0)
		return arena_str(c->arena, str_trim(buf_str(&text)));
	return file_exists(path_in(c, o, "state.db")) ? S("state.db") : S("");
}

static int is_empty(struct call *c, const struct state *s, bool *empty)
{
	uint64_t head = 0;
	struct record *records = NULL;
	size_t count = 0;
	int rc = state_watch(c, s, UINT64_MAX, 0, &head);
	if (rc == 0 && head == 0)
		rc = state_list(c, s, S(""), &records, &count);
	*empty = rc == 0 && head == 0 && count == 0;
	return rc;
}

static int refuse_to_start_over(
	struct call *c, const struct open_state_options *o, const struct state *s, struct str last, struct str now)
{
	bool empty;
	int rc = is_empty(c, s, &empty);
	if (rc < 0 || !empty)
		return rc;
	return call_fail(c, ERR_CONFLICT,
		"the state of this workspace lies in %.*s so far, and %.*s is empty: make a backup there first (isobar "
		"backup FILE, with `state:` as it was), then isobar restore FILE; or remove %.*s/%s to begin anew",
		STR(last), STR(now), STR(o->place->state_folder),
		str_eq(last, S("state.db")) ? "state.db" : "state.place");
}

static int note_place(struct call *c, const struct open_state_options *o, const struct state *s, struct str now)
{
	struct str last = last_place(c, o);
	if (str_eq(last, now))
		return 0;
	int rc = last.n && !o->moving ? refuse_to_start_over(c, o, s, last, now) : 0;
	bool needless = str_eq(now, S("state.db")) && last.n == 0; // what every workspace does
	return rc < 0 || needless ? rc : file_write_atomic(path_in(c, o, "state.place"), now, 0600, &c->err);
}

// Somebody else's folder may come with a .isobar that leads anywhere: nothing is opened or written through a link.
static int refuse_links(struct call *c, const struct open_state_options *o)
{
	static const char *const names[] = {"", "/environment", "/env", "/state.place", "/state.db", "/state.db-wal", "/state.db-shm"};
	const struct str folders[] = {arena_printf(c->arena, "%.*s/.isobar", STR(o->place->folder)), o->place->state_folder};
	struct stat st;
	for (size_t i = 0; i < COUNT_OF(names) * COUNT_OF(folders); i++) {
		const char *path = arena_printf(c->arena, "%.*s%s", STR(folders[i % COUNT_OF(folders)]), names[i / COUNT_OF(folders)]).p;
		if (!path)
			return call_no_memory(c);
		if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode))
			return call_fail(c, ERR_DENIED, "%s is a link: a workspace that is not trusted may have none", path);
	}
	return 0;
}

int open_state(struct call *c, const struct open_state_options *o, struct state *out, bool *shared)
{
	struct workspace_state_place at;
	struct state opened = {0};
	int rc = o->untrusted ? refuse_links(c, o) : 0;
	if (rc == 0)
		rc = workspace_place_make(o->place, &c->err);
	if (rc == 0)
		rc = workspace_state_find(o->path, o->place, c->arena, &at, &c->err);
	if (rc < 0)
		return rc;
	if (o->untrusted && at.url.n) // makes no connection: it is planned as if nothing were there yet
		return state_open_sqlite(c, STATE_IN_MEMORY, out);
	struct str now = at.url.n ? at.shown : S("state.db"), last = last_place(c, o);
	rc = at.url.n ? open_server(c, o, &at, &opened) : state_open_sqlite(c, path_in(c, o, "state.db"), &opened);
	if (rc == 0 && (at.url.n || !str_eq(last, now)))
		rc = note_place(c, o, &opened, now);
	if (rc == 0 && !o->moving)
		rc = backup_settle(c, o->place->state_folder, &opened);
	if (rc < 0) {
		state_close(&opened);
		return rc;
	}
	*out = opened;
	*shared = at.url.n > 0;
	return 0;
}
