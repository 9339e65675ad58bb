// SPDX-License-Identifier: Apache-2.0
// YAML decoded by a table that has every type of field. Any text gives a tree or findings, every finding has words, and
// a tree that was decoded is decoded again from its JSON form without a finding.
#include <string.h>

#include "base/json.h"
#include "base/kind.h"
#include "every_kind.h"
#include "fuzz.h"

// libfyaml 0.7 leaks half a kilobyte when a quoted scalar in brackets is followed by another one.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static void check_again(const struct node *root)
{
	AUTO(arena) a = {0};
	struct every again;
	struct err e = {0};
	AUTO(json) j = node_to_json(root);
	FUZZ_CHECK(j);
	// A plain scalar that JSON has as a number loses its spelling, so "1e1" as a name reads "10.0": refused is
	// allowed, a crash is not.
	if (kind_decode_json(&every_kind, j, &a, &again, &e) < 0)
		FUZZ_CHECK(e.code == ERR_CORRUPT && e.message[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena) a = {.limit = 256 << 20};
	struct findings f = {.arena = &a};
	struct node *root = NULL;
	struct every every;
	int rc = node_parse_yaml(str_bytes(data, size), "fuzz", &f, &root);
	FUZZ_CHECK((rc == 0) == (f.count == 0));
	if (rc == 0)
		rc = kind_decode(&every_kind, root, &a, &every, &f);
	FUZZ_CHECK((rc == 0) == (f.count == 0));
	for (const struct finding *finding = f.first; finding; finding = finding->next)
		FUZZ_CHECK(finding->problem.n > 0 && str_utf8_valid(finding->problem));
	if (rc == 0 && root)
		check_again(root);
	return 0;
}
