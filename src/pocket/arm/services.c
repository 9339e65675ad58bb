// SPDX-License-Identifier: Apache-2.0
// The services that a pocket Azure has besides its object store. The first that says a request is its own gets it.
#include "pocket/arm/vault.h"
#include "pocket/service.h"

const struct pocket_service *const azure_services[] = {
	&azure_vault_service,
	NULL,
};
