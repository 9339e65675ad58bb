// SPDX-License-Identifier: Apache-2.0
// Writing and reading the archive of a job's code: see code_archive.h. Blocks of 512 bytes: a header, the file's bytes
// filled up with zeros; two blocks of zeros end it. A name that the header has no room for goes before it as a pax
// record ("path=").
#include "cloud/code_archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { BLOCK = 512, PIECE = 64 << 10, NAME_ROOM = 100, PATH_MAX_BYTES = 1000, PAX_ROOM = 2 * BLOCK };

struct header {
	char name[NAME_ROOM], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
	char link[100], magic[6], version[2], user[32], group[32], major[8], minor[8], prefix[155], rest[12];
};
_Static_assert(sizeof(struct header) == BLOCK, "a header is one block");

// ---------------------------------------------------------------- writing
struct writing {
	struct call *c;
	int fd;
	struct digest *digest;
	uint64_t size, bytes, files;
};

static int emit(struct writing *w, struct str data)
{
	digest_update(w->digest, data);
	w->size += data.n;
	return file_write_all(w->fd, data, "the archive of the code", &w->c->err);
}

static int fill_block(struct writing *w)
{
	static const char zeros[BLOCK];
	size_t over = w->size % BLOCK;
	return over ? emit(w, str_bytes(zeros, BLOCK - over)) : 0;
}

// Octal digits and a NUL fill the field.
static void put_octal(char *field, size_t room, uint64_t value)
{
	field[room - 1] = '\0';
	for (size_t i = room - 1; i-- > 0; value >>= 3)
		field[i] = (char)('0' + (value & 7));
}

static unsigned checksum_of(const struct header *h)
{
	const unsigned char *bytes = (const unsigned char *)h;
	unsigned sum = 0;
	for (size_t i = 0; i < BLOCK; i++) {
		bool own = i >= offsetof(struct header, checksum) && i < offsetof(struct header, type);
		sum += own ? ' ' : bytes[i];
	}
	return sum;
}

static int emit_header(struct writing *w, struct str name, unsigned mode, uint64_t size, char type)
{
	struct header h = {.magic = "ustar", .version = {'0', '0'}, .type = type};
	memcpy(h.name, name.p, MIN(name.n, sizeof(h.name)));
	put_octal(h.mode, sizeof(h.mode), mode);
	put_octal(h.uid, sizeof(h.uid), 0);
	put_octal(h.gid, sizeof(h.gid), 0);
	put_octal(h.size, sizeof(h.size), size);
	put_octal(h.mtime, sizeof(h.mtime), 0);
	put_octal(h.checksum, sizeof(h.checksum) - 1, checksum_of(&h));
	h.checksum[sizeof(h.checksum) - 1] = ' ';
	return emit(w, str_bytes(&h, sizeof(h)));
}

// "LENGTH path=NAME\n", where the length counts its own digits.
static int emit_long_name(struct writing *w, struct str name)
{
	char record[PATH_MAX_BYTES + 32], text[PATH_MAX_BYTES + 16];
	int body = snprintf(text, sizeof(text), " path=%.*s\n", STR(name));
	int length = body;
	for (int before = 0; before != length;) {
		before = length;
		length = body + snprintf(NULL, 0, "%d", before);
	}
	int n = snprintf(record, sizeof(record), "%d%s", length, text);
	if (emit_header(w, S("long-name"), 0644, (uint64_t)n, 'x') || emit(w, str_bytes(record, (size_t)n)))
		return w->c->err.code;
	return fill_block(w);
}

static int emit_entry(struct writing *w, struct str path, unsigned mode, uint64_t size, char type)
{
	if (path.n > PATH_MAX_BYTES)
		return call_fail(w->c, ERR_LIMIT, "the code holds a name of %zu bytes", path.n);
	if (path.n > NAME_ROOM && emit_long_name(w, path))
		return w->c->err.code;
	return emit_header(w, path, mode, size, type);
}

static int emit_bytes(struct writing *w, int fd, struct str path, uint64_t size)
{
	char piece[PIECE];
	uint64_t left = size;
	while (left) {
		ssize_t n = read(fd, piece, (size_t)MIN(left, (uint64_t)sizeof(piece)));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return call_errno(w->c, "read %.*s of the code", STR(path));
		if (n == 0)
			return call_fail(w->c, ERR_CONFLICT, "%.*s of the code changed while it was read", STR(path));
		if (emit(w, str_bytes(piece, (size_t)n)))
			return w->c->err.code;
		left -= (uint64_t)n;
	}
	return fill_block(w);
}

static int add_folder(struct writing *w, int folder, struct str path, int depth);

static int add_file(struct writing *w, int folder, const char *name, struct str path)
{
	struct stat s;
	AUTO(fd) fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &s) < 0)
		return call_errno(w->c, "open %.*s of the code", STR(path));
	if (!S_ISREG(s.st_mode))
		return call_fail(w->c, ERR_INVALID, "the code holds %.*s, which is neither a file nor a folder", STR(path));
	w->bytes += (uint64_t)s.st_size;
	if (w->bytes > CODE_ARCHIVE_MAX_BYTES)
		return call_fail(w->c, ERR_LIMIT, "the code folder holds more than %d MiB", CODE_ARCHIVE_MAX_BYTES >> 20);
	if (emit_entry(w, path, s.st_mode & 0100 ? 0755 : 0644, (uint64_t)s.st_size, '0'))
		return w->c->err.code;
	return emit_bytes(w, fd, path, (uint64_t)s.st_size);
}

static int add_entry(struct writing *w, int folder, const char *name, struct str above, int depth)
{
	struct stat s;
	struct str path = arena_printf(w->c->arena, "%.*s%s%s", STR(above), above.n ? "/" : "", name);
	if (!path.p)
		return call_no_memory(w->c);
	if (++w->files > CODE_ARCHIVE_MAX_FILES || depth > CODE_ARCHIVE_MAX_DEPTH)
		return call_fail(w->c, ERR_LIMIT, "the code folder holds more than %d files or is deeper than %d",
			CODE_ARCHIVE_MAX_FILES, CODE_ARCHIVE_MAX_DEPTH);
	if (fstatat(folder, name, &s, AT_SYMLINK_NOFOLLOW) < 0)
		return call_errno(w->c, "look at %.*s of the code", STR(path));
	if (!S_ISDIR(s.st_mode))
		return add_file(w, folder, name, path);
	AUTO(fd) below = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (below < 0)
		return call_errno(w->c, "open the folder %.*s of the code", STR(path));
	return emit_entry(w, path, 0755, 0, '5') ? w->c->err.code : add_folder(w, below, path, depth + 1);
}

static int is_code(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && strcmp(entry->d_name, "__pycache__") != 0;
}

static int compare_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int add_folder(struct writing *w, int folder, struct str path, int depth)
{
	struct dirent **list;
	int n = scandirat(folder, ".", &list, is_code, compare_bytes);
	if (n < 0)
		return call_errno(w->c, "list the code");
	int code = 0;
	for (int i = 0; i < n; i++) {
		if (!code)
			code = add_entry(w, folder, list[i]->d_name, path, depth);
		free(list[i]);
	}
	free(list);
	return code;
}

int code_archive_write(struct call *c, const char *folder, int fd, struct code_archive *out)
{
	static const char end[2 * BLOCK];
	unsigned char sum[SHA256_SIZE];
	AUTO(digest) digest = digest_new(DIGEST_SHA256);
	AUTO(fd) from = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct writing w = {.c = c, .fd = fd, .digest = digest};
	if (!digest)
		return call_no_memory(c);
	if (from < 0)
		return call_errno(c, "open the code folder %s", folder);
	if (add_folder(&w, from, S(""), 0) || emit(&w, str_bytes(end, sizeof(end))))
		return call_context(c, "pack the code of %s", folder);
	digest_final(digest, sum);
	hex_encode(str_bytes(sum, sizeof(sum)), out->sha256);
	out->size = w.size;
	return 0;
}

// ---------------------------------------------------------------- reading
struct reading {
	struct call *c;
	int fd;
	const char *folder;
	uint64_t bytes, files;
	char long_name[PATH_MAX_BYTES + 1]; // of the next entry; "": none
};

static int corrupt(struct reading *r, const char *what)
{
	return call_fail(r->c, ERR_CORRUPT, "the archive of the code: %s", what);
}

static int take(struct reading *r, void *out, size_t n)
{
	for (size_t got = 0; got < n;) {
		ssize_t more = read(r->fd, (char *)out + got, n - got);
		if (more < 0 && errno == EINTR)
			continue;
		if (more < 0)
			return call_errno(r->c, "read the archive of the code");
		if (more == 0)
			return corrupt(r, "it was cut");
		got += (size_t)more;
	}
	return 0;
}

static bool octal_value(const char *field, size_t room, uint64_t *out)
{
	uint64_t value = 0;
	size_t i = 0;
	for (; i < room && field[i] >= '0' && field[i] <= '7'; i++)
		value = value << 3 | (uint64_t)(field[i] - '0');
	*out = value;
	return i > 0 && i < room && (field[i] == '\0' || field[i] == ' ');
}

// "LENGTH path=NAME\n" and nothing else: what we write.
static int take_long_name(struct reading *r, uint64_t size)
{
	char text[PAX_ROOM + BLOCK];
	uint64_t length;
	struct str head, rest;
	if (!size || size > PAX_ROOM || take(r, text, (size + BLOCK - 1) / BLOCK * BLOCK))
		return r->c->err.code ? r->c->err.code : corrupt(r, "a name is too long");
	struct str record = str_bytes(text, size);
	if (!str_cut(record, ' ', &head, &rest) || str_to_u64(head, &length) || length != size ||
		!str_starts(rest, S("path=")) || !str_ends(rest, S("\n")))
		return corrupt(r, "a record is none that names a file");
	rest = str_drop(rest, 5);
	return str_copy(r->long_name, sizeof(r->long_name), str_take(rest, rest.n - 1)) ? 0
											  : corrupt(r, "a name is too long");
}

static int take_bytes(struct reading *r, int to, const char *path, uint64_t size)
{
	char piece[PIECE];
	for (uint64_t left = (size + BLOCK - 1) / BLOCK * BLOCK, keep = size; left;) {
		size_t n = (size_t)MIN(left, (uint64_t)sizeof(piece));
		if (take(r, piece, n) || file_write_all(to, str_bytes(piece, (size_t)MIN(keep, (uint64_t)n)), path, &r->c->err))
			return r->c->err.code;
		keep -= MIN(keep, (uint64_t)n);
		left -= n;
	}
	return 0;
}

static int take_file(struct reading *r, const char *path, const struct header *h, uint64_t size)
{
	uint64_t mode;
	r->bytes += size;
	if (r->bytes > CODE_ARCHIVE_MAX_BYTES)
		return call_fail(r->c, ERR_LIMIT, "the code holds more than %d MiB", CODE_ARCHIVE_MAX_BYTES >> 20);
	if (!octal_value(h->mode, sizeof(h->mode), &mode))
		return corrupt(r, "a mode is no number");
	AUTO(fd) to = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode & 0100 ? 0700 : 0600);
	if (to < 0)
		return call_errno(r->c, "create %s", path);
	return take_bytes(r, to, path, size);
}

static int take_entry(struct reading *r, const struct header *h)
{
	uint64_t size, sum;
	if (memcmp(h->magic, "ustar", sizeof(h->magic)) != 0 || !octal_value(h->size, sizeof(h->size), &size) ||
		!octal_value(h->checksum, sizeof(h->checksum), &sum) || sum != checksum_of(h))
		return corrupt(r, "a header is damaged");
	if (h->type == 'x')
		return take_long_name(r, size);
	struct str name = r->long_name[0] ? arena_str(r->c->arena, str_of(r->long_name))
					  : str_bytes(h->name, strnlen(h->name, sizeof(h->name)));
	r->long_name[0] = '\0';
	if (file_check_relative(name, &r->c->err) || ++r->files > CODE_ARCHIVE_MAX_FILES)
		return r->c->err.code ? r->c->err.code : corrupt(r, "it holds too many files");
	const char *path = arena_printf(r->c->arena, "%s/%.*s", r->folder, STR(name)).p;
	if (!path)
		return call_no_memory(r->c);
	if (h->type == '5' && size == 0)
		return mkdir(path, 0700) < 0 ? call_errno(r->c, "make the folder %s", path) : 0;
	return h->type == '0' ? take_file(r, path, h, size) : corrupt(r, "it holds what is neither file nor folder");
}

static bool is_zero(const struct header *h)
{
	const char *bytes = (const char *)h;
	return bytes[0] == '\0' && memcmp(bytes, bytes + 1, BLOCK - 1) == 0;
}

int code_archive_read(struct call *c, int fd, const char *folder)
{
	struct reading r = {.c = c, .fd = fd, .folder = folder};
	for (;;) {
		struct header h;
		if (take(&r, &h, sizeof(h)))
			return c->err.code;
		if (is_zero(&h))
			return 0;
		if (take_entry(&r, &h))
			return c->err.code;
	}
}
