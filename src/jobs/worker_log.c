// SPDX-License-Identifier: Apache-2.0
// The job's log: what the command writes goes to `log`; when that is full it becomes `log.1` and a new one begins. So
// the newest 8 to 16 MiB are kept, whatever a command writes.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "jobs/worker_impl.h"

enum { LAST_LINE = 200, LOOK_BACK = 400 };

int job_log_open(struct worker *w, struct job_log *log)
{
	*log = (struct job_log){
		.path = worker_path(w, JOB_LOG_FILE),
		.old_path = worker_path(w, JOB_OLD_LOG_FILE),
		.fd = -1,
		.echo = w->package != NULL};
	if (!log->path || !log->old_path)
		return w->c->err.code;
	log->fd = open(log->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct stat s;
	if (log->fd < 0 || fstat(log->fd, &s) < 0)
		return call_errno(w->c, "open %s", log->path);
	log->size = (uint64_t)s.st_size;
	return 0;
}

int job_log_add(struct worker *w, struct job_log *log, struct str text)
{
	if (log->size + text.n > JOB_LOG_LIMIT) {
		fd_close(&log->fd);
		if (rename(log->path, log->old_path) < 0)
			return call_errno(w->c, "rename %s", log->path);
		if (job_log_open(w, log))
			return w->c->err.code;
	}
	log->size += text.n;
	if (log->echo && file_write_all(STDOUT_FILENO, text, "standard output", NULL))
		log->echo = false; // nobody reads it any more: the job goes on
	return file_write_all(log->fd, text, log->path, &w->c->err);
}

void job_log_close(struct job_log *log)
{
	fd_close(&log->fd);
}

struct str job_log_last_line(struct worker *w)
{
	const char *path = worker_path(w, JOB_LOG_FILE);
	AUTO(fd) fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) : -1;
	char *text = arena_alloc(w->c->arena, LOOK_BACK);
	off_t size = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	if (!text || size <= 0)
		return S("");
	ssize_t n = pread(fd, text, LOOK_BACK, size > LOOK_BACK ? size - LOOK_BACK : 0);
	struct str rest = str_trim(str_bytes(text, n > 0 ? (size_t)n : 0)), line = S("");
	while (str_next(&rest, '\n', &line))
		;
	line = str_trim(str_take(line, LAST_LINE));
	for (size_t i = 0; i < line.n; i++) // it goes into a message: no byte that could be anything but text
		text[(size_t)(line.p - text) + i] = line.p[i] < ' ' || line.p[i] > '~' ? '?' : line.p[i];
	return line;
}
