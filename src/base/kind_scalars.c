// SPDX-License-Identifier: Apache-2.0
// Scalar forms of the workspace language: see kind_scalars.h.
#include "base/kind_scalars.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool name_valid(struct str s)
{
	enum { MOST = 63 }; // a DNS label's length, since names become parts of host names
	if (s.n == 0 || s.n > MOST || !(is_letter(s.p[0]) || is_digit(s.p[0])))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_letter(s.p[i]) && !is_digit(s.p[i]) && !memchr("-_.", s.p[i], 3))
			return false;
	return true;
}

// Visible ASCII without what must be percent-encoded (RFC 3986, 2).
static bool is_url_text(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] > '~' || strchr("\"<>\\^`{|}", s.p[i]))
			return false;
	return true;
}

bool url_valid(struct str s)
{
	if (!is_url_text(s))
		return false;
	if (str_starts(s, S("file:///")))
		return true;
	size_t scheme = str_starts(s, S("https://")) ? 8 : str_starts(s, S("http://")) ? 7 : 0;
	struct str rest = str_drop(s, scheme);
	size_t host = 0;
	while (host < rest.n && !strchr("/?#", rest.p[host]))
		host++;
	return scheme && host && rest.p[0] != ':' && str_find_char(str_take(rest, host), '@') < 0;
}

// The number at the start of s, and what follows it.
static struct str cut_number(struct str s, struct str *rest)
{
	size_t n = 0;
	while (n < s.n && (is_digit(s.p[n]) || s.p[n] == '.'))
		n++;
	*rest = str_drop(s, n);
	return str_take(s, n);
}

// Largest first for size_write().
static const struct {
	struct str name;
	int64_t bytes;
} size_units[] = {
	{S_INIT("PiB"), INT64_C(1) << 50},
	{S_INIT("PB"), INT64_C(1000000000000000)},
	{S_INIT("TiB"), INT64_C(1) << 40},
	{S_INIT("TB"), INT64_C(1000000000000)},
	{S_INIT("GiB"), INT64_C(1) << 30},
	{S_INIT("GB"), INT64_C(1000000000)},
	{S_INIT("MiB"), INT64_C(1) << 20},
	{S_INIT("MB"), INT64_C(1000000)},
	{S_INIT("KiB"), INT64_C(1) << 10},
	{S_INIT("KB"), INT64_C(1000)},
	{S_INIT("B"), 1},
};

int size_parse(struct str s, int64_t *bytes)
{
	struct str unit, number = cut_number(s, &unit);
	int64_t value;
	if (str_to_i64(number, &value) < 0)
		return ERR_INVALID;
	for (size_t i = 0; i < COUNT_OF(size_units); i++) {
		if (!str_eq(unit, size_units[i].name))
			continue;
		if (__builtin_mul_overflow(value, size_units[i].bytes, &value))
			return ERR_INVALID;
		*bytes = value;
		return 0;
	}
	return ERR_INVALID;
}

void size_write(int64_t bytes, struct buf *out)
{
	size_t i = 0;
	while (bytes % size_units[i].bytes != 0 || (bytes == 0 && i < COUNT_OF(size_units) - 1))
		i++;
	buf_printf(out, "%" PRId64 "%.*s", bytes / size_units[i].bytes, STR(size_units[i].name));
}

// A decimal number without sign or exponent: "5", "0.5".
static int decimal_parse(struct str s, double *value)
{
	if (s.n == 0 || !is_digit(s.p[0]) || !is_digit(s.p[s.n - 1]))
		return ERR_INVALID;
	for (size_t i = 0; i < s.n; i++)
		if (!is_digit(s.p[i]) && s.p[i] != '.')
			return ERR_INVALID;
	return str_to_f64(s, value);
}

int percent_parse(struct str s, double *value)
{
	double number;
	if (!str_ends(s, S("%")) || decimal_parse(str_take(s, s.n - 1), &number) < 0)
		return ERR_INVALID;
	*value = number / 100;
	return 0;
}

void percent_write(double value, struct buf *out)
{
	buf_printf(out, "%.12g%%", value * 100); // 12 digits: without the dust of the product
}

// A number with digits at both ends, so that "0...1" is not 0 and .1.
static int bound_parse(struct str s, double *value)
{
	struct str digits = str_starts(s, S("-")) ? str_drop(s, 1) : s;
	if (digits.n == 0 || !is_digit(digits.p[0]) || !is_digit(digits.p[digits.n - 1]))
		return ERR_INVALID;
	return str_to_f64(s, value);
}

int range_field_parse(struct str s, struct field_range *out)
{
	ptrdiff_t at = str_find(s, S(".."));
	double low, high;
	if (at < 0 || bound_parse(str_take(s, (size_t)at), &low) < 0 ||
		bound_parse(str_drop(s, (size_t)at + 2), &high) < 0)
		return ERR_INVALID;
	if (low > high)
		return ERR_INVALID;
	*out = (struct field_range){.low = low, .high = high};
	return 0;
}

void range_write(struct field_range range, struct buf *out)
{
	char low[DOUBLE_TEXT_SIZE], high[DOUBLE_TEXT_SIZE];
	double_text(range.low, low);
	double_text(range.high, high);
	buf_printf(out, "%s..%s", low, high);
}

// Three capitals (ISO 4217).
static bool is_currency(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] < 'A' || s.p[i] > 'Z')
			return false;
	return s.n == 3;
}

int money_parse(struct str s, struct field_money *out)
{
	struct field_money money;
	struct str amount, rest;
	if (!str_cut(s, ' ', &amount, &rest) || decimal_parse(amount, &money.amount) < 0)
		return ERR_INVALID;
	bool per = str_cut(rest, '/', &money.currency, &money.per);
	if (!is_currency(money.currency) || (per && money.per.n == 0))
		return ERR_INVALID;
	for (size_t i = 0; i < money.per.n; i++)
		if (!is_letter(money.per.p[i]))
			return ERR_INVALID;
	*out = money;
	return 0;
}

void money_write(struct field_money money, struct buf *out)
{
	char amount[DOUBLE_TEXT_SIZE];
	double_text(money.amount, amount);
	buf_printf(out, "%s %.*s%s%.*s", amount, STR(money.currency), money.per.n ? "/" : "", STR(money.per));
}

// Whether `kind` is one of "endpoint|route"; and whether there is only one.
static bool is_one_of(struct str kind, const char *refers, bool *only)
{
	struct str rest = str_of(refers), one;
	bool found = false;
	size_t n = 0;
	for (; str_next(&rest, '|', &one); n++)
		found = found || str_eq(one, kind);
	*only = n == 1;
	return found;
}

// " on CLOUD" at the end, if there is one; false when the cloud is no name.
static bool cut_on(struct str *s, struct str *on)
{
	ptrdiff_t at = str_find(*s, S(" on "));
	*on = S("");
	if (at < 0)
		return true;
	*on = str_drop(*s, (size_t)at + 4);
	*s = str_take(*s, (size_t)at);
	return name_valid(*on);
}

static bool is_part(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] <= ' ' || s.p[i] == 0x7f)
			return false;
	return s.n > 0 && s.n <= 1000;
}

int ref_parse(struct str s, const char *refers, struct field_ref *out)
{
	struct field_ref ref = {.kind = S(""), .qualifier = S("")};
	struct str head, tail;
	bool only = false;
	if (!cut_on(&s, &ref.on))
		return ERR_INVALID;
	bool slash = str_cut(s, '/', &head, &tail);
	if (slash && (refers ? is_one_of(head, refers, &only) : name_valid(head))) {
		ref.kind = head;
		s = tail;
	} else if (!refers) {
		return ERR_INVALID;
	} else {
		is_one_of(S(""), refers, &only);
		ref.kind = only ? str_of(refers) : S("");
	}
	size_t n = 0;
	while (n < s.n && s.p[n] != '@' && s.p[n] != '/')
		n++;
	ref.name = str_take(s, n);
	if (n < s.n) {
		ref.mark = s.p[n];
		ref.qualifier = str_drop(s, n + 1);
	}
	bool good = ref.mark == '@' ? name_valid(ref.qualifier) : ref.mark ? is_part(ref.qualifier) : true;
	if (!name_valid(ref.name) || !good)
		return ERR_INVALID;
	*out = ref;
	return 0;
}

void ref_write(const struct field_ref *ref, struct buf *out)
{
	buf_printf(out, "%.*s%s%.*s", STR(ref->kind), ref->kind.n ? "/" : "", STR(ref->name));
	if (ref->mark)
		buf_printf(out, "%c%.*s", ref->mark, STR(ref->qualifier));
	if (ref->on.n)
		buf_printf(out, " on %.*s", STR(ref->on));
}
