// SPDX-License-Identifier: Apache-2.0
// The credential chain of Google Cloud (Application Default Credentials). config.credentials is a credential file's JSON,
//   {type: "service_account" | "authorized_user" | "external_account" | "impersonated_service_account", ...}
// or {chain: true}: the file of GOOGLE_APPLICATION_CREDENTIALS, gcloud's application_default_credentials.json, the
// metadata server; and with any of them {assume: "ACCOUNT@PROJECT.iam.gserviceaccount.com"}: that account, impersonated.
// Audiences are OAuth scopes. Sources: "How Application Default Credentials works", "Workload identity federation", AIP-4110
// to AIP-4117 (credential files), RFC 7523, RFC 8693. Errors: ERR_INVALID, ERR_NOT_FOUND, ERR_UNAUTHENTICATED.
#ifndef ISOBAR_CLOUD_GCP_CREDENTIALS_H
#define ISOBAR_CLOUD_GCP_CREDENTIALS_H

#include "cloud/credential_chain.h"

MUST_CHECK int gcp_credentials_open(
	const struct credential_options *o, struct credential_source **out, struct err *e);

#endif
