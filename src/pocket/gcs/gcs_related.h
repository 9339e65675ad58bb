// SPDX-License-Identifier: Apache-2.0
// The body of an upload with metadata (multipart/related, RFC 2387): a part of JSON, then a part with the bytes, which
// are handed on as they come. Fed piece by piece; results do not depend on how the pieces were cut. Owned; one thread
// at a time. Errors: ERR_INVALID (not such a body), ERR_LIMIT (metadata too long), ERR_NO_MEMORY.
#ifndef ISOBAR_POCKET_GCS_RELATED_H
#define ISOBAR_POCKET_GCS_RELATED_H

#include "base/buf.h"
#include "base/err.h"

struct related;
struct related_events {
	void *ctx;
	int (*metadata)(void *ctx, struct str json);   // once, before any media
	int (*media_type)(void *ctx, struct str type); // Content-Type of the media part; "" when it has none
	int (*media)(void *ctx, struct str bytes);
};
// content_type: the request's. events and what it points to are borrowed.
MUST_CHECK int related_new(
	struct str content_type, const struct related_events *events, struct related **out, struct err *e);
MUST_CHECK int related_feed(
	struct related *m, struct str piece, struct err *e);           // a callback's negative result is returned
MUST_CHECK int related_finish(const struct related *m, struct err *e); // the body ended: was it whole?
void related_free(struct related *m);                                  // NULL is allowed

#endif
