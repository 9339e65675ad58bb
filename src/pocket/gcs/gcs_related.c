// SPDX-License-Identifier: Apache-2.0
// multipart/related: see gcs_related.h. What is not decided yet is held back: a head until it is whole, and of the
// media as many bytes as the closing line has.
#include "pocket/gcs/gcs_related.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_BOUNDARY = 200, MAX_HELD = (1 << 20) + (8 << 10) };

enum state { BEFORE_METADATA, IN_METADATA, BEFORE_MEDIA, IN_MEDIA, DONE };

struct related {
	enum state state;
	struct related_events events;
	struct buf held;
	size_t scanned;       // of held, for what ends a head or the metadata: so that small pieces cost no second look
	struct buf separator; // "\r\n--BOUNDARY"
	struct buf closing;   // "\r\n--BOUNDARY--"
};

static int malformed(struct err *e, const char *what)
{
	return err_set(e, ERR_INVALID, "the body is not multipart/related: %s", what);
}

// boundary=... of a content type, without quotes.
static struct str boundary_of(struct str content_type)
{
	struct str part, rest = content_type;
	while (str_next(&rest, ';', &part)) {
		part = str_trim(part);
		if (!str_eq_nocase(str_take(part, 9), S("boundary=")))
			continue;
		part = str_drop(part, 9);
		if (part.n >= 2 && (part.p[0] == '"' || part.p[0] == '\'') && part.p[part.n - 1] == part.p[0])
			part = str_take(str_drop(part, 1), part.n - 2);
		return part;
	}
	return S("");
}

int related_new(struct str content_type, const struct related_events *events, struct related **out, struct err *e)
{
	struct str boundary = boundary_of(content_type);
	if (!str_eq_nocase(str_take(content_type, 17), S("multipart/related")) || boundary.n == 0 ||
		boundary.n > MAX_BOUNDARY)
		return malformed(e, "its Content-Type has no boundary");
	struct related *m = calloc(1, sizeof(*m));
	if (!m)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	m->events = *events;
	buf_printf(&m->separator, "\r\n--%.*s", STR(boundary));
	buf_printf(&m->closing, "\r\n--%.*s--", STR(boundary));
	buf_add(&m->held, S("\r\n")); // the first separator has no line before it
	if (m->separator.failed || m->closing.failed || m->held.failed) {
		related_free(m);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	*out = m;
	return 0;
}

void related_free(struct related *m)
{
	if (!m)
		return;
	buf_free(&m->held);
	buf_free(&m->separator);
	buf_free(&m->closing);
	free(m);
}

// The value of a header in the head of a part; "" when absent.
static struct str head_value(struct str head, struct str name)
{
	struct str line, key, value;
	while (str_next(&head, '\n', &line))
		if (str_cut(line, ':', &key, &value) && str_eq_nocase(str_trim(key), name))
			return str_trim(value);
	return S("");
}

// Where `end` begins in what is held, from `from` on; -1 when it has not come.
static ptrdiff_t find_end(struct related *m, struct str end, size_t from)
{
	struct str in = buf_str(&m->held);
	from = MAX(from, m->scanned);
	ptrdiff_t at = str_find(str_drop(in, from), end);
	m->scanned = in.n >= end.n ? in.n - end.n + 1 : 0;
	return at < 0 ? -1 : at + (ptrdiff_t)from;
}

// A separator and the head of the part behind it. *used: their bytes, 0 while they are not whole.
static int read_head(struct related *m, struct str *head, size_t *used, struct err *e)
{
	struct str in = buf_str(&m->held);
	*used = 0;
	if (in.n < m->separator.n)
		return 0;
	if (!str_starts(in, buf_str(&m->separator)))
		return malformed(e, "it does not begin with its boundary");
	ptrdiff_t end = find_end(m, S("\r\n\r\n"), m->separator.n);
	if (end < 0)
		return 0;
	*head = str_drop(str_take(in, (size_t)end), m->separator.n);
	*used = (size_t)end + 4;
	return 0;
}

static bool advance(struct related *m, size_t used, enum state state)
{
	buf_drop(&m->held, used);
	m->scanned = 0;
	m->state = state;
	return true;
}

static int take_metadata_head(struct related *m, bool *moved, struct err *e)
{
	struct str head;
	size_t used = 0;
	int rc = read_head(m, &head, &used, e);
	if (rc < 0 || used == 0)
		return rc;
	*moved = advance(m, used, IN_METADATA);
	return 0;
}

static int take_metadata(struct related *m, bool *moved, UNUSED struct err *e)
{
	struct str in = buf_str(&m->held);
	ptrdiff_t end = find_end(m, buf_str(&m->separator), 0);
	if (end < 0)
		return 0;
	int rc = m->events.metadata(m->events.ctx, str_take(in, (size_t)end));
	*moved = advance(m, (size_t)end, BEFORE_MEDIA);
	return rc;
}

static int take_media_head(struct related *m, bool *moved, struct err *e)
{
	struct str head;
	size_t used = 0;
	int rc = read_head(m, &head, &used, e);
	if (rc < 0 || used == 0)
		return rc;
	struct str encoding = head_value(head, S("content-transfer-encoding"));
	if (encoding.n && !str_eq_nocase(encoding, S("binary")) && !str_eq_nocase(encoding, S("8bit")) &&
		!str_eq_nocase(encoding, S("7bit")))
		return malformed(e, "its media is transfer-encoded");
	rc = m->events.media_type(m->events.ctx, head_value(head, S("content-type")));
	// The line end before the closing line is its own: empty media has only the one of its head.
	*moved = advance(m, used, IN_MEDIA);
	return rc;
}

static int take_media(struct related *m, UNUSED bool *moved, UNUSED struct err *e)
{
	struct str in = buf_str(&m->held), closing = buf_str(&m->closing);
	ptrdiff_t end = str_find(in, closing);
	size_t ready = end >= 0 ? (size_t)end : in.n >= closing.n ? in.n - closing.n + 1 : 0;
	int rc = ready ? m->events.media(m->events.ctx, str_take(in, ready)) : 0;
	if (end >= 0)
		m->state = DONE;
	buf_drop(&m->held, end >= 0 ? in.n : ready);
	return rc;
}

int related_feed(struct related *m, struct str piece, struct err *e)
{
	static int (*const steps[])(struct related * m, bool *moved, struct err *e) = {
		[BEFORE_METADATA] = take_metadata_head,
		[IN_METADATA] = take_metadata,
		[BEFORE_MEDIA] = take_media_head,
		[IN_MEDIA] = take_media,
	};
	if (m->state == DONE)
		return 0; // an epilogue means nothing
	if (m->state != IN_MEDIA && m->held.n + piece.n > MAX_HELD && m->held.n > MAX_HELD - (8 << 10))
		return err_set(e, ERR_LIMIT, "the metadata of an upload is longer than 1 MiB");
	buf_add(&m->held, piece);
	int rc = buf_check(&m->held, e);
	bool moved = true;
	while (rc == 0 && moved && m->state != DONE) {
		moved = false;
		rc = steps[m->state](m, &moved, e);
	}
	return rc;
}

int related_finish(const struct related *m, struct err *e)
{
	return m->state == DONE ? 0 : malformed(e, "it ends before its last boundary");
}
