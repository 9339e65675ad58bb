// SPDX-License-Identifier: Apache-2.0
// Microsoft Entra ID of a pocket Azure: tokens, and who they say somebody is. The token endpoint /TENANT/oauth2/v2.0/token
// takes client credentials (a secret); jobs and servers of the pocket's Azure ML have a managed identity, whose endpoint
// stands in their environment and answers while they run. The app of credentials.json may all; others stand in
// ROOT/apps.json: [{"client_id", "client_secret", "name", "actions": ["*/read"], "not_actions"}], with the actions and data
// actions of Azure's roles. Tokens are JWTs for one audience, signed with a key of the pocket's own, and end after an hour.
// Source: "OAuth 2.0 client credentials flow", "How to use managed identities with App Service" (Microsoft). Loop thread
// only.
#ifndef ISOBAR_POCKET_ARM_ENTRA_H
#define ISOBAR_POCKET_ARM_ENTRA_H

#include "pocket/service.h"

enum { ENTRA_TOKEN_LIFE_S = 3600 };
struct entra_caller { // in the request's arena
	struct str name, client_id, object_id;
	json_t *actions, *not_actions; // arrays of patterns; borrowed
};
// The bearer token of a request, for one of the audiences ("https://management.azure.com", ...; NULL-ended). Else sets
// r->err, with AuthenticationFailed, InvalidAuthenticationToken, InvalidAuthenticationTokenAudience or
// ExpiredAuthenticationToken as provider code and 401 as status.
MUST_CHECK int entra_authenticate(
	struct front_request *r, const char *const *audiences, struct entra_caller *out);
// Whether its roles allow an action ("Microsoft.Storage/.../blobs/read"); without case, '*' is anything.
bool entra_may(const struct entra_caller *who, const char *action);
bool entra_action_fits(struct str pattern, struct str action);
extern const char *const entra_audience_arm[], *const entra_audience_store[], *const entra_audience_vault[],
	*const entra_audience_ml[];

// Variables by which a process that the engine runs under `id` gets tokens: added to environment. ERR_IO, ERR_NO_MEMORY.
MUST_CHECK int entra_add_identity(struct pocket *p, struct str id, json_t *environment, struct err *e);

extern const struct pocket_service entra_service;

#endif
