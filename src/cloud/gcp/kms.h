// SPDX-License-Identifier: Apache-2.0
// Keys and secrets of Google Cloud: Cloud KMS and Secret Manager over REST. A key is "WORKSPACE-CLOUD-NAME" in the key
// ring "isobar" of the cloud's region. Data keys are wrapped with the context as additional authenticated data, and every
// CRC-32C of the answers is checked, so that nothing is kept that was damaged on its way. Google never deletes a key:
// deleting schedules all of its versions for destruction, and making it again gives it a new one. Secrets lie in the
// cloud's region only. The ctx is struct gcp_services. Sources: "Cloud KMS API v1", "Data integrity guidelines", "Secret
// Manager API v1".
#ifndef ISOBAR_CLOUD_GCP_KMS_H
#define ISOBAR_CLOUD_GCP_KMS_H

#include "cloud/gcp/services.h"
#include "cloud/keys.h"
#include "cloud/secrets.h"

extern const struct key_ops gcp_key_ops;
extern const struct secret_ops gcp_secret_ops;

#endif
