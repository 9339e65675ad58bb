// SPDX-License-Identifier: Apache-2.0
// Endpoints of Azure: managed online endpoints of Azure Machine Learning. A generation is a deployment, whose container
// is this very program with the model's address in its environment (cloud/endpoint_package.h); an update makes the
// deployment of the new generation, shifts the traffic when it has succeeded, and then deletes the old one, so that the
// endpoint answers all the while. Going back is the same with the older generation; where its deployment is still there,
// only the traffic is shifted. Deployments take minutes: ensure begins what comes next and waits a few seconds at most,
// observe says how far it is, and ensure called again goes on. Invoked with the endpoint's key (listKeys).
// Names are unique in a region, and follow from subscription, workspaces and endpoint.
// Source: "Azure Machine Learning REST API: Online Endpoints, Online Deployments" (Microsoft).
#ifndef ISOBAR_CLOUD_AZURE_ENDPOINTS_H
#define ISOBAR_CLOUD_AZURE_ENDPOINTS_H

#include "cloud/azure/services.h"

extern const struct endpoint_ops azure_endpoint_ops; // ctx: struct azure_services

#endif
