// SPDX-License-Identifier: Apache-2.0
// All that opening a cloud needs to know, in one value that also travels as JSON: main.c builds it from the revision
// and the operator's file, the local engine writes it beside a job (mode 0600: it holds credentials) so that the job's
// worker opens the same cloud. A config borrows all of its text; cloud_config_of_json copies into the arena. Pure.
#ifndef ISOBAR_CLOUD_CONFIG_H
#define ISOBAR_CLOUD_CONFIG_H

#include "base/json.h"
#include "net/proxy.h"

struct cloud_sealed {      // a bucket whose objects the driver encrypts
	struct str bucket; // physical name: "fashion-lake"
	struct str key;    // encryption key: "lake"
};

struct cloud_config {
	struct str name;      // "aws-us"
	struct str provider;  // "aws", "gcp", "azure", "site"
	struct str region;    // "us-east-1"; of a site: what its store's signatures are made for; "": unknown (gcp, azure)
	struct str location;  // ISO country of a site; "": by the region table
	struct str law;       // of a site: whose law binds its operator; "": by the provider table
	struct str store_url; // base URL of the object store: "http://127.0.0.1:4000"; "": the provider's own of this
			      // region
	struct str identity_url; // base URL of the service that says who we are; "": the provider's own, or with a
				 // store_url the same server's
	struct str services_url; // one address that answers for all services (a pocket cloud, moto); "": the
				 // provider's own, a host a service
	struct str vault_url;    // azure: of the Key Vault; "": services_url's, else there is none
	struct str account;      // aws: number of the account; "": unknown
	struct str project;      // gcp; "": as the credentials say
	struct str subscription, resource_group, ml_workspace; // azure
	struct str job_role; // what jobs and endpoints run as: a role's ARN, a service account, a managed identity
	struct str image;    // container image of jobs and endpoints: this program
	struct str jobs_engine, endpoints_engine, keys_engine; // "local", ...; "": the provider's own where the config
							       // has services_url or a real account, else local
	// Static, or {"chain": true, ...}: where the provider's own tools look for them. See aws/credentials.h,
	// gcp/credentials.h, azure/credentials.h. Borrowed.
	const json_t *credentials;
	bool secrets; // the secret store is wanted, whatever runs the other parts; not in the JSON
	struct str ca_file;          // PEM file of the only CAs that may sign store_url's certificate; "": the system's
	struct str trust_file;       // PEM file of CAs beside the system's, where ca_file is ""; "": none
	struct proxy_settings proxy; // as opening the cloud has to use them: whoever fills this reads the environment
	struct str
		local_root; // folder of the local engine, ".isobar/local/aws-us" as absolute path; "": no local parts
	struct str workspace;
	struct cloud_sealed *sealed;
	size_t sealed_count;
	struct str *hosts; // "HOST:PORT" that calls may go to besides store_url's; usually none
	size_t host_count;
};

// Unknown members are refused, so that a file of a newer release is not half understood. ERR_INVALID names the member.
MUST_CHECK int cloud_config_of_json(const json_t *j, struct arena *a, struct cloud_config *out, struct err *e);
// The texts alone, copied: no credentials, lists or proxy. ERR_NO_MEMORY.
MUST_CHECK int cloud_config_copy_texts(
	const struct cloud_config *from, struct arena *a, struct cloud_config *out, struct err *e);
json_t *cloud_config_to_json(
	const struct cloud_config *config); // new reference with secrets in it; NULL without memory

#endif
