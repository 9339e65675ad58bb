// SPDX-License-Identifier: Apache-2.0
// The clouds of a workspace in its environment, open. With `pocket: true` every cloud is played by a pocket cloud of
// its provider on this machine (a site by one that speaks S3); they are found or started in parallel. Otherwise they
// are the real accounts that the operator's file and the provider's ordinary environment give credentials for
// (infra/accounts.h). What is declared (or recorded) as cloud and
// bucket resources says which clouds there are and which buckets are encrypted. An open environment is owned by whoever
// opened it; its clouds may be used by any thread.
#ifndef ISOBAR_INFRA_CLOUDS_ENV_H
#define ISOBAR_INFRA_CLOUDS_ENV_H

#include "cloud/cloud.h"
#include "cloud/config.h"
#include "infra/pocket_cloud.h"
#include "security/operator.h"
#include "state/resource.h"

struct clouds_env_options {
	struct str state_folder; // of the environment: FOLDER/.isobar as a rule
	struct str workspace;    // its name
	bool pocket;
	const struct operator_file *op; // of real accounts; NULL in a pocket environment
	bool revive; // start also pocket clouds that ran before and are down; else these are opened at their last
		     // address
	bool brief;  // to end them: one that is silent is not waited for
	const struct resource *resources; // kinds cloud and bucket are read; the first of an address counts
	size_t resource_count;
};

struct clouds_env;
// pocket_cloud_ensure's errors, account_find's, cloud_open's.
MUST_CHECK int clouds_env_open(struct call *c, const struct clouds_env_options *options, struct clouds_env **out);
const struct clouds *clouds_env_clouds(const struct clouds_env *env);
// What one of them was opened with, credentials and all; its texts live as long as the call that opened it. NULL: none.
const struct cloud_config *clouds_env_config(const struct clouds_env *env, struct str cloud);
size_t clouds_env_started(const struct clouds_env *env); // pocket clouds that opening it started
// Ends the pocket clouds that opening it started. Leaves c's error as it was.
void clouds_env_stop_started(struct call *c, struct clouds_env *env);
void clouds_env_close(struct clouds_env *env); // leaves the pocket clouds alone; NULL is allowed
#define AUTO_TYPE_clouds_env struct clouds_env *
static inline void clouds_env_autofree(struct clouds_env **env)
{
	clouds_env_close(*env);
}

// Ends all pocket clouds below the folder, whoever started them.
MUST_CHECK int pocket_clouds_stop_all(struct call *c, struct str state_folder);

#endif
