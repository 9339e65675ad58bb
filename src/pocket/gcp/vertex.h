// SPDX-License-Identifier: Apache-2.0
// Vertex AI (custom jobs, models, endpoints, operations) and Cloud Logging (entries:list) of a pocket Google Cloud, over
// real processes (vertex_impl.h says what they cover). Loop thread only.
#ifndef ISOBAR_POCKET_GCP_VERTEX_H
#define ISOBAR_POCKET_GCP_VERTEX_H

#include "pocket/service.h"

extern const struct pocket_service vertex_service, logging_service;

#endif
