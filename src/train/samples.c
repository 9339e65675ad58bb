// SPDX-License-Identifier: Apache-2.0
// Samples out of safetensors files: checked, mapped or copied together.
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "train/trainers.h"

enum { SAMPLES_MAX_FILES = 10000, SAMPLES_MAX_DEPTH = 4 };

struct paths { // of files, in the order in which they are read
	struct arena arena;
	const char **items;
	size_t count;
};

struct part { // one file
	const float *x;
	const int64_t *label;
	size_t n, width;
};

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static int alphabetical(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static bool aligned(const void *p, size_t to)
{
	return (uintptr_t)p % to == 0;
}

static int read_part(const struct safetensors *s, struct part *out, struct err *e)
{
	const struct tensor *image = safetensors_find(s, S("image")), *label;
	uint64_t n = UINT64_MAX;
	if (!image || image->type != TENSOR_F32 || image->rank < 2 || !image->shape[0])
		return err_set(e, ERR_INVALID, "expected a tensor \"image\" of type F32 and shape [samples, ...] with at least one sample");
	n = image->shape[0];
	int rc = safetensors_need(s, &(struct tensor){.name = S("class"), .type = TENSOR_I64, .shape = &n, .rank = 1}, &label, e);
	if (rc < 0)
		return rc;
	uint64_t width = tensor_count(image) / n;
	if (!width || width > MLP_MAX_WIDTH)
		return err_set(e, ERR_INVALID, "a sample of tensor \"image\" has %llu numbers: from 1 to %d are possible",
			(unsigned long long)width, MLP_MAX_WIDTH);
	if (!aligned(image->data, sizeof(float)) || !aligned(label->data, sizeof(int64_t)))
		return err_set(e, ERR_INVALID, "the data is not aligned to 8 bytes, as writers of safetensors do");
	*out = (struct part){.x = (const void *)image->data, .label = (const void *)label->data, .n = n, .width = width};
	return 0;
}

static int open_part(const char *path, struct samples *s, struct part *part, struct err *e)
{
	int rc = safetensors_open(path, &s->arena, &s->file, e);
	if (rc < 0)
		return rc;
	rc = read_part(&s->file.content, part, e);
	if (rc < 0)
		err_context(e, "%s", path);
	return rc;
}

// Adds a part behind the copies of those before it.
static int append(struct samples *s, const struct part *part, struct err *e)
{
	if (s->data.n && part->width != s->width)
		return err_set(e, ERR_INVALID, "samples of %zu numbers beside samples of %zu", part->width, s->width);
	buf_add_bytes(&s->x, part->x, part->n * part->width * sizeof(float));
	buf_add_bytes(&s->label, part->label, part->n * sizeof(int64_t));
	if (buf_check(&s->x, e) < 0 || buf_check(&s->label, e) < 0)
		return ERR_NO_MEMORY;
	s->width = part->width;
	s->data = (struct mlp_data){.x = (const void *)s->x.p, .label = (const void *)s->label.p, .n = s->data.n + part->n};
	return 0;
}

static int load_all(const struct paths *paths, struct samples *s, struct err *e)
{
	for (size_t i = 0; i < paths->count; i++) {
		struct part part = {0};
		int rc = open_part(paths->items[i], s, &part, e);
		if (rc < 0)
			return rc;
		if (paths->count == 1) {
			s->width = part.width;
			s->data = (struct mlp_data){.x = part.x, .label = part.label, .n = part.n};
			return 0;
		}
		rc = append(s, &part, e);
		safetensors_close(&s->file);
		if (rc < 0)
			return err_context(e, "%s", paths->items[i]);
	}
	return 0;
}

static int find_files(struct paths *paths, const char *folder, int depth, struct err *e);

// A folder inside is looked through; a file that is no data is left.
static int take_entry(struct paths *paths, const char *folder, const char *name, int depth, struct err *e)
{
	struct stat about;
	const char *path = arena_printf(&paths->arena, "%s/%s", folder, name).p;
	if (!path)
		return err_set(e, ERR_NO_MEMORY, "read folder %s: out of memory", folder);
	if (lstat(path, &about) < 0)
		return err_errno(e, "read %s", path);
	if (S_ISDIR(about.st_mode))
		return find_files(paths, path, depth + 1, e);
	if (!S_ISREG(about.st_mode) || !str_ends(str_of(name), S(".safetensors")))
		return 0;
	if (paths->count == SAMPLES_MAX_FILES)
		return err_set(e, ERR_LIMIT, "folder %s: more than %d files", folder, SAMPLES_MAX_FILES);
	paths->items[paths->count++] = path;
	return 0;
}

static int find_files(struct paths *paths, const char *folder, int depth, struct err *e)
{
	struct dirent **names = NULL;
	if (depth > SAMPLES_MAX_DEPTH)
		return err_set(e, ERR_LIMIT, "folder %s: folders stand deeper than %d in each other", folder, SAMPLES_MAX_DEPTH);
	int count = scandir(folder, &names, is_visible, alphabetical), rc = 0;
	if (count < 0)
		return err_errno(e, "read folder %s", folder);
	for (int i = 0; i < count; i++) {
		if (rc == 0)
			rc = take_entry(paths, folder, names[i]->d_name, depth, e);
		free(names[i]);
	}
	free(names);
	return rc;
}

int samples_load(const char *folder, struct samples *out, struct err *e)
{
	struct paths paths = {0};
	AUTO(samples) s = {0};
	paths.items = arena_new_array(&paths.arena, SAMPLES_MAX_FILES, const char *);
	int rc = paths.items ? find_files(&paths, folder, 0, e) : err_set(e, ERR_NO_MEMORY, "read folder %s: out of memory", folder);
	if (rc == 0 && !paths.count)
		rc = err_set(e, ERR_INVALID, "folder %s has no file *.safetensors", folder);
	if (rc == 0)
		rc = load_all(&paths, &s, e);
	arena_free(&paths.arena);
	if (rc < 0)
		return rc;
	*out = s;
	s = (struct samples){0};
	return 0;
}

void samples_free(struct samples *s)
{
	if (!s)
		return;
	safetensors_close(&s->file);
	buf_free(&s->x);
	buf_free(&s->label);
	arena_free(&s->arena);
	*s = (struct samples){0};
}
