// SPDX-License-Identifier: Apache-2.0
// Private to cloud: the shipped rows, a file a provider.
#ifndef ISOBAR_CLOUD_CATALOG_IMPL_H
#define ISOBAR_CLOUD_CATALOG_IMPL_H

#include "cloud/catalog.h"

#define CATALOG_WRITTEN "2026-11-24"         // when rows that were not looked up again were written
#define CATALOG_NO_SPOT 0                    // none sold, or none that could be looked up
#define CATALOG_INDEX "public price index, some day of 2026" // dated by the earliest that it can be: January

extern const struct catalog catalog_aws, catalog_azure, catalog_gcp;

#endif
