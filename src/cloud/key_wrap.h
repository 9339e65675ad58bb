// SPDX-License-Identifier: Apache-2.0
// What a key service's wrapped data keys look like in our documents, so that whoever reads one knows which engine and
// which version of a key closed it:
//     "isobar-wrap-2" 0 | length, 1 byte, and name of the engine | length, 2 bytes big-endian, and version | ciphertext
// ("isobar-wrap-1" is the local engine's, see local/local_keys.c.) The version is the provider's own name of it. None of
// it is secret, and none is proof: the provider's own check of the ciphertext and its context is. Also the deterministic
// names of keys at a provider. Pure.
#ifndef ISOBAR_CLOUD_KEY_WRAP_H
#define ISOBAR_CLOUD_KEY_WRAP_H

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"

enum { KEY_WRAP_MAX_PLAIN = 64, KEY_WRAP_MAX_CONTEXT = 1024, KEY_WRAP_MAX = 16 << 10 };

struct key_wrap {
	struct str engine; // "aws-kms", "gcp-kms", "azure-vault"
	struct str version;
	struct str ciphertext;
};
MUST_CHECK int key_wrap_write(const struct key_wrap *w, struct arena *a, struct str *out, struct err *e);
// Borrows from text. ERR_CORRUPT for what is of no such form, ERR_INVALID where another engine than `engine` wrote it.
MUST_CHECK int key_wrap_read(struct str text, const char *engine, struct key_wrap *out, struct err *e);
// "local" for the local engine's form, the engine's name for ours, "" for anything else; borrows from text.
struct str key_wrap_engine(struct str text);
// ERR_INVALID for a data key or a context that no engine takes.
MUST_CHECK int key_wrap_check(struct str name, struct str context, struct str plain, struct err *e);

// "WORKSPACE-CLOUD-NAME" of letters, digits, '-' and (underscore) '_', at most `most` bytes; where anything had to be changed or
// cut, a digest of the whole keeps two names apart. The same in, the same out. .p NULL without memory.
struct key_name {
	struct str workspace, cloud, name;
	bool underscore;
	size_t most; // at least 32
};
struct str key_name_write(const struct key_name *n, struct arena *a);
// What the things made for a key are marked with: "encryption-key/lake on aws-us".
struct str key_name_address(const struct key_name *n, struct arena *a);

#endif
