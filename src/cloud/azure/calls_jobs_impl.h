// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Azure: jobs. See calls.h.
#ifndef ISOBAR_CLOUD_AZURE_CALLS_JOBS_IMPL_H
#define ISOBAR_CLOUD_AZURE_CALLS_JOBS_IMPL_H

// clang-format off
#define AZURE_JOB_ROWS(X)
// clang-format on

#endif
