// SPDX-License-Identifier: Apache-2.0
// How a cloud on a real account is opened: what the workspace declares of it, the credentials and addresses of the
// operator's file or the provider's ordinary environment (security/account.h), the proxies and CAs of this machine.
// Results live in the call's arena, or are borrowed from the operator's file. Only account_confirm() makes a call.
#ifndef ISOBAR_INFRA_ACCOUNTS_H
#define ISOBAR_INFRA_ACCOUNTS_H

#include "cloud/cloud.h"
#include "cloud/config.h"
#include "security/account.h"
#include "state/resource.h"

// Fills name, provider, region, addresses, credentials, CAs, proxies and hosts; what belongs to a workspace (encrypted
// buckets, the local engine's folder) is the caller's. account_find's errors.
MUST_CHECK int account_config(struct call *c, const struct operator_file *op, const struct account_request *request,
	struct cloud_config *out, struct account *account);
// The same from a cloud as a workspace declares it: its resource's resolved inputs.
MUST_CHECK int account_config_of_resource(
	struct call *c, const struct operator_file *op, const struct resource *cloud, struct cloud_config *out);
// Asks the provider whose credentials an open cloud has, where the workspace says whose they must be and nothing that
// was known without a call has said so already: the first call that is made. ERR_DENIED names both.
MUST_CHECK int account_confirm(struct call *c, const struct resource *declared, const struct cloud *cloud);
void account_request_of_resource(const struct resource *cloud, struct account_request *out); // texts borrowed

#endif
