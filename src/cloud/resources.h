// SPDX-License-Identifier: Apache-2.0
// Resources of a cloud by type, over its own parts: "bucket" through store_ops, "encryption-key" through key_ops. The
// id is the bucket's physical name or the key's name. The ctx is the struct cloud itself.
//
// Inputs of a bucket: {"workspace", "uid": of the resource, "labels": {...} that are its own, "resumed": an earlier try
// may have made it, "drop": [labels it had], "was": {...} all labels to go back to, else those there stay}. Outputs:
// {"name", "region", "location", "settings": {"labels": {...}}, "mark"?: {"workspace", "uid"}, "owner"?: {"by", "mark",
// "advice"} of another tool}. A bucket that is there already is only taken when the mark in its tags says so, or no mark
// is there and the creation is resumed: else ERR_DENIED names the owner, ERR_EXISTS says that Isobar did not make it.
#ifndef ISOBAR_CLOUD_RESOURCES_H
#define ISOBAR_CLOUD_RESOURCES_H

#include "cloud/cloud.h"

extern const struct resource_ops parts_resource_ops;

#endif
