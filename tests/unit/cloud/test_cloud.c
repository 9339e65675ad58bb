// SPDX-License-Identifier: Apache-2.0
// What callers of clouds share: bytes, files, complete lists, slots that are not offered; resources and prices over
// them.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <unistd.h>

#include "cloud/cloud.h"
#include "cloud/prices.h"
#include "cloud/resources.h"
#include "cloud_test.h"

struct fixture {
	struct cloud_test t;
	struct call *c;
	struct memory_store *store;
	struct memory_keys keys;
	struct cloud cloud;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	cloud_test_init(&f->t);
	f->c = &f->t.call;
	f->store = memory_store_new();
	f->cloud = (struct cloud){.name = S("aws-us"),
		.provider = S("aws"),
		.region = S("us-east-1"),
		.location = S("US"),
		.store = &memory_store_ops,
		.store_ctx = f->store,
		.keys = &memory_key_ops,
		.keys_ctx = &f->keys,
		.resources = &parts_resource_ops};
	f->cloud.resources_ctx = &f->cloud;
	assert_int_equal(memory_store_ops.bucket_create(f->c, f->store, S("lake")), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	memory_store_free(f->store);
	cloud_test_free(&f->t);
	free(f);
	return 0;
}

static void test_bytes_in_memory(void **state)
{
	struct fixture *f = *state;
	struct store_put put = {.bucket = S("lake"), .key = S("a")};
	struct object made;
	struct str got;
	assert_int_equal(cloud_put_bytes(f->c, &f->cloud, &put, S("hello"), &made), 0);
	assert_int_equal(made.size, 5);
	assert_int_equal(cloud_get_bytes(f->c, &f->cloud, S("lake"), S("a"), 5, &got), 0);
	assert_true(str_eq(got, S("hello")));
	got = S("unchanged");
	assert_int_equal(cloud_get_bytes(f->c, &f->cloud, S("lake"), S("a"), 4, &got), ERR_LIMIT);
	assert_int_equal(cloud_get_bytes(f->c, &f->cloud, S("lake"), S("b"), 4, &got), ERR_NOT_FOUND);
	assert_true(str_eq(got, S("unchanged")));
}

static void test_files(void **state)
{
	struct fixture *f = *state;
	struct store_put put = {.bucket = S("lake"), .key = S("file")};
	struct store_get get = {.bucket = S("lake"), .key = S("file")};
	struct object made;
	struct str bytes = test_bytes(&f->t.arena, 100000), got;
	FILE *in = tmpfile(), *out = tmpfile();
	assert_int_equal(write(fileno(in), bytes.p, bytes.n), bytes.n);
	assert_int_equal(lseek(fileno(in), 1000, SEEK_SET), 1000); // what lies before stays out
	assert_int_equal(cloud_put_fd(f->c, &f->cloud, &put, fileno(in), &made), 0);
	assert_int_equal(made.size, 99000);
	assert_int_equal(cloud_get_fd(f->c, &f->cloud, &get, fileno(out), &made), 0);
	char *back = malloc(99000);
	assert_int_equal(pread(fileno(out), back, 99000, 0), 99000);
	assert_memory_equal(back, bytes.p + 1000, 99000);
	free(back);
	fclose(in);
	assert_int_equal(cloud_put_fd(f->c, &f->cloud, &put, -1, &made), ERR_IO);
	FILE *full = fopen("/dev/full", "w");
	assert_int_equal(cloud_get_fd(f->c, &f->cloud, &get, fileno(full), &made), ERR_NO_SPACE);
	fclose(full);
	fclose(out);
	// A pipe has no size that could be known.
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "abc", 3), 3);
	close(ends[1]);
	assert_int_equal(cloud_put_fd(f->c, &f->cloud, &put, ends[0], &made), 0);
	assert_int_equal(made.size, 3);
	close(ends[0]);
	assert_int_equal(cloud_get_bytes(f->c, &f->cloud, S("lake"), S("file"), 10, &got), 0);
	assert_true(str_eq(got, S("abc")));
}

static void test_list_all(void **state)
{
	struct fixture *f = *state;
	struct store_page page;
	for (int i = 0; i < 7; i++) {
		struct store_put put = {.bucket = S("lake"), .key = arena_printf(&f->t.arena, "p/%d", i)};
		struct object made;
		assert_int_equal(cloud_put_bytes(f->c, &f->cloud, &put, S("x"), &made), 0);
	}
	assert_int_equal(cloud_list_all(f->c, &f->cloud, S("lake"), S("p/"), &page), 0); // pages of two
	assert_int_equal(page.count, 7);
	assert_true(str_eq(page.objects[6].key, S("p/6")));
	assert_int_equal(page.next.n, 0);
	assert_int_equal(cloud_list_all(f->c, &f->cloud, S("lake"), S("q/"), &page), 0);
	assert_int_equal(page.count, 0);
	assert_int_equal(cloud_list_all(f->c, &f->cloud, S("none"), S(""), &page), ERR_NOT_FOUND);
}

static int same_page_again(struct call *c, void *store, const struct store_list *list, struct store_page *out)
{
	(void)c, (void)store, (void)list;
	*out = (struct store_page){.next = S("again")};
	return 0;
}

static void test_list_that_never_ends(void **state)
{
	struct fixture *f = *state;
	const struct store_ops ops = {.name = "loop", .list = same_page_again};
	struct cloud cloud = {.name = S("x"), .store = &ops};
	struct store_page page;
	assert_int_equal(cloud_list_all(f->c, &cloud, S("lake"), S(""), &page), ERR_PROTOCOL);
}

static void test_find_and_unsupported(void **state)
{
	struct fixture *f = *state;
	struct cloud items[] = {{.name = S("a")}, {.name = S("b")}};
	struct clouds all = {items, 2};
	struct job_status status;
	assert_ptr_equal(clouds_find(&all, S("b")), &items[1]);
	assert_null(clouds_find(&all, S("c")));
	assert_int_equal(CLOUD_CALL(f->c, &f->cloud, jobs, observe, S("j"), &status), ERR_UNSUPPORTED);
	assert_string_equal(f->c->err.message, "cloud/aws-us (aws) does not offer \"observe\" of its part \"jobs\": "
					       "give the cloud another engine for that part");
	assert_int_equal(CLOUD_CALL(f->c, &f->cloud, keys, rotate, S("k")), ERR_UNSUPPORTED);
}

static void test_resources(void **state)
{
	struct fixture *f = *state;
	json_t *outputs = NULL;
	const struct resource_ops *ops = &parts_resource_ops;
	assert_int_equal(ops->create(f->c, &f->cloud, S("bucket"), S("new"), NULL, &outputs), 0);
	assert_string_equal(json_text(outputs, "name"), "new");
	assert_string_equal(json_text(outputs, "location"), "US");
	json_decref(outputs);
	assert_int_equal(ops->read(f->c, &f->cloud, S("bucket"), S("new"), &outputs), 0);
	json_decref(outputs);
	assert_int_equal(ops->update(f->c, &f->cloud, S("bucket"), S("new"), NULL, &outputs), 0);
	json_decref(outputs);
	assert_int_equal(ops->delete (f->c, &f->cloud, S("bucket"), S("new")), 0);
	assert_int_equal(ops->read(f->c, &f->cloud, S("bucket"), S("new"), &outputs), ERR_NOT_FOUND);
	assert_int_equal(ops->create(f->c, &f->cloud, S("encryption-key"), S("lake"), NULL, &outputs), 0);
	assert_int_equal(json_int(outputs, "versions", 0), 1);
	json_decref(outputs);
	assert_int_equal(
		ops->delete (f->c, &f->cloud, S("encryption-key"), S("lake")), ERR_UNSUPPORTED); // no such slot
	assert_int_equal(ops->create(f->c, &f->cloud, S("volume"), S("v"), NULL, &outputs), ERR_UNSUPPORTED);
}

static void check_egress(struct fixture *f, const char *provider, const char *region, const char *to, double amount)
{
	struct price_region of = {str_of(provider), str_of(region)};
	struct price price;
	assert_int_equal(table_price_ops.egress(f->c, &of, str_of(to), &price), 0);
	assert_true(fabs(price.amount - (amount)) < 1e-12);
	assert_true(price.source.n && price.date.n == 7 && price.confidence.n && str_eq(price.currency, S("USD")));
}

static void test_prices(void **state)
{
	struct fixture *f = *state;
	check_egress(f, "aws", "us-east-1", "internet", 0.09);
	check_egress(f, "aws", "us-east-1", "gcp/europe-west4", 0.09);
	check_egress(f, "aws", "us-east-1", "aws/us-east-1", 0);
	check_egress(f, "aws", "us-east-1", "aws/eu-west-1", 0.02);
	check_egress(f, "aws", "us-east-1", "same-cloud", 0.02);
	check_egress(f, "aws", "sa-east-1", "internet", 0.15);
	check_egress(f, "azure", "westeurope", "aws/us-east-1", 0.087);
	check_egress(f, "azure", "westeurope", "azure/northeurope", 0.02);
	check_egress(f, "azure", "westeurope", "azure/eastus", 0.05);
	check_egress(f, "azure", "brazilsouth", "internet", 0.181);
	check_egress(f, "gcp", "europe-west4", "internet", 0.12);
	check_egress(f, "gcp", "europe-west4", "gcp/europe-west3", 0.02);
	check_egress(f, "gcp", "us-central1", "gcp/us-east1", 0.01);
	struct price_region of = {S("aws"), S("us-east-1")}, nowhere = {S("aws"), S("moon")};
	struct price price = {.amount = 7};
	assert_int_equal(table_price_ops.egress(f->c, &of, S("moon"), &price), ERR_INVALID);
	assert_int_equal(table_price_ops.egress(f->c, &of, S("gcp/moon"), &price), ERR_INVALID);
	assert_int_equal(table_price_ops.egress(f->c, &nowhere, S("internet"), &price), ERR_NOT_FOUND);
	assert_true(fabs(price.amount - (7)) < 1e-12);
	assert_int_equal(table_price_ops.compute(f->c, &of, 2, (uint64_t)4 << 30, &price), 0);
	assert_true(fabs(price.amount - (2 * 0.04048 + 4 * 0.004445)) < 1e-12);
	assert_true(str_eq(price.unit, S("h")));
}

// Each region of the table has a price for each way out.
static void test_prices_are_complete(void **state)
{
	struct fixture *f = *state;
	static const char *const providers[] = {"aws/ap-east-1", "azure/uaenorth", "gcp/africa-south1",
		"aws/af-south-1", "gcp/australia-southeast1", "azure/newzealandnorth", "aws/me-central-1",
		"gcp/me-west1"};
	static const char *const ways[] = {
		"internet", "same-cloud", "aws/us-east-1", "azure/eastus", "gcp/us-central1"};
	for (size_t i = 0; i < COUNT_OF(providers); i++) {
		struct price_region of;
		struct price price;
		str_cut(str_of(providers[i]), '/', &of.provider, &of.region);
		for (size_t k = 0; k < COUNT_OF(ways); k++) {
			assert_int_equal(table_price_ops.egress(f->c, &of, str_of(ways[k]), &price), 0);
			assert_true(price.amount > 0);
		}
	}
}

static void test_price_of_bytes(void **state)
{
	(void)state;
	struct price gb = {.amount = 0.09, .unit = S("GB")}, gib = {.amount = 0.12, .unit = S("GiB")};
	assert_true(fabs(price_of_bytes(&gb, 2000000000) - 0.18) < 1e-12);
	assert_true(fabs(price_of_bytes(&gib, (uint64_t)3 << 30) - 0.36) < 1e-12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_bytes_in_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_all, setup, teardown),
		cmocka_unit_test_setup_teardown(test_list_that_never_ends, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find_and_unsupported, setup, teardown),
		cmocka_unit_test_setup_teardown(test_resources, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prices, setup, teardown),
		cmocka_unit_test_setup_teardown(test_prices_are_complete, setup, teardown),
		cmocka_unit_test(test_price_of_bytes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
