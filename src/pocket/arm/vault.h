// SPDX-License-Identifier: Apache-2.0
// Key Vault of a pocket Azure (vault_impl.h says what it covers). Its keys and secrets lie in the pocket's documents (mode
// 0600); secrets are sealed with a key of the pocket's own. Loop thread only.
#ifndef ISOBAR_POCKET_ARM_VAULT_H
#define ISOBAR_POCKET_ARM_VAULT_H

#include "pocket/service.h"

extern const struct pocket_service azure_vault_service;

#endif
