// SPDX-License-Identifier: Apache-2.0
// What a job left, on its way to S3, a bounded number of bytes a tick. Of a training job: the model folder becomes
// JOB/output/model.tar.gz and output/data JOB/output/output.tar.gz below S3OutputPath (or plain objects, where
// CompressionType is NONE). Of a processing job: each output's folder becomes objects below its S3Uri. Only regular
// files are taken, and no link is followed: the folder is the user's. Sources: OutputDataConfig, ProcessingS3Output
// (Amazon SageMaker API Reference); ustar of POSIX.1-1988; RFC 1952.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "pocket/aws/sagemaker_impl.h"

enum { A_TICK = 8 << 20, PIECE = 256 << 10, MAX_FILES = 100000, MAX_DEPTH = 32, BLOCK = 512, GZIP_WINDOW = 15 + 16 };

struct output {
	struct str folder, bucket, key; // key: of the archive, or what stands before each name
	bool archive;
};

struct sm_taking {
	struct arena arena; // of what follows
	struct output *outputs;
	size_t output_count, index;
	struct str *files; // of this output, relative
	size_t file_count, file_room, next;
	bool listed;
	int fd; // of the file that is read; -1: none
	uint64_t size, done;
	struct writer *writer;
	z_stream zip;
	bool zipping;
};

// ---------------------------------------------------------------- which outputs
static struct str joined(struct arena *a, struct str before, struct str name)
{
	return arena_printf(a, "%.*s%s%.*s", STR(before), before.n && !str_ends(before, S("/")) ? "/" : "", STR(name));
}

static int training_outputs(const struct sm_files *f, struct sm_taking *t, struct err *e)
{
	const json_t *config = json_object_get(json_object_get(f->doc, "in"), "OutputDataConfig");
	bool archive = !str_eq(json_str(config, "CompressionType"), S("NONE"));
	struct str bucket, prefix;
	struct arena *a = &t->arena;
	int rc = sm_read_s3(json_str(config, "S3OutputPath"), &bucket, &prefix, e);
	if (rc < 0)
		return rc;
	struct str base = joined(a, prefix, arena_printf(a, "%s/output/", json_text(f->doc, "name")));
	const struct output both[] = {
		{str_of(f->place->model), bucket, joined(a, base, archive ? S("model.tar.gz") : S("model/")), archive},
		{arena_printf(a, "%s/data", f->place->output), bucket,
			joined(a, base, archive ? S("output.tar.gz") : S("data/")), archive}};
	t->outputs = arena_new_array(a, COUNT_OF(both), struct output);
	if (!t->outputs)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	memcpy(t->outputs, both, sizeof(both));
	t->output_count = COUNT_OF(both);
	return 0;
}

static int processing_outputs(const struct sm_files *f, struct sm_taking *t, struct err *e)
{
	const json_t *config = json_object_get(json_object_get(f->doc, "in"), "ProcessingOutputConfig");
	const json_t *list = json_object_get(config, "Outputs"), *one;
	size_t i;
	t->outputs = arena_new_array(&t->arena, json_array_size(list) + 1, struct output);
	if (!t->outputs)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	json_array_foreach(list, i, one)
	{
		const json_t *s3 = json_object_get(one, "S3Output");
		struct output *o = &t->outputs[t->output_count];
		if (!s3)
			continue;
		int rc = sm_read_s3(json_str(s3, "S3Uri"), &o->bucket, &o->key, e);
		if (rc < 0)
			return rc;
		o->key = joined(&t->arena, o->key, S(""));
		if (o->key.n && !str_ends(o->key, S("/")))
			o->key = arena_printf(&t->arena, "%.*s/", STR(o->key));
		o->folder = sm_processing_path(&t->arena, f->place, json_str(s3, "LocalPath"));
		t->output_count += o->folder.p != NULL;
	}
	return 0;
}

// ---------------------------------------------------------------- which files
static int add_file(struct sm_taking *t, struct str relative, struct err *e)
{
	if (t->file_count == MAX_FILES)
		return err_set(e, ERR_LIMIT, "more than %d files", MAX_FILES);
	if (t->file_count == t->file_room) {
		size_t room = t->file_room ? 2 * t->file_room : 64;
		struct str *files = arena_new_array(&t->arena, room, struct str);
		if (!files)
			return err_set(e, ERR_NO_MEMORY, "out of memory");
		if (t->file_count)
			memcpy(files, t->files, t->file_count * sizeof(*files));
		t->files = files;
		t->file_room = room;
	}
	t->files[t->file_count++] = relative;
	return 0;
}

// Takes over fd.
static int list_folder(struct sm_taking *t, int fd, struct str below, int depth, struct err *e)
{
	DIR *folder = fdopendir(fd);
	const struct dirent *entry;
	int rc = 0;
	if (!folder) {
		close(fd);
		return err_errno(e, "read a folder of outputs");
	}
	while (rc == 0 && (entry = readdir(folder))) {
		struct stat st;
		struct str name = str_of(entry->d_name);
		struct str relative = arena_printf(&t->arena, "%.*s%s%.*s", STR(below), below.n ? "/" : "", STR(name));
		if (str_eq(name, S(".")) || str_eq(name, S("..")) ||
			fstatat(dirfd(folder), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		if (!relative.p)
			rc = err_set(e, ERR_NO_MEMORY, "out of memory");
		else if (S_ISREG(st.st_mode))
			rc = add_file(t, relative, e);
		else if (S_ISDIR(st.st_mode) && depth < MAX_DEPTH) {
			int next = openat(dirfd(folder), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
			rc = next < 0 ? 0 : list_folder(t, next, relative, depth + 1, e);
		}
	}
	closedir(folder);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int list_output(struct sm_taking *t, const struct output *o, struct err *e)
{
	int fd = open(o->folder.p, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	t->file_count = t->next = 0;
	t->listed = true;
	int rc = fd < 0 ? 0 : list_folder(t, fd, S(""), 0, e);
	if (t->file_count)
		qsort(t->files, t->file_count, sizeof(*t->files), by_name);
	return rc;
}

// Each part of the path by itself, so that none is a link.
static int open_below(struct str folder, struct str relative)
{
	int fd = open(folder.p, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct str part, rest = relative;
	char name[256];
	while (fd >= 0 && str_next(&rest, '/', &part)) {
		int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | (rest.n ? O_DIRECTORY : O_NONBLOCK);
		int next = str_copy(name, sizeof(name), part) ? openat(fd, name, flags) : -1;
		close(fd);
		fd = next;
	}
	return fd;
}

// ---------------------------------------------------------------- an archive
static int zip_add(struct sm_taking *t, struct str data, int flush, struct err *e)
{
	static unsigned char out[PIECE];
	int rc = 0, state = Z_OK;
	t->zip.next_in = (Bytef *)(uintptr_t)data.p;
	t->zip.avail_in = (uInt)data.n;
	do {
		t->zip.next_out = out;
		t->zip.avail_out = sizeof(out);
		state = deflate(&t->zip, flush);
		rc = writer_add(t->writer, str_bytes(out, sizeof(out) - t->zip.avail_out), e);
	} while (rc == 0 && state == Z_OK && (t->zip.avail_in || !t->zip.avail_out || flush == Z_FINISH));
	return rc;
}

static int zip_zeros(struct sm_taking *t, size_t n, struct err *e)
{
	static const char zeros[2 * BLOCK];
	return n ? zip_add(t, str_bytes(zeros, n), Z_NO_FLUSH, e) : 0;
}

// name[100] mode[8] uid[8] gid[8] size[12] mtime[12] checksum[8] type link[100] magic[6] version[2] ... prefix[155]
static int zip_header(struct sm_taking *t, struct str name, struct err *e)
{
	char block[BLOCK] = {0};
	unsigned sum = 0;
	ptrdiff_t cut = 0;
	if (name.n > 100) {
		for (cut = (ptrdiff_t)name.n - 101; cut < (ptrdiff_t)name.n && name.p[cut] != '/'; cut++)
			;
		if (cut > 155 || cut == (ptrdiff_t)name.n)
			return err_set(e, ERR_LIMIT, "the name %.*s is too long for an archive", STR(str_clip(name, 200)));
		memcpy(block + 345, name.p, (size_t)cut);
		cut++;
	}
	if (t->size >> 33)
		return err_set(e, ERR_LIMIT, "%.*s has more than 8 GiB", STR(name));
	memcpy(block, name.p + cut, name.n - (size_t)cut);
	snprintf(block + 100, 8, "0000644");
	snprintf(block + 108, 8, "0000000");
	snprintf(block + 116, 8, "0000000");
	snprintf(block + 124, 12, "%011llo", (unsigned long long)t->size);
	snprintf(block + 136, 12, "00000000000");
	memset(block + 148, ' ', 8);
	block[156] = '0';
	memcpy(block + 257, "ustar\00000", 8);
	for (size_t i = 0; i < BLOCK; i++)
		sum += (unsigned char)block[i];
	snprintf(block + 148, 8, "%06o", sum);
	return zip_add(t, str_bytes(block, BLOCK), Z_NO_FLUSH, e);
}

// ---------------------------------------------------------------- one object
static int put(const struct sm_files *f, struct sm_taking *t, struct str key, struct err *e)
{
	const struct output *o = &t->outputs[t->index];
	struct bucket *bucket = NULL;
	struct object *object = NULL;
	struct writer *w = t->writer;
	const struct record draft = {.key = key};
	t->writer = NULL;
	int rc = objects_bucket_find(f->pocket->store, o->bucket, &bucket, e);
	if (rc < 0) {
		writer_abandon(w);
		return err_context(e, "bucket %.*s", STR(o->bucket));
	}
	return objects_put(bucket, w, &draft, &object, e);
}

static int begin_file(const struct sm_files *f, struct sm_taking *t, struct err *e)
{
	const struct output *o = &t->outputs[t->index];
	struct stat st;
	t->fd = open_below(o->folder, t->files[t->next]);
	if (t->fd >= 0 && (fstat(t->fd, &st) < 0 || !S_ISREG(st.st_mode)))
		fd_close(&t->fd);
	if (t->fd < 0) { // gone since it was listed
		t->next++;
		return 0;
	}
	t->size = (uint64_t)st.st_size;
	t->done = 0;
	if (o->archive)
		return zip_header(t, t->files[t->next], e);
	return writer_begin(f->pocket->store, HASH_MD5, t->size, &t->writer, e);
}

static int end_file(const struct sm_files *f, struct sm_taking *t, struct err *e)
{
	const struct output *o = &t->outputs[t->index];
	struct str name = t->files[t->next++];
	fd_close(&t->fd);
	if (o->archive)
		return zip_zeros(t, (BLOCK - t->size % BLOCK) % BLOCK, e);
	struct str key = arena_printf(&t->arena, "%.*s%.*s", STR(o->key), STR(name));
	return put(f, t, key, e);
}

// A file that became shorter meanwhile is filled up, since its length was announced.
static int copy_piece(const struct sm_files *f, struct sm_taking *t, size_t *left, struct err *e)
{
	static char piece[PIECE];
	bool archive = t->outputs[t->index].archive;
	size_t want = (size_t)MIN((uint64_t)sizeof(piece), t->size - t->done);
	ssize_t n = want ? read(t->fd, piece, want) : 0;
	if (n < 0 && errno != EINTR)
		return err_errno(e, "read %.*s", STR(t->files[t->next]));
	if (n == 0 && want) {
		memset(piece, 0, want);
		n = (ssize_t)want;
	}
	if (n <= 0)
		return n < 0 ? 0 : end_file(f, t, e);
	struct str data = str_bytes(piece, (size_t)n);
	t->done += (uint64_t)n;
	*left = *left > (size_t)n ? *left - (size_t)n : 0;
	return archive ? zip_add(t, data, Z_NO_FLUSH, e) : writer_add(t->writer, data, e);
}

// ---------------------------------------------------------------- all
static int begin_output(const struct sm_files *f, struct sm_taking *t, struct err *e)
{
	const struct output *o = &t->outputs[t->index];
	int rc = list_output(t, o, e);
	if (rc < 0 || !o->archive || !t->file_count)
		return rc;
	if (deflateInit2(&t->zip, 1, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	t->zipping = true;
	return writer_begin(f->pocket->store, HASH_MD5, 0, &t->writer, e);
}

static int end_output(const struct sm_files *f, struct sm_taking *t, struct err *e)
{
	int rc = 0;
	if (t->zipping) {
		rc = zip_zeros(t, 2 * BLOCK, e);
		if (rc == 0)
			rc = zip_add(t, S(""), Z_FINISH, e);
		deflateEnd(&t->zip);
		t->zipping = false;
		if (rc == 0)
			rc = put(f, t, t->outputs[t->index].key, e);
	}
	t->index++;
	t->listed = false;
	return rc;
}

static int step(const struct sm_files *f, struct sm_taking *t, size_t *left, struct err *e)
{
	if (!t->listed)
		return begin_output(f, t, e);
	if (t->fd >= 0)
		return copy_piece(f, t, left, e);
	return t->next < t->file_count ? begin_file(f, t, e) : end_output(f, t, e);
}

static int open_taking(const struct sm_files *f, struct sm_taking **out, struct err *e)
{
	struct sm_taking *t = *out = calloc(1, sizeof(*t));
	if (!t)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	t->fd = -1;
	return f->type == SM_TRAINING ? training_outputs(f, t, e) : processing_outputs(f, t, e);
}

int sm_take(const struct sm_files *f, struct sm_taking **state, struct err *e)
{
	size_t left = A_TICK;
	int rc = *state ? 0 : open_taking(f, state, e);
	struct sm_taking *t = *state;
	while (rc == 0 && t->index < t->output_count && left) {
		rc = step(f, t, &left, e);
		left -= left ? 1 : 0;
	}
	return rc ? rc : t->index < t->output_count;
}

void sm_taking_free(struct sm_taking *t)
{
	if (!t)
		return;
	if (t->zipping)
		deflateEnd(&t->zip);
	writer_abandon(t->writer);
	fd_close(&t->fd);
	arena_free(&t->arena);
	free(t);
}
