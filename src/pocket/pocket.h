// SPDX-License-Identifier: Apache-2.0
// A pocket cloud: one process that is S3, Cloud Storage or Blob Storage over a folder. It checks the provider's own
// signatures and answers with the provider's own errors, so that the official SDKs work with only the endpoint changed.
//
// Below its root: credentials.json (0600; what a client needs), keys.json (0600; what the pocket checks by), port (the
// last one, tried first), and the object store. A port asked for by number that is in use is ERR_IN_USE. Addresses
// other than loopback are refused unless TLS and `remote` are both given. One loop owns a pocket and all in it. Errors:
// ERR_INVALID, ERR_IN_USE (the root), ERR_IO, ERR_NO_SPACE.
#ifndef ISOBAR_POCKET_POCKET_H
#define ISOBAR_POCKET_POCKET_H

#include "base/edges.h"
#include "base/options.h"
#include "net/loop.h"

enum { POCKET_PACE = 60 }; // a minute of the provider takes a second

struct pocket_config {
	const char *as;   // "aws" | "gcp" | "azure"
	const char *name; // of the cloud: makes account and project names
	const char *root;
	struct str listen;             // "127.0.0.1:0"
	const char *certificate, *key; // PEM files; NULL: plain http
	bool remote;                   // other addresses than loopback are meant
	const char *faults;            // rules of faults.h, or a file of them; NULL: those in the root's file "faults"
	int64_t pace;                  // the provider's waiting times are divided by it; 0: POCKET_PACE
	struct loop *loop;
	const struct edges *edges;
};

struct pocket;
MUST_CHECK int pocket_start(const struct pocket_config *config, struct pocket **out, struct err *e);
const char *pocket_url(const struct pocket *p); // "http://127.0.0.1:41234", azure "http://127.0.0.1:41234/ACCOUNT"
// Ends gracefully: running requests get grace_ns, then the jobs and servers of its engine, then stopped() is called from the loop.
void pocket_drain(struct pocket *p, int64_t grace_ns, void (*stopped)(void *ctx), void *ctx);
void pocket_free(struct pocket *p); // NULL is allowed

extern const struct command pocket_faults_command; // isobar pocket faults
extern const struct command pocket_command; // isobar pocket
extern const struct command pocket_run_command; // isobar pocket run
extern const struct command pocket_end_command; // isobar pocket end

#endif
