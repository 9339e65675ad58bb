// SPDX-License-Identifier: Apache-2.0
// Samples out of safetensors files: checked, mapped or copied together.
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "train/trainers.h"

enum { SAMPLES_MAX_FILES = 10000, SAMPLES_PATH = 4096 };

struct part { // one file
	const float *x;
	const int64_t *label;
	size_t n, width;
};

static int is_data(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && str_ends(str_of(entry->d_name), S(".safetensors"));
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

static int open_part(const char *folder, const char *name, struct samples *s, struct part *part, struct err *e)
{
	char path[SAMPLES_PATH];
	int n = snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return err_set(e, ERR_INVALID, "%s: the path is too long", name);
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

static int load_all(const char *folder, struct dirent **names, int count, struct samples *s, struct err *e)
{
	for (int i = 0; i < count; i++) {
		struct part part;
		int rc = open_part(folder, names[i]->d_name, s, &part, e);
		if (rc < 0)
			return rc;
		if (count == 1) {
			s->width = part.width;
			s->data = (struct mlp_data){.x = part.x, .label = part.label, .n = part.n};
			return 0;
		}
		rc = append(s, &part, e);
		safetensors_close(&s->file);
		if (rc < 0)
			return err_context(e, "%s/%s", folder, names[i]->d_name);
	}
	return 0;
}

int samples_load(const char *folder, struct samples *out, struct err *e)
{
	struct dirent **names = NULL;
	int count = scandir(folder, &names, is_data, alphabetical);
	if (count < 0)
		return err_errno(e, "read folder %s", folder);
	AUTO(samples) s = {0};
	int rc = 0;
	if (count == 0 || count > SAMPLES_MAX_FILES)
		rc = err_set(e, ERR_INVALID, "folder %s has %d files *.safetensors: from 1 to %d are possible", folder, count,
			SAMPLES_MAX_FILES);
	else
		rc = load_all(folder, names, count, &s, e);
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
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
