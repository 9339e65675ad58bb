// SPDX-License-Identifier: Apache-2.0
// A user namespace, where there are no uids to give: inside it the program is the same user, but what it must not see
// is covered by mounts that it cannot take away. Sources: user_namespaces(7), mount_namespaces(7), capabilities(7).
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/sandbox.h"

enum { CAPABILITIES_END = 64 }; // past the last that any kernel knows

static int write_text(const char *path, const char *text)
{
	AUTO(fd) fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t n = strlen(text);
	return fd >= 0 && write(fd, text, n) == (ssize_t)n ? 0 : -1;
}

// The same ids inside as outside, and no others.
static int map_ids(uid_t uid, gid_t gid)
{
	char uids[40], gids[40];
	snprintf(uids, sizeof(uids), "%u %u 1", (unsigned)uid, (unsigned)uid);
	snprintf(gids, sizeof(gids), "%u %u 1", (unsigned)gid, (unsigned)gid);
	if (write_text("/proc/self/setgroups", "deny") < 0 && errno != ENOENT)
		return -1;
	return write_text("/proc/self/uid_map", uids) < 0 || write_text("/proc/self/gid_map", gids) < 0 ? -1 : 0;
}

static int make_namespace(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0 || map_ids(uid, gid) < 0)
		return -1;
	return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL); // what is mounted here stays here
}

bool sandbox_can_namespace(void)
{
	int status = -1;
	pid_t pid = fork();
	if (pid == 0)
		_exit(make_namespace() < 0);
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return false;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

enum sandbox_kind sandbox_kind(void)
{
	if (sandbox_can_own_uid())
		return SANDBOX_OWN_UID;
	return sandbox_can_namespace() ? SANDBOX_NAMESPACE : SANDBOX_SAME_USER;
}

const char *sandbox_kind_text(enum sandbox_kind kind)
{
	switch (kind) {
	case SANDBOX_OWN_UID:
		return "each job runs under a uid of its own";
	case SANDBOX_NAMESPACE:
		return "jobs run in user namespaces in which the pocket cloud's folder is hidden";
	case SANDBOX_SAME_USER:
		break;
	}
	return "jobs run as the user who started Isobar";
}

// ---------------------------------------------------------------- hiding

static int cover(const char *path)
{
	struct stat s;
	if (lstat(path, &s) < 0)
		return errno == ENOENT ? 0 : -1;
	if (S_ISDIR(s.st_mode))
		return mount("none", path, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "size=0,mode=0500");
	if (S_ISREG(s.st_mode))
		return mount("/dev/null", path, NULL, MS_BIND, NULL);
	return 0; // links lead to what is covered, or to what is not ours
}

static int cover_all_but(const char *folder, struct str keep, struct err *e)
{
	DIR *d = opendir(folder);
	if (!d)
		return err_errno(e, "open the folder %s", folder);
	int rc = 0;
	for (struct dirent *entry; rc == 0 && (entry = readdir(d));) {
		AUTO(buf) path = {0};
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
			str_eq(str_of(entry->d_name), keep))
			continue;
		buf_printf(&path, "%s/%s", folder, entry->d_name);
		if (cover(buf_cstr(&path)) < 0)
			rc = err_errno(e, "hide %s from the program", buf_cstr(&path));
	}
	closedir(d);
	return rc;
}

static int hide(const char *root, const char *keep, struct err *e)
{
	AUTO(buf) folder = {0};
	struct str rest = str_of(keep), part;
	buf_add(&folder, str_of(root));
	while (str_next(&rest, '/', &part)) {
		int rc = cover_all_but(buf_cstr(&folder), part, e);
		if (rc < 0)
			return rc;
		buf_printf(&folder, "/%.*s", STR(part));
	}
	return buf_check(&folder, e);
}

// Without these not even an exec as root gives a capability back, so that the covers stay.
static int drop_rights(struct err *e)
{
	for (int i = 0; i < CAPABILITIES_END; i++)
		if (prctl(PR_CAPBSET_DROP, i) < 0 && errno != EINVAL)
			return err_errno(e, "give up the capability %d", i);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(e, "give up privileges");
	return 0;
}

int sandbox_enter(const char *root, const char *keep, struct err *e)
{
	int rc = file_check_relative(str_of(keep), e);
	if (rc < 0)
		return err_context(e, "the folder to keep below %s", root);
	if (make_namespace() < 0)
		return err_errno(e, "make a user namespace");
	rc = hide(root, keep, e);
	return rc < 0 ? rc : drop_rights(e);
}
