// SPDX-License-Identifier: Apache-2.0
// The services that a pocket Azure has besides its object store. The first that says a request is its own gets it.
#include "pocket/arm/arm_impl.h"
#include "pocket/arm/entra.h"
#include "pocket/arm/vault.h"

const struct pocket_service *const azure_services[] = {
	&azure_vault_service,
	&entra_service,
	&arm_service,
	&ml_score_service,
	NULL,
};
