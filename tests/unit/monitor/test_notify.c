// SPDX-License-Identifier: Apache-2.0
// Messages to channels, in Alertmanager's form, posted for real to the recorder; and what a receiver may answer.
#include "monitor/notify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "monitor/recorder.h"

static const struct monitor_rule rule = {
	.signal = {.p = "errors", .n = 6}, .above = {.set = true, .value = 0.01}, .over_ns = 60000000000};
static const struct alert_place place = {.monitor = {.p = "answers", .n = 7}, .watch = {.p = "route/classify", .n = 14}};

static void the_form_is_alertmanagers(void **state)
{
	struct alert a = {.state = ALERT_FIRING, .since_ns = 1764000000000000000, .value = 0.5};
	AUTO(json) j = notify_message(S("oncall"), &a, &place, &rule);
	(void)state;
	assert_string_equal(json_text(j, "version"), "4");
	assert_string_equal(json_text(j, "status"), "firing");
	assert_string_equal(json_text(j, "receiver"), "oncall");
	const json_t *alert = json_array_get(json_object_get(j, "alerts"), 0);
	assert_string_equal(json_text(alert, "endsAt"), "0001-01-01T00:00:00Z");
	assert_string_equal(json_text(json_object_get(alert, "labels"), "alertname"), "answers");
	assert_string_equal(json_text(json_object_get(alert, "annotations"), "summary"), "errors of route/classify is 50% (above 1% over 1m)");
	assert_int_equal(json_str(alert, "fingerprint").n, 16);
}

static void the_recorder_keeps_what_is_posted(void **state)
{
	char folder[] = "/tmp/isobar-notify-XXXXXX", file[64];
	AUTO(arena) arena = {0};
	AUTO(guard) guard = NULL;
	AUTO(buf) kept = {0};
	AUTO(json) line = NULL;
	struct call c;
	struct recorder *recorder;
	struct alert a = {.state = ALERT_RESOLVED, .since_ns = 1, .ended_ns = 2};
	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(file, sizeof(file), "%s/alerts.jsonl", folder);
	call_init(&c, &arena, edges_real(), S("system"));
	assert_int_equal(guard_new_loopback(&guard, &c.err), 0);
	assert_int_equal(recorder_start("127.0.0.1:0", file, &recorder, &c.err), 0);
	struct str url = notify_redirect(&arena, str_of(recorder_url(recorder)), S("http://pager.example:8999/alerts?x=1"));
	AUTO(json) message = notify_message(S("oncall"), &a, &place, &rule);
	assert_int_equal(notify_post(&c, guard, url, message), 0);
	recorder_stop(recorder);
	assert_int_equal(file_read(file, 1 << 20, &kept, &c.err), 0);
	assert_int_equal(json_parse(buf_str(&kept), &line, &c.err), 0);
	assert_string_equal(json_text(line, "path"), "/alerts");
	assert_true(json_equal(json_object_get(line, "body"), message));
	// Nobody listens there now.
	assert_int_equal(notify_post(&c, guard, url, message), ERR_UNAVAILABLE);
	assert_int_equal(file_remove_tree(folder, &c.err), 0);
}

static void hosts_that_are_not_allowed_are_not_told(void **state)
{
	AUTO(arena) arena = {0};
	AUTO(guard) guard = NULL;
	AUTO(json) message = json_object();
	struct call c;
	(void)state;
	call_init(&c, &arena, edges_real(), S("system"));
	assert_int_equal(guard_new_loopback(&guard, &c.err), 0);
	assert_int_equal(notify_post(&c, guard, S("https://pager.example/alerts"), message), ERR_DENIED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_form_is_alertmanagers),
		cmocka_unit_test(the_recorder_keeps_what_is_posted),
		cmocka_unit_test(hosts_that_are_not_allowed_are_not_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
