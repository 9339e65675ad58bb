// SPDX-License-Identifier: Apache-2.0
// One form for each path: see url_normalise_path() in url.h. The gateway matches routes on this form and forwards the
// same bytes, so that nothing behind it can read another path than the one that was decided on.
#include "net/url.h"

#include <string.h>

#include "net/url_impl.h"

// Escapes whose decoded byte some reader treats as structure.
static bool is_ambiguous(int byte)
{
	return byte < 0x20 || byte == 0x7f || byte == '/' || byte == '\\';
}

static int add_segment(struct str segment, struct buf *out, struct err *e)
{
	static const char hex[] = "0123456789ABCDEF";
	for (size_t i = 0; i < segment.n; i++) {
		if (segment.p[i] != '%') {
			buf_add_char(out, segment.p[i]);
			continue;
		}
		int byte = url_hex(segment, i + 1);
		if (byte < 0 || is_ambiguous(byte))
			return err_set(
				e, ERR_INVALID, "the path has an escape that is broken or could be read in two ways");
		if (url_is_unreserved((unsigned char)byte))
			buf_add_char(out, (char)byte);
		else
			buf_add_bytes(out, (char[]){'%', hex[byte >> 4], hex[byte & 15]}, 3);
		i += 2;
	}
	return 0;
}

// Takes the segment that begins at `start` (behind its '/') back out when it is a dot segment, and its parent for "..".
static int resolve_dots(struct buf *out, size_t base, size_t start, struct err *e)
{
	struct str segment = str_drop(buf_str(out), start);
	bool up = str_eq(segment, S(".."));
	if (!up && !str_eq(segment, S(".")))
		return 0;
	out->n = start - 1; // without the '/' before it
	if (!up)
		return 0;
	if (out->n == base)
		return err_set(e, ERR_INVALID, "the path climbs above its root");
	while (out->p[out->n - 1] != '/')
		out->n--;
	out->n--;
	return 0;
}

int url_normalise_path(struct str path, struct buf *out, struct err *e)
{
	size_t base = out->n;
	if (path.n == 0 || path.p[0] != '/')
		return err_set(e, ERR_INVALID, "the path does not begin with '/'");
	struct str rest = str_drop(path, 1), segment;
	bool folder = path.n == 1; // whether it ends in '/': "/a/" and "/a/." do, "/a" does not
	while (rest.n && str_next(&rest, '/', &segment)) {
		bool last = segment.p + segment.n == path.p + path.n;
		if (segment.n == 0 && !last)
			return err_set(e, ERR_INVALID, "the path has an empty segment");
		buf_add_char(out, '/');
		size_t start = out->n;
		int code = add_segment(segment, out, e);
		if (code)
			return code;
		if (out->failed)
			return buf_check(out, e);
		code = resolve_dots(out, base, start, e);
		if (code)
			return code;
		folder = last && out->n < start;
	}
	bool slash = path.p[path.n - 1] == '/';
	if ((folder || slash || out->n == base) && (out->n == base || out->p[out->n - 1] != '/'))
		buf_add_char(out, '/');
	return buf_check(out, e);
}
