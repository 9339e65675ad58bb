// SPDX-License-Identifier: Apache-2.0
// Conditional requests: see condition.h. The order is RFC 9110 13.2.2's: If-Match hides If-Unmodified-Since,
// If-None-Match hides If-Modified-Since.
#include "pocket/condition.h"

#include <stdio.h>

#include "base/time.h"

static struct str header(const struct http_headers *h, const char *prefix, const char *name)
{
	char full[64];
	snprintf(full, sizeof(full), "%s%s", prefix, name);
	struct str value = http_header_get(h, full);
	return value.p ? value : S("");
}

void condition_read(const struct http_headers *h, const char *prefix, struct condition *out)
{
	out->if_match = header(h, prefix, "if-match");
	out->if_none_match = header(h, prefix, "if-none-match");
	out->has_modified_since =
		time_parse_http_date(header(h, prefix, "if-modified-since"), &out->modified_since_ns) == 0;
	out->has_unmodified_since =
		time_parse_http_date(header(h, prefix, "if-unmodified-since"), &out->unmodified_since_ns) == 0;
}

// Whether a list of etags, with or without quotes and weak marks, holds etag.
static bool list_has(struct str list, struct str etag)
{
	struct str item;
	while (str_next(&list, ',', &item)) {
		item = str_trim(item);
		if (str_starts(item, S("W/")))
			item = str_drop(item, 2);
		if (item.n >= 2 && item.p[0] == '"' && item.p[item.n - 1] == '"')
			item = str_take(str_drop(item, 1), item.n - 2);
		if (str_eq(item, etag) || str_eq(item, S("*")))
			return true;
	}
	return false;
}

// HTTP dates have seconds: what changed within the same second counts as not modified since.
static bool modified_after(const struct record *r, int64_t since_ns)
{
	return r->modified_ns / NS_PER_S > since_ns / NS_PER_S;
}

static enum condition_result check_http(const struct condition *c, const struct record *r)
{
	bool any = str_eq(str_trim(c->if_none_match), S("*"));
	if (c->if_match.n && !r)
		return CONDITION_ABSENT;
	if (c->if_match.n && !list_has(c->if_match, r->etag))
		return CONDITION_FAILED;
	if (!r)
		return CONDITION_HOLDS;
	if (!c->if_match.n && c->has_unmodified_since && modified_after(r, c->unmodified_since_ns))
		return CONDITION_FAILED;
	if (c->if_none_match.n && list_has(c->if_none_match, r->etag))
		return any ? CONDITION_EXISTS : CONDITION_NOT_MODIFIED;
	if (!c->if_none_match.n && c->has_modified_since && !modified_after(r, c->modified_since_ns))
		return CONDITION_NOT_MODIFIED;
	return CONDITION_HOLDS;
}

static enum condition_result check_generations(const struct condition *c, const struct record *r)
{
	int64_t generation = r ? r->generation : 0, metageneration = r ? r->metageneration : 0;
	if (c->generation_match.set && c->generation_match.value != generation)
		return c->generation_match.value == 0 ? CONDITION_EXISTS : CONDITION_FAILED;
	if (c->metageneration_match.set && c->metageneration_match.value != metageneration)
		return CONDITION_FAILED;
	if (c->generation_not_match.set && c->generation_not_match.value == generation)
		return CONDITION_NOT_MODIFIED;
	if (c->metageneration_not_match.set && r && c->metageneration_not_match.value == metageneration)
		return CONDITION_NOT_MODIFIED;
	return CONDITION_HOLDS;
}

enum condition_result condition_check(const struct condition *c, const struct record *current)
{
	enum condition_result result = check_http(c, current);
	return result == CONDITION_HOLDS ? check_generations(c, current) : result;
}
