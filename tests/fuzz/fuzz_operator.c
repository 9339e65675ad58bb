// SPDX-License-Identifier: Apache-2.0
// The operator's file and the profiles of AWS: what a person, or another program, wrote. Any text is read to the end or
// refused with words; what was read holds what its checks promise; no error of a profile repeats a line.
#include <string.h>

#include "fuzz.h"
#include "base/ini.h"
#include "security/operator.h"

// libfyaml 0.7 leaks half a kilobyte when a quoted scalar in brackets is followed by another one.
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml";
}

static void read_profiles(struct str text)
{
	struct ini ini;
	struct ini_entry entry;
	struct err e = {0};
	struct str value;
	bool there;
	int last = 0, rc = ini_begin(&ini, text, &e);
	while (rc >= 0 && (rc = ini_next(&ini, &entry, &e)) > 0) {
		FUZZ_CHECK(entry.line > last && entry.section.n > 0);
		FUZZ_CHECK(entry.name.n || !entry.value.n);
		last = entry.line;
	}
	FUZZ_CHECK((rc < 0) == (e.code != 0));
	FUZZ_CHECK(rc == 0 || strncmp(e.message, "line ", 5) == 0 || strncmp(e.message, "the text", 8) == 0);
	err_clear(&e);
	FUZZ_CHECK((ini_find(text, S("default"), S("region"), &value, &there, &e) < 0) == (rc < 0));
}

static void read_operator(struct str text)
{
	AUTO(arena) a = {.limit = 256 << 20};
	struct findings f = {.arena = &a};
	struct node *root = NULL;
	struct operator_file op = {0};
	int rc = node_parse_yaml(text, "operator.yaml", &f, &root);
	if (rc == 0)
		rc = kind_decode(&operator_kind, root, &a, &op, &f);
	FUZZ_CHECK((rc == 0) == (f.count == 0));
	for (const struct finding *finding = f.first; finding; finding = finding->next)
		FUZZ_CHECK(finding->problem.n > 0 && str_utf8_valid(finding->problem));
	if (rc < 0)
		return;
	op.path = S("operator.yaml");
	const struct operator_secret *secrets = op.secrets.items;
	for (size_t i = 0; i < op.secrets.count; i++) {
		int allowed = operator_secret_allow(&op, secrets[i].name, S("host.example:443"), NULL);
		FUZZ_CHECK(allowed == 0 || allowed == ERR_DENIED);
		FUZZ_CHECK(secrets[i].hosts.count || allowed == ERR_DENIED); // without hosts, nowhere
	}
	FUZZ_CHECK(!operator_allows_path(&op, S("/usr/share/datasets/../x")));
	FUZZ_CHECK(!operator_cloud_find(&op, S("")));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_bytes(data, size);
	read_profiles(text);
	read_operator(text);
	return 0;
}
