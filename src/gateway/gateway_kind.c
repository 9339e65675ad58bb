// SPDX-License-Identifier: Apache-2.0
// The table of gateways: see gateway_kind.h.
#include "gateway/gateway_kind.h"

#include "net/address.h"

static bool parse_files(const struct node *node, struct gateway_tls *out, struct findings *f)
{
	const struct node *certificate = node_member(node, S("certificate")), *key = node_member(node, S("key"));
	bool good = certificate && key && node->count == 2 && certificate->type == NODE_SCALAR &&
		    key->type == NODE_SCALAR && str_starts(certificate->text, S("file:")) &&
		    str_starts(key->text, S("file:"));
	if (!good) {
		findings_add(f, node->at, node_path(node, f->arena), (struct str){0},
			"expected {certificate: \"file:PATH\", key: \"file:PATH\"}");
		return false;
	}
	out->certificate = str_drop(certificate->text, 5);
	out->key = str_drop(key->text, 5);
	return true;
}

// automatic | none | {certificate: file:..., key: file:...}
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

static void check_gateway(const struct kind_check *c)
{
	const void *value = c->value;
	const struct node *n = c->map;
	struct findings *f = c->f;
	if (c->wrong)
		return;
	const struct gateway *g = value;
	const struct node *listen = node_member(n, S("listen")), *tls = node_member(n, S("tls"));
	struct address address;
	struct err e = {0};
	if (!listen || g->listen.n == 0)
		return;
	if (address_parse(g->listen, &address, &e)) {
		findings_add(f, listen->at, node_path(listen, f->arena), (struct str){0}, "%s", e.message);
		return;
	}
	if (!g->tls.automatic && g->tls.certificate.n == 0 && !address_is_loopback(&address))
		findings_add(f, (tls ? tls : listen)->at, node_path(tls ? tls : listen, f->arena),
			S("say \"tls: automatic\""), "without TLS a gateway listens on loopback only, not on %.*s",
			STR(g->listen));
}

static const char *const audits[] = {"strict", "none", NULL};

static const struct field gateway_fields[] = {
	{.name = "listen",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct gateway, listen),
		.help = "address and port; on a pocket workspace a port that is taken becomes a free one"},
	{.name = "tls",
		.type = FIELD_CUSTOM,
		.parse = parse_tls,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct gateway, tls),
		.otherwise = "automatic",
		.help = "automatic: a certificate of the workspace's own CA (.isobar/ca.pem); none; or certificate and "
			"key files"},
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
