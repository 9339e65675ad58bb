// SPDX-License-Identifier: Apache-2.0
// Borrowed text: see str.h. Pure functions.
#include "base/str.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct str str_of(const char *c)
{
	return c ? (struct str){.p = c, .n = strlen(c)} : S("");
}

struct str str_bytes(const void *p, size_t n)
{
	return (struct str){.p = p, .n = n};
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static unsigned char lower(char c)
{
	unsigned char u = (unsigned char)c;
	return u >= 'A' && u <= 'Z' ? (unsigned char)(u + 32) : u;
}

bool str_eq_nocase(struct str a, struct str b)
{
	if (a.n != b.n)
		return false;
	for (size_t i = 0; i < a.n; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

int str_cmp(struct str a, struct str b)
{
	size_t n = MIN(a.n, b.n);
	int order = n ? memcmp(a.p, b.p, n) : 0;
	if (order != 0)
		return order;
	return (a.n > b.n) - (a.n < b.n);
}

bool str_starts(struct str s, struct str prefix)
{
	return s.n >= prefix.n && str_eq(str_take(s, prefix.n), prefix);
}

bool str_ends(struct str s, struct str suffix)
{
	return s.n >= suffix.n && str_eq(str_drop(s, s.n - suffix.n), suffix);
}

struct str str_drop(struct str s, size_t n)
{
	n = MIN(n, s.n);
	return n ? (struct str){.p = s.p + n, .n = s.n - n} : s;
}

struct str str_take(struct str s, size_t n)
{
	s.n = MIN(n, s.n);
	return s;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.n && is_space(s.p[0]))
		s = str_drop(s, 1);
	while (s.n && is_space(s.p[s.n - 1]))
		s.n--;
	return s;
}

ptrdiff_t str_find_char(struct str s, char c)
{
	const char *at = s.n ? memchr(s.p, c, s.n) : NULL;
	return at ? at - s.p : -1;
}

ptrdiff_t str_find(struct str s, struct str needle)
{
	if (needle.n == 0)
		return 0;
	const char *at = s.n ? memmem(s.p, s.n, needle.p, needle.n) : NULL;
	return at ? at - s.p : -1;
}

bool str_cut(struct str s, char c, struct str *head, struct str *tail)
{
	ptrdiff_t at = str_find_char(s, c);
	if (at < 0) {
		*head = s;
		*tail = S("");
		return false;
	}
	*head = str_take(s, (size_t)at);
	*tail = str_drop(s, (size_t)at + 1);
	return true;
}

bool str_next(struct str *rest, char sep, struct str *piece)
{
	if (!rest->p)
		return false;
	if (!str_cut(*rest, sep, piece, rest))
		rest->p = NULL;
	return true;
}

// Length of the valid UTF-8 sequence at the start of s; 0: none.
static size_t utf8_step(struct str s)
{
	const unsigned char *u = (const unsigned char *)s.p;
	if (u[0] < 0x80)
		return 1;
	size_t n = u[0] >= 0xf0 ? 4 : u[0] >= 0xe0 ? 3 : 2;
	if (u[0] < 0xc2 || u[0] > 0xf4 || s.n < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((u[i] & 0xc0) != 0x80)
			return 0;
	bool overlong = (u[0] == 0xe0 && u[1] < 0xa0) || (u[0] == 0xf0 && u[1] < 0x90);
	bool surrogate = u[0] == 0xed && u[1] > 0x9f;
	bool beyond = u[0] == 0xf4 && u[1] > 0x8f;
	return overlong || surrogate || beyond ? 0 : n;
}

size_t str_utf8_prefix(struct str s)
{
	static const uint64_t high_bits = UINT64_C(0x8080808080808080);
	size_t good = 0;
	while (good < s.n) {
		uint64_t word = high_bits;
		if (s.n - good >= sizeof(word))
			memcpy(&word, s.p + good, sizeof(word));
		if (!(word & high_bits)) { // ASCII, as most texts are
			good += sizeof(word);
			continue;
		}
		size_t n = utf8_step(str_drop(s, good));
		if (n == 0)
			break;
		good += n;
	}
	return good;
}

struct str str_clip(struct str s, size_t n)
{
	if (s.n <= n)
		return s;
	// Back over the rest of a character, at most three bytes of it.
	for (size_t i = 0; i < 3 && n && ((unsigned char)s.p[n] & 0xc0) == 0x80; i++)
		n--;
	return str_take(s, n);
}

bool str_utf8_valid(struct str s)
{
	return str_utf8_prefix(s) == s.n;
}

int str_to_u64(struct str s, uint64_t *out)
{
	uint64_t value = 0;
	if (s.n == 0)
		return ERR_INVALID;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned)(unsigned char)s.p[i] - '0';
		if (digit > 9 || __builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, digit, &value))
			return ERR_INVALID;
	}
	*out = value;
	return 0;
}

int str_to_i64(struct str s, int64_t *out)
{
	bool negative = s.n && s.p[0] == '-';
	uint64_t value;
	if (str_to_u64(negative ? str_drop(s, 1) : s, &value) < 0 || value > (uint64_t)INT64_MAX + negative)
		return ERR_INVALID;
	*out = negative ? (int64_t)(0 - value) : (int64_t)value;
	return 0;
}

int str_to_f64(struct str s, double *out)
{
	char text[64];
	if (s.n == 0 || is_space(s.p[0]) || s.p[0] == '+' || !str_copy(text, sizeof(text), s))
		return ERR_INVALID;
	// strtod also reads hexadecimal, "inf" and "nan", which no format of ours has.
	if (strspn(text, "0123456789+-.eE") != s.n)
		return ERR_INVALID;
	char *end;
	double value = strtod(text, &end);
	if (*end != '\0' || !isfinite(value))
		return ERR_INVALID;
	*out = value;
	return 0;
}

void double_text(double value, char out[DOUBLE_TEXT_SIZE])
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(out, DOUBLE_TEXT_SIZE, "%.*g", digits, value);
		if (strtod(out, NULL) == value)
			return;
	}
}

enum { DISTANCE_MAX = 64 };

unsigned str_distance(struct str a, struct str b)
{
	unsigned rows[3][DISTANCE_MAX + 1];
	unsigned *before = rows[0], *last = rows[1], *now = rows[2];
	a = str_take(a, DISTANCE_MAX);
	b = str_take(b, DISTANCE_MAX);
	for (unsigned j = 0; j <= b.n; j++)
		last[j] = j;
	for (unsigned i = 1; i <= a.n; i++) {
		now[0] = i;
		for (unsigned j = 1; j <= b.n; j++) {
			unsigned differ = a.p[i - 1] != b.p[j - 1];
			now[j] = MIN(MIN(last[j] + 1, now[j - 1] + 1), last[j - 1] + differ);
			bool swapped = i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] && a.p[i - 2] == b.p[j - 1];
			if (swapped)
				now[j] = MIN(now[j], before[j - 2] + 1);
		}
		unsigned *spare = before;
		before = last;
		last = now;
		now = spare;
	}
	return last[b.n];
}

// Lower case, '-' as '_'; what does not fit is cut, since str_distance() looks no further.
static struct str folded(struct str s, char out[DISTANCE_MAX])
{
	s = str_take(s, DISTANCE_MAX);
	for (size_t i = 0; i < s.n; i++)
		out[i] = s.p[i] == '-' ? '_' : (char)lower(s.p[i]);
	return (struct str){.p = out, .n = s.n};
}

struct str str_closest(
	struct str written, struct str (*name_at)(const void *ctx, size_t i), const void *ctx, size_t count)
{
	char ours[DISTANCE_MAX], theirs[DISTANCE_MAX];
	struct str best = S(""), wanted = folded(written, ours);
	// One slip in a short word, up to three in a long one; more would be guessing.
	unsigned least = 1 + (unsigned)MIN(MAX(wanted.n, (size_t)3) / 3, (size_t)3);
	for (size_t i = 0; i < count; i++) {
		struct str name = name_at(ctx, i);
		unsigned distance = str_distance(wanted, folded(name, theirs));
		if (distance < least && distance < name.n) {
			least = distance;
			best = name;
		}
	}
	return best;
}

bool str_copy(char *dst, size_t size, struct str s)
{
	if (size == 0)
		return false;
	dst[0] = '\0';
	if (s.n >= size || (s.n && memchr(s.p, '\0', s.n)))
		return false;
	if (s.n)
		memcpy(dst, s.p, s.n);
	dst[s.n] = '\0';
	return true;
}
