// SPDX-License-Identifier: Apache-2.0
// The conformance cases: running them, and those on buckets and single objects. See conformance.h. Large objects,
// lists, credentials, tags and identity are conformance_more.c.
#include <string.h>

#include "base/time.h"
#include "cloud/conformance_impl.h"

// ---------------------------------------------------------------- one case

static bool is_over(int code)
{
	return code == ERR_CANCELLED || code == ERR_TIMEOUT || code == ERR_NO_MEMORY;
}

void suite_check(struct suite *s, bool holds, const char *what)
{
	struct conformance *x = s->x;
	if (!x->over && !holds && is_over(s->c->err.code))
		x->over = s->c->err.code;
	if (x->over)
		return;
	struct conformance_case one = {.part = s->part,
		.name = str_of(what),
		.verdict = holds ? CONFORMANCE_OK : CONFORMANCE_FAILED,
		.reason = str_of(holds ? "" : s->c->err.message)};
	x->ok += holds;
	x->failed += !holds;
	x->report(x->ctx, &one);
	err_clear(&s->c->err);
	x->over = call_check(s->c);
}

bool suite_is_without(const struct suite *s, const char *feature)
{
	for (const char *const *w = s->x->without; w && *w; w++) {
		if (strcmp(*w, feature) == 0)
			return true;
	}
	return false;
}

bool suite_skips(struct suite *s, const char *feature)
{
	if (!suite_is_without(s, feature) || s->x->over)
		return s->x->over != 0;
	suite_skip(s, feature);
	return true;
}

void suite_skip(struct suite *s, const char *feature)
{
	s->x->skipped++;
	s->x->report(s->x->ctx, &(struct conformance_case){.part = s->part,
					.name = str_of(feature),
					.verdict = CONFORMANCE_SKIPPED,
					.reason = S("this server does not offer it")});
}

// ---------------------------------------------------------------- what cases do

int suite_put(struct suite *s, struct str key, struct str bytes, struct store_condition condition, struct object *out)
{
	struct store_put p = {
		.bucket = s->x->bucket, .key = key, .content_type = S("text/plain"), .condition = condition};
	return cloud_put_bytes(s->c, s->x->cloud, &p, bytes, out);
}

static int keep(void *ctx, struct str piece)
{
	struct buf *bytes = ctx;
	buf_add(bytes, piece);
	return bytes->failed ? ERR_NO_MEMORY : 0;
}

static int forget(void *ctx)
{
	buf_clear(ctx);
	return 0;
}

int suite_get(struct suite *s, const struct store_get *g, struct buf *bytes, struct object *out)
{
	struct sink sink = {.ctx = bytes, .write = keep, .restart = forget};
	buf_clear(bytes);
	return CLOUD_CALL(s->c, s->x->cloud, store, get, g, &sink, out);
}

bool suite_range_is(struct suite *s, struct str key, uint64_t offset, uint64_t length, struct str expected)
{
	AUTO(buf) bytes = {0};
	struct object o;
	struct store_get g = {.bucket = s->x->bucket, .key = key, .offset = offset, .length = length};
	return suite_get(s, &g, &bytes, &o) == 0 && str_eq(buf_str(&bytes), expected);
}

// ---------------------------------------------------------------- buckets and objects

static int bucket_head(struct suite *s)
{
	return CLOUD_CALL(s->c, s->x->cloud, store, bucket_head, s->x->bucket);
}

static int make_bucket(struct suite *s)
{
	const struct conformance *x = s->x;
	for (size_t i = 0; i < x->config->sealed_count; i++)
		suite_check(s, CLOUD_CALL(s->c, x->cloud, keys, create, x->config->sealed[i].key) == 0,
			"make an encryption key");
	suite_check(s, bucket_head(s) == ERR_NOT_FOUND, "a bucket that is not there is not found");
	int r = CLOUD_CALL(s->c, x->cloud, store, bucket_create, x->bucket);
	if (r)
		return call_context(s->c, "make the scratch bucket");
	suite_check(s, true, "make a bucket");
	suite_check(s, CLOUD_CALL(s->c, x->cloud, store, bucket_create, x->bucket) == 0, "make it again");
	suite_check(s, bucket_head(s) == 0, "it is there");
	return 0;
}

static const struct store_condition always = {0};

static void check_small(struct suite *s)
{
	const struct cloud *cloud = s->x->cloud;
	struct object made, head;
	struct str got;
	json_t *metadata = json_in_arena(s->c->arena, json_pack("{s:s,s:s}", "colour", "blue", "n", "1"));
	struct store_put p = {
		.bucket = s->x->bucket, .key = S("small"), .content_type = S("text/x-test"), .metadata = metadata};
	suite_check(s, cloud_put_bytes(s->c, cloud, &p, S("hello world"), &made) == 0 && made.size == 11 && made.etag.n,
		"put a small object");
	suite_check(s, cloud_get_bytes(s->c, cloud, p.bucket, p.key, 100, &got) == 0 && str_eq(got, S("hello world")),
		"get it");
	bool there = CLOUD_CALL(s->c, cloud, store, head, p.bucket, p.key, &head) == 0;
	suite_check(s, there && head.size == 11 && str_eq(head.etag, made.etag) && head.modified_ns > 0, "head it");
	suite_check(s, there && str_eq(head.content_type, p.content_type), "its content type is kept");
	suite_check(s, there && head.metadata && json_equal(head.metadata, metadata), "its metadata is kept");
	suite_check(
		s, !there || !head.has_crc32c || head.crc32c == crc32c(0, S("hello world")), "its checksum is right");
	suite_check(s, suite_put(s, S("empty"), S(""), always, &made) == 0 && made.size == 0, "put an empty object");
	suite_check(s, cloud_get_bytes(s->c, cloud, p.bucket, S("empty"), 100, &got) == 0 && got.n == 0,
		"get an empty object");
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
		bool right = suite_put(s, key, key, always, &made) == 0 &&
			     cloud_get_bytes(s->c, s->x->cloud, s->x->bucket, key, 100, &got) == 0;
		suite_check(s, right && str_eq(got, key), buf_cstr(&what));
	}
}

static void check_ranges(struct suite *s)
{
	AUTO(buf) bytes = {0};
	struct object o;
	struct str key = S("small");
	suite_check(s, suite_range_is(s, key, 0, 5, S("hello")), "a range from the start");
	suite_check(s, suite_range_is(s, key, 4, 3, S("o w")), "a range in the middle");
	suite_check(s, suite_range_is(s, key, 6, UINT64_MAX, S("world")), "a range to the end");
	suite_check(s, suite_range_is(s, key, 6, 1000, S("world")), "a range over the end");
	struct store_get g = {.bucket = s->x->bucket, .key = key, .offset = 11, .length = 5};
	if (!suite_skips(s, "range-errors"))
		suite_check(s, suite_get(s, &g, &bytes, &o) == ERR_INVALID, "a range behind the end is refused");
}

static void check_conditions(struct suite *s)
{
	AUTO(buf) bytes = {0};
	struct object first = {0}, second = {0}, third;
	struct store_condition absent = {.if_absent = true};
	if (suite_skips(s, "conditions"))
		return;
	suite_check(s, suite_put(s, S("once"), S("1"), absent, &first) == 0, "create if absent");
	suite_check(s, suite_put(s, S("once"), S("2"), absent, &third) == ERR_CONFLICT,
		"create if absent, and it is there");
	suite_check(s, suite_put(s, S("once"), S("22"), (struct store_condition){.if_match = first.etag}, &second) == 0,
		"replace a known version");
	suite_check(s, !str_eq(first.etag, second.etag), "which gives another version");
	suite_check(s,
		suite_put(s, S("once"), S("3"), (struct store_condition){.if_match = first.etag}, &third) ==
			ERR_CONFLICT,
		"replace an old version");
	struct store_get g = {.bucket = s->x->bucket, .key = S("once"), .if_match = first.etag};
	suite_check(s, suite_get(s, &g, &bytes, &third) == ERR_CONFLICT, "get an old version");
	g.if_match = second.etag;
	suite_check(
		s, suite_get(s, &g, &bytes, &third) == 0 && str_eq(buf_str(&bytes), S("22")), "get a known version");
}

static void check_absent(struct suite *s)
{
	const struct cloud *cloud = s->x->cloud;
	struct str bucket = s->x->bucket, got;
	struct object o;
	struct store_put p = {.bucket = arena_printf(s->c->arena, "%.*s-none", STR(bucket)), .key = S("a")};
	suite_check(s, CLOUD_CALL(s->c, cloud, store, delete, bucket, S("small")) == 0, "delete");
	suite_check(s, CLOUD_CALL(s->c, cloud, store, delete, bucket, S("small")) == 0, "delete again");
	suite_check(s, cloud_get_bytes(s->c, cloud, bucket, S("small"), 9, &got) == ERR_NOT_FOUND, "get what is gone");
	suite_check(
		s, CLOUD_CALL(s->c, cloud, store, head, bucket, S("small"), &o) == ERR_NOT_FOUND, "head what is gone");
	suite_check(s, cloud_put_bytes(s->c, cloud, &p, S("x"), &o) == ERR_NOT_FOUND,
		"put into a bucket that is not there");
}

static int empty(struct call *c, const struct conformance *x)
{
	struct store_page page;
	int r = cloud_list_all(c, x->cloud, x->bucket, S(""), &page);
	for (size_t i = 0; !r && i < page.count; i++)
		r = CLOUD_CALL(c, x->cloud, store, delete, x->bucket, page.objects[i].key);
	return r;
}

static void check_bucket_delete(struct suite *s)
{
	const struct conformance *x = s->x;
	suite_check(s,
		CLOUD_CALL(s->c, x->cloud, store, bucket_delete, x->bucket) == ERR_CONFLICT ||
			suite_is_without(s, "bucket-not-empty"),
		"a bucket that is not empty stays");
	suite_check(s, empty(s->c, x) == 0, "empty it");
	suite_check(s, CLOUD_CALL(s->c, x->cloud, store, bucket_delete, x->bucket) == 0, "delete it");
	suite_check(s, bucket_head(s) == ERR_NOT_FOUND, "it is gone");
	suite_check(s, CLOUD_CALL(s->c, x->cloud, store, bucket_delete, x->bucket) == 0, "delete a bucket again");
}

// ---------------------------------------------------------------- all

struct str conformance_pattern(struct arena *a, size_t n)
{
	char *p = arena_alloc(a, n + 1);
	uint32_t state = 12345;
	for (size_t i = 0; p && i < n; i++) {
		state = state * 1664525u + 1013904223u;
		p[i] = (char)(state >> 24);
	}
	return (struct str){p, p ? n : 0};
}

int conformance_run(struct call *c, struct conformance *x)
{
	struct suite s = {.c = c, .x = x, .part = "store"};
	void (*const sections[])(struct suite * s) = {check_small, check_names, check_ranges, check_conditions,
		suite_check_lists, suite_check_large, suite_check_tags, suite_check_credentials, check_absent,
		suite_check_identity, check_bucket_delete};
	x->ok = x->failed = x->skipped = 0;
	x->over = 0;
	x->big = conformance_pattern(c->arena, CONFORMANCE_BIG);
	int r = x->big.p ? make_bucket(&s) : call_no_memory(c);
	for (size_t i = 0; !r && !x->over && i < COUNT_OF(sections); i++)
		sections[i](&s);
	if (!r && x->over && !c->err.code)
		r = call_fail(c, x->over, "the checks were ended");
	return r ? r : x->over;
}

int conformance_clean(struct call *c, const struct conformance *x, int64_t limit_ns)
{
	struct call own = *c;
	own.cancel = NULL;
	own.deadline_ns = call_mono_ns(c) + limit_ns;
	err_clear(&own.err);
	int r = empty(&own, x);
	if (r == ERR_NOT_FOUND)
		return 0;
	if (!r)
		r = CLOUD_CALL(&own, x->cloud, store, bucket_delete, x->bucket);
	if (r) {
		c->err = own.err;
		return call_context(c, "take down the scratch bucket %.*s, which may still be there", STR(x->bucket));
	}
	return 0;
}
