// SPDX-License-Identifier: Apache-2.0
// The credential chain of Azure: tokens of Entra. config.credentials is one of
//   {tenant, client_id, client_secret}
//   {tenant, client_id, certificate}             PEM: the certificate and its private key
//   {tenant, client_id, federated_token_file}    read anew for each token
//   {managed_identity: true, client_id?}         App Service (IDENTITY_ENDPOINT), jobs of Azure ML (MSI_ENDPOINT), else the instance's
//   {chain: true, client_id?}                    what AZURE_CLIENT_SECRET, AZURE_CLIENT_CERTIFICATE_PATH or
//                                                AZURE_FEDERATED_TOKEN_FILE say, else the managed identity
// beside which {account, key} may stand for Blob Storage. Audiences are scopes: "https://storage.azure.com/.default".
// Sources: "Microsoft identity platform and the OAuth 2.0 client credentials flow", "certificate credentials", "How to use
// managed identities with App Service", "... on an Azure VM". Errors: ERR_INVALID, ERR_NOT_FOUND, ERR_UNAUTHENTICATED.
#ifndef ISOBAR_CLOUD_AZURE_CREDENTIALS_H
#define ISOBAR_CLOUD_AZURE_CREDENTIALS_H

#include "base/json.h"
#include "cloud/credential_chain.h"

// Whether credentials say a way to a token of Entra (and are not only a storage account's key).
bool azure_credentials_give_tokens(const json_t *credentials);
MUST_CHECK int azure_credentials_open(
	const struct credential_options *o, struct credential_source **out, struct err *e);

#endif
