// SPDX-License-Identifier: Apache-2.0
// Records in memory and on disk: see record.h. The footer is magic, length of the JSON, its CRC-32C, length of the
// data; all little-endian. A file that was cut by a power failure fails one of these and is no object.
#include "pocket/store/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"

enum { FOOTER_SIZE = 24, TAIL_GUESS = 4096 };
static const char magic[8] = {'i', 's', 'o', 'b', 'j', '0', '0', '1'};

struct str pairs_get(const struct pairs *p, struct str name)
{
	for (size_t i = 0; i < p->count; i++)
		if (str_eq_nocase(p->items[i].name, name))
			return p->items[i].value;
	return S("");
}

bool pairs_has(const struct pairs *p, struct str name)
{
	for (size_t i = 0; i < p->count; i++)
		if (str_eq_nocase(p->items[i].name, name))
			return true;
	return false;
}

// An array of our own with room for `more` further pairs.
static int make_room(struct pairs *p, struct arena *a, size_t more)
{
	if (p->count + more <= p->room)
		return 0;
	size_t room = MAX((p->count + more) * 2, (size_t)4);
	struct pair *items = arena_new_array(a, room, struct pair);
	if (!items)
		return ERR_NO_MEMORY;
	if (p->count)
		memcpy(items, p->items, p->count * sizeof(*items));
	p->items = items;
	p->room = room;
	return 0;
}

int pairs_add(struct pairs *p, struct arena *a, struct str name, struct str value)
{
	if (make_room(p, a, 1) < 0)
		return ERR_NO_MEMORY;
	p->items[p->count++] = (struct pair){.name = name, .value = value};
	return 0;
}

int pairs_remove(struct pairs *p, struct arena *a, struct str name)
{
	size_t n = 0;
	if (make_room(p, a, 0) < 0)
		return ERR_NO_MEMORY;
	for (size_t i = 0; i < p->count; i++)
		if (!str_eq(p->items[i].name, name))
			p->items[n++] = p->items[i];
	p->count = n;
	return 0;
}

// ---------------------------------------------------------------- packing

static size_t pairs_text_size(const struct pairs *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->count; i++)
		n += p->items[i].name.n + p->items[i].value.n;
	return n;
}

static size_t text_size(const struct record *r)
{
	size_t n = r->key.n + r->etag.n + r->folder.n + pairs_text_size(&r->properties) + pairs_text_size(&r->metadata);
	for (size_t i = 0; i < r->piece_count; i++)
		n += r->pieces[i].name.n;
	return n;
}

static struct str pack_str(char **at, struct str s)
{
	struct str copy = {.p = *at, .n = s.n};
	if (s.n)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

static void pack_pairs(char **at, struct pairs *out, const struct pairs *from)
{
	for (size_t i = 0; i < from->count; i++) {
		out->items[i].name = pack_str(at, from->items[i].name);
		out->items[i].value = pack_str(at, from->items[i].value);
	}
	out->count = from->count;
	out->room = 0;
}

struct record *record_clone(const struct record *r)
{
	size_t arrays =
		r->piece_count * sizeof(struct piece) + (r->properties.count + r->metadata.count) * sizeof(struct pair);
	struct record *copy = malloc(sizeof(*copy) + arrays + text_size(r));
	if (!copy)
		return NULL;
	*copy = *r;
	copy->pieces = (struct piece *)(copy + 1);
	copy->properties.items = (struct pair *)(copy->pieces + r->piece_count);
	copy->metadata.items = copy->properties.items + r->properties.count;
	char *at = (char *)(copy->metadata.items + r->metadata.count);
	for (size_t i = 0; i < r->piece_count; i++) {
		copy->pieces[i] = r->pieces[i];
		copy->pieces[i].name = pack_str(&at, r->pieces[i].name);
	}
	pack_pairs(&at, &copy->properties, &r->properties);
	pack_pairs(&at, &copy->metadata, &r->metadata);
	copy->key = pack_str(&at, r->key);
	copy->etag = pack_str(&at, r->etag);
	copy->folder = pack_str(&at, r->folder);
	return copy;
}

void record_free(struct record *r)
{
	free(r);
}

// ---------------------------------------------------------------- disk

static void put_le(unsigned char *out, uint64_t value, size_t n)
{
	for (size_t i = 0; i < n; i++)
		out[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get_le(const unsigned char *bytes, size_t n)
{
	uint64_t value = 0;
	for (size_t i = n; i-- > 0;)
		value = value << 8 | bytes[i];
	return value;
}

static bool is_json_text(struct str s)
{
	return str_utf8_valid(s) && (s.n == 0 || !memchr(s.p, 0, s.n));
}

static bool pairs_are_text(const struct pairs *p)
{
	for (size_t i = 0; i < p->count; i++)
		if (!is_json_text(p->items[i].name) || !is_json_text(p->items[i].value))
			return false;
	return true;
}

static bool is_text(const struct record *r)
{
	return is_json_text(r->key) && is_json_text(r->etag) && pairs_are_text(&r->properties) &&
	       pairs_are_text(&r->metadata);
}

int record_write(int fd, const struct record *r, uint64_t data_size, struct err *e)
{
	AUTO(json) j = record_to_json(r);
	AUTO(buf) text = {0};
	if (!j && !is_text(r))
		return err_set(e, ERR_INVALID, "the description of an object is not text in UTF-8");
	if (!j)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	int rc = json_write(j, &text, e);
	if (rc < 0)
		return rc;
	if (text.n > RECORD_MAX_JSON)
		return err_set(e, ERR_LIMIT, "the description of an object is larger than %d bytes", RECORD_MAX_JSON);
	unsigned char footer[FOOTER_SIZE];
	memcpy(footer, magic, sizeof(magic));
	put_le(footer + 8, text.n, 4);
	put_le(footer + 12, crc32c(0, buf_str(&text)), 4);
	put_le(footer + 16, data_size, 8);
	buf_add_bytes(&text, footer, sizeof(footer));
	rc = buf_check(&text, e);
	return rc < 0 ? rc : file_write_all(fd, buf_str(&text), "an object", e);
}

static int corrupt(struct err *e, const char *what)
{
	return err_set(e, ERR_CORRUPT, "not a whole object: %s", what);
}

static int read_at(int fd, uint64_t offset, size_t n, struct buf *out, struct err *e)
{
	if (!buf_reserve(out, n))
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	while (out->n < n) {
		ssize_t got = pread(fd, out->p + out->n, n - out->n, (off_t)(offset + out->n));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(e, "reading the record of an object");
		if (got == 0)
			return corrupt(e, "the file became shorter");
		out->n += (size_t)got;
	}
	return 0;
}

// The last `want` bytes of the file, or all of it when shorter.
static int read_tail(int fd, uint64_t file_size, uint64_t want, struct buf *tail, struct err *e)
{
	uint64_t n = MIN(want, file_size);
	buf_clear(tail);
	return read_at(fd, file_size - n, (size_t)n, tail, e);
}

// The checksum was right, so these bytes are what was written: a failure to read them says nothing against the file,
// which must not be dropped for it. jansson reports a lack of memory as a syntax error.
static int read_description(struct str text, struct arena *a, struct record *out, struct err *e)
{
	AUTO(json) j = NULL;
	struct err cause = {0};
	if (json_parse(text, &j, &cause) < 0)
		return err_set(e, ERR_NO_MEMORY, "no memory to read the description of an object: %s", cause.message);
	int rc = record_of_json(j, a, out, e);
	return rc == ERR_CORRUPT ? err_set(e, ERR_FAILED, "the description of an object was written by another version")
				 : rc;
}

int record_read(int fd, struct arena *a, struct record *out, uint64_t *data_size, struct err *e)
{
	struct stat st;
	AUTO(buf) tail = {0};
	if (fstat(fd, &st) < 0)
		return err_errno(e, "reading the size of an object's file");
	uint64_t size = (uint64_t)st.st_size;
	int rc = read_tail(fd, size, TAIL_GUESS, &tail, e);
	if (rc < 0)
		return rc;
	if (tail.n < FOOTER_SIZE)
		return corrupt(e, "it is too short");
	const unsigned char *footer = (const unsigned char *)tail.p + tail.n - FOOTER_SIZE;
	if (memcmp(footer, magic, sizeof(magic)) != 0)
		return corrupt(e, "it has no footer");
	uint64_t json_size = get_le(footer + 8, 4), data = get_le(footer + 16, 8);
	uint32_t crc = (uint32_t)get_le(footer + 12, 4);
	if (json_size > RECORD_MAX_JSON || size < FOOTER_SIZE + json_size || data != size - FOOTER_SIZE - json_size)
		return corrupt(e, "its parts do not add up to its size");
	if (json_size + FOOTER_SIZE > tail.n && (rc = read_tail(fd, size, json_size + FOOTER_SIZE, &tail, e)) < 0)
		return rc;
	struct str text = {.p = tail.p + tail.n - FOOTER_SIZE - json_size, .n = (size_t)json_size};
	if (crc32c(0, text) != crc)
		return corrupt(e, "the checksum of its description differs");
	rc = read_description(text, a, out, e);
	if (rc == 0)
		*data_size = data;
	return rc;
}
