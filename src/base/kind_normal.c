// SPDX-License-Identifier: Apache-2.0
// The scalar forms that came with rates, dates and accelerators, and the normal form of every scalar: see
// kind_scalars.h.
#include <inttypes.h>
#include <string.h>

#include "base/err.h"
#include "base/json.h"
#include "base/kind_impl.h"
#include "base/kind_scalars.h"
#include "base/time.h"

// ---------------------------------------------------------------- rates
static const char *const rate_periods[] = {"s", "min", "h", "d"};

static bool is_period(struct str s)
{
	for (size_t i = 0; i < COUNT_OF(rate_periods); i++)
		if (str_eq(s, str_of(rate_periods[i])))
			return true;
	return false;
}

static const struct {
	char letter;
	double factor;
} multiples[] = {{'G', 1e9}, {'M', 1e6}, {'k', 1e3}};

static double multiple_of(struct str s)
{
	for (size_t i = 0; i < COUNT_OF(multiples); i++)
		if (s.n && s.p[s.n - 1] == multiples[i].letter)
			return multiples[i].factor;
	return 1;
}

static bool is_decimal(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((s.p[i] < '0' || s.p[i] > '9') && s.p[i] != '.')
			return false;
	return s.n && s.p[0] != '.' && s.p[s.n - 1] != '.';
}

int rate_parse(struct str s, struct field_rate *out)
{
	struct str amount, per;
	double value;
	if (!str_cut(s, '/', &amount, &per) || !is_period(per))
		return ERR_INVALID;
	double factor = multiple_of(amount);
	struct str digits = factor > 1 ? str_take(amount, amount.n - 1) : amount;
	if (!is_decimal(digits) || str_to_f64(digits, &value) < 0 || value <= 0)
		return ERR_INVALID;
	*out = (struct field_rate){.amount = value * factor, .per = per};
	return 0;
}

void rate_write(struct field_rate rate, struct buf *out)
{
	size_t i = 0;
	while (i < COUNT_OF(multiples) && rate.amount < multiples[i].factor)
		i++;
	bool plain = i == COUNT_OF(multiples);
	buf_printf(out, "%.12g", plain ? rate.amount : rate.amount / multiples[i].factor);
	if (!plain)
		buf_add_char(out, multiples[i].letter);
	buf_printf(out, "/%.*s", STR(rate.per));
}

// ---------------------------------------------------------------- dates
int date_parse(struct str s, int64_t *wall_ns)
{
	char text[TIME_TEXT_SIZE];
	enum { DATE = 10 }; // "2027-06-30"
	if (s.n != DATE || !str_copy(text, sizeof(text), s))
		return ERR_INVALID;
	memcpy(text + DATE, "T00:00:00Z", sizeof("T00:00:00Z"));
	return time_parse_rfc3339(str_of(text), wall_ns) < 0 ? ERR_INVALID : 0;
}

void date_write(int64_t wall_ns, struct buf *out)
{
	char text[TIME_TEXT_SIZE];
	time_rfc3339(wall_ns, 0, text);
	buf_add(out, str_take(str_of(text), 10));
}

// ---------------------------------------------------------------- accelerators
int accelerator_parse(struct str s, struct field_accelerator *out)
{
	enum { MOST = 64 }; // of one machine, or one job
	struct field_accelerator made = {.count = 1};
	struct str count;
	bool counted = str_cut(s, ':', &made.model, &count);
	if (!name_valid(made.model) || (counted && str_to_i64(count, &made.count) < 0))
		return ERR_INVALID;
	if (made.count < 1 || made.count > MOST)
		return ERR_INVALID;
	*out = made;
	return 0;
}

void accelerator_write(struct field_accelerator accelerator, struct buf *out)
{
	buf_printf(out, "%.*s:%" PRId64, STR(accelerator.model), accelerator.count);
}

// ---------------------------------------------------------------- the normal form
union scalar {
	int64_t integer;
	double real;
	struct field_range range;
	struct field_money money;
	struct field_rate rate;
	struct field_accelerator accelerator;
	struct str text;
	struct field_ref ref;
	bool flag;
};

static void write_duration(int64_t ns, struct buf *out)
{
	char text[TIME_TEXT_SIZE];
	duration_text(ns, text);
	buf_add(out, str_of(text));
}

// False: the type has one form only.
static bool write_normal(enum field_type type, const union scalar *value, struct buf *out)
{
	switch ((int)type) {
	case FIELD_DURATION:
		write_duration(value->integer, out);
		return true;
	case FIELD_SIZE:
		size_write(value->integer, out);
		return true;
	case FIELD_PERCENT:
		percent_write(value->real, out);
		return true;
	case FIELD_RANGE:
		range_write(value->range, out);
		return true;
	case FIELD_MONEY:
		money_write(value->money, out);
		return true;
	case FIELD_RATE:
		rate_write(value->rate, out);
		return true;
	case FIELD_DATE:
		date_write(value->integer, out);
		return true;
	case FIELD_PATH: // without "./"
		buf_add(out, value->text);
		return true;
	case FIELD_ACCELERATOR:
		accelerator_write(value->accelerator, out);
		return true;
	default:
		return false;
	}
}

json_t *scalar_to_normal(const struct field *field, const struct node *n)
{
	union scalar value;
	struct field unbounded = *field;
	AUTO(buf) text = {0};
	if (field->type == FIELD_CUSTOM && field->normal)
		return field->normal(n);
	if (n->type != NODE_SCALAR || !kind_is_scalar(field->type))
		return node_to_json(n);
	unbounded.min = unbounded.max = 0;
	if (!kind_read_scalar(&unbounded, n, &value))
		return node_to_json(n);
	if (field->type == FIELD_BOOL)
		return json_boolean(value.flag);
	if (field->type == FIELD_INTEGER)
		return json_integer(value.integer);
	if (field->type == FIELD_NUMBER)
		return json_real(value.real);
	bool written = write_normal(field->type, &value, &text);
	return json_of_str(written ? buf_str(&text) : n->text);
}
