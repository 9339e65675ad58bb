// SPDX-License-Identifier: Apache-2.0
// Private to init: what looking gathers.
#ifndef ISOBAR_INFRA_INIT_IMPL_H
#define ISOBAR_INFRA_INIT_IMPL_H

#include "base/buf.h"
#include "infra/init.h"

struct init_cloud { // one region of one account
	struct str name, provider, region;
	struct str who, account;
	size_t buckets;
};
struct init {
	struct call *c;
	const struct init_request *r;
	struct init_cloud *clouds;
	size_t cloud_count, cloud_room;
	struct buf buckets; // lines of YAML
	struct str *names;  // keys of buckets that are taken
	size_t name_count, name_room;
	json_t *unseen;
};

void init_note(struct init *x, const char *format, ...) PRINTF_LIKE(2, 3); // into unseen
// c->err as a text, cleared; ERR_CANCELLED and the like come back.
int init_take_error(struct init *x, int rc, struct str *why);
int init_look_store(struct init *x, struct str provider); // all accounts of a provider
int init_look_kubernetes(struct init *x);
int init_look_slurm(struct init *x);
// Text of others for one line of a file: without control characters, at most 200 bytes.
struct str init_shown(struct init *x, struct str text);
struct str init_key(struct init *x, struct str name); // a name of the language that no other bucket has

#endif
