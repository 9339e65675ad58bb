// SPDX-License-Identifier: Apache-2.0
// Verifying the audit logs of the workspace's gateways against the heads that state keeps: what a gateway's folder
// claims is compared with what was copied out of its reach.
#include "api/handlers.h"
#include "security/audit_verify.h"

struct verdict {
	json_t *gateways;
	uint64_t records;
	bool intact, complete;
};

static int expectation(struct call *c, const struct session *s, struct str gateway, struct audit_expectation *out)
{
	struct record record;
	struct audit_head *head = arena_new(c->arena, struct audit_head);
	struct str folder =
		arena_printf(c->arena, "%.*s/gateways/%.*s/audit", STR(s->binding.state_folder), STR(gateway));
	struct str key = arena_printf(c->arena, "audit-head/%.*s", STR(gateway));
	if (!head || !folder.p || !key.p)
		return call_no_memory(c);
	*out = (struct audit_expectation){.folder = folder.p};
	int rc = state_get(c, s->binding.state, key, &record);
	if (rc < 0 || record.revision == 0)
		return rc;
	out->log = json_str(record.value, "log");
	out->writer = json_str(record.value, "writer");
	out->public_key = json_str(record.value, "public_key");
	out->heads = head;
	out->head_count = 1;
	return audit_head_of_json(record.value, head, &c->err);
}

static json_t *report_json(const struct audit_report *report, struct str gateway)
{
	char root[HEX_SHA256_SIZE];
	hex_encode(str_bytes(report->head.root.bytes, SHA256_SIZE), root);
	json_t *one = json_pack("{s:I, s:I, s:b, s:b, s:I, s:I, s:I, s:s}", "records", (json_int_t)report->records,
		"verified", (json_int_t)report->verified, "intact", (int)report->intact, "complete",
		(int)report->complete, "gaps", (json_int_t)report->gaps, "lost", (json_int_t)report->lost,
		"heads_checked", (json_int_t)report->heads_checked, "root", root);
	json_set_str(one, "gateway", gateway);
	json_set_str(one, "reason", report->reason);
	json_set_str(one, "public_key", report->public_key);
	if (!report->intact)
		json_object_set_new(one, "bad_index", json_integer((json_int_t)report->bad_index));
	return one;
}

static int verify_gateway(struct call *c, const struct session *s, struct str gateway, struct verdict *v)
{
	struct audit_expectation expect;
	struct audit_report report = {0};
	int rc = expectation(c, s, gateway, &expect);
	if (rc == 0)
		rc = audit_verify(c, &expect, &report);
	if (rc == ERR_NOT_FOUND && expect.head_count == 0) {
		err_clear(&c->err); // it has never run, so nothing was recorded
		return 0;
	}
	if (rc < 0)
		return call_context(c, "verify the audit log of gateway/%.*s", STR(gateway));
	json_array_append_new(v->gateways, report_json(&report, gateway));
	v->records += report.records;
	v->intact = v->intact && report.intact;
	v->complete = v->complete && report.complete;
	return 0;
}

int handle_audit_verify(struct api_request *r, json_t **result)
{
	struct session s;
	AUTO(json) gateways = json_array();
	struct verdict v = {.gateways = gateways, .intact = true, .complete = true};
	session_begin(r, &s);
	int rc = session_read_state(&s);
	for (size_t i = 0; rc == 0 && i < s.recorded_count; i++) {
		if (str_eq(s.recorded[i].kind, S("gateway")))
			rc = verify_gateway(r->call, &s, s.recorded[i].name, &v);
	}
	if (rc == 0)
		*result = json_pack("{s:O, s:I, s:b, s:b, s:b}", "gateways", gateways, "records", (json_int_t)v.records,
			"intact", (int)v.intact, "complete", (int)v.complete, "verified",
			(int)(v.intact && v.complete));
	return rc;
}
