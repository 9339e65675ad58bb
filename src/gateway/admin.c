// SPDX-License-Identifier: Apache-2.0
// The gateway's admin listener, on loopback: /metrics for the monitor, /healthz for a load balancer, /targets for
// the state of those in providers' services, /audit/head for copies of the audit log's head.
#include "base/log.h"
#include "gateway/gateway_impl.h"

static void write_requests(const struct worker *w, struct buf *out)
{
	metrics_head(
		out, "isobar_gateway_requests_total", "counter", "Answers by route and status; 499: the client left.");
	for (const struct route_stats *s = w->targets.routes; s; s = s->next) {
		for (size_t i = 0; i < s->code_count; i++) {
			AUTO(buf) labels = {0};
			char code[8];
			snprintf(code, sizeof(code), "%d", s->codes[i].status);
			metrics_label(&labels, "route", s->route);
			metrics_label(&labels, "code", str_of(code));
			metrics_sample(
				out, "isobar_gateway_requests_total", buf_cstr(&labels), (double)s->codes[i].count);
		}
	}
	metrics_head(out, "isobar_gateway_request_seconds", "histogram",
		"From the whole head to the release of the answer.");
	for (const struct route_stats *s = w->targets.routes; s; s = s->next) {
		AUTO(buf) labels = {0};
		metrics_label(&labels, "route", s->route);
		metrics_histogram(out, "isobar_gateway_request_seconds", buf_cstr(&labels), &s->seconds);
	}
}

static void write_attempt(struct buf *out, const struct attempt_stats *s, const char *outcome, uint64_t count)
{
	AUTO(buf) labels = {0};
	metrics_label(&labels, "route", s->route);
	metrics_label(&labels, "endpoint", s->endpoint);
	metrics_label(&labels, "cloud", s->cloud);
	metrics_label(&labels, "outcome", str_of(outcome));
	metrics_sample(out, "isobar_gateway_attempts_total", buf_cstr(&labels), (double)count);
}

static void write_attempts(const struct worker *w, struct buf *out)
{
	metrics_head(out, "isobar_gateway_attempts_total", "counter",
		"Requests sent to targets, and probes of targets that are out of rotation or idle.");
	for (const struct attempt_stats *s = w->targets.attempts; s; s = s->next) {
		write_attempt(out, s, "ok", s->ok);
		write_attempt(out, s, "failed", s->failed);
	}
	metrics_head(out, "isobar_gateway_attempt_seconds", "histogram", "Until the target's answer began, or failed.");
	for (const struct cloud_stats *s = w->targets.clouds; s; s = s->next) {
		AUTO(buf) labels = {0};
		metrics_label(&labels, "endpoint", s->endpoint);
		metrics_label(&labels, "cloud", s->cloud);
		metrics_histogram(out, "isobar_gateway_attempt_seconds", buf_cstr(&labels), &s->seconds);
	}
}

static void write_targets(const struct worker *w, struct buf *out)
{
	metrics_head(
		out, "isobar_gateway_target_in_rotation", "gauge", "1: gets requests; 0: failed, or has no weight.");
	for (const struct target *t = w->targets.targets; t; t = t->next) {
		AUTO(buf) labels = {0};
		if (!t->listed)
			continue;
		metrics_label(&labels, "endpoint", t->endpoint);
		metrics_label(&labels, "cloud", t->cloud);
		metrics_sample(out, "isobar_gateway_target_in_rotation", buf_cstr(&labels),
			!t->ejected && t->weight > 0 ? 1 : 0);
	}
	metrics_head(out, "isobar_gateway_audit_records_total", "counter", "Records given to the audit log.");
	metrics_sample(
		out, "isobar_gateway_audit_records_total", "", w->gate ? (double)audit_gate_records(w->gate) : 0);
	metrics_head(out, "isobar_gateway_connections", "gauge", "Open client connections.");
	metrics_sample(out, "isobar_gateway_connections", "", (double)http_server_connections(w->server));
	metrics_head(out, "isobar_gateway_snapshot_generation", "gauge", "Of the configuration in use.");
	metrics_sample(out, "isobar_gateway_snapshot_generation", "", (double)w->snapshot->generation);
}

static void answer_buf(struct http_exchange *x, const char *type, const struct buf *b)
{
	struct str text = b->failed ? (struct str){0} : arena_str(&x->arena, buf_str(b));
	if (text.p)
		http_reply_text(x, 200, type, text);
	else
		http_reply_error(x, 503, "out of memory");
}

static void answer_metrics(struct http_exchange *x, const struct worker *w)
{
	AUTO(buf) out = {0};
	write_requests(w, &out);
	write_attempts(w, &out);
	write_targets(w, &out);
	answer_buf(x, "text/plain; version=0.0.4", &out);
}

static void answer_head(struct http_exchange *x, const struct worker *w)
{
	AUTO(buf) out = {0};
	AUTO(json) head = w->gate ? audit_head_to_json(audit_gate_log(w->gate)) : NULL;
	struct err e = {0};
	if (!head)
		http_reply_error(x, 404, "this gateway keeps no audit log");
	else if (json_write(head, &out, &e))
		http_reply_error(x, 500, "%s", e.message);
	else
		answer_buf(x, "application/json", &out);
}

// Targets in providers' services: what the control plane renews credentials by, and people see why one is out.
static json_t *target_json(const struct target *t)
{
	json_t *json = json_object();
	json_set_str(json, "endpoint", t->endpoint);
	json_set_str(json, "cloud", t->cloud);
	json_set_str(json, "service", str_of(upstream_service_word(t->service)));
	json_object_set_new(json, "in_rotation", json_boolean(!t->ejected));
	json_object_set_new(json, "refused", json_boolean(t->ejected && t->wants_credentials));
	json_set_str(json, "reason", str_of(t->reason));
	return json;
}

static void answer_targets(struct http_exchange *x, const struct worker *w)
{
	AUTO(buf) out = {0};
	AUTO(json) json = json_object();
	struct err e = {0};
	json_t *list = json_array();
	json_object_set_new(json, "targets", list);
	for (const struct target *t = w->targets.targets; t; t = t->next)
		if (t->listed && t->service != UPSTREAM_OPEN)
			json_array_append_new(list, target_json(t));
	if (json_write(json, &out, &e))
		http_reply_error(x, 500, "%s", e.message);
	else
		answer_buf(x, "application/json", &out);
}

static void begin(struct http_exchange *x)
{
	const struct worker *w = x->ctx;
	bool get = x->request.method == HTTP_GET || x->request.method == HTTP_HEAD;
	if (!get)
		http_reply_error(x, 405, "only GET");
	else if (str_eq(x->request.path, S("/metrics")))
		answer_metrics(x, w);
	else if (str_eq(x->request.path, S("/healthz")))
		http_reply_text(x, w->draining ? 503 : 200, "text/plain", w->draining ? S("draining\n") : S("ok\n"));
	else if (str_eq(x->request.path, S("/audit/head")))
		answer_head(x, w);
	else if (str_eq(x->request.path, S("/targets")))
		answer_targets(x, w);
	else
		http_reply_error(x, 404, "only /metrics, /healthz, /targets and /audit/head are here");
}

const struct http_service admin_service = {.begin = begin};
