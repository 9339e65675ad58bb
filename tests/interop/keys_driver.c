// SPDX-License-Identifier: Apache-2.0
// The drivers of keys and secrets against whatever a configuration names: keys-driver CONFIG.json [WITHOUT...]
// WITHOUT names what the server at hand is known not to do (rotate, disabled, grants). One line a check; exit 0
// when all hold.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/json.h"
#include "cloud/aws/credentials.h"
#include "cloud/aws/kms.h"
#include "cloud/azure/credentials.h"
#include "cloud/azure/vault.h"
#include "cloud/gcp/credentials.h"
#include "cloud/gcp/kms.h"

#define PLAIN S("0123456789abcdef0123456789abcdef")
#define CONTEXT S("bucket/lake on somewhere")

static struct run {
	struct arena arena;
	struct call c;
	struct cloud_config config;
	struct http_transport transport;
	struct credential_source *credentials;
	const struct key_ops *keys;
	const struct secret_ops *secrets;
	void *ctx;
	char **without;
	int failed;
} run;

static bool is_without(const char *what)
{
	for (char **w = run.without; *w; w++)
		if (strcmp(*w, what) == 0)
			return true;
	return false;
}

// `got` is a return code or a truth turned into one.
static void check(const char *what, int got, int wanted)
{
	bool good = got == wanted;
	printf("%s - %s%s%s\n", good ? "ok" : "not ok", what, good ? "" : ": ",
		good ? "" : run.c.err.code ? run.c.err.message : "another result");
	run.failed += !good;
	err_clear(&run.c.err);
}

static int holds(bool yes)
{
	return yes ? 0 : 1;
}

// ---------------------------------------------------------------- keys

static struct str wrap(struct str name)
{
	struct str wrapped = S("");
	check("wrap", run.keys->wrap(&run.c, run.ctx, name, CONTEXT, PLAIN, &wrapped), 0);
	return wrapped;
}

static void opens(const char *what, struct str name, struct str wrapped)
{
	struct str plain = S("");
	int r = run.keys->unwrap(&run.c, run.ctx, name, CONTEXT, wrapped, &plain);
	check(what, r ? r : holds(str_eq(plain, PLAIN)), 0);
}

static int64_t versions(struct str name)
{
	AUTO(json) j = NULL;
	return run.keys->describe(&run.c, run.ctx, name, &j) ? -1 : json_int(j, "versions", 0);
}

static void test_wrap(void)
{
	struct str other = S("");
	check("create", run.keys->create(&run.c, run.ctx, S("lake")), 0);
	check("create again", run.keys->create(&run.c, run.ctx, S("lake")), 0);
	check("create another", run.keys->create(&run.c, run.ctx, S("other")), 0);
	check("one version", holds(versions(S("lake")) == 1), 0);
	struct str wrapped = wrap(S("lake"));
	opens("unwrap", S("lake"), wrapped);
	check("another context", run.keys->unwrap(&run.c, run.ctx, S("lake"), S("bucket/x"), wrapped, &other), ERR_CORRUPT);
	int foreign = run.keys->unwrap(&run.c, run.ctx, S("other"), CONTEXT, wrapped, &other); // in each server's words
	check("another key", holds(foreign == ERR_CORRUPT || foreign == ERR_NOT_FOUND || foreign == ERR_DENIED), 0);
	char *bad = arena_cstr(&run.arena, wrapped);
	bad[wrapped.n - 1] ^= 1;
	check("altered", run.keys->unwrap(&run.c, run.ctx, S("lake"), CONTEXT, str_bytes(bad, wrapped.n), &other),
		ERR_CORRUPT);
	check("no such key", run.keys->wrap(&run.c, run.ctx, S("none"), CONTEXT, PLAIN, &other), ERR_NOT_FOUND);
	if (!is_without("rotate")) {
		check("rotate", run.keys->rotate(&run.c, run.ctx, S("lake")), 0);
		check("two versions", holds(versions(S("lake")) == 2), 0);
		opens("the old one still opens", S("lake"), wrapped);
		opens("the new one opens", S("lake"), wrap(S("lake")));
	}
}

static void test_state(void)
{
	struct str out = S(""), wrapped = wrap(S("lake"));
	check("disable", run.keys->disable(&run.c, run.ctx, S("lake")), 0);
	check("disable again", run.keys->disable(&run.c, run.ctx, S("lake")), 0);
	if (!is_without("disabled")) { // moto goes on using such a key
		check("disabled: wrap", run.keys->wrap(&run.c, run.ctx, S("lake"), CONTEXT, PLAIN, &out), ERR_DENIED);
		check("disabled: unwrap", run.keys->unwrap(&run.c, run.ctx, S("lake"), CONTEXT, wrapped, &out), ERR_DENIED);
	}
	check("enable", run.keys->enable(&run.c, run.ctx, S("lake")), 0);
	opens("enabled: unwrap", S("lake"), wrapped);
}

static void test_grants(void)
{
	bool aws = str_eq(run.config.provider, S("aws"));
	const char *who = aws ? "arn:aws:iam::123456789012:role/job" : "serviceAccount:job@p.iam.gserviceaccount.com";
	AUTO(json) grants = json_pack("[{s:s, s:s}]", "principal", who, "may", "unwrap");
	AUTO(json) none = json_array();
	AUTO(json) told = NULL;
	AUTO(json) empty = NULL;
	check("set grants", run.keys->set_grants(&run.c, run.ctx, S("lake"), grants), 0);
	check("set them again", run.keys->set_grants(&run.c, run.ctx, S("lake"), grants), 0);
	check("grants", run.keys->grants(&run.c, run.ctx, S("lake"), &told), 0);
	check("they are what was set", holds(json_equal(told, grants)), 0);
	check("no grants", run.keys->set_grants(&run.c, run.ctx, S("lake"), none), 0);
	check("grants", run.keys->grants(&run.c, run.ctx, S("lake"), &empty), 0);
	check("there are none", holds(empty && !json_array_size(empty)), 0);
}

static void test_end(void)
{
	AUTO(json) j = NULL;
	check("delete", run.keys->delete(&run.c, run.ctx, S("lake")), 0);
	check("delete again", run.keys->delete(&run.c, run.ctx, S("lake")), 0);
	check("describe what is gone", run.keys->describe(&run.c, run.ctx, S("lake"), &j), ERR_NOT_FOUND);
	check("make it again", run.keys->create(&run.c, run.ctx, S("lake")), 0);
	opens("and use it", S("lake"), wrap(S("lake")));
	check("delete", run.keys->delete(&run.c, run.ctx, S("lake")), 0);
	check("delete the other", run.keys->delete(&run.c, run.ctx, S("other")), 0);
}

// ---------------------------------------------------------------- secrets

static struct str put(const char *what, struct str value)
{
	AUTO(secret) secret = {0};
	struct str version = S("");
	int r = secret_set(&secret, value, &run.c.err);
	check(what, r ? r : run.secrets->put(&run.c, run.ctx, S("token"), &secret, &version), 0);
	return version;
}

static int get(struct str version, struct str wanted)
{
	AUTO(secret) secret = {0};
	int r = run.secrets->get(&run.c, run.ctx, S("token"), version, &secret);
	return r ? r : holds(str_eq(secret_str(&secret), wanted));
}

static void test_values(void)
{
	check("no such secret", get(S(""), S("")), ERR_NOT_FOUND);
	struct str first = put("put", S("hunter2"));
	check("get", get(S(""), S("hunter2")), 0);
	check("the same again is the same version", holds(str_eq(put("put again", S("hunter2")), first)), 0);
	struct str second = put("put bytes", S("\0\377bytes"));
	check("another version", holds(second.n && !str_eq(first, second)), 0);
	check("get bytes", get(S(""), S("\0\377bytes")), 0);
	check("get the first", get(first, S("hunter2")), 0);
	AUTO(json) j = NULL;
	check("describe", run.secrets->describe(&run.c, run.ctx, S("token"), &j), 0);
	const json_t *all = json_object_get(j, "versions"), *newest = json_array_get(all, 0);
	check("two versions, the newest first",
		holds(json_array_size(all) == 2 && str_eq(json_str(newest, "version"), second) &&
			json_flag(newest, "newest", false) && json_flag(newest, "enabled", false)),
		0);
	check("disable the first", run.secrets->disable(&run.c, run.ctx, S("token"), first), 0);
	if (!str_eq(run.config.provider, S("aws"))) // has no such state
		check("it is not given", get(first, S("")), ERR_DENIED);
}

static void test_names(void)
{
	struct str *names = NULL;
	size_t count = 0;
	struct secret value = {0};
	struct str version;
	check("list", run.secrets->list(&run.c, run.ctx, &names, &count), 0);
	check("one is there", holds(count == 1 && str_eq(names[0], S("token"))), 0);
	check("a name that none takes", run.secrets->put(&run.c, run.ctx, S("a b"), &value, &version), ERR_INVALID);
	check("delete", run.secrets->delete(&run.c, run.ctx, S("token")), 0);
	check("delete again", run.secrets->delete(&run.c, run.ctx, S("token")), 0);
	int gone = get(S(""), S(""));
	check("it is gone", holds(gone == ERR_NOT_FOUND || gone == ERR_CONFLICT), 0);
}

// ---------------------------------------------------------------- opening

static int open_services(void)
{
	const struct credential_options credentials = {.config = &run.config, .transport = run.transport};
	struct services_options o = {.config = &run.config, .transport = run.transport};
	struct err *e = &run.c.err;
	bool aws = str_eq(run.config.provider, S("aws")), gcp = str_eq(run.config.provider, S("gcp"));
	int r = aws   ? aws_credentials_open(&credentials, &run.credentials, e)
		: gcp ? gcp_credentials_open(&credentials, &run.credentials, e)
		      : azure_credentials_open(&credentials, &run.credentials, e);
	if (r)
		return r;
	o.credentials = run.credentials;
	run.keys = aws ? &aws_key_ops : gcp ? &gcp_key_ops : &azure_key_ops;
	run.secrets = aws ? &aws_secret_ops : gcp ? &gcp_secret_ops : &azure_secret_ops;
	return aws   ? aws_services_open(&o, (struct aws_services **)&run.ctx, e)
	       : gcp ? gcp_services_open(&o, (struct gcp_services **)&run.ctx, e)
		     : azure_services_open(&o, (struct azure_services **)&run.ctx, e);
}

static void close_services(void)
{
	if (run.ctx && str_eq(run.config.provider, S("aws")))
		aws_services_close(run.ctx);
	else if (run.ctx && str_eq(run.config.provider, S("gcp")))
		gcp_services_close(run.ctx);
	else if (run.ctx)
		azure_services_close(run.ctx);
	credential_source_free(run.credentials);
	if (run.transport.close)
		run.transport.close(run.transport.ctx);
}

static int open_all(const char *file, json_t **j)
{
	struct str host = {0};
	struct err *e = &run.c.err;
	int r = json_parse_file(file, 1 << 20, j, e);
	if (!r)
		r = cloud_config_of_json(*j, &run.arena, &run.config, e);
	if (!r)
		r = transport_host(run.config.services_url, &run.arena, &host, e);
	const struct transport_options o = {.hosts = &host, .host_count = 1};
	if (!r)
		r = curl_transport_open(&o, &run.transport, e);
	return r ? r : open_services();
}

int main(int argc, char **argv)
{
	AUTO(json) j = NULL;
	if (argc < 2) {
		fprintf(stderr, "usage: keys-driver CONFIG.json [WITHOUT...]\n");
		return 2;
	}
	call_init(&run.c, &run.arena, edges_real(), S("test"));
	run.without = argv + 2;
	if (open_all(argv[1], &j)) {
		fprintf(stderr, "keys-driver: %s\n", run.c.err.message);
		run.failed++;
	} else {
		test_wrap();
		test_state();
		if (run.keys->set_grants && !is_without("grants"))
			test_grants();
		test_end();
		test_values();
		test_names();
	}
	close_services();
	arena_free(&run.arena);
	printf("# %d failed\n", run.failed);
	return run.failed ? 1 : 0;
}
