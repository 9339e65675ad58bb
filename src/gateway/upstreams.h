// SPDX-License-Identifier: Apache-2.0
// With what the gateway asks endpoints that live in providers' services: the file upstreams.json (mode 0600) beside its
// configuration, which the control plane writes and renews (upstream_renewal.h), as one value: read whole, checked
// whole, swapped whole. The credentials in it may only invoke, and live shortly; the gateway has no others. Requests
// hold the value that they were signed with until they end. Loop thread only: an entry keeps its signing key of the day.
// ERR_DENIED when others may read the file, ERR_INVALID and ERR_CORRUPT name the member that is wrong; a file that is
// not there has no entries.
//
// {"credentials": [{"cloud", "endpoint", "service": "sagemaker|vertex|azureml", "secret", "access_key"?, "region"?,
//                   "session"?, "expires"?}]}
#ifndef ISOBAR_GATEWAY_UPSTREAMS_H
#define ISOBAR_GATEWAY_UPSTREAMS_H

#include "base/arena.h"
#include "base/json.h"
#include "base/secret.h"
#include "cloud/sign/sigv4.h"

enum { UPSTREAMS_MAX_BYTES = 4 << 20, UPSTREAMS_MAX = 4096 };
#define UPSTREAMS_FILE "upstreams.json"

enum upstream_service { UPSTREAM_OPEN, UPSTREAM_SAGEMAKER, UPSTREAM_VERTEX, UPSTREAM_AZUREML };
bool upstream_service_of(struct str word, enum upstream_service *out); // "" is open; false: unknown
const char *upstream_service_word(enum upstream_service service);

struct upstream {
	struct str cloud, endpoint;
	enum upstream_service service;
	struct str access_key, region; // UPSTREAM_SAGEMAKER
	struct secret secret, session; // the secret access key and its session token; of others empty
	struct secret bearer;          // "Bearer TOKEN", ready to send; of UPSTREAM_SAGEMAKER empty
	int64_t expires_ns;            // wall clock; 0: does not expire
	struct sigv4_key key;          // of the day it was last used on
};
struct upstreams {
	size_t users;
	struct arena arena;
	struct upstream *items;
	size_t count;
};
MUST_CHECK int upstreams_of_json(const json_t *json, struct upstreams **out, struct err *e); // one user
MUST_CHECK int upstreams_load(const char *path, struct upstreams **out, struct err *e);
struct upstreams *upstreams_hold(struct upstreams *u);
void upstreams_release(struct upstreams *u); // the last user wipes and frees it; NULL is allowed

struct upstream *upstreams_find(struct upstreams *u, struct str cloud, struct str endpoint); // NULL: none; u may be NULL

#endif
