// SPDX-License-Identifier: Apache-2.0
// Resources of a cloud by type, over its own parts: "bucket" through store_ops, "encryption-key" through key_ops. The
// id is the bucket's physical name or the key's name. The ctx is the struct cloud itself.
#ifndef ISOBAR_CLOUD_RESOURCES_H
#define ISOBAR_CLOUD_RESOURCES_H

#include "cloud/cloud.h"

extern const struct resource_ops parts_resource_ops;

#endif
