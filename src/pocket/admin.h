// SPDX-License-Identifier: Apache-2.0
// A running pocket cloud's own routes, for whoever owns its folder, by a token in the folder's admin.json (0600) and
// from loopback only. /.isobar/status: GET tells who it is, its services, what runs in it and whose rights that has.
// /.isobar/faults: GET tells the rules of faults and how often each fired, PUT sets others
// (the body is their text), DELETE ends them. Rules that were set are kept in the folder's file "faults", so that they
// hold after a restart, too. No bucket can have that name. Loop thread only.
#ifndef ISOBAR_POCKET_ADMIN_H
#define ISOBAR_POCKET_ADMIN_H

#include "pocket/front.h"

#define ADMIN_FAULTS_PATH "/.isobar/faults"
#define ADMIN_STATUS_PATH "/.isobar/status"

// Whether it is for one of them; then it is answered.
bool admin_takes(struct front_request *r);
// At the start: makes the token, writes admin.json {url, token, certificate}. certificate: of the server; NULL: plain.
MUST_CHECK int admin_open(struct pocket *p, const char *certificate, struct err *e);
// The rules to start with: spec (rules, or a file of them) when not NULL, else those that the folder keeps.
MUST_CHECK int admin_load_faults(struct pocket *p, const char *spec, struct err *e);
// Rules, or the contents of the file of that name; in *out.
MUST_CHECK int admin_read_spec(const char *spec, struct buf *out, struct err *e);

#endif
