// SPDX-License-Identifier: Apache-2.0
// The kind `clouds:`: where the bytes lie and whose law binds the operator follow from provider and region. What the
// table cannot say, its check does: a region that the provider does not have, a location that contradicts the region.
// A cloud is only declared: the resource has no handler (NULL create); main.c opens it from the record through
// cloud/registry.h.
#ifndef ISOBAR_CLOUD_CLOUD_KIND_H
#define ISOBAR_CLOUD_CLOUD_KIND_H

#include "base/kind.h"

struct cloud_declaration {
	struct str provider; // "aws", "gcp", "azure"
	struct str region;   // "europe-west4"
	struct str location; // ISO 3166 country; "": as the region table says
};
extern const struct kind cloud_kind;

#endif
