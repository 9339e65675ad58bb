// SPDX-License-Identifier: Apache-2.0
// The operator's file: what belongs to whoever runs Isobar and not to the workspace. It names where secrets come from
// and to which hosts each may go, credentials and endpoints of clouds, private CAs, a proxy, and the folders that
// `file:` paths may lead to. A workspace only names secrets, so that one of an untrusted branch can be planned without
// any. The file holds no secret itself; whoever could write to it could send them anywhere, so that it must belong to
// us or to root and be writable by nobody else. Decoded by the table of operator_kind; errors say file:line:column.
//
// A loaded file is owned and immutable: thread-safe. Secrets are read from their source at each use and handed out as
// struct secret.
#ifndef ISOBAR_SECURITY_OPERATOR_H
#define ISOBAR_SECURITY_OPERATOR_H

#include "base/call.h"
#include "base/kind.h"
#include "base/secret.h"
#include "security/secret_source.h"

struct operator_secret {         // one of secrets:
	struct str name;         // "pagerduty"; a workspace writes secret/pagerduty
	struct str from;         // "env:NAME", "file:/PATH", "keyring:NAME", "cloud:CLOUD/NAME"
	struct field_list hosts; // struct str: "HOST", "HOST:PORT", "HOST:*", "*.DOMAIN:PORT"; without a port 443
};
struct operator_credentials {               // of one cloud; what is not written comes from the environment
	bool written;                       // the block was there
	struct str profile;                 // aws: a section of ~/.aws/credentials and ~/.aws/config
	struct str access_key_id;           // aws, and site with S3
	struct field_ref secret_access_key; // aws: secret/NAME
	struct field_ref session_token;     // aws: secret/NAME; may be absent
	struct str file;                    // gcp: path of a service-account file
	struct field_ref service_account;   // gcp: secret/NAME that holds such a file
	struct str storage_account;         // azure: name of the storage account
	struct field_ref storage_key;       // azure: secret/NAME, in base64
};
struct operator_endpoints { // addresses instead of the provider's own; "": the provider's
	struct str store;
	struct str identity;
	struct str services; // one address that answers for all services beside the store
	struct str vault;    // azure: of the Key Vault
};
struct operator_cloud {      // one of clouds:
	struct str name;     // of the workspace's cloud; "s3", "gs", "az": for `isobar data` without a workspace
	struct str provider; // only needed where no workspace says it
	struct str region;
	struct str account; // that the credentials belong to: account, project or subscription
	struct operator_credentials credentials;
	struct operator_endpoints endpoints;
	struct str ca;           // PEM file; "": the file's own, then the system's
	struct field_list hosts; // struct str: further hosts that these credentials may be sent to
};
struct operator_proxy { // "" and none: as HTTPS_PROXY, HTTP_PROXY and NO_PROXY say
	bool written;
	struct str https, http; // URLs
	struct field_list no;   // struct str, as in NO_PROXY
};
struct operator_file {
	struct arena arena; // of everything below; the struct's own
	struct str path;    // of the file, absolute; "": there is none
	struct str folder;  // of the operator's configuration, where keyring/ lies
	int64_t isobar;
	struct field_list secrets; // struct operator_secret
	struct field_list clouds;  // struct operator_cloud
	struct field_list roots;   // struct str: absolute folders
	struct str ca;             // PEM file of CAs trusted beside the system's; "": none
	struct operator_proxy proxy;
	struct secret_clouds clouds_read; // of sources "cloud:CLOUD/NAME": filled after loading, by infra/secret_clouds.h
};
extern const struct kind operator_kind; // a table of the whole file, for explain and the manual: no plural

// option: --operator, or NULL. Then ISOBAR_OPERATOR, then $XDG_CONFIG_HOME/isobar/operator.yaml (~/.config without
// it); only the last may be absent, which gives a file that says nothing. ERR_NOT_FOUND, ERR_DENIED (others may write
// to it), ERR_INVALID with the first finding's place.
MUST_CHECK int operator_load(struct call *c, const char *option, struct operator_file **out);
void operator_free(struct operator_file *op); // NULL is allowed
#define AUTO_TYPE_operator_file struct operator_file *
static inline void operator_file_autofree(struct operator_file **op)
{
	operator_free(*op);
}

const struct operator_cloud *operator_cloud_find(const struct operator_file *op, struct str name); // NULL: none
// Whether an absolute path without "." and ".." lies below one of the roots.
bool operator_allows_path(const struct operator_file *op, struct str path);

// Reads the secret `name` (a leading "secret/" is passed over) for sending it to host, "HOST:PORT". *out is the
// caller's to secret_free. ERR_NOT_FOUND: the file has no such secret, or its source is empty; ERR_DENIED: the file
// does not list this host for it, or its source may be read by others; ERR_UNSUPPORTED: a cloud's secret store.
MUST_CHECK int operator_secret_read(
	struct call *c, const struct operator_file *op, struct str name, struct str host, struct secret *out);
// The same judgement without reading: 0, ERR_NOT_FOUND or ERR_DENIED.
MUST_CHECK int operator_secret_allow(const struct operator_file *op, struct str name, struct str host, struct err *e);

// Whether a list of hosts as above covers host. Malformed ones cover nothing.
bool operator_hosts_cover(const struct field_list *hosts, struct str host);

#endif
