// SPDX-License-Identifier: Apache-2.0
// Webhooks in Alertmanager's form: see notify.h.
#include "monitor/notify.h"

#include "base/hash.h"
#include "base/time.h"
#include "net/http_call.h"

enum { TELL_SECONDS = 2 };

// Alertmanager writes this for "not yet".
#define NEVER "0001-01-01T00:00:00Z"

static void set_when(json_t *object, const char *name, int64_t wall_ns)
{
	char text[TIME_TEXT_SIZE] = NEVER;
	if (wall_ns)
		time_rfc3339(wall_ns, 3, text);
	json_object_set_new(object, name, json_string(text));
}

static json_t *labels_of(const struct alert_place *place, const struct monitor_rule *rule)
{
	json_t *labels = json_object();
	json_set_str(labels, "alertname", place->monitor);
	json_set_str(labels, "watch", place->watch);
	json_set_str(labels, "signal", rule->signal);
	if (place->cloud.n)
		json_set_str(labels, "cloud", place->cloud);
	return labels;
}

static void set_fingerprint(json_t *alert, const json_t *labels)
{
	AUTO(buf) text = {0};
	char hex[HEX_SHA256_SIZE];
	if (json_write(labels, &text, NULL) < 0)
		return;
	struct sha256 digest = sha256_of(buf_str(&text));
	hex_encode(str_bytes(digest.bytes, 8), hex);
	json_object_set_new(alert, "fingerprint", json_string(hex));
}

json_t *notify_message(struct str receiver, const struct alert *a, const struct alert_place *place, const struct monitor_rule *rule)
{
	AUTO(arena) arena = {0};
	const char *status = a->state == ALERT_FIRING ? "firing" : "resolved";
	json_t *labels = labels_of(place, rule);
	json_t *annotations = json_object();
	json_set_str(annotations, "summary", alert_summary(&arena, a, place, rule));

	json_t *alert = json_object();
	json_object_set_new(alert, "status", json_string(status));
	json_object_set(alert, "labels", labels);
	json_object_set(alert, "annotations", annotations);
	set_when(alert, "startsAt", a->since_ns);
	set_when(alert, "endsAt", a->ended_ns);
	json_object_set_new(alert, "generatorURL", json_string(""));
	set_fingerprint(alert, labels);

	json_t *message = json_object();
	json_object_set_new(message, "version", json_string("4"));
	json_set_str(message, "groupKey", arena_printf(&arena, "monitor/%.*s", STR(place->monitor)));
	json_object_set_new(message, "truncatedAlerts", json_integer(0));
	json_object_set_new(message, "status", json_string(status));
	json_set_str(message, "receiver", receiver);
	json_object_set_new(message, "groupLabels", json_object());
	json_object_set_new(message, "commonLabels", labels);
	json_object_set_new(message, "commonAnnotations", annotations);
	json_object_set_new(message, "externalURL", json_string(""));
	json_object_set_new(message, "alerts", json_array());
	json_array_append_new(json_object_get(message, "alerts"), alert);
	return message;
}

int notify_post(struct call *c, const struct guard *guard, struct str url, const json_t *message)
{
	static const struct http_header headers[] = {
		{{.p = "content-type", .n = 12}, {.p = "application/json", .n = 16}},
	};
	AUTO(buf) body = {0};
	struct http_call_response answer;
	if (json_write(message, &body, &c->err) < 0)
		return c->err.code;
	struct http_call_request request = {
		.method = S("POST"),
		.url = url,
		.headers = headers,
		.header_count = COUNT_OF(headers),
		.body = buf_str(&body),
		.guard = guard,
		.total_ns = TELL_SECONDS * NS_PER_S,
	};
	int rc = http_call(c, &request, &answer);
	if (rc < 0)
		return call_context(c, "telling %.*s", STR(url));
	if (answer.status >= 200 && answer.status < 300)
		return 0;
	bool again = answer.status >= 500 || answer.status == 429;
	return call_fail(c, again ? ERR_UNAVAILABLE : ERR_FAILED, "telling %.*s: it answered %d", STR(url), answer.status);
}

struct str notify_redirect(struct arena *a, struct str recorder, struct str url)
{
	ptrdiff_t scheme = str_find(url, S("://"));
	struct str rest = str_drop(url, scheme < 0 ? 0 : (size_t)scheme + 3);
	ptrdiff_t slash = str_find_char(rest, '/');
	return arena_printf(a, "%.*s%.*s", STR(recorder), STR(slash < 0 ? S("/") : str_drop(rest, (size_t)slash)));
}
