// SPDX-License-Identifier: Apache-2.0
// The conformance suite of store_ops, against whatever a cloud configuration names: store-driver CONFIG.json BUCKET
// [WITHOUT...] WITHOUT names what the server at hand is known not to do. One line a check ("ok - ...", "not ok - ...");
// exit 0 when all are ok. The bucket is made and deleted.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cloud/registry.h"
#include "cloud_test.h"

enum { MIB = 1 << 20, BIG = 20 * MIB + 3 };

struct suite {
	struct cloud_test t;
	struct call *c;
	struct cloud cloud;
	struct cloud_config config;
	struct str bucket;
	struct str big;
	char **without;
	unsigned failed;
};

static bool is_without(const struct suite *s, const char *name)
{
	for (char **w = s->without; *w; w++) {
		if (strcmp(*w, name) == 0)
			return true;
	}
	return false;
}

// One check: a condition, with the call's error as the reason when it does not hold.
static void check(struct suite *s, bool holds, const char *what)
{
	printf("%s - %s%s%s\n", holds ? "ok" : "not ok", what, holds ? "" : ": ", holds ? "" : s->c->err.message);
	fflush(stdout);
	s->failed += !holds;
	err_clear(&s->c->err);
}

static bool skips(const struct suite *s, const char *feature)
{
	if (is_without(s, feature))
		printf("ok - %s # skip: this server does not offer it\n", feature);
	return is_without(s, feature);
}

static int put(struct suite *s, struct str key, struct str bytes, struct store_condition condition, struct object *out)
{
	struct store_put p = {.bucket = s->bucket, .key = key, .content_type = S("text/plain"), .condition = condition};
	return cloud_put_bytes(s->c, &s->cloud, &p, bytes, out);
}

static const struct store_condition always = {0};

static int get(struct suite *s, const struct store_get *g, struct test_sink *sink, struct object *out)
{
	test_sink_init(sink);
	return CLOUD_CALL(s->c, &s->cloud, store, get, g, &sink->sink, out);
}

static bool range_is(struct suite *s, struct str key, uint64_t offset, uint64_t length, struct str expected)
{
	struct test_sink sink;
	struct object o;
	struct store_get g = {.bucket = s->bucket, .key = key, .offset = offset, .length = length};
	bool right = get(s, &g, &sink, &o) == 0 && str_eq(buf_str(&sink.bytes), expected);
	buf_free(&sink.bytes);
	return right;
}

// ---------------------------------------------------------------- checks

static void check_bucket_create(struct suite *s)
{
	for (size_t i = 0; i < s->config.sealed_count; i++)
		check(s, CLOUD_CALL(s->c, &s->cloud, keys, create, s->config.sealed[i].key) == 0, "make an encryption key");
	check(s, CLOUD_CALL(s->c, &s->cloud, store, bucket_head, s->bucket) == ERR_NOT_FOUND,
		"a bucket that is not there is not found");
	check(s, CLOUD_CALL(s->c, &s->cloud, store, bucket_create, s->bucket) == 0, "make a bucket");
	check(s, CLOUD_CALL(s->c, &s->cloud, store, bucket_create, s->bucket) == 0, "make it again");
	check(s, CLOUD_CALL(s->c, &s->cloud, store, bucket_head, s->bucket) == 0, "it is there");
}

static void check_tags(struct suite *s)
{
	json_t *found = NULL, *two = json_in_arena(&s->t.arena, json_pack("{s:s,s:s}", "isobar_uid", "u-1", "team", "ml"));
	json_t *one = json_in_arena(&s->t.arena, json_pack("{s:s}", "team", "ops"));
	check(s, CLOUD_CALL(s->c, &s->cloud, store, bucket_tags, s->bucket, &found) == 0 && json_object_size(found) == 0,
		"a new bucket has no tags");
	json_decref(found);
	found = NULL;
	bool set = CLOUD_CALL(s->c, &s->cloud, store, bucket_set_tags, s->bucket, two) == 0;
	check(s, set && CLOUD_CALL(s->c, &s->cloud, store, bucket_tags, s->bucket, &found) == 0 && json_equal(found, two),
		"tags that are set are read");
	json_decref(found);
	found = NULL;
	set = CLOUD_CALL(s->c, &s->cloud, store, bucket_set_tags, s->bucket, one) == 0;
	check(s, set && CLOUD_CALL(s->c, &s->cloud, store, bucket_tags, s->bucket, &found) == 0 && json_equal(found, one),
		"setting replaces all of them");
	json_decref(found);
	check(s, CLOUD_CALL(s->c, &s->cloud, store, bucket_tags, S("no-such-bucket-of-ours"), &found) == ERR_NOT_FOUND,
		"tags of a bucket that is not there are not found");
}

static void check_small(struct suite *s)
{
	struct object made, head;
	struct str got;
	json_t *metadata = json_in_arena(&s->t.arena, json_pack("{s:s,s:s}", "colour", "blue", "n", "1"));
	struct store_put p = {
		.bucket = s->bucket, .key = S("small"), .content_type = S("text/x-test"), .metadata = metadata};
	check(s, cloud_put_bytes(s->c, &s->cloud, &p, S("hello world"), &made) == 0 && made.size == 11 && made.etag.n,
		"put a small object");
	check(s, cloud_get_bytes(s->c, &s->cloud, s->bucket, p.key, 100, &got) == 0 && str_eq(got, S("hello world")),
		"get it");
	bool there = CLOUD_CALL(s->c, &s->cloud, store, head, s->bucket, p.key, &head) == 0;
	check(s, there && head.size == 11 && str_eq(head.etag, made.etag) && head.modified_ns > 0, "head it");
	check(s, there && str_eq(head.content_type, p.content_type), "its content type is kept");
	check(s, there && head.metadata && json_equal(head.metadata, metadata), "its metadata is kept");
	check(s, !there || !head.has_crc32c || head.crc32c == crc32c(0, S("hello world")), "its checksum is right");
	check(s, put(s, S("empty"), S(""), always, &made) == 0 && made.size == 0, "put an empty object");
	check(s, cloud_get_bytes(s->c, &s->cloud, s->bucket, S("empty"), 100, &got) == 0 && got.n == 0, "get it");
}

static void check_names(struct suite *s)
{
	static const char *const keys[] = {"a b+c/d%2Fe", "\xc3\xa9\xe6\xbc\xa2\xf0\x9f\x98\x80", "q?x=1&y=2#z",
		"~'()*!", "deep/er/and/deeper.txt", "with:colon@at,comma;semi", "<tag>&amp;\"quote\""};
	for (size_t i = 0; i < COUNT_OF(keys); i++) {
		struct object made;
		struct str got = S(""), key = str_of(keys[i]);
		AUTO(buf) what = {0};
		buf_printf(&what, "an object named %s", keys[i]);
		bool right = put(s, key, key, always, &made) == 0 &&
			     cloud_get_bytes(s->c, &s->cloud, s->bucket, key, 100, &got) == 0;
		check(s, right && str_eq(got, key), buf_cstr(&what));
	}
}

static void check_ranges(struct suite *s)
{
	struct test_sink sink;
	struct object o;
	struct str key = S("small");
	test_sink_init(&sink);
	check(s, range_is(s, key, 0, 5, S("hello")), "a range from the start");
	check(s, range_is(s, key, 4, 3, S("o w")), "a range in the middle");
	check(s, range_is(s, key, 6, UINT64_MAX, S("world")), "a range to the end");
	check(s, range_is(s, key, 6, 1000, S("world")), "a range over the end");
	struct store_get g = {.bucket = s->bucket, .key = key, .offset = 11, .length = 5};
	if (!skips(s, "range-errors"))
		check(s, get(s, &g, &sink, &o) == ERR_INVALID, "a range behind the end is refused");
	buf_free(&sink.bytes);
}

static void check_conditions(struct suite *s)
{
	struct object first = {0}, second = {0}, third;
	struct test_sink sink;
	struct store_condition absent = {.if_absent = true};
	if (skips(s, "conditions"))
		return;
	check(s, put(s, S("once"), S("1"), absent, &first) == 0, "create if absent");
	check(s, put(s, S("once"), S("2"), absent, &third) == ERR_CONFLICT, "create if absent, and it is there");
	check(s, put(s, S("once"), S("22"), (struct store_condition){.if_match = first.etag}, &second) == 0,
		"replace a known version");
	check(s, !str_eq(first.etag, second.etag), "which gives another version");
	check(s, put(s, S("once"), S("3"), (struct store_condition){.if_match = first.etag}, &third) == ERR_CONFLICT,
		"replace an old version");
	struct store_get g = {.bucket = s->bucket, .key = S("once"), .if_match = first.etag};
	check(s, get(s, &g, &sink, &third) == ERR_CONFLICT, "get an old version");
	g.if_match = second.etag;
	check(s, get(s, &g, &sink, &third) == 0 && str_eq(buf_str(&sink.bytes), S("22")), "get a known version");
	buf_free(&sink.bytes);
}

static void check_lists(struct suite *s)
{
	struct store_page page = {0};
	struct object made;
	bool all_put = true;
	for (int i = 0; i < 7; i++)
		all_put = put(s, arena_printf(&s->t.arena, "list/%d%s", i, i < 3 ? "" : "/x y"), S("x"), always,
				  &made) == 0 &&
			  all_put;
	check(s, all_put, "put seven objects");
	struct store_list list = {
		.bucket = s->bucket, .prefix = S("list/"), .delimiter = S(""), .token = S(""), .limit = 3};
	size_t count = 0, pages = 0;
	bool ordered = true;
	struct str last = S("");
	do {
		if (CLOUD_CALL(s->c, &s->cloud, store, list, &list, &page))
			break;
		for (size_t i = 0; i < page.count; i++) {
			ordered = ordered && str_cmp(last, page.objects[i].key) < 0 && page.objects[i].size == 1;
			last = page.objects[i].key;
		}
		count += page.count;
		pages++;
		list.token = page.next;
	} while (list.token.n && pages < 10);
	check(s, count == 7 && ordered && (pages == 3 || is_without(s, "paging")), "list them in pages of three");
	struct store_list folders = {.bucket = s->bucket, .prefix = S("list/"), .delimiter = S("/"), .token = S("")};
	bool listed = CLOUD_CALL(s->c, &s->cloud, store, list, &folders, &page) == 0;
	check(s, listed && page.count == 3 && page.prefix_count == 4 && str_eq(page.prefixes[0], S("list/3/")),
		"list with a delimiter");
	check(s, cloud_list_all(s->c, &s->cloud, s->bucket, S("nothing/"), &page) == 0 && page.count == 0,
		"list nothing");
}

static void check_large(struct suite *s)
{
	struct test_source source;
	struct test_sink sink;
	struct object made = {0}, o;
	struct store_put p = {.bucket = s->bucket, .key = S("big")};
	test_source_init(&source, s->big);
	check(s, CLOUD_CALL(s->c, &s->cloud, store, put, &p, &source.source, &made) == 0 && made.size == BIG,
		"put 20 MiB in parts");
	struct store_get g = {.bucket = s->bucket, .key = p.key};
	check(s, get(s, &g, &sink, &o) == 0 && str_eq(buf_str(&sink.bytes), s->big), "get them");
	buf_free(&sink.bytes);
	check(s, range_is(s, p.key, 8 * MIB - 10, 20, str_take(str_drop(s->big, 8 * MIB - 10), 20)),
		"a range across parts");
	check(s, range_is(s, p.key, BIG - 5, UINT64_MAX, str_drop(s->big, BIG - 5)), "the last bytes");
	test_source_init(&source, str_take(s->big, 16 * MIB));
	source.source.size = UINT64_MAX;
	source.source.rewind = NULL;
	source.step = 65537;
	check(s, CLOUD_CALL(s->c, &s->cloud, store, put, &p, &source.source, &made) == 0 && made.size == 16 * MIB,
		"put over it from a stream of unknown size");
	bool there = CLOUD_CALL(s->c, &s->cloud, store, head, s->bucket, p.key, &o) == 0;
	check(s, there && o.size == 16 * MIB, "it has the new size");
	if (skips(s, "conditions"))
		return;
	test_source_init(&source, s->big);
	p.condition.if_absent = true;
	check(s, CLOUD_CALL(s->c, &s->cloud, store, put, &p, &source.source, &made) == ERR_CONFLICT,
		"parts, if absent, and it is there");
}

static void check_absent(struct suite *s)
{
	struct object o;
	struct str got;
	struct store_put p = {.bucket = S("isobar-no-such-bucket"), .key = S("a")};
	check(s, CLOUD_CALL(s->c, &s->cloud, store, delete, s->bucket, S("small")) == 0, "delete");
	check(s, CLOUD_CALL(s->c, &s->cloud, store, delete, s->bucket, S("small")) == 0, "delete again");
	check(s, cloud_get_bytes(s->c, &s->cloud, s->bucket, S("small"), 9, &got) == ERR_NOT_FOUND, "get what is gone");
	check(s, CLOUD_CALL(s->c, &s->cloud, store, head, s->bucket, S("small"), &o) == ERR_NOT_FOUND,
		"head what is gone");
	check(s, cloud_put_bytes(s->c, &s->cloud, &p, S("x"), &o) == ERR_NOT_FOUND,
		"put into a bucket that is not there");
}

// The same cloud with one byte of its secret changed.
static void check_credentials(struct suite *s)
{
	static const struct {
		const char *member, *value;
	} wrong[] = {{"secret_access_key", "wrong"}, {"key", "d3Jvbmc="}, {"client_email", "nobody@nowhere.test"}};
	struct cloud_config config = s->config;
	struct cloud other;
	json_t *credentials = json_deep_copy(config.credentials);
	if (skips(s, "credentials"))
		return;
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		if (json_object_get(credentials, wrong[i].member))
			json_object_set_new(credentials, wrong[i].member, json_string(wrong[i].value));
	}
	config.credentials = json_in_arena(&s->t.arena, credentials);
	if (cloud_open(s->c, &config, &other)) {
		check(s, false, "open with wrong credentials");
		return;
	}
	int r = CLOUD_CALL(s->c, &other, store, list,
		&(struct store_list){.bucket = s->bucket, .prefix = S(""), .delimiter = S(""), .token = S("")},
		&(struct store_page){0});
	check(s, r == ERR_UNAUTHENTICATED || r == ERR_DENIED, "wrong credentials are refused");
	cloud_close(&other);
}

static void check_bucket_delete(struct suite *s)
{
	struct store_page page;
	check(s,
		CLOUD_CALL(s->c, &s->cloud, store, bucket_delete, s->bucket) == ERR_CONFLICT ||
			is_without(s, "bucket-not-empty"),
		"a bucket that is not empty stays");
	bool emptied = cloud_list_all(s->c, &s->cloud, s->bucket, S(""), &page) == 0;
	for (size_t i = 0; emptied && i < page.count; i++)
		emptied = CLOUD_CALL(s->c, &s->cloud, store, delete, s->bucket, page.objects[i].key) == 0;
	check(s, emptied, "empty it");
	check(s, CLOUD_CALL(s->c, &s->cloud, store, bucket_delete, s->bucket) == 0, "delete it");
	check(s, CLOUD_CALL(s->c, &s->cloud, store, bucket_head, s->bucket) == ERR_NOT_FOUND, "it is gone");
	check(s, CLOUD_CALL(s->c, &s->cloud, store, bucket_delete, s->bucket) == 0, "delete it again");
}

static int run(struct suite *s)
{
	check_bucket_create(s);
	check_tags(s);
	check_small(s);
	check_names(s);
	check_ranges(s);
	check_conditions(s);
	check_lists(s);
	check_large(s);
	check_credentials(s);
	check_absent(s);
	check_bucket_delete(s);
	printf("# %u failed\n", s->failed);
	return s->failed ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct suite s = {.failed = 0};
	AUTO(json) j = NULL;
	if (argc < 3) {
		fprintf(stderr, "usage: store-driver CONFIG.json BUCKET [WITHOUT...]\n");
		return 2;
	}
	cloud_test_init(&s.t);
	s.c = &s.t.call;
	s.t.edges.sleep_ns = edges_real()->sleep_ns; // a real server may want its time
	s.bucket = str_of(argv[2]);
	s.without = argv + 3;
	s.big = test_bytes(&s.t.arena, BIG);
	int r = json_parse_file(argv[1], 1 << 20, &j, &s.c->err);
	if (!r)
		r = cloud_config_of_json(j, &s.t.arena, &s.config, &s.c->err);
	if (!r)
		r = cloud_open(s.c, &s.config, &s.cloud);
	if (r) {
		fprintf(stderr, "store-driver: %s\n", s.c->err.message);
		return 1;
	}
	r = run(&s);
	cloud_close(&s.cloud);
	cloud_test_free(&s.t);
	return r;
}
