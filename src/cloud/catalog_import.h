// SPDX-License-Identifier: Apache-2.0
// Today's prices from the providers' public interfaces, as rows of the catalog: the price list of Amazon EC2 (a CSV of
// one region, hundreds of megabytes, read as it comes and never kept), Azure's retail prices (pages by NextPageLink) and
// the SKUs of Google's Cloud Billing (pages by token; cores, memory and accelerators put together to machines). What
// comes is not trusted: pages, records and their number are bounded, a next page may only be at the same place, and a
// price that is no price is told and not taken. One thread.
#ifndef ISOBAR_CLOUD_CATALOG_IMPORT_H
#define ISOBAR_CLOUD_CATALOG_IMPORT_H

#include "cloud/catalog.h"
#include "cloud/http/transport.h"

enum { CATALOG_REFUSED_MOST = 100 }; // kept with their reasons; the rest is counted

struct catalog_source {
	struct str provider, region;
	struct str base; // "": catalog_import_base(provider)
	struct str key;  // of Google's interface; "" for the others
	struct http_transport transport;
};
struct catalog_imported {
	struct catalog rows;  // in the call's arena
	json_t *refused;      // of the arena: [{"shape": "m5.large", "why": "spot 0.20 is above 0.10 on demand: not taken"}]
	size_t refused_count; // all of them
};
const char *catalog_import_base(struct str provider); // "https://prices.azure.com"; NULL for an unknown provider
// ERR_INVALID: provider, region, no key; ERR_PROTOCOL and ERR_LIMIT: what came; ERR_NOT_FOUND: not one price in it; else
// what the way or the provider says.
MUST_CHECK int catalog_import(struct call *c, const struct catalog_source *from, struct catalog_imported *out);

#endif
