// SPDX-License-Identifier: Apache-2.0
// S3's multipart uploads: begin, parts, completion, end. Parts are pieces of an upload of the store, named by their
// number in five digits; completion links them. Source of the checksum rules: "Checking object integrity", Amazon S3
// User Guide.
#include <stdio.h>
#include <string.h>

#include "pocket/s3/s3_impl.h"

#define ALGORITHM S("upload-algorithm")
#define TYPE S("upload-type")

// The checksum that a completed upload will have; CRC-64/NVME where the client did not choose.
static const struct s3_checksum *upload_checksum(const struct upload *u, bool *full)
{
	const struct s3_checksum *c = s3_checksum_named(pairs_get(&u->record->properties, ALGORITHM));
	*full = !c || str_eq(pairs_get(&u->record->properties, TYPE), S("FULL_OBJECT"));
	return c ? c : s3_checksum_of(HASH_CRC64NVME);
}

unsigned s3_part_hashes(const struct upload *u)
{
	bool full;
	return HASH_MD5 | upload_checksum(u, &full)->flag;
}

// ---------------------------------------------------------------- begin

static int read_algorithm(struct front_request *r, struct record *draft)
{
	struct str name = front_header(r, "x-amz-checksum-algorithm"), type = front_header(r, "x-amz-checksum-type");
	const struct s3_checksum *c = s3_checksum_named(name);
	if (name.n == 0)
		return 0;
	if (!c)
		return s3_refuse_with(r, "InvalidRequest", "Checksum algorithm provided is unsupported.");
	if (type.n == 0)
		type = c->full_object ? S("FULL_OBJECT") : S("COMPOSITE");
	bool full = str_eq_nocase(type, S("FULL_OBJECT")), composite = str_eq_nocase(type, S("COMPOSITE"));
	bool combines = c->flag & (HASH_CRC32 | HASH_CRC32C | HASH_CRC64NVME);
	if ((!full && !composite) || (full && !combines) || (composite && c->full_object))
		return s3_refuse_with(r, "InvalidRequest",
			"The %.*s checksum type cannot be used with the %s checksum algorithm.", STR(type), c->name);
	if (pairs_add(&draft->properties, r->arena, ALGORITHM, str_of(c->name)) < 0 ||
		pairs_add(&draft->properties, r->arena, TYPE, full ? S("FULL_OBJECT") : S("COMPOSITE")) < 0)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	front_add(r, "x-amz-checksum-algorithm", str_of(c->name));
	front_add(r, "x-amz-checksum-type", full ? S("FULL_OBJECT") : S("COMPOSITE"));
	return 0;
}

void s3_create_upload(struct front_request *r)
{
	AUTO(buf) out = {0};
	struct bucket *b = NULL;
	struct upload *u = NULL;
	struct record draft = {.key = r->key};
	int rc = s3_bucket(r, &b);
	if (rc == 0)
		rc = s3_read_description(r, &draft);
	if (rc == 0)
		rc = read_algorithm(r, &draft);
	if (rc == 0)
		rc = objects_upload_create(b, &draft, S(""), &u, &r->err);
	if (rc < 0) {
		s3_fail(r);
		return;
	}
	s3_xml_begin(&out, "InitiateMultipartUploadResult");
	xml_element(&out, "Bucket", r->bucket);
	xml_element(&out, "Key", r->key);
	xml_element(&out, "UploadId", str_of(u->id));
	buf_add(&out, S("</InitiateMultipartUploadResult>"));
	s3_reply_xml(r, &out);
}

// ---------------------------------------------------------------- parts

int s3_part_name(struct front_request *r, struct str *name)
{
	uint64_t number = 0;
	if (str_to_u64(front_query(r, "partNumber"), &number) < 0 || number < 1 || number > S3_MAX_PARTS)
		return s3_refuse_with(
			r, "InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive");
	*name = arena_printf(r->arena, "%05u", (unsigned)number);
	return name->p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

int s3_store_part(struct front_request *r, struct bucket *b, struct upload *u, struct record *draft)
{
	char etag[2 * MD5_SIZE + 1];
	hex_encode(str_bytes(writer_digests(r->writer)->md5, MD5_SIZE), etag);
	draft->etag = str_of(etag);
	return objects_upload_piece(b, u, front_take_writer(r), draft, &r->err);
}

static void part_done(struct front_request *r)
{
	struct s3_state *s = s3_state(r);
	struct bucket *b = NULL;
	struct upload *u = NULL;
	struct record draft = {.key = s->part};
	int rc = s3_body_verify(r);
	if (rc == 0)
		rc = s3_upload(r, &b, &u);
	if (rc == 0)
		rc = s3_store_part(r, b, u, &draft);
	if (rc < 0) {
		s3_fail(r);
		return;
	}
	front_addf(r, "etag", "\"%.*s\"", STR(upload_piece_find(u, s->part)->etag));
	if (s->algorithm)
		front_add(r, s3_checksum_of(s->algorithm)->header, s->checksum);
	front_reply(r, 200, S(""));
}

void s3_upload_part(struct front_request *r)
{
	struct bucket *b = NULL;
	struct upload *u = NULL;
	if (s3_upload(r, &b, &u) < 0 || s3_part_name(r, &s3_state(r)->part) < 0) {
		s3_fail(r);
		return;
	}
	s3_body_stream(r, s3_part_hashes(u), part_done);
}

void s3_abort_upload(struct front_request *r)
{
	struct bucket *b = NULL;
	struct upload *u = NULL;
	if (s3_upload(r, &b, &u) < 0) {
		s3_fail(r);
		return;
	}
	objects_upload_drop(b, u);
	front_reply(r, 204, S(""));
}

// ---------------------------------------------------------------- completion

struct completion {
	struct front_request *r;
	struct bucket *b;
	struct upload *u;
	struct assembly *as;
	const struct s3_checksum *checksum;
	bool full;
	struct buf md5s, digests; // of the parts, one behind the other
	size_t count;
	uint64_t last_number;
	uint64_t last_size;
};

static struct str without_quotes(struct str s)
{
	return s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"' ? str_take(str_drop(s, 1), s.n - 2) : s;
}

static int check_part_checksum(struct completion *c, const struct xml_node *item, const struct record *piece)
{
	for (size_t i = 0; i < s3_checksum_count; i++) {
		struct str value = pocket_xml_child_text(item, s3_checksums[i].element);
		unsigned char bytes[SHA256_SIZE], said[SHA256_SIZE];
		size_t n = digests_bytes(&piece->digests, s3_checksums[i].flag, bytes);
		if (value.n && n && (front_base64(value, said, n) < 0 || memcmp(said, bytes, n) != 0))
			return s3_refuse(c->r, "InvalidPart");
	}
	return 0;
}

static int add_part(struct completion *c, const struct xml_node *item)
{
	uint64_t number = 0;
	char name[16];
	if (str_to_u64(pocket_xml_child_text(item, "PartNumber"), &number) < 0 || number < 1 || number > S3_MAX_PARTS)
		return s3_refuse(c->r, "MalformedXML");
	if (number <= c->last_number)
		return s3_refuse(c->r, "InvalidPartOrder");
	snprintf(name, sizeof(name), "%05u", (unsigned)number);
	const struct record *piece = upload_piece_find(c->u, str_of(name));
	if (!piece || !str_eq(without_quotes(pocket_xml_child_text(item, "ETag")), piece->etag))
		return s3_refuse(c->r, "InvalidPart");
	if (c->count && c->last_size < S3_MIN_PART)
		return s3_refuse(c->r, "EntityTooSmall");
	int rc = check_part_checksum(c, item, piece);
	if (rc < 0)
		return rc;
	unsigned char bytes[SHA256_SIZE];
	buf_add_bytes(&c->md5s, piece->digests.md5, MD5_SIZE);
	buf_add_bytes(&c->digests, bytes, digests_bytes(&piece->digests, c->checksum->flag, bytes));
	c->last_number = number;
	c->last_size = piece->size;
	c->count++;
	return assembly_add_upload(c->as, c->u, piece, &c->r->err);
}

static int add_parts(struct completion *c, const struct xml_node *root)
{
	int rc = 0;
	if (!str_eq(root->name, S("CompleteMultipartUpload")) || !pocket_xml_child(root, "Part"))
		return s3_refuse(c->r, "MalformedXML");
	for (const struct xml_node *n = root->first; n && rc == 0; n = n->next)
		if (str_eq(n->name, S("Part")))
			rc = add_part(c, n);
	return rc;
}

// The checksum of the whole: combined from the parts', or the digest of their digests with their number.
static int whole_checksum(struct completion *c, struct str *out)
{
	struct front_request *r = c->r;
	unsigned char bytes[SHA256_SIZE];
	struct digests d;
	if (c->full) {
		*out = front_base64_text(
			r, str_bytes(bytes, digests_bytes(assembly_digests(c->as), c->checksum->flag, bytes)));
		return out->p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	}
	int rc = front_digests(r, buf_str(&c->digests), c->checksum->flag, &d);
	if (rc < 0)
		return rc;
	struct str text = front_base64_text(r, str_bytes(bytes, digests_bytes(&d, c->checksum->flag, bytes)));
	*out = arena_printf(r->arena, "%.*s-%zu", STR(text), c->count);
	return out->p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

// The client may say what checksum and size it expects of the whole.
static int check_whole(struct completion *c, struct str checksum)
{
	struct front_request *r = c->r;
	struct str expected = front_header(r, c->checksum->header), size = front_header(r, "x-amz-mp-object-size");
	uint64_t bytes = 0;
	if (expected.n && !str_eq(expected, checksum))
		return s3_refuse_with(r, "BadDigest", "The %s you specified did not match the calculated checksum.",
			c->checksum->name);
	if (size.n && (str_to_u64(size, &bytes) < 0 || bytes != assembly_size(c->as)))
		return s3_refuse_with(r, "InvalidRequest",
			"The provided 'x-amz-mp-object-size' header does not match what was computed.");
	return 0;
}

static int describe(struct completion *c, struct str checksum, struct record *draft)
{
	struct front_request *r = c->r;
	const struct pairs *from = &c->u->record->properties;
	unsigned char md5[MD5_SIZE];
	char hex[2 * MD5_SIZE + 1];
	bool ok = true;
	for (size_t i = 0; i < from->count && ok; i++)
		if (!str_eq(from->items[i].name, ALGORITHM) && !str_eq(from->items[i].name, TYPE))
			ok = pairs_add(&draft->properties, r->arena, from->items[i].name, from->items[i].value) == 0;
	ok = ok && pairs_add(&draft->properties, r->arena, str_of(c->checksum->header), checksum) == 0;
	ok = ok && pairs_add(&draft->properties, r->arena, S("x-amz-checksum-type"),
			   c->full ? S("FULL_OBJECT") : S("COMPOSITE")) == 0;
	md5_of(buf_str(&c->md5s), md5);
	hex_encode(str_bytes(md5, MD5_SIZE), hex);
	draft->key = r->key;
	draft->metadata = c->u->record->metadata;
	draft->etag = arena_printf(r->arena, "%s-%zu", hex, c->count);
	return ok && draft->etag.p && !c->md5s.failed && !c->digests.failed
		       ? 0
		       : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

static int assemble(struct completion *c, const struct xml_node *root, struct object **out)
{
	struct front_request *r = c->r;
	struct record draft = {0};
	struct str checksum = {0};
	int rc = s3_check_write(r, c->b);
	if (rc == 0)
		rc = assembly_begin(c->b, &c->as, &r->err);
	if (rc == 0)
		rc = add_parts(c, root);
	if (rc == 0)
		rc = whole_checksum(c, &checksum);
	if (rc == 0)
		rc = check_whole(c, checksum);
	if (rc == 0)
		rc = describe(c, checksum, &draft);
	if (rc < 0) {
		assembly_abandon(c->as);
		return rc;
	}
	return objects_put_assembly(c->as, &draft, out, &r->err);
}

static void reply_completed(struct front_request *r, const struct record *o)
{
	AUTO(buf) out = {0};
	const struct s3_checksum *checksum = NULL;
	struct str value = s3_stored_checksum(o, &checksum);
	s3_xml_begin(&out, "CompleteMultipartUploadResult");
	buf_printf(&out, "<Location>%s", pocket_url(r->pocket));
	xml_text(&out, r->x->request.path);
	buf_add(&out, S("</Location>"));
	xml_element(&out, "Bucket", r->bucket);
	xml_element(&out, "Key", r->key);
	s3_xml_etag(&out, o);
	xml_element(&out, checksum->element, value);
	xml_element(&out, "ChecksumType", pairs_get(&o->properties, S("x-amz-checksum-type")));
	buf_add(&out, S("</CompleteMultipartUploadResult>"));
	s3_reply_xml(r, &out);
}

static void complete(struct front_request *r, const struct xml_node *root)
{
	struct completion c = {.r = r};
	struct object *made = NULL;
	int rc = s3_upload(r, &c.b, &c.u);
	if (rc == 0) {
		c.checksum = upload_checksum(c.u, &c.full);
		rc = assemble(&c, root, &made);
	}
	buf_free(&c.md5s);
	buf_free(&c.digests);
	if (rc < 0) {
		s3_fail(r);
		return;
	}
	objects_upload_drop(c.b, c.u);
	reply_completed(r, made->record);
}

void s3_complete_upload(struct front_request *r)
{
	struct bucket *b = NULL;
	struct upload *u = NULL;
	if (s3_upload(r, &b, &u) < 0)
		s3_fail(r);
	else
		s3_body_xml_unchecked(r, complete);
}
