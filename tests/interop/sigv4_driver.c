// SPDX-License-Identifier: Apache-2.0
// cloud/sign's SigV4 behind lines of JSON, so that a test can compare it with another implementation: one request a
// line on standard input, one answer a line on standard output. Operations: canonical, authorize, presign, verify (see
// sigv4_botocore.py).
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/time.h"
#include "cloud/sign/sigv4.h"

struct question {
	const json_t *j;
	struct sign_header headers[SIGN_MAX_HEADERS];
	struct sign_request request;
	struct sigv4_key key;
};

static struct str text_at(const json_t *list, size_t i)
{
	const json_t *item = json_array_get(list, i);
	return str_bytes(json_string_value(item), json_string_length(item));
}

static int read_question(struct question *q, const json_t *j)
{
	const json_t *headers = json_object_get(j, "headers");
	*q = (struct question){.j = j};
	for (size_t i = 0; i < json_array_size(headers) && i < SIGN_MAX_HEADERS; i++) {
		const json_t *pair = json_array_get(headers, i);
		q->headers[q->request.header_count++] = (struct sign_header){text_at(pair, 0), text_at(pair, 1)};
	}
	q->request.method = json_str(j, "method");
	q->request.path = json_str(j, "path");
	q->request.query = json_str(j, "query");
	q->request.headers = q->headers;
	const struct sigv4_scope scope = {.day = str_take(json_str(j, "time"), 8),
		.region = json_str(j, "region"),
		.service = json_str(j, "service")};
	return sigv4_key_make_scope(&q->key, json_str(j, "secret"), &scope);
}

static void answer_text(json_t *out, const char *name, int code, const struct buf *text, const struct err *e)
{
	if (code)
		json_set_str(out, "error", str_of(e->message));
	else
		json_set_str(out, name, buf_str(text));
}

static void canonical(const struct question *q, json_t *out)
{
	AUTO(buf) request = {0};
	AUTO(buf) to_sign = {0};
	struct err e = {0};
	char hex[HEX_SHA256_SIZE];
	struct sigv4_canonical c = {.request = &q->request,
		.signed_headers = json_str(q->j, "signed_headers"),
		.payload_hash = json_str(q->j, "payload_hash"),
		.skip_parameter = S(""),
		.service = str_of(q->key.service)};
	int code = sigv4_canonical_request(&c, &request, &e);
	sigv4_string_to_sign(&q->key, json_str(q->j, "time"), buf_str(&request), &to_sign);
	sigv4_signature(&q->key, buf_str(&to_sign), hex);
	answer_text(out, "canonical", code, &request, &e);
	json_set_str(out, "string_to_sign", buf_str(&to_sign));
	json_set_str(out, "signature", str_of(hex));
}

static void authorize(const struct question *q, json_t *out)
{
	AUTO(buf) text = {0};
	struct err e = {0};
	int code = sigv4_authorize(&q->request, json_str(q->j, "access_key"), &q->key, &text, &e);
	answer_text(out, "authorization", code, &text, &e);
}

static void presign(const struct question *q, json_t *out)
{
	AUTO(buf) text = {0};
	struct err e = {0};
	struct sigv4_presign p = {.access_key = json_str(q->j, "access_key"),
		.session_token = json_str(q->j, "token"),
		.expires_s = json_int(q->j, "expires", 60)};
	int code = time_parse_iso_basic(json_str(q->j, "time"), &p.wall_ns);
	if (!code)
		code = sigv4_presign(&q->request, &p, &q->key, &text, &e);
	answer_text(out, "query", code, &text, &e);
}

static void verify(const struct question *q, json_t *out)
{
	AUTO(sigv4_claim) claim = {0};
	struct err e = {0};
	int64_t now_ns = 0;
	int code = time_parse_iso_basic(json_str(q->j, "now"), &now_ns);
	if (!code)
		code = sigv4_claim_read(&q->request, &claim, &e);
	if (!code && !claim.payload_hash.n) // as a server does that has the body
		claim.payload_hash = json_str(q->j, "payload_hash");
	if (!code)
		code = sigv4_verify(&q->request, &claim, &q->key, now_ns, &e);
	json_object_set_new(out, "accepted", json_boolean(code == 0));
	json_set_str(out, "code", str_of(e.provider_code));
}

static int answer(struct str line)
{
	AUTO(json) j = NULL;
	AUTO(json) out = json_object();
	AUTO(buf) text = {0};
	struct err e = {0};
	struct question q;
	static const struct {
		const char *name;
		void (*run)(const struct question *q, json_t *out);
	} operations[] = {{"canonical", canonical}, {"authorize", authorize}, {"presign", presign}, {"verify", verify}};
	if (json_parse(line, &j, &e) || read_question(&q, j)) {
		fprintf(stderr, "sigv4-driver: %s\n", e.message);
		return 1;
	}
	for (size_t i = 0; i < COUNT_OF(operations); i++) {
		if (str_eq(json_str(j, "op"), str_of(operations[i].name)))
			operations[i].run(&q, out);
	}
	if (json_write(out, &text, &e)) {
		fprintf(stderr, "sigv4-driver: %s\n", e.message);
		return 1;
	}
	printf("%s\n", buf_cstr(&text));
	return fflush(stdout) ? 1 : 0;
}

int main(void)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int code = 0;
	while (!code && (n = getline(&line, &room, stdin)) > 0)
		code = answer(str_trim((struct str){line, (size_t)n}));
	free(line);
	return code;
}
