// SPDX-License-Identifier: Apache-2.0
// Sets of countries, as residency and operators' laws are written: ISO 3166-1 codes of two letters, and EU for the
// European Union. A set is a value of 88 bytes; all functions are pure. EU stands for itself (a law, or a hall somewhere in
// the Union) and for each of its members; [EU] met with [DE, CH] is [DE], and [DE] does not hold EU.
#ifndef ISOBAR_DATA_PLACES_H
#define ISOBAR_DATA_PLACES_H

#include "base/json.h"

enum { PLACES_WORDS = 11 }; // 26 * 26 codes, one bit each

struct places {
	bool any; // everywhere; the bits say nothing then
	uint64_t bits[PLACES_WORDS];
};

// ERR_INVALID for what is no code of a country or EU; *suggestion (may be NULL) is then what was probably meant ("GB" for
// "UK"), or "".
MUST_CHECK int places_check(struct str code, struct str *suggestion);
void places_add(struct places *p, struct str code); // a code that places_check accepts; others are left out
bool places_hold(const struct places *p, struct str code);
bool places_empty(const struct places *p);                            // nowhere
bool places_within(const struct places *inner, const struct places *outer); // each of inner is in outer
struct places places_meet(const struct places *a, const struct places *b);  // what is in both

// "anywhere" or a list in order of the alphabet, EU in place of its members. New reference.
json_t *places_to_json(const struct places *p);
// null and NULL are `any`; ERR_CORRUPT for what is neither "anywhere" nor a list of codes.
MUST_CHECK int places_of_json(const json_t *j, struct places *out, struct err *e);
struct str places_text(const struct places *p, struct arena *a); // "anywhere", "[DE, EU]", "nowhere"

#endif
