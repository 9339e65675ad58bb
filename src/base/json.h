// SPDX-License-Identifier: Apache-2.0
// JSON on jansson, with its doors closed: duplicate members, invalid UTF-8, NUL in strings, deep nesting and oversized
// texts are refused. json_t is reference counted (json_decref); AUTO(json) does it at the end of the scope. Getters
// return borrowed values and defaults, never NULL surprises.
#ifndef ISOBAR_BASE_JSON_H
#define ISOBAR_BASE_JSON_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

enum {
	JSON_DEFAULT_LIMIT = 16 << 20, // what a reader of a file or an answer passes without a reason for another
	JSON_MAX_SIZE = 256 << 20,     // json_parse refuses more: a tree takes ten times its text
	JSON_MAX_DEPTH = 128,          // of arrays and objects, reading and writing; nothing of ours nests past 20
};

#define AUTO_TYPE_json json_t *
static inline void json_autofree(json_t **j)
{
	json_decref(*j);
}

// Once, at the start of a program and before any other use: freed values are overwritten, since some were credentials.
void json_wipe_freed(void);
// Parses one value; anything but whitespace after it is an error. The message has line and column. *out is owned.
// ERR_INVALID, ERR_LIMIT (size, depth).
MUST_CHECK int json_parse(struct str text, json_t **out, struct err *e);
// Wipes its copy of the file.
MUST_CHECK int json_parse_file(const char *path, size_t limit, json_t **out, struct err *e);
// Compact, members sorted by name: equal values give equal bytes. Used for everything that is hashed or compared.
MUST_CHECK int json_write(const json_t *j, struct buf *out, struct err *e);
MUST_CHECK int json_write_pretty(
	const json_t *j, struct buf *out, struct err *e); // 2 spaces, members in insertion order
// Parts of a text that is written by hand: a string in quotes, and the shortest form of a finite number (ERR_INVALID
// else).
void json_write_string(struct str s, struct buf *out);
MUST_CHECK int json_write_real(double value, struct buf *out);

struct str json_value_str(const json_t *value); // "" for NULL and other types
// Members of an object by name. The str and text forms give "" (or the default) when absent or of another type.
struct str json_str(const json_t *object, const char *name);
const char *json_text(const json_t *object, const char *name);
int64_t json_int(const json_t *object, const char *name, int64_t otherwise);
double json_num(const json_t *object, const char *name, double otherwise);
bool json_flag(const json_t *object, const char *name, bool otherwise);
// Required ones: ERR_INVALID names the member and the type wanted.
MUST_CHECK int json_need_str(const json_t *object, const char *name, struct str *out, struct err *e);
MUST_CHECK int json_need_int(const json_t *object, const char *name, int64_t *out, struct err *e);
// Takes over one reference and drops it with the arena. NULL (and the reference dropped) when j is NULL or memory ends.
json_t *json_in_arena(struct arena *a, json_t *j);
json_t *json_of_str(struct str s);                                     // new reference; invalid UTF-8 and NUL give NULL
void json_set_str(json_t *object, const char *name, struct str value); // bytes that are no UTF-8 become U+FFFD

#endif
