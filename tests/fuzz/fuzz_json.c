// SPDX-License-Identifier: Apache-2.0
// JSON: what is read can be written, and what was written reads back as the same bytes, in both forms and through a
// tree.
#include <string.h>

#include "base/json.h"
#include "base/node.h"
#include "fuzz.h"

static void check_tree(const json_t *j, struct str written)
{
	AUTO(arena) a = {0};
	AUTO(buf) again = {0};
	const struct node *tree = node_of_json(j, &a);
	if (!tree) // deeper than a tree may be
		return;
	AUTO(json) back = node_to_json(tree);
	FUZZ_CHECK(back && json_write(back, &again, NULL) == 0);
	FUZZ_CHECK(str_eq(buf_str(&again), written));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(json) j = NULL;
	AUTO(json) twin = NULL;
	AUTO(buf) compact = {0};
	AUTO(buf) pretty = {0};
	AUTO(buf) again = {0};
	struct err e = {0};
	if (json_parse(str_bytes(data, size), &j, &e) < 0) {
		FUZZ_CHECK(!j && e.code && e.message[0]);
		return 0;
	}
	FUZZ_CHECK(json_write(j, &compact, &e) == 0 && json_write_pretty(j, &pretty, &e) == 0);
	FUZZ_CHECK(json_parse(buf_str(&pretty), &twin, &e) == 0 && json_write(twin, &again, &e) == 0);
	FUZZ_CHECK(str_eq(buf_str(&compact), buf_str(&again)));
	check_tree(j, buf_str(&compact));
	return 0;
}
