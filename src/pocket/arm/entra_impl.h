// SPDX-License-Identifier: Apache-2.0
// Private to Entra: apps, and the text of tokens.
#ifndef ISOBAR_POCKET_ARM_ENTRA_IMPL_H
#define ISOBAR_POCKET_ARM_ENTRA_IMPL_H

#include "pocket/arm/entra.h"
#include "pocket/pocket_impl.h"

// The pocket's folder and the text of its credentials, in an arena.
struct entra_app {
	struct str client_id, client_secret, name;
	json_t *actions, *not_actions; // NULL: all, none. Live in the arena
};
MUST_CHECK int entra_tenant(struct pocket *p, struct arena *a, struct str *out, struct err *e);
MUST_CHECK int entra_origin(struct pocket *p, struct arena *a, struct str *out, struct err *e);
// ERR_NOT_FOUND.
MUST_CHECK int entra_find_app(
	struct pocket *p, struct arena *a, struct str client_id, struct entra_app *out, struct err *e);
#define ENTRA_JOB_CLIENT "00000000-0000-4000-8000-000000000a51" // the managed identity of jobs and servers
struct str entra_object_id(struct arena *a, struct str client_id); // the same for the same

// An HMAC under the pocket's own key, hex; .p NULL without memory or key.
struct str entra_mac(struct pocket *p, struct arena *a, struct str text, struct err *e);
MUST_CHECK int entra_make_token(struct pocket *p, struct arena *a, const struct entra_app *app, struct str audience,
	struct str *out, struct err *e);
enum entra_token_state { ENTRA_TOKEN_GOOD, ENTRA_TOKEN_EXPIRED, ENTRA_TOKEN_INVALID };
enum entra_token_state entra_read_token(struct pocket *p, struct arena *a, struct str token, const json_t **claims);
int64_t entra_now_s(const struct pocket *p);
// "https://management.azure.com/.default" and "https://management.core.windows.net//.default" as audience; "" for none.
struct str entra_audience_of(struct str scope);

#endif
