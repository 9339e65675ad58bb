// SPDX-License-Identifier: Apache-2.0
// The processes of a workspace that outlive a command: gateways (by STATE-FOLDER/gateways/NAME/announce.json) and the
// replicas of endpoints (as each cloud's engine reports them). For `status`, and for `down`, which ends them; records
// and data stay, so that the next start brings the same things up again.
#ifndef ISOBAR_INFRA_PROCESSES_H
#define ISOBAR_INFRA_PROCESSES_H

#include "cloud/cloud.h"

// [{name, url, admin_url, pid, up}]: every gateway that ever announced itself. New reference.
MUST_CHECK int processes_gateways(struct call *c, struct str state_folder, json_t **out);
// SIGTERM, time to drain, SIGKILL.
MUST_CHECK int processes_stop_gateways(struct call *c, struct str state_folder);
// Ends the replicas of all endpoints. A cloud that offers no endpoints, or whose engine does not answer, is passed
// over.
MUST_CHECK int processes_stop_endpoints(struct call *c, const struct clouds *clouds);

#endif
