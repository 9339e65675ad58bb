// SPDX-License-Identifier: Apache-2.0
// Makes an OCI image without Docker: a folder becomes one layer (tar, gzip), with configuration, manifest and index, as
// one file (an "oci-archive": the image layout of the OCI image specification 1.1 in a tar). The same folder and time
// give the same bytes and digests. Readers: podman load, skopeo copy oci-archive:FILE.
#ifndef ISOBAR_MODELS_OCI_IMAGE_H
#define ISOBAR_MODELS_OCI_IMAGE_H

#include <stdint.h>

#include "base/hash.h"

struct oci_image {
	const char *root;              // folder that becomes the image's "/"
	const char *out;               // file to write, whole or not at all
	const char *architecture;      // "amd64", "arm64"
	const char *user;              // "65532:65532"; NULL: root
	const char *name;              // reference in the index, "isobar:0.1.0"; NULL: none
	const char *const *entrypoint; // NULL-ended
	const char *const *env;        // NULL-ended "NAME=VALUE"; NULL: none
	int64_t seconds;               // time of creation and of all files
};
// digest: of the manifest, "sha256:" left out. ERR_UNSUPPORTED without libarchive, ERR_IO, ERR_NO_SPACE.
MUST_CHECK int oci_image_write(const struct oci_image *image, char digest[HEX_SHA256_SIZE], struct err *e);

#endif
