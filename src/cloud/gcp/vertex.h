// SPDX-License-Identifier: Apache-2.0
// What jobs and endpoints of Google Cloud share: Vertex AI's paths and labels, machines, and the waiting for its
// operations. Results live in the call's arena. Thread-safe as gcp/services.h is.
#ifndef ISOBAR_CLOUD_GCP_VERTEX_H
#define ISOBAR_CLOUD_GCP_VERTEX_H

#include "cloud/gcp/services.h"

enum { VERTEX_LABEL_MAX = 63, VERTEX_NAME_MAX = 128, VERTEX_PAGE_SIZE = 100 };

// What must be known before anything is asked for: project, region, service account and image. ERR_INVALID says which.
MUST_CHECK int vertex_check_config(struct call *c, const struct gcp_services *s);
// "/v1/projects/P/locations/L/KIND", and with "/ID" (and ":verb") behind it; .p NULL: no memory.
struct str vertex_path(struct call *c, const struct gcp_services *s, const char *kind);
struct str vertex_path_of(struct call *c, const struct gcp_services *s, const char *kind, struct str id, const char *verb);
struct str vertex_id_of(struct str name); // behind the last '/'
// A text as the value of a label takes it: lower case, [a-z0-9_-], at most 63; longer ones end in a digest.
struct str vertex_label(struct arena *a, struct str text);
// {"isobar-workspace", "isobar-address"}: a new reference.
json_t *vertex_labels(struct arena *a, struct str workspace, struct str address);
// The smallest machine with that many cores and bytes (0: any); the largest there is when none has them.
const char *vertex_machine_for(double cpu, uint64_t memory);
// All pages of a list: *out is an array in the arena of its members `member`.
struct vertex_list {
	enum gcp_call call;
	const char *kind, *member; // "customJobs", "customJobs"
	struct str filter;         // "": all
};
MUST_CHECK int vertex_list(
	struct call *c, struct gcp_services *s, const struct vertex_list *list, const json_t **out);
// Waits for an operation that a call answered. *response may be NULL.
MUST_CHECK int vertex_wait(
	struct call *c, struct gcp_services *s, const json_t *operation, const json_t **response);
// Deletes and waits; absent is fine.
MUST_CHECK int vertex_delete(struct call *c, struct gcp_services *s, enum gcp_call call, struct str path);

#endif
