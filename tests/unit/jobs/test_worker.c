// SPDX-License-Identifier: Apache-2.0
// The job contract: what a command finds, what becomes of what it leaves, how a job ends, and what a second worker
// does.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/process.h"
#include "base/time.h"
#include "cloud/job_files.h"
#include "cloud/job_work.h"
#include "fixture.h"
#include "jobs/worker.h"
#include "memory_cloud.h"

struct world {
	struct fixture f;
	struct memory_cloud m;
	struct job_input inputs[2];
	struct job_spec spec;
	struct job_status status;
	const char *job; // folder
};

#define SH(script) ((const char *const[]){"/bin/sh", "-c", (script), NULL})

static void open_world(struct world *w)
{
	fixture_open(&w->f);
	memory_cloud_init(&w->m, "aws-us", "aws");
	memory_cloud_bucket(&w->m, "lake");
	setenv("ISOBAR_SLOT_FOLDER", fixture_path(&w->f, "slots"), 1);
	w->job = fixture_path(&w->f, "job");
	w->spec = (struct job_spec){.name = S("test/1"), .output = {.bucket = S("lake"), .prefix = S("out/")}};
}

static void close_world(struct world *w)
{
	struct job_work work;
	assert_ok(&w->f, job_work_find(&w->f.arena, w->job, &work, &w->f.call.err));
	assert_ok(&w->f, job_work_remove(&work, true, &w->f.call.err));
	memory_cloud_free(&w->m);
	fixture_close(&w->f);
}

static void read_status(struct world *w)
{
	AUTO(json) j = NULL;
	assert_ok(&w->f, json_parse(fixture_read(&w->f, "job/" JOB_STATUS_FILE), &j, &w->f.call.err));
	assert_ok(&w->f, job_status_of_json(&w->f.arena, j, &w->status, &w->f.call.err));
}

static void run(struct world *w, const char *const *argv)
{
	AUTO(json) spec = NULL;
	AUTO(buf) text = {0};
	w->spec.argv = argv;
	spec = job_spec_to_json(&w->spec);
	assert_ok(&w->f, json_write(spec, &text, &w->f.call.err));
	fixture_write(&w->f, "job/" JOB_SPEC_FILE, buf_str(&text));
	assert_ok(&w->f, worker_run(&w->f.call, w->job, &w->m.cloud));
	read_status(w);
}

#define assert_state(w, wanted)                                                                                        \
	do {                                                                                                           \
		if ((w)->status.state != (wanted))                                                                     \
			fail_msg("job %s: %.*s", job_state_text((w)->status.state), STR((w)->status.reason));          \
	} while (0)

static struct str log_text(struct world *w)
{
	return fixture_read(&w->f, "job/" JOB_LOG_FILE);
}

static void test_contract(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	memory_cloud_poke(&w.m, "lake", "data/a/1", S("one"));
	memory_cloud_poke(&w.m, "lake", "data/a/sub/2", S("two"));
	memory_cloud_poke(&w.m, "lake", "data/a/_SUCCESS", S("{}"));
	memory_cloud_poke(&w.m, "lake", "global/weights", S("w"));
	w.inputs[0] = (struct job_input){.name = S("data"), .bucket = S("lake"), .prefix = S("data/a/")};
	w.inputs[1] = (struct job_input){.name = S("global"), .bucket = S("lake"), .prefix = S("global/weights")};
	w.spec.inputs = w.inputs;
	w.spec.input_count = 2;
	fixture_write(&w.f, "code/lib/tool.sh", S("echo from code"));
	w.spec.code_directory = str_of(fixture_path(&w.f, "code"));
	w.spec.with = json_in_arena(&w.f.arena, json_pack("{s:i}", "epochs", 3));
	w.spec.environment = (const char *const[]){"EXTRA=yes", NULL};
	setenv("AWS_SECRET_ACCESS_KEY", "hidden", 1);
	run(&w, SH("set -e; mkdir $ISOBAR_OUT/deep; cat $ISOBAR_DATA/data/1 $ISOBAR_DATA/data/sub/2 "
		   "$ISOBAR_DATA/global/weights > $ISOBAR_OUT/deep/all;"
		   "cat $ISOBAR_WITH > $ISOBAR_OUT/with; sh lib/tool.sh > $ISOBAR_OUT/tool; test ! -e "
		   "$ISOBAR_DATA/data/_SUCCESS; test -d $ISOBAR_CHECKPOINT;"
		   "echo $ISOBAR_JOB $ISOBAR_CLOUD $OPENBLAS_NUM_THREADS $OMP_NUM_THREADS $EXTRA; env | grep -c SECRET "
		   "|| true; echo oops >&2"));
	unsetenv("AWS_SECRET_ACCESS_KEY");
	assert_state(&w, JOB_SUCCEEDED);
	assert_int_equal(w.status.exit_code, 0);
	assert_true(w.status.ended_ns >= w.status.started_ns && w.status.started_ns > 0);
	assert_true(w.status.peak_rss > 0);
	assert_str(memory_cloud_peek(&w.m, "lake", "out/deep/all"), S("onetwow"));
	assert_str(memory_cloud_peek(&w.m, "lake", "out/with"), S("{\"epochs\":3}"));
	assert_str(memory_cloud_peek(&w.m, "lake", "out/tool"), S("from code\n"));
	assert_str(log_text(&w), S("test/1 aws-us 1 1 yes\n0\noops\n"));
	AUTO(json) marker = NULL;
	assert_ok(&w.f, json_parse(memory_cloud_peek(&w.m, "lake", "out/_SUCCESS"), &marker, &w.f.call.err));
	assert_str(json_str(marker, "job"), S("test/1"));
	assert_int_equal(json_array_size(json_object_get(marker, "files")), 3);
	assert_str(json_str(json_array_get(json_object_get(marker, "files"), 0), "name"), S("deep/all"));
	close_world(&w);
}

static void test_once(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	const char *marks = fixture_path(&w.f, "marks");
	fixture_write(&w.f, "marks", S(""));
	assert_int_equal(chmod(w.f.folder, 0755), 0);
	assert_int_equal(chmod(marks, 0666), 0);
	w.spec.environment = (const char *const[]){arena_printf(&w.f.arena, "MARKS=%s", marks).p, NULL};
	const char *const *argv = SH("echo x >> $MARKS; echo result > $ISOBAR_OUT/r");
	run(&w, argv);
	assert_state(&w, JOB_SUCCEEDED);
	run(&w, argv); // its status says that it ended
	assert_int_equal(unlink(fixture_path(&w.f, "job/" JOB_STATUS_FILE)), 0);
	run(&w, argv); // killed between marker and status: the marker says so
	assert_state(&w, JOB_SUCCEEDED);
	assert_str(fixture_read(&w.f, "marks"), S("x\n"));

	assert_int_equal(unlink(fixture_path(&w.f, "job/" JOB_STATUS_FILE)), 0);
	w.spec.name = S("test/other"); // the same place of output
	run(&w, argv);
	assert_state(&w, JOB_FAILED);
	assert_true(str_find(w.status.reason, S("test/1")) >= 0);
	close_world(&w);
}

static void test_failures(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	run(&w, SH("echo partial > $ISOBAR_OUT/x; echo 'ValueError: bad input'; exit 3"));
	assert_state(&w, JOB_FAILED);
	assert_int_equal(w.status.exit_code, 3);
	assert_str(w.status.reason, S("exit code 3: ValueError: bad input"));
	assert_int_equal(memory_cloud_count(&w.m, "lake", "out/"), 0); // nothing half-written
	close_world(&w);

	open_world(&w);
	run(&w, SH("kill -SEGV $$"));
	assert_state(&w, JOB_FAILED);
	assert_true(str_starts(w.status.reason, S("ended by signal 11")));
	close_world(&w);

	open_world(&w);
	run(&w, (const char *const[]){"no-such-program-anywhere", NULL});
	assert_state(&w, JOB_FAILED);
	assert_true(str_find(w.status.reason, S("no-such-program-anywhere")) >= 0);
	close_world(&w);

	open_world(&w);
	run(&w, (const char *const[]){"builtin/nothing", NULL});
	assert_state(&w, JOB_FAILED);
	close_world(&w);

	open_world(&w);
	w.inputs[0] = (struct job_input){.name = S("data"), .bucket = S("lake"), .prefix = S("none/")};
	w.spec.inputs = w.inputs;
	w.spec.input_count = 1;
	run(&w, SH("true"));
	assert_state(&w, JOB_FAILED);
	assert_true(str_find(w.status.reason, S("nothing lies below lake/none/")) >= 0);
	close_world(&w);

	open_world(&w);
	run(&w, SH("ln -s /etc/passwd $ISOBAR_OUT/link"));
	assert_state(&w, JOB_FAILED);
	assert_int_equal(memory_cloud_count(&w.m, "lake", "out/"), 0);
	close_world(&w);
}

static void test_limits(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	w.spec.deadline_ns = 100 * NS_PER_MS;
	run(&w, SH("exec sleep 60"));
	assert_state(&w, JOB_FAILED);
	assert_str(w.status.reason, S("its deadline of 100ms passed"));
	close_world(&w);

	open_world(&w);
	w.spec.memory = 20 << 20;
	run(&w, SH("x=$(head -c 30000000 /dev/zero | tr '\\0' x); sleep 60"));
	assert_state(&w, JOB_FAILED);
	assert_true(str_find(w.status.reason, S("20 MiB are allowed")) >= 0);
	close_world(&w);

	open_world(&w);
	fixture_write(&w.f, "job/" JOB_STOP_FILE, S(""));
	run(&w, SH("true"));
	assert_state(&w, JOB_STOPPED);
	close_world(&w);
}

static void test_stop(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	pid_t helper = fork(); // asks for the stop while the command runs
	if (helper == 0) {
		struct timespec pause = {.tv_nsec = 100000000};
		nanosleep(&pause, NULL);
		_exit(file_write_atomic(fixture_path(&w.f, "job/" JOB_STOP_FILE), S(""), 0600, NULL) != 0);
	}
	run(&w, SH("exec sleep 60"));
	assert_state(&w, JOB_STOPPED);
	close_world(&w);
}

static void test_leftovers(void **state)
{
	(void)state;
	struct world w;
	struct process command;
	open_world(&w);
	// What a killed worker left: a running command, a status that says so, and an object that this run does not
	// make.
	const struct process_spec spec = {
		.argv = (const char *const[]){"/bin/sleep", "60", NULL}, .in = -1, .out = -1, .error = -1};
	assert_ok(&w.f, process_start(&spec, &command, &w.f.call.err));
	AUTO(json) j = job_status_to_json(&(struct job_status){.state = JOB_RUNNING});
	AUTO(buf) text = {0};
	json_object_set_new(j, "command", job_process_to_json(&command));
	assert_ok(&w.f, json_write(j, &text, &w.f.call.err));
	fixture_write(&w.f, "job/" JOB_STATUS_FILE, buf_str(&text));
	memory_cloud_poke(&w.m, "lake", "out/stale", S("old"));
	run(&w, SH("echo new > $ISOBAR_OUT/fresh"));
	assert_state(&w, JOB_SUCCEEDED);
	assert_false(process_alive(&command));
	assert_null(memory_cloud_peek(&w.m, "lake", "out/stale").p);
	assert_str(memory_cloud_peek(&w.m, "lake", "out/fresh"), S("new\n"));
	assert_int_equal(memory_cloud_count(&w.m, "lake", "out/"), 2);
	close_world(&w);
}

static void test_store_fails(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	atomic_store(&w.m.fail_put_at, 2); // one put fails and is tried again
	run(&w, SH("echo a > $ISOBAR_OUT/a; echo b > $ISOBAR_OUT/b"));
	assert_state(&w, JOB_SUCCEEDED);
	assert_int_equal(memory_cloud_count(&w.m, "lake", "out/"), 3);
	close_world(&w);

	open_world(&w);
	atomic_store(&w.m.down, true);
	run(&w, SH("true"));
	assert_state(&w, JOB_LOST); // to be submitted again
	close_world(&w);
}

static void test_log_is_bounded(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	run(&w, SH("head -c 20000000 /dev/zero | tr '\\0' a; echo; echo last"));
	assert_state(&w, JOB_SUCCEEDED);
	struct str now = log_text(&w), before = fixture_read(&w.f, "job/" JOB_OLD_LOG_FILE);
	assert_true(now.n <= JOB_LOG_LIMIT && before.n <= JOB_LOG_LIMIT && before.n > JOB_LOG_LIMIT - 100000);
	assert_true(str_ends(now, S("a\nlast\n")));
	close_world(&w);
}

static void test_isolation(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	run(&w, SH("id -u > $ISOBAR_OUT/uid; cat /proc/self/status | grep NoNewPrivs | tr -d '\\t' > "
		   "$ISOBAR_OUT/privileges"));
	assert_state(&w, JOB_SUCCEEDED);
	struct job_work work;
	uint64_t uid;
	assert_ok(&w.f, job_work_find(&w.f.arena, w.job, &work, &w.f.call.err));
	assert_int_equal(str_to_u64(str_trim(memory_cloud_peek(&w.m, "lake", "out/uid")), &uid), 0);
	if (job_isolation() == JOB_ISOLATION_OWN_UID) {
		assert_in_range(uid, 61184, 65519);
		assert_str(str_trim(memory_cloud_peek(&w.m, "lake", "out/privileges")), S("NoNewPrivs:1"));
	} else {
		assert_int_equal(uid, geteuid());
	}
	close_world(&w);
}

// Two jobs never share a uid at one time, also when their folders' digests agree.
static void test_claims(void **state)
{
	(void)state;
	struct world w;
	struct job_work a, b;
	open_world(&w);
	assert_ok(&w.f, job_work_find(&w.f.arena, w.job, &a, &w.f.call.err));
	b = a;
	assert_ok(&w.f, job_work_claim(&a, &w.f.call.err));
	assert_ok(&w.f, job_work_claim(&b, &w.f.call.err));
	assert_int_equal(a.own_uid, job_isolation() == JOB_ISOLATION_OWN_UID);
	assert_true(!a.own_uid || (a.uid && b.uid && a.uid != b.uid));
	uid_t first = a.uid;
	job_work_release(&a);
	assert_int_equal(a.uid, 0);
	assert_ok(&w.f, job_work_claim(&a, &w.f.call.err));
	assert_int_equal(a.uid, first);
	job_work_release(&a);
	job_work_release(&b);
	close_world(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_contract),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_failures),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_stop),
		cmocka_unit_test(test_leftovers),
		cmocka_unit_test(test_store_fails),
		cmocka_unit_test(test_log_is_bounded),
		cmocka_unit_test(test_isolation),
		cmocka_unit_test(test_claims),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
