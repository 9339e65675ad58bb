// SPDX-License-Identifier: Apache-2.0
// What Blob Storage keeps beside the bytes: content properties and the user's metadata, from headers and to headers.
#include <string.h>

#include "pocket/azure/azure_impl.h"

// Under the name on the right in the record; "x-ms-blob-" plus that name sets it (but for cache-control, whose name is
// shorter).
static const struct {
	const char *own, *standard, *name;
} kept[] = {
	{"x-ms-blob-content-type", "content-type", "content-type"},
	{"x-ms-blob-content-encoding", "content-encoding", "content-encoding"},
	{"x-ms-blob-content-language", "content-language", "content-language"},
	{"x-ms-blob-content-disposition", NULL, "content-disposition"},
	{"x-ms-blob-cache-control", "cache-control", "cache-control"},
	{"x-ms-blob-content-md5", NULL, "content-md5"},
};

int azure_read_properties(struct front_request *r, bool standard, struct record *draft)
{
	unsigned char md5[MD5_SIZE];
	struct str given = front_header(r, "x-ms-blob-content-md5");
	if (given.n && front_base64(given, md5, MD5_SIZE) < 0)
		return azure_refuse(r, "InvalidMd5");
	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		struct str value = front_header(r, kept[i].own);
		if (value.n == 0 && standard && kept[i].standard)
			value = front_header(r, kept[i].standard);
		if (value.n == 0 && i == 0)
			value = S("application/octet-stream");
		if (value.n && pairs_add(&draft->properties, r->arena, str_of(kept[i].name), value) < 0)
			return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	}
	return 0;
}

// C# identifiers, as metadata must have them.
static bool name_valid(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
		if (!letter && !(i > 0 && c >= '0' && c <= '9'))
			return false;
	}
	return name.n > 0;
}

int azure_read_metadata(struct front_request *r, struct record *draft)
{
	const struct http_headers *h = &r->x->request.headers;
	size_t total = 0;
	for (size_t i = 0; i < h->count; i++) {
		if (!str_starts(h->items[i].name, S("x-ms-meta-")))
			continue;
		struct str name = str_drop(h->items[i].name, 10), value = h->items[i].value;
		total += name.n + value.n;
		if (!name_valid(name))
			return azure_refuse(r, "InvalidMetadata");
		if (total > AZURE_MAX_METADATA)
			return azure_refuse(r, "MetadataTooLarge");
		if (pairs_add(&draft->metadata, r->arena, name, value) < 0)
			return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	}
	return 0;
}

void azure_add_metadata(struct front_request *r, const struct record *record)
{
	for (size_t i = 0; i < record->metadata.count; i++) {
		struct str name = arena_printf(r->arena, "x-ms-meta-%.*s", STR(record->metadata.items[i].name));
		if (name.p)
			front_add(r, name.p, record->metadata.items[i].value);
	}
}

int azure_check_wishes(struct front_request *r)
{
	static const char *const refused[] = {"x-ms-encryption-key", "x-ms-encryption-key-sha256",
		"x-ms-encryption-scope", "x-ms-tags", "x-ms-immutability-policy-until-date",
		"x-ms-immutability-policy-mode", "x-ms-legal-hold", "x-ms-expiry-option"};
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (front_header(r, refused[i]).n)
			return azure_refuse_with(r, "NotImplemented", "A pocket cloud does not offer %s.", refused[i]);
	struct str tier = front_header(r, "x-ms-access-tier");
	if (tier.n && !str_eq_nocase(tier, S("Hot")))
		return azure_refuse_with(r, "NotImplemented", "A pocket cloud has the access tier Hot alone.");
	return 0;
}
