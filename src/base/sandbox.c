// SPDX-License-Identifier: Apache-2.0
// What a program that is not ours runs as. The uid comes from the range that systemd uses for dynamic users, where no
// distribution allots any, starting at a digest of the work's folder, so that a job usually gets the same one again. A
// lock file a uid makes it this job's alone: killing all of a uid must never meet another job.
#include "base/sandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/lock.h"

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
	if (mkdir(SANDBOX_WORK_ROOT, 0711) < 0 && errno != EEXIST)
		return false;
	return lstat(SANDBOX_WORK_ROOT, &s) == 0 && S_ISDIR(s.st_mode) && s.st_uid == 0 && (s.st_mode & 022) == 0;
}

bool sandbox_can_own_uid(void)
{
	return geteuid() == 0 && has_capabilities() && maps_range("/proc/self/uid_map") &&
	       maps_range("/proc/self/gid_map") && make_root();
}

#if defined(__has_feature)
#define HAS_FEATURE(x) __has_feature(x)
#else
#define HAS_FEATURE(x) 0
#endif

uint64_t sandbox_address_limit(uint64_t memory)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || HAS_FEATURE(address_sanitizer) ||                 \
	HAS_FEATURE(thread_sanitizer)
	return memory & 0;
#else
	const uint64_t room = UINT64_C(8) << 30;
	return memory && memory < UINT64_MAX / 8 ? memory * 4 + room : 0;
#endif
}

void sandbox_work_path(const char *folder, char out[SANDBOX_PATH_SIZE])
{
	struct sha256 digest = sha256_of(str_of(folder));
	char hex[HEX_SHA256_SIZE];
	hex_encode(str_bytes(digest.bytes, 16), hex);
	snprintf(out, SANDBOX_PATH_SIZE, SANDBOX_WORK_ROOT "/%s", hex);
}

// ---------------------------------------------------------------- uids
// Starts at the digest in the folder's name (sandbox_work_path()), so that a job that is tried again finds what it
// left its own.
static unsigned first_uid(const char *work)
{
	unsigned char bytes[2] = {0};
	const char *name = strrchr(work, '/') + 1;
	(void)!hex_decode(str_take(str_of(name), 4), bytes);
	return ((unsigned)bytes[0] << 8 | bytes[1]) % UID_COUNT;
}

int sandbox_uid_claim(const char *work, struct sandbox_uid *out, struct err *e)
{
	if (mkdir(UID_ROOT, 0700) < 0 && errno != EEXIST)
		return err_errno(e, "make the folder " UID_ROOT);
	for (unsigned i = 0, first = first_uid(work); i < UID_COUNT; i++) {
		char path[64];
		unsigned uid = UID_FIRST + (first + i) % UID_COUNT;
		int claim = -1;
		snprintf(path, sizeof(path), UID_ROOT "/%u", uid);
		int code = lock_take(path, &claim, e);
		if (code == ERR_IN_USE)
			continue;
		if (code == 0) {
			err_clear(e);
			*out = (struct sandbox_uid){.uid = uid, .gid = uid, .claim = claim};
		}
		return code;
	}
	return err_set(e, ERR_LIMIT, "all %d uids for jobs are in use", UID_COUNT);
}

void sandbox_uid_release(struct sandbox_uid *u)
{
	fd_close(&u->claim);
	u->uid = 0;
	u->gid = 0;
}

// ---------------------------------------------------------------- folders
static int give_folder(const struct sandbox_uid *u, int parent, const char *name, int depth);

static int give_entry(const struct sandbox_uid *u, int folder, const char *name, int depth)
{
	struct stat s;
	if (fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) < 0 ||
		fchownat(folder, name, u->uid, u->gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -1;
	return S_ISDIR(s.st_mode) ? give_folder(u, folder, name, depth + 1) : 0;
}

static int give_folder(const struct sandbox_uid *u, int parent, const char *name, int depth)
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
			rc = give_entry(u, fd, entry->d_name, depth);
	closedir(d);
	return rc;
}

int sandbox_give(const struct sandbox_uid *u, const char *path, struct err *e)
{
	if (!u->uid)
		return 0;
	if (give_folder(u, AT_FDCWD, path, 0) < 0)
		return err_errno(e, "give what is in %s to uid %u", path, (unsigned)u->uid);
	return 0;
}
