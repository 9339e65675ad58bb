// SPDX-License-Identifier: Apache-2.0
// Who we are to Azure (whoever holds the storage account's key), which containers the account has, and what each is
// like. See cloud/identity.h. Source: "Get Account Information", "List Containers", "Get Container Properties" (Blob
// Storage REST API). Where the account lies is not told by this service.
#include "cloud/identity.h"
#include "cloud/azure/store_impl.h"
#include "cloud/http/object_fields.h"
#include "cloud/http/xml.h"

enum { PAGE = 5000 };

// ---------------------------------------------------------------- who

static int whoami(struct call *c, void *identity, struct cloud_identity *out)
{
	struct azure_store *s = identity;
	struct transport_response answer = {0};
	struct exchange x = {.call = &azure_calls[AZURE_GET_ACCOUNT_INFORMATION],
		.path = S("/"),
		.query = S("restype=account&comp=properties")};
	int r = exchange_run(c, &s->provider, &x, &answer);
	if (r)
		return call_context(c, "ask about the storage account %.*s", STR(s->account));
	struct str sort = transport_header(&answer, S("x-ms-account-kind"));
	*out = (struct cloud_identity){
		.who = arena_printf(c->arena, "the key of storage account %.*s", STR(s->account)),
		.account = arena_str(c->arena, s->account),
		.kind = arena_printf(
			c->arena, "account key%s%.*s%s", sort.n ? " (" : "", STR(sort), sort.n ? ")" : "")};
	return out->who.p && out->account.p && out->kind.p ? 0 : call_no_memory(c);
}

// ---------------------------------------------------------------- which containers

static int list_page(struct call *c, struct azure_store *s, struct str marker, struct xml **root)
{
	AUTO(buf) query = {0};
	struct transport_response answer = {0};
	buf_printf(&query, "comp=list&maxresults=%d", PAGE);
	if (marker.n)
		exchange_parameter(&query, "marker", marker);
	struct exchange x = {.call = &azure_calls[AZURE_LIST_CONTAINERS], .path = S("/"), .query = buf_str(&query)};
	int r = buf_check(&query, &c->err);
	if (!r)
		r = exchange_run(c, &s->provider, &x, &answer);
	if (!r)
		r = xml_parse(answer.body, c->arena, root, &c->err);
	if (!r && !str_eq((*root)->name, S("EnumerationResults")))
		r = call_fail(c, ERR_PROTOCOL, "expected the answer EnumerationResults, got \"%.*s\"",
			(int)MIN((*root)->name.n, 40), (*root)->name.p);
	return r;
}

static int add_page(struct call *c, void *identity, struct str marker, struct bucket_list *list, struct str *next)
{
	struct xml *root = NULL;
	int r = list_page(c, identity, marker, &root);
	if (r)
		return r;
	const struct xml *containers = xml_child(root, "Containers");
	for (const struct xml *x = xml_child(containers, "Container"); x && !r; x = xml_next(x, "Container"))
		r = bucket_list_add(
			c, list, (struct bucket_entry){.name = xml_child_text(x, "Name"), .location = S("")});
	*next = xml_child_text(root, "NextMarker");
	return r;
}

static int buckets(struct call *c, void *identity, struct bucket_entry **out, size_t *count)
{
	struct bucket_list list;
	if (bucket_list_all(c, identity, add_page, &list) < 0)
		return call_context(c, "list the containers of the storage account");
	*out = list.items;
	*count = list.count;
	return 0;
}

// ---------------------------------------------------------------- what one is like

static int describe(struct call *c, void *identity, struct str bucket, struct bucket_facts *out)
{
	struct azure_store *s = identity;
	struct transport_response answer = {0};
	json_t *tags = NULL;
	struct exchange x = {.call = &azure_calls[AZURE_GET_CONTAINER_PROPERTIES],
		.path = azure_path(c, bucket, S("")),
		.query = S("restype=container")};
	int r = object_check_bucket(c, bucket);
	if (!r)
		r = x.path.p ? exchange_run(c, &s->provider, &x, &answer) : call_no_memory(c);
	if (!r)
		r = object_read_metadata(c, &answer, "x-ms-meta-", S(""), &tags);
	if (r)
		return call_context(c, "describe bucket %.*s", STR(bucket));
	struct str scope = transport_header(&answer, S("x-ms-default-encryption-scope"));
	*out = (struct bucket_facts){.location = S(""),
		.public = transport_header(&answer, S("x-ms-blob-public-access")).n ? FACT_YES : FACT_NO,
		.encryption = scope.n ? scope : S("the storage account's own keys"),
		.tags = tags,
		.unseen = S("location and versioning: told by Azure Resource Manager alone")};
	return 0;
}

// ---------------------------------------------------------------- may we

static int probe(struct call *c, void *identity, const struct cloud_call *row, struct str bucket, struct probe *out)
{
	struct azure_store *s = identity;
	struct transport_response answer = {0};
	bool list = row == &azure_calls[AZURE_LIST_BLOBS] || row == &azure_calls[AZURE_LIST_CONTAINERS];
	*out = (struct probe){.reason = S("Blob Storage has no dry run of a call that changes something")};
	if (!row->reads)
		return 0;
	out->reason = S("no bucket of this cloud is there yet");
	if (row->scope != CALL_ON_ACCOUNT && !bucket.n)
		return 0;
	struct exchange x = {.call = row,
		.path = row->scope == CALL_ON_ACCOUNT
				? S("/")
				: azure_path(c, bucket, row->scope == CALL_ON_OBJECT ? IDENTITY_PROBE_KEY : S("")),
		.query = arena_printf(c->arena, "%s%s", row->query, list ? "&maxresults=1" : "")};
	int r = x.path.p && x.query.p ? exchange_run(c, &s->provider, &x, &answer) : call_no_memory(c);
	return probe_judge(c, r, out);
}

const struct identity_ops azure_identity_ops = {
	.name = "azure", .whoami = whoami, .buckets = buckets, .describe = describe, .probe = probe};
