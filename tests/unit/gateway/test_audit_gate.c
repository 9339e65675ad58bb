// SPDX-License-Identifier: Apache-2.0
// Answers that wait for their record: told in order once it is on disk, told when it is lost, forgotten when their
// client left.
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/time.h"
#include "gateway/audit_gate.h"

enum { WAITS = 50 };

struct waiting {
	struct audit_wait wait;
	int number;
};
static int told[WAITS], told_count, lost_count;

static void done(struct audit_wait *w, bool written)
{
	if (written)
		told[told_count++] = CONTAINER_OF(w, struct waiting, wait)->number;
	else
		lost_count++;
}

static void rounds(struct loop *l, const int *count, int wanted)
{
	struct err e = {0};
	int64_t until = loop_now_ns(l) + NS_PER_S;
	while (*count < wanted && loop_now_ns(l) < until)
		assert_int_equal(loop_round(l, NS_PER_MS, &e), 0);
	assert_int_equal(*count, wanted);
}

static void tells_in_order(void **state)
{
	(void)state;
	static struct waiting waits[WAITS];
	char folder[] = "/tmp/isobar-gate-XXXXXX", path[64];
	struct err e = {0};
	struct loop *l;
	struct audit *audit;
	struct audit_gate *g;
	struct rlimit old, small;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/audit", folder);
	assert_int_equal(loop_new(&l, &e), 0);
	const struct audit_options o = {.folder = path, .writer = S("gateway/test"), .edges = edges_real()};
	assert_int_equal(audit_open(&o, &audit, &e), 0);
	assert_int_equal(audit_gate_new(l, audit, &g, &e), 0);
	const struct audit_event event = {.kind = S("request"), .outcome = S("allowed"), .status = 200};
	for (int i = 0; i < WAITS; i++) {
		waits[i] = (struct waiting){.wait.done = done, .number = i};
		assert_int_equal(audit_gate_append(g, &event, &waits[i].wait, &e), 0);
		assert_int_equal(told_count, 0); // never from inside
	}
	audit_gate_forget(g, &waits[3].wait);
	audit_gate_forget(g, &waits[3].wait);
	assert_int_equal(audit_gate_append(g, &event, NULL, &e), 0);
	rounds(l, &told_count, WAITS - 1);
	for (int i = 0; i < WAITS - 1; i++)
		assert_int_equal(told[i], i < 3 ? i : i + 1);
	assert_true(audit_gate_idle(g));
	assert_int_equal(audit_gate_records(g), WAITS + 1);

	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){.rlim_cur = 1, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(audit_gate_append(g, &event, &waits[0].wait, &e), 0);
	rounds(l, &lost_count, 1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_true(audit_records_lost(audit_gate_log(g)) >= 1);

	audit_gate_free(g);
	loop_free(l);
	assert_int_equal(file_remove_tree(folder, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(tells_in_order)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
