// SPDX-License-Identifier: Apache-2.0
// The end of the story: the audit log is complete and unaltered, what was moved and what it cost, a report of the run.
#include <inttypes.h>
#include <string.h>

#include "base/file.h"
#include "demo/demo_impl.h"

static int verify_audit(struct demo *d)
{
	json_t *verdict;
	int rc = demo_ask(d, "GET", "/v1/audit/verify", NULL, &verdict);
	if (rc < 0)
		return rc;
	int64_t records = json_int(verdict, "records", 0);
	bool verified = json_flag(verdict, "intact", false) && json_flag(verdict, "complete", false);
	json_object_set_new(d->summary, "audit", json_pack("{s:I, s:b}", "records", (json_int_t)records, "verified", (int)verified));
	// Every answer has its record: the load's, and those that were refused.
	int64_t due = json_int(d->summary, "requests", 0);
	if (!verified || records < due)
		return call_fail(&d->call, ERR_FAILED, "the audit log has %" PRId64 " records for %" PRId64 " requests and is %s", records, due,
			verified ? "unaltered" : "not proven");
	story_say(&d->story, "audit", "%" PRId64 " records, complete and unaltered", records);
	return 0;
}

// Test images are what the reference was made from: nothing may call them drifted.
static int check_no_drift(struct demo *d)
{
	json_t *answer;
	int rc = demo_ask(d, "GET", "/v1/alerts", NULL, &answer);
	if (rc < 0)
		return rc;
	const json_t *drift = demo_find(json_object_get(answer, "alerts"), "signal", "drift");
	if (drift)
		return call_fail(&d->call, ERR_FAILED, "the traffic raised an alert of drift: %s", json_text(drift, "summary"));
	// Said, so that nobody takes the silence for a measure: the monitor reaches the sketches of the local engine's servers only.
	story_say(&d->story, "drift", "no alert; inputs of endpoints in a cloud's own service are not measured yet");
	return 0;
}

static int add_cost(struct demo *d)
{
	json_t *cost;
	int rc = demo_ask(d, "GET", "/v1/cost", NULL, &cost);
	if (rc < 0)
		return rc;
	int64_t bytes = json_int(cost, "bytes_moved", 0);
	json_object_set_new(d->summary, "bytes_moved", json_integer(bytes));
	json_object_set(d->summary, "price", json_object_get(cost, "price"));
	json_object_set(d->summary, "currency", json_object_get(cost, "currency"));
	story_say(&d->story, "cost", "%.1f MB moved between here and the clouds, %.4f %s at list prices", (double)bytes / 1e6, json_num(cost, "price", 0),
		json_text(cost, "currency"));
	return 0;
}

static int write_report(struct demo *d)
{
	json_t *report;
	struct str path = arena_printf(d->call.arena, "%s/report.html", d->out);
	int rc = demo_ask(d, "GET", "/v1/report", NULL, &report);
	if (rc == 0)
		rc = file_write_atomic(path.p, json_str(report, "html"), 0644, &d->call.err);
	if (rc == 0)
		story_say(&d->story, "report", "%s", path.p);
	return rc;
}

int demo_prove(struct demo *d)
{
	int rc = verify_audit(d);
	if (rc == 0)
		rc = check_no_drift(d);
	if (rc == 0)
		rc = add_cost(d);
	return rc < 0 ? rc : write_report(d);
}
