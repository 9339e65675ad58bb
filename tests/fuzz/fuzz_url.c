// SPDX-License-Identifier: Apache-2.0
// URLs, paths, queries and ranges of hostile bytes. A normal path is its own normal form and holds nothing ambiguous;
// coding and decoding undo each other.
#include <string.h>

#include "fuzz.h"
#include "net/guard.h"
#include "net/range.h"
#include "net/url.h"

static void check_path(struct str text)
{
	AUTO(buf) once = {0}, twice = {0};
	if (url_normalise_path(text, &once, NULL))
		return;
	FUZZ_CHECK(once.n >= 1 && once.p[0] == '/');
	FUZZ_CHECK(str_find(buf_str(&once), S("//")) < 0);
	FUZZ_CHECK(str_find(buf_str(&once), S("/../")) < 0 && str_find(buf_str(&once), S("/./")) < 0);
	FUZZ_CHECK(!str_ends(buf_str(&once), S("/..")) && !str_ends(buf_str(&once), S("/.")));
	FUZZ_CHECK(str_find(buf_str(&once), S("%2F")) < 0 && str_find(buf_str(&once), S("%2f")) < 0);
	FUZZ_CHECK(url_normalise_path(buf_str(&once), &twice, NULL) == 0);
	FUZZ_CHECK(str_eq(buf_str(&once), buf_str(&twice)));
}

static void check_coding(struct str text)
{
	AUTO(buf) coded = {0}, back = {0};
	url_encode(text, S(""), &coded);
	bool has_nul = text.n && memchr(text.p, 0, text.n);
	FUZZ_CHECK((url_decode(buf_str(&coded), &back) == 0) == !has_nul);
	FUZZ_CHECK(has_nul || str_eq(buf_str(&back), text));
}

static void check_url(struct str text)
{
	struct url u;
	struct address a;
	if (url_parse(text, &u, NULL))
		return;
	FUZZ_CHECK(u.authority.host.n > 0 && u.port > 0);
	FUZZ_CHECK(u.target.n > 0 && u.target.p[0] == '/');
	FUZZ_CHECK(str_find_char(u.authority.host, '@') < 0);
	bool literal = address_of_literal(u.authority.host, u.port, &a) == 0;
	FUZZ_CHECK(!literal ||
		   u.authority.type != URL_HOST_NAME); // what the system reads as an address is known to be one
	struct str rest = u.query, name, value;
	while (rest.p && url_query_next(&rest, &name, &value))
		FUZZ_CHECK(name.n + value.n <= u.query.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str text = str_bytes(data, size);
	struct range range;
	check_url(text);
	check_path(text);
	check_coding(text);
	if (range_parse(text, 1000, &range) == RANGE_PART)
		FUZZ_CHECK(range.first <= range.last && range.last < 1000);
	return 0;
}
