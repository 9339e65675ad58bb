// SPDX-License-Identifier: Apache-2.0
// S3: who asks (SigV4), and for what (one table of operations). Runs on the pocket's loop.
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "pocket/aws/session.h"
#include "pocket/s3/s3_impl.h"

struct s3_state *s3_state(struct front_request *r)
{
	return r->own;
}

// ---------------------------------------------------------------- who asks

static int authenticate(struct front_request *r)
{
	struct s3_state *s = s3_state(r);
	if (!str_eq(s->claim.service, S("s3")))
		return s3_refuse(r, "AuthorizationHeaderMalformed");
	int rc = session_identify(r, &s->claim, &s->signing);
	return rc < 0 ? rc : sigv4_verify(&r->sign, &s->claim, &s->signing, front_now_ns(r), &r->err);
}

// ---------------------------------------------------------------- for what

enum level { SERVICE, BUCKET, OBJECT };

static const struct operation {
	enum http_method method;
	enum level level;
	const char *parameter; // must be in the query; NULL: none
	const char *header;    // must be there; NULL: none
	void (*run)(struct front_request *r);
	const char *action; // of IAM, that it needs
} operations[] = {
	{HTTP_GET, SERVICE, NULL, NULL, s3_list_buckets, "s3:ListAllMyBuckets"},
	{HTTP_GET, BUCKET, "tagging", NULL, s3_get_tags, "s3:GetBucketTagging"},
	{HTTP_PUT, BUCKET, "tagging", NULL, s3_put_tags, "s3:PutBucketTagging"},
	{HTTP_DELETE, BUCKET, "tagging", NULL, s3_delete_tags, "s3:PutBucketTagging"},
	{HTTP_PUT, BUCKET, NULL, NULL, s3_create_bucket, "s3:CreateBucket"},
	{HTTP_HEAD, BUCKET, NULL, NULL, s3_head_bucket, "s3:ListBucket"},
	{HTTP_DELETE, BUCKET, NULL, NULL, s3_delete_bucket, "s3:DeleteBucket"},
	{HTTP_GET, BUCKET, "location", NULL, s3_get_location, "s3:GetBucketLocation"},
	{HTTP_GET, BUCKET, "versioning", NULL, s3_get_versioning, "s3:GetBucketVersioning"},
	{HTTP_GET, BUCKET, "encryption", NULL, s3_get_encryption, "s3:GetEncryptionConfiguration"},
	{HTTP_GET, BUCKET, "publicAccessBlock", NULL, s3_get_public_access_block, "s3:GetBucketPublicAccessBlock"},
	{HTTP_GET, BUCKET, "uploads", NULL, s3_list_uploads, "s3:ListBucketMultipartUploads"},
	{HTTP_GET, BUCKET, "list-type", NULL, s3_list_objects_v2, "s3:ListBucket"},
	{HTTP_GET, BUCKET, NULL, NULL, s3_list_objects, "s3:ListBucket"},
	{HTTP_POST, BUCKET, "delete", NULL, s3_delete_objects, "s3:DeleteObject"},
	{HTTP_PUT, OBJECT, "uploadId", "x-amz-copy-source", s3_upload_part_copy, "s3:PutObject"},
	{HTTP_PUT, OBJECT, "uploadId", NULL, s3_upload_part, "s3:PutObject"},
	{HTTP_PUT, OBJECT, NULL, "x-amz-copy-source", s3_copy_object, "s3:PutObject"},
	{HTTP_PUT, OBJECT, NULL, NULL, s3_put_object, "s3:PutObject"},
	{HTTP_GET, OBJECT, "uploadId", NULL, s3_list_parts, "s3:ListMultipartUploadParts"},
	{HTTP_GET, OBJECT, NULL, NULL, s3_get_object, "s3:GetObject"},
	{HTTP_HEAD, OBJECT, NULL, NULL, s3_get_object, "s3:GetObject"},
	{HTTP_DELETE, OBJECT, "uploadId", NULL, s3_abort_upload, "s3:AbortMultipartUpload"},
	{HTTP_DELETE, OBJECT, NULL, NULL, s3_delete_object, "s3:DeleteObject"},
	{HTTP_POST, OBJECT, "uploads", NULL, s3_create_upload, "s3:PutObject"},
	{HTTP_POST, OBJECT, "uploadId", NULL, s3_complete_upload, "s3:PutObject"},
};

// Parts of S3 that a pocket has not: asked for, they are never mistaken for the operation without the parameter.
static const char *const not_offered[] = {"accelerate", "acl", "analytics", "attributes", "cors", "encryption",
	"intelligent-tiering", "inventory", "legal-hold", "lifecycle", "logging", "metrics", "notification",
	"object-lock", "ownershipControls", "policy", "policyStatus", "publicAccessBlock", "replication",
	"requestPayment", "restore", "retention", "select", "session", "tagging", "torrent", "versionId", "versions",
	"website"};

// o: what answers it; NULL: nothing does.
static bool asks_for_more(const struct front_request *r, const struct operation *o)
{
	for (size_t i = 0; i < COUNT_OF(not_offered); i++) {
		bool offered = o && o->parameter && strcmp(o->parameter, not_offered[i]) == 0;
		if (!offered && front_query_has(r, not_offered[i]))
			return true;
	}
	return false;
}

static const struct operation *find_operation(const struct front_request *r)
{
	enum level level = r->key.n ? OBJECT : r->bucket.n ? BUCKET : SERVICE;
	for (size_t i = 0; i < COUNT_OF(operations); i++) {
		const struct operation *o = &operations[i];
		if (o->method == r->x->request.method && o->level == level &&
			(!o->parameter || front_query_has(r, o->parameter)) &&
			(!o->header || front_header(r, o->header).n))
			return o;
	}
	return NULL;
}

// A source of a copy is read, too. Deleting many is asked for as on all objects of the bucket.
static int authorise(struct front_request *r, const struct operation *o)
{
	struct str source = front_header(r, "x-amz-copy-source");
	bool all = o->level == BUCKET && o->run == s3_delete_objects;
	struct str arn = o->level == SERVICE ? S("*")
					     : arena_printf(r->arena, "arn:aws:s3:::%.*s%s%.*s", STR(r->bucket),
						       r->key.n ? "/" : all ? "/*" : "", STR(r->key));
	while (str_starts(source, S("/")))
		source = str_drop(source, 1);
	struct str from = arena_printf(r->arena, "arn:aws:s3:::%.*s", STR(source));
	if (!arn.p || !from.p)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	int rc = pocket_authorise(r, str_of(o->action), arn);
	if (rc == 0 && o->header)
		rc = pocket_authorise(r, S("s3:GetObject"), from);
	if (rc == ERR_DENIED) {
		char message[sizeof(r->err.message)];
		snprintf(message, sizeof(message), "User: %s", r->err.message);
		return s3_refuse_with(r, "AccessDenied", "%s", message);
	}
	return rc;
}

static void release(struct front_request *r)
{
	struct s3_state *s = s3_state(r);
	sigv4_key_wipe(&s->signing);
	sigv4_claim_free(&s->claim);
	sigv4_chunks_free(s->chunks);
}

static int check_key(struct front_request *r)
{
	if (r->key.n > OBJECT_KEY_MAX)
		return s3_refuse(r, "KeyTooLongError");
	if (r->key.n && !objects_key_valid(r->key))
		return s3_refuse(r, "InvalidURI");
	return 0;
}

static bool make_state(struct front_request *r)
{
	r->own = arena_new(r->arena, struct s3_state);
	if (!r->own) {
		http_reply_error(r->x, 503, "out of memory");
		return false;
	}
	r->release = release;
	return true;
}

static void trouble(struct front_request *r, bool throttled)
{
	if (make_state(r))
		s3_answer(r, throttled ? "SlowDown" : "InternalError");
}

static void handle(struct front_request *r)
{
	if (!make_state(r))
		return;
	front_add(r, "x-amz-request-id", str_of(r->id));
	front_add(r, "x-amz-id-2", str_of(r->id));
	if (front_cut_path(r, r->x->request.path, &r->bucket, &r->key) < 0) {
		s3_answer(r, "InvalidURI");
		return;
	}
	int rc = sigv4_claim_read(&r->sign, &s3_state(r)->claim, &r->err);
	if (rc < 0 || authenticate(r) < 0 || check_key(r) < 0) {
		s3_fail(r);
		return;
	}
	const struct operation *o = find_operation(r);
	if (o && !asks_for_more(r, o) && authorise(r, o) < 0)
		s3_fail(r);
	else if (o && !asks_for_more(r, o))
		o->run(r);
	else
		s3_answer(r, o || asks_for_more(r, o) ? "NotImplemented" : "MethodNotAllowed");
}

// A request that was refused before handle() had it has no state yet.
static void fail(struct front_request *r)
{
	if (!r->own) {
		http_reply_error(r->x, 400, "%s", r->err.message);
		return;
	}
	s3_fail(r);
}

// ---------------------------------------------------------------- shared

int s3_bucket(struct front_request *r, struct bucket **out)
{
	int rc = objects_bucket_find(r->store, r->bucket, out, &r->err);
	return rc == ERR_NOT_FOUND ? s3_refuse(r, "NoSuchBucket") : rc;
}

int s3_object(struct front_request *r, struct bucket **b, struct object **out)
{
	int rc = s3_bucket(r, b);
	if (rc < 0)
		return rc;
	*out = objects_find(*b, r->key);
	return *out ? 0 : s3_refuse(r, "NoSuchKey");
}

int s3_upload(struct front_request *r, struct bucket **b, struct upload **out)
{
	int rc = s3_bucket(r, b);
	if (rc < 0)
		return rc;
	*out = objects_upload_find(*b, front_query(r, "uploadId"));
	return *out && str_eq((*out)->record->key, r->key) ? 0 : s3_refuse(r, "NoSuchUpload");
}

void s3_xml_begin(struct buf *out, const char *root)
{
	buf_printf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s xmlns=\"" S3_NAMESPACE "\">", root);
}

void s3_xml_time(struct buf *out, const char *name, int64_t wall_ns)
{
	char text[TIME_TEXT_SIZE];
	time_rfc3339(wall_ns, 3, text);
	xml_element(out, name, str_of(text));
}

void s3_xml_etag(struct buf *out, const struct record *r)
{
	buf_printf(out, "<ETag>&quot;%.*s&quot;</ETag>", STR(r->etag));
}

void s3_xml_owner(struct buf *out, const char *name)
{
	buf_printf(out, "<%s><ID>pocket</ID><DisplayName>pocket</DisplayName></%s>", name, name);
}

void s3_reply_xml(struct front_request *r, struct buf *body)
{
	front_add(r, "content-type", S("application/xml"));
	front_reply_buf(r, 200, body);
}

int s3_check_write(struct front_request *r, const struct bucket *b)
{
	struct condition c = {0};
	condition_read(&r->x->request.headers, "", &c);
	c.has_modified_since = c.has_unmodified_since = false; // S3 knows these for reads only
	if (c.if_none_match.n && !str_eq(c.if_none_match, S("*")))
		return s3_refuse(r, "NotImplemented");
	const struct object *current = objects_find(b, r->key);
	switch (condition_check(&c, current ? current->record : NULL)) {
	case CONDITION_HOLDS:
		return 0;
	case CONDITION_ABSENT:
		return s3_refuse(r, "NoSuchKey");
	case CONDITION_EXISTS:
	case CONDITION_FAILED:
	case CONDITION_NOT_MODIFIED:
		break;
	}
	s3_state(r)->more =
		c.if_match.n ? S("<Condition>If-Match</Condition>") : S("<Condition>If-None-Match</Condition>");
	return s3_refuse(r, "PreconditionFailed");
}

// ---------------------------------------------------------------- credentials

static int make_credentials(struct pocket *p, struct err *e)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	unsigned char bytes[16 + 30];
	char id[21] = "AKIA";
	AUTO(buf) secret = {0};
	AUTO(json) j = json_object();
	int rc = pocket_random(p, bytes, sizeof(bytes), e);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < 16; i++)
		id[4 + i] = letters[bytes[i] % 32];
	base64_encode(str_bytes(bytes + 16, 30), &secret); // 40 characters
	json_object_set_new(j, "access_key_id", json_string(id));
	json_set_str(j, "secret_access_key", buf_str(&secret));
	return pocket_write_json(p, "credentials.json", j, e);
}

// Who opens this cloud wants to know its account and the role of its jobs. Folders of earlier releases have neither.
static int add_account(struct pocket *p, json_t *j, struct err *e)
{
	char account[SESSION_ACCOUNT_DIGITS + 1], role[64];
	pocket_account(p, account);
	snprintf(role, sizeof(role), "arn:aws:iam::%s:role/" IAM_JOB_ROLE, account);
	if (str_is(json_str(j, "account"), account) && str_is(json_str(j, "role"), role))
		return 0;
	json_object_set_new(j, "account", json_string(account));
	json_object_set_new(j, "role", json_string(role));
	return pocket_write_json(p, "credentials.json", j, e);
}

static void keys_free(void *p)
{
	struct s3_keys *keys = p;
	if (!keys)
		return;
	if (keys->secret.p)
		explicit_bzero(keys->secret.p, keys->secret.n);
	buf_free(&keys->secret);
	buf_free(&keys->access_key);
	free(keys);
}

static int keys_open(struct pocket *p, void **out, struct err *e)
{
	AUTO(json) j = NULL;
	struct str id = {0}, secret = {0};
	int rc = pocket_credentials(p, make_credentials, &j, e);
	if (rc == 0)
		rc = add_account(p, j, e);
	if (rc == 0)
		rc = json_need_str(j, "access_key_id", &id, e);
	if (rc == 0)
		rc = json_need_str(j, "secret_access_key", &secret, e);
	if (rc < 0)
		return err_context(e, "the credentials of the pocket cloud in %s", p->root);
	struct s3_keys *keys = calloc(1, sizeof(*keys));
	if (!keys)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	buf_add(&keys->access_key, id);
	buf_add(&keys->secret, secret);
	*out = keys;
	return 0;
}

// The MD5 of the bytes, as S3 has it for what came in one piece.
static void etag(const struct record *r, char out[OBJECT_ETAG_SIZE])
{
	hex_encode(str_bytes(r->digests.md5, MD5_SIZE), out);
}

const struct front s3_front = {
	.as = "aws",
	.plus_is_space = true,
	.etag = etag,
	.spot_notice_ns = 120 * NS_PER_S,
	.body_limit = S3_MAX_PUT + (UINT64_C(64) << 20), // room for the framing of aws-chunked
	.handle = handle,
	.fail = fail,
	.trouble = trouble,
	.keys_open = keys_open,
	.keys_free = keys_free,
	.services = aws_services,
};
