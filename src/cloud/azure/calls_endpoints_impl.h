// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Azure: endpoints. See calls.h.
#ifndef ISOBAR_CLOUD_AZURE_CALLS_ENDPOINTS_IMPL_H
#define ISOBAR_CLOUD_AZURE_CALLS_ENDPOINTS_IMPL_H

// clang-format off
#define AZURE_ENDPOINT_ROWS(X)
// clang-format on

#endif
