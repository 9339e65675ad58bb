// SPDX-License-Identifier: Apache-2.0
// The scalar forms of the workspace language, both ways: names, sizes, percentages, ranges, amounts of money,
// references, URLs. Pure and thread-safe. Parsers return 0, or ERR_INVALID and leave the output alone; texts are
// borrowed from what was parsed. Durations stand in base/time.h.
#ifndef ISOBAR_BASE_KIND_SCALARS_H
#define ISOBAR_BASE_KIND_SCALARS_H

#include "base/buf.h"
#include "base/kind.h"

bool name_valid(struct str s); // letters, digits, '-', '_', '.'; starts with a letter or digit; at most 63
bool url_valid(struct str s);  // absolute http, https (with a host, without user and password) or file
MUST_CHECK int size_parse(struct str s, int64_t *bytes);   // "512MiB", "5GB", "100B": a whole number and its unit
MUST_CHECK int percent_parse(struct str s, double *value); // "5%" is 0.05
MUST_CHECK int range_field_parse(struct str s, struct field_range *out); // "0..1", the low end first
MUST_CHECK int money_parse(struct str s, struct field_money *out);       // "40 EUR", "50 EUR/month"
MUST_CHECK int rate_parse(struct str s, struct field_rate *out);         // "200k/min", "5/s"; k, M or G
MUST_CHECK int date_parse(struct str s, int64_t *wall_ns);               // "2027-06-30": when that day begins, UTC
MUST_CHECK int accelerator_parse(struct str s, struct field_accelerator *out); // "H100:4"; without a number 1
// "name", "name@alias", "name/part", "kind/name...", each with " on CLOUD" behind it. refers as in struct field.
MUST_CHECK int ref_parse(struct str s, const char *refers, struct field_ref *out);

// The same values as a user would write them, appended.
void size_write(int64_t bytes, struct buf *out); // in the largest unit that divides it
void percent_write(double value, struct buf *out);
void range_write(struct field_range range, struct buf *out);
void money_write(struct field_money money, struct buf *out);
void rate_write(struct field_rate rate, struct buf *out);
void date_write(int64_t wall_ns, struct buf *out);
void accelerator_write(struct field_accelerator accelerator, struct buf *out);
void ref_write(const struct field_ref *ref, struct buf *out); // "kind/name@alias on cloud"


// A scalar, or what a custom row makes of its node, in its normal form, so that what means the same is the same: 1024MiB is 1GiB, 60s is 1m. A new reference;
// what cannot be read as the row's type stays as it was written.
json_t *scalar_to_normal(const struct field *field, const struct node *n);

#endif
