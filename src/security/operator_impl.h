// SPDX-License-Identifier: Apache-2.0
// What the files of the operator's file share.
#ifndef ISOBAR_SECURITY_OPERATOR_IMPL_H
#define ISOBAR_SECURITY_OPERATOR_IMPL_H

#include "base/arena.h"

// "HOST" -> "HOST:443"; one with a port stays as it is. .p NULL without memory.
struct str operator_host_pattern(struct str host, struct arena *a);

#endif
