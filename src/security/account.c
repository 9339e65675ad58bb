// SPDX-License-Identifier: Apache-2.0
// Choosing credentials and judging where they may go: see account.h.
#include "security/account.h"

#include <stdlib.h>
#include <string.h>

#include "cloud/http/transport.h"
#include "cloud/registry.h"
#include "net/url.h"
#include "security/account_impl.h"

static const struct credential_source {
	const char *provider;
	int (*file)(struct call *c, const struct account_search *s, struct account *out);
	int (*ambient)(struct call *c, const struct account_search *s, struct account *out); // NULL: there is none
} sources[] = {
	{"aws", account_aws_file, account_aws_ambient}, {"gcp", account_gcp_file, account_gcp_ambient},
	{"azure", account_azure_file, account_azure_ambient},
	{"site", account_aws_file, NULL}, // only the operator can know whose hall it is
};

// ---------------------------------------------------------------- shared by the sources
struct str account_variable(const char *name)
{
	const char *value = getenv(name);
	return str_of(value ? value : "");
}

struct str account_home(struct call *c, const char *below)
{
	struct str home = account_variable("HOME");
	return home.n ? arena_printf(c->arena, "%.*s/%s", STR(home), below) : S("");
}

int account_secret(struct call *c, const struct account_search *s, const struct field_ref *ref, struct str *out)
{
	AUTO(secret) value = {0};
	if (!ref->name.n)
		return 0;
	int rc = operator_secret_read(c, s->op, ref->name, s->host, &value);
	if (rc < 0)
		return rc;
	*out = arena_str(c->arena, secret_str(&value));
	return out->p ? 0 : call_no_memory(c);
}

int account_credentials(struct call *c, json_t *j, struct account *out)
{
	out->credentials = json_in_arena(c->arena, j);
	return out->credentials ? 0 : call_no_memory(c);
}

// ---------------------------------------------------------------- where they may go
static int host_of(struct call *c, struct str url, const char *what, struct str *host)
{
	int rc = transport_host(url, c->arena, host, &c->err);
	return rc < 0 ? call_context(c, "%s", what) : 0;
}

// A workspace may say an address; that it gets credentials, only the operator's file can say.
static int check_api(struct call *c, const struct account_search *s, struct str url)
{
	struct str host = S(""), own = S("");
	int rc = host_of(c, url, "the address of the workspace's store", &host);
	if (rc == 0 && s->entry && s->entry->endpoints.store.n)
		rc = host_of(c, s->entry->endpoints.store, "endpoints.store", &own);
	if (rc < 0)
		return rc;
	if (s->entry && (str_eq(host, own) || operator_hosts_cover(&s->entry->hosts, host)))
		return 0;
	return call_fail(c, ERR_DENIED,
		"the workspace says that the store of cloud/%.*s is at %.*s; credentials go there only if the "
		"operator's file "
		"says so: add hosts: [\"%.*s\"] to clouds.%.*s of %.*s/operator.yaml",
		STR(s->request->cloud), STR(str_clip(url, 200)), STR(host), STR(s->request->cloud), STR(s->op->folder));
}

static int choose_address(struct call *c, const struct account_search *s, struct account *out)
{
	const struct account_request *r = s->request;
	if (r->store_api.n) {
		int rc = check_api(c, s, r->store_api);
		if (rc < 0)
			return rc;
		out->store_url = r->store_api;
	}
	if (s->entry && s->entry->endpoints.store.n)
		out->store_url = s->entry->endpoints.store;
	if (s->entry)
		out->identity_url = s->entry->endpoints.identity;
	if (!out->store_url.n && r->environment_addresses && str_eq(r->provider, S("aws"))) {
		out->store_url = account_variable("AWS_ENDPOINT_URL_S3");
		if (!out->store_url.n)
			out->store_url = account_variable("AWS_ENDPOINT_URL");
	}
	if (!out->store_url.n && str_eq(r->provider, S("site")))
		return call_fail(c, ERR_INVALID,
			"cloud/%.*s has no address: write store: {engine: s3, api: URL} in the workspace, or "
			"endpoints: {store: "
			"URL} in clouds.%.*s of the operator's file",
			STR(r->cloud), STR(r->cloud));
	return 0;
}

// Of the provider's own store, as far as it can be known before the credentials are.
static int find_host(struct call *c, struct account_search *s, const struct account *out)
{
	struct str region = s->request->region.n ? s->request->region : out->region;
	struct cloud_config config = {.provider = s->request->provider, .region = region.n ? region : S("us-east-1")};
	if (s->entry && s->entry->credentials.storage_account.n) {
		json_t *named = json_object();
		json_set_str(named, "account", s->entry->credentials.storage_account);
		config.credentials = json_in_arena(c->arena, named);
	}
	struct str url = out->store_url.n ? out->store_url : cloud_store_url(c->arena, &config);
	return url.n ? host_of(c, url, "the address of the store", &s->host) : 0;
}

static int copy_hosts(struct call *c, const struct operator_cloud *entry, struct account *out)
{
	const struct str *hosts = entry->hosts.items;
	out->hosts = arena_new_array(c->arena, entry->hosts.count + 1, struct str);
	if (!out->hosts)
		return call_no_memory(c);
	for (size_t i = 0; i < entry->hosts.count; i++) {
		struct str behind = hosts[i];
		ptrdiff_t bracket = str_find_char(behind, ']');
		if (bracket >= 0)
			behind = str_drop(behind, (size_t)bracket);
		bool port = str_find_char(behind, ':') >= 0;
		out->hosts[i] = port ? hosts[i] : arena_printf(c->arena, "%.*s:443", STR(hosts[i]));
		if (!out->hosts[i].p)
			return call_no_memory(c);
	}
	out->host_count = entry->hosts.count;
	return 0;
}

// ---------------------------------------------------------------- whose they are
static int check_account(struct call *c, const struct account_search *s, struct account *out)
{
	struct str said = s->request->account;
	if (s->entry && s->entry->account.n) {
		if (out->account.n && !str_eq(out->account, s->entry->account))
			return call_fail(c, ERR_DENIED,
				"clouds.%.*s of %.*s says account \"%.*s\", but its credentials belong to \"%.*s\"",
				STR(s->entry->name), STR(s->op->path), STR(str_clip(s->entry->account, 80)),
				STR(str_clip(out->account, 80)));
		out->account = s->entry->account;
	}
	if (!said.n || !out->account.n || str_eq(said, out->account))
		return 0;
	return call_fail(c, ERR_DENIED,
		"cloud/%.*s: the workspace says \"%.*s\", but the credentials (%.*s) belong to \"%.*s\": no call was "
		"made",
		STR(s->request->cloud), STR(str_clip(said, 80)), STR(out->source), STR(str_clip(out->account, 80)));
}

static const struct credential_source *find_source(struct str provider)
{
	for (size_t i = 0; i < COUNT_OF(sources); i++) {
		if (str_eq(str_of(sources[i].provider), provider))
			return &sources[i];
	}
	return NULL;
}

static int find_credentials(struct call *c, const struct account_search *s, struct account *out)
{
	const struct credential_source *source = find_source(s->request->provider);
	if (!source)
		return call_fail(c, ERR_INVALID, "there is no provider \"%.*s\": aws, gcp, azure or site",
			STR(str_clip(s->request->provider, 63)));
	if (s->entry && s->entry->credentials.written)
		return source->file(c, s, out);
	if (source->ambient && !s->request->store_api.n)
		return source->ambient(c, s, out);
	return call_fail(c, ERR_NOT_FOUND,
		"no credentials for cloud/%.*s, whose address is not a provider's own: write clouds.%.*s.credentials "
		"into "
		"%.*s/operator.yaml",
		STR(s->request->cloud), STR(s->request->cloud), STR(s->op->folder));
}

int account_find(
	struct call *c, const struct operator_file *op, const struct account_request *request, struct account *out)
{
	struct account_search s = {.op = op, .request = request, .entry = operator_cloud_find(op, request->cloud)};
	struct account found = {0};
	if (request->assume.n)
		return call_fail(c, ERR_UNSUPPORTED,
			"cloud/%.*s: assuming %.*s is for a later release: leave credentials: out, and give keys that "
			"may do "
			"what is needed",
			STR(request->cloud), STR(str_clip(request->assume, 200)));
	int rc = choose_address(c, &s, &found);
	if (rc == 0)
		rc = find_host(c, &s, &found);
	if (rc == 0)
		rc = find_credentials(c, &s, &found);
	if (rc == 0 && s.entry)
		rc = copy_hosts(c, s.entry, &found);
	if (rc == 0)
		rc = check_account(c, &s, &found);
	if (rc < 0)
		return call_context(c, "cloud/%.*s", STR(request->cloud));
	if (request->region.n)
		found.region = request->region;
	else if (s.entry && s.entry->region.n)
		found.region = s.entry->region;
	found.ca_file = s.entry ? s.entry->ca : S("");
	*out = found;
	return 0;
}
