// SPDX-License-Identifier: Apache-2.0
// Reading an object, the same for every provider: a stream into a sink that goes on where it was cut (by range, and
// only of the same version), counts what came, and proves it by the provider's checksum where that covers what was
// read. When the object changed meanwhile or a checksum is wrong, it starts again if the sink can forget what it has. A
// driver gives the request and reads the head of the answer.
#ifndef ISOBAR_CLOUD_HTTP_DOWNLOAD_H
#define ISOBAR_CLOUD_HTTP_DOWNLOAD_H

#include "cloud/cloud.h"
#include "cloud/http/exchange.h"

struct download_head {        // what a driver reads off an answer's headers
	struct object object; // size is the whole object's, also in the answer to a range
	bool has_md5;         // of exactly the bytes in this answer
	unsigned char md5[MD5_SIZE];
};

struct download {
	struct call *c;
	struct provider *provider;
	const struct store_get *get;
	struct sink *to;
	struct exchange *exchange; // method, path, query and headers are the driver's; Range is added here
	// Fills *out from the answer; 0 or a code with c->err set.
	int (*read_head)(struct call *c, const struct transport_response *r, struct download_head *out);
	// Makes the exchange ask for this version only: a header or a parameter.
	int (*pin)(struct call *c, struct exchange *x, struct str etag);
	// download_run's own:
	struct object object; // of the first answer
	bool started, pinned;
	uint64_t at, end;          // next byte, and one past the last one wanted
	uint64_t answer_at;        // `at` when this answer began
	uint64_t resumed_at;       // `at` when the last attempt was made
	struct download_head head; // of this answer
	struct digest *md5;
	uint32_t crc;
	char range[64];
	size_t range_header; // its place in the exchange; SIZE_MAX: none yet
};
MUST_CHECK int download_run(struct download *d, struct object *out);

// Header values that all three providers write alike. ERR_PROTOCOL when one is broken.
MUST_CHECK int download_size(
	struct call *c, const struct transport_response *r, uint64_t *size); // Content-Range, else Content-Length
struct str download_etag(struct str value);                                  // without quotes and W/
int64_t download_modified_ns(const struct transport_response *r);            // Last-Modified; 0 when absent

#endif
