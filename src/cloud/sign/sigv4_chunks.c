// SPDX-License-Identifier: Apache-2.0
// Decoder of chunked uploads: see sigv4_chunks.h. A state machine over lines and data; each signature covers the one
// before it.
#include "cloud/sign/sigv4_chunks.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "cloud/sign/sign_impl.h"

static const struct sign_refusal incomplete = {ERR_INVALID, 400, "IncompleteBody"};
static const struct sign_refusal invalid_chunk = {ERR_INVALID, 403, "InvalidChunkSizeError"};
static const struct sign_refusal bad_trailer = {ERR_INVALID, 400, "MalformedTrailerError"};
static const struct sign_refusal mismatch = {ERR_UNAUTHENTICATED, 403, "SignatureDoesNotMatch"};

enum state { IN_SIZE_LINE, IN_DATA, AFTER_DATA, IN_TRAILERS, DONE };

struct sigv4_chunks {
	enum state state;
	bool is_signed, has_trailers;
	struct sigv4_key key;
	char time[17];
	char previous[HEX_SHA256_SIZE]; // signature that the next one builds on
	char expected[HEX_SHA256_SIZE]; // of the chunk being read, as it said
	struct digest *digest;          // of the chunk being read
	uint64_t left;                  // bytes of the chunk still to come
	uint64_t seen, size;            // decoded bytes so far, and in all
	bool last;                      // the chunk being read is the empty one
	char line[SIGV4_MAX_LINE];
	size_t line_size;
	struct {
		char text[SIGV4_MAX_LINE]; // name, NUL, value, NUL
		const char *value;
	} trailers[SIGV4_MAX_TRAILERS];
	size_t trailer_count;
	char trailer_signature[HEX_SHA256_SIZE];
};

bool sigv4_chunks_wanted(struct str payload_hash)
{
	return str_eq(payload_hash, SIGV4_CHUNKS) || str_eq(payload_hash, SIGV4_CHUNKS_TRAILER) ||
	       str_eq(payload_hash, SIGV4_UNSIGNED_TRAILER);
}

struct sigv4_chunks *sigv4_chunks_new(
	const struct sigv4_claim *claim, const struct sigv4_key *key, uint64_t decoded_size)
{
	struct sigv4_chunks *d = calloc(1, sizeof(*d));
	if (!d || !(d->digest = digest_new(DIGEST_SHA256))) {
		free(d);
		return NULL;
	}
	d->is_signed = !str_eq(claim->payload_hash, SIGV4_UNSIGNED_TRAILER);
	d->has_trailers = !str_eq(claim->payload_hash, SIGV4_CHUNKS);
	d->key = *key;
	d->size = decoded_size;
	memcpy(d->time, claim->time, sizeof(d->time));
	str_copy(d->previous, sizeof(d->previous), claim->signature);
	return d;
}

void sigv4_chunks_free(struct sigv4_chunks *d)
{
	if (!d)
		return;
	digest_free(d->digest);
	OPENSSL_cleanse(&d->key, sizeof(d->key));
	free(d);
}

static void set_state(struct sigv4_chunks *d, enum state state)
{
	d->state = state;
	d->line_size = 0;
}

static bool is_signature(struct str s)
{
	struct sha256 bytes;
	return s.n == HEX_SHA256_SIZE - 1 && !hex_decode(s, bytes.bytes);
}

// "<kind>\nTIME\nSCOPE\nPREVIOUS\n<rest>" signed; compared with `claimed`, which then is the one before the next.
static int check_signature(
	struct sigv4_chunks *d, const char *kind, const char *rest, const char *claimed, struct err *e)
{
	AUTO(buf) text = {0};
	char hex[HEX_SHA256_SIZE];
	buf_printf(&text, "%s\n%s\n%s/%s/%s/aws4_request\n%s\n%s", kind, d->time, d->key.day, d->key.region,
		d->key.service, d->previous, rest);
	int code = buf_check(&text, e);
	if (code)
		return code;
	sigv4_signature(&d->key, buf_str(&text), hex);
	if (!hash_equal(hex, claimed, HEX_SHA256_SIZE - 1))
		return sign_refuse(e, mismatch, "the signature of the chunk that ends at byte %llu is wrong",
			(unsigned long long)d->seen);
	memcpy(d->previous, hex, sizeof(hex));
	return 0;
}

static int finish_chunk(struct sigv4_chunks *d, struct err *e)
{
	if (!d->is_signed)
		return 0;
	struct sha256 digest, empty = sha256_of(S(""));
	char rest[2 * HEX_SHA256_SIZE];
	digest_final(d->digest, digest.bytes);
	hex_encode(str_bytes(empty.bytes, SHA256_SIZE), rest);
	rest[HEX_SHA256_SIZE - 1] = '\n';
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), rest + HEX_SHA256_SIZE);
	return check_signature(d, "AWS4-HMAC-SHA256-PAYLOAD", rest, d->expected, e);
}

static bool read_size(struct str s, uint64_t *out)
{
	uint64_t size = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0)
			return false;
		size = size << 4 | (uint64_t)digit;
	}
	*out = size;
	return s.n > 0 && s.n <= 15;
}

// "10000;chunk-signature=HEX", or "10000" when chunks are not signed.
static int take_size_line(struct sigv4_chunks *d, struct str line, struct err *e)
{
	struct str size, extension, name, signature = S("");
	str_cut(line, ';', &size, &extension);
	str_cut(extension, '=', &name, &signature);
	if (!read_size(size, &d->left))
		return sign_refuse(e, invalid_chunk, "a chunk of the body starts with no valid size");
	if (d->is_signed && (!str_eq(name, S("chunk-signature")) || !is_signature(signature)))
		return sign_refuse(e, mismatch, "a chunk of the body has no valid chunk-signature");
	if (d->left > d->size - d->seen)
		return sign_refuse(e, incomplete,
			"the chunks hold more than the x-amz-decoded-content-length of %llu bytes",
			(unsigned long long)d->size);
	str_copy(d->expected, sizeof(d->expected), signature);
	d->last = d->left == 0;
	if (!d->last) {
		set_state(d, IN_DATA);
		return 0;
	}
	if (d->seen != d->size)
		return sign_refuse(e, incomplete, "the chunks hold %llu bytes, x-amz-decoded-content-length says %llu",
			(unsigned long long)d->seen, (unsigned long long)d->size);
	int code = finish_chunk(d, e);
	set_state(d, d->has_trailers ? IN_TRAILERS : AFTER_DATA);
	return code;
}

// Trailers are signed as "name:value\n" each, in the order sent.
static int finish_trailers(struct sigv4_chunks *d, struct err *e)
{
	set_state(d, DONE);
	if (!d->is_signed)
		return 0;
	AUTO(buf) text = {0};
	for (size_t i = 0; i < d->trailer_count; i++)
		buf_printf(&text, "%s:%s\n", d->trailers[i].text, d->trailers[i].value);
	int code = buf_check(&text, e);
	if (code)
		return code;
	char rest[HEX_SHA256_SIZE];
	struct sha256 digest = sha256_of(buf_str(&text));
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), rest);
	return check_signature(d, "AWS4-HMAC-SHA256-TRAILER", rest, d->trailer_signature, e);
}

static int take_trailer(struct sigv4_chunks *d, struct str line, struct err *e)
{
	struct str name, value;
	if (!line.n && d->is_signed && !d->trailer_signature[0])
		return 0; // some clients put an empty line between the trailers and their signature
	if (!line.n)
		return finish_trailers(d, e);
	if (!str_cut(line, ':', &name, &value) || !name.n)
		return sign_refuse(e, bad_trailer, "a trailer of the body is not \"name:value\"");
	value = str_trim(value);
	if (str_eq_nocase(name, S("x-amz-trailer-signature"))) {
		if (!d->is_signed || !is_signature(value) || d->trailer_signature[0])
			return sign_refuse(e, bad_trailer, "the x-amz-trailer-signature is not valid here");
		str_copy(d->trailer_signature, sizeof(d->trailer_signature), value);
		return 0;
	}
	if (d->trailer_count == SIGV4_MAX_TRAILERS || d->trailer_signature[0])
		return sign_refuse(
			e, bad_trailer, "more trailers than %d, or one behind the signature", SIGV4_MAX_TRAILERS);
	char *text = d->trailers[d->trailer_count].text;
	for (size_t i = 0; i < name.n; i++)
		text[i] = (char)(name.p[i] >= 'A' && name.p[i] <= 'Z' ? name.p[i] + 32 : name.p[i]);
	text[name.n] = 0;
	memcpy(text + name.n + 1, value.p, value.n);
	text[name.n + 1 + value.n] = 0;
	d->trailers[d->trailer_count++].value = text + name.n + 1;
	return 0;
}

static int take_line(struct sigv4_chunks *d, struct err *e)
{
	struct str line = {d->line, d->line_size};
	d->line_size = 0;
	// Clients end trailer lines with LF or CRLF; sizes and data always with CRLF.
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	else if (d->state != IN_TRAILERS)
		return sign_refuse(e, invalid_chunk, "a chunk of the body does not end its line with CR LF");
	if (d->state == IN_TRAILERS)
		return take_trailer(d, line, e);
	if (d->state == IN_SIZE_LINE)
		return take_size_line(d, line, e);
	if (line.n)
		return sign_refuse(e, invalid_chunk, "a chunk of the body is longer than it said");
	set_state(d, d->last ? DONE : IN_SIZE_LINE);
	return 0;
}

// Takes data of a chunk off *in.
static int take_data(
	struct sigv4_chunks *d, struct str *in, int (*each)(void *ctx, struct str data), void *ctx, struct err *e)
{
	struct str data = str_take(*in, d->left < in->n ? (size_t)d->left : in->n);
	*in = str_drop(*in, data.n);
	d->left -= data.n;
	d->seen += data.n;
	if (d->is_signed)
		digest_update(d->digest, data);
	int code = each(ctx, data);
	if (code)
		return code;
	if (d->left)
		return 0;
	set_state(d, AFTER_DATA);
	return finish_chunk(d, e);
}

int sigv4_chunks_feed(
	struct sigv4_chunks *d, struct str in, int (*each)(void *ctx, struct str data), void *ctx, struct err *e)
{
	while (in.n) {
		int code = 0;
		if (d->state == DONE) {
			if (in.p[0] != '\r' && in.p[0] != '\n') // some clients end with more empty lines than they need
				return sign_refuse(e, incomplete, "the body goes on behind its last chunk");
			in = str_drop(in, 1);
		} else if (d->state == IN_DATA) {
			code = take_data(d, &in, each, ctx, e);
		} else if (in.p[0] == '\n') {
			in = str_drop(in, 1);
			code = take_line(d, e);
		} else if (d->line_size == sizeof(d->line) - 2) {
			code = sign_refuse(
				e, invalid_chunk, "a line of the body is longer than %zu bytes", d->line_size);
		} else {
			d->line[d->line_size++] = in.p[0];
			in = str_drop(in, 1);
		}
		if (code)
			return code;
	}
	return 0;
}

int sigv4_chunks_finish(const struct sigv4_chunks *d, struct err *e)
{
	if (d->state == DONE)
		return 0;
	return sign_refuse(e, incomplete, "the body ended after %llu of %llu bytes", (unsigned long long)d->seen,
		(unsigned long long)d->size);
}

struct str sigv4_chunks_trailer(const struct sigv4_chunks *d, struct str name)
{
	for (size_t i = 0; i < d->trailer_count; i++) {
		if (str_eq(str_of(d->trailers[i].text), name))
			return str_of(d->trailers[i].value);
	}
	return S("");
}
