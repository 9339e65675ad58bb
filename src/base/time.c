// SPDX-License-Identifier: Apache-2.0
// Times and durations: see time.h. Text is read strictly and by hand: strptime(3) skips spaces, follows the locale and
// takes numbers of any width.
#include "base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
static const char *const weekdays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

// Seconds rounded down, and the nanoseconds above them.
static int64_t split_seconds(int64_t ns, int64_t *rest)
{
	int64_t seconds = ns / NS_PER_S;
	*rest = ns % NS_PER_S;
	if (*rest < 0) {
		*rest += NS_PER_S;
		seconds--;
	}
	return seconds;
}

static struct tm broken_down(int64_t wall_ns, int64_t *rest)
{
	struct tm parts;
	time_t seconds = split_seconds(wall_ns, rest);
	gmtime_r(&seconds, &parts);
	return parts;
}

void time_rfc3339(int64_t wall_ns, int digits, char out[TIME_TEXT_SIZE])
{
	int64_t rest;
	struct tm t = broken_down(wall_ns, &rest);
	int n = snprintf(out, TIME_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d", t.tm_year + 1900, t.tm_mon + 1,
		t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
	if (digits > 0) {
		snprintf(out + n, TIME_TEXT_SIZE - (size_t)n, ".%09" PRId64, rest);
		n += 1 + MIN(digits, 9);
	}
	snprintf(out + n, TIME_TEXT_SIZE - (size_t)n, "Z");
}

void time_http_date(int64_t wall_ns, char out[TIME_TEXT_SIZE])
{
	int64_t rest;
	struct tm t = broken_down(wall_ns, &rest);
	snprintf(out, TIME_TEXT_SIZE, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", weekdays[t.tm_wday], t.tm_mday,
		months + 3 * t.tm_mon, t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

void time_iso_basic(int64_t wall_ns, char out[TIME_TEXT_SIZE])
{
	int64_t rest;
	struct tm t = broken_down(wall_ns, &rest);
	snprintf(out, TIME_TEXT_SIZE, "%04d%02d%02dT%02d%02d%02dZ", t.tm_year + 1900, t.tm_mon + 1, t.tm_mday,
		t.tm_hour, t.tm_min, t.tm_sec);
}

// A text that is read from left to right; the first thing that does not fit marks it bad.
struct reader {
	struct str rest;
	bool bad;
};

static int read_number(struct reader *r, size_t digits)
{
	int value = 0;
	r->bad |= r->rest.n < digits;
	for (size_t i = 0; i < digits && !r->bad; i++) {
		char c = r->rest.p[i];
		r->bad |= c < '0' || c > '9';
		value = value * 10 + (c - '0');
	}
	r->rest = str_drop(r->rest, digits);
	return r->bad ? 0 : value;
}

static void read_literal(struct reader *r, struct str text)
{
	r->bad |= !str_starts(r->rest, text);
	r->rest = str_drop(r->rest, text.n);
}

static bool skip_literal(struct reader *r, struct str text)
{
	if (!str_starts(r->rest, text))
		return false;
	r->rest = str_drop(r->rest, text.n);
	return true;
}

static int read_month(struct reader *r)
{
	for (int i = 0; i < 12; i++)
		if (skip_literal(r, str_bytes(months + 3 * i, 3)))
			return i;
	r->bad = true;
	return 0;
}

static int days_in_month(int year, int month)
{
	static const char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month] + (month == 1 && leap);
}

// The point in time of parts that were read; ERR_INVALID where no calendar has them or 64 bits do not hold it. Leap
// seconds are refused: no cloud that we talk to sends one (they smear).
static int to_wall(const struct reader *r, struct tm *t, int64_t rest, int64_t *wall_ns)
{
	int year = t->tm_year + 1900;
	if (r->bad || r->rest.n || t->tm_mon < 0 || t->tm_mon > 11 || t->tm_mday < 1)
		return ERR_INVALID;
	if (t->tm_mday > days_in_month(year, t->tm_mon) || t->tm_hour > 23 || t->tm_min > 59 || t->tm_sec > 59)
		return ERR_INVALID;
	int64_t ns;
	if (__builtin_mul_overflow((int64_t)timegm(t), NS_PER_S, &ns) || __builtin_add_overflow(ns, rest, &ns))
		return ERR_INVALID;
	*wall_ns = ns;
	return 0;
}

static void read_clock(struct reader *r, struct tm *t)
{
	t->tm_hour = read_number(r, 2);
	read_literal(r, S(":"));
	t->tm_min = read_number(r, 2);
	read_literal(r, S(":"));
	t->tm_sec = read_number(r, 2);
}

// ".123" as nanoseconds; 1 to 9 digits.
static int64_t read_fraction(struct reader *r)
{
	if (!skip_literal(r, S(".")))
		return 0;
	int64_t value = 0, unit = NS_PER_S;
	size_t n = 0;
	while (n < r->rest.n && r->rest.p[n] >= '0' && r->rest.p[n] <= '9')
		n++;
	r->bad |= n < 1 || n > 9;
	for (size_t i = 0; i < n && !r->bad; i++) {
		unit /= 10;
		value += unit * (r->rest.p[i] - '0');
	}
	r->rest = str_drop(r->rest, n);
	return value;
}

// "Z", "+01:00" or "-05:30" as nanoseconds east of UTC.
static int64_t read_zone(struct reader *r)
{
	if (skip_literal(r, S("Z")))
		return 0;
	bool west = skip_literal(r, S("-"));
	if (!west)
		read_literal(r, S("+"));
	int hours = read_number(r, 2);
	read_literal(r, S(":"));
	int minutes = read_number(r, 2);
	r->bad |= hours > 23 || minutes > 59;
	int64_t east = (hours * 60 + minutes) * 60 * NS_PER_S;
	return west ? -east : east;
}

int time_parse_rfc3339(struct str s, int64_t *wall_ns)
{
	struct reader r = {.rest = s};
	struct tm t = {0};
	t.tm_year = read_number(&r, 4) - 1900;
	read_literal(&r, S("-"));
	t.tm_mon = read_number(&r, 2) - 1;
	read_literal(&r, S("-"));
	t.tm_mday = read_number(&r, 2);
	read_literal(&r, S("T"));
	read_clock(&r, &t);
	int64_t fraction = read_fraction(&r);
	int64_t east = read_zone(&r);
	return to_wall(&r, &t, fraction - east, wall_ns);
}

int time_parse_iso_basic(struct str s, int64_t *wall_ns)
{
	struct reader r = {.rest = s};
	struct tm t = {0};
	t.tm_year = read_number(&r, 4) - 1900;
	t.tm_mon = read_number(&r, 2) - 1;
	t.tm_mday = read_number(&r, 2);
	read_literal(&r, S("T"));
	t.tm_hour = read_number(&r, 2);
	t.tm_min = read_number(&r, 2);
	t.tm_sec = read_number(&r, 2);
	read_literal(&r, S("Z"));
	return to_wall(&r, &t, 0, wall_ns);
}

// "24 Nov 2026 10:15:31 GMT", the rest of an IMF-fixdate.
static void read_fixdate(struct reader *r, struct tm *t)
{
	t->tm_mday = read_number(r, 2);
	read_literal(r, S(" "));
	t->tm_mon = read_month(r);
	read_literal(r, S(" "));
	t->tm_year = read_number(r, 4) - 1900;
	read_literal(r, S(" "));
	read_clock(r, t);
	read_literal(r, S(" GMT"));
}

// "24-Nov-26 10:15:31 GMT", the rest of the obsolete RFC 850 form. Two digits of a year are read as POSIX does: 69 is
// 1969.
static void read_rfc850(struct reader *r, struct tm *t)
{
	t->tm_mday = read_number(r, 2);
	read_literal(r, S("-"));
	t->tm_mon = read_month(r);
	read_literal(r, S("-"));
	int year = read_number(r, 2);
	t->tm_year = year < 69 ? year + 100 : year;
	read_literal(r, S(" "));
	read_clock(r, t);
	read_literal(r, S(" GMT"));
}

// "Nov 24 10:15:31 2026", the rest of the obsolete asctime form; a day below 10 has a space for its first digit.
static void read_asctime(struct reader *r, struct tm *t)
{
	t->tm_mon = read_month(r);
	read_literal(r, S(" "));
	t->tm_mday = skip_literal(r, S(" ")) ? read_number(r, 1) : read_number(r, 2);
	read_literal(r, S(" "));
	read_clock(r, t);
	read_literal(r, S(" "));
	t->tm_year = read_number(r, 4) - 1900;
}

// The day's name decides the form; that it fits the date is not asked, as RFC 9110 does not.
static void read_http_date(struct reader *r, struct tm *t)
{
	for (size_t i = 0; i < COUNT_OF(weekdays); i++) {
		struct str full = str_of(weekdays[i]);
		if (!str_starts(r->rest, str_take(full, 3)))
			continue;
		if (skip_literal(r, full)) {
			read_literal(r, S(", "));
			read_rfc850(r, t);
			return;
		}
		r->rest = str_drop(r->rest, 3);
		if (skip_literal(r, S(", ")))
			read_fixdate(r, t);
		else if (skip_literal(r, S(" ")))
			read_asctime(r, t);
		else
			r->bad = true;
		return;
	}
	r->bad = true;
}

int time_parse_http_date(struct str s, int64_t *wall_ns)
{
	struct reader r = {.rest = s};
	struct tm t = {0};
	read_http_date(&r, &t);
	return to_wall(&r, &t, 0, wall_ns);
}

#define NS_PER_DAY (86400 * NS_PER_S)

// Largest first, so that duration_text() finds the largest that divides. `spoken` units follow a space: "18 months".
static const struct {
	struct str name;
	int64_t ns;
	bool spoken;
} units[] = {
	{S_INIT("d"), NS_PER_DAY, false},
	{S_INIT("h"), 3600 * NS_PER_S, false},
	{S_INIT("m"), 60 * NS_PER_S, false},
	{S_INIT("s"), NS_PER_S, false},
	{S_INIT("ms"), NS_PER_MS, false},
	{S_INIT("us"), 1000, false},
	{S_INIT("ns"), 1, false},
	{S_INIT("w"), 7 * NS_PER_DAY, false},
	{S_INIT("y"), 365 * NS_PER_DAY, false},
	{S_INIT("day"), NS_PER_DAY, true},
	{S_INIT("days"), NS_PER_DAY, true},
	{S_INIT("week"), 7 * NS_PER_DAY, true},
	{S_INIT("weeks"), 7 * NS_PER_DAY, true},
	{S_INIT("month"), 30 * NS_PER_DAY, true},
	{S_INIT("months"), 30 * NS_PER_DAY, true},
	{S_INIT("year"), 365 * NS_PER_DAY, true},
	{S_INIT("years"), 365 * NS_PER_DAY, true},
};

int duration_parse(struct str s, int64_t *ns)
{
	size_t digits = 0;
	while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
		digits++;
	int64_t value;
	if (str_to_i64(str_take(s, digits), &value) < 0)
		return ERR_INVALID;
	struct str unit = str_drop(s, digits);
	bool spoken = str_starts(unit, S(" "));
	if (spoken)
		unit = str_drop(unit, 1);
	for (size_t i = 0; i < COUNT_OF(units); i++) {
		if (units[i].spoken != spoken || !str_eq(units[i].name, unit))
			continue;
		if (__builtin_mul_overflow(value, units[i].ns, &value))
			return ERR_INVALID;
		*ns = value;
		return 0;
	}
	return ERR_INVALID;
}

void duration_text(int64_t ns, char out[TIME_TEXT_SIZE])
{
	size_t i = 0;
	while (ns % units[i].ns != 0)
		i++;
	if (ns == 0)
		snprintf(out, TIME_TEXT_SIZE, "0s");
	else
		snprintf(out, TIME_TEXT_SIZE, "%" PRId64 "%s", ns / units[i].ns, units[i].name.p);
}
