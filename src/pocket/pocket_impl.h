// SPDX-License-Identifier: Apache-2.0
// Inside of a running pocket cloud, for the front ends.
#ifndef ISOBAR_POCKET_POCKET_IMPL_H
#define ISOBAR_POCKET_POCKET_IMPL_H

#include "base/json.h"
#include "net/http_server.h"
#include "pocket/docs.h"
#include "pocket/faults.h"
#include "pocket/front.h"
#include "pocket/pocket.h"
#include "pocket/service.h"

enum { ADMIN_TOKEN_SIZE = 65 }; // 256 bits as hex

struct engine;

struct pocket {
	const struct front *front;
	struct objects *store;
	void *keys; // of the front
	struct docs *docs;
	struct engine *engine;
	void *service_states[SERVICES_MAX]; // beside the front's table of services
	size_t service_count;               // of them that are open
	struct loop_timer service_timer;
	struct {
		int64_t grace_ns;
		void (*stopped)(void *ctx);
		void *ctx;
	} drain;
	int64_t pace; // the provider's waiting times are divided by it
	struct http_server *server;
	struct tls *tls;
	const struct edges *edges;
	struct loop *loop;
	char *root, *name;
	char *url; // where clients go
	uint64_t requests;
	struct faults *faults;       // NULL: none
	uint64_t faults_changed;     // how often: what a partition holds looks at it
	char admin_token[ADMIN_TOKEN_SIZE];
	int64_t tokens_ended_ns;     // wall clock: tokens issued until then have expired (the fault "expire"); 0: none
};

// A JSON file in the pocket's folder. ERR_NOT_FOUND when absent.
MUST_CHECK int pocket_read_json(const struct pocket *p, const char *file, json_t **out, struct err *e);
MUST_CHECK int pocket_write_json(
	const struct pocket *p, const char *file, const json_t *j, struct err *e); // 0600, atomic
// credentials.json; made by `make` when it is not there.
MUST_CHECK int pocket_credentials(
	struct pocket *p, int (*make)(struct pocket *p, struct err *e), json_t **out, struct err *e);
// The pocket's name with nothing but a-z, 0-9 (and '-' where dash is set), at most `most` bytes, never empty.
void pocket_plain_name(const struct pocket *p, bool dash, size_t most, struct buf *out);
MUST_CHECK int pocket_random(const struct pocket *p, void *out, size_t n, struct err *e);

extern const struct front s3_front, azure_front, gcs_front;

#endif
