// SPDX-License-Identifier: Apache-2.0
// The kind `clouds:`: where the bytes lie and whose law binds the operator follow from provider and region; a `site` (a
// hall of one's own) says both itself. What the table cannot say, its check does: a region that the provider does not
// have, a location that contradicts the region. A cloud is only declared: the resource has no handler (NULL create);
// main.c opens it from the record through cloud/registry.h.
#ifndef ISOBAR_CLOUD_CLOUD_KIND_H
#define ISOBAR_CLOUD_CLOUD_KIND_H

#include "base/kind.h"

struct cloud_operator {
	struct str name; // "Lumen GmbH"
	struct str law;  // "EU", "US"; empty: as the provider table says
};
struct cloud_credentials_declared { // what may stand in a workspace: no secret
	struct str assume; // role to take on
	struct str profile;
};
struct cloud_part { // one of the five: another engine than the provider's own
	struct str engine;
	struct str api;       // URL; only an address
	struct str context;   // of a kubeconfig
	struct str space;     // namespace
	struct str partition; // of Slurm
};
struct cloud_price {
	struct str what; // "H100", "egress"
	struct field_money money;
};
struct cloud_declaration {
	struct str provider; // "aws", "gcp", "azure", "site"
	struct str region;   // "europe-west4"; empty: a site
	struct str location; // ISO 3166 country; "": as the region table says
	struct str account, project, subscription, resource_group;
	struct cloud_credentials_declared credentials;
	struct cloud_operator operator;
	struct str connect; // "direct" | "outbound"
	struct cloud_part store, jobs, endpoints, keys;
	struct field_list prices; // of struct cloud_price
};
extern const struct kind cloud_kind;

#endif
