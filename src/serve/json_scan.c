// SPDX-License-Identifier: Apache-2.0
// A strict JSON reader without a tree: see json_scan.h. Numbers take Clinger's exact fast path (at most 19 digits that fit 2^53 and a
// power of ten up to 22, both exact in a double, so one division or product rounds correctly); all others go to strtod.
#include "serve/json_scan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void json_scan_init(struct json_scan *s, struct str text)
{
	*s = (struct json_scan){.start = text.p, .p = text.p, .end = text.p + text.n};
}

char json_scan_peek(struct json_scan *s)
{
	while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\t' || *s->p == '\r'))
		s->p++;
	return s->p < s->end ? *s->p : '\0';
}

bool json_scan_open(struct json_scan *s, char bracket)
{
	if (json_scan_peek(s) != bracket || s->depth >= JSON_SCAN_MAX_DEPTH)
		return false;
	s->p++;
	s->depth++;
	return true;
}

bool json_scan_next(struct json_scan *s, char closing, bool first, bool *more)
{
	char c = json_scan_peek(s);
	if (c == closing) {
		s->p++;
		s->depth--;
		*more = false;
		return true;
	}
	if (!first) {
		if (c != ',')
			return false;
		s->p++;
	}
	*more = true;
	return first || json_scan_peek(s) != closing; // no comma before the closing bracket
}

static bool scan_escape(struct json_scan *s)
{
	static const char plain[] = "\"\\/bfnrt";
	if (s->p >= s->end)
		return false;
	char c = *s->p++;
	if (c != 'u')
		return c && strchr(plain, c);
	for (int i = 0; i < 4; i++, s->p++)
		if (s->p >= s->end || !memchr("0123456789abcdefABCDEF", *s->p, 22))
			return false;
	return true;
}

bool json_scan_string(struct json_scan *s, struct str *raw)
{
	if (json_scan_peek(s) != '"')
		return false;
	const char *begin = ++s->p;
	while (s->p < s->end && *s->p != '"') {
		unsigned char c = (unsigned char)*s->p++;
		if (c < 0x20 || (c == '\\' && !scan_escape(s)))
			return false;
	}
	if (s->p >= s->end)
		return false;
	*raw = str_bytes(begin, (size_t)(s->p - begin));
	s->p++;
	return str_utf8_valid(*raw);
}

bool json_scan_key(struct json_scan *s, struct str *key)
{
	if (!json_scan_string(s, key) || json_scan_peek(s) != ':')
		return false;
	s->p++;
	return true;
}

static bool is_digit(const struct json_scan *s)
{
	return s->p < s->end && *s->p >= '0' && *s->p <= '9';
}

// Digits into *value, counting those that count; false without any.
static bool scan_digits(struct json_scan *s, uint64_t *value, int *digits)
{
	if (!is_digit(s))
		return false;
	for (; is_digit(s); s->p++)
		if (*digits < 19) { // later ones are left to strtod
			*value = *value * 10 + (uint64_t)(*s->p - '0');
			*digits += *value != 0;
		} else {
			*digits = 20;
		}
	return true;
}

static bool scan_exponent(struct json_scan *s, int *exponent)
{
	if (s->p >= s->end || (*s->p != 'e' && *s->p != 'E'))
		return true;
	s->p++;
	bool negative = s->p < s->end && *s->p == '-';
	if (s->p < s->end && (*s->p == '-' || *s->p == '+'))
		s->p++;
	uint64_t value = 0;
	int digits = 0;
	if (!scan_digits(s, &value, &digits))
		return false;
	int bounded = (int)MIN(value, (uint64_t)9999);
	*exponent += negative ? -bounded : bounded;
	return true;
}

static bool exact(uint64_t mantissa, int exponent, double *out)
{
	static const double powers[] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
		1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	if (mantissa > (UINT64_C(1) << 53) || exponent < -22 || exponent > 22)
		return false;
	*out = exponent < 0 ? (double)mantissa / powers[-exponent] : (double)mantissa * powers[exponent];
	return true;
}

static bool slow_number(struct str text, double *out)
{
	char copy[512];
	if (!str_copy(copy, sizeof(copy), text))
		return false; // no sane number has that many digits
	*out = strtod(copy, NULL);
	return isfinite(*out);
}

bool json_scan_number(struct json_scan *s, double *out)
{
	json_scan_peek(s);
	const char *begin = s->p;
	bool negative = s->p < s->end && *s->p == '-';
	s->p += negative;
	uint64_t mantissa = 0;
	int digits = 0, exponent = 0;
	const char *whole = s->p;
	if (!scan_digits(s, &mantissa, &digits) || (*whole == '0' && s->p - whole > 1))
		return false;
	if (s->p < s->end && *s->p == '.') {
		const char *point = ++s->p;
		if (!scan_digits(s, &mantissa, &digits))
			return false;
		exponent = -(int)MIN(s->p - point, 9999);
	}
	if (!scan_exponent(s, &exponent))
		return false;
	if (digits > 19 || !exact(mantissa, exponent, out))
		return slow_number(str_bytes(begin, (size_t)(s->p - begin)), out);
	*out = negative ? -*out : *out;
	return true;
}

bool json_scan_u64(struct json_scan *s, uint64_t *out)
{
	json_scan_peek(s);
	const char *begin = s->p;
	while (is_digit(s))
		s->p++;
	return s->p > begin && !(*begin == '0' && s->p - begin > 1) &&
		str_to_u64(str_bytes(begin, (size_t)(s->p - begin)), out) == 0;
}

static bool skip_word(struct json_scan *s)
{
	static const struct str words[] = {{"true", 4}, {"false", 5}, {"null", 4}};
	struct str rest = str_bytes(s->p, (size_t)(s->end - s->p));
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (str_starts(rest, words[i])) {
			s->p += words[i].n;
			return true;
		}
	return false;
}

static bool skip_items(struct json_scan *s, char opening, char closing)
{
	bool more, first = true;
	if (!json_scan_open(s, opening))
		return false;
	while (json_scan_next(s, closing, first, &more)) {
		struct str key;
		if (!more)
			return true;
		if ((opening == '{' && !json_scan_key(s, &key)) || !json_scan_skip(s))
			return false;
		first = false;
	}
	return false;
}

bool json_scan_skip(struct json_scan *s)
{
	struct str text;
	double number;
	switch (json_scan_peek(s)) {
	case '{':
		return skip_items(s, '{', '}');
	case '[':
		return skip_items(s, '[', ']');
	case '"':
		return json_scan_string(s, &text);
	case 't':
	case 'f':
	case 'n':
		return skip_word(s);
	default:
		return json_scan_number(s, &number);
	}
}

bool json_scan_end(struct json_scan *s)
{
	return json_scan_peek(s) == '\0' && s->p == s->end;
}
