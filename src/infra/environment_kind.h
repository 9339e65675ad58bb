// SPDX-License-Identifier: Apache-2.0
// The kind "environments": how a workspace is played. In this release an environment is either real accounts or pocket
// clouds on this machine. Overlays, variables, approvals and expiry come as further rows of the table. It is no
// resource: it is not planned.
#ifndef ISOBAR_INFRA_ENVIRONMENT_KIND_H
#define ISOBAR_INFRA_ENVIRONMENT_KIND_H

#include "base/kind.h"

struct environment {
	struct str name;
	bool pocket; // every cloud is played by a pocket cloud of its provider on this machine
};

extern const struct kind environment_kind;

#endif
