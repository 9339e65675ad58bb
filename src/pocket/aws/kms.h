// SPDX-License-Identifier: Apache-2.0
// KMS and Secrets Manager of a pocket AWS (kms_impl.h says what they cover). Their keys and secrets lie in the pocket's
// documents (mode 0600); secrets are sealed with a key of the pocket's own. Loop thread only.
#ifndef ISOBAR_POCKET_AWS_KMS_H
#define ISOBAR_POCKET_AWS_KMS_H

#include "pocket/service.h"

extern const struct pocket_service aws_kms_service, aws_secrets_service;

#endif
