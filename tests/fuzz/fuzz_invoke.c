// SPDX-License-Identifier: Apache-2.0
// What comes from outside when the gateway asks a provider's endpoint: a path and headers of a client, and an error of
// the provider. The input is lines: service digit and status, path, content type, length, error type, original status;
// the rest is the body. Whatever it is, the client gets a status and a JSON object with one text, and nothing else.
#include <string.h>

#include "fuzz.h"
#include "gateway/invoke.h"

struct lines {
	struct str rest;
};

static struct str next(struct lines *l)
{
	struct str line = {0};
	if (!str_next(&l->rest, '\n', &line))
		return S("");
	return line;
}

static void judge(struct lines *l, enum upstream_service service, int status)
{
	AUTO(arena) a = {0};
	AUTO(json) json = NULL;
	struct invoke_judgement j;
	struct invoke_error error = {.service = service, .status = status};
	error.type = next(l);
	error.original = next(l);
	error.body = l->rest;
	invoke_judge(&error, &a, &j);
	FUZZ_CHECK(j.status >= 400 && j.status <= 599);
	FUZZ_CHECK(j.reason.n > 0 && j.reason.n < 1024);
	FUZZ_CHECK(json_parse(j.body, &json, NULL) == 0);
	FUZZ_CHECK(json_object_size(json) == 1 && json_is_string(json_object_get(json, "error")));
	FUZZ_CHECK(j.verdict != INVOKE_REFUSED || !j.elsewhere);
}

static void ask(struct lines *l, enum upstream_service service)
{
	AUTO(arena) a = {0};
	struct err e = {0};
	struct invoke_path path = invoke_path_of(next(l));
	FUZZ_CHECK(path.act == INVOKE_OTHER || str_find_char(path.model, '/') < 0);
	FUZZ_CHECK(str_find_char(path.version, '/') < 0);
	struct http_headers headers = {0};
	struct str type = next(l), length = next(l);
	struct invoke_body body;
	if (type.n)
		FUZZ_CHECK(http_header_add(&headers, &a, S("content-type"), type) == 0);
	if (length.n)
		FUZZ_CHECK(http_header_add(&headers, &a, S("inference-header-content-length"), length) == 0);
	const struct invoke_client client = {&headers, 1000};
	if (invoke_body_of(service, &client, &a, &body, &e))
		return;
	FUZZ_CHECK(body.content_type.n > 0);
	struct str sent = invoke_binary_length(body.content_type);
	for (size_t i = 0; i < sent.n && length.n; i++)
		FUZZ_CHECK(sent.p[i] >= '0' && sent.p[i] <= '9');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lines l = {str_bytes(data, size)};
	struct str head = next(&l);
	if (head.n < 4)
		return 0;
	enum upstream_service service = (enum upstream_service)(1 + (unsigned char)head.p[0] % 3);
	int status = 0;
	for (size_t i = 1; i < 4; i++)
		status = status * 10 + (unsigned char)head.p[i] % 10;
	ask(&l, service);
	judge(&l, service, status);
	return 0;
}
