// SPDX-License-Identifier: Apache-2.0
// Conformance cases on large objects, lists, tags, credentials and identity, and what a run costs. See conformance.h.
#include "base/json.h"
#include "cloud/conformance_impl.h"
#include "cloud/identity.h"
#include "cloud/registry.h"

enum { MIB = 1 << 20, PART = 8 * MIB };

// ---------------------------------------------------------------- large objects

struct stream { // of bytes in memory
	struct source source;
	struct str bytes;
	size_t given, step; // step: most bytes that a read gives; 0: as many as asked for
};

static ssize_t stream_read(void *ctx, void *out, size_t n)
{
	struct stream *s = ctx;
	struct str piece = str_take(str_drop(s->bytes, s->given), s->step ? MIN(n, s->step) : n);
	for (size_t i = 0; i < piece.n; i++)
		((char *)out)[i] = piece.p[i];
	s->given += piece.n;
	return (ssize_t)piece.n;
}

static int stream_rewind(void *ctx)
{
	((struct stream *)ctx)->given = 0;
	return 0;
}

static void stream_init(struct stream *s, struct str bytes)
{
	*s = (struct stream){.bytes = bytes};
	s->source = (struct source){.ctx = s, .read = stream_read, .rewind = stream_rewind, .size = bytes.n};
}

void suite_check_large(struct suite *s)
{
	const struct cloud *cloud = s->x->cloud;
	struct str big = s->x->big;
	AUTO(buf) bytes = {0};
	struct stream stream;
	struct object made = {0}, o;
	struct store_put p = {.bucket = s->x->bucket, .key = S("big")};
	stream_init(&stream, big);
	suite_check(s, CLOUD_CALL(s->c, cloud, store, put, &p, &stream.source, &made) == 0 && made.size == big.n,
		"put 20 MiB in parts");
	struct store_get g = {.bucket = s->x->bucket, .key = p.key};
	suite_check(s, suite_get(s, &g, &bytes, &o) == 0 && str_eq(buf_str(&bytes), big), "get 20 MiB");
	suite_check(s, suite_range_is(s, p.key, PART - 10, 20, str_take(str_drop(big, PART - 10), 20)),
		"a range across parts");
	suite_check(s, suite_range_is(s, p.key, big.n - 5, UINT64_MAX, str_drop(big, big.n - 5)), "the last bytes");
	stream_init(&stream, str_take(big, 2 * PART));
	stream.source.size = UINT64_MAX;
	stream.source.rewind = NULL;
	stream.step = 65537;
	suite_check(s, CLOUD_CALL(s->c, cloud, store, put, &p, &stream.source, &made) == 0 && made.size == 2 * PART,
		"put over it from a stream of unknown size");
	bool there = CLOUD_CALL(s->c, cloud, store, head, p.bucket, p.key, &o) == 0;
	suite_check(s, there && o.size == 2 * PART, "it has the new size");
	if (suite_is_without(s, "conditions") || s->x->over)
		return;
	stream_init(&stream, big);
	p.condition.if_absent = true;
	suite_check(s, CLOUD_CALL(s->c, cloud, store, put, &p, &stream.source, &made) == ERR_CONFLICT,
		"parts, if absent, and it is there");
}

// ---------------------------------------------------------------- lists

static bool pages_are_right(struct suite *s, size_t *pages)
{
	struct store_list list = {
		.bucket = s->x->bucket, .prefix = S("list/"), .delimiter = S(""), .token = S(""), .limit = 3};
	struct store_page page = {0};
	struct str last = S("");
	size_t count = 0;
	bool ordered = true;
	*pages = 0;
	do {
		if (CLOUD_CALL(s->c, s->x->cloud, store, list, &list, &page))
			return false;
		for (size_t i = 0; i < page.count; i++) {
			ordered = ordered && str_cmp(last, page.objects[i].key) < 0 && page.objects[i].size == 1;
			last = page.objects[i].key;
		}
		count += page.count;
		(*pages)++;
		list.token = page.next;
	} while (list.token.n && *pages < 10);
	return count == 7 && ordered;
}

void suite_check_lists(struct suite *s)
{
	struct store_page page = {0};
	struct object made;
	size_t pages;
	bool all_put = true;
	for (int i = 0; i < 7; i++)
		all_put = suite_put(s, arena_printf(s->c->arena, "list/%d%s", i, i < 3 ? "" : "/x y"), S("x"),
				  (struct store_condition){0}, &made) == 0 &&
			  all_put;
	suite_check(s, all_put, "put seven objects");
	bool right = pages_are_right(s, &pages);
	suite_check(s, right && (pages == 3 || suite_is_without(s, "paging")), "list them in pages of three");
	struct store_list folders = {.bucket = s->x->bucket, .prefix = S("list/"), .delimiter = S("/"), .token = S("")};
	bool listed = CLOUD_CALL(s->c, s->x->cloud, store, list, &folders, &page) == 0;
	suite_check(s, listed && page.count == 3 && page.prefix_count == 4 && str_eq(page.prefixes[0], S("list/3/")),
		"list with a delimiter");
	suite_check(s, cloud_list_all(s->c, s->x->cloud, s->x->bucket, S("nothing/"), &page) == 0 && page.count == 0,
		"list nothing");
}

// ---------------------------------------------------------------- tags, credentials

void suite_check_tags(struct suite *s)
{
	AUTO(json) tags = json_pack("{s:s,s:s}", "isobar-check", "yes", "colour", "blue");
	json_t *got = NULL;
	if (suite_skips(s, "tags"))
		return;
	suite_check(s, CLOUD_CALL(s->c, s->x->cloud, store, bucket_set_tags, s->x->bucket, tags) == 0,
		"set the bucket's tags");
	bool read = CLOUD_CALL(s->c, s->x->cloud, store, bucket_tags, s->x->bucket, &got) == 0;
	suite_check(s, read && str_eq(json_str(got, "colour"), S("blue")), "read them");
	json_decref(got);
}

// The same cloud with one member of its secret changed.
void suite_check_credentials(struct suite *s)
{
	static const struct {
		const char *member, *value;
	} wrong[] = {{"secret_access_key", "wrong"}, {"key", "d3Jvbmc="}, {"client_email", "nobody@nowhere.test"}};
	struct cloud_config config = *s->x->config;
	struct cloud other;
	if (suite_skips(s, "credentials"))
		return;
	json_t *credentials = json_deep_copy(config.credentials);
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		if (json_object_get(credentials, wrong[i].member))
			json_object_set_new(credentials, wrong[i].member, json_string(wrong[i].value));
	}
	config.credentials = json_in_arena(s->c->arena, credentials);
	config.local_root = S(""); // of the store alone
	config.sealed_count = 0;
	if (cloud_open_watched(s->c, &config, s->x->watch, &other)) {
		suite_check(s, false, "open with wrong credentials");
		return;
	}
	struct store_list list = {.bucket = s->x->bucket, .prefix = S(""), .delimiter = S(""), .token = S("")};
	int r = CLOUD_CALL(s->c, &other, store, list, &list, &(struct store_page){0});
	suite_check(s, r == ERR_UNAUTHENTICATED || r == ERR_DENIED, "wrong credentials are refused");
	cloud_close(&other);
}

// ---------------------------------------------------------------- identity

static bool list_has(struct suite *s)
{
	struct bucket_entry *list = NULL;
	size_t count = 0;
	bool found = false;
	int r = CLOUD_CALL(s->c, s->x->cloud, identity, buckets, &list, &count);
	for (size_t i = 0; !r && i < count; i++)
		found = found || str_eq(list[i].name, s->x->bucket);
	return found;
}

void suite_check_identity(struct suite *s)
{
	const struct cloud *cloud = s->x->cloud;
	struct cloud_identity who;
	struct bucket_facts facts;
	s->part = "identity";
	if (!cloud->identity) {
		suite_skip(s, "identity");
		s->part = "store";
		return;
	}
	if (!suite_skips(s, "identity"))
		suite_check(s, CLOUD_CALL(s->c, cloud, identity, whoami, &who) == 0 && who.who.n && who.account.n,
			"say who we are");
	if (!suite_skips(s, "bucket-list"))
		suite_check(s, list_has(s), "list the buckets");
	if (!suite_skips(s, "bucket-facts"))
		suite_check(
			s, CLOUD_CALL(s->c, cloud, identity, describe, s->x->bucket, &facts) == 0, "describe a bucket");
	s->part = "store";
}

// ---------------------------------------------------------------- cost

// Of one run, with every request as dear as the dearest of the three clouds' (S3's PUT, LIST and POST), every byte read
// going out to the internet, and all that was stored kept for the shortest time that is billed.
enum { REQUESTS = 400, MIB_READ = 64, MIB_STORED = 96 };
#define PRICE_PER_REQUEST 0.00001 // 0.0054 per 1,000 of S3 in the dearest region of the table, rounded up
#define PRICE_PER_GB_MONTH 0.03   // of standard storage, the dearest of the table, rounded up

int conformance_estimate(struct call *c, const struct cloud *cloud, struct conformance_cost *out)
{
	struct price egress;
	if (str_eq(cloud->provider, S("site"))) { // of a hall of one's own no table has a price
		*out = (struct conformance_cost){
			.currency = S("USD"), .basis = S("a store of one's own: nobody is paid")};
		return 0;
	}
	int r = CLOUD_CALL(c, cloud, prices, egress, S("internet"), &egress);
	if (r)
		return call_context(c, "estimate the cost");
	double amount = REQUESTS * PRICE_PER_REQUEST + MIB_READ / 1000.0 * egress.amount +
			MIB_STORED / 1000.0 * PRICE_PER_GB_MONTH;
	struct str basis = arena_printf(c->arena,
		"at most %d requests, %d MiB stored for a month, %d MiB read at %.3f %.*s/%.*s (%.*s, %.*s)", REQUESTS,
		MIB_STORED, MIB_READ, egress.amount, STR(egress.currency), STR(egress.unit), STR(egress.source),
		STR(egress.date));
	if (!basis.p)
		return call_no_memory(c);
	*out = (struct conformance_cost){.amount = amount, .currency = egress.currency, .basis = basis};
	return 0;
}
