// SPDX-License-Identifier: Apache-2.0
// Pocket clouds as processes of this machine: found running by their announcement, or started (`isobar pocket`) in a
// session of their own, so that they outlive the command that started them, as a cloud would. Below
// FOLDER/.isobar/pocket/CLOUD: announce.json, credentials.json (0600), log. Thread-safe for different clouds; two
// processes that start the same cloud at once agree on one.
#ifndef ISOBAR_INFRA_POCKET_CLOUD_H
#define ISOBAR_INFRA_POCKET_CLOUD_H

#include "base/call.h"
#include "base/json.h"
#include "base/process.h"

struct pocket_cloud {
	struct str name, provider, root;
	struct str url;      // "http://127.0.0.1:PORT", azure with /ACCOUNT
	json_t *credentials; // in the arena of the call that found it
	struct process process;
	bool started; // by this call
};

// Fills url, credentials and process of a cloud whose name, provider and root are set; starts it when it does not
// run, and waits while it lives. ERR_UNAVAILABLE when it runs and stays silent; ERR_TIMEOUT, ERR_FAILED with the end of
// its log.
MUST_CHECK int pocket_cloud_ensure(struct call *c, struct pocket_cloud *p);
// The same without starting: ERR_UNAVAILABLE when it does not run; its last url and credentials are filled even then,
// when it ever ran.
MUST_CHECK int pocket_cloud_find(struct call *c, struct pocket_cloud *p);
// The same, but one that runs has some seconds to answer: the machine may be busy. ERR_UNAVAILABLE.
MUST_CHECK int pocket_cloud_await(struct call *c, struct pocket_cloud *p);
// Ends its process (SIGTERM, then SIGKILL); 0 when it does not run.
MUST_CHECK int pocket_cloud_stop(struct call *c, struct pocket_cloud *p);
// Several side by side: they share one grace, so that it takes as long as the slowest.
MUST_CHECK int pocket_clouds_stop(struct call *c, struct pocket_cloud *all, size_t count);

#endif
