// SPDX-License-Identifier: Apache-2.0
// The table of the operator's file: see operator.h.
#include <string.h>

#include "net/guard.h"
#include "security/operator.h"
#include "security/operator_impl.h"
#include "security/secret_source.h"

// ---------------------------------------------------------------- secrets
static const struct field secret_fields[] = {
	{.name = "name",
		.type = FIELD_KEY,
		.offset = offsetof(struct operator_secret, name),
		.help = "name that a workspace writes as secret/NAME"},
	{.name = "from",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct operator_secret, from),
		.help = "where it comes from: env:VARIABLE, file:/PATH (mode 0600), keyring:NAME (a file of mode 0600 "
			"in "
			"keyring/ beside this file, else the kernel's key user isobar:NAME), cloud:CLOUD/NAME (the newest "
			"version in the secret store of a cloud that this file describes with its provider)"},
	{.name = "hosts",
		.type = FIELD_LIST,
		.item = FIELD_TEXT,
		.offset = offsetof(struct operator_secret, hosts),
		.help = "hosts that it may be sent to: HOST (port 443), HOST:PORT, HOST:* or *.DOMAIN:PORT; without "
			"any, "
			"nowhere"},
};

static void check_hosts(const struct field_list *hosts, const struct node *n, struct findings *f)
{
	const struct node *list = node_member(n, S("hosts"));
	const struct node *at = list ? list->first : NULL;
	for (size_t i = 0; i < hosts->count && at; i++, at = at->next) {
		struct err e = {0};
		AUTO(guard) guard = NULL;
		struct str pattern = operator_host_pattern(((const struct str *)hosts->items)[i], f->arena);
		if (guard_new(&pattern, 1, &guard, &e) < 0)
			findings_add(f, at->at, node_path(at, f->arena), S("write HOST:PORT"), "%s", e.message);
	}
}

static void check_secret(const struct kind_check *c)
{
	const struct operator_secret *s = c->value;
	const struct node *n = c->map, *from = node_member(n, S("from"));
	struct findings *f = c->f;
	if (c->wrong)
		return;
	struct err e = {0};
	if (from && secret_source_check(s->from, &e) < 0)
		findings_add(f, from->at, node_path(from, f->arena), S(""), "%s", e.message);
	check_hosts(&s->hosts, n, f);
}

static const struct kind secret_kind = {
	.singular = "a secret",
	.help = "where a secret comes from and may go to",
	.size = sizeof(struct operator_secret),
	KIND_FIELDS(secret_fields),
	.check = check_secret,
};

// ---------------------------------------------------------------- clouds
#define CREDENTIAL(member) offsetof(struct operator_credentials, member)
static const struct field credential_fields[] = {
	{.name = "written", .type = FIELD_PRESENT, .offset = CREDENTIAL(written), .help = "the block was written"},
	{.name = "profile",
		.type = FIELD_TEXT,
		.offset = CREDENTIAL(profile),
		.help = "aws: a profile of ~/.aws/credentials and ~/.aws/config with keys of its own"},
	{.name = "access_key_id",
		.type = FIELD_TEXT,
		.offset = CREDENTIAL(access_key_id),
		.help = "aws, or a site's S3: the name of the access key"},
	{.name = "secret_access_key",
		.type = FIELD_REF,
		.refers = "secret",
		.flags = FIELD_SECRET,
		.offset = CREDENTIAL(secret_access_key),
		.help = "aws, or a site's S3: the secret that holds the key itself"},
	{.name = "session_token",
		.type = FIELD_REF,
		.refers = "secret",
		.flags = FIELD_SECRET,
		.offset = CREDENTIAL(session_token),
		.help = "aws: the secret that holds the token of temporary credentials"},
	{.name = "file",
		.type = FIELD_TEXT,
		.offset = CREDENTIAL(file),
		.help = "gcp: absolute path of a service-account file, mode 0600"},
	{.name = "service_account",
		.type = FIELD_REF,
		.refers = "secret",
		.flags = FIELD_SECRET,
		.offset = CREDENTIAL(service_account),
		.help = "gcp: the secret that holds a service-account file"},
	{.name = "storage_account",
		.type = FIELD_TEXT,
		.offset = CREDENTIAL(storage_account),
		.help = "azure: name of the storage account"},
	{.name = "storage_key",
		.type = FIELD_REF,
		.refers = "secret",
		.flags = FIELD_SECRET,
		.offset = CREDENTIAL(storage_key),
		.help = "azure: the secret that holds a key of the storage account"},
};

// A name must say that it is one: what stands there without "secret/" may be the secret itself, and is not repeated.
static void check_credentials(const struct kind_check *c)
{
	static const char *const names[] = {"secret_access_key", "session_token", "service_account", "storage_key"};
	const struct node *n = c->map;
	struct findings *f = c->f;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		const struct node *at = node_member(n, str_of(names[i]));
		if (at && at->type == NODE_SCALAR && !str_starts(at->text, S("secret/")))
			findings_add(f, at->at, node_path(at, f->arena),
				S("write secret/NAME, and its source under secrets:"), "expected the name of a secret");
	}
}

static const struct kind credentials_kind = {
	.singular = "credentials",
	.help = "credentials of a cloud; without this block, the provider's ordinary environment variables and files",
	.size = sizeof(struct operator_credentials),
	KIND_FIELDS(credential_fields),
	.check = check_credentials,
};

static const struct field endpoint_fields[] = {
	{.name = "store",
		.type = FIELD_URL,
		.offset = offsetof(struct operator_endpoints, store),
		.help = "address of the object store instead of the provider's own"},
	{.name = "identity",
		.type = FIELD_URL,
		.offset = offsetof(struct operator_endpoints, identity),
		.help = "address that says whose credentials these are (STS, token info) instead of the provider's "
			"own"},
	{.name = "services",
		.type = FIELD_URL,
		.offset = offsetof(struct operator_endpoints, services),
		.help = "one address that answers for all services beside the store, instead of the provider's own"},
	{.name = "vault",
		.type = FIELD_URL,
		.offset = offsetof(struct operator_endpoints, vault),
		.help = "azure: address of the Key Vault that holds keys and secrets"},
};

static const struct kind endpoints_kind = {
	.singular = "endpoints",
	.help = "addresses instead of the provider's own",
	.size = sizeof(struct operator_endpoints),
	KIND_FIELDS(endpoint_fields),
};

static const char *const providers[] = {"aws", "gcp", "azure", "site", NULL};

#define CLOUD(member) offsetof(struct operator_cloud, member)
static const struct field cloud_fields[] = {
	{.name = "name",
		.type = FIELD_KEY,
		.offset = CLOUD(name),
		.help = "the cloud's name in the workspace; s3, gs and az are those of `isobar data` without a "
			"workspace"},
	{.name = "provider",
		.type = FIELD_CHOICE,
		.choices = providers,
		.offset = CLOUD(provider),
		.help = "needed only for NAME:bucket/key in `isobar data` without a workspace"},
	{.name = "region",
		.type = FIELD_NAME,
		.offset = CLOUD(region),
		.help = "needed only for NAME:bucket/key in `isobar data` without a workspace"},
	{.name = "account",
		.type = FIELD_TEXT,
		.offset = CLOUD(account),
		.help = "account, project or subscription that the credentials belong to; a workspace that says "
			"another "
			"is refused"},
	{.name = "credentials",
		.type = FIELD_BLOCK,
		.block = &credentials_kind,
		.offset = CLOUD(credentials),
		.help = "credentials; without it, the provider's ordinary environment variables and files"},
	{.name = "endpoints",
		.type = FIELD_BLOCK,
		.block = &endpoints_kind,
		.offset = CLOUD(endpoints),
		.help = "addresses instead of the provider's own; plain http only to loopback"},
	{.name = "ca",
		.type = FIELD_TEXT,
		.offset = CLOUD(ca),
		.help = "absolute path of a PEM file: the only CAs that this cloud's certificates may come from"},
	{.name = "hosts",
		.type = FIELD_LIST,
		.item = FIELD_TEXT,
		.offset = CLOUD(hosts),
		.help = "hosts that these credentials may be sent to beside the provider's own: those of an api: in "
			"the "
			"workspace"},
};

static void check_absolute(struct str path, const struct node *n, const char *name, struct findings *f)
{
	const struct node *at = node_member(n, str_of(name));
	if (at && (!path.n || path.p[0] != '/' || memchr(path.p, '\0', path.n)))
		findings_add(f, at->at, node_path(at, f->arena), S("begin it with /"), "expected an absolute path");
}

static void check_cloud(const struct kind_check *c)
{
	const struct operator_cloud *cloud = c->value;
	const struct node *n = c->map, *credentials = node_member(n, S("credentials"));
	struct findings *f = c->f;
	if (c->wrong)
		return;
	check_absolute(cloud->ca, n, "ca", f);
	if (credentials)
		check_absolute(cloud->credentials.file, credentials, "file", f);
	check_hosts(&cloud->hosts, n, f);
}

static const struct kind cloud_kind_of_operator = {
	.singular = "a cloud",
	.help = "a cloud as the operator sees it",
	.size = sizeof(struct operator_cloud),
	KIND_FIELDS(cloud_fields),
	.check = check_cloud,
};

// ---------------------------------------------------------------- proxy and the whole
static const struct field proxy_fields[] = {
	{.name = "written",
		.type = FIELD_PRESENT,
		.offset = offsetof(struct operator_proxy, written),
		.help = "the block was written"},
	{.name = "https",
		.type = FIELD_URL,
		.offset = offsetof(struct operator_proxy, https),
		.help = "proxy of calls to https addresses, through which they go as a tunnel (CONNECT)"},
	{.name = "http",
		.type = FIELD_URL,
		.offset = offsetof(struct operator_proxy, http),
		.help = "proxy of calls to http addresses"},
	{.name = "no",
		.type = FIELD_LIST,
		.item = FIELD_TEXT,
		.offset = offsetof(struct operator_proxy, no),
		.help = "hosts that are called directly: HOST, .DOMAIN, ADDRESS, NET/BITS, each also with :PORT; "
			"loopback "
			"always is"},
};

static const struct kind proxy_kind = {
	.singular = "proxy",
	.help = "proxies instead of those of HTTPS_PROXY, HTTP_PROXY and NO_PROXY",
	.size = sizeof(struct operator_proxy),
	KIND_FIELDS(proxy_fields),
};

static const struct field fields[] = {
	{.name = "isobar",
		.type = FIELD_INTEGER,
		.offset = offsetof(struct operator_file, isobar),
		.otherwise = "1",
		.min = 1,
		.max = 1,
		.help = "version of the format: 1"},
	{.name = "secrets",
		.type = FIELD_NAMED,
		.block = &secret_kind,
		.offset = offsetof(struct operator_file, secrets),
		.help = "secrets by the name that workspaces use: where each comes from, and where it may go"},
	{.name = "clouds",
		.type = FIELD_NAMED,
		.block = &cloud_kind_of_operator,
		.offset = offsetof(struct operator_file, clouds),
		.help = "clouds by the name that workspaces use: credentials, addresses, CAs"},
	{.name = "roots",
		.type = FIELD_LIST,
		.item = FIELD_TEXT,
		.offset = offsetof(struct operator_file, roots),
		.otherwise = "[/usr/share/datasets]",
		.help = "folders outside a workspace that its file: paths may lead to"},
	{.name = "ca",
		.type = FIELD_TEXT,
		.offset = offsetof(struct operator_file, ca),
		.help = "absolute path of a PEM file: CAs that are trusted beside the system's"},
	{.name = "proxy",
		.type = FIELD_BLOCK,
		.block = &proxy_kind,
		.offset = offsetof(struct operator_file, proxy),
		.help = "proxies instead of those of HTTPS_PROXY, HTTP_PROXY and NO_PROXY"},
};

static void check_operator(const struct kind_check *c)
{
	const void *value = c->value;
	const struct node *n = c->map;
	struct findings *f = c->f;
	if (c->wrong)
		return;
	const struct operator_file *op = value;
	const struct node *roots = node_member(n, S("roots"));
	const struct node *at = roots ? roots->first : NULL;
	for (size_t i = 0; i < op->roots.count && at; i++, at = at->next) {
		struct str root = ((const struct str *)op->roots.items)[i];
		if (!root.n || root.p[0] != '/' || memchr(root.p, '\0', root.n))
			findings_add(
				f, at->at, node_path(at, f->arena), S("begin it with /"), "expected an absolute path");
	}
	check_absolute(op->ca, n, "ca", f);
}

const struct kind operator_kind = {
	.singular = "operator",
	.help = "the operator's file: ~/.config/isobar/operator.yaml, or what --operator or ISOBAR_OPERATOR names. "
		"Secrets "
		"and where they may go, clouds' credentials and addresses, private CAs, proxies. It belongs to whoever "
		"runs Isobar; no workspace can change it",
	.example = "secrets:\n"
		   "  pagerduty: {from: \"env:PAGERDUTY_KEY\", hosts: [events.pagerduty.com]}\n"
		   "  munich:    {from: \"file:/etc/isobar/munich.key\", hosts: [minio.munich.lumen.example]}\n"
		   "clouds:\n"
		   "  aws-eu: {account: \"123456789012\", credentials: {profile: lumen}}\n"
		   "  munich:\n"
		   "    credentials: {access_key_id: isobar, secret_access_key: secret/munich}\n"
		   "    hosts: [minio.munich.lumen.example]\n"
		   "    ca: /etc/isobar/munich-ca.pem\n"
		   "roots: [/usr/share/datasets, /srv/data]\n",
	.size = sizeof(struct operator_file),
	KIND_FIELDS(fields),
	.check = check_operator,
};
