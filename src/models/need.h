// SPDX-License-Identifier: Apache-2.0
// What an alias needs of a version before it may point to it: "accuracy >= 0.87 on prepared/test". Parsed here; measured by train.
// Pure; texts are borrowed from the node.
#ifndef ISOBAR_MODELS_NEED_H
#define ISOBAR_MODELS_NEED_H

#include "base/kind.h"

enum need_comparison { NEED_AT_LEAST, NEED_MORE, NEED_AT_MOST, NEED_LESS };
struct need {
	struct str text;   // as written
	struct str metric; // "accuracy"
	enum need_comparison comparison;
	double bound;
	struct field_ref on; // kind "" (a dataset or a transform), name "prepared", qualifier "test"
};
// ERR_INVALID with what was expected and where the text stops making sense.
MUST_CHECK int need_parse(struct str text, struct need *out, struct err *e);
bool need_holds(const struct need *n, double measured); // NaN never does
// FIELD_CUSTOM parser of a list of needs: fills a struct field_list of struct need.
bool need_parse_list(const struct node *node, void *out, struct findings *f);

#endif
