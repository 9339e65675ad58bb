// SPDX-License-Identifier: Apache-2.0
// Principals: who acts. "user/root", "group/ml", "api-key/shop-app", "monitor/cloud-lost", "gateway/edge",
// "reconciler/deploy", "schedule/..", or "system". Every act has one; texts from outside become one only through here.
// Pure.
#ifndef ISOBAR_SECURITY_PRINCIPAL_H
#define ISOBAR_SECURITY_PRINCIPAL_H

#include "base/arena.h"
#include "base/err.h"

enum { PRINCIPAL_MAX = 200 };

// "KIND/NAME" with a known kind and a name of letters, digits and -_.@+ ; or "system". ERR_INVALID says what is wrong.
MUST_CHECK int principal_parse(struct str text, struct str *kind, struct str *name, struct err *e);
// "user/NAME" of the process' user, in a; "user/uid-1234" when the system does not know its name.
struct str principal_of_process(struct arena *a);
struct str principal_make(struct arena *a, struct str kind, struct str name); // "" when not a valid principal

#endif
