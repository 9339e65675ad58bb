// SPDX-License-Identifier: Apache-2.0
// What a program writes, line by line: written by the supervisor, read by the pocket. A line on the disk is
// "NANOSECONDS o|e TEXT"; an offset is where one begins. The file is bounded: past ENGINE_LOG_MAX what comes is read and
// dropped, so that the program does not wait, and a last line says so.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/edges.h"
#include "base/file.h"
#include "pocket/engine/engine_impl.h"

enum { READ_MAX = 1 << 20, PREFIX_MAX = 32 };

// ---------------------------------------------------------------- writing

static int64_t wall_now(void)
{
	const struct edges *real = edges_real();
	return real->wall_ns(real->ctx);
}

int engine_writer_open(struct engine_writer *w, const char *folder, struct err *e)
{
	AUTO(buf) path = {0};
	struct stat s;
	buf_printf(&path, "%s/log", folder);
	int fd = open(buf_cstr(&path), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0 || fstat(fd, &s) < 0)
		return err_errno(e, "open the log %s", buf_cstr(&path));
	*w = (struct engine_writer){.fd = fd, .size = (uint64_t)s.st_size, .wall_ns = wall_now};
	w->full = w->size + ENGINE_LINE_MAX + PREFIX_MAX > ENGINE_LOG_MAX; // a line may not fit any more
	return 0;
}

void engine_writer_close(struct engine_writer *w)
{
	fd_close(&w->fd);
}

static void put_line(struct engine_writer *w, bool error, struct str text)
{
	AUTO(buf) line = {0};
	buf_printf(&line, "%lld %c ", (long long)w->wall_ns(), error ? 'e' : 'o');
	buf_add(&line, text);
	buf_add_char(&line, '\n');
	// A full disk costs lines of a log, not the job.
	if (!line.failed && file_write_all(w->fd, buf_str(&line), "log", NULL) == 0)
		w->size += line.n;
}

void engine_writer_line(struct engine_writer *w, bool error, struct str text)
{
	if (w->full)
		return;
	if (w->size + text.n + PREFIX_MAX > ENGINE_LOG_MAX) {
		w->full = true;
		put_line(w, true, S("(this log is full: what the program writes from here on is not kept)"));
		return;
	}
	put_line(w, error, text);
}

static void take_lines(struct engine_stream *s, struct engine_writer *w, struct str piece)
{
	while (piece.n) {
		ptrdiff_t end = str_find_char(piece, '\n');
		size_t room = ENGINE_LINE_MAX - s->line.n;
		size_t n = MIN(end < 0 ? piece.n : (size_t)end, room);
		buf_add(&s->line, str_take(piece, n));
		bool whole = end >= 0 && n == (size_t)end;
		piece = str_drop(piece, n + whole);
		if (!whole && s->line.n < ENGINE_LINE_MAX)
			continue;
		engine_writer_line(w, s->error, buf_str(&s->line));
		buf_clear(&s->line);
	}
}

bool engine_stream_read(struct engine_stream *s, struct engine_writer *w)
{
	char piece[32 << 10];
	ssize_t n = s->fd < 0 ? 0 : read(s->fd, piece, sizeof(piece));
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	if (n > 0) {
		take_lines(s, w, str_bytes(piece, (size_t)n));
		return true;
	}
	if (s->line.n)
		engine_writer_line(w, s->error, buf_str(&s->line));
	buf_free(&s->line);
	fd_close(&s->fd);
	return false;
}

// ---------------------------------------------------------------- reading

static int open_at(const char *folder, uint64_t offset, int *fd, struct err *e)
{
	AUTO(buf) path = {0};
	char before = '\n';
	buf_printf(&path, "%s/log", folder);
	*fd = open(buf_cstr(&path), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (*fd < 0 && errno == ENOENT && offset == 0)
		return 0;
	if (*fd < 0)
		return err_errno(e, "open the log %s", buf_cstr(&path));
	if (offset && (offset > ENGINE_LOG_MAX * UINT64_C(2) || pread(*fd, &before, 1, (off_t)offset - 1) != 1 ||
			      before != '\n'))
		return err_set(e, ERR_INVALID, "no line of the log begins at %llu", (unsigned long long)offset);
	return 0;
}

static bool parse_line(struct str line, struct engine_line *out)
{
	struct str time, rest;
	if (!str_cut(line, ' ', &time, &rest) || rest.n < 2 || rest.p[1] != ' ' ||
		str_to_i64(time, &out->time_ns) < 0)
		return false;
	out->error = rest.p[0] == 'e';
	out->text = str_drop(rest, 2);
	return true;
}

static size_t count_lines(struct str text)
{
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++)
		n += text.p[i] == '\n';
	return n;
}

// Reads a page into the arena: only lines that are whole by now.
static int read_page(int fd, const struct engine_log_from *from, struct arena *a, struct str *out, struct err *e)
{
	size_t size = MIN(MAX(from->most, (size_t)ENGINE_LINE_MAX + PREFIX_MAX), (size_t)READ_MAX);
	char *page = arena_alloc(a, size);
	if (!page)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	ssize_t n = pread(fd, page, size, (off_t)from->offset);
	if (n < 0)
		return err_errno(e, "read a log");
	while (n > 0 && page[n - 1] != '\n')
		n--;
	*out = str_bytes(page, (size_t)n);
	return 0;
}

int engine_log_read(
	const char *folder, const struct engine_log_from *from, struct arena *a, struct engine_log *out, struct err *e)
{
	AUTO(fd) fd = -1;
	struct str text = S(""), line;
	int rc = open_at(folder, from->offset, &fd, e);
	if (rc == 0 && fd >= 0)
		rc = read_page(fd, from, a, &text, e);
	if (rc < 0)
		return rc;
	struct engine_log log = {.next = from->offset + text.n};
	log.lines = arena_new_array(a, count_lines(text) + 1, struct engine_line);
	if (!log.lines)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	while (text.n && str_next(&text, '\n', &line))
		if (parse_line(line, &log.lines[log.count]))
			log.count++;
	*out = log;
	return 0;
}
