// SPDX-License-Identifier: Apache-2.0
// Private to cloud/sign: limits that both halves of the RS256 tokens share.
#ifndef ISOBAR_CLOUD_SIGN_JWT_IMPL_H
#define ISOBAR_CLOUD_SIGN_JWT_IMPL_H

enum {
	JWT_MAX_KEY_SIZE = 16 << 10, // of a PEM text; an RSA key of 8192 bits has about 6.5 KiB
	JWT_MAX_RSA_BITS = 8192,     // what a verifier is willing to compute
};

#endif
