// SPDX-License-Identifier: Apache-2.0
// Killing a cloud and watching it being dealt with: see outage_impl.h.
#include "demo/outage_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"

#define NOTICE_NS (9 * NS_PER_S)
#define RECOVER_NS (45 * NS_PER_S)
enum { RECORD_LIMIT = 16 << 20 };

struct outage {
	struct demo *d;
	struct load *load;
	int64_t killed_ns; // wall clock
	uint64_t failed_before;
};

static const json_t *the_alert(const json_t *answer)
{
	size_t i;
	json_t *alert;
	json_array_foreach(json_object_get(answer, "alerts"), i, alert)
		if (strcmp(json_text(alert, "monitor"), "cloud-lost") == 0 && strcmp(json_text(alert, "cloud"), DEMO_VICTIM) == 0)
			return alert;
	return NULL;
}

static bool is_firing(UNUSED struct demo *d, const json_t *answer)
{
	return strcmp(json_text(the_alert(answer), "state"), "firing") == 0;
}

static bool is_resolved(UNUSED struct demo *d, const json_t *answer)
{
	return strcmp(json_text(the_alert(answer), "state"), "resolved") == 0;
}

static bool is_shifted(UNUSED struct demo *d, const json_t *answer)
{
	return demo_find(json_object_get(answer, "overrides"), "address", "endpoint/classify on " DEMO_VICTIM) != NULL;
}

static bool is_not_shifted(struct demo *d, const json_t *answer)
{
	return !is_shifted(d, answer);
}

static bool victim_is_ready(UNUSED struct demo *d, const json_t *answer)
{
	const json_t *endpoint = demo_find(json_object_get(answer, "endpoints"), "address", "endpoint/classify on " DEMO_VICTIM);
	return strcmp(json_text(endpoint, "state"), "ready") == 0;
}

// ---------------------------------------------------------------- killing
static int kill_group(struct demo *d, json_int_t pid, const char *what)
{
	if (pid <= 1 || kill(-(pid_t)pid, SIGKILL) < 0)
		return call_fail(&d->call, ERR_FAILED, "killing %s (process group %" JSON_INTEGER_FORMAT "): %s", what, pid, strerror(errno));
	return 0;
}

// A model server of the pocket cloud and the supervisor that would start it again; other work of the pocket is left alone.
static int kill_server(struct demo *d, const char *folder, int *killed)
{
	AUTO(json) spec = NULL;
	AUTO(json) status = NULL;
	struct call *c = &d->call;
	struct str spec_path = arena_printf(c->arena, "%s/spec.json", folder);
	struct str status_path = arena_printf(c->arena, "%s/status.json", folder);
	if (!spec_path.p || !status_path.p)
		return call_no_memory(c);
	if (json_parse_file(spec_path.p, RECORD_LIMIT, &spec, &c->err) || json_parse_file(status_path.p, RECORD_LIMIT, &status, &c->err))
		return c->err.code;
	if (strcmp(json_text(spec, "kind"), "server") != 0)
		return 0;
	++*killed;
	return kill_group(d, json_int(json_object_get(status, "supervisor"), "pid", 0), "its endpoint");
}

static int kill_servers(struct demo *d)
{
	glob_t found = {0};
	int killed = 0, rc = 0;
	struct str pattern = arena_printf(d->call.arena, "%s/.isobar/pocket/" DEMO_VICTIM "/engine/*", d->folder);
	if (!pattern.p)
		return call_no_memory(&d->call);
	if (glob(pattern.p, 0, NULL, &found) == 0)
		for (size_t i = 0; rc == 0 && i < found.gl_pathc; i++)
			rc = kill_server(d, found.gl_pathv[i], &killed);
	globfree(&found);
	if (rc == 0 && !killed)
		return call_fail(&d->call, ERR_FAILED, "no model server runs on " DEMO_VICTIM " (%s)", pattern.p);
	return rc;
}

static int kill_victim(struct outage *o)
{
	struct demo *d = o->d;
	json_t *status;
	int rc = demo_ask(d, "GET", "/v1/status", NULL, &status);
	if (rc < 0)
		return rc;
	const json_t *cloud = demo_find(json_object_get(status, "clouds"), "name", DEMO_VICTIM);
	o->killed_ns = call_now_ns(&d->call);
	rc = kill_group(d, json_int(cloud, "pid", 0), "the pocket cloud " DEMO_VICTIM);
	if (rc == 0)
		rc = kill_servers(d);
	if (rc == 0)
		story_say(&d->story, "outage", "%s and its endpoint are killed (SIGKILL), and held down for 10 s", DEMO_VICTIM);
	return rc;
}

// ---------------------------------------------------------------- noticing
// When the webhook's receiver heard of it: the recorder's first matching line.
static int64_t told_ns(struct demo *d, int64_t since_ns)
{
	AUTO(buf) text = {0};
	struct str line, path = arena_printf(d->call.arena, "%s/.isobar/recorder.jsonl", d->folder);
	if (file_read(path.p, RECORD_LIMIT, &text, NULL) < 0)
		return 0;
	struct str rest = buf_str(&text);
	while (str_next(&rest, '\n', &line)) {
		AUTO(json) record = NULL;
		if (line.n == 0 || json_parse(line, &record, NULL) < 0)
			continue;
		const json_t *body = json_object_get(record, "body"), *labels = json_object_get(body, "commonLabels");
		bool ours = strcmp(json_text(labels, "alertname"), "cloud-lost") == 0 && strcmp(json_text(labels, "cloud"), DEMO_VICTIM) == 0;
		if (ours && strcmp(json_text(body, "status"), "firing") == 0 && json_int(record, "at_ns", 0) >= since_ns)
			return json_int(record, "at_ns", 0);
	}
	return 0;
}

static int wait_until_told(struct outage *o, int64_t *told)
{
	for (int i = 0; i < 50; i++) {
		*told = told_ns(o->d, o->killed_ns);
		if (*told)
			return 0;
		int rc = call_sleep(&o->d->call, 100 * NS_PER_MS);
		if (rc < 0)
			return rc;
	}
	return call_fail(&o->d->call, ERR_FAILED, "the channel oncall was not told of the alert");
}

static int notice(struct outage *o)
{
	const struct demo_wait firing = {"/v1/alerts", "the alert of monitor/cloud-lost", NOTICE_NS, is_firing};
	const struct demo_wait shifted = {"/v1/overrides", "the override that shifts traffic", NOTICE_NS, is_shifted};
	struct demo *d = o->d;
	json_t *alerts, *overrides;
	int64_t told;
	int rc = demo_wait_for(d, &firing, &alerts);
	if (rc == 0)
		rc = demo_wait_for(d, &shifted, &overrides);
	if (rc == 0)
		rc = wait_until_told(o, &told);
	if (rc < 0)
		return rc;
	const json_t *alert = the_alert(alerts);
	double detect_ms = (double)(json_int(alert, "since_ns", 0) - o->killed_ns) / 1e6, alert_ms = (double)(told - o->killed_ns) / 1e6;
	json_object_set_new(d->summary, "failover",
		json_pack("{s:s, s:f, s:f}", "killed", DEMO_VICTIM, "detect_ms", detect_ms, "alert_ms", alert_ms));
	story_say(&d->story, "outage", "noticed after %.0f ms, oncall told after %.0f ms: %s", detect_ms, alert_ms, json_text(alert, "summary"));
	const json_t *shift = demo_find(json_object_get(overrides, "overrides"), "address", "endpoint/classify on " DEMO_VICTIM);
	story_say(&d->story, "outage", "override by %s: %s of %s is 0", json_text(shift, "author"), json_text(shift, "field"),
		json_text(shift, "address"));
	return 0;
}

// ---------------------------------------------------------------- coming back
static int hold_down(struct outage *o)
{
	int64_t left_ns;
	while ((left_ns = o->killed_ns + DEMO_DOWN_NS - call_now_ns(&o->d->call)) > 0) {
		struct load_counts counts = load_progress(o->load);
		story_progress(&o->d->story, "serving", (double)counts.answered, o->d->images.count);
		int rc = call_sleep(&o->d->call, MIN(left_ns, 200 * NS_PER_MS));
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int start_victim(struct outage *o)
{
	struct demo *d = o->d;
	struct str root = arena_printf(d->call.arena, "%s/.isobar/pocket/" DEMO_VICTIM, d->folder);
	struct str announce = arena_printf(d->call.arena, "%s/announce.json", root.p);
	struct str log_path = arena_printf(d->call.arena, "%s/log", root.p);
	const char *argv[] = {"self", "pocket", "--as", "azure", "--name", DEMO_VICTIM, "--root", root.p, "--listen", "127.0.0.1:0",
		"--announce", announce.p, NULL};
	AUTO(fd) log = open(log_path.p, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	struct process_spec spec = {.argv = argv, .in = -1, .out = log, .error = log, .new_session = true};
	struct process process;
	int rc = log < 0 ? call_errno(&d->call, "opening %s", log_path.p) : process_start(&spec, &process, &d->call.err);
	if (rc == 0)
		story_say(&d->story, "outage", "the cloud %s is started again", DEMO_VICTIM);
	return rc;
}

static int recover(struct outage *o)
{
	const struct demo_wait waits[] = {
		{"/v1/endpoints", "the endpoint to be restarted", RECOVER_NS, victim_is_ready},
		{"/v1/alerts", "the alert to be resolved", RECOVER_NS, is_resolved},
		{"/v1/overrides", "the override to be ended", RECOVER_NS, is_not_shifted},
	};
	json_t *answer;
	for (size_t i = 0; i < COUNT_OF(waits); i++) {
		int rc = demo_wait_for(o->d, &waits[i], &answer);
		if (rc < 0)
			return rc;
	}
	double back_ms = (double)(call_now_ns(&o->d->call) - o->killed_ns) / 1e6;
	json_object_set_new(json_object_get(o->d->summary, "failover"), "recovered_ms", json_real(back_ms));
	story_say(&o->d->story, "outage", "endpoint restarted, alert resolved, override ended %.1f s after the kill", back_ms / 1000);
	return 0;
}

int demo_outage(struct demo *d, struct load *load)
{
	struct outage o = {.d = d, .load = load, .failed_before = load_progress(load).failed};
	int rc = kill_victim(&o);
	if (rc == 0)
		rc = notice(&o);
	if (rc == 0)
		rc = hold_down(&o);
	if (rc == 0)
		rc = start_victim(&o);
	if (rc == 0)
		rc = recover(&o);
	if (rc < 0)
		return rc;
	uint64_t failed = load_progress(load).failed - o.failed_before;
	json_object_set_new(json_object_get(d->summary, "failover"), "failed_requests", json_integer((json_int_t)failed));
	return 0;
}
