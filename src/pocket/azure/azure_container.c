// SPDX-License-Identifier: Apache-2.0
// Blob Storage's operations on the account and on containers.
#include <string.h>

#include "base/time.h"
#include "pocket/azure/azure_impl.h"

// Nothing here is stored per account; clients look at the kind before they pick a way of uploading.
void azure_account_properties(struct front_request *r)
{
	AUTO(buf) out = {0};
	if (!str_eq(front_query(r, "restype"), S("account"))) {
		azure_xml_begin(&out, "StorageServiceProperties");
		buf_add(&out,
			S("<DefaultServiceVersion>2021-12-02</DefaultServiceVersion></StorageServiceProperties>"));
		azure_reply_xml(r, &out);
		return;
	}
	front_add(r, "x-ms-sku-name", S("Standard_LRS"));
	front_add(r, "x-ms-account-kind", S("StorageV2"));
	front_add(r, "x-ms-is-hns-enabled", S("false"));
	front_reply(r, 200, S(""));
}

static void add_metadata(struct buf *out, const struct record *record)
{
	buf_add(out, S("<Metadata>"));
	for (size_t i = 0; i < record->metadata.count; i++) {
		AUTO(buf) name = {0};
		buf_add(&name, record->metadata.items[i].name);
		xml_element(out, buf_cstr(&name), record->metadata.items[i].value);
	}
	buf_add(out, S("</Metadata>"));
}

static void add_container(struct buf *out, const struct record *record, bool metadata)
{
	char etag[OBJECT_ETAG_SIZE], date[TIME_TEXT_SIZE];
	azure_etag(record, etag);
	time_http_date(record->modified_ns, date);
	buf_add(out, S("<Container>"));
	xml_element(out, "Name", record->key);
	buf_printf(out,
		"<Properties><Last-Modified>%s</Last-Modified><Etag>%s</Etag><LeaseStatus>unlocked</LeaseStatus>"
		"<LeaseState>available</LeaseState><HasImmutabilityPolicy>false</HasImmutabilityPolicy>"
		"<HasLegalHold>false</HasLegalHold></Properties>",
		date, etag);
	if (metadata)
		add_metadata(out, record);
	buf_add(out, S("</Container>"));
}

void azure_list_containers(struct front_request *r)
{
	AUTO(buf) out = {0};
	struct str after = {0}, prefix = front_query(r, "prefix"), last = {0};
	size_t limit = 0, count = 0;
	if (azure_read_page(r, &after, &limit) < 0) {
		azure_fail(r);
		return;
	}
	bool metadata = http_list_has(front_query(r, "include"), S("metadata"));
	buf_printf(&out, "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"%s/\">",
		pocket_url(r->pocket));
	xml_element(&out, "Prefix", prefix);
	xml_element(&out, "Marker", front_query(r, "marker"));
	xml_number(&out, "MaxResults", limit);
	buf_add(&out, S("<Containers>"));
	const struct index_node *n = objects_buckets(r->store, str_cmp(after, prefix) > 0 ? after : prefix);
	if (n && after.n && str_eq(n->key, after))
		n = index_next(n);
	for (; n && str_starts(n->key, prefix) && count < limit; n = index_next(n), count++) {
		add_container(&out, bucket_record(n->value), metadata);
		last = n->key;
	}
	buf_add(&out, S("</Containers>"));
	bool more = n && str_starts(n->key, prefix);
	xml_element(&out, "NextMarker", more ? front_base64_text(r, last) : S(""));
	buf_add(&out, S("</EnumerationResults>"));
	azure_reply_xml(r, &out);
}

// 3 to 63 of a-z, 0-9 and single hyphens between them.
static bool name_valid(struct str name)
{
	if (name.n < 3 || name.n > 63)
		return false;
	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];
		bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
		bool hyphen = c == '-' && i > 0 && i + 1 < name.n && name.p[i - 1] != '-';
		if (!letter && !hyphen)
			return false;
	}
	return true;
}

void azure_create_container(struct front_request *r)
{
	struct bucket *b = NULL;
	struct record draft = {.key = r->bucket};
	int rc = name_valid(r->bucket) ? 0 : azure_refuse(r, "InvalidResourceName");
	if (rc == 0 && front_header(r, "x-ms-blob-public-access").n)
		rc = azure_refuse(r, "PublicAccessNotPermitted");
	if (rc == 0)
		rc = azure_check_wishes(r);
	if (rc == 0)
		rc = azure_read_metadata(r, &draft);
	if (rc == 0) {
		rc = objects_bucket_create(r->store, &draft, &b, &r->err);
		if (rc == ERR_EXISTS)
			azure_refuse(r, "ContainerAlreadyExists");
	}
	if (rc < 0) {
		azure_fail(r);
		return;
	}
	azure_add_version(r, bucket_record(b));
	front_reply(r, 201, S(""));
}

void azure_get_container(struct front_request *r)
{
	struct bucket *b = NULL;
	if (azure_container(r, &b) < 0) {
		azure_fail(r);
		return;
	}
	azure_add_version(r, bucket_record(b));
	azure_add_metadata(r, bucket_record(b));
	if (!front_query_has(r, "comp")) {
		front_add(r, "x-ms-lease-status", S("unlocked"));
		front_add(r, "x-ms-lease-state", S("available"));
		front_add(r, "x-ms-has-immutability-policy", S("false"));
		front_add(r, "x-ms-has-legal-hold", S("false"));
	}
	front_reply(r, 200, S(""));
}

void azure_set_container_metadata(struct front_request *r)
{
	struct bucket *b = NULL;
	struct record draft = {0};
	int rc = azure_container(r, &b);
	if (rc == 0)
		rc = azure_check_write(r, bucket_record(b));
	if (rc == 0)
		rc = azure_read_metadata(r, &draft);
	if (rc == 0) {
		draft.properties = bucket_record(b)->properties;
		rc = objects_bucket_update(b, &draft, &r->err);
	}
	if (rc < 0) {
		azure_fail(r);
		return;
	}
	azure_add_version(r, bucket_record(b));
	front_reply(r, 200, S(""));
}

void azure_get_container_acl(struct front_request *r)
{
	AUTO(buf) out = {0};
	struct bucket *b = NULL;
	if (azure_container(r, &b) < 0) {
		azure_fail(r);
		return;
	}
	azure_add_version(r, bucket_record(b));
	azure_xml_begin(&out, "SignedIdentifiers");
	buf_add(&out, S("</SignedIdentifiers>"));
	azure_reply_xml(r, &out);
}

void azure_delete_container(struct front_request *r)
{
	struct bucket *b = NULL;
	int rc = azure_container(r, &b);
	if (rc == 0)
		rc = azure_check_write(r, bucket_record(b));
	if (rc == 0)
		rc = objects_bucket_delete(r->store, r->bucket, true, &r->err); // with all that is in it, as Azure does
	if (rc < 0)
		azure_fail(r);
	else
		front_reply(r, 202, S(""));
}

// ---------------------------------------------------------------- blobs of a container

// Names that XML cannot hold are percent-encoded and marked, as the service does since 2021-02-12.
static void add_name(struct buf *out, struct str name)
{
	if (xml_can_hold(name)) {
		xml_element(out, "Name", name);
		return;
	}
	buf_add(out, S("<Name Encoded=\"true\">"));
	sign_uri_encode(name, "/", out);
	buf_add(out, S("</Name>"));
}

static void add_properties(struct buf *out, const struct record *record)
{
	static const struct {
		const char *element, *name;
	} shown[] = {{"Content-Type", "content-type"}, {"Content-Encoding", "content-encoding"},
		{"Content-Language", "content-language"}, {"Content-MD5", "content-md5"},
		{"Cache-Control", "cache-control"}, {"Content-Disposition", "content-disposition"}};
	char created[TIME_TEXT_SIZE], modified[TIME_TEXT_SIZE];
	time_http_date(record->created_ns, created);
	time_http_date(record->modified_ns, modified);
	buf_printf(out, "<Properties><Creation-Time>%s</Creation-Time><Last-Modified>%s</Last-Modified>", created,
		modified);
	xml_element(out, "Etag", record->etag);
	xml_number(out, "Content-Length", record->size);
	for (size_t i = 0; i < COUNT_OF(shown); i++)
		xml_element(out, shown[i].element, pairs_get(&record->properties, str_of(shown[i].name)));
	buf_add(out, S("<BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier><AccessTierInferred>true</"
		       "AccessTierInferred>"
		       "<LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState><ServerEncrypted>true</"
		       "ServerEncrypted></Properties>"));
}

static void add_entry(struct buf *out, const struct objects_entry *entry, bool metadata)
{
	if (!entry->record) {
		buf_add(out, S("<BlobPrefix>"));
		add_name(out, entry->prefix);
		buf_add(out, S("</BlobPrefix>"));
		return;
	}
	buf_add(out, S("<Blob>"));
	add_name(out, entry->record->key);
	add_properties(out, entry->record);
	if (metadata)
		add_metadata(out, entry->record);
	buf_add(out, S("</Blob>"));
}

static int list_page(struct front_request *r, struct objects_query *q, struct objects_page *page)
{
	struct bucket *b = NULL;
	q->prefix = front_query(r, "prefix");
	q->delimiter = front_query(r, "delimiter");
	int rc = azure_read_page(r, &q->after, &q->limit);
	if (rc == 0)
		rc = azure_container(r, &b);
	return rc < 0 ? rc : objects_list_page(b, q, r->arena, page, &r->err);
}

void azure_list_blobs(struct front_request *r)
{
	AUTO(buf) out = {0};
	struct objects_query q = {0};
	struct objects_page page = {0};
	if (list_page(r, &q, &page) < 0) {
		azure_fail(r);
		return;
	}
	bool metadata = http_list_has(front_query(r, "include"), S("metadata"));
	buf_printf(&out,
		"<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"%s/\" "
		"ContainerName=\"%.*s\">",
		pocket_url(r->pocket), STR(r->bucket));
	xml_element(&out, "Prefix", q.prefix);
	xml_element(&out, "Marker", front_query(r, "marker"));
	xml_number(&out, "MaxResults", q.limit);
	if (q.delimiter.n)
		xml_element(&out, "Delimiter", q.delimiter);
	buf_add(&out, S("<Blobs>"));
	for (size_t i = 0; i < page.count; i++)
		add_entry(&out, &page.entries[i], metadata);
	buf_add(&out, S("</Blobs>"));
	xml_element(&out, "NextMarker", page.next.n ? front_base64_text(r, page.next) : S(""));
	buf_add(&out, S("</EnumerationResults>"));
	azure_reply_xml(r, &out);
}
