// SPDX-License-Identifier: Apache-2.0
// `isobar gateway`: the process that clients talk to. It reads snapshot.json (again whenever the file changes), holds
// no administrative credential, and says where it listens in an announce file {"url", "admin_url", "pid"}.
#ifndef ISOBAR_GATEWAY_GATEWAY_H
#define ISOBAR_GATEWAY_GATEWAY_H

#include "base/options.h"

extern const struct command gateway_command;

#endif
