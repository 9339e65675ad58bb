// SPDX-License-Identifier: Apache-2.0
// Locks on files: see lock.h. Of the open file description, not of the process, so that a thread, a fork or an exec
// neither loses nor shares one by accident.
#include "base/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"

int lock_take(const char *path, int *fd, struct err *e)
{
	int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (opened < 0)
		return err_errno(e, "open the lock %s", path);
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	if (fcntl(opened, F_OFD_SETLK, &whole) == 0) {
		*fd = opened;
		return 0;
	}
	int number = errno;
	fd_close(&opened);
	errno = number;
	if (number == EAGAIN || number == EACCES)
		return err_set(e, ERR_IN_USE, "%s: another process holds the lock", path);
	return err_errno(e, "lock %s", path);
}

bool lock_is_held(const char *path)
{
	AUTO(fd) opened = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (opened < 0)
		return false;
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	return fcntl(opened, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}
