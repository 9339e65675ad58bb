// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of Google Cloud: jobs. See calls.h.
#ifndef ISOBAR_CLOUD_GCP_CALLS_JOBS_IMPL_H
#define ISOBAR_CLOUD_GCP_CALLS_JOBS_IMPL_H

// clang-format off
#define GCP_JOB_ROWS(X)
// clang-format on

#endif
