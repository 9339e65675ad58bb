// SPDX-License-Identifier: Apache-2.0
// `isobar serve`: the model server as a process. It knows no cloud and holds no credential: its model lies in a folder, it listens, and
// says where in an announce file. SIGTERM drains it.
#ifndef ISOBAR_SERVE_SERVE_H
#define ISOBAR_SERVE_SERVE_H

#include "base/options.h"

extern const struct command serve_command;

#endif
