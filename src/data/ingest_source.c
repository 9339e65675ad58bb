// SPDX-License-Identifier: Apache-2.0
// The source of a dataset: a folder that may be read, and the pairs of files in it.
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "data/ingest_impl.h"

#define DATASETS_ROOT "/usr/share/datasets"

static bool inside(const char *path, const char *root)
{
	size_t n = strlen(root);
	return strncmp(path, root, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

// "file:///absolute", "file:relative" or "file:./relative".
static int source_path(struct call *c, struct str source, const char *folder, const char **out)
{
	struct str rest = str_drop(source, 5);
	if (!str_starts(source, S("file:")) || memchr(source.p, '\0', source.n))
		return call_fail(c, ERR_UNSUPPORTED, "source %.*s: only file: URLs can be read", STR(source));
	if (str_starts(rest, S("///")))
		*out = arena_cstr(c->arena, str_drop(rest, 2));
	else if (str_starts(rest, S("//")))
		return call_fail(
			c, ERR_INVALID, "source %.*s: a file: URL names no host; write file:///...", STR(source));
	else
		*out = rest.n && rest.p[0] == '/' ? arena_cstr(c->arena, rest)
						  : arena_printf(c->arena, "%s/%.*s", folder, STR(rest)).p;
	return *out ? 0 : call_no_memory(c);
}

int dataset_source_folder(struct call *c, struct str source, const char *folder, struct str *out)
{
	const char *path = NULL;
	char real[PATH_MAX], home[PATH_MAX];
	if (source_path(c, source, folder, &path))
		return c->err.code;
	if (!realpath(path, real))
		return call_errno(c, "source %.*s: folder %s", STR(source), path);
	if (!realpath(folder, home))
		return call_errno(c, "workspace folder %s", folder);
	if (!inside(real, home) && !inside(real, DATASETS_ROOT))
		return call_fail(c, ERR_DENIED,
			"source %.*s: %s lies neither in the workspace's folder nor below " DATASETS_ROOT, STR(source),
			real);
	*out = arena_str(c->arena, str_of(real));
	return out->p ? 0 : call_no_memory(c);
}

// ---------------------------------------------------------------- pairs
static bool is_file(const char *path)
{
	struct stat s;
	return path && lstat(path, &s) == 0 && S_ISREG(s.st_mode);
}

// The plain file when it is there, else the packed one; NULL when neither.
static const char *find_file(struct call *c, const char *folder, struct str stem, const char *suffix)
{
	const char *plain = arena_printf(c->arena, "%s/%.*s%s", folder, STR(stem), suffix).p;
	const char *packed = arena_printf(c->arena, "%s/%.*s%s.gz", folder, STR(stem), suffix).p;
	return is_file(plain) ? plain : is_file(packed) ? packed : NULL;
}

static bool stem_of(const char *name, struct str *stem)
{
	struct str s = str_of(name);
	if (str_ends(s, S(".gz")))
		s.n -= 3;
	if (!str_ends(s, S(IMAGES_SUFFIX)) || s.n == sizeof(IMAGES_SUFFIX) - 1 || s.p[0] == '.')
		return false;
	*stem = str_take(s, s.n - (sizeof(IMAGES_SUFFIX) - 1));
	return true;
}

static int add_pair(struct call *c, struct source_folder *f, struct str stem)
{
	if (f->count && str_eq(f->pairs[f->count - 1].stem, stem))
		return 0; // plain and packed, one after the other
	if (f->count == SOURCE_MAX_PAIRS)
		return call_fail(c, ERR_LIMIT, "%s: more than %d pairs of files", f->path, SOURCE_MAX_PAIRS);
	struct source_pair pair = {.stem = arena_str(c->arena, stem)};
	pair.images = find_file(c, f->path, stem, IMAGES_SUFFIX);
	pair.labels = find_file(c, f->path, stem, LABELS_SUFFIX);
	if (!pair.images || !pair.labels)
		return call_fail(c, ERR_NOT_FOUND, "%s: %.*s%s has no %.*s%s (or .gz) beside it", f->path, STR(stem),
			pair.images ? IMAGES_SUFFIX : LABELS_SUFFIX, STR(stem),
			pair.images ? LABELS_SUFFIX : IMAGES_SUFFIX);
	f->pairs[f->count++] = pair;
	return 0;
}

int source_open(struct call *c, struct str source, const char *folder, struct source_folder *out)
{
	struct str path = {0};
	struct dirent **list;
	if (dataset_source_folder(c, source, folder, &path))
		return c->err.code;
	struct source_folder f = {
		.path = path.p, .pairs = arena_new_array(c->arena, SOURCE_MAX_PAIRS, struct source_pair)};
	if (!f.path || !f.pairs)
		return call_no_memory(c);
	int n = scandir(f.path, &list, NULL, alphasort);
	if (n < 0)
		return call_errno(c, "source %.*s: list %s", STR(source), f.path);
	int code = 0;
	for (int i = 0; i < n; i++) {
		struct str stem;
		if (!code && stem_of(list[i]->d_name, &stem))
			code = add_pair(c, &f, stem);
		free(list[i]);
	}
	free(list);
	if (!code && !f.count)
		code = call_fail(c, ERR_NOT_FOUND, "source %.*s: %s holds no NAME" IMAGES_SUFFIX " (or .gz)",
			STR(source), f.path);
	if (!code)
		*out = f;
	return code;
}

// ---------------------------------------------------------------- fingerprint
static int fingerprint_file(struct call *c, struct buf *out, struct str stem, const char *path)
{
	struct file_digest d = {0};
	if (digest_file(path, &d, &c->err))
		return c->err.code;
	buf_printf(out, "%.*s %s\n", STR(stem), d.hex);
	return 0;
}

int dataset_fingerprint(struct call *c, const struct resource *r, const char *folder, struct str *out)
{
	struct dataset d = {0};
	struct source_folder f = {0};
	AUTO(buf) text = {0};
	char hex[HEX_SHA256_SIZE];
	if (kind_decode_json(&dataset_kind, r->resolved, c->arena, &d, &c->err) || source_open(c, d.source, folder, &f))
		return call_context(c, "%.*s", STR(r->address));
	for (size_t i = 0; i < f.count; i++)
		if (fingerprint_file(c, &text, f.pairs[i].stem, f.pairs[i].images) ||
			fingerprint_file(c, &text, f.pairs[i].stem, f.pairs[i].labels))
			return call_context(c, "%.*s", STR(r->address));
	if (buf_check(&text, &c->err))
		return c->err.code;
	struct sha256 digest = sha256_of(buf_str(&text));
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	*out = arena_str(c->arena, str_of(hex));
	return out->p ? 0 : call_no_memory(c);
}
