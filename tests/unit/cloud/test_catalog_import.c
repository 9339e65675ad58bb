// SPDX-License-Identifier: Apache-2.0
// The importers of prices against a server that answers as the three public interfaces do: pages, broken pages, prices
// that are none, other currencies, a next page elsewhere.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "cloud/catalog_import.h"
#include "store_test.h"

static int import(struct store_test *x, const char *provider, const char *region, struct catalog_imported *out)
{
	const struct catalog_source from = {.provider = str_of(provider),
		.region = str_of(region),
		.base = x->url,
		.key = S("the-key"),
		.transport = x->transport};
	err_clear(&x->c->err);
	return catalog_import(x->c, &from, out);
}

static void end(struct store_test *x, size_t served)
{
	x->transport.close(x->transport.ctx);
	store_test_stop(x, served);
}

static const struct catalog_row *row_of(const struct catalog_imported *got, const char *shape)
{
	for (size_t i = 0; i < got->rows.count; i++)
		if (strcmp(got->rows.rows[i].shape, shape) == 0)
			return &got->rows.rows[i];
	static const struct catalog_row none = {.shape = "", .accelerator = "", .date = "", .region = "", .confidence = ""};
	return &none;
}

static const char *why(const struct catalog_imported *got, size_t i)
{
	return json_text(json_array_get(got->refused, i), "why");
}

// ---------------------------------------------------------------- Azure
#define ITEM(sku, name, price, currency)                                                                             \
	"{\"currencyCode\":\"" currency "\",\"tierMinimumUnits\":0.0,\"retailPrice\":" price                             \
	",\"armRegionName\":\"westeurope\",\"productName\":\"Virtual Machines Series\",\"skuName\":\"" name             \
	"\",\"unitOfMeasure\":\"1 Hour\",\"type\":\"Consumption\",\"armSkuName\":\"" sku "\"}"

static struct str azure_page(struct arena *a, const char *items, struct str next)
{
	return arena_printf(a, "{\"Items\":[%s],\"NextPageLink\":%s%.*s%s,\"Count\":1}", items, next.n ? "\"" : "null",
		STR(next), next.n ? "\"" : "");
}

static void test_azure(void **state)
{
	(void)state;
	struct script_step steps[3] = {{.status = 200}, {.status = 503}, {.status = 200}};
	struct store_test x;
	struct catalog_imported got;
	store_test_start(&x, steps, 3);
	steps[0].body = azure_page(&x.t.arena,
		ITEM("Standard_D4s_v5", "D4s v5", "0.23", "USD") "," ITEM("Standard_D4s_v5", "D4s v5 Spot", "0.05", "USD") ","
		ITEM("Standard_D4s_v5", "D4s v5 Low Priority", "0.01", "USD") "," ITEM("Standard_X1", "X1", "0.5", "USD") ","
		ITEM("Standard_D8s_v5", "D8s v5", "0", "USD") "," ITEM("Standard_D16s_v5", "D16s v5", "0.9", "EUR"),
		arena_printf(&x.t.arena, "%.*s/api/retail/prices?$skip=100", STR(x.url)));
	steps[2].body = azure_page(&x.t.arena,
		ITEM("Standard_NC24ads_A100_v4", "NC24ads Spot", "9.5", "USD") ","
		ITEM("Standard_NC24ads_A100_v4", "NC24ads", "4.775", "USD") "," ITEM("Standard_E8s_v5", "E8s Spot", "0.1", "USD")
		"," ITEM("Standard_D4s_v5", "D4s v5", "0.24", "USD"), S(""));
	assert_int_equal(import(&x, "azure", "westeurope", &got), 0);
	assert_int_equal(got.rows.count, 2);
	const struct catalog_row *d4 = row_of(&got, "Standard_D4s_v5"), *nc = row_of(&got, "Standard_NC24ads_A100_v4");
	assert_true(d4->on_demand == 0.23 && d4->spot == 0.05 && d4->vcpu == 4 && d4->memory_gib == 16);
	assert_true(nc->on_demand == 4.775 && nc->spot == 0 && nc->count == 1);
	assert_string_equal(nc->accelerator, "A100-80GB");
	assert_string_equal(nc->region, "westeurope");
	assert_string_equal(nc->confidence, "high");
	assert_int_equal(strlen(nc->date), 10);
	assert_int_equal(got.refused_count, 5);
	assert_string_equal(why(&got, 0), "on-demand price 0 is no price");
	assert_string_equal(why(&got, 1), "its price is in \"EUR\", not USD");
	assert_string_equal(why(&got, 2), "a second on-demand price, 0.24 beside 0.23: the first is taken");
	assert_string_equal(why(&got, 3), "spot 9.5 is above 4.775 on demand: not taken");
	assert_string_equal(why(&got, 4), "a spot price without one on demand");
	assert_int_equal(catalog_check(&got.rows, call_now_ns(x.c), NULL, NULL), 0);
	store_test_request(&x, 1, "GET", "/api/retail/prices?$skip=100");
	store_test_request(&x, 2, "GET", "/api/retail/prices?$skip=100"); // tried again
	end(&x, 3);
}

static void test_azure_broken(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		int code;
		const char *text;
	} broken[] = {{"{\"Items\":[", ERR_PROTOCOL, "no JSON"}, {"[]", ERR_PROTOCOL, "no object"},
		{"{\"Items\":7}", ERR_PROTOCOL, "no Items"}, {"{\"Items\":[null,7,{}]}", ERR_NOT_FOUND, "not one usable price"},
		{"{\"Items\":[],\"NextPageLink\":\"http://127.0.0.1:1/x\"}", ERR_PROTOCOL, "another host"},
		{"{\"Items\":[],\"NextPageLink\":\"file:///etc/passwd\"}", ERR_INVALID, ""}};
	struct script_step steps[COUNT_OF(broken)];
	struct store_test x;
	struct catalog_imported got;
	for (size_t i = 0; i < COUNT_OF(broken); i++)
		steps[i] = (struct script_step){.status = 200, .body = str_of(broken[i].body)};
	store_test_start(&x, steps, COUNT_OF(steps));
	for (size_t i = 0; i < COUNT_OF(broken); i++) {
		assert_int_equal(import(&x, "azure", "westeurope", &got), broken[i].code);
		assert_non_null(strstr(x.c->err.message, broken[i].text));
		assert_non_null(strstr(x.c->err.message, "import prices of azure westeurope"));
	}
	assert_int_equal(import(&x, "azure", "moon", &got), ERR_INVALID);
	assert_int_equal(import(&x, "site", "moon", &got), ERR_INVALID);
	assert_null(catalog_import_base(S("site")));
	assert_string_equal(catalog_import_base(S("azure")), "https://prices.azure.com");
	end(&x, COUNT_OF(steps));
}

// ---------------------------------------------------------------- AWS
#define ABOUT "\"FormatVersion\",\"v1.0\"\n\"Disclaimer\",\"A, \"\"quoted\"\" line\nand another\"\n\"Publication Date\",\"2026-11-20T18:03:11Z\"\n"
#define NAMES                                                                                                        \
	"\"SKU\",\"TermType\",\"Unit\",\"PricePerUnit\",\"Currency\",\"Region Code\",\"Instance Type\",\"Tenancy\",\"Operating System\"," \
	"\"vCPU\",\"Memory\",\"GPU\",\"CapacityStatus\",\"Pre Installed S/W\"\r\n"
#define LINE(term, price, type, tenancy, cpu, memory, gpu)                                                           \
	"\"K\",\"" term "\",\"Hrs\",\"" price "\",\"USD\",\"us-east-1\",\"" type "\",\"" tenancy "\",\"Linux\",\"" cpu  \
	"\",\"" memory "\",\"" gpu "\",\"Used\",\"NA\"\r\n"

static void test_aws(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 200,
		.body = S(ABOUT NAMES LINE("OnDemand", "0.1920000000", "m5.xlarge", "Shared", "4", "16 GiB", "")
				LINE("Reserved", "0.1", "m5.xlarge", "Shared", "4", "16 GiB", "")
					LINE("OnDemand", "0.2", "m5.xlarge", "Dedicated", "4", "16 GiB", "")
						LINE("OnDemand", "55.04", "p5.48xlarge", "Shared", "192", "2048 GiB", "8")
							LINE("OnDemand", "0.0", "c5.large", "Shared", "2", "4 GiB", "")
								LINE("OnDemand", "1.0", "z9.large", "Shared", "2", "4 GiB", "2")
									LINE("OnDemand", "1.0", "y9.large", "Shared", "NA", "4 GiB", ""))}};
	struct store_test x;
	struct catalog_imported got;
	store_test_start(&x, steps, 1);
	assert_int_equal(import(&x, "aws", "us-east-1", &got), 0);
	assert_int_equal(got.rows.count, 2);
	assert_true(row_of(&got, "m5.xlarge")->on_demand == 0.192);
	const struct catalog_row *p5 = row_of(&got, "p5.48xlarge");
	assert_true(p5->on_demand == 55.04 && p5->spot == 0 && p5->vcpu == 192 && p5->memory_gib == 2048 && p5->count == 8);
	assert_string_equal(p5->accelerator, "H100");
	assert_string_equal(p5->date, "2026-11-20");
	assert_int_equal(got.refused_count, 3);
	assert_string_equal(why(&got, 0), "on-demand price 0 is no price");
	assert_string_equal(why(&got, 1), "which accelerators it has is not known");
	assert_string_equal(why(&got, 2), "its processors or memory cannot be read");
	store_test_request(&x, 0, "GET", "/offers/v1.0/aws/AmazonEC2/current/us-east-1/index.csv");
	end(&x, 1);
}

static void test_aws_broken(void **state)
{
	(void)state;
	static char endless[70000];
	memset(endless, 'x', sizeof(endless));
	const struct script_step steps[] = {{.status = 200, .body = S(ABOUT NAMES "\"K\",\"OnDemand")},
		{.status = 200, .body = S(ABOUT)}, {.status = 200, .body = S("\"SKU\",\"TermType\"\n")},
		{.status = 200, .body = {endless, sizeof(endless)}}, {.status = 404, .body = S("no")},
		{.status = 200, .body = S(ABOUT NAMES), .fault = SCRIPT_CUT}};
	static const struct {
		int code;
		const char *text;
	} wanted[] = {{ERR_PROTOCOL, "ends within a line"}, {ERR_PROTOCOL, "no line of names"},
		{ERR_PROTOCOL, "no column \"Unit\""}, {ERR_LIMIT, "aws us-east-1"}, {ERR_NOT_FOUND, "404"},
		{ERR_UNAVAILABLE, "was cut"}};
	struct store_test x;
	struct catalog_imported got;
	store_test_start(&x, steps, COUNT_OF(steps));
	for (size_t i = 0; i < COUNT_OF(steps); i++) {
		assert_int_equal(import(&x, "aws", "us-east-1", &got), wanted[i].code);
		assert_non_null(strstr(x.c->err.message, wanted[i].text));
	}
	end(&x, COUNT_OF(steps));
}

// ---------------------------------------------------------------- Google
#define SKU(text, usage, unit, units, nanos)                                                                         \
	"{\"description\":\"" text "\",\"category\":{\"usageType\":\"" usage "\"},\"serviceRegions\":[\"us-central1\"],"    \
	"\"pricingInfo\":[{\"pricingExpression\":{\"usageUnit\":\"" unit "\",\"tieredRates\":[{\"startUsageAmount\":0," \
	"\"unitPrice\":{\"currencyCode\":\"USD\",\"units\":\"" units "\",\"nanos\":" nanos "}}]}}]}"

static void test_gcp(void **state)
{
	(void)state;
	const struct script_step steps[] = {
		{.status = 200,
			.body = S("{\"skus\":[" SKU("G2 Instance Core running in Americas", "OnDemand", "h", "0", "25000000") ","
				SKU("G2 Instance Ram running in Americas", "OnDemand", "GiBy.h", "0", "3000000") ","
				SKU("Spot Preemptible G2 Instance Core running in Americas", "Preemptible", "h", "0", "10000000") ","
				SKU("E2 Instance Core running in Americas", "OnDemand", "h", "0", "0") ","
				SKU("DWS Calendar Mode Nvidia L4 GPU running in Iowa", "OnDemand", "h", "0", "1")
				"],\"nextPageToken\":\"a/b=\"}")},
		{.status = 200,
			.body = S("{\"skus\":[" SKU("Nvidia L4 GPU running in Americas", "OnDemand", "h", "0", "560000000") ","
				SKU("Nvidia L4 GPU attached to Spot Preemptible VMs running in Americas", "Preemptible", "h", "0",
					"220000000") ","
				SKU("Spot Preemptible G2 Instance Ram running in Americas", "Preemptible", "GiBy.h", "0", "1000000") ","
				SKU("G2 Instance Core running in Americas", "Commit1Yr", "h", "0", "7") "],\"nextPageToken\":\"\"}")}};
	struct store_test x;
	struct catalog_imported got;
	store_test_start(&x, steps, 2);
	assert_int_equal(import(&x, "gcp", "us-central1", &got), 0);
	assert_int_equal(got.rows.count, 1);
	const struct catalog_row *g2 = row_of(&got, "g2-standard-4");
	assert_true(fabs(g2->on_demand - 0.708) < 1e-9);
	assert_true(fabs(g2->spot - 0.276) < 1e-9);
	assert_int_equal(got.refused_count, 1);
	assert_string_equal(why(&got, 0), "a SKU of price 0 or below");
	store_test_request(&x, 0, "GET", "/v1/services/6F81-5844-456A/skus?currencyCode=USD&pageSize=5000");
	store_test_request(&x, 1, "GET", "/v1/services/6F81-5844-456A/skus?currencyCode=USD&pageSize=5000&pageToken=a%2Fb%3D");
	store_test_header(&x, 1, "x-goog-api-key", "the-key");
	end(&x, 2);
}

static void test_gcp_broken(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 403, .body = S("{\"error\":{\"message\":\"API key not valid\"}}")},
		{.status = 200, .body = S("{}")}, {.status = 200, .body = S("{\"skus\":[],\"nextPageToken\":\"same\"}")},
		{.status = 200, .body = S("{\"skus\":[],\"nextPageToken\":\"same\"}")},
		{.status = 200, .body = S("{\"skus\":[" SKU("G2 Instance Core running in A", "OnDemand", "mo", "0", "1") "]}")}};
	static const struct {
		int code;
		const char *text;
	} wanted[] = {{ERR_DENIED, "API key not valid"}, {ERR_PROTOCOL, "no skus"}, {ERR_PROTOCOL, "gcp us-central1"},
		{ERR_NOT_FOUND, "(1 refused)"}};
	struct store_test x;
	struct catalog_imported got;
	store_test_start(&x, steps, COUNT_OF(steps));
	for (size_t i = 0; i < COUNT_OF(wanted); i++) {
		assert_int_equal(import(&x, "gcp", "us-central1", &got), wanted[i].code);
		assert_non_null(strstr(x.c->err.message, wanted[i].text));
		assert_null(strstr(x.c->err.message, "the-key"));
	}
	const struct catalog_source keyless = {
		.provider = S("gcp"), .region = S("us-central1"), .base = x.url, .transport = x.transport};
	assert_int_equal(catalog_import(x.c, &keyless, &got), ERR_INVALID);
	end(&x, COUNT_OF(steps));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_azure), cmocka_unit_test(test_azure_broken),
		cmocka_unit_test(test_aws), cmocka_unit_test(test_aws_broken), cmocka_unit_test(test_gcp),
		cmocka_unit_test(test_gcp_broken)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
