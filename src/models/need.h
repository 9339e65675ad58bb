// SPDX-License-Identifier: Apache-2.0
// What an alias needs of a version before it may point to it: "accuracy >= 0.87 on prepared/test", or a bound on how far
// groups of people may be apart: "demographic parity by age_band within 0.05". Parsed here; measured by train.
// Pure; texts are borrowed from the node.
#ifndef ISOBAR_MODELS_NEED_H
#define ISOBAR_MODELS_NEED_H

#include "base/kind.h"

enum need_comparison { NEED_AT_LEAST, NEED_MORE, NEED_AT_MOST, NEED_LESS };
struct need {
	struct str text;   // as written
	struct str by;     // of a parity between groups: the column that tells them apart; else empty
	struct str metric; // "accuracy"
	enum need_comparison comparison;
	double bound;
	struct field_ref on; // kind "" (a dataset or a transform), name "prepared", qualifier "test"; name "": not said
};
// ERR_INVALID with what was expected and where the text stops making sense.
MUST_CHECK int need_parse(struct str text, struct need *out, struct err *e);
bool need_holds(const struct need *n, double measured); // NaN never does
// Whether this release measures all needs of a list: accuracy, and nothing else.
bool need_list_is_measured(const struct node *node);
// FIELD_CUSTOM parser of a list of needs: fills a struct field_list of struct need.
bool need_parse_list(const struct node *node, void *out, struct findings *f);

#endif
