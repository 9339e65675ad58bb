// SPDX-License-Identifier: Apache-2.0
// Private to cloud: what the three importers share.
#ifndef ISOBAR_CLOUD_CATALOG_IMPORT_IMPL_H
#define ISOBAR_CLOUD_CATALOG_IMPORT_IMPL_H

#include "cloud/catalog_import.h"

enum { IMPORT_MAX_SHAPES = 5000 };

struct catalog_importer {
	struct call *c;
	const struct catalog_source *from;
	struct str base;
	const char *source, *date; // of the rows
	struct catalog_row *rows;  // room for IMPORT_MAX_SHAPES
	size_t count;
	json_t *refused;
	size_t refused_count;
};
struct import_price {
	const struct catalog_row *spec; // shape, vcpu, memory_gib, accelerator and count; borrowed, copied when taken
	double amount;
	struct str currency;
	bool spot;
};
// Takes a price, or tells why not. Only memory and the number of shapes are errors.
MUST_CHECK int import_take(struct catalog_importer *m, const struct import_price *p);
void import_refuse(struct catalog_importer *m, struct str shape, const char *why);
// A shipped row of that shape in any region; NULL: none.
const struct catalog_row *import_shape(const struct catalog_importer *m, struct str shape);
// One page of JSON, an object, tried again where that helps. *out is owned.
MUST_CHECK int import_page(struct catalog_importer *m, struct str url, json_t **out);

MUST_CHECK int catalog_import_aws(struct catalog_importer *m);
MUST_CHECK int catalog_import_azure(struct catalog_importer *m);
MUST_CHECK int catalog_import_gcp(struct catalog_importer *m);

#endif
