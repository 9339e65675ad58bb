// SPDX-License-Identifier: Apache-2.0
// `check --deep`: the conformance cases on an account. See check.h. The bucket's name begins with what permissions
// grants for it, and ends at random, so that nobody else's is touched.
#include "base/kind.h"
#include "base/kind_scalars.h"
#include "base/time.h"
#include "cloud/call_record.h"
#include "cloud/conformance.h"
#include "cloud/identity.h"
#include "cloud/registry.h"
#include "infra/check.h"
#include "infra/permissions.h"

struct deep {
	struct call *c;
	const struct check_deep *r;
	struct call_record record;
	struct transport_watch watch;
	struct cloud cloud;
	struct conformance run;
	json_t *cases, *swept;
	unsigned done;
};

// Of the name of a scratch bucket: PREFIX, the second it was made as 8 hexadecimal digits, 12 at random.
enum { TIME_BYTES = 4, RANDOM_BYTES = 6, LEFT_BEHIND_S = 3600 };

// ---------------------------------------------------------------- what it may cost

// Prices are in USD. A euro has been worth 0.82 to 1.60 dollars since there is one: counted as a dollar, a limit in EUR
// is kept within a quarter, and the message says so.
static int check_limit(struct call *c, struct str at_most, const struct conformance_cost *cost)
{
	struct field_money limit = {0};
	struct str text = str_trim(at_most);
	size_t digits = 0;
	while (digits < text.n && (text.p[digits] == '.' || (text.p[digits] >= '0' && text.p[digits] <= '9')))
		digits++;
	struct str spaced =
		arena_printf(c->arena, "%.*s %.*s", STR(str_take(text, digits)), STR(str_trim(str_drop(text, digits))));
	if (!spaced.p)
		return call_no_memory(c);
	if (money_parse(spaced, &limit))
		return call_fail(c, ERR_INVALID, "--at-most \"%.*s\" is no amount of money: write 1EUR", STR(at_most));
	bool usd = str_eq(limit.currency, S("USD"));
	bool eur = str_eq(limit.currency, S("EUR"));
	if (!usd && !eur)
		return call_fail(
			c, ERR_INVALID, "--at-most \"%.*s\": prices are in USD, so write EUR or USD", STR(at_most));
	if (cost->amount <= limit.amount)
		return 0;
	return call_fail(c, ERR_LIMIT,
		"the checks may cost %.4f %.*s%s, which is more than --at-most %.*s: nothing was done (%.*s)",
		cost->amount, STR(cost->currency), eur ? ", a euro counted as a dollar" : "", STR(at_most),
		STR(cost->basis));
}

// ---------------------------------------------------------------- the run

static void report(void *ctx, const struct conformance_case *one)
{
	static const char *const words[] = {"ok", "failed", "skipped"};
	struct deep *d = ctx;
	json_t *j = json_pack(
		"{s:s, s:o, s:s}", "part", one->part, "name", json_of_str(one->name), "verdict", words[one->verdict]);
	if (one->reason.n)
		json_set_str(j, "reason", one->reason);
	json_array_append_new(d->cases, j);
	call_record_case(&d->record, one);
	if (d->r->progress)
		d->r->progress(d->r->ctx, one->name, ++d->done);
}

static int name_bucket(struct call *c, struct str *out)
{
	unsigned char random[RANDOM_BYTES];
	char hex[sizeof(random) * 2 + 1];
	int rc = c->edges->random(c->edges->ctx, random, sizeof(random));
	if (rc)
		return call_fail(c, rc, "no random numbers");
	hex_encode(str_bytes(random, sizeof(random)), hex);
	*out = arena_printf(
		c->arena, PERMISSIONS_SCRATCH "%08llx%s", (unsigned long long)(call_now_ns(c) / NS_PER_S), hex);
	return out->p ? 0 : call_no_memory(c);
}

// Whether a bucket is of a run that began so long ago that it must have been killed: only the name that we give is
// ours.
static bool is_left_behind(struct call *c, struct str bucket)
{
	unsigned char bytes[TIME_BYTES + RANDOM_BYTES];
	int64_t began_s = 0;
	struct str hex = str_drop(bucket, sizeof(PERMISSIONS_SCRATCH) - 1);
	if (!str_starts(bucket, S(PERMISSIONS_SCRATCH)) || hex.n != 2 * sizeof(bytes) || hex_decode(hex, bytes))
		return false;
	for (size_t i = 0; i < TIME_BYTES; i++)
		began_s = began_s << 8 | bytes[i];
	return began_s + LEFT_BEHIND_S < call_now_ns(c) / NS_PER_S;
}

// What killed runs left on the account goes, as far as we are let; the names are said. Its calls are in no record.
static void sweep(struct deep *d, const struct cloud *cloud)
{
	struct bucket_entry *all = NULL;
	size_t count = 0;
	if (CLOUD_CALL(d->c, cloud, identity, buckets, &all, &count))
		count = 0;
	for (size_t i = 0; i < count; i++) {
		const struct conformance old = {.config = d->r->config, .cloud = cloud, .bucket = all[i].name};
		if (!is_left_behind(d->c, old.bucket))
			continue;
		if (conformance_clean(d->c, &old, CHECK_CLEAN_S * NS_PER_S) == 0)
			json_array_append_new(d->swept, json_of_str(old.bucket));
		err_clear(&d->c->err);
	}
	err_clear(&d->c->err);
}

// Whatever the run came to, the bucket goes. That it stays is the worse of two errors.
static int run_and_clean(struct deep *d)
{
	int rc = conformance_run(d->c, &d->run);
	struct err why = d->c->err;
	int cleaned = conformance_clean(d->c, &d->run, CHECK_CLEAN_S * NS_PER_S);
	if (rc && (cleaned == 0 || !d->run.ok))
		d->c->err = why; // a bucket that could not be made need not be taken down
	else
		rc = cleaned ? cleaned : rc;
	return rc;
}

static int write_record(struct deep *d)
{
	const struct check_deep *r = d->r;
	struct call_record_about about = {.kind = r->kind, .server = r->server, .now_ns = call_now_ns(d->c)};
	char *path = arena_cstr(d->c->arena, r->record_path);
	if (!path)
		return call_no_memory(d->c);
	return r->record_path.n ? call_record_write(&d->record, &about, path, &d->c->err) : 0;
}

static json_t *result_json(const struct deep *d, const struct conformance_cost *cost)
{
	json_t *j = json_object();
	json_set_str(j, "cloud", d->r->config->name);
	json_set_str(j, "bucket", d->run.bucket);
	json_object_set_new(j, "ok", json_integer(d->run.ok));
	json_object_set_new(j, "failed", json_integer(d->run.failed));
	json_object_set_new(j, "skipped", json_integer(d->run.skipped));
	json_object_set(j, "cases", d->cases);
	json_object_set(j, "swept", d->swept);
	json_t *price = json_pack("{s:f}", "amount", cost->amount);
	json_set_str(price, "currency", cost->currency);
	json_set_str(price, "basis", cost->basis);
	json_object_set_new(j, "cost", price);
	if (d->r->record_path.n)
		json_set_str(j, "record", d->r->record_path);
	return j;
}

static int run_open(struct deep *d, json_t **out)
{
	struct conformance_cost cost;
	struct str bucket;
	int rc = conformance_estimate(d->c, &d->cloud, &cost);
	if (rc == 0)
		rc = check_limit(d->c, d->r->at_most, &cost);
	if (rc == 0)
		rc = name_bucket(d->c, &bucket);
	if (rc == 0)
		rc = call_record_begin(&d->record, d->r->config, bucket, &d->c->err);
	if (rc)
		return rc;
	d->run = (struct conformance){.config = d->r->config,
		.cloud = &d->cloud,
		.bucket = bucket,
		.watch = &d->watch,
		.report = report,
		.ctx = d};
	rc = run_and_clean(d);
	if (rc == 0)
		rc = write_record(d);
	if (rc == 0) {
		*out = json_in_arena(d->c->arena, result_json(d, &cost));
		rc = *out ? 0 : call_no_memory(d->c);
	}
	call_record_free(&d->record);
	return rc;
}

int check_deep(struct call *c, const struct check_deep *r, json_t **out)
{
	struct deep *d = arena_new(c->arena, struct deep);
	struct cloud_config plain = *r->config; // the driver itself: nothing encrypted, no engine of jobs
	struct check_deep request = *r;
	if (!d)
		return call_no_memory(c);
	plain.local_root = S("");
	plain.sealed_count = 0;
	request.config = &plain;
	*d = (struct deep){.c = c, .r = &request, .cases = json_array(), .swept = json_array()};
	d->watch = call_record_watch(&d->record);
	struct cloud unwatched;
	int rc = cloud_open(c, &plain, &unwatched);
	if (rc == 0) {
		sweep(d, &unwatched);
		cloud_close(&unwatched);
		rc = cloud_open_watched(c, &plain, &d->watch, &d->cloud);
	}
	if (rc == 0) {
		rc = run_open(d, out);
		cloud_close(&d->cloud);
	}
	json_decref(d->cases);
	json_decref(d->swept);
	return rc ? call_context(c, "check --deep cloud/%.*s", STR(r->config->name)) : 0;
}
