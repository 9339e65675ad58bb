// SPDX-License-Identifier: Apache-2.0
// The table of gateways: see gateway_kind.h.
#include "gateway/gateway_kind.h"

#include "net/address.h"

static bool is_text(const struct node *n, struct str prefix)
{
	return n && n->type == NODE_SCALAR && str_starts(n->text, prefix) && n->text.n > prefix.n;
}

static bool parse_files(const struct node *node, struct gateway_tls *out, struct findings *f)
{
	const struct node *certificate = node_member(node, S("certificate")), *key = node_member(node, S("key"));
	bool secret = is_text(key, S("secret/")), file = is_text(key, S("file:"));
	if (!is_text(certificate, S("file:")) || (!secret && !file) || node->count != 2) {
		findings_add(f, node->at, node_path(node, f->arena), (struct str){0},
			"expected {certificate: \"file:PATH\", key: secret/NAME} (or a key in a file: \"file:PATH\")");
		return false;
	}
	out->automatic = secret;
	out->certificate = str_drop(certificate->text, 5);
	out->key = secret ? key->text : str_drop(key->text, 5);
	return true;
}

// A key in a secret is fetched by a later release.
static bool is_served(const struct node *node)
{
	return !is_text(node_member(node, S("key")), S("secret/"));
}

// automatic | none | {certificate: file:..., key: secret/... or file:...}
static bool parse_tls(const struct node *node, void *out, struct findings *f)
{
	struct gateway_tls *tls = out;
	if (node->type == NODE_MAP)
		return parse_files(node, tls, f);
	tls->automatic = node->type == NODE_SCALAR && str_eq(node->text, S("automatic"));
	if (tls->automatic || (node->type == NODE_SCALAR && str_eq(node->text, S("none"))))
		return true;
	findings_add(f, node->at, node_path(node, f->arena), S("did you mean \"automatic\"?"),
		"expected automatic, none, or a certificate and its key");
	return false;
}

static void check_hosts(const struct kind_check *c)
{
	const struct gateway *g = c->value;
	const struct str *hosts = g->hosts.items;
	for (size_t i = 0; kind_check_sound(c, "hosts") && i < g->hosts.count; i++)
		if (!hosts[i].n || hosts[i].n > 253 || str_find_char(hosts[i], '/') >= 0 || str_find_char(hosts[i], ' ') >= 0)
			kind_check_add(c, "hosts", S("write it as ai.example.org"), "expected names of hosts, got \"%.*s\"",
				STR(str_clip(hosts[i], 80)));
}

static void check_gateway(const struct kind_check *c)
{
	const struct gateway *g = c->value;
	struct address address;
	struct err e = {0};
	check_hosts(c);
	if (!kind_check_sound(c, "listen") || g->listen.n == 0)
		return;
	if (address_parse(g->listen, &address, &e)) {
		kind_check_add(c, "listen", S("write it as 127.0.0.1:8443"), "%s", e.message);
		return;
	}
	bool plain = kind_check_sound(c, "tls") && !g->tls.automatic && g->tls.certificate.n == 0;
	if (plain && !address_is_loopback(&address))
		kind_check_add(c, node_member(c->map, S("tls")) ? "tls" : "listen", S("say \"tls: automatic\""),
			"without TLS a gateway listens on loopback only, not on %.*s", STR(g->listen));
}

static const char *const audits[] = {"strict", "none", NULL};

static const struct field gateway_fields[] = {
	{.name = "listen",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct gateway, listen),
		.help = "address and port; on a pocket workspace a port that is taken becomes a free one"},
	{.name = "hosts",
		.type = FIELD_LIST,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct gateway, hosts),
		.item = FIELD_TEXT,
		.help = "names under which clients come; others are refused, and certificates are made out for these"},
	{.name = "tls",
		.type = FIELD_CUSTOM,
		.parse = parse_tls,
		.acting = is_served,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct gateway, tls),
		.otherwise = "automatic",
		.help = "automatic: a certificate of the workspace's own CA (.isobar/ca.pem); none; or a certificate "
			"and its key, {certificate: \"file:PATH\", key: secret/NAME}"},
	{.name = "audit",
		.type = FIELD_CHOICE,
		.choices = audits,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct gateway, audit),
		.otherwise = "strict",
		.help = "strict: no answer leaves before its record is written"},
};

const struct kind gateway_kind = {
	.plural = "gateways",
	.singular = "gateway",
	.help = "where clients come in: identifies them, decides, records, and forwards to endpoints on all clouds",
	.example = "gateways:\n"
		   "  edge: {listen: 127.0.0.1:8443, tls: automatic, audit: strict}\n",
	.size = sizeof(struct gateway),
	KIND_FIELDS(gateway_fields),
	.check = check_gateway,
};
