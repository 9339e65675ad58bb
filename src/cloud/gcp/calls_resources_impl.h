// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Google Cloud: resources. See calls.h.
#ifndef ISOBAR_CLOUD_GCP_CALLS_RESOURCES_IMPL_H
#define ISOBAR_CLOUD_GCP_CALLS_RESOURCES_IMPL_H

// clang-format off
#define GCP_RESOURCE_ROWS(X)
// clang-format on

#endif
