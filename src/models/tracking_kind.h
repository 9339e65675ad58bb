// SPDX-License-Identifier: Apache-2.0
// tracking: the MLflow server that runs and model versions are also told to, or that they come from. One map at the top of
// the workspace, tracking/workspace. Declared and recorded in this release; a later one talks to it.
#ifndef ISOBAR_MODELS_TRACKING_KIND_H
#define ISOBAR_MODELS_TRACKING_KIND_H

#include "base/kind.h"
#include "state/resource.h"

struct tracking {
	struct str mlflow;      // URL
	struct str mode;        // "mirror" | "import" | "replace"
	struct str credentials; // "secret/NAME"; empty: none
};
extern const struct kind tracking_kind;
extern const struct resource_handler tracking_handler;

#endif
