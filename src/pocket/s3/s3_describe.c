// SPDX-License-Identifier: Apache-2.0
// What S3 keeps beside the bytes: system headers, the user's metadata, checksums; from headers of a request, to those
// of an answer.
#include <string.h>

#include "pocket/s3/s3_impl.h"

const struct s3_checksum s3_checksums[] = {
	{HASH_CRC32, "CRC32", "x-amz-checksum-crc32", "ChecksumCRC32", 4, false},
	{HASH_CRC32C, "CRC32C", "x-amz-checksum-crc32c", "ChecksumCRC32C", 4, false},
	{HASH_CRC64NVME, "CRC64NVME", "x-amz-checksum-crc64nvme", "ChecksumCRC64NVME", 8, true},
	{HASH_SHA1, "SHA1", "x-amz-checksum-sha1", "ChecksumSHA1", SHA1_SIZE, false},
	{HASH_SHA256, "SHA256", "x-amz-checksum-sha256", "ChecksumSHA256", SHA256_SIZE, false},
};
const size_t s3_checksum_count = COUNT_OF(s3_checksums);

const struct s3_checksum *s3_checksum_of(enum hash_flags flag)
{
	for (size_t i = 0; i < s3_checksum_count; i++)
		if (s3_checksums[i].flag == flag)
			return &s3_checksums[i];
	return NULL;
}

const struct s3_checksum *s3_checksum_named(struct str name)
{
	for (size_t i = 0; i < s3_checksum_count; i++)
		if (str_eq_nocase(str_of(s3_checksums[i].name), name))
			return &s3_checksums[i];
	return NULL;
}

struct str s3_stored_checksum(const struct record *r, const struct s3_checksum **out)
{
	for (size_t i = 0; i < s3_checksum_count; i++) {
		*out = &s3_checksums[i];
		struct str value = pairs_get(&r->properties, str_of(s3_checksums[i].header));
		if (value.n)
			return value;
	}
	return S("");
}

// Headers kept as they come; those of them that begin with x-amz- have only these values.
static const char *const kept[] = {
	"content-type", "cache-control", "content-disposition", "content-encoding", "content-language", "expires"};

// What would change how the object is kept or who may read it.
static int check_wishes(struct front_request *r)
{
	static const char *const refused[] = {"x-amz-tagging", "x-amz-object-lock-mode", "x-amz-object-lock-legal-hold",
		"x-amz-object-lock-retain-until-date", "x-amz-website-redirect-location", "x-amz-write-offset-bytes",
		"x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption-aws-kms-key-id",
		"x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write-acp"};
	struct str acl = front_header(r, "x-amz-acl"), class = front_header(r, "x-amz-storage-class");
	struct str encryption = front_header(r, "x-amz-server-side-encryption");
	for (size_t i = 0; i < COUNT_OF(refused); i++)
		if (front_header(r, refused[i]).n)
			return s3_refuse_with(r, "NotImplemented", "A pocket cloud does not offer %s.", refused[i]);
	if (acl.n && !str_eq(acl, S("private")) && !str_eq(acl, S("bucket-owner-full-control")))
		return s3_refuse(r, "AccessControlListNotSupported");
	if (class.n && !str_eq(class, S("STANDARD")))
		return s3_refuse_with(r, "NotImplemented", "A pocket cloud has the storage class STANDARD alone.");
	if (encryption.n && !str_eq(encryption, S("AES256")))
		return s3_refuse_with(
			r, "NotImplemented", "A pocket cloud does not offer the encryption %.*s.", STR(encryption));
	return 0;
}

// content-encoding without aws-chunked, which names the transfer and not the object.
static struct str without_chunked(struct front_request *r, struct str value)
{
	AUTO(buf) out = {0};
	struct str item;
	while (str_next(&value, ',', &item)) {
		item = str_trim(item);
		if (item.n == 0 || str_eq_nocase(item, S("aws-chunked")))
			continue;
		if (out.n)
			buf_add(&out, S(","));
		buf_add(&out, item);
	}
	return arena_str(r->arena, buf_str(&out));
}

static int read_metadata(struct front_request *r, struct record *draft)
{
	const struct http_headers *h = &r->x->request.headers;
	size_t total = 0;
	for (size_t i = 0; i < h->count; i++) {
		const struct http_header *header = &h->items[i];
		if (!str_starts(header->name, S("x-amz-meta-")))
			continue;
		struct str name = str_drop(header->name, 11);
		total += name.n + header->value.n;
		if (total > S3_MAX_METADATA)
			return s3_refuse(r, "MetadataTooLarge");
		if (pairs_add(&draft->metadata, r->arena, name, header->value) < 0)
			return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	}
	return 0;
}

int s3_read_description(struct front_request *r, struct record *draft)
{
	int rc = check_wishes(r);
	for (size_t i = 0; i < COUNT_OF(kept) && rc == 0; i++) {
		struct str value = front_header(r, kept[i]);
		if (strcmp(kept[i], "content-encoding") == 0)
			value = without_chunked(r, value);
		if (strcmp(kept[i], "content-type") == 0 && value.n == 0)
			value = S("binary/octet-stream");
		if (value.n && pairs_add(&draft->properties, r->arena, str_of(kept[i]), value) < 0)
			rc = err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	}
	return rc < 0 ? rc : read_metadata(r, draft);
}

void s3_add_description(struct front_request *r, const struct record *record)
{
	for (size_t i = 0; i < COUNT_OF(kept); i++) {
		AUTO(buf) parameter = {0};
		buf_printf(&parameter, "response-%s", kept[i]);
		struct str wanted = front_query(r, buf_cstr(&parameter));
		front_add(r, kept[i], wanted.n ? wanted : pairs_get(&record->properties, str_of(kept[i])));
	}
	for (size_t i = 0; i < record->metadata.count; i++) {
		struct str name = arena_printf(r->arena, "x-amz-meta-%.*s", STR(record->metadata.items[i].name));
		if (name.p)
			front_add(r, name.p, record->metadata.items[i].value);
	}
	front_addf(r, "etag", "\"%.*s\"", STR(record->etag));
	front_add_date(r, "last-modified", record->modified_ns);
	front_add(r, "accept-ranges", S("bytes"));
}

void s3_add_checksum(struct front_request *r, const struct record *record)
{
	const struct s3_checksum *checksum = NULL;
	struct str value = s3_stored_checksum(record, &checksum);
	if (value.n == 0)
		return;
	front_add(r, checksum->header, value);
	front_add(r, "x-amz-checksum-type", pairs_get(&record->properties, S("x-amz-checksum-type")));
}
