// SPDX-License-Identifier: Apache-2.0
// Lists of what there is, in pages, filtered and sorted as the real ones are, and tags. A page's token names the last
// entry, so that what comes and goes between pages moves nothing. Sources: ListTrainingJobs and the other List
// operations, AddTags, ListTags, DeleteTags (Amazon SageMaker API Reference).
#include <inttypes.h>
#include <stdlib.h>

#include "base/time.h"
#include "pocket/aws/sagemaker_impl.h"

enum { DEFAULT_PAGE = 10, SCAN = 100, MAX_TAGS = 50 };

static const struct aws_rule rules[] = {
	{"MaxResults", AWS_WHOLE, false, 1, 100, NULL, NULL},
	{"NameContains", AWS_TEXT, false, 0, 63, "[a-zA-Z0-9-]+", NULL},
	{"NextToken", AWS_TEXT, false, 0, 8192, NULL, NULL},
	{"SortBy", AWS_TEXT, false, 0, 0, NULL, "Name CreationTime Status"},
	{"SortOrder", AWS_TEXT, false, 0, 0, NULL, "Ascending Descending"},
	{"StatusEquals", AWS_TEXT, false, 0, 64, NULL, NULL},
	{"CreationTimeAfter", AWS_NUMBER, false, 0, 0, NULL, NULL},
	{"CreationTimeBefore", AWS_NUMBER, false, 0, 0, NULL, NULL},
	{"LastModifiedTimeAfter", AWS_NUMBER, false, 0, 0, NULL, NULL},
	{"LastModifiedTimeBefore", AWS_NUMBER, false, 0, 0, NULL, NULL},
};

struct row {
	struct str key; // what is sorted by, then the name
	const json_t *doc;
};
struct rows {
	struct front_request *r;
	const struct sm_kind *kind;
	const json_t *in;
	struct row *items;
	size_t count, room;
};

// ---------------------------------------------------------------- which
static bool within(const json_t *in, const char *after, const char *before, int64_t ns)
{
	double at = (double)ns / 1e9, from = json_num(in, after, -1), until = json_num(in, before, -1);
	return (from < 0 || at > from) && (until < 0 || at < until);
}

static bool wanted(const struct rows *rows, const json_t *doc)
{
	const json_t *in = rows->in;
	struct str part = json_str(in, "NameContains"), status = json_str(in, "StatusEquals");
	return (!part.n || str_find(json_str(doc, "name"), part) >= 0) &&
	       (!status.n || str_eq(json_str(doc, "status"), status)) &&
	       within(in, "CreationTimeAfter", "CreationTimeBefore", json_int(doc, "created", 0)) &&
	       within(in, "LastModifiedTimeAfter", "LastModifiedTimeBefore", json_int(doc, "modified", 0));
}

static struct str key_of(const struct rows *rows, const json_t *doc)
{
	struct str by = json_str(rows->in, "SortBy"), name = json_str(doc, "name");
	if (str_eq(by, S("Name")))
		return arena_printf(rows->r->arena, "%.*s", STR(name));
	if (str_eq(by, S("Status")))
		return arena_printf(rows->r->arena, "%s %.*s", json_text(doc, "status"), STR(name));
	return arena_printf(rows->r->arena, "%020" PRId64 " %.*s", json_int(doc, "created", 0), STR(name));
}

static int add_row(struct rows *rows, const json_t *doc)
{
	if (!wanted(rows, doc))
		return 0;
	if (rows->count == rows->room) {
		size_t room = rows->room ? 2 * rows->room : 128;
		struct row *items = arena_new_array(rows->r->arena, room, struct row);
		if (!items)
			return err_set(&rows->r->err, ERR_NO_MEMORY, "out of memory");
		for (size_t i = 0; i < rows->count; i++)
			items[i] = rows->items[i];
		rows->items = items;
		rows->room = room;
	}
	rows->items[rows->count++] = (struct row){.key = key_of(rows, doc), .doc = doc};
	return 0;
}

static int collect(struct rows *rows)
{
	struct docs_row page[SCAN];
	struct docs_cursor from = {
		.collection = rows->kind->collection, .prefix = sm_doc_name(rows->r, S(""))};
	size_t count = 0;
	bool more = true;
	while (more) {
		int rc = docs_list(rows->r->pocket, &from, page, SCAN, &count, &more);
		for (size_t i = 0; rc == 0 && i < count; i++)
			rc = add_row(rows, page[i].doc);
		if (rc < 0)
			return err_set(&rows->r->err, rc, "the documents %s cannot be read", from.collection);
		if (count)
			from.after = arena_str(rows->r->arena, page[count - 1].name);
	}
	return 0;
}

static int ascending(const void *a, const void *b)
{
	return str_cmp(((const struct row *)a)->key, ((const struct row *)b)->key);
}

static int descending(const void *a, const void *b)
{
	return ascending(b, a);
}

// ---------------------------------------------------------------- a page
static json_t *summary(const struct sm_kind *k, const json_t *doc)
{
	json_t *j = json_object();
	json_set_str(j, k->name, json_str(doc, "name"));
	json_set_str(j, k->arn, json_str(doc, "arn"));
	sm_set_time(j, "CreationTime", doc, "created");
	if (k->status)
		json_set_str(j, k->status, json_str(doc, "status"));
	if (k->secondary)
		json_set_str(j, "SecondaryStatus", json_str(doc, "secondary"));
	if (k->modified)
		sm_set_time(j, "LastModifiedTime", doc, "modified");
	if (k->ended)
		sm_set_time(j, k->ended, doc, "ended");
	return j;
}

static int read_token(struct rows *rows, struct str *after)
{
	struct str token = json_str(rows->in, "NextToken");
	AUTO(buf) text = {0};
	*after = S("");
	if (!token.n)
		return 0;
	if (base64_decode(token, &text) || !text.n)
		return aws_refuse(rows->r, "ValidationException", "Invalid pagination token");
	*after = arena_str(rows->r->arena, buf_str(&text));
	return 0;
}

static void write_token(struct str last, json_t *out)
{
	AUTO(buf) text = {0};
	base64_encode(last, &text);
	json_set_str(out, "NextToken", buf_str(&text));
}

int sm_list(struct front_request *r, const json_t *in, enum sm_type type, json_t **out)
{
	struct rows rows = {.r = r, .kind = &sm_kinds[type], .in = in};
	struct str after = {0}, order = json_str(in, "SortOrder");
	bool down = order.n ? str_eq(order, S("Descending")) : rows.kind->newest_first;
	size_t most = (size_t)json_int(in, "MaxResults", DEFAULT_PAGE), i = 0;
	int rc = aws_rules_check(r, in, rules, COUNT_OF(rules));
	if (rc == 0)
		rc = read_token(&rows, &after);
	if (rc == 0)
		rc = collect(&rows);
	if (rc < 0)
		return rc;
	if (rows.count)
		qsort(rows.items, rows.count, sizeof(*rows.items), down ? descending : ascending);
	while (after.n && i < rows.count &&
		(down ? str_cmp(rows.items[i].key, after) >= 0 : str_cmp(rows.items[i].key, after) <= 0))
		i++;
	json_t *list = json_array();
	size_t end = rows.count - i > most ? i + most : rows.count;
	for (; i < end; i++)
		json_array_append_new(list, summary(rows.kind, rows.items[i].doc));
	*out = json_object();
	json_object_set_new(*out, rows.kind->summaries, list);
	if (end < rows.count)
		write_token(rows.items[end - 1].key, *out);
	return 0;
}

int sm_list_training(struct front_request *r, const json_t *in, json_t **out)
{
	return sm_list(r, in, SM_TRAINING, out);
}

int sm_list_processing(struct front_request *r, const json_t *in, json_t **out)
{
	return sm_list(r, in, SM_PROCESSING, out);
}

// ---------------------------------------------------------------- tags
// "arn:aws:sagemaker:REGION:ACCOUNT:training-job/NAME": what it names.
static int find_arn(struct front_request *r, const json_t *in, enum sm_type *type, json_t **doc)
{
	struct str arn = json_str(in, "ResourceArn"), resource, name, rest = arn, part;
	for (int i = 0; i < 5; i++)
		str_next(&rest, ':', &part);
	str_cut(rest, '/', &resource, &name);
	for (int t = 0; t < SM_TYPES; t++) {
		const json_t *found = str_is(resource, sm_kinds[t].resource) ? sm_find(r, (enum sm_type)t, name) : NULL;
		if (!found || !str_eq(json_str(found, "arn"), arn))
			continue;
		*type = (enum sm_type)t;
		*doc = json_deep_copy(found);
		return 0;
	}
	return aws_refuse(r, "ValidationException", "Could not find resource \"%.*s\".", STR(str_clip(arn, 256)));
}

static void drop_tag(json_t *tags, struct str key)
{
	for (size_t i = json_array_size(tags); i-- > 0;)
		if (str_eq(json_str(json_array_get(tags, i), "Key"), key))
			json_array_remove(tags, i);
}

int sm_add_tags(struct front_request *r, const json_t *in, json_t **out)
{
	enum sm_type type = SM_TRAINING;
	AUTO(json) doc = NULL;
	const json_t *one;
	size_t i;
	int rc = sm_check_tags(r, in);
	if (rc == 0)
		rc = find_arn(r, in, &type, &doc);
	if (rc < 0)
		return rc;
	json_t *tags = json_object_get(doc, "tags");
	json_array_foreach(json_object_get(in, "Tags"), i, one)
	{
		drop_tag(tags, json_str(one, "Key"));
		json_array_append_new(tags, json_deep_copy(one));
	}
	if (json_array_size(tags) > MAX_TAGS)
		return aws_refuse(r, "ValidationException", "A resource has at most %d tags", MAX_TAGS);
	*out = json_object();
	json_object_set(*out, "Tags", tags);
	return docs_put(r->pocket, sm_kinds[type].collection, sm_doc_name(r, json_str(doc, "name")), doc, &r->err);
}

int sm_list_tags(struct front_request *r, const json_t *in, json_t **out)
{
	enum sm_type type = SM_TRAINING;
	AUTO(json) doc = NULL;
	int rc = find_arn(r, in, &type, &doc);
	if (rc < 0)
		return rc;
	*out = json_object();
	json_object_set(*out, "Tags", json_object_get(doc, "tags"));
	return 0;
}

int sm_delete_tags(struct front_request *r, const json_t *in, json_t **out)
{
	enum sm_type type = SM_TRAINING;
	AUTO(json) doc = NULL;
	const json_t *one;
	size_t i;
	int rc = find_arn(r, in, &type, &doc);
	if (rc < 0)
		return rc;
	json_array_foreach(json_object_get(in, "TagKeys"), i, one)
	{
		drop_tag(json_object_get(doc, "tags"), json_value_str(one));
	}
	*out = json_object();
	return docs_put(r->pocket, sm_kinds[type].collection, sm_doc_name(r, json_str(doc, "name")), doc, &r->err);
}
