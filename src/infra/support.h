// SPDX-License-Identifier: Apache-2.0
// The page of what works where (docs/support.md), from the records of conformance runs: each part of each provider is
// marked by the best that a record shows of it, a real account, a server of others, or Isobar's own pocket cloud.
#ifndef ISOBAR_INFRA_SUPPORT_H
#define ISOBAR_INFRA_SUPPORT_H

#include "base/buf.h"
#include "base/err.h"

enum { SUPPORT_MAX_RECORDS = 200 };

// Reads all *.json below the folder, in order of names. ERR_IO, ERR_NOT_FOUND; ERR_INVALID names a file that is no
// record.
MUST_CHECK int support_write(const char *folder, struct buf *out, struct err *e);

#endif
