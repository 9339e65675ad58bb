// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Azure: secrets. See calls.h.
#ifndef ISOBAR_CLOUD_AZURE_CALLS_SECRETS_IMPL_H
#define ISOBAR_CLOUD_AZURE_CALLS_SECRETS_IMPL_H

// clang-format off
#define AZURE_SECRET_ROWS(X)
// clang-format on

#endif
