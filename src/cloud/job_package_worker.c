// SPDX-License-Identifier: Apache-2.0
// Packages as the worker in a container sees them: it fetches what to run, tells how it goes, and keeps the checkpoint.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "cloud/code_archive.h"
#include "cloud/job_files.h"
#include "cloud/job_package_impl.h"

enum { CHECKPOINT_MAX_FILES = 10000, CHECKPOINT_MAX_DEPTH = 16 };
#define CHECKPOINT_FOLDER "checkpoint/"

int job_store_read(struct call *c, struct str text, struct cloud_config *out)
{
	AUTO(json) j = NULL;
	struct cloud_config config = {0};
	if (json_parse(text, &j, &c->err) || cloud_config_of_json(j, c->arena, &config, &c->err))
		return call_context(c, "what " JOB_STORE_VARIABLE " says");
	if (config.credentials)
		return call_fail(c, ERR_DENIED, JOB_STORE_VARIABLE " holds credentials, which do not belong there");
	config.credentials = json_in_arena(c->arena, json_pack("{s:b}", "chain", 1));
	if (!config.credentials)
		return call_no_memory(c);
	*out = config;
	return 0;
}

// ---------------------------------------------------------------- fetch
static int check_digest(struct call *c, struct str data, struct str wanted, struct str what)
{
	char hex[HEX_SHA256_SIZE];
	struct sha256 sum = sha256_of(data);
	hex_encode(str_bytes(sum.bytes, sizeof(sum.bytes)), hex);
	return str_is(wanted, hex) ? 0
				   : call_fail(c, ERR_CORRUPT, "%.*s is not what was submitted: its digest is %.12s..., "
							       "%.12s... was told", STR(what), hex, wanted.p);
}

static int digest_file(struct call *c, int fd, struct str wanted, struct str what)
{
	char piece[64 << 10], hex[HEX_SHA256_SIZE];
	unsigned char sum[SHA256_SIZE];
	AUTO(digest) digest = digest_new(DIGEST_SHA256);
	off_t at = 0;
	ssize_t n;
	if (!digest)
		return call_no_memory(c);
	while ((n = pread(fd, piece, sizeof(piece), at)) > 0 || (n < 0 && errno == EINTR)) {
		digest_update(digest, str_bytes(piece, n > 0 ? (size_t)n : 0));
		at += n > 0 ? n : 0;
	}
	if (n < 0)
		return call_errno(c, "read the archive of the code");
	digest_final(digest, sum);
	hex_encode(str_bytes(sum, sizeof(sum)), hex);
	return str_is(wanted, hex) ? 0 : call_fail(c, ERR_CORRUPT, "%.*s is not what was submitted", STR(what));
}

static int fetch_code(struct call *c, const struct cloud *inside, const struct job_package *p, const json_t *code,
	const char *folder, struct job_spec *spec)
{
	struct object got = {0};
	struct str name = json_str(code, "name"), key;
	if (json_is_null(code))
		return 0;
	const char *place = arena_printf(c->arena, "%s/code", folder).p;
	const char *archive = arena_printf(c->arena, "%s/code.tar", folder).p;
	if (!place || !archive)
		return call_no_memory(c);
	if (file_check_relative(name, &c->err) || !(key = job_package_key(c, p, arena_cstr(c->arena, name))).p)
		return c->err.code;
	if (file_remove_tree(place, &c->err) || file_make_dirs(place, 0700, &c->err))
		return c->err.code;
	AUTO(fd) fd = open(archive, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return call_errno(c, "create %s", archive);
	(void)unlink(archive);
	const struct store_get get = {.bucket = p->bucket, .key = key};
	if (cloud_get_fd(c, inside, &get, fd, &got) || digest_file(c, fd, json_str(code, "sha256"), name))
		return c->err.code;
	if (lseek(fd, 0, SEEK_SET) < 0)
		return call_errno(c, "read the archive of the code");
	if (code_archive_read(c, fd, place))
		return c->err.code;
	spec->code_directory = str_of(place);
	return 0;
}

int job_package_fetch(struct call *c, const struct cloud *cloud, const struct job_package *p, const char *folder,
	struct job_spec *spec)
{
	const struct cloud inside = sealed_inside(cloud);
	struct str text, key = job_package_key(c, p, JOB_SPEC_FILE);
	struct job_spec own = {0};
	AUTO(json) j = NULL;
	if (!key.p || cloud_get_bytes(c, &inside, p->bucket, key, JOB_FILE_LIMIT, &text) ||
		check_digest(c, text, p->digest, key) || json_parse(text, &j, &c->err))
		return call_context(c, "the package of job %.*s", STR(p->job));
	if (json_int(j, "version", 0) != 1)
		return call_fail(c, ERR_UNSUPPORTED, "the package of job %.*s is of a form that this release does not know",
			STR(p->job));
	if (job_spec_of_json(c->arena, json_object_get(j, "spec"), &own, &c->err) ||
		fetch_code(c, &inside, p, json_object_get(j, "code"), folder, &own))
		return call_context(c, "the package of job %.*s", STR(p->job));
	if (!str_eq(own.name, p->job))
		return call_fail(c, ERR_CORRUPT, "the package of job %.*s is that of %.*s", STR(p->job), STR(own.name));
	*spec = own;
	return 0;
}

// ---------------------------------------------------------------- tell
int job_package_tell(
	struct call *c, const struct cloud *cloud, const struct job_package *p, const struct job_status *status)
{
	const struct cloud inside = sealed_inside(cloud);
	AUTO(json) j = job_status_to_json(status);
	AUTO(buf) text = {0};
	if (!j)
		return call_no_memory(c);
	json_object_set_new(j, "attempt", json_integer(p->attempt));
	if (json_write(j, &text, &c->err))
		return c->err.code;
	const struct store_put put = {.bucket = p->bucket,
		.key = job_package_key(c, p, JOB_STATUS_FILE),
		.content_type = S("application/json")};
	return job_package_put_text(c, &inside, &put, buf_str(&text), NULL);
}

// ---------------------------------------------------------------- checkpoint
struct saving {
	struct call *c;
	const struct cloud *inside;
	const struct job_package *p;
	json_t *names; // of what was sent, as members
	size_t files;
};

static int save_folder(struct saving *s, int folder, struct str path, int depth);

static int save_file(struct saving *s, int fd, struct str path)
{
	struct object made = {0};
	const char *name = arena_printf(s->c->arena, CHECKPOINT_FOLDER "%.*s", STR(path)).p;
	const struct store_put put = {.bucket = s->p->bucket,
		.key = name ? job_package_key(s->c, s->p, name) : (struct str){0},
		.content_type = S("application/octet-stream")};
	if (!put.key.p)
		return call_no_memory(s->c);
	if (cloud_put_fd(s->c, s->inside, &put, fd, &made))
		return call_context(s->c, "keep %.*s of the checkpoint", STR(path));
	json_object_setn_new(s->names, put.key.p, put.key.n, json_true());
	return 0;
}

// A link or a socket in a checkpoint is left out: it means nothing on another machine.
static int save_entry(struct saving *s, int folder, const char *name, struct str above, int depth)
{
	struct stat st;
	struct str path = arena_printf(s->c->arena, "%.*s%s%s", STR(above), above.n ? "/" : "", name);
	if (!path.p)
		return call_no_memory(s->c);
	AUTO(fd) fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ELOOP || errno == ENXIO ? 0 : call_errno(s->c, "open %.*s of the checkpoint", STR(path));
	if (++s->files > CHECKPOINT_MAX_FILES || depth > CHECKPOINT_MAX_DEPTH)
		return call_fail(s->c, ERR_LIMIT, "the checkpoint holds more than %d files or is deeper than %d",
			CHECKPOINT_MAX_FILES, CHECKPOINT_MAX_DEPTH);
	if (S_ISDIR(st.st_mode))
		return save_folder(s, fd, path, depth + 1);
	return S_ISREG(st.st_mode) ? save_file(s, fd, path) : 0;
}

static int save_folder(struct saving *s, int folder, struct str path, int depth)
{
	int own = dup(folder); // closedir closes it
	DIR *d = own < 0 ? NULL : fdopendir(own);
	if (!d) {
		fd_close(&own);
		return call_errno(s->c, "list the checkpoint");
	}
	int code = 0;
	for (struct dirent *entry; !code && (entry = readdir(d));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			code = save_entry(s, folder, entry->d_name, path, depth);
	closedir(d);
	return code;
}

static struct str checkpoint_prefix(struct call *c, const struct job_package *p)
{
	return job_package_key(c, p, CHECKPOINT_FOLDER);
}

// What an earlier checkpoint held and this one does not would come back to a command that had removed it.
static int remove_others(struct saving *s)
{
	struct store_page page = {0};
	struct str prefix = checkpoint_prefix(s->c, s->p);
	if (!prefix.p || cloud_list_all(s->c, s->inside, s->p->bucket, prefix, &page))
		return s->c->err.code;
	for (size_t i = 0; i < page.count; i++)
		if (!json_object_getn(s->names, page.objects[i].key.p, page.objects[i].key.n) &&
			CLOUD_CALL(s->c, s->inside, store, delete, s->p->bucket, page.objects[i].key))
			return s->c->err.code;
	return 0;
}

int job_package_save(struct call *c, const struct cloud *cloud, const struct job_package *p, const char *folder)
{
	const struct cloud inside = sealed_inside(cloud);
	AUTO(json) names = json_object();
	struct saving s = {.c = c, .inside = &inside, .p = p, .names = names};
	AUTO(fd) fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return call_errno(c, "open the checkpoint %s", folder);
	if (!names)
		return call_no_memory(c);
	if (save_folder(&s, fd, S(""), 0))
		return c->err.code;
	return remove_others(&s);
}

static int restore_file(struct call *c, const struct cloud *inside, const struct job_package *p, struct str key,
	const char *path)
{
	struct object got = {0};
	char *folder = arena_cstr(c->arena, str_of(path));
	if (!folder)
		return call_no_memory(c);
	*strrchr(folder, '/') = '\0';
	if (file_make_dirs(folder, 0700, &c->err))
		return c->err.code;
	AUTO(fd) fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	const struct store_get get = {.bucket = p->bucket, .key = key};
	return fd < 0 ? call_errno(c, "create %s", path) : cloud_get_fd(c, inside, &get, fd, &got);
}

int job_package_restore(struct call *c, const struct cloud *cloud, const struct job_package *p, const char *folder)
{
	const struct cloud inside = sealed_inside(cloud);
	struct store_page page = {0};
	struct str prefix = checkpoint_prefix(c, p);
	if (!prefix.p || cloud_list_all(c, &inside, p->bucket, prefix, &page))
		return c->err.code;
	for (size_t i = 0; i < page.count; i++) {
		struct str key = page.objects[i].key, relative = str_drop(key, prefix.n);
		if (file_check_relative(relative, &c->err))
			return call_context(c, "object %.*s", STR(key));
		const char *path = arena_printf(c->arena, "%s/%.*s", folder, STR(relative)).p;
		if (!path || restore_file(c, &inside, p, key, path))
			return path ? c->err.code : call_no_memory(c);
	}
	return 0;
}
