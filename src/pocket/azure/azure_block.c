// SPDX-License-Identifier: Apache-2.0
// Blocks: Put Block stages a piece under its id, Put Block List makes the blob of staged and committed ones, Get Block
// List shows both. The staged blocks of a blob are one upload of the store, whose id comes from the blob's name.
#include <stdio.h>
#include <string.h>

#include "pocket/azure/azure_impl.h"

static void upload_id(struct str key, char out[UPLOAD_ID_MAX + 1])
{
	struct sha256 digest = sha256_of(key);
	char hex[HEX_SHA256_SIZE];
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	snprintf(out, UPLOAD_ID_MAX + 1, "blocks-%.48s", hex);
}

static struct upload *find_blocks(const struct bucket *b, struct str key)
{
	char id[UPLOAD_ID_MAX + 1];
	upload_id(key, id);
	return objects_upload_find(b, str_of(id));
}

void azure_drop_blocks(struct bucket *b, struct str key)
{
	struct upload *u = find_blocks(b, key);
	if (u)
		objects_upload_drop(b, u);
}

// ---------------------------------------------------------------- Put Block

// Bytes behind a block id in base64; 0 when it is none.
static size_t id_size(struct str id)
{
	AUTO(buf) bytes = {.limit = AZURE_MAX_BLOCK_ID};
	return base64_decode(id, &bytes) < 0 ? 0 : bytes.n;
}

// All ids of a blob have one length: committed and staged.
static int check_id(struct front_request *r, const struct bucket *b, struct str id)
{
	size_t size = id_size(id);
	const struct upload *u = find_blocks(b, r->key);
	const struct object *o = objects_find(b, r->key);
	if (size == 0)
		return azure_refuse(r, "InvalidBlockId");
	if (u && u->count && id_size(u->pieces[0]->key) != size)
		return azure_refuse(r, "InvalidBlobOrBlock");
	if (o && o->record->piece_count && o->record->pieces[0].name.n && id_size(o->record->pieces[0].name) != size)
		return azure_refuse(r, "InvalidBlobOrBlock");
	if (u && u->count >= AZURE_MAX_UNCOMMITTED && !upload_piece_find(u, id))
		return azure_refuse(r, "BlockCountExceedsLimit");
	return 0;
}

static int store_block(struct front_request *r, struct bucket *b)
{
	char id[UPLOAD_ID_MAX + 1];
	struct upload *u = find_blocks(b, r->key);
	struct record blob = {.key = r->key}, block = {.key = azure_state(r)->block};
	upload_id(r->key, id);
	int rc = u ? 0 : objects_upload_create(b, &blob, str_of(id), &u, &r->err);
	return rc < 0 ? rc : objects_upload_piece(b, u, front_take_writer(r), &block, &r->err);
}

static void block_done(struct front_request *r)
{
	struct bucket *b = NULL;
	struct digests d = *writer_digests(r->writer);
	int rc = azure_body_verify(r, &d);
	if (rc == 0)
		rc = azure_container(r, &b);
	if (rc == 0)
		rc = check_id(r, b, azure_state(r)->block);
	if (rc == 0)
		rc = store_block(r, b);
	if (rc < 0) {
		azure_fail(r);
		return;
	}
	if (d.have & HASH_MD5)
		front_add(r, "content-md5", front_base64_text(r, str_bytes(d.md5, MD5_SIZE)));
	else
		front_add(r, "x-ms-content-crc64", azure_crc64_text(r, &d));
	front_add(r, "x-ms-request-server-encrypted", S("true"));
	front_reply(r, 201, S(""));
}

void azure_put_block(struct front_request *r)
{
	struct bucket *b = NULL;
	struct str id = front_query(r, "blockid");
	int rc = id.n ? azure_check_wishes(r) : azure_refuse(r, "MissingRequiredQueryParameter");
	if (rc == 0 && front_header(r, "x-ms-copy-source").n)
		rc = azure_refuse(r, "NotImplemented"); // Put Block From URL
	if (rc == 0)
		rc = azure_container(r, &b);
	if (rc == 0)
		rc = check_id(r, b, id);
	if (rc == 0 && r->x->request.length == 0)
		rc = azure_refuse(r, "InvalidHeaderValue"); // an empty block
	if (rc < 0) {
		azure_fail(r);
		return;
	}
	azure_state(r)->block = id;
	azure_body_stream(r, HASH_CRC64NVME, AZURE_MAX_BLOCK, block_done);
}

// ---------------------------------------------------------------- Put Block List

// The committed block of that id; -1 when there is none.
static ptrdiff_t find_committed(const struct object *o, struct str id)
{
	for (size_t i = 0; o && i < o->record->piece_count; i++)
		if (str_eq(o->record->pieces[i].name, id))
			return (ptrdiff_t)i;
	return -1;
}

struct commit {
	struct front_request *r;
	const struct upload *staged;  // may be NULL
	const struct object *current; // may be NULL
	struct assembly *as;
	ptrdiff_t next; // where the next committed block is likely to be: lists mostly keep their order
};

static ptrdiff_t find_next_committed(struct commit *c, struct str id)
{
	bool likely = c->current && (size_t)c->next < c->current->record->piece_count;
	ptrdiff_t at = likely && str_eq(c->current->record->pieces[c->next].name, id) ? c->next
										      : find_committed(c->current, id);
	c->next = at + 1;
	return at;
}

static int add_block(struct commit *c, const struct xml_node *item)
{
	bool latest = str_eq(item->name, S("Latest"));
	bool staged = latest || str_eq(item->name, S("Uncommitted")),
	     committed = latest || str_eq(item->name, S("Committed"));
	if (!staged && !committed)
		return azure_refuse(c->r, "InvalidXmlDocument");
	const struct record *block = staged && c->staged ? upload_piece_find(c->staged, item->text) : NULL;
	if (block)
		return assembly_add_upload(c->as, c->staged, block, &c->r->err);
	ptrdiff_t at = committed ? find_next_committed(c, item->text) : -1;
	if (at < 0)
		return azure_refuse(c->r, "InvalidBlockList");
	return assembly_add_piece(c->as, c->current, (size_t)at, &c->r->err);
}

static int add_blocks(struct commit *c, const struct xml_node *root)
{
	size_t count = 0;
	int rc = str_eq(root->name, S("BlockList")) ? 0 : azure_refuse(c->r, "InvalidXmlDocument");
	for (const struct xml_node *n = root->first; n && rc == 0; n = n->next)
		rc = ++count > AZURE_MAX_BLOCKS ? azure_refuse(c->r, "BlockListTooLong") : add_block(c, n);
	return rc;
}

static int commit_list(struct front_request *r, struct bucket *b, const struct xml_node *root, struct object **out)
{
	struct commit c = {.r = r, .staged = find_blocks(b, r->key), .current = objects_find(b, r->key)};
	struct azure_state *s = azure_state(r);
	int rc = azure_check_blob_write(r, b);
	if (rc == 0)
		rc = assembly_begin(b, &c.as, &r->err);
	if (rc < 0)
		return rc;
	rc = add_blocks(&c, root);
	if (rc == 0)
		return objects_put_assembly(c.as, &s->draft, out, &r->err);
	assembly_abandon(c.as);
	return rc;
}

static void list_done(struct front_request *r, const struct xml_node *root)
{
	struct bucket *b = NULL;
	struct object *object = NULL;
	int rc = azure_container(r, &b);
	if (rc == 0)
		rc = commit_list(r, b, root, &object);
	if (rc < 0) {
		azure_fail(r);
		return;
	}
	azure_drop_blocks(b, r->key);
	azure_add_version(r, object->record);
	front_add(r, "x-ms-request-server-encrypted", S("true"));
	front_reply(r, 201, S(""));
}

void azure_put_block_list(struct front_request *r)
{
	struct azure_state *s = azure_state(r);
	struct bucket *b = NULL;
	s->draft.key = r->key;
	int rc = azure_check_wishes(r);
	if (rc == 0)
		rc = azure_container(r, &b);
	if (rc == 0)
		rc = azure_read_properties(r, false, &s->draft); // Content-Type is the XML's
	if (rc == 0)
		rc = azure_read_metadata(r, &s->draft);
	if (rc < 0)
		azure_fail(r);
	else
		azure_body_xml(r, list_done);
}

// ---------------------------------------------------------------- Get Block List

static void add_listed(struct buf *out, struct str name, uint64_t size)
{
	buf_add(out, S("<Block>"));
	xml_element(out, "Name", name);
	xml_number(out, "Size", size);
	buf_add(out, S("</Block>"));
}

static void write_lists(struct front_request *r, const struct object *o, const struct upload *u)
{
	AUTO(buf) out = {0};
	struct str type = front_query(r, "blocklisttype");
	bool all = str_eq_nocase(type, S("all"));
	azure_xml_begin(&out, "BlockList");
	if (!str_eq_nocase(type, S("uncommitted"))) {
		buf_add(&out, S("<CommittedBlocks>"));
		for (size_t i = 0; o && i < o->record->piece_count; i++)
			if (o->record->pieces[i].name.n)
				add_listed(&out, o->record->pieces[i].name, o->record->pieces[i].length);
		buf_add(&out, S("</CommittedBlocks>"));
	}
	if (all || str_eq_nocase(type, S("uncommitted"))) {
		buf_add(&out, S("<UncommittedBlocks>"));
		for (size_t i = 0; u && i < u->count; i++)
			add_listed(&out, u->pieces[i]->key, u->pieces[i]->size);
		buf_add(&out, S("</UncommittedBlocks>"));
	}
	buf_add(&out, S("</BlockList>"));
	azure_reply_xml(r, &out);
}

void azure_get_block_list(struct front_request *r)
{
	struct bucket *b = NULL;
	if (azure_container(r, &b) < 0) {
		azure_fail(r);
		return;
	}
	const struct object *o = objects_find(b, r->key);
	const struct upload *u = find_blocks(b, r->key);
	if (!o && !u) {
		azure_answer(r, "BlobNotFound");
		return;
	}
	if (o) {
		azure_add_version(r, o->record);
		front_addf(r, "x-ms-blob-content-length", "%llu", (unsigned long long)o->record->size);
	}
	write_lists(r, o, u);
}
