// SPDX-License-Identifier: Apache-2.0
// Where secrets come from: an environment variable, a file of mode 0600, or a keyring: a folder of such files beside
// the operator's file, then the kernel's keyrings (keyctl: a key of type "user" called isobar:NAME). A trailing line
// end is no part of a secret. Thread-safe.
#ifndef ISOBAR_SECURITY_SECRET_SOURCE_H
#define ISOBAR_SECURITY_SECRET_SOURCE_H

#include "base/call.h"
#include "base/secret.h"

// "env:NAME", "file:/ABSOLUTE", "keyring:NAME", "cloud:CLOUD/NAME": what `from` may say. ERR_INVALID says what is
// wrong.
MUST_CHECK int secret_source_check(struct str from, struct err *e);
// folder: of the operator's configuration; its keyring/NAME is looked at first. ERR_NOT_FOUND, ERR_DENIED (a file that
// others may read), ERR_UNSUPPORTED (a cloud's secret store).
MUST_CHECK int secret_source_read(struct call *c, struct str from, struct str folder, struct secret *out);

#endif
