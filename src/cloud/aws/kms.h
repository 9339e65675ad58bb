// SPDX-License-Identifier: Apache-2.0
// Keys and secrets of AWS: KMS and Secrets Manager. A key is found by its alias, "alias/isobar-WORKSPACE-CLOUD-NAME", and
// is tagged with the workspace and the address, by which a key is found whose alias was never made because an answer was
// lost. Data keys are wrapped by Encrypt with an encryption context. Deleting waits the least that KMS allows (7 days).
// The ctx is struct aws_services. Sources: AWS KMS API Reference, AWS Secrets Manager API Reference.
#ifndef ISOBAR_CLOUD_AWS_KMS_H
#define ISOBAR_CLOUD_AWS_KMS_H

#include "cloud/aws/services.h"
#include "cloud/keys.h"
#include "cloud/secrets.h"

extern const struct key_ops aws_key_ops;
extern const struct secret_ops aws_secret_ops;

#endif
