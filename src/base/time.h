// SPDX-License-Identifier: Apache-2.0
// Points in time and durations as int64_t nanoseconds, and their text forms. Pure.
#ifndef ISOBAR_BASE_TIME_H
#define ISOBAR_BASE_TIME_H

#include <stdint.h>

#include "base/str.h"

#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

enum { TIME_TEXT_SIZE = 40 };
// "2026-11-24T10:15:31.123456789Z" (RFC 3339; digits after the point: 0, 3, 6 or 9).
void time_rfc3339(int64_t wall_ns, int digits, char out[TIME_TEXT_SIZE]);
// With "Z" or an offset, and up to 9 digits of a fraction.
MUST_CHECK int time_parse_rfc3339(struct str s, int64_t *wall_ns);
// "Tue, 24 Nov 2026 10:15:31 GMT" (RFC 9110 5.6.7); reading takes the two obsolete forms too, as it must.
void time_http_date(int64_t wall_ns, char out[TIME_TEXT_SIZE]);
MUST_CHECK int time_parse_http_date(struct str s, int64_t *wall_ns);
// "20261124T101531Z", as SigV4 writes it.
void time_iso_basic(int64_t wall_ns, char out[TIME_TEXT_SIZE]);
MUST_CHECK int time_parse_iso_basic(struct str s, int64_t *wall_ns);
// One whole number and one unit: ns, us, ms, s, m, h, d, w (7 days), y (365 days) without a space, or after one space
// day(s), week(s), month(s) (30 days), year(s): "90d", "36h", "250ms", "18 months".
MUST_CHECK int duration_parse(struct str s, int64_t *ns);
void duration_text(int64_t ns, char out[TIME_TEXT_SIZE]); // the largest unit that divides it: "90d"

#endif
