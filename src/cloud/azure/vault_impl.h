// SPDX-License-Identifier: Apache-2.0
// Private to the driver of Azure: what the keys and the secrets of a Key Vault share.
#ifndef ISOBAR_CLOUD_AZURE_VAULT_IMPL_H
#define ISOBAR_CLOUD_AZURE_VAULT_IMPL_H

#include "cloud/azure/vault.h"

#define VAULT_VERSION "api-version=7.4"
enum { VAULT_RECOVER_S = 120 };

// One request: path encoded, from "/keys"; in NULL: no body. *out may be NULL. ERR_INVALID where no vault is named.
struct vault_request {
	enum azure_call call;
	struct str path;
	const json_t *in;
};
MUST_CHECK int vault_call(
	struct call *c, struct azure_services *s, const struct vault_request *request, const json_t **out);
struct str vault_path(struct call *c, const char *collection, struct str name, const char *tail); // "/keys/NAME" + tail
struct str vault_version_of(struct str id);              // the last segment of ".../keys/NAME/VERSION"
struct str vault_name_of(struct str id);                 // NAME of ".../secrets/NAME" or ".../secrets/NAME/VERSION"
struct str vault_time(struct call *c, const json_t *attributes, const char *name); // RFC 3339; "" when absent
bool vault_is_enabled(const json_t *item);
// All pages of a list: one(item) for each. nextLink has to be of the same vault.
struct vault_list {
	struct azure_services *s;
	enum azure_call call;
	struct str path;
	int (*one)(struct call *c, void *ctx, const json_t *item);
	void *ctx;
};
MUST_CHECK int vault_list_all(struct call *c, const struct vault_list *list);
// Brings a deleted key or secret back: asks with `recover`, then looks with `get` until it is there.
struct vault_recovery {
	enum azure_call recover, get;
	struct str recover_path, get_path;
};
MUST_CHECK int vault_recover(struct call *c, struct azure_services *s, const struct vault_recovery *recovery);
// Whether an error says that the name is of something deleted that can be recovered, or is still being deleted.
bool vault_is_deleted(const struct err *e);

#endif
