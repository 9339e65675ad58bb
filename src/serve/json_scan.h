// SPDX-License-Identifier: Apache-2.0
// A strict JSON reader that walks text in place, for request bodies that are mostly numbers: no tree, no allocation. RFC 8259; depth
// is limited; strings are checked for UTF-8, escapes and control characters but stay as written. Every function returns false at the
// first fault, with the place left in the scan; nothing is read past the end. Pure.
#ifndef ISOBAR_SERVE_JSON_SCAN_H
#define ISOBAR_SERVE_JSON_SCAN_H

#include <stdbool.h>

#include "base/str.h"

enum { JSON_SCAN_MAX_DEPTH = 32 };

struct json_scan {
	const char *start, *p, *end;
	int depth;
};

void json_scan_init(struct json_scan *s, struct str text);
char json_scan_peek(struct json_scan *s);                     // next byte that is no whitespace; 0 at the end
bool json_scan_open(struct json_scan *s, char bracket);       // '{' or '['
// After an item or right behind the opening: true with *more = whether another one follows (the comma is taken, or the closing
// bracket). first says that no item was read yet.
bool json_scan_next(struct json_scan *s, char closing, bool first, bool *more);
bool json_scan_key(struct json_scan *s, struct str *key);     // "key": without the quotes, as written
bool json_scan_string(struct json_scan *s, struct str *raw);  // without the quotes, as written
bool json_scan_number(struct json_scan *s, double *out);      // finite
bool json_scan_u64(struct json_scan *s, uint64_t *out);       // digits only
bool json_scan_skip(struct json_scan *s);                     // any value
bool json_scan_end(struct json_scan *s);                      // nothing but whitespace is left

#endif
