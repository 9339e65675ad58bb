// SPDX-License-Identifier: Apache-2.0
// Private to the conformance cases.
#ifndef ISOBAR_CLOUD_CONFORMANCE_IMPL_H
#define ISOBAR_CLOUD_CONFORMANCE_IMPL_H

#include "cloud/conformance.h"

struct suite {
	struct call *c;
	struct conformance *x;
	const char *part;
};

// One case: a condition, with the call's error as the reason when it does not hold.
void suite_check(struct suite *s, bool holds, const char *what);
bool suite_skips(struct suite *s, const char *feature); // reported as skipped
void suite_skip(struct suite *s, const char *feature);  // reports it so
bool suite_is_without(const struct suite *s, const char *feature);
int suite_put(struct suite *s, struct str key, struct str bytes, struct store_condition condition, struct object *out);
int suite_get(struct suite *s, const struct store_get *g, struct buf *bytes, struct object *out);
bool suite_range_is(struct suite *s, struct str key, uint64_t offset, uint64_t length, struct str expected);

void suite_check_large(struct suite *s);
void suite_check_lists(struct suite *s);
void suite_check_credentials(struct suite *s);
void suite_check_identity(struct suite *s);
void suite_check_tags(struct suite *s);

#endif
