// SPDX-License-Identifier: Apache-2.0
// The kind "environments": a way to play the workspace: with which overlay, on real accounts or on pocket clouds of this
// machine, and who must agree before anything changes. It is no resource: it is not planned.
#ifndef ISOBAR_INFRA_ENVIRONMENT_KIND_H
#define ISOBAR_INFRA_ENVIRONMENT_KIND_H

#include "base/kind.h"

struct environment {
	struct str name;
	bool pocket;             // every cloud is played by a pocket cloud of its provider on this machine
	bool synthetic;          // `data: synthetic`: data sets are made up from their schemas
	struct str overlay;      // file below the workspace's folder; "": none
	int64_t expires_ns;      // it takes itself down so long after its first apply; 0: never
	int64_t approvals;       // people who must approve a plan before it is applied
	struct field_ref approvers; // "group/platform"; name "": anybody who may apply
	bool protect;            // nothing in it is destroyed
};

extern const struct kind environment_kind;

#endif
