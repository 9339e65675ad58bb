// SPDX-License-Identifier: Apache-2.0
// XML as pocket clouds read it (S3's and Azure's lists): what is read can be written, and reads back as the same tree.
#include <string.h>

#include "fuzz.h"
#include "pocket/xml.h"

// With a prefix, since a local name alone may begin with what no name begins with; text is trimmed and escaped.
static void write_tree(const struct xml_node *n, struct buf *out)
{
	buf_printf(out, "<p:%.*s>", STR(n->name));
	xml_text(out, n->text);
	for (const struct xml_node *child = n->first; child; child = child->next) {
		FUZZ_CHECK(child->parent == n);
		write_tree(child, out);
	}
	buf_printf(out, "</p:%.*s>", STR(n->name));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena) a = {0};
	AUTO(buf) first = {0};
	AUTO(buf) second = {0};
	struct xml_node *root = NULL, *again = NULL;
	struct err e = {0};
	if (pocket_xml_parse(str_bytes(data, size), &a, &root, &e) < 0) {
		FUZZ_CHECK(!root && e.code && e.message[0]);
		return 0;
	}
	FUZZ_CHECK(root);
	write_tree(root, &first);
	FUZZ_CHECK(pocket_xml_parse(buf_str(&first), &a, &again, &e) == 0);
	write_tree(again, &second);
	FUZZ_CHECK(str_eq(buf_str(&first), buf_str(&second)));
	return 0;
}
