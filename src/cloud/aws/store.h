// SPDX-License-Identifier: Apache-2.0
// The store of AWS: Amazon S3 (and whoever speaks its protocol) over its REST API with Signature Version 4. Path-style
// addresses, so that one host serves all buckets. Source: Amazon S3 API Reference. Owned; thread-safe. Errors keep S3's
// own code.
#ifndef ISOBAR_CLOUD_AWS_STORE_H
#define ISOBAR_CLOUD_AWS_STORE_H

#include "cloud/cloud.h"
#include "cloud/config.h"
#include "cloud/http/service.h"
#include "cloud/http/transport.h"
#include "cloud/identity.h"

struct aws_store; // the ctx of aws_store_ops
extern const struct store_ops aws_store_ops;
extern const struct identity_ops aws_identity_ops; // the same ctx

// The address of a region's store, for config.store_url "".
struct str aws_store_url(struct arena *a, struct str region);
// Where STS is: config.identity_url, else the store of somebody's own, else the region's.
struct str aws_identity_url(struct arena *a, const struct cloud_config *config);
// transport is taken over, also on failure; config is copied from. ERR_INVALID for credentials that aws/credentials.h does
// not know.
MUST_CHECK int aws_store_open(const struct cloud_config *config, struct str url, struct http_transport *transport,
	struct aws_store **out, struct err *e);
void aws_store_close(struct aws_store *s); // wipes the credentials; NULL is allowed

// The store's transport and its credentials, for the other services of the same cloud; they end with the store.
void aws_store_lend(struct aws_store *s, struct services_options *out);

#endif
