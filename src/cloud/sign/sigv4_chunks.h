// SPDX-License-Identifier: Apache-2.0
// Bodies that S3 clients send in chunks (Content-Encoding: aws-chunked), with or without a signature for each chunk and
// with or without trailers: the server's decoder, fed piece by piece. Source: "Signature Calculations for the
// Authorization Header: Transferring Payload in Multiple Chunks" and "... Including Trailing Headers", Amazon S3 API
// Reference. Data is handed on as it comes, before its chunk's signature is known to be right: keep it aside until the
// decoder is done. One thread at a time. Errors as in sigv4.h, also IncompleteBody and MalformedTrailerError.
#ifndef ISOBAR_CLOUD_SIGN_SIGV4_CHUNKS_H
#define ISOBAR_CLOUD_SIGN_SIGV4_CHUNKS_H

#include "cloud/sign/sigv4.h"

enum { SIGV4_MAX_TRAILERS = 8, SIGV4_MAX_LINE = 1024 };

struct sigv4_chunks; // owned

// True when payload_hash is one of the three STREAMING- words.
bool sigv4_chunks_wanted(struct str payload_hash);
// decoded_size: x-amz-decoded-content-length. claim and key are copied from. NULL without memory.
struct sigv4_chunks *sigv4_chunks_new(
	const struct sigv4_claim *claim, const struct sigv4_key *key, uint64_t decoded_size);
// Calls each with decoded bytes. `each` returns 0 or a code, which stops the feed and is returned.
MUST_CHECK int sigv4_chunks_feed(
	struct sigv4_chunks *d, struct str in, int (*each)(void *ctx, struct str data), void *ctx, struct err *e);
// At the end of the body: 0 only when the last chunk and, if announced, its trailers came and all signatures were
// right.
MUST_CHECK int sigv4_chunks_finish(const struct sigv4_chunks *d, struct err *e);
// A trailer ("x-amz-checksum-crc32c"), lower case; "" when absent. Borrowed from the decoder.
struct str sigv4_chunks_trailer(const struct sigv4_chunks *d, struct str name);
void sigv4_chunks_free(struct sigv4_chunks *d);

#endif
