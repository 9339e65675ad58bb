// SPDX-License-Identifier: Apache-2.0
// Work folders, and the uid that owns one. The uid comes from the range that systemd uses for dynamic users, where no
// distribution allots any, starting at a digest of the job's folder, so that a job usually gets the same one again. A
// lock file a uid makes it this job's alone: killing all of a uid must never meet another job.
#include "cloud/job_work.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "cloud/job_files.h"

#define WORK_ROOT "/var/lib/isobar/work"
#define UID_ROOT "/var/lib/isobar/uids" // lock files

enum {
	UID_FIRST = 61184,
	UID_LAST = 65519,
	UID_COUNT = UID_LAST - UID_FIRST + 1,
	CAP_CHOWN_BIT = 0,
	CAP_DAC_OVERRIDE_BIT = 1,
	CAP_KILL_BIT = 5,
	CAP_SETGID_BIT = 6,
	CAP_SETUID_BIT = 7,
};

// ---------------------------------------------------------------- what this process may
static int read_small(const char *path, struct buf *out)
{
	return file_read(path, 64 << 10, out, NULL);
}

static bool has_capabilities(void)
{
	AUTO(buf) text = {0};
	if (read_small("/proc/self/status", &text))
		return false;
	ptrdiff_t at = str_find(buf_str(&text), S("CapEff:\t"));
	if (at < 0)
		return false;
	struct str hex = str_take(str_drop(buf_str(&text), (size_t)at + 8), 16);
	unsigned char bytes[8];
	if (hex.n != 16 || hex_decode(hex, bytes))
		return false;
	const unsigned need = 1u << CAP_CHOWN_BIT | 1u << CAP_DAC_OVERRIDE_BIT | 1u << CAP_KILL_BIT |
			      1u << CAP_SETGID_BIT | 1u << CAP_SETUID_BIT;
	return (bytes[7] & need) == need;
}

// A user namespace may not have the range: then no process can take such a uid. Lines are "inside outside count".
static bool maps_range(const char *path)
{
	AUTO(buf) text = {0};
	if (read_small(path, &text))
		return false;
	struct str rest = buf_str(&text), line;
	while (str_next(&rest, '\n', &line)) {
		unsigned long inside, outside, count;
		char copy[128];
		if (str_copy(copy, sizeof(copy), line) && sscanf(copy, "%lu %lu %lu", &inside, &outside, &count) == 3 &&
			inside <= UID_FIRST && count > UID_LAST - inside)
			return true;
	}
	return false;
}

// Ours, and nobody else may write there: a folder that somebody prepared is not used.
static bool make_root(void)
{
	struct stat s;
	if (mkdir("/var/lib/isobar", 0711) < 0 && errno != EEXIST)
		return false;
	if (mkdir(WORK_ROOT, 0711) < 0 && errno != EEXIST)
		return false;
	return lstat(WORK_ROOT, &s) == 0 && S_ISDIR(s.st_mode) && s.st_uid == 0 && (s.st_mode & 022) == 0;
}

enum job_isolation job_isolation(void)
{
	if (geteuid() == 0 && has_capabilities() && maps_range("/proc/self/uid_map") &&
		maps_range("/proc/self/gid_map") && make_root())
		return JOB_ISOLATION_OWN_UID;
	return JOB_ISOLATION_SAME_USER;
}

const char *job_isolation_text(enum job_isolation isolation)
{
	return isolation == JOB_ISOLATION_OWN_UID ? "each job runs under a uid of its own"
						  : "jobs run as the user who started Isobar";
}

#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif

uint64_t job_address_limit(uint64_t memory)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || HAS_FEATURE(address_sanitizer) ||                 \
	HAS_FEATURE(thread_sanitizer)
	return memory & 0;
#else
	const uint64_t room = UINT64_C(8) << 30;
	return memory && memory < UINT64_MAX / 8 ? memory * 4 + room : 0;
#endif
}

// ---------------------------------------------------------------- folders
static const char *below(struct arena *a, const char *path, const char *name)
{
	return arena_printf(a, "%s/%s", path, name).p;
}

int job_work_find(struct arena *a, const char *folder, struct job_work *out, struct err *e)
{
	struct job_work w = {.claim = -1};
	if (job_isolation() == JOB_ISOLATION_OWN_UID) {
		struct sha256 digest = sha256_of(str_of(folder));
		char hex[HEX_SHA256_SIZE];
		hex_encode(str_bytes(digest.bytes, 16), hex);
		w.path = below(a, WORK_ROOT, hex);
		w.own_uid = true;
	} else {
		w.path = below(a, folder, "work");
	}
	if (w.path) {
		w.data = below(a, w.path, "data");
		w.out = below(a, w.path, "out");
		w.checkpoint = below(a, w.path, "checkpoint");
		w.code = below(a, w.path, "code");
		w.tmp = below(a, w.path, "tmp");
	}
	if (!w.path || !w.data || !w.out || !w.checkpoint || !w.code || !w.tmp)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	*out = w;
	return 0;
}

// Starts at the digest in the folder's name (see job_work_find), so that a job that is tried again finds its checkpoint
// its own.
static unsigned first_uid(const struct job_work *w)
{
	unsigned char bytes[2] = {0};
	const char *name = strrchr(w->path, '/') + 1;
	(void)!hex_decode(str_take(str_of(name), 4), bytes);
	return ((unsigned)bytes[0] << 8 | bytes[1]) % UID_COUNT;
}

int job_work_claim(struct job_work *w, struct err *e)
{
	if (!w->own_uid)
		return 0;
	if (mkdir(UID_ROOT, 0700) < 0 && errno != EEXIST)
		return err_errno(e, "make the folder " UID_ROOT);
	for (unsigned i = 0, first = first_uid(w); i < UID_COUNT; i++) {
		char path[64];
		unsigned uid = UID_FIRST + (first + i) % UID_COUNT;
		snprintf(path, sizeof(path), UID_ROOT "/%u", uid);
		int code = lock_take(path, &w->claim, e);
		if (code == ERR_IN_USE)
			continue;
		if (code == 0) {
			err_clear(e);
			w->uid = uid;
			w->gid = uid;
		}
		return code;
	}
	return err_set(e, ERR_LIMIT, "all %d uids for jobs are in use", UID_COUNT);
}

void job_work_release(struct job_work *w)
{
	fd_close(&w->claim);
	w->uid = 0;
	w->gid = 0;
}

static int make_one(const struct job_work *w, const char *path, struct err *e)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_errno(e, "make the folder %s", path);
	if (w->uid && lchown(path, w->uid, w->gid) < 0)
		return err_errno(e, "give %s to uid %u", path, (unsigned)w->uid);
	return 0;
}

int job_work_make(const struct job_work *w, struct err *e)
{
	const char *const fresh[] = {w->data, w->out, w->code, w->tmp};
	int code = make_one(w, w->path, e);
	for (size_t i = 0; !code && i < COUNT_OF(fresh); i++) {
		code = file_remove_tree(fresh[i], e);
		if (!code)
			code = make_one(w, fresh[i], e);
	}
	if (!code)
		code = make_one(w, w->checkpoint, e);
	return code ? code : job_work_give(w, w->checkpoint, e);
}

static int give_folder(const struct job_work *w, int parent, const char *name, int depth);

static int give_entry(const struct job_work *w, int folder, const char *name, int depth)
{
	struct stat s;
	if (fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) < 0 ||
		fchownat(folder, name, w->uid, w->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return S_ISDIR(s.st_mode) ? give_folder(w, folder, name, depth + 1) : 0;
}

static int give_folder(const struct job_work *w, int parent, const char *name, int depth)
{
	if (depth > 32) {
		errno = ELOOP;
		return -1;
	}
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d) {
		fd_close(&fd);
		return -1;
	}
	int rc = 0;
	for (struct dirent *entry; rc == 0 && (entry = readdir(d));)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			rc = give_entry(w, fd, entry->d_name, depth);
	closedir(d);
	return rc;
}

int job_work_give(const struct job_work *w, const char *path, struct err *e)
{
	if (!w->uid)
		return 0;
	if (give_folder(w, AT_FDCWD, path, 0) < 0)
		return err_errno(e, "give what is in %s to uid %u", path, (unsigned)w->uid);
	return 0;
}

int job_work_remove(const struct job_work *w, bool also_checkpoint, struct err *e)
{
	if (also_checkpoint)
		return file_remove_tree(w->path, e);
	const char *const gone[] = {w->data, w->out, w->code, w->tmp};
	int code = 0;
	for (size_t i = 0; !code && i < COUNT_OF(gone); i++)
		code = file_remove_tree(gone[i], e);
	return code;
}
