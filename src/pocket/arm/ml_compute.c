// SPDX-License-Identifier: Apache-2.0
// Computes of a workspace. A pocket has one sort of machine, the one it runs on: a compute is a name that jobs may ask
// for, beside serverless. Source: "Azure Machine Learning REST API: Compute". Only AmlCompute is taken.
#include "pocket/arm/arm_impl.h"

#define COMPUTES "arm/computes"

static json_t *tell(struct front_request *r, struct str name, const json_t *doc)
{
	json_t *j = arm_resource(
		arm_id(arm_state(r), r->arena, "computes/%.*s", STR(name)), name, ARM_TYPE "/computes", doc);
	json_t *properties = json_object_get(j, "properties");
	json_object_set_new(properties, "provisioningState", json_string("Succeeded"));
	json_object_set_new(properties, "isAttachedCompute", json_false());
	return j;
}

void ml_list_computes(struct front_request *r)
{
	arm_reply_list(r, &(struct arm_list){.collection = COMPUTES, .tell = tell});
}

void ml_get_compute(struct front_request *r)
{
	struct str name = arm_name(r, 0);
	const json_t *doc = docs_get(r->pocket, COMPUTES, name, NULL);
	if (!doc)
		arm_not_found(r, ARM_TYPE "/computes", name);
	if (doc)
		arm_reply(r, 200, tell(r, name, doc));
	else
		arm_fail(r);
}

void ml_put_compute(struct front_request *r)
{
	struct str name = arm_name(r, 0);
	const json_t *body = arm_request(r)->body, *before = docs_get(r->pocket, COMPUTES, name, NULL);
	struct str type = json_str(json_object_get(body, "properties"), "computeType"), operation = {0};
	bool made = !before;
	int rc = arm_check_name(r, "compute", name);
	if (rc == 0 && !str_eq(type, S("AmlCompute")))
		rc = arm_user_error(r, "A pocket cloud has computes of type AmlCompute only, not '%.*s'.",
			STR(str_clip(type, 40)));
	AUTO(json) doc = rc == 0 ? arm_document(r, before, body) : NULL;
	if (rc == 0)
		rc = doc ? docs_put(r->pocket, COMPUTES, name, doc, &r->err)
			 : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (rc == 0)
		rc = arm_operation_begin(r, arm_request(r)->scope, ARM_TOLD_ASYNC, &operation);
	if (rc < 0) {
		arm_fail(r);
		return;
	}
	arm_operation_end(arm_state(r), operation, "Succeeded", S(""));
	arm_reply(r, made ? 201 : 200, tell(r, name, doc));
}

void ml_delete_compute(struct front_request *r)
{
	struct str operation = {0};
	int rc = docs_delete(r->pocket, COMPUTES, arm_name(r, 0), &r->err);
	if (rc == 0)
		rc = arm_operation_begin(r, arm_request(r)->scope, ARM_TOLD_BOTH, &operation);
	if (rc == ERR_NOT_FOUND)
		arm_not_found(r, ARM_TYPE "/computes", arm_name(r, 0));
	if (rc < 0) {
		arm_fail(r);
		return;
	}
	arm_operation_end(arm_state(r), operation, "Succeeded", S(""));
	front_reply(r, 202, S(""));
}

bool ml_compute_exists(struct arm_state *s, struct str id)
{
	struct str name, version;
	if (!id.n || str_eq(id, S("serverless")))
		return true;
	return arm_id_cut(id, "computes", &name, &version) &&
	       (str_eq(name, S("serverless")) || docs_get(s->pocket, COMPUTES, name, NULL));
}
