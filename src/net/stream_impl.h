// SPDX-License-Identifier: Apache-2.0
// A connected socket, plain or TLS, without blocking: what server connections and client links read and write. Owned by
// its connection; loop thread only.
#ifndef ISOBAR_NET_STREAM_IMPL_H
#define ISOBAR_NET_STREAM_IMPL_H

#include <openssl/ssl.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "base/err.h"

enum { STREAM_AGAIN = -1, STREAM_BROKEN = -2 };

struct stream {
	int fd;
	SSL *ssl;                                // NULL: plain
	bool write_wants_read, read_wants_write; // TLS turns around
};

void stream_close(struct stream *s); // sends close_notify when it can be sent at once
// 0: done; STREAM_AGAIN; STREAM_BROKEN with the reason in e.
int stream_handshake(struct stream *s, unsigned *events, struct err *e);
// Bytes read; 0: the other side closed in order; STREAM_AGAIN; STREAM_BROKEN (reset, or TLS cut without its goodbye).
ssize_t stream_read(struct stream *s, void *p, size_t n);
ssize_t stream_write(
	struct stream *s, const struct iovec *pieces, int count); // bytes taken; STREAM_AGAIN; STREAM_BROKEN
// From a file by the kernel; plain only.
ssize_t stream_sendfile(struct stream *s, int file, uint64_t offset, size_t n);
void stream_shutdown(struct stream *s); // no more will be written

#endif
