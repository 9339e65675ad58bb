// SPDX-License-Identifier: Apache-2.0
// Datasets of persons, what is asked of their records, transfers and buckets of others.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "data/bucket_kind.h"
#include "data/dataset_kind.h"
#include "data/transfer_kind.h"
#include "kind_test.h"

static const char returns[] =
	"source: bucket/raw/returns/\nformat: parquet\nclass: personal\nsubject: customer_id\n"
	"purpose: {text: fraud detection, basis: legitimate interest, record: ROPA-17}\nresidency: [EU]\noperators: "
	"[EU, US]\n"
	"keep: {at_most: 18 months}\nschema: {order_id: text, customer_id: text, amount: decimal}\n"
	"replicas: {bucket: lake, refresh: hourly, lag_alert: 3h}\n"
	"checks: [unique(order_id), \"not null(customer_id, amount)\", rows within 20% of last]\n";

static void test_dataset(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct dataset d;
	kind_test_decode(&dataset_kind, returns, &a, &d, "");
	const struct dataset_column *columns = d.schema.items;
	const struct dataset_check *checks = d.checks.items;
	const struct str *second = checks[1].columns.items;
	assert_true(str_eq(d.source, S("bucket/raw/returns/")) && d.keep.at_most_ns == 540 * 86400 * NS_PER_S);
	assert_true(d.schema.count == 3 && str_eq(columns[2].type, S("decimal")));
	assert_true(d.checks.count == 3 && checks[0].kind == CHECK_UNIQUE && checks[1].kind == CHECK_NOT_NULL);
	assert_true(checks[1].columns.count == 2 && str_eq(second[1], S("amount")));
	assert_true(checks[2].kind == CHECK_ROWS && checks[2].within == 0.2);
	assert_true(d.operators.places.count == 2 && str_eq(d.replicas.refresh, S("hourly")));
	kind_test_later(&dataset_kind, returns, "subject, purpose, keep, checks", "");
}

static void test_dataset_wrong(UNUSED void **state)
{
	kind_test_wrong(&dataset_kind,
		"source: bucket/raw/\nformat: parquet\nsubject: person\nschema: {a: txt, b: text}\n",
		"4:13: schema.a: expected one of text, integer, number, decimal, boolean, date, timestamp, bytes; did "
		"you mean "
		"\"text\"?\n");
	kind_test_wrong(&dataset_kind,
		"source: bucket/raw/x\nformat: parquet\nsubject: person\nschema: {b: text}\n"
		"checks: [unique(c), sorted(b), unique(), rows within 20 of last]\n",
		"5:21: checks[1]: expected unique(COLUMN, ...), not null(COLUMN, ...) or rows within 20% of last\n"
		"5:32: checks[2]: expected unique(COLUMN, ...), not null(COLUMN, ...) or rows within 20% of last\n"
		"5:42: checks[3]: expected unique(COLUMN, ...), not null(COLUMN, ...) or rows within 20% of last\n"
		"3:10: subject: the schema has no column \"person\"; name one of the columns of schema:\n");
	kind_test_wrong(&dataset_kind, "source: bucket/raw/x\nformat: idx\n",
		"1:9: source: records of the format idx are read from a folder only; bring them from a folder, or take "
		"them as files: "
		"parquet, jsonl, csv\n");
	kind_test_wrong(&dataset_kind, "source: file:x\nformat: idx\nreplicas: {bucket: lake}\n",
		"3:11: replicas: only datasets of files (parquet, jsonl, csv) have copies; spread them with partition: "
		"instead\n");
	kind_test_wrong(&dataset_kind,
		"source: bucket/raw/x\nformat: jsonl\npartition: {by: hash of record, clouds: all}\n",
		"3:12: partition: only records of the format idx can be told apart; these are jsonl; leave it out, and "
		"the "
		"dataset lies whole\n");
	kind_test_wrong(&dataset_kind, "source: bucket/\nformat: jsonl\n",
		"1:9: source: expected a folder as file:data, file:///usr/share/datasets/... or bucket/NAME/PREFIX/, "
		"got "
		"\"bucket/\"; file:data\n");
	// One wrong field hides no other check.
	kind_test_wrong(&dataset_kind, "source: file:data\nformat: tape\nclass: personal\nresidency: anywhere\n",
		"2:9: format: expected one of idx, parquet, jsonl, csv, got \"tape\"\n"
		"4:12: residency: only a dataset of class public may lie anywhere; this one is personal; [EU]\n");
	kind_test_wrong(&dataset_kind, "source: file:d\nformat: idx\nkeep: {at_least: 2y, at_most: 1y}\n",
		"3:31: keep.at_most: nothing can be kept longer than at least and shorter than at most; raise at_most, "
		"or lower "
		"at_least\n");
}

static void test_transfer(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct data_transfer t;
	kind_test_decode(&transfer_kind,
		"what: model/fraud\nto: US\nbasis: standard contractual clauses\nreference: DPO-1\nuntil: "
		"\"2027-06-30\"",
		&a, &t, "");
	assert_true(str_eq(t.what.kind, S("model")) && t.to.count == 1 && t.until_ns == INT64_C(1814313600) * NS_PER_S);
	kind_test_later(&transfer_kind, "what: model/fraud", "", "");
	kind_test_wrong(&transfer_kind, "what: fraud\nto: [UK]\nbasis: because\nreference: x\nuntil: 2027-02-30",
		"3:8: basis: expected one of adequacy decision, standard contractual clauses, binding corporate rules, "
		"code of "
		"conduct, certification, explicit consent, contract, legal claims, vital interests, public interest, "
		"got "
		"\"because\"\n5:8: until: expected a date such as 2027-06-30, got \"2027-02-30\"\n"
		"1:7: what: several kinds of things may be meant; write it out, such as model/fraud\n"
		"2:5: to: \"UK\" is the code of no country, and not EU; did you mean \"GB\"?\n");
	kind_test_wrong(&transfer_kind,
		"{what: model/a, to: anywhere, basis: contract, reference: x, until: 2027-01-01}",
		"1:21: to: a transfer leads somewhere: \"anywhere\" would be no bound; name the places\n");
	assert_ptr_equal(transfer_handler.kind, &transfer_kind);
}

static void test_bucket(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct bucket b;
	kind_test_decode(&bucket_kind, "{cloud: aws-eu, name: lumen-raw, existing: keep}", &a, &b, "");
	assert_true(
		b.clouds.count == 1 && str_eq(((const struct str *)b.clouds.items)[0], S("aws-eu")) && !b.versioning);
	kind_test_later(&bucket_kind, "{clouds: all, versioning: true, public: never}", "versioning", "");
	kind_test_later(&bucket_kind, "{clouds: all, versioning: false}", "", "");
	kind_test_wrong(
		&bucket_kind, "{cloud: a, public: always}", "1:20: public: expected one of never, got \"always\"\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dataset),
		cmocka_unit_test(test_dataset_wrong),
		cmocka_unit_test(test_transfer),
		cmocka_unit_test(test_bucket),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
