// SPDX-License-Identifier: Apache-2.0
// The addresses of a workspace, for completion while somebody types: names only, so that it is quick, and whatever can be
// read of a workspace that has mistakes.
#ifndef ISOBAR_INFRA_ADDRESSES_H
#define ISOBAR_INFRA_ADDRESSES_H

#include "infra/workspace.h"

// Appends "kind/name" of every entry, and "kind/name on cloud" of those that are one resource a cloud, that begin with
// prefix, a line each, in the order of the alphabet. Without an environment the first one is taken. ERR_NOT_FOUND, ERR_IO:
// there is no workspace.
MUST_CHECK int workspace_addresses(
	const struct workspace_options *options, struct str prefix, struct buf *out, struct err *e);

#endif
