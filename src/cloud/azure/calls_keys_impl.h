// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Azure: keys. See calls.h.
#ifndef ISOBAR_CLOUD_AZURE_CALLS_KEYS_IMPL_H
#define ISOBAR_CLOUD_AZURE_CALLS_KEYS_IMPL_H

// clang-format off
#define AZURE_KEY_ROWS(X)
// clang-format on

#endif
