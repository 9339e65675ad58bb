// SPDX-License-Identifier: Apache-2.0
// Where secrets come from: an environment variable, a file of mode 0600, a keyring (a folder of such files beside the
// operator's file, then the kernel's keyrings: a key of type "user" called isobar:NAME), or a cloud's secret store. A
// trailing line end is no part of a secret. Thread-safe.
#ifndef ISOBAR_SECURITY_SECRET_SOURCE_H
#define ISOBAR_SECURITY_SECRET_SOURCE_H

#include "base/call.h"
#include "base/secret.h"

// The secret stores of clouds: what security/ cannot open itself. Filled by who can (infra/secret_clouds.h).
struct secret_clouds {
	// The newest version of a secret, by the provider's own name of it. NULL: there are none here.
	int (*read)(struct call *c, void *ctx, struct str cloud, struct str name, struct secret *out);
	void *ctx;
};
struct secret_places {
	struct str folder; // of the operator's configuration; its keyring/NAME is looked at first
	const struct secret_clouds *clouds; // NULL: none
};

// "env:NAME", "file:/ABSOLUTE", "keyring:NAME", "cloud:CLOUD/NAME": what `from` may say. ERR_INVALID says what is
// wrong.
MUST_CHECK int secret_source_check(struct str from, struct err *e);
// ERR_NOT_FOUND, ERR_DENIED (a file that others may read), ERR_UNSUPPORTED (a cloud's secret store where none can be
// opened: to open one, or before the operator's file is read), and the errors of cloud/secrets.h.
MUST_CHECK int secret_source_read(
	struct call *c, struct str from, const struct secret_places *places, struct secret *out);

#endif
