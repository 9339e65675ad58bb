// SPDX-License-Identifier: Apache-2.0
// Locks that live as long as a descriptor (open file description), also over fork and exec: whoever has it open keeps
// it. The file is created 0600. Thread-safe.
#ifndef ISOBAR_BASE_LOCK_H
#define ISOBAR_BASE_LOCK_H

#include "base/err.h"

MUST_CHECK int lock_take(const char *path, int *fd, struct err *e); // ERR_IN_USE when another has it
bool lock_is_held(const char *path);                                // asks without taking it

#endif
