// SPDX-License-Identifier: Apache-2.0
// Borrowed text: a pointer and a length, passed by value. A struct str never owns its bytes and need not end in NUL.
// All functions are pure and thread-safe. Parsers return 0, or ERR_INVALID without touching the output.
#ifndef ISOBAR_BASE_STR_H
#define ISOBAR_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct str {
	const char *p;
	size_t n;
};

// S("literal"); S_INIT("literal") in tables of constants; printf("%.*s", STR(s)).
#define S(literal) ((struct str){.p = (literal), .n = sizeof(literal) - 1})
#define S_INIT(literal)                                                                                                \
	{                                                                                                              \
		.p = (literal), .n = sizeof(literal) - 1                                                               \
	}
#define STR(s) (int)(s).n, (s).p

struct str str_of(const char *c); // NULL gives the empty string
struct str str_bytes(const void *p, size_t n);
bool str_eq(struct str a, struct str b);
// The same with a C string that nobody measured: for looks through tables of names, where most differ in the first byte.
static inline bool str_is(struct str s, const char *c)
{
	for (size_t i = 0; i < s.n; i++)
		if (!c[i] || c[i] != s.p[i])
			return false;
	return !c[s.n];
}
bool str_eq_nocase(struct str a, struct str b); // ASCII only
int str_cmp(struct str a, struct str b);        // bytewise, shorter first
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
struct str str_drop(struct str s, size_t n); // without the first n bytes (clamped)
struct str str_take(struct str s, size_t n); // the first n bytes (clamped)
struct str str_clip(struct str s, size_t n); // the first n bytes, less when a character would be cut: for messages
struct str str_trim(struct str s);           // without leading and trailing space, tab, CR, LF
// Position of the first c or needle in s; -1 when absent.
ptrdiff_t str_find_char(struct str s, char c);
ptrdiff_t str_find(struct str s, struct str needle);
// Cuts s at the first c: head before it, tail after it. false (head = s, tail empty) when c is absent.
bool str_cut(struct str s, char c, struct str *head, struct str *tail);
// Takes the next piece up to sep off *rest; false when *rest is used up. "a,,b" gives "a", "", "b".
bool str_next(struct str *rest, char sep, struct str *piece);
bool str_utf8_valid(struct str s);    // shortest form, no surrogates (RFC 3629)
size_t str_utf8_prefix(struct str s); // bytes before the first that breaks that; s.n when none does

// Whole-string numbers: no sign but '-' for signed, no space, overflow refused. Doubles must be finite.
MUST_CHECK int str_to_u64(struct str s, uint64_t *out);
MUST_CHECK int str_to_i64(struct str s, int64_t *out);
MUST_CHECK int str_to_f64(struct str s, double *out);

// A finite double in the fewest digits that read back as the same ("0.1", "1e+300"); "inf" and "nan" for the others.
enum { DOUBLE_TEXT_SIZE = 32 };
void double_text(double value, char out[DOUBLE_TEXT_SIZE]);

// Edit distance (insert, delete, replace, swap of neighbours) for "did you mean"; at most 64 bytes are looked at.
unsigned str_distance(struct str a, struct str b);
// Of `count` names the closest that is close enough to be meant ('-' and '_' and the case do not count); empty when
// none is.
struct str str_closest(
	struct str written, struct str (*name_at)(const void *ctx, size_t i), const void *ctx, size_t count);

// Copies into a fixed buffer and ends it with NUL; false when it did not fit (dst then holds "").
bool str_copy(char *dst, size_t size, struct str s);

#endif
