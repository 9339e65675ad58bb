// SPDX-License-Identifier: Apache-2.0
// Configurations of clouds on real accounts: see accounts.h.
#include "infra/accounts.h"

#include "cloud/identity.h"

// What a hall's store takes for a region where nobody says one, as most that speak S3 do.
#define SITE_REGION S("us-east-1")

static struct str join(struct call *c, const struct field_list *list)
{
	AUTO(buf) text = {0};
	for (size_t i = 0; i < list->count; i++)
		buf_printf(&text, "%s%.*s", i ? "," : "", STR(((const struct str *)list->items)[i]));
	return text.n ? arena_str(c->arena, buf_str(&text)) : S("");
}

static void choose_proxy(struct call *c, const struct operator_file *op, struct cloud_config *out)
{
	proxy_of_environment(&out->proxy);
	if (op->proxy.written)
		out->proxy = (struct proxy_settings){
			.https = op->proxy.https, .http = op->proxy.http, .no = join(c, &op->proxy.no)};
}

int account_config(struct call *c, const struct operator_file *op, const struct account_request *request,
	struct cloud_config *out, struct account *account)
{
	int rc = account_find(c, op, request, account);
	const struct operator_cloud *entry = op ? operator_cloud_find(op, request->cloud) : NULL;
	if (rc < 0)
		return rc;
	*out = (struct cloud_config){
		.name = request->cloud,
		.provider = request->provider,
		.region = account->region,
		.store_url = account->store_url,
		.identity_url = account->identity_url,
		.credentials = account->credentials,
		.ca_file = account->ca_file,
		.trust_file = op->ca,
		.hosts = account->hosts,
		.host_count = account->host_count,
	};
	if (entry) {
		out->services_url = entry->endpoints.services;
		out->vault_url = entry->endpoints.vault;
	}
	if (!out->region.n && (str_eq(request->provider, S("site")) || str_eq(request->provider, S("aws"))))
		out->region = SITE_REGION;
	choose_proxy(c, op, out);
	return 0;
}

void account_request_of_resource(const struct resource *cloud, struct account_request *out)
{
	static const char *const accounts[] = {"account", "project", "subscription"};
	const json_t *inputs = cloud->resolved, *store = json_object_get(inputs, "store");
	*out = (struct account_request){
		.cloud = cloud->name,
		.provider = json_str(inputs, "provider"),
		.region = json_str(inputs, "region"),
		.store_api = json_str(store, "api"),
		.assume = json_str(json_object_get(inputs, "credentials"), "assume"),
	};
	for (size_t i = 0; i < COUNT_OF(accounts) && !out->account.n; i++)
		out->account = json_str(inputs, accounts[i]);
}

int account_config_of_resource(
	struct call *c, const struct operator_file *op, const struct resource *cloud, struct cloud_config *out)
{
	struct account_request request;
	struct account account;
	struct cloud_config config;
	account_request_of_resource(cloud, &request);
	struct str engine = json_str(json_object_get(cloud->resolved, "store"), "engine");
	if (engine.n && !str_eq(engine, S("s3")))
		return call_fail(c, ERR_UNSUPPORTED,
			"cloud/%.*s: a store of engine \"%.*s\" is for a later release: this one has s3",
			STR(cloud->name), STR(str_clip(engine, 63)));
	int rc = account_config(c, op, &request, &config, &account);
	if (rc < 0)
		return rc;
	config.location = json_str(cloud->resolved, "location");
	config.law = json_str(json_object_get(cloud->resolved, "operator"), "law");
	*out = config;
	return 0;
}

// A storage account's key says nothing of its subscription, and a service account's file has named its project before.
int account_confirm(struct call *c, const struct resource *declared, const struct cloud *cloud)
{
	struct cloud_identity identity = {0};
	struct str wanted = json_str(declared->resolved, "account");
	if (!wanted.n || !cloud->identity || !str_eq(cloud->provider, S("aws")))
		return 0;
	int rc = cloud->identity->whoami(c, cloud->identity_ctx, &identity);
	if (rc < 0)
		return call_context(c, "cloud/%.*s: whose credentials these are", STR(cloud->name));
	if (str_eq(identity.account, wanted))
		return 0;
	return call_fail(c, ERR_DENIED,
		"cloud/%.*s: the workspace says account \"%.*s\", but the credentials belong to \"%.*s\" (%.*s): no "
		"other call "
		"was made",
		STR(cloud->name), STR(str_clip(wanted, 80)), STR(str_clip(identity.account, 80)),
		STR(str_clip(identity.who, 200)));
}
