// SPDX-License-Identifier: Apache-2.0
// Keys and secrets of Azure: a Key Vault that the configuration names (vault_url). A key is "WORKSPACE-CLOUD-NAME", an RSA
// key of 3072 bits; data keys are wrapped with RSA-OAEP-256. Key Vault authenticates nothing beside them, so the digest
// of the context is wrapped together with each, and what was wrapped for something else is refused when it is opened.
// Deleting is Key Vault's soft deletion; making a key again recovers it. The ctx is struct azure_services. Sources: "Key
// Vault REST API, 7.4" (Microsoft), RFC 8017 7.1. Who may use a key is a role assignment of its scope, which is Resource
// Manager's: the slots of grants are not offered.
#ifndef ISOBAR_CLOUD_AZURE_VAULT_H
#define ISOBAR_CLOUD_AZURE_VAULT_H

#include "cloud/azure/services.h"
#include "cloud/keys.h"
#include "cloud/secrets.h"

extern const struct key_ops azure_key_ops;
extern const struct secret_ops azure_secret_ops;

#endif
