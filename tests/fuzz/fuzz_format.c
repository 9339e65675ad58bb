// SPDX-License-Identifier: Apache-2.0
// Any text is formatted to one that says the same and is formatted already, or is refused.
#include "fuzz.h"
#include "infra/format.h"

// libfyaml 0.7 leaks half a kilobyte when a quoted scalar in brackets is followed by another one.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static int format(struct str text, struct buf *out)
{
	AUTO(arena) a = {.limit = 256 << 20};
	struct findings f = {.arena = &a};
	struct err e = {0};
	int rc = format_yaml(text, "fuzz", &f, out, &e);
	FUZZ_CHECK(rc == 0 || e.message[0]);
	FUZZ_CHECK(rc == 0 || out->n == 0);
	return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena) a = {.limit = 256 << 20};
	AUTO(buf) once = {0};
	AUTO(buf) twice = {0};
	struct findings f = {.arena = &a};
	struct node *before = NULL, *after = NULL;
	if (format(str_bytes(data, size), &once) < 0)
		return 0;
	FUZZ_CHECK(node_parse_yaml(str_bytes(data, size), "fuzz", &f, &before) == 0);
	FUZZ_CHECK(node_parse_yaml(buf_str(&once), "fuzz", &f, &after) == 0);
	FUZZ_CHECK(format_same(before, after));
	if (format(buf_str(&once), &twice) == 0) // a form that cannot be moved may be reached; it is then left alone
		FUZZ_CHECK(format_same(before, after));
	return 0;
}
