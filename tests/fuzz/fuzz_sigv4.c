// SPDX-License-Identifier: Apache-2.0
// SigV4 as a server reads it: a request as text ("METHOD TARGET", header lines, an empty line, a body). Canonical forms
// are fixed points, a claim that was read can be checked, and chunked bodies decode alike whole and byte by byte.
#include <string.h>

#include "cloud/sign/sharedkey.h"
#include "cloud/sign/sigv4_chunks.h"
#include "fuzz.h"

#define SECRET S("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")

struct input {
	struct sign_header headers[SIGN_MAX_HEADERS];
	struct sign_request request;
	struct str body;
};

static struct str take_line(struct str *rest)
{
	struct str line;
	str_cut(*rest, '\n', &line, rest);
	return str_trim(line);
}

static void read_input(struct str text, struct input *in)
{
	struct str line = take_line(&text), target, name, value;
	str_cut(line, ' ', &in->request.method, &target);
	str_cut(target, '?', &in->request.path, &in->request.query);
	in->request.headers = in->headers;
	while (text.n && (line = take_line(&text)).n) {
		if (in->request.header_count < SIGN_MAX_HEADERS && str_cut(line, ':', &name, &value))
			in->headers[in->request.header_count++] = (struct sign_header){name, str_trim(value)};
	}
	in->body = text;
}

// The second and third line of a canonical request are a path and a query again, and their own canonical form.
static void check_fixed_point(const struct input *in)
{
	AUTO(buf) first = {0};
	AUTO(buf) second = {0};
	struct sigv4_canonical c = {.request = &in->request,
		.signed_headers = S("host;x-amz-date"),
		.payload_hash = SIGV4_UNSIGNED,
		.skip_parameter = S("")};
	if (sigv4_canonical_request(&c, &first, NULL))
		return;
	struct sign_request again = in->request;
	struct str rest = buf_str(&first), line;
	FUZZ_CHECK(str_cut(rest, '\n', &line, &rest) && str_cut(rest, '\n', &again.path, &rest) &&
		   str_cut(rest, '\n', &again.query, &rest));
	c.request = &again;
	FUZZ_CHECK(sigv4_canonical_request(&c, &second, NULL) == 0);
	FUZZ_CHECK(str_eq(buf_str(&first), buf_str(&second)));
}

static int add(void *ctx, struct str data)
{
	buf_add(ctx, data);
	return 0;
}

static int decode(
	const struct sigv4_claim *claim, const struct sigv4_key *key, struct str body, size_t step, struct buf *out)
{
	struct sigv4_chunks *d = sigv4_chunks_new(claim, key, 1 << 20);
	struct err e = {0};
	int r = d ? 0 : ERR_NO_MEMORY;
	for (size_t at = 0; !r && at < body.n; at += step)
		r = sigv4_chunks_feed(d, str_take(str_drop(body, at), step), add, out, &e);
	if (!r)
		r = sigv4_chunks_finish(d, &e);
	sigv4_chunks_free(d);
	return r;
}

static void check_chunks(const struct sigv4_claim *claim, const struct sigv4_key *key, struct str body)
{
	AUTO(buf) whole = {0};
	AUTO(buf) bytes = {0};
	int r = decode(claim, key, body, body.n + 1, &whole);
	FUZZ_CHECK(decode(claim, key, body, 1, &bytes) == r);
	FUZZ_CHECK(str_eq(buf_str(&whole), buf_str(&bytes)));
}

static void check_claim(const struct input *in)
{
	AUTO(sigv4_claim) claim = {0};
	struct err e = {0};
	struct sigv4_key key;
	if (sigv4_claim_read(&in->request, &claim, &e)) {
		FUZZ_CHECK(e.code && e.message[0]);
		return;
	}
	FUZZ_CHECK(claim.access_key.n && claim.day.n == 8 && claim.region.n && strlen(claim.time) == 16);
	FUZZ_CHECK(sigv4_key_make(&key, SECRET, claim.day, claim.region) == 0);
	if (sigv4_verify(&in->request, &claim, &key, claim.wall_ns, &e))
		FUZZ_CHECK(e.code && e.provider_code[0]);
	if (sigv4_chunks_wanted(claim.payload_hash))
		check_chunks(&claim, &key, in->body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {.body = S("")};
	AUTO(buf) text = {0};
	struct err e = {0};
	struct str account;
	read_input(str_bytes(data, size), &in);
	check_fixed_point(&in);
	check_claim(&in);
	// The other provider's form over the same request.
	if (sharedkey_string_to_sign(&in.request, S("acct"), &text, &e) == 0 &&
		sharedkey_account(&in.request, &account, &e) == 0 &&
		sharedkey_verify(&in.request, account, S("key"), 0, &e))
		FUZZ_CHECK(e.code && e.provider_code[0]);
	return 0;
}
