// SPDX-License-Identifier: Apache-2.0
// Rows of the table of calls of AWS: jobs. See calls.h.
#ifndef ISOBAR_CLOUD_AWS_CALLS_JOBS_IMPL_H
#define ISOBAR_CLOUD_AWS_CALLS_JOBS_IMPL_H

// clang-format off
#define AWS_JOB_ROWS(X)
// clang-format on

#endif
