// SPDX-License-Identifier: Apache-2.0
// A service of a pocket cloud besides its object API: SageMaker, Vertex AI, a key service. Each provider has a table of
// them, which is asked before the object API; the first that says a request is its own gets it. A service is a table of
// functions with a state of its own, made when the pocket starts (after its credentials, its engine and its documents,
// so that it can find again what was at work) and let go when it ends. While one of its requests runs, r->service_state
// is that state. Loop thread only.
#ifndef ISOBAR_POCKET_SERVICE_H
#define ISOBAR_POCKET_SERVICE_H

#include "base/json.h"
#include "pocket/front.h"

enum { SERVICES_MAX = 32, SERVICE_TICK_MS = 20 };

struct pocket_service {
	const char *name; // "sagemaker"
	// Whether a request is this service's. The head is read: path, r->query, r->sign, and r->signed_for (the
	// service in the scope of a SigV4 signature, empty without one).
	bool (*matches)(const struct front_request *r);
	void (*handle)(struct front_request *r); // as struct front's, with r->own unset
	void (*fail)(struct front_request *r);   // answers r->err in the form of this service; r->own may be unset
	void (*trouble)(struct front_request *r, bool throttled);         // answers "slow down" or "internal error"
	int (*open)(struct pocket *p, void **state, struct err *e);       // NULL: no state
	void (*close)(void *state);                                       // NULL: nothing to let go
	// Goes on with what takes time. Called about SERVICE_TICK_MS after a request of any service, after the start
	// and after service_wake(), and then every SERVICE_TICK_MS as long as it says true: there is more to come.
	bool (*tick)(void *state, int64_t now_ns); // on the monotonic clock; NULL: nothing takes time
};

// The tables, NULL-ended: src/pocket/{aws,gcp,arm}/services.c.
extern const struct pocket_service *const aws_services[], *const gcp_services[], *const azure_services[];

MUST_CHECK int services_open(struct pocket *p, struct err *e);
void services_close(struct pocket *p);
void service_wake(struct pocket *p); // something happened that ticks should look at
// A time of the provider (the notice before an interruption, how long an operation takes) as this pocket plays it:
// shorter by its --pace.
int64_t service_pace_ns(const struct pocket *p, int64_t provider_ns);

// Sets r->service when one takes the request.
void service_pick(struct front_request *r);
void *service_state(const struct pocket *p, const struct pocket_service *s); // of another service; NULL: not open
// Answers with JSON (compact); takes over the reference. A content type that was added before stays.
void service_reply_json(struct front_request *r, int status, json_t *j);

#endif
