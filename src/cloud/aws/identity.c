// SPDX-License-Identifier: Apache-2.0
// Who we are to AWS (STS), which buckets the account has, and what each is like. See cloud/identity.h. Source:
// "GetCallerIdentity" (AWS STS API Reference), "ListBuckets" and the GetBucket... operations (Amazon S3 API Reference).
#include "cloud/identity.h"
#include "cloud/aws/store_impl.h"
#include "cloud/http/object_fields.h"

enum { PAGE = 1000 };

// ---------------------------------------------------------------- who

struct sts {
	struct provider provider; // first
	struct aws_store *store;
};

static int sts_authorize(struct call *c, struct provider *p, const struct sign_request *r, struct exchange *x)
{
	return aws_sign(c, ((struct sts *)(void *)p)->store, S("sts"), r, x);
}

static const struct provider_ops sts_ops = {.name = "sts", .authorize = sts_authorize, .refused = aws_refused};

// "arn:aws:sts::123456789012:assumed-role/NAME/SESSION": what stands before the first '/' of the resource.
static struct str kind_of(struct str arn)
{
	struct str part = {0}, kind, rest;
	for (int i = 0; i < 6; i++)
		str_next(&arn, ':', &part);
	str_cut(part, '/', &kind, &rest);
	if (str_eq(kind, S("assumed-role")))
		return S("assumed role");
	if (str_eq(kind, S("federated-user")))
		return S("federated user");
	return str_eq(kind, S("root")) ? S("root user") : kind;
}

static int whoami(struct call *c, void *identity, struct cloud_identity *out)
{
	struct aws_store *s = identity;
	struct sts sts = {.store = s};
	struct transport_response answer = {0};
	struct xml *root = NULL;
	struct exchange x = {.call = &aws_calls[AWS_GET_CALLER_IDENTITY],
		.path = S("/"),
		.body = S("Action=GetCallerIdentity&Version=2011-06-15")};
	exchange_header(&x, "content-type", S("application/x-www-form-urlencoded; charset=utf-8"));
	int r = provider_init(&sts.provider, &sts_ops, s->identity_url, c->arena, &c->err);
	sts.provider.transport = s->provider.transport;
	sts.provider.credentials = s->credentials;
	sts.provider.audience = S("");
	sts.provider.clock = credentials_clock(s->credentials);
	if (!r)
		r = exchange_run(c, &sts.provider, &x, &answer);
	if (!r)
		r = aws_parse(c, &answer, "GetCallerIdentityResponse", &root);
	if (r)
		return call_context(c, "ask %.*s who we are", STR(s->identity_url));
	const struct xml *result = xml_child(root, "GetCallerIdentityResult");
	*out = (struct cloud_identity){.who = xml_child_text(result, "Arn"),
		.account = xml_child_text(result, "Account"),
		.kind = kind_of(xml_child_text(result, "Arn"))};
	return out->who.n && out->account.n
		       ? 0
		       : call_fail(c, ERR_PROTOCOL, "the answer GetCallerIdentityResponse has no Arn or Account");
}

// ---------------------------------------------------------------- which buckets

static int list_page(struct call *c, struct aws_store *s, struct str token, struct xml **root)
{
	AUTO(buf) query = {0};
	struct transport_response answer = {0};
	buf_printf(&query, "max-buckets=%d", PAGE);
	if (token.n)
		exchange_parameter(&query, "continuation-token", token);
	struct exchange x = {.call = &aws_calls[AWS_LIST_BUCKETS], .path = S("/"), .query = buf_str(&query)};
	int r = buf_check(&query, &c->err);
	if (!r)
		r = exchange_run(c, &s->provider, &x, &answer);
	return r ? r : aws_parse(c, &answer, "ListAllMyBucketsResult", root);
}

static int add_page(struct call *c, void *identity, struct str token, struct bucket_list *list, struct str *next)
{
	struct xml *root = NULL;
	int r = list_page(c, identity, token, &root);
	if (r)
		return r;
	const struct xml *buckets = xml_child(root, "Buckets");
	for (const struct xml *b = xml_child(buckets, "Bucket"); b && !r; b = xml_next(b, "Bucket"))
		r = bucket_list_add(c, list,
			(struct bucket_entry){
				.name = xml_child_text(b, "Name"), .location = xml_child_text(b, "BucketRegion")});
	*next = xml_child_text(root, "ContinuationToken");
	return r;
}

static int buckets(struct call *c, void *identity, struct bucket_entry **out, size_t *count)
{
	struct bucket_list list;
	if (bucket_list_all(c, identity, add_page, &list) < 0)
		return call_context(c, "list the account's buckets");
	*out = list.items;
	*count = list.count;
	return 0;
}

// ---------------------------------------------------------------- what one is like

struct look {
	struct call *c;
	struct aws_store *store;
	struct str bucket;
	struct bucket_facts facts;
};

static void note_unseen(struct look *l, const struct cloud_call *row)
{
	const struct err *e = &l->c->err;
	struct str why = str_of(e->provider_code[0] ? e->provider_code : err_word(e->code));
	l->facts.unseen = arena_printf(l->c->arena, "%.*s%s%s: %.*s", STR(l->facts.unseen),
		l->facts.unseen.n ? "; " : "", row->operation, STR(why));
	err_clear(&l->c->err);
}

// ERR_NOT_FOUND (*root NULL, 0): the bucket has none of it. What may not be seen, or what this server has not, is
// noted.
static int ask(struct look *l, enum aws_call which, struct xml **root)
{
	const struct cloud_call *row = &aws_calls[which];
	struct transport_response answer = {0};
	struct exchange x = {.call = row,
		.path = aws_path(l->c, l->bucket, S("")),
		.query = arena_printf(l->c->arena, "%s=", row->query)};
	*root = NULL;
	if (!x.path.p || !x.query.p)
		return call_no_memory(l->c);
	int r = exchange_run(l->c, &l->store->provider, &x, &answer);
	if (!r)
		r = aws_parse(l->c, &answer, NULL, root);
	if (r == ERR_DENIED || r == ERR_UNSUPPORTED) {
		note_unseen(l, row);
		return 0;
	}
	if (r == ERR_NOT_FOUND && !str_eq(str_of(l->c->err.provider_code), S("NoSuchBucket"))) {
		err_clear(&l->c->err);
		return 0;
	}
	return r;
}

static int see_location(struct look *l)
{
	struct xml *root;
	int r = ask(l, AWS_GET_BUCKET_LOCATION, &root);
	if (!r && root) // the one region that is not written
		l->facts.location = root->text.n ? root->text : S("us-east-1");
	return r;
}

static int see_versioning(struct look *l)
{
	struct xml *root;
	int r = ask(l, AWS_GET_BUCKET_VERSIONING, &root);
	if (!r && root)
		l->facts.versioning = str_eq(xml_child_text(root, "Status"), S("Enabled")) ? FACT_YES : FACT_NO;
	return r;
}

static int see_encryption(struct look *l)
{
	struct xml *root;
	int r = ask(l, AWS_GET_BUCKET_ENCRYPTION, &root);
	const struct xml *rule = xml_child(root, "Rule");
	const struct xml *by = xml_child(rule, "ApplyServerSideEncryptionByDefault");
	struct str key = xml_child_text(by, "KMSMasterKeyID");
	l->facts.encryption = key.n ? key : xml_child_text(by, "SSEAlgorithm");
	return r;
}

// Only a bucket that shuts both doors, ACLs and policies, is surely not public.
static int see_public(struct look *l)
{
	struct xml *root;
	size_t unseen = l->facts.unseen.n;
	int r = ask(l, AWS_GET_PUBLIC_ACCESS_BLOCK, &root);
	if (r || l->facts.unseen.n > unseen)
		return r;
	bool shut = str_eq(xml_child_text(root, "IgnorePublicAcls"), S("true")) &&
		    str_eq(xml_child_text(root, "RestrictPublicBuckets"), S("true"));
	l->facts.public = shut ? FACT_NO : FACT_YES;
	return 0;
}

static int see_tags(struct look *l)
{
	json_t *tags = NULL;
	int r = aws_store_bucket_tags(l->c, l->store, l->bucket, &tags);
	if (r == ERR_DENIED || r == ERR_UNSUPPORTED) {
		note_unseen(l, &aws_calls[AWS_GET_BUCKET_TAGGING]);
		return 0;
	}
	if (r)
		return r;
	l->facts.tags = json_in_arena(l->c->arena, tags);
	return l->facts.tags ? 0 : call_no_memory(l->c);
}

static int describe(struct call *c, void *identity, struct str bucket, struct bucket_facts *out)
{
	static int (*const see[])(struct look * l) = {
		see_location, see_versioning, see_encryption, see_public, see_tags};
	struct look l = {.c = c, .store = identity, .bucket = bucket, .facts = {.location = S(""), .unseen = S("")}};
	int r = object_check_bucket(c, bucket);
	for (size_t i = 0; !r && i < COUNT_OF(see); i++)
		r = see[i](&l);
	if (r)
		return call_context(c, "describe bucket %.*s", STR(bucket));
	*out = l.facts;
	return 0;
}

// ---------------------------------------------------------------- may we

// The request of a row that reads, asked for as little as there is; ending an upload that is not there is harmless,
// too.
static int make_probe(struct call *c, const struct cloud_call *row, struct str bucket, struct exchange *x)
{
	const char *value = row == &aws_calls[AWS_ABORT_MULTIPART_UPLOAD] ? "=none" : "=";
	bool has_value = str_find_char(str_of(row->query), '=') >= 0 || !row->query[0];
	x->call = row;
	x->query = arena_printf(c->arena, "%s%s%s", row->query, has_value ? "" : value,
		row == &aws_calls[AWS_LIST_OBJECTS] ? "&max-keys=1" : "");
	x->path = row->scope == CALL_ON_ACCOUNT
			  ? S("/")
			  : aws_path(c, bucket, row->scope == CALL_ON_OBJECT ? IDENTITY_PROBE_KEY : S(""));
	return x->path.p && x->query.p ? 0 : call_no_memory(c);
}

static int probe(struct call *c, void *identity, const struct cloud_call *row, struct str bucket, struct probe *out)
{
	struct aws_store *s = identity;
	struct exchange x = {0};
	struct transport_response answer = {0};
	struct cloud_identity who;
	bool harmless = row->reads || row == &aws_calls[AWS_ABORT_MULTIPART_UPLOAD];
	if (row == &aws_calls[AWS_GET_CALLER_IDENTITY])
		return probe_judge(c, whoami(c, identity, &who), out);
	*out = (struct probe){.reason = S("S3 has no dry run of a call that changes something")};
	if (!harmless)
		return 0;
	out->reason = S("no bucket of this cloud is there yet");
	if (row->scope != CALL_ON_ACCOUNT && !bucket.n)
		return 0;
	int r = make_probe(c, row, bucket, &x);
	if (!r)
		r = exchange_run(c, &s->provider, &x, &answer);
	return probe_judge(c, r, out);
}

const struct identity_ops aws_identity_ops = {
	.name = "aws", .whoami = whoami, .buckets = buckets, .describe = describe, .probe = probe};
