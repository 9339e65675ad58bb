// SPDX-License-Identifier: Apache-2.0
// See backup_files.h.
#include "api/backup_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"

enum { FILE_MAX_BYTES = PASSPHRASE_SEALED_MAX / 2, ID_MAX = 128 };

static const char *path_in(struct call *c, struct str folder, const char *name)
{
	return arena_printf(c->arena, "%.*s/%s", STR(folder), name).p;
}

static int no_path(struct call *c, const char *path)
{
	return path ? 0 : call_no_memory(c);
}

// ---------------------------------------------------------------- which files
typedef int visit_file(struct call *c, void *ctx, const char *name, bool secret);

static int visit_folder(struct call *c, struct str folder, const char *name, visit_file *visit, void *ctx)
{
	const char *path = path_in(c, folder, name);
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *entry;
	int rc = dir || (path && (errno == ENOENT || errno == ENOTDIR)) ? 0
									: call_errno(c, "read %s", path ? path : name);
	while (dir && rc == 0 && (entry = readdir(dir))) {
		const char *file = arena_printf(c->arena, "%s/%s", name, entry->d_name).p;
		if (str_ends(str_of(entry->d_name), S(".json")))
			rc = file ? visit(c, ctx, file, true) : call_no_memory(c);
	}
	if (dir)
		closedir(dir);
	return rc;
}

// The keys of the local engine: local/CLOUD/keys/NAME.json.
static int visit_local(struct call *c, struct str folder, visit_file *visit, void *ctx)
{
	const char *path = path_in(c, folder, "local");
	DIR *dir = path ? opendir(path) : NULL;
	struct dirent *entry;
	int rc = dir || (path && errno == ENOENT) ? 0 : call_errno(c, "read %s", path ? path : "local");
	while (dir && rc == 0 && (entry = readdir(dir))) {
		const char *keys = arena_printf(c->arena, "local/%s/keys", entry->d_name).p;
		if (entry->d_name[0] != '.')
			rc = keys ? visit_folder(c, folder, keys, visit, ctx) : call_no_memory(c);
	}
	if (dir)
		closedir(dir);
	return rc;
}

static int visit_all(struct call *c, struct str folder, visit_file *visit, void *ctx)
{
	static const struct {
		const char *name;
		bool secret;
	} files[] = {{"ca.pem", false}, {"ca.key", true}, {"key-hash.secret", true}};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < COUNT_OF(files); i++)
		if (file_exists(path_in(c, folder, files[i].name)))
			rc = visit(c, ctx, files[i].name, files[i].secret);
	return rc < 0 ? rc : visit_local(c, folder, visit, ctx);
}

static int note_secret(struct call *c, void *ctx, const char *name, bool secret)
{
	(void)c;
	(void)name;
	*(bool *)ctx |= secret;
	return 0;
}

bool backup_files_have_keys(struct call *c, struct str state_folder)
{
	bool found = false;
	if (visit_all(c, state_folder, note_secret, &found) < 0)
		found = true; // rather ask for a passphrase in vain
	err_clear(&c->err);
	return found;
}

// ---------------------------------------------------------------- into an archive
struct writing {
	struct str folder;
	enum backup_keys keys;
	const struct passphrase_key *key;
	struct archive_writer *w;
};

static int write_one(struct call *c, void *ctx, const char *name, bool secret)
{
	struct writing *o = ctx;
	AUTO(secret) bytes = {0};
	AUTO(buf) text = {0}, plain = {0};
	AUTO(json) file = json_pack("{s:s, s:b}", "name", name, "secret", (int)secret);
	bool sealed = secret && o->keys == BACKUP_SEALED;
	if (secret && o->keys == BACKUP_WITHOUT)
		return 0;
	int rc = secret ? secret_read_file(&bytes, path_in(c, o->folder, name), &c->err)
			: file_read(path_in(c, o->folder, name), FILE_MAX_BYTES, &plain, &c->err);
	struct str content = secret ? secret_str(&bytes) : buf_str(&plain);
	if (rc == 0 && sealed)
		rc = passphrase_seal(c, o->key, str_of(name), content, &text);
	else if (rc == 0)
		base64_encode(content, &text);
	if (rc == 0)
		rc = buf_check(&text, &c->err);
	if (rc == 0)
		json_set_str(file, sealed ? "sealed" : "data", buf_str(&text));
	return rc < 0 ? call_context(c, "back up %s", name) : archive_put_file(c, o->w, file);
}

int backup_files_write(struct call *c, struct str state_folder, enum backup_keys keys, const struct passphrase_key *key,
	struct archive_writer *w)
{
	struct writing o = {.folder = state_folder, .keys = keys, .key = key, .w = w};
	return visit_all(c, state_folder, write_one, &o);
}

// ---------------------------------------------------------------- out of an archive
int backup_lock(struct call *c, struct str state_folder)
{
	const char *path = path_in(c, state_folder, "restoring.lock");
	return path ? file_lock(path, &c->err) : call_no_memory(c);
}

void backup_stage_remove(struct call *c, struct str state_folder)
{
	struct err first = c->err;
	const char *path = path_in(c, state_folder, "restoring");
	if (path && file_remove_tree(path, &c->err) < 0)
		c->err = first; // the next restore removes it
}

int backup_stage_begin(struct call *c, struct backup_stage *s)
{
	const char *path = path_in(c, s->state_folder, "restoring"), *id = path_in(c, s->state_folder, "restoring/id");
	int rc = no_path(c, id);
	backup_stage_remove(c, s->state_folder);
	if (rc == 0)
		rc = file_make_dirs(path, 0700, &c->err);
	return rc < 0 ? rc : file_write_atomic(id, s->id, 0600, &c->err);
}

// Only what a backup of ours may hold: nothing else is written anywhere.
static bool is_known(struct str name)
{
	struct str head, cloud, keys, file;
	if (str_eq(name, S("ca.pem")) || str_eq(name, S("ca.key")) || str_eq(name, S("key-hash.secret")))
		return true;
	return str_cut(name, '/', &head, &name) && str_eq(head, S("local")) && str_cut(name, '/', &cloud, &name) &&
	       str_cut(name, '/', &keys, &file) && str_eq(keys, S("keys")) && str_find_char(file, '/') < 0 &&
	       str_ends(file, S(".json"));
}

static int check_place(struct call *c, const struct backup_stage *s, const char *name, struct str content)
{
	AUTO(buf) there = {0};
	const char *path = path_in(c, s->state_folder, name);
	if (s->replace || !file_exists(path))
		return 0;
	int rc = file_read(path, FILE_MAX_BYTES, &there, &c->err);
	if (rc == 0 && !str_eq(buf_str(&there), content))
		rc = call_fail(c, ERR_EXISTS,
			"%s is there already, and is another: nothing was changed; --force replaces it", path);
	secret_wipe(there.p, there.n);
	return rc;
}

static int stage(struct call *c, struct backup_stage *s, const char *name, const struct secret *content)
{
	char *path = arena_cstr(c->arena, arena_printf(c->arena, "%.*s/restoring/%s", STR(s->state_folder), name));
	int rc = no_path(c, path);
	if (rc == 0)
		rc = check_place(c, s, name, secret_str(content));
	if (rc < 0)
		return rc;
	char *slash = strrchr(path, '/');
	*slash = '\0';
	rc = file_make_dirs(path, 0700, &c->err);
	*slash = '/';
	if (rc == 0)
		rc = secret_write_file(content, path, &c->err);
	s->count += rc == 0;
	return rc;
}

int backup_stage_take(struct call *c, void *ctx, const json_t *file)
{
	struct backup_stage *s = ctx;
	struct str name = json_str(file, "name"), sealed = json_str(file, "sealed");
	const char *path = arena_cstr(c->arena, name);
	AUTO(secret) content = {0};
	AUTO(buf) plain = {.limit = FILE_MAX_BYTES};
	int rc = no_path(c, path);
	if (rc == 0 && (file_check_relative(name, &c->err) < 0 || !is_known(name)))
		rc = call_fail(
			c, ERR_CORRUPT, "the backup holds a file that no backup has: %.*s", STR(str_clip(name, 100)));
	if (rc < 0 || (sealed.n && !s->key))
		return rc;
	if (sealed.n) {
		rc = passphrase_open(c, s->key, name, sealed, &content);
	} else {
		if (base64_decode(json_str(file, "data"), &plain) < 0)
			return call_fail(c, ERR_CORRUPT, "the backup's file %s is damaged", path);
		rc = secret_set(&content, buf_str(&plain), &c->err);
		secret_wipe(plain.p, plain.n);
	}
	return rc < 0 ? rc : stage(c, s, path, &content);
}

// ---------------------------------------------------------------- to their places
struct moving {
	struct str from, to; // folders
};

static int move_one(struct call *c, void *ctx, const char *name, bool secret)
{
	struct moving *m = ctx;
	(void)secret;
	const char *from = path_in(c, m->from, name);
	char *to = arena_cstr(c->arena, arena_printf(c->arena, "%.*s/%s", STR(m->to), name));
	int rc = from && to ? 0 : call_no_memory(c);
	if (rc < 0)
		return rc;
	char *slash = strrchr(to, '/');
	*slash = '\0';
	rc = file_make_dirs(to, 0700, &c->err);
	*slash = '/';
	return rc < 0 ? rc : rename(from, to) < 0 ? call_errno(c, "put %s in its place", to) : 0;
}

int backup_stage_install(struct call *c, struct str state_folder)
{
	struct moving m = {.from = arena_printf(c->arena, "%.*s/restoring", STR(state_folder)), .to = state_folder};
	const char *folder = arena_cstr(c->arena, state_folder);
	int rc = m.from.p && folder ? visit_all(c, m.from, move_one, &m) : call_no_memory(c);
	if (rc == 0)
		rc = file_fsync_dir(folder, &c->err);
	if (rc == 0)
		backup_stage_remove(c, state_folder);
	return rc;
}

int backup_settle(struct call *c, struct str state_folder, const struct state *s)
{
	const char *id = path_in(c, state_folder, "restoring/id");
	AUTO(buf) text = {0};
	struct record last;
	if (!id || !file_exists(id))
		return 0;
	AUTO(fd) lock = backup_lock(c, state_folder);
	if (lock < 0) { // a restore is under way
		err_clear(&c->err);
		lock = -1;
		return 0;
	}
	int rc = file_read(id, ID_MAX, &text, &c->err);
	if (rc == 0)
		rc = state_get(c, s, S("restore/last"), &last);
	if (rc < 0)
		return rc;
	if (last.value && str_eq(json_str(last.value, "id"), buf_str(&text)))
		return backup_stage_install(c, state_folder);
	backup_stage_remove(c, state_folder);
	return 0;
}
