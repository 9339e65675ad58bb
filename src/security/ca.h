// SPDX-License-Identifier: Apache-2.0
// The workspace's own certificate authority: EC P-256, one self-signed root (path length 0) and leaf certificates for
// gateways. Keys stay in files of mode 0600 and in secrets. struct ca is owned and may be used by one thread at a time.
#ifndef ISOBAR_SECURITY_CA_H
#define ISOBAR_SECURITY_CA_H

#include "base/call.h"
#include "base/secret.h"

struct ca;
// Opens the pair, or makes it when neither file exists. ERR_CORRUPT: only one exists, or they do not belong together.
// ERR_DENIED: others may read the key. A root that ends within 30 days is reported as ERR_FAILED with what to do.
MUST_CHECK int ca_open(struct call *c, const char *certificate_path, const char *key_path, struct ca **out);
void ca_close(struct ca *ca); // NULL is allowed
#define AUTO_TYPE_ca struct ca *
static inline void ca_autofree(struct ca **ca)
{
	ca_close(*ca);
}

struct ca_request {
	struct str name; // common name: "gateway edge"
	const struct str
		*hosts; // DNS names and IP addresses beside localhost, 127.0.0.1 and ::1, which every leaf gets
	size_t host_count;
	int64_t valid_ns; // 0: 90 days; never longer than the root
};
// A server certificate and its fresh key, PEM. *certificate lives in c->arena: the leaf, then the root.
MUST_CHECK int ca_issue(
	struct call *c, struct ca *ca, const struct ca_request *r, struct str *certificate, struct secret *key);
// The same into files, the key 0600; kept when the pair there is ours, matches the hosts and is valid for 30 more days.
struct ca_files {
	const char *certificate, *key;
};
MUST_CHECK int ca_issue_files(struct call *c, struct ca *ca, const struct ca_request *r, const struct ca_files *files);

#endif
