// SPDX-License-Identifier: Apache-2.0
// Blob Storage: who asks (Shared Key), and for what (one table of operations). Runs on the pocket's loop.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pocket/arm/entra.h"
#include "pocket/azure/azure_impl.h"

struct azure_state *azure_state(struct front_request *r)
{
	return r->own;
}

// ---------------------------------------------------------------- for what

enum level { ACCOUNT, CONTAINER, BLOB };

static const struct operation {
	enum http_method method;
	enum level level;
	const char *comp;   // value of that query parameter; "" when absent
	const char *header; // must be there; NULL: none
	void (*run)(struct front_request *r);
} operations[] = {
	{HTTP_GET, ACCOUNT, "list", NULL, azure_list_containers},
	{HTTP_GET, ACCOUNT, "properties", NULL, azure_account_properties},
	{HTTP_HEAD, ACCOUNT, "properties", NULL, azure_account_properties},
	{HTTP_PUT, CONTAINER, "", NULL, azure_create_container},
	{HTTP_GET, CONTAINER, "", NULL, azure_get_container},
	{HTTP_HEAD, CONTAINER, "", NULL, azure_get_container},
	{HTTP_GET, CONTAINER, "metadata", NULL, azure_get_container},
	{HTTP_HEAD, CONTAINER, "metadata", NULL, azure_get_container},
	{HTTP_PUT, CONTAINER, "metadata", NULL, azure_set_container_metadata},
	{HTTP_GET, CONTAINER, "acl", NULL, azure_get_container_acl},
	{HTTP_DELETE, CONTAINER, "", NULL, azure_delete_container},
	{HTTP_GET, CONTAINER, "list", NULL, azure_list_blobs},
	{HTTP_PUT, BLOB, "", "x-ms-copy-source", azure_copy_blob},
	{HTTP_PUT, BLOB, "", NULL, azure_put_blob},
	{HTTP_GET, BLOB, "", NULL, azure_get_blob},
	{HTTP_HEAD, BLOB, "", NULL, azure_get_blob},
	{HTTP_DELETE, BLOB, "", NULL, azure_delete_blob},
	{HTTP_GET, BLOB, "metadata", NULL, azure_get_metadata},
	{HTTP_HEAD, BLOB, "metadata", NULL, azure_get_metadata},
	{HTTP_PUT, BLOB, "metadata", NULL, azure_set_metadata},
	{HTTP_PUT, BLOB, "properties", NULL, azure_set_properties},
	{HTTP_PUT, BLOB, "block", NULL, azure_put_block},
	{HTTP_PUT, BLOB, "blocklist", NULL, azure_put_block_list},
	{HTTP_GET, BLOB, "blocklist", NULL, azure_get_block_list},
};

static const struct operation *find_operation(const struct front_request *r)
{
	enum level level = r->key.n ? BLOB : r->bucket.n ? CONTAINER : ACCOUNT;
	struct str comp = front_query(r, "comp");
	for (size_t i = 0; i < COUNT_OF(operations); i++) {
		const struct operation *o = &operations[i];
		if (o->method == r->x->request.method && o->level == level && str_eq(comp, str_of(o->comp)) &&
			(!o->header || front_header(r, o->header).n))
			return o;
	}
	return NULL;
}

// Versions of a blob, snapshots and leases do not exist here; whoever names one does not mean the blob itself.
static int check_request(struct front_request *r)
{
	bool container = r->bucket.n && !r->key.n;
	if (r->key.n && !objects_key_valid(r->key))
		return azure_refuse(r, "InvalidResourceName");
	if (container && !str_eq(front_query(r, "restype"), S("container")))
		return azure_refuse(r, "ResourceNotFound"); // a blob of $root
	if (front_query_has(r, "snapshot") || front_query_has(r, "versionid"))
		return azure_refuse(r, "NotImplemented");
	if (front_header(r, "x-ms-lease-id").n)
		return azure_refuse(r, "LeaseNotPresentWithBlobOperation");
	return 0;
}

// ---------------------------------------------------------------- who asks

static int split_path(struct front_request *r, struct str *account)
{
	struct str rest;
	bool more = str_cut(str_drop(r->x->request.path, 1), '/', account, &rest);
	if (!more)
		return 0;
	struct str below = {.p = rest.p - 1, .n = rest.n + 1}; // with its '/'
	return front_cut_path(r, below, &r->bucket, &r->key) < 0 ? azure_refuse(r, "InvalidUri") : 0;
}

// Which permission of a role a request needs. Source: "Permissions for calling data operations" (Azure Storage).
static const char *action_of(const struct front_request *r)
{
#define BLOBS "Microsoft.Storage/storageAccounts/blobServices/containers/"
	enum http_method method = r->x->request.method;
	bool reads = method == HTTP_GET || method == HTTP_HEAD;
	bool lists = r->bucket.n && !r->key.n && str_eq(front_query(r, "comp"), S("list"));
	if (r->key.n || lists)
		return reads ? BLOBS "blobs/read" : method == HTTP_DELETE ? BLOBS "blobs/delete" : BLOBS "blobs/write";
	return reads ? BLOBS "read" : method == HTTP_DELETE ? BLOBS "delete" : BLOBS "write";
#undef BLOBS
}

static int authenticate_token(struct front_request *r)
{
	struct entra_caller who;
	if (entra_authenticate(r, entra_audience_store, &who) < 0) {
		char message[sizeof(r->err.message)];
		snprintf(message, sizeof(message), "%s", r->err.message);
		azure_refuse_with(r, "InvalidAuthenticationInfo", "%s", message);
		r->err.http_status = 401;
		return ERR_UNAUTHENTICATED;
	}
	return entra_may(&who, action_of(r)) ? 0 : azure_refuse(r, "AuthorizationPermissionMismatch");
}

static int authenticate(struct front_request *r, struct str account)
{
	const struct azure_keys *keys = r->keys;
	if (str_starts(front_header(r, "authorization"), S("Bearer ")))
		return str_eq(account, buf_str(&keys->account)) ? authenticate_token(r)
								: azure_refuse(r, "AuthenticationFailed");
	int rc = sharedkey_verify(&r->sign, buf_str(&keys->account), buf_str(&keys->key), front_now_ns(r), &r->err);
	if (rc == 0 && !str_eq(account, buf_str(&keys->account)))
		rc = azure_refuse(r, "AuthenticationFailed");
	return rc;
}

static void add_common(struct front_request *r)
{
	struct str version = front_header(r, "x-ms-version"), client = front_header(r, "x-ms-client-request-id");
	front_add(r, "x-ms-request-id", str_of(r->id));
	front_add(r, "x-ms-version", version.n ? version : S("2021-12-02"));
	if (client.n <= 1024)
		front_add(r, "x-ms-client-request-id", client);
}

static bool make_state(struct front_request *r)
{
	r->own = arena_new(r->arena, struct azure_state);
	if (r->own)
		add_common(r);
	else
		http_reply_error(r->x, 503, "out of memory");
	return r->own != NULL;
}

static void trouble(struct front_request *r, bool throttled)
{
	if (make_state(r))
		azure_answer(r, throttled ? "ServerBusy" : "InternalError");
}

static void handle(struct front_request *r)
{
	struct str account = {0};
	if (!make_state(r))
		return;
	if (split_path(r, &account) < 0 || authenticate(r, account) < 0 || check_request(r) < 0) {
		azure_fail(r);
		return;
	}
	const struct operation *o = find_operation(r);
	if (o)
		o->run(r);
	else
		azure_answer(r, front_query_has(r, "comp") ? "NotImplemented" : "UnsupportedHttpVerb");
}

// ---------------------------------------------------------------- shared

int azure_container(struct front_request *r, struct bucket **out)
{
	int rc = objects_bucket_find(r->store, r->bucket, out, &r->err);
	return rc == ERR_NOT_FOUND ? azure_refuse(r, "ContainerNotFound") : rc;
}

int azure_blob(struct front_request *r, struct bucket **b, struct object **out)
{
	int rc = azure_container(r, b);
	if (rc < 0)
		return rc;
	*out = objects_find(*b, r->key);
	return *out ? 0 : azure_refuse(r, "BlobNotFound");
}

int azure_check_write(struct front_request *r, const struct record *current)
{
	struct condition c = {0};
	condition_read(&r->x->request.headers, "", &c);
	if (front_header(r, "x-ms-if-tags").n)
		return azure_refuse(r, "NotImplemented");
	switch (condition_check(&c, current)) {
	case CONDITION_HOLDS:
		return 0;
	case CONDITION_EXISTS:
		return azure_refuse(r, "BlobAlreadyExists");
	case CONDITION_ABSENT:
	case CONDITION_FAILED:
	case CONDITION_NOT_MODIFIED:
		break;
	}
	return azure_refuse(r, "ConditionNotMet");
}

int azure_check_blob_write(struct front_request *r, const struct bucket *b)
{
	const struct object *current = objects_find(b, r->key);
	return azure_check_write(r, current ? current->record : NULL);
}

// From the time of the last change, which is unique within a store.
void azure_etag(const struct record *r, char out[OBJECT_ETAG_SIZE])
{
	snprintf(out, OBJECT_ETAG_SIZE, "0x8D%llX", (unsigned long long)(r->modified_ns / 1000));
}

void azure_add_version(struct front_request *r, const struct record *record)
{
	char etag[OBJECT_ETAG_SIZE];
	azure_etag(record, etag);
	front_addf(r, "etag", "\"%s\"", etag);
	front_add_date(r, "last-modified", record->modified_ns);
}

void azure_xml_begin(struct buf *out, const char *root)
{
	buf_printf(out, "<?xml version=\"1.0\" encoding=\"utf-8\"?><%s>", root);
}

void azure_reply_xml(struct front_request *r, struct buf *body)
{
	front_add(r, "content-type", S("application/xml"));
	front_reply_buf(r, 200, body);
}

struct str azure_crc64_text(struct front_request *r, const struct digests *d)
{
	unsigned char bytes[AZURE_CRC64_SIZE];
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(d->crc64nvme >> (8 * i));
	return d->have & HASH_CRC64NVME ? front_base64_text(r, str_bytes(bytes, sizeof(bytes))) : S("");
}

int azure_read_page(struct front_request *r, struct str *after, size_t *limit)
{
	uint64_t most = AZURE_MAX_LIST;
	struct str marker = front_query(r, "marker"), max = front_query(r, "maxresults");
	AUTO(buf) place = {.limit = OBJECT_KEY_MAX + 1};
	if (max.n && (str_to_u64(max, &most) < 0 || most < 1))
		return azure_refuse(r, "InvalidQueryParameterValue");
	if (marker.n && base64_decode(marker, &place) < 0)
		return azure_refuse(r, "InvalidQueryParameterValue");
	*limit = (size_t)MIN(most, (uint64_t)AZURE_MAX_LIST);
	*after = arena_str(r->arena, buf_str(&place));
	return after->p ? 0 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

// ---------------------------------------------------------------- credentials

static int make_credentials(struct pocket *p, struct err *e)
{
	unsigned char bytes[64];
	AUTO(buf) account = {0};
	AUTO(buf) key = {0};
	AUTO(json) j = json_object();
	int rc = pocket_random(p, bytes, sizeof(bytes), e);
	if (rc < 0)
		return rc;
	pocket_plain_name(p, false, 24, &account);
	base64_encode(str_bytes(bytes, sizeof(bytes)), &key);
	json_set_str(j, "account", buf_str(&account));
	json_set_str(j, "key", buf_str(&key));
	return pocket_write_json(p, "credentials.json", j, e);
}

static int add_guid(struct pocket *p, json_t *j, const char *name, struct err *e)
{
	unsigned char bits[16];
	char hex[33], text[37];
	int rc = pocket_random(p, bits, sizeof(bits), e);
	if (rc < 0)
		return rc;
	hex_encode(str_bytes(bits, sizeof(bits)), hex);
	snprintf(text, sizeof(text), "%.8s-%.4s-4%.3s-8%.3s-%.12s", hex, hex + 8, hex + 13, hex + 17, hex + 20);
	json_set_str(j, name, str_of(text));
	return 0;
}

// What stands above the storage account: an app of Entra that may all, a subscription, a resource group and a workspace of
// Azure ML. Folders of earlier releases have only the account.
static int add_directory(struct pocket *p, json_t *j, struct err *e)
{
	static const char *const guids[] = {"tenant", "client_id", "subscription"};
	unsigned char secret[30];
	AUTO(buf) name = {0};
	AUTO(buf) text = {0};
	if (json_str(j, "tenant").n)
		return 0;
	int rc = pocket_random(p, secret, sizeof(secret), e);
	for (size_t i = 0; rc == 0 && i < COUNT_OF(guids); i++)
		rc = add_guid(p, j, guids[i], e);
	if (rc < 0)
		return rc;
	base64url_encode(str_bytes(secret, sizeof(secret)), &text);
	pocket_plain_name(p, true, 24, &name);
	json_set_str(j, "client_secret", buf_str(&text));
	json_set_str(j, "resource_group", buf_str(&name));
	json_set_str(j, "workspace", buf_str(&name));
	return pocket_write_json(p, "credentials.json", j, e);
}

static void keys_free(void *p)
{
	struct azure_keys *keys = p;
	if (!keys)
		return;
	if (keys->key.p)
		explicit_bzero(keys->key.p, keys->key.n);
	buf_free(&keys->key);
	buf_free(&keys->account);
	free(keys);
}

// The account is part of every address.
static int add_account(struct pocket *p, struct str account, struct err *e)
{
	char *url = NULL;
	if (asprintf(&url, "%s/%.*s", p->url, STR(account)) < 0)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	free(p->url);
	p->url = url;
	return 0;
}

static int keys_open(struct pocket *p, void **out, struct err *e)
{
	AUTO(json) j = NULL;
	struct str account = {0}, key = {0};
	int rc = pocket_credentials(p, make_credentials, &j, e);
	if (rc == 0)
		rc = add_directory(p, j, e);
	if (rc == 0)
		rc = json_need_str(j, "account", &account, e);
	if (rc == 0)
		rc = json_need_str(j, "key", &key, e);
	if (rc < 0)
		return err_context(e, "the credentials of the pocket cloud in %s", p->root);
	struct azure_keys *keys = calloc(1, sizeof(*keys));
	if (!keys)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	buf_add(&keys->account, account);
	rc = base64_decode(key, &keys->key);
	rc = rc < 0 ? err_set(e, ERR_CORRUPT, "the key in %s/credentials.json is not base64", p->root)
		    : add_account(p, account, e);
	if (rc < 0)
		keys_free(keys);
	else
		*out = keys;
	return rc;
}

static void fail(struct front_request *r)
{
	if (r->own)
		azure_fail(r);
	else // refused before handle() had it
		http_reply_error(r->x, 400, "%s", r->err.message);
}

const struct front azure_front = {
	.as = "azure",
	.etag = azure_etag,
	.upload_lifetime_ns = INT64_C(7) * 86400 * 1000000000, // uncommitted blocks die after a week
	.spot_notice_ns = INT64_C(30) * 1000000000,
	.body_limit = AZURE_MAX_PUT,
	.handle = handle,
	.fail = fail,
	.trouble = trouble,
	.keys_open = keys_open,
	.keys_free = keys_free,
	.services = azure_services,
};
