// SPDX-License-Identifier: Apache-2.0
// Documents as files: see docs.h. A collection is a folder; a file is {"name": ..., "doc": ...} under a name made of the
// document's: plain bytes as they are, others as %XX, and a digest where that would be too long for a file's name. The
// name inside is the one that counts.
#include "pocket/docs.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "pocket/pocket_impl.h"
#include "pocket/store/index.h"

enum { DOC_MAX_NAME = 1000, DOC_MAX_FILE_NAME = 200, DOC_MAX_SIZE = 16 << 20, DOC_MAX_COLLECTIONS = 256 };

struct collection {
	char *name;
	struct index rows; // of struct doc
};
struct doc {
	json_t *value;
	size_t n;
	char name[];
};
struct docs {
	char *root; // ROOT/docs
	struct collection *all[DOC_MAX_COLLECTIONS];
	size_t count;
};

int docs_open(const char *root, struct docs **out, struct err *e)
{
	struct docs *d = calloc(1, sizeof(*d));
	if (!d || asprintf(&d->root, "%s/docs", root) < 0) {
		free(d);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	*out = d;
	return 0;
}

static void free_doc(void *p)
{
	struct doc *doc = p;
	if (doc)
		json_decref(doc->value);
	free(doc);
}

static void free_collection(struct collection *c)
{
	index_free(&c->rows, free_doc);
	free(c->name);
	free(c);
}

void docs_close(struct docs *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->count; i++)
		free_collection(d->all[i]);
	free(d->root);
	free(d);
}

// ---------------------------------------------------------------- names

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool collection_is_plain(const char *name)
{
	size_t n = 0;
	for (; name[n]; n++)
		if (!is_plain(name[n]) && (name[n] != '/' || n == 0 || name[n - 1] == '/'))
			return false;
	return n && n <= 100 && name[n - 1] != '/';
}

static void add_file_name(struct str name, struct buf *out)
{
	AUTO(buf) plain = {0};
	for (size_t i = 0; i < name.n; i++) {
		if (is_plain(name.p[i]) || (name.p[i] == '.' && i))
			buf_add_char(&plain, name.p[i]);
		else
			buf_printf(&plain, "%%%02x", (unsigned)(unsigned char)name.p[i]);
	}
	if (plain.n > DOC_MAX_FILE_NAME) { // '@' is no byte of the other form
		struct sha256 digest = sha256_of(name);
		char hex[HEX_SHA256_SIZE];
		hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
		buf_printf(out, "@%s.json", hex);
		return;
	}
	buf_add(out, buf_str(&plain));
	buf_add(out, S(".json"));
}

static const char *path_of(const struct docs *d, const struct collection *c, struct str name, struct buf *out)
{
	buf_printf(out, "%s/%s/", d->root, c->name);
	add_file_name(name, out);
	return buf_cstr(out);
}

// ---------------------------------------------------------------- in memory

// Takes over the reference, also on failure.
static int keep(struct collection *c, struct str name, json_t *value, struct err *e)
{
	struct doc *doc = value ? malloc(sizeof(*doc) + name.n) : NULL;
	void *old = NULL;
	if (!doc) {
		json_decref(value);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	*doc = (struct doc){.value = value, .n = name.n};
	memcpy(doc->name, name.p, name.n);
	// The key in the index belongs to the document: the old one leaves first.
	free_doc(index_remove(&c->rows, name));
	int rc = index_put(&c->rows, str_bytes(doc->name, doc->n), doc, &old, e);
	if (rc < 0)
		free_doc(doc);
	return rc;
}

static int load_one(struct collection *c, const char *path, struct err *e)
{
	AUTO(json) j = NULL;
	struct str name = {0};
	int rc = json_parse_file(path, DOC_MAX_SIZE, &j, e);
	if (rc == 0)
		rc = json_need_str(j, "name", &name, e);
	json_t *doc = json_object_get(j, "doc");
	if (rc == 0 && !doc)
		rc = err_set(e, ERR_CORRUPT, "it holds no document");
	return rc < 0 ? rc : keep(c, name, json_incref(doc), e);
}

static int load(const struct docs *d, struct collection *c, struct err *e)
{
	AUTO(buf) folder = {0};
	buf_printf(&folder, "%s/%s", d->root, c->name);
	DIR *dir = opendir(buf_cstr(&folder));
	if (!dir)
		return errno == ENOENT ? 0 : err_errno(e, "open the folder %s", buf_cstr(&folder));
	int rc = 0;
	for (struct dirent *entry; rc == 0 && (entry = readdir(dir));) {
		AUTO(buf) path = {0};
		struct err why = {0};
		if (!str_ends(str_of(entry->d_name), S(".json")))
			continue;
		buf_printf(&path, "%s/%s", buf_cstr(&folder), entry->d_name);
		rc = load_one(c, buf_cstr(&path), &why);
		if (rc == ERR_NO_MEMORY) {
			*e = why;
			break;
		}
		if (rc < 0)
			log_line(LOG_WARNING, "skipping the document %s: %s", buf_cstr(&path), why.message);
		rc = 0;
	}
	closedir(dir);
	return rc;
}

static int find(struct docs *d, const char *name, struct collection **out, struct err *e)
{
	for (size_t i = 0; i < d->count; i++) {
		if (strcmp(d->all[i]->name, name) == 0) {
			*out = d->all[i];
			return 0;
		}
	}
	if (!collection_is_plain(name) || d->count == DOC_MAX_COLLECTIONS)
		return err_set(e, ERR_INVALID, "\"%s\" is no collection of documents", name);
	struct collection *c = calloc(1, sizeof(*c));
	if (c)
		c->name = strdup(name);
	int rc = c && c->name ? load(d, c, e) : err_set(e, ERR_NO_MEMORY, "out of memory");
	if (rc < 0) {
		if (c)
			free_collection(c);
		return rc;
	}
	d->all[d->count++] = c;
	*out = c;
	return 0;
}

// ---------------------------------------------------------------- changes

static int write_doc(const char *path, struct str name, const json_t *doc, bool durable, struct err *e)
{
	AUTO(buf) text = {0};
	AUTO(json) whole = json_object();
	if (json_object_set_new(whole, "name", json_of_str(name)) < 0 ||
		json_object_set_new(whole, "doc", json_deep_copy(doc)) < 0) // a copy: for a reference of our own
		return err_set(e, ERR_INVALID, "a document's name is text without NUL");
	int rc = json_write_pretty(whole, &text, e);
	if (rc == 0)
		rc = durable ? file_write_atomic(path, buf_str(&text), 0600, e)
			     : file_replace(path, buf_str(&text), 0600, e);
	if (text.p)
		explicit_bzero(text.p, text.n); // it may have held a key
	return rc;
}

static int make_folder(const struct docs *d, const struct collection *c, struct err *e)
{
	AUTO(buf) folder = {0};
	buf_printf(&folder, "%s/%s", d->root, c->name);
	return file_make_dirs(buf_cstr(&folder), 0700, e);
}

static int put(struct pocket *p, const char *collection, struct docs_row row, bool durable, struct err *e)
{
	struct collection *c = NULL;
	AUTO(buf) path = {0};
	if (!row.name.n || row.name.n > DOC_MAX_NAME || !row.doc)
		return err_set(e, ERR_INVALID, "a document has a name of 1 to %d bytes", DOC_MAX_NAME);
	int rc = find(p->docs, collection, &c, e);
	if (rc == 0)
		rc = make_folder(p->docs, c, e);
	if (rc == 0)
		rc = write_doc(path_of(p->docs, c, row.name, &path), row.name, row.doc, durable, e);
	if (rc == 0)
		rc = keep(c, row.name, json_deep_copy(row.doc), e);
	return rc < 0 ? err_context(e, "keep %.*s in %s", STR(str_clip(row.name, 100)), collection) : 0;
}

int docs_put(struct pocket *p, const char *collection, struct str name, const json_t *doc, struct err *e)
{
	return put(p, collection, (struct docs_row){.name = name, .doc = doc}, false, e);
}

int docs_put_durable(struct pocket *p, const char *collection, struct str name, const json_t *doc, struct err *e)
{
	return put(p, collection, (struct docs_row){.name = name, .doc = doc}, true, e);
}

int docs_delete(struct pocket *p, const char *collection, struct str name, struct err *e)
{
	struct collection *c = NULL;
	AUTO(buf) path = {0};
	int rc = find(p->docs, collection, &c, e);
	if (rc < 0)
		return rc;
	if (!index_get(&c->rows, name))
		return err_set(e, ERR_NOT_FOUND, "there is no %.*s in %s", STR(str_clip(name, 100)), collection);
	if (unlink(path_of(p->docs, c, name, &path)) < 0 && errno != ENOENT)
		return err_errno(e, "delete %s", buf_cstr(&path));
	free_doc(index_remove(&c->rows, name));
	return 0;
}

// ---------------------------------------------------------------- looks

const json_t *docs_get(struct pocket *p, const char *collection, struct str name, struct err *e)
{
	struct collection *c = NULL;
	if (find(p->docs, collection, &c, e) < 0)
		return NULL;
	const struct doc *doc = index_get(&c->rows, name);
	return doc ? doc->value : NULL;
}

int docs_count(struct pocket *p, const char *collection, size_t *out, struct err *e)
{
	struct collection *c = NULL;
	int rc = find(p->docs, collection, &c, e);
	if (rc == 0)
		*out = c->rows.count;
	return rc;
}

int docs_list(struct pocket *p, const struct docs_cursor *from, struct docs_row *rows, size_t limit, size_t *count,
	bool *more)
{
	struct collection *c = NULL;
	struct err e = {0};
	*count = 0;
	*more = false;
	int rc = find(p->docs, from->collection, &c, &e);
	if (rc < 0) {
		log_err(LOG_ERROR, &e, p->name);
		return rc;
	}
	struct str start = str_cmp(from->after, from->prefix) > 0 ? from->after : from->prefix;
	for (const struct index_node *node = index_seek(&c->rows, start); node; node = index_next(node)) {
		if (!str_starts(node->key, from->prefix))
			break;
		if (from->after.n && str_eq(node->key, from->after))
			continue;
		if (*count == limit) {
			*more = true;
			break;
		}
		const struct doc *doc = node->value;
		rows[(*count)++] = (struct docs_row){.name = node->key, .doc = doc->value};
	}
	return 0;
}
