// SPDX-License-Identifier: Apache-2.0
// `isobar image`: a folder as an OCI image, without Docker and without a server.
#ifndef ISOBAR_MODELS_IMAGE_COMMAND_H
#define ISOBAR_MODELS_IMAGE_COMMAND_H

#include "base/options.h"

extern const struct command image_command;

#endif
