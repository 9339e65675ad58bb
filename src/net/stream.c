// SPDX-License-Identifier: Apache-2.0
// Plain and TLS sockets alike: see stream_impl.h.
#include <errno.h>
#include <openssl/err.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/loop.h"
#include "net/stream_impl.h"
#include "net/tls_impl.h"

void stream_close(struct stream *s)
{
	if (s->ssl) {
		if (SSL_is_init_finished(s->ssl))
			SSL_shutdown(s->ssl);
		ERR_clear_error();
		SSL_free(s->ssl);
		s->ssl = NULL;
	}
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

int stream_handshake(struct stream *s, unsigned *events, struct err *e)
{
	if (!s->ssl)
		return 0;
	ERR_clear_error();
	int done = SSL_do_handshake(s->ssl);
	if (done == 1)
		return 0;
	int why = SSL_get_error(s->ssl, done);
	*events = why == SSL_ERROR_WANT_WRITE ? LOOP_WRITE : LOOP_READ;
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return STREAM_AGAIN;
	long verify = SSL_get_verify_result(s->ssl);
	if (verify != X509_V_OK) {
		ERR_clear_error();
		err_set(e, ERR_DENIED, "TLS: the certificate was refused: %s", X509_verify_cert_error_string(verify));
	} else {
		tls_error(e, ERR_PROTOCOL, "TLS handshake");
	}
	return STREAM_BROKEN;
}

static ssize_t tls_result(struct stream *s, int result, bool *other_way, int other)
{
	int why = SSL_get_error(s->ssl, result);
	*other_way = why == other;
	if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE)
		return STREAM_AGAIN;
	ERR_clear_error();
	return why == SSL_ERROR_ZERO_RETURN ? 0 : STREAM_BROKEN;
}

ssize_t stream_read(struct stream *s, void *p, size_t n)
{
	if (s->ssl) {
		size_t got;
		ERR_clear_error();
		int result = SSL_read_ex(s->ssl, p, n, &got);
		s->read_wants_write = false;
		return result == 1 ? (ssize_t)got : tls_result(s, result, &s->read_wants_write, SSL_ERROR_WANT_WRITE);
	}
	ssize_t got;
	do
		got = read(s->fd, p, n);
	while (got < 0 && errno == EINTR);
	if (got >= 0)
		return got;
	return errno == EAGAIN ? STREAM_AGAIN : STREAM_BROKEN;
}

static ssize_t tls_write(struct stream *s, const struct iovec *pieces, int count)
{
	size_t total = 0;
	for (int i = 0; i < count; i++) {
		size_t done = 0;
		while (done < pieces[i].iov_len) {
			size_t taken;
			ERR_clear_error();
			int result = SSL_write_ex(
				s->ssl, (const char *)pieces[i].iov_base + done, pieces[i].iov_len - done, &taken);
			s->write_wants_read = false;
			if (result != 1) {
				ssize_t code = tls_result(s, result, &s->write_wants_read, SSL_ERROR_WANT_READ);
				return total ? (ssize_t)total : (code == 0 ? STREAM_BROKEN : code);
			}
			done += taken;
			total += taken;
		}
	}
	return (ssize_t)total;
}

ssize_t stream_write(struct stream *s, const struct iovec *pieces, int count)
{
	if (s->ssl)
		return tls_write(s, pieces, count);
	ssize_t put;
	do
		put = writev(s->fd, pieces, count);
	while (put < 0 && errno == EINTR);
	if (put >= 0)
		return put;
	return errno == EAGAIN ? STREAM_AGAIN : STREAM_BROKEN;
}

ssize_t stream_sendfile(struct stream *s, int file, uint64_t offset, size_t n)
{
	off_t at = (off_t)offset;
	ssize_t put;
	do
		put = sendfile(s->fd, file, &at, n);
	while (put < 0 && errno == EINTR);
	if (put > 0)
		return put;
	// Zero bytes: the file is shorter than was promised.
	return put < 0 && errno == EAGAIN ? STREAM_AGAIN : STREAM_BROKEN;
}

void stream_shutdown(struct stream *s)
{
	if (s->ssl) {
		SSL_shutdown(s->ssl);
		ERR_clear_error();
	}
	shutdown(s->fd, SHUT_WR);
}
