// SPDX-License-Identifier: Apache-2.0
// multipart/related bodies: whatever comes, the result does not depend on how it was cut. The first byte says how.
#include "fuzz.h"
#include "pocket/gcs/gcs_related.h"

struct seen {
	struct buf bytes; // all that was handed on, with a mark before each kind
	int kinds;
};

static int on_metadata(void *ctx, struct str text)
{
	struct seen *seen = ctx;
	FUZZ_CHECK(seen->kinds == 0);
	seen->kinds = 1;
	buf_add(&seen->bytes, S("metadata:"));
	buf_add(&seen->bytes, text);
	return 0;
}

static int on_type(void *ctx, struct str text)
{
	struct seen *seen = ctx;
	FUZZ_CHECK(seen->kinds == 1);
	seen->kinds = 2;
	buf_add(&seen->bytes, S("type:"));
	buf_add(&seen->bytes, text);
	buf_add(&seen->bytes, S("media:"));
	return 0;
}

static int on_media(void *ctx, struct str bytes)
{
	struct seen *seen = ctx;
	FUZZ_CHECK(seen->kinds == 2 && bytes.n);
	buf_add(&seen->bytes, bytes);
	return 0;
}

static int feed(struct seen *seen, struct str body, size_t step)
{
	struct related_events events = {.ctx = seen, .metadata = on_metadata, .media_type = on_type, .media = on_media};
	struct related *m = NULL;
	struct err e = {0};
	FUZZ_CHECK(related_new(S("multipart/related; boundary=b"), &events, &m, &e) == 0);
	int rc = 0;
	while (rc == 0 && body.n) {
		struct str piece = str_take(body, step);
		body = str_drop(body, piece.n);
		rc = related_feed(m, piece, &e);
	}
	if (rc == 0)
		rc = related_finish(m, &e);
	related_free(m);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen whole = {0}, cut = {0};
	if (size == 0 || size > 1 << 16)
		return 0;
	struct str body = str_bytes(data + 1, size - 1);
	int rc = feed(&whole, body, body.n + 1);
	FUZZ_CHECK(feed(&cut, body, (size_t)data[0] % 61 + 1) == rc);
	FUZZ_CHECK(rc < 0 || str_eq(buf_str(&whole.bytes), buf_str(&cut.bytes)));
	buf_free(&whole.bytes);
	buf_free(&cut.bytes);
	return 0;
}
