// SPDX-License-Identifier: Apache-2.0
// Who we are, which buckets there are, what they are like, which calls we may make: the three drivers against a server
// that answers by a script.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cloud/aws/calls.h"
#include "cloud/aws/store.h"
#include "cloud/azure/calls.h"
#include "cloud/azure/store.h"
#include "cloud/gcp/calls.h"
#include "cloud/gcp/store.h"
#include "cloud/sign/jwt_rs256.h"
#include "cloud/sign/sigv4.h"
#include "store_test.h"

#define assert_text(text, expected)                                                                                    \
	do {                                                                                                           \
		struct str got_ = (text);                                                                              \
		if (!str_eq(got_, S(expected)))                                                                        \
			fail_msg("\"%.*s\", expected \"%s\"", STR(got_), expected);                                    \
	} while (0)

// ---------------------------------------------------------------- AWS

static void open_aws(struct store_test *x, const struct script_step *steps, size_t count)
{
	struct cloud_config config = {.provider = S("aws"), .region = S("eu-central-1")};
	struct aws_store *store;
	store_test_start(x, steps, count);
	config.identity_url = x->url;
	config.credentials = json_in_arena(
		&x->t.arena, json_pack("{s:s,s:s}", "access_key_id", "AK", "secret_access_key", "secret"));
	assert_int_equal(aws_store_open(&config, x->url, &x->transport, &store, &x->c->err), 0);
	x->store = store;
}

static void close_aws(struct store_test *x, size_t served)
{
	aws_store_close(x->store);
	store_test_stop(x, served);
}

#define STS_ANSWER(arn)                                                                                                \
	S("<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>"   \
	  "<Arn>" arn "</Arn><UserId>AIDA</UserId><Account>123456789012</Account></GetCallerIdentityResult>"           \
	  "<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></GetCallerIdentityResponse>")

static void test_aws_whoami(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 200, .body = STS_ANSWER("arn:aws:iam::123456789012:user/ann")},
		{.status = 200, .body = STS_ANSWER("arn:aws:sts::123456789012:assumed-role/isobar/s")},
		{.status = 403,
			.body = S("<ErrorResponse><Error><Type>Sender</Type><Code>InvalidClientTokenId</Code>"
				  "<Message>The security token included in the request is invalid.</Message></Error>"
				  "</ErrorResponse>")},
		{.status = 200, .body = S("<GetCallerIdentityResponse/>")}};
	struct store_test x;
	struct cloud_identity who;
	struct sign_header headers[SIGN_MAX_HEADERS];
	struct sigv4_key key;
	AUTO(sigv4_claim) claim = {0};
	open_aws(&x, steps, COUNT_OF(steps));
	assert_int_equal(aws_identity_ops.whoami(x.c, x.store, &who), 0);
	assert_text(who.who, "arn:aws:iam::123456789012:user/ann");
	assert_text(who.account, "123456789012");
	assert_text(who.kind, "user");
	store_test_request(&x, 0, "POST", "/");
	assert_text(store_test_body(&x, 0), "Action=GetCallerIdentity&Version=2011-06-15");
	struct sign_request request = store_test_signed(&x, 0, headers);
	assert_int_equal(sigv4_claim_read(&request, &claim, &x.c->err), 0);
	assert_text(claim.service, "sts");
	struct sigv4_scope scope = {.day = claim.day, .region = S("eu-central-1"), .service = S("sts")};
	assert_int_equal(sigv4_key_make_scope(&key, S("secret"), &scope), 0);
	assert_int_equal(sigv4_verify(&request, &claim, &key, call_now_ns(x.c), &x.c->err), 0);
	assert_int_equal(aws_identity_ops.whoami(x.c, x.store, &who), 0);
	assert_text(who.kind, "assumed role");
	assert_int_equal(aws_identity_ops.whoami(x.c, x.store, &who), ERR_UNAUTHENTICATED);
	assert_string_equal(x.c->err.provider_code, "InvalidClientTokenId");
	assert_int_equal(aws_identity_ops.whoami(x.c, x.store, &who), ERR_PROTOCOL);
	close_aws(&x, COUNT_OF(steps));
}

static void test_aws_url(void **state)
{
	(void)state;
	AUTO(arena) a = {0};
	struct cloud_config config = {.region = S("eu-central-1")};
	assert_text(aws_identity_url(&a, &config), "https://sts.eu-central-1.amazonaws.com");
	config.store_url = S("http://127.0.0.1:4000");
	assert_text(aws_identity_url(&a, &config), "http://127.0.0.1:4000");
	config.identity_url = S("http://127.0.0.1:4001");
	assert_text(aws_identity_url(&a, &config), "http://127.0.0.1:4001");
}

static void test_aws_buckets(void **state)
{
	(void)state;
	const struct script_step steps[] = {
		{.status = 200,
			.body = S("<ListAllMyBucketsResult><Buckets><Bucket><Name>a</Name><BucketRegion>eu-central-1"
				  "</BucketRegion></Bucket></Buckets><ContinuationToken>x/y</ContinuationToken>"
				  "</ListAllMyBucketsResult>")},
		{.status = 200,
			.body = S("<ListAllMyBucketsResult><Buckets><Bucket><Name>b</Name></Bucket></Buckets>"
				  "</ListAllMyBucketsResult>")},
		{.status = 403, .body = S("<Error><Code>AccessDenied</Code></Error>")}};
	struct store_test x;
	struct bucket_entry *list;
	size_t count;
	open_aws(&x, steps, COUNT_OF(steps));
	assert_int_equal(aws_identity_ops.buckets(x.c, x.store, &list, &count), 0);
	assert_int_equal(count, 2);
	assert_text(list[0].location, "eu-central-1");
	assert_text(list[1].name, "b");
	assert_text(list[1].location, "");
	store_test_request(&x, 1, "GET", "/?max-buckets=1000&continuation-token=x%2Fy");
	assert_int_equal(aws_identity_ops.buckets(x.c, x.store, &list, &count), ERR_DENIED);
	close_aws(&x, COUNT_OF(steps));
}

static void test_aws_describe(void **state)
{
	(void)state;
	const struct script_step steps[] = {
		{.status = 200, .body = S("<LocationConstraint>eu-central-1</LocationConstraint>")},
		{.status = 200,
			.body = S("<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")},
		{.status = 200,
			.body = S("<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>"
				  "<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault></Rule>"
				  "</ServerSideEncryptionConfiguration>")},
		{.status = 200,
			.body = S("<PublicAccessBlockConfiguration><IgnorePublicAcls>true</IgnorePublicAcls>"
				  "<RestrictPublicBuckets>true</RestrictPublicBuckets></"
				  "PublicAccessBlockConfiguration>")},
		{.status = 200,
			.body = S("<Tagging><TagSet><Tag><Key>team</Key><Value>ml</Value></Tag></TagSet></Tagging>")},
		// Another one: in us-east-1, nothing set, two facts that may not be seen.
		{.status = 200, .body = S("<LocationConstraint/>")},
		{.status = 403, .body = S("<Error><Code>AccessDenied</Code></Error>")},
		{.status = 404,
			.body = S("<Error><Code>ServerSideEncryptionConfigurationNotFoundError</Code></Error>")},
		{.status = 404, .body = S("<Error><Code>NoSuchPublicAccessBlockConfiguration</Code></Error>")},
		{.status = 501, .body = S("<Error><Code>NotImplemented</Code></Error>")},
		{.status = 404, .body = S("<Error><Code>NoSuchBucket</Code></Error>")}};
	struct store_test x;
	struct bucket_facts facts;
	open_aws(&x, steps, COUNT_OF(steps));
	assert_int_equal(aws_identity_ops.describe(x.c, x.store, S("lake"), &facts), 0);
	assert_text(facts.location, "eu-central-1");
	assert_int_equal(facts.versioning, FACT_YES);
	assert_int_equal(facts.public, FACT_NO);
	assert_text(facts.encryption, "AES256");
	assert_text(json_str(facts.tags, "team"), "ml");
	assert_text(facts.unseen, "");
	store_test_request(&x, 3, "GET", "/lake?publicAccessBlock=");
	assert_int_equal(aws_identity_ops.describe(x.c, x.store, S("other"), &facts), 0);
	assert_text(facts.location, "us-east-1");
	assert_int_equal(facts.versioning, FACT_UNKNOWN);
	assert_int_equal(facts.public, FACT_YES);
	assert_text(facts.encryption, "");
	assert_null(facts.tags);
	assert_text(facts.unseen, "GetBucketVersioning: AccessDenied; GetBucketTagging: NotImplemented");
	assert_int_equal(aws_identity_ops.describe(x.c, x.store, S("gone"), &facts), ERR_NOT_FOUND);
	close_aws(&x, COUNT_OF(steps));
}

static enum probe_verdict probe_aws(struct store_test *x, enum aws_call row, struct str bucket)
{
	struct probe p;
	assert_int_equal(aws_identity_ops.probe(x->c, x->store, &aws_calls[row], bucket, &p), 0);
	assert_int_equal(x->c->err.code, 0);
	assert_int_equal(p.verdict == PROBE_ALLOWED, p.reason.n == 0);
	return p.verdict;
}

static void test_aws_probe(void **state)
{
	(void)state;
	const struct script_step denied = {.status = 403, .body = S("<Error><Code>AccessDenied</Code></Error>")};
	const struct script_step steps[] = {{.status = 404, .body = S("<Error><Code>NoSuchKey</Code></Error>")}, denied,
		{.status = 404, .body = S("<Error><Code>NoSuchUpload</Code></Error>")}, denied,
		{.status = 400, .body = S("<Error><Code>InvalidRequest</Code></Error>")}};
	struct store_test x;
	open_aws(&x, steps, COUNT_OF(steps));
	assert_int_equal(probe_aws(&x, AWS_GET_OBJECT, S("lake")), PROBE_ALLOWED);
	store_test_request(&x, 0, "GET", "/lake/.isobar/check/no-such-object");
	assert_int_equal(probe_aws(&x, AWS_LIST_OBJECTS, S("lake")), PROBE_DENIED);
	store_test_request(&x, 1, "GET", "/lake?list-type=2&max-keys=1");
	assert_int_equal(probe_aws(&x, AWS_ABORT_MULTIPART_UPLOAD, S("lake")), PROBE_ALLOWED);
	store_test_request(&x, 2, "DELETE", "/lake/.isobar/check/no-such-object?uploadId=none");
	assert_int_equal(probe_aws(&x, AWS_LIST_BUCKETS, S("")), PROBE_DENIED);
	assert_int_equal(probe_aws(&x, AWS_GET_BUCKET_LOCATION, S("lake")), PROBE_FAILED);
	assert_int_equal(probe_aws(&x, AWS_PUT_OBJECT, S("lake")), PROBE_NOT_TESTED);
	assert_int_equal(probe_aws(&x, AWS_HEAD_BUCKET, S("")), PROBE_NOT_TESTED);
	close_aws(&x, COUNT_OF(steps));
}

// ---------------------------------------------------------------- Azure

static void open_azure(struct store_test *x, const struct script_step *steps, size_t count)
{
	struct cloud_config config = {.provider = S("azure"), .region = S("westeurope")};
	struct azure_store *store;
	store_test_start(x, steps, count);
	struct str url = arena_printf(&x->t.arena, "%.*s/acct", STR(x->url));
	config.credentials = json_in_arena(&x->t.arena, json_pack("{s:s,s:s}", "account", "acct", "key", "a2V5"));
	assert_int_equal(azure_store_open(&config, url, &x->transport, &store, &x->c->err), 0);
	x->store = store;
}

static void test_azure(void **state)
{
	(void)state;
	const struct script_step steps[] = {{.status = 200, .headers = "x-ms-account-kind: StorageV2\r\n"},
		{.status = 403, .headers = "x-ms-error-code: AuthenticationFailed\r\n"},
		{.status = 200,
			.body = S("<EnumerationResults><Containers><Container><Name>a</Name></Container></Containers>"
				  "<NextMarker>m</NextMarker></EnumerationResults>")},
		{.status = 200,
			.body = S("<EnumerationResults><Containers><Container><Name>b</Name></Container></Containers>"
				  "<NextMarker/></EnumerationResults>")},
		{.status = 200, .headers = "x-ms-meta-team: ml\r\nx-ms-blob-public-access: blob\r\n"},
		{.status = 404, .headers = "x-ms-error-code: ContainerNotFound\r\n"},
		{.status = 403, .headers = "x-ms-error-code: AuthorizationPermissionMismatch\r\n"}};
	struct store_test x;
	struct cloud_identity who;
	struct bucket_entry *list;
	struct bucket_facts facts;
	struct probe p;
	size_t count;
	open_azure(&x, steps, COUNT_OF(steps));
	assert_int_equal(azure_identity_ops.whoami(x.c, x.store, &who), 0);
	assert_text(who.who, "the key of storage account acct");
	assert_text(who.account, "acct");
	assert_text(who.kind, "account key (StorageV2)");
	store_test_request(&x, 0, "GET", "/acct/?restype=account&comp=properties");
	assert_int_equal(azure_identity_ops.whoami(x.c, x.store, &who), ERR_UNAUTHENTICATED);
	assert_int_equal(azure_identity_ops.buckets(x.c, x.store, &list, &count), 0);
	assert_int_equal(count, 2);
	assert_text(list[1].name, "b");
	store_test_request(&x, 3, "GET", "/acct/?comp=list&maxresults=5000&marker=m");
	assert_int_equal(azure_identity_ops.describe(x.c, x.store, S("lake"), &facts), 0);
	assert_int_equal(facts.public, FACT_YES);
	assert_text(json_str(facts.tags, "team"), "ml");
	assert_int_equal(azure_identity_ops.describe(x.c, x.store, S("gone"), &facts), ERR_NOT_FOUND);
	err_clear(&x.c->err);
	const struct cloud_call *blobs = &azure_calls[AZURE_LIST_BLOBS], *put = &azure_calls[AZURE_PUT_BLOB];
	assert_int_equal(azure_identity_ops.probe(x.c, x.store, blobs, S("lake"), &p), 0);
	assert_int_equal(p.verdict, PROBE_DENIED);
	store_test_request(&x, 6, "GET", "/acct/lake?restype=container&comp=list&maxresults=1");
	assert_int_equal(azure_identity_ops.probe(x.c, x.store, put, S("lake"), &p), 0);
	assert_int_equal(p.verdict, PROBE_NOT_TESTED);
	azure_store_close(x.store);
	store_test_stop(&x, COUNT_OF(steps));
}

// ---------------------------------------------------------------- Google Cloud

static struct buf private_key, public_key;

static void open_gcp(struct store_test *x, const struct script_step *steps, size_t count)
{
	struct cloud_config config = {.provider = S("gcp"), .region = S("europe-west4")};
	struct gcp_store *store;
	store_test_start(x, steps, count);
	struct str token_uri = arena_printf(&x->t.arena, "%.*s/token", STR(x->url));
	config.credentials = json_in_arena(&x->t.arena,
		json_pack("{s:s,s:s,s:s,s:s,s:s}", "type", "service_account", "client_email", "isobar@pocket.test",
			"private_key", buf_cstr(&private_key), "token_uri", token_uri.p, "project_id", "proj"));
	assert_text(str_drop(gcp_identity_url(&x->t.arena, &config), x->url.n), "");
	assert_int_equal(gcp_store_open(&config, x->url, &x->transport, &store, &x->c->err), 0);
	x->store = store;
}

static void test_gcp(void **state)
{
	(void)state;
	const struct script_step steps[] = {
		{.status = 200, .body = S("{\"access_token\":\"T1\",\"expires_in\":3600,\"token_type\":\"Bearer\"}")},
		{.status = 200, .body = S("{\"email\":\"isobar@pocket.test\",\"scope\":\"x\"}")},
		{.status = 200, .body = S("{\"email\":\"somebody@else.test\"}")},
		{.status = 400, .body = S("{\"error\":\"invalid_token\",\"error_description\":\"Invalid Value\"}")},
		{.status = 200, .body = S("{\"access_token\":\"T2\",\"expires_in\":3600,\"token_type\":\"Bearer\"}")},
		{.status = 400, .body = S("{\"error\":\"invalid_token\",\"error_description\":\"Invalid Value\"}")},
		{.status = 200,
			.body = S("{\"items\":[{\"name\":\"a\",\"location\":\"EU\"}],\"nextPageToken\":\"n\"}")},
		{.status = 200, .body = S("{\"items\":[{\"name\":\"b\",\"location\":\"EUROPE-WEST4\"}]}")},
		{.status = 200,
			.body = S("{\"location\":\"EUROPE-WEST4\",\"versioning\":{\"enabled\":true},\"labels\":"
				  "{\"team\":\"ml\"},\"iamConfiguration\":{\"publicAccessPrevention\":\"enforced\"}}")},
		{.status = 200, .body = S("{\"permissions\":[\"storage.objects.create\"]}")},
		{.status = 200, .body = S("{\"permissions\":[\"storage.objects.get\"]}")}};
	struct store_test x;
	struct cloud_identity who;
	struct bucket_entry *list;
	struct bucket_facts facts;
	struct probe p;
	size_t count;
	open_gcp(&x, steps, COUNT_OF(steps));
	assert_int_equal(gcp_identity_ops.whoami(x.c, x.store, &who), 0);
	assert_text(who.who, "isobar@pocket.test");
	assert_text(who.account, "proj");
	store_test_request(&x, 1, "POST", "/tokeninfo");
	store_test_header(&x, 1, "authorization", "Bearer T1");
	assert_int_equal(gcp_identity_ops.whoami(x.c, x.store, &who), ERR_UNAUTHENTICATED);
	assert_int_equal(gcp_identity_ops.whoami(x.c, x.store, &who), ERR_UNAUTHENTICATED);
	assert_int_equal(gcp_identity_ops.buckets(x.c, x.store, &list, &count), 0);
	assert_int_equal(count, 2);
	assert_text(list[1].location, "EUROPE-WEST4");
	assert_int_equal(gcp_identity_ops.describe(x.c, x.store, S("lake"), &facts), 0);
	assert_int_equal(facts.versioning, FACT_YES);
	assert_int_equal(facts.public, FACT_NO);
	assert_text(json_str(facts.tags, "team"), "ml");
	err_clear(&x.c->err);
	const struct cloud_call *insert = &gcp_calls[GCP_OBJECTS_INSERT], *get = &gcp_calls[GCP_OBJECTS_GET];
	assert_int_equal(gcp_identity_ops.probe(x.c, x.store, insert, S("lake"), &p), 0);
	assert_int_equal(p.verdict, PROBE_DENIED); // one of the two is not granted
	store_test_request(&x, 9, "GET",
		"/storage/v1/b/lake/iam/testPermissions?permissions=storage.objects.create&permissions="
		"storage.objects.delete");
	assert_int_equal(gcp_identity_ops.probe(x.c, x.store, get, S("lake"), &p), 0);
	assert_int_equal(p.verdict, PROBE_ALLOWED);
	const struct cloud_call *create = &gcp_calls[GCP_BUCKETS_INSERT];
	assert_int_equal(gcp_identity_ops.probe(x.c, x.store, create, S("lake"), &p), 0);
	assert_int_equal(p.verdict, PROBE_NOT_TESTED);
	gcp_store_close(x.store);
	store_test_stop(&x, COUNT_OF(steps));
}

static int make_keys(void **state)
{
	(void)state;
	return jwt_rs256_make_key(JWT_MIN_RSA_BITS, &private_key, &public_key, NULL);
}

static int free_keys(void **state)
{
	(void)state;
	buf_free(&private_key);
	buf_free(&public_key);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_aws_whoami),
		cmocka_unit_test(test_aws_url),
		cmocka_unit_test(test_aws_buckets),
		cmocka_unit_test(test_aws_describe),
		cmocka_unit_test(test_aws_probe),
		cmocka_unit_test(test_azure),
		cmocka_unit_test(test_gcp),
	};
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
