// SPDX-License-Identifier: Apache-2.0
// What the sources of credentials share: account.c chooses, account_aws.c, account_gcp.c and account_azure.c read.
#ifndef ISOBAR_SECURITY_ACCOUNT_IMPL_H
#define ISOBAR_SECURITY_ACCOUNT_IMPL_H

#include "security/account.h"

struct account_search {
	const struct operator_file *op;
	const struct account_request *request;
	const struct operator_cloud *entry; // of the operator's file; NULL: none
	struct str host;                    // "HOST:PORT" of the store that the credentials are for
};

// Each fills credentials, source and what it knows of account and region; *_file from the entry's block, *_ambient from
// the provider's environment variables and files.
int account_aws_file(struct call *c, const struct account_search *s, struct account *out);
int account_aws_ambient(struct call *c, const struct account_search *s, struct account *out);
int account_gcp_file(struct call *c, const struct account_search *s, struct account *out);
int account_gcp_ambient(struct call *c, const struct account_search *s, struct account *out);
int account_azure_file(struct call *c, const struct account_search *s, struct account *out);
int account_azure_ambient(struct call *c, const struct account_search *s, struct account *out);

struct str account_variable(const char *name);              // "" when not set
struct str account_home(struct call *c, const char *below); // "$HOME/" + below; "" without a home
// A secret of the entry, as text in the arena; ref without a name is "".
int account_secret(struct call *c, const struct account_search *s, const struct field_ref *ref, struct str *out);
// Takes over j; ERR_NO_MEMORY when it is NULL.
int account_credentials(struct call *c, json_t *j, struct account *out);

#endif
