// SPDX-License-Identifier: Apache-2.0
// Operations that take time: a document each, {"resource", "begun_ns", "ended_ns", "status", "message"}. Source:
// "Track asynchronous Azure operations" (Azure Resource Manager): Azure-AsyncOperation answers a status, Location answers
// 202 until it is done and then as the operation itself would have.
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "pocket/arm/arm_impl.h"

#define OPERATIONS "arm/operations"
enum { KEPT = 500 }; // of them that have ended: the oldest go

static void add_address(struct front_request *r, const char *header, const char *kind, struct str name)
{
	const struct arm_state *s = arm_state(r);
	front_addf(r, header, "%.*s/subscriptions/%.*s/providers/Microsoft.MachineLearningServices/locations/%.*s/%s/%.*s"
			      "?api-version=%.*s",
		STR(s->origin), STR(s->subscription), STR(s->location), kind, STR(name),
		STR(front_query(r, "api-version")));
}

// Names begin with the time, so that the oldest come first.
static int forget_oldest(struct front_request *r)
{
	struct docs_cursor from = {.collection = OPERATIONS};
	struct docs_row row;
	size_t count = 0, all = 0;
	bool more = false;
	int rc = docs_count(r->pocket, OPERATIONS, &all, &r->err);
	if (rc < 0 || all <= KEPT)
		return rc;
	rc = arm_read_docs(docs_list(r->pocket, &from, &row, 1, &count, &more), &r->err);
	if (rc < 0 || !count || !json_str(row.doc, "status").n)
		return rc;
	struct str oldest = arena_str(r->arena, row.name);
	return oldest.p ? docs_delete(r->pocket, OPERATIONS, oldest, &r->err)
			: err_set(&r->err, ERR_NO_MEMORY, "out of memory");
}

int arm_operation_begin(struct front_request *r, struct str resource, enum arm_told told, struct str *operation)
{
	char guid[ARM_GUID_SIZE];
	int rc = arm_guid(r->pocket, guid, &r->err);
	if (rc == 0)
		rc = forget_oldest(r);
	if (rc < 0)
		return rc;
	struct str name = arena_printf(r->arena, "%016llx-%s", (unsigned long long)front_now_ns(r), guid);
	AUTO(json) doc = json_pack("{s:I, s:s}", "begun_ns", (json_int_t)front_now_ns(r), "status", "");
	json_set_str(doc, "resource", resource);
	rc = name.p && doc ? docs_put(r->pocket, OPERATIONS, name, doc, &r->err)
			   : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (rc < 0)
		return rc;
	if (told != ARM_TOLD_LOCATION)
		add_address(r, "azure-asyncoperation", "mfeOperationsStatus", name);
	if (told != ARM_TOLD_ASYNC)
		add_address(r, "location", "mfeOperationResults", name);
	front_add(r, "retry-after", S("0"));
	front_add(r, "x-ms-async-operation-timeout", S("PT1H"));
	*operation = name;
	return 0;
}

void arm_operation_end(struct arm_state *s, struct str operation, const char *status, struct str message)
{
	const json_t *before = operation.n ? docs_get(s->pocket, OPERATIONS, operation, NULL) : NULL;
	if (!before || json_str(before, "status").n)
		return;
	struct err e = {0};
	AUTO(json) doc = json_deep_copy(before);
	json_object_set_new(doc, "status", json_string(status));
	json_object_set_new(doc, "ended_ns", json_integer(arm_now_ns(s)));
	json_set_str(doc, "message", message);
	// An operation that cannot be written stays open: whoever waits for it sees the resource itself.
	if (doc)
		(void)!docs_put(s->pocket, OPERATIONS, operation, doc, &e);
}

static const json_t *find(struct front_request *r)
{
	const json_t *doc = docs_get(r->pocket, OPERATIONS, arm_request(r)->names[2], NULL);
	if (doc)
		return doc;
	arm_refuse(r, 404, "NotFound", "The operation '%.*s' is not known, or too old.",
		STR(str_clip(arm_request(r)->names[2], 80)));
	arm_fail(r);
	return NULL;
}

static json_t *failure(const json_t *doc)
{
	json_t *error = json_pack("{s:s}", "code", "ResourceOperationFailure");
	json_set_str(error, "message", json_str(doc, "message"));
	return error;
}

void arm_operation_status(struct front_request *r)
{
	const json_t *doc = find(r);
	if (!doc)
		return;
	char begun[TIME_TEXT_SIZE], ended[TIME_TEXT_SIZE];
	struct str status = json_str(doc, "status");
	json_t *j = json_object();
	time_rfc3339(json_int(doc, "begun_ns", 0), 6, begun);
	json_set_str(j, "id", arm_request(r)->scope);
	json_set_str(j, "name", arm_request(r)->names[2]);
	json_set_str(j, "status", status.n ? status : S("InProgress"));
	json_object_set_new(j, "startTime", json_string(begun));
	json_object_set_new(j, "percentComplete", json_real(status.n ? 100 : 0));
	if (status.n) {
		time_rfc3339(json_int(doc, "ended_ns", 0), 6, ended);
		json_object_set_new(j, "endTime", json_string(ended));
	} else {
		front_add(r, "retry-after", S("0"));
	}
	if (str_eq(status, S("Failed")))
		json_object_set_new(j, "error", failure(doc));
	arm_reply(r, 200, j);
}

void arm_operation_result(struct front_request *r)
{
	const json_t *doc = find(r);
	if (!doc)
		return;
	struct str status = json_str(doc, "status");
	if (!status.n) {
		add_address(r, "location", "mfeOperationResults", arm_request(r)->names[2]);
		front_add(r, "retry-after", S("0"));
		front_reply(r, 202, S(""));
	} else if (str_eq(status, S("Failed"))) {
		arm_refuse(r, 400, "ResourceOperationFailure", "%.*s", STR(json_str(doc, "message")));
		arm_fail(r);
	} else {
		front_reply(r, 204, S(""));
	}
}
