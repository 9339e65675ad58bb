// SPDX-License-Identifier: Apache-2.0
// Listing a container. Source: "List Blobs", Blob Storage REST API.
#include "base/time.h"
#include "cloud/azure/store_impl.h"
#include "cloud/http/download.h"
#include "cloud/http/object_fields.h"
#include "cloud/http/xml.h"

enum { PAGE_MOST = 5000 };

// A name that XML cannot hold comes percent-encoded, and says so.
static int read_name(struct call *c, const struct xml *of, struct str *out)
{
	const struct xml *name = xml_child(of, "Name");
	AUTO(buf) plain = {0};
	if (!name || !name->text.n)
		return call_fail(c, ERR_PROTOCOL, "the list has a blob without a name");
	*out = name->text;
	if (!name->encoded)
		return 0;
	if (sign_uri_decode(name->text, false, &plain) || plain.failed)
		return call_fail(c, ERR_PROTOCOL, "the list has a name with a broken escape");
	*out = arena_str(c->arena, buf_str(&plain));
	return out->p ? 0 : call_no_memory(c);
}

static int read_blob(struct call *c, const struct xml *blob, struct object *out)
{
	const struct xml *properties = xml_child(blob, "Properties");
	int r = read_name(c, blob, &out->key);
	if (r)
		return r;
	out->etag = download_etag(xml_child_text(properties, "Etag"));
	out->content_type = xml_child_text(properties, "Content-Type");
	if (str_to_u64(xml_child_text(properties, "Content-Length"), &out->size) ||
		time_parse_http_date(xml_child_text(properties, "Last-Modified"), &out->modified_ns))
		return call_fail(
			c, ERR_PROTOCOL, "the list has a blob without a valid Content-Length or Last-Modified");
	return 0;
}

static size_t count_of(const struct xml *blobs, const char *name)
{
	size_t count = 0;
	for (const struct xml *x = xml_child(blobs, name); x; x = xml_next(x, name))
		count++;
	return count;
}

static int read_page(struct call *c, const struct xml *root, struct store_page *out)
{
	const struct xml *blobs = xml_child(root, "Blobs");
	struct store_page page = {.next = xml_child_text(root, "NextMarker")};
	page.objects = arena_new_array(c->arena, count_of(blobs, "Blob") + 1, struct object);
	page.prefixes = arena_new_array(c->arena, count_of(blobs, "BlobPrefix") + 1, struct str);
	if (!page.objects || !page.prefixes)
		return call_no_memory(c);
	int r = 0;
	for (const struct xml *x = xml_child(blobs, "Blob"); !r && x; x = xml_next(x, "Blob"))
		r = read_blob(c, x, &page.objects[page.count++]);
	for (const struct xml *x = xml_child(blobs, "BlobPrefix"); !r && x; x = xml_next(x, "BlobPrefix"))
		r = read_name(c, x, &page.prefixes[page.prefix_count++]);
	if (!r)
		*out = page;
	return r;
}

static int parse(struct call *c, const struct transport_response *answer, struct xml **root)
{
	int r = xml_parse(answer->body, c->arena, root, &c->err);
	if (r)
		return call_context(c, "the answer EnumerationResults");
	if (!str_eq((*root)->name, S("EnumerationResults")))
		return call_fail(c, ERR_PROTOCOL, "expected the answer EnumerationResults, got \"%.*s\"",
			(int)MIN((*root)->name.n, 40), (*root)->name.p);
	return 0;
}

int azure_store_list(struct call *c, void *store, const struct store_list *list, struct store_page *out)
{
	struct azure_store *s = store;
	AUTO(buf) query = {0};
	struct transport_response answer = {0};
	struct xml *root = NULL;
	buf_add(&query, S("restype=container&comp=list"));
	if (list->prefix.n)
		exchange_parameter(&query, "prefix", list->prefix);
	if (list->delimiter.n)
		exchange_parameter(&query, "delimiter", list->delimiter);
	if (list->token.n)
		exchange_parameter(&query, "marker", list->token);
	if (list->limit)
		buf_printf(&query, "&maxresults=%u", MIN(list->limit, PAGE_MOST));
	struct exchange x = {.call = &azure_calls[AZURE_LIST_BLOBS],
		.path = azure_path(c, list->bucket, S("")),
		.query = buf_str(&query)};
	int r = object_check_bucket(c, list->bucket);
	if (!r)
		r = x.path.p ? buf_check(&query, &c->err) : call_no_memory(c);
	if (!r)
		r = exchange_run(c, &s->provider, &x, &answer);
	if (!r)
		r = parse(c, &answer, &root);
	if (!r)
		r = read_page(c, root, out);
	return r ? call_context(c, "list %.*s/%.*s", STR(list->bucket), STR(list->prefix)) : 0;
}
