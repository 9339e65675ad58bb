// SPDX-License-Identifier: Apache-2.0
// The form of an audit line: see audit.h. Written by hand, in the order of the names, so that equal records are equal
// bytes and nothing from outside can reach the structure: every byte that is not printable ASCII leaves as an escape.
#include <inttypes.h>
#include <string.h>

#include "base/time.h"
#include "security/audit_impl.h"

struct sha256 audit_chain_start(void)
{
	return sha256_of(S("isobar audit log"));
}

// Takes one character off *s; bytes that are no UTF-8, and NUL (which readers of JSON refuse), become U+FFFD.
static uint32_t next_character(struct str *s)
{
	unsigned char first = (unsigned char)s->p[0];
	size_t n = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (n > s->n || !str_utf8_valid(str_take(*s, n)) || first == 0) {
		*s = str_drop(*s, 1);
		return 0xfffd;
	}
	static const unsigned char masks[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	uint32_t code = first & masks[n];
	for (size_t i = 1; i < n; i++)
		code = code << 6 | ((unsigned char)s->p[i] & 0x3f);
	*s = str_drop(*s, n);
	return code;
}

static void write_character(struct buf *out, uint32_t code)
{
	if (code == '"' || code == '\\')
		buf_printf(out, "\\%c", (char)code);
	else if (code >= 0x20 && code < 0x7f)
		buf_add_char(out, (char)code);
	else if (code < 0x10000)
		buf_printf(out, "\\u%04x", (unsigned)code);
	else
		buf_printf(out, "\\u%04x\\u%04x", 0xd800 + (unsigned)((code - 0x10000) >> 10),
			0xdc00 + (unsigned)(code & 0x3ff));
}

void audit_write_text(struct buf *out, struct str text)
{
	size_t begin = out->n;
	buf_add_char(out, '"');
	while (text.n && out->n - begin < AUDIT_TEXT_MAX - 12) // an escape has at most 12 bytes
		write_character(out, next_character(&text));
	if (text.n)
		buf_printf(out, "[+%zu bytes]", text.n);
	buf_add_char(out, '"');
}

static void write_member(struct buf *out, const char *name, struct str text)
{
	if (text.n == 0)
		return;
	if (out->p[out->n - 1] != '{')
		buf_add_char(out, ',');
	buf_printf(out, "\"%s\":", name);
	audit_write_text(out, text);
}

static void write_time(struct buf *out, int64_t now_ns)
{
	char text[TIME_TEXT_SIZE];
	time_rfc3339(now_ns, 6, text);
	write_member(out, "time", str_of(text));
}

// jansson escapes all but DEL, which is harmless in JSON but not on a terminal.
static int collect_detail(const char *bytes, size_t n, void *ctx)
{
	struct buf *out = ctx;
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == 0x7f)
			buf_add(out, S("\\u007f"));
		else
			buf_add_char(out, bytes[i]);
	}
	return out->failed ? -1 : 0;
}

static void write_detail(struct buf *out, const json_t *detail)
{
	AUTO(buf) text = {.limit = 64 * AUDIT_DETAIL_MAX};
	if (!json_is_object(detail))
		return;
	bool whole = json_dump_callback(
			     detail, collect_detail, &text, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII) == 0;
	if (out->p[out->n - 1] != '{')
		buf_add_char(out, ',');
	buf_add(out, S("\"detail\":"));
	if (whole && text.n <= AUDIT_DETAIL_MAX)
		buf_add(out, buf_str(&text));
	else
		buf_printf(out, "{\"omitted_bytes\":%zu}", text.n);
}

void audit_write_event(struct buf *out, const struct audit_event *e, int64_t now_ns)
{
	buf_add_char(out, '{');
	if (out->failed)
		return;
	write_member(out, "action", e->action);
	write_member(out, "cloud", e->cloud);
	write_detail(out, e->detail);
	write_member(out, "kind", e->kind.n ? e->kind : S("request"));
	write_member(out, "outcome", e->outcome);
	write_member(out, "principal", e->principal);
	write_member(out, "reason", e->reason);
	write_member(out, "resource", e->resource);
	write_member(out, "source", e->source);
	if (e->status)
		buf_printf(out, ",\"status\":%d", e->status);
	write_time(out, now_ns);
	write_member(out, "trace", e->trace);
	buf_add_char(out, '}');
}

void audit_write_gap(struct buf *out, uint64_t lost, struct str reason, int64_t now_ns)
{
	buf_printf(out, "{\"kind\":\"gap\",\"lost\":%" PRIu64, lost);
	if (out->failed)
		return;
	write_member(out, "reason", reason);
	write_time(out, now_ns);
	buf_add_char(out, '}');
}

static void write_hex(struct buf *out, const struct sha256 *digest)
{
	char hex[HEX_SHA256_SIZE];
	hex_encode(str_bytes(digest->bytes, SHA256_SIZE), hex);
	buf_printf(out, "\"%s\"", hex);
}

void audit_write_segment(struct buf *out, const struct audit_identity *id, const struct merkle *tree, int64_t now_ns)
{
	buf_add(out, S("{\"frontier\":["));
	for (size_t i = 0; i < merkle_frontier_count(tree->size); i++) {
		if (i)
			buf_add_char(out, ',');
		write_hex(out, &tree->frontier[i]);
	}
	buf_printf(out, "],\"key\":\"%s\",\"kind\":\"segment\",\"log\":\"%s\"", id->public_key, id->log);
	if (out->failed)
		return;
	write_time(out, now_ns);
	write_member(out, "writer", id->writer);
	buf_add_char(out, '}');
}

void audit_position_add(struct audit_position *at, struct str line)
{
	struct sha256 leaf = merkle_leaf(line);
	merkle_add(&at->tree, &leaf);
	at->chain = sha256_of(line);
}

void audit_write_line(struct buf *out, struct str body, struct audit_position *at)
{
	size_t begin = out->n;
	buf_add(out, S("{\"body\":"));
	buf_add(out, body);
	buf_printf(out, ",\"index\":%" PRIu64 ",\"prev\":", at->tree.size);
	write_hex(out, &at->chain);
	buf_add_char(out, '}');
	if (out->failed)
		return;
	audit_position_add(at, str_bytes(out->p + begin, out->n - begin));
	buf_add_char(out, '\n');
}

static bool is_plain(struct str line)
{
	for (size_t i = 0; i < line.n; i++)
		if (line.p[i] < 0x20 || line.p[i] > 0x7e)
			return false;
	return true;
}

void audit_line_free(struct audit_line *l)
{
	json_decref(l->json);
	*l = (struct audit_line){0};
}

int audit_parse_line(struct str line, struct audit_line *out, struct err *e)
{
	struct audit_line l = {0};
	struct err why = {0};
	if (line.n > AUDIT_LINE_MAX)
		return err_set(e, ERR_CORRUPT, "it is longer than %d bytes", AUDIT_LINE_MAX);
	if (!is_plain(line))
		return err_set(e, ERR_CORRUPT, "it holds a byte that no record has");
	if (json_parse(line, &l.json, &why) < 0)
		return err_set(e, ERR_CORRUPT, "it is not JSON (%.200s)", why.message);
	const json_t *index = json_object_get(l.json, "index");
	struct str prev = json_str(l.json, "prev");
	l.body = json_object_get(l.json, "body");
	bool good = json_object_size(l.json) == 3 && json_is_object(l.body) && json_is_integer(index) &&
		    json_integer_value(index) >= 0 && prev.n == 2 * SHA256_SIZE && hex_decode(prev, l.prev.bytes) == 0;
	if (!good) {
		audit_line_free(&l);
		return err_set(e, ERR_CORRUPT, "it does not have exactly the members body, index and prev");
	}
	l.index = (uint64_t)json_integer_value(index);
	*out = l;
	return 0;
}

int audit_parse_segment(const struct audit_line *l, struct audit_identity *id, struct merkle *tree, struct err *e)
{
	const json_t *frontier = json_object_get(l->body, "frontier");
	struct str log = json_str(l->body, "log"), key = json_str(l->body, "key");
	struct merkle claimed = {.size = l->index};
	bool good = str_eq(json_str(l->body, "kind"), S("segment")) &&
		    json_array_size(frontier) == merkle_frontier_count(l->index) && log.n == AUDIT_LOG_ID_SIZE - 1 &&
		    (key.n == 0 || key.n == 2 * ED25519_SIZE);
	for (size_t i = 0; good && i < json_array_size(frontier); i++) {
		const json_t *item = json_array_get(frontier, i);
		struct str hex = str_bytes(json_string_value(item), json_string_length(item));
		good = hex.n == 2 * SHA256_SIZE && hex_decode(hex, claimed.frontier[i].bytes) == 0;
	}
	if (!good)
		return err_set(e, ERR_CORRUPT, "it does not begin a segment as it should");
	(void)str_copy(id->log, sizeof(id->log), log);
	(void)str_copy(id->public_key, sizeof(id->public_key), key);
	id->writer = json_str(l->body, "writer");
	*tree = claimed;
	return 0;
}
