// SPDX-License-Identifier: Apache-2.0
// Jobs of a pocket cloud as real processes: how they end, what is said of it, what they may, and that they outlive the
// pocket.
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>

#include "base/sandbox.h"
#include "engine_fixture.h"

// ---------------------------------------------------------------- how they end

static void test_exits(UNUSED void **state)
{
	start_script("ok", "echo out; echo err >&2; exit 0", NULL);
	start_script("bad", "exit 7", NULL);
	struct engine_status s = await_end("ok");
	assert_int_equal(s.state, ENGINE_EXITED);
	assert_int_equal(s.exit_code, 0);
	assert_int_equal(s.reason.n, 0);
	assert_true(s.queued_ns > 0 && s.started_ns >= s.queued_ns && s.ended_ns >= s.started_ns);
	assert_true(s.peak_rss > 0 && s.cpu_s >= 0);
	assert_int_equal(s.pid, 0);
	struct engine_log log = log_from("ok", 0);
	assert_int_equal(log.count, 2);
	bool first_is_error = log.lines[0].error; // two pipes: either may be read first
	assert_line(&log, first_is_error, "out");
	assert_line(&log, !first_is_error, "err");
	assert_true(log.lines[!first_is_error].error);
	assert_true(log.lines[0].time_ns >= s.started_ns && log.lines[0].time_ns <= s.ended_ns);
	s = await_end("bad");
	assert_int_equal(s.state, ENGINE_EXITED);
	assert_int_equal(s.exit_code, 7);
	assert_int_equal(log_from("bad", 0).count, 0);
}

static void test_signalled(UNUSED void **state)
{
	start_script("killed", "kill -SEGV $$", NULL);
	struct engine_status s = await_end("killed");
	assert_int_equal(s.state, ENGINE_EXITED);
	assert_int_equal(s.exit_code, 128 + SIGSEGV);
	assert_true(contains(s.reason, "ended by signal 11"));
}

static void test_cannot_run(UNUSED void **state)
{
	AUTO(json) missing = json_pack("[s]", "no-such-program-here");
	AUTO(json) none = json_array();
	AUTO(json) folder = json_pack("[s]", "/etc");
	start(&(struct engine_spec){.id = S("missing"), .image = S("x"), .argv = missing});
	start(&(struct engine_spec){.id = S("none"), .image = S("python:3"), .argv = none});
	start(&(struct engine_spec){.id = S("folder"), .image = S("x"), .argv = folder});
	struct engine_status s = await_end("missing");
	assert_int_equal(s.state, ENGINE_EXITED);
	assert_int_equal(s.exit_code, 127);
	assert_true(contains(s.reason, "no-such-program-here"));
	struct engine_log log = log_from("missing", 0);
	assert_int_equal(log.count, 1);
	s = await_end("none");
	assert_int_equal(s.exit_code, 127);
	assert_true(contains(s.reason, "python:3"));
	s = await_end("folder");
	assert_int_equal(s.state, ENGINE_EXITED);
	assert_int_equal(s.exit_code, 126);
}

static void test_memory(UNUSED void **state)
{
	// Doubles a text until somebody minds.
	start_script("greedy", "x=0123456789abcdef; while :; do x=$x$x; done",
		&(struct engine_spec){.memory = UINT64_C(64) << 20});
	struct engine_status s = await_end("greedy");
	assert_int_equal(s.state, ENGINE_EXITED);
	assert_int_not_equal(s.exit_code, 0);
	if (s.out_of_memory) { // or its address space ended first
		assert_int_equal(s.exit_code, 128 + SIGKILL);
		assert_true(contains(s.reason, "64 MiB are allowed"));
	}
	assert_true(s.peak_rss > UINT64_C(32) << 20);
}

static void test_deadline(UNUSED void **state)
{
	start_script("slow", "trap 'exit 3' TERM; while :; do sleep 0.05; done",
		&(struct engine_spec){.deadline_ns = 100 * NS_PER_MS});
	struct engine_status s = await_end("slow");
	assert_int_equal(s.state, ENGINE_TIMED_OUT);
	assert_int_equal(s.exit_code, 3);
	assert_true(contains(s.reason, "its deadline of 100ms passed"));
}

static void test_stopped(UNUSED void **state)
{
	struct err e = {0};
	start_script("polite", "trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.05; done", NULL);
	start_script("deaf", "trap '' TERM; echo up; while :; do sleep 0.05; done", NULL);
	await(log_from("polite", 0).count == 1 && log_from("deaf", 0).count == 1);
	assert_int_equal(engine_stop(here.engine, S("polite"), 20 * NS_PER_S, &e), 0);
	assert_int_equal(engine_stop(here.engine, S("deaf"), 50 * NS_PER_MS, &e), 0);
	struct engine_status s = await_end("polite");
	assert_int_equal(s.state, ENGINE_STOPPED);
	assert_int_equal(s.exit_code, 0);
	struct engine_log log = log_from("polite", 0);
	assert_line(&log, 1, "bye");
	s = await_end("deaf");
	assert_int_equal(s.state, ENGINE_STOPPED);
	assert_int_equal(s.exit_code, 128 + SIGKILL);
	assert_int_equal(engine_stop(here.engine, S("deaf"), 0, &e), 0); // it has ended: nothing changes
	assert_int_equal(status_of("deaf").state, ENGINE_STOPPED);
	assert_int_equal(engine_stop(here.engine, S("nobody"), 0, &e), ERR_NOT_FOUND);
}

static void test_interrupted(UNUSED void **state)
{
	const struct engine_spec spot = {.spot = true};
	struct err e = {0};
	start_script("spot", "trap 'exit 9' TERM; echo up; while :; do sleep 0.05; done", &spot);
	start_script("steady", "echo up; while :; do sleep 0.05; done", NULL);
	start_script("other", "trap 'exit 8' TERM; echo up; while :; do sleep 0.05; done", NULL);
	await(log_from("spot", 0).count && log_from("steady", 0).count && log_from("other", 0).count);
	assert_true(status_of("spot").spot);
	assert_int_equal(engine_interrupt_spot(here.engine, 20 * NS_PER_S), 1);
	struct engine_status s = await_end("spot");
	assert_int_equal(s.state, ENGINE_INTERRUPTED);
	assert_int_equal(s.exit_code, 9);
	assert_true(contains(s.reason, "taken away"));
	assert_int_equal(status_of("steady").state, ENGINE_RUNNING);
	assert_int_equal(engine_interrupt(here.engine, S("other"), 20 * NS_PER_S, &e), 0);
	assert_int_equal(await_end("other").state, ENGINE_INTERRUPTED);
	assert_int_equal(engine_interrupt_spot(here.engine, 0), 0);
}

// What a program started and left behind ends with it, also outside of its session.
static void test_leaves_nothing(UNUSED void **state)
{
	start_script("parent", "setsid sh -c 'echo $$; exec sleep 1000' & sleep 0.1; exit 0", NULL);
	assert_int_equal(await_end("parent").exit_code, 0);
	struct engine_log log = log_from("parent", 0);
	if (log.count) { // it may not have come to it
		int64_t pid;
		assert_int_equal(str_to_i64(log.lines[0].text, &pid), 0);
		assert_int_equal(kill((pid_t)pid, 0), -1);
	}
}

// ---------------------------------------------------------------- what they are given

static void test_environment(UNUSED void **state)
{
	AUTO(json) environment = json_pack("{s:s, s:s, s:s}", "GREETING", "good day", "HOME", "/elsewhere", "A=B", "x");
	setenv("ISOBAR_TEST_SECRET", "secret", 1);
	start_script("env", "pwd; echo $GREETING; echo $HOME; echo $OMP_NUM_THREADS; env | grep -c SECRET; ls",
		&(struct engine_spec){.environment = environment, .cpu = 1.5});
	assert_int_equal(await_end("env").state, ENGINE_EXITED);
	struct engine_log log = log_from("env", 0);
	assert_line(&log, 1, "good day");
	assert_line(&log, 2, "/elsewhere");
	assert_line(&log, 3, "2");
	assert_line(&log, 4, "0");
	assert_line(&log, 5, "input");
	assert_line(&log, 6, "model");
	assert_line(&log, 7, "output");
	assert_line(&log, 8, "tmp");
}

static void test_prepared(UNUSED void **state)
{
	struct engine_place place = {0}, again = {0};
	struct engine_status s;
	struct err e = {0};
	char path[256];
	assert_int_equal(engine_prepare(here.engine, S("p"), &place, &e), 0);
	assert_int_equal(engine_prepare(here.engine, S("p"), &again, &e), 0);
	assert_string_equal(place.work, again.work);
	assert_int_equal(engine_status(here.engine, S("p"), &s), ERR_NOT_FOUND);
	snprintf(path, sizeof(path), "%s/data.txt", place.input);
	assert_int_equal(file_write_atomic(path, S("from the service\n"), 0600, &e), 0);
	start_script("p", "cat input/data.txt > output/copy && echo more >> input/data.txt && cat input/data.txt", NULL);
	assert_int_equal(await_end("p").exit_code, 0);
	AUTO(buf) text = {0};
	snprintf(path, sizeof(path), "%s/copy", place.output);
	assert_int_equal(file_read(path, 100, &text, &e), 0);
	assert_true(str_eq(buf_str(&text), S("from the service\n")));
	assert_int_equal(engine_remove(here.engine, S("p"), &e), 0);
	assert_int_equal(access(path, F_OK), -1);
}

// Nothing of the pocket's can be read by a job.
static void test_isolated(UNUSED void **state)
{
	char script[256];
	struct stat s;
	snprintf(script, sizeof(script), "id -u; cat %s/credentials.json; cat %s/engine/isolated/spec.json; true",
		here.folder, here.folder);
	start_script("isolated", script, NULL);
	assert_int_equal(await_end("isolated").exit_code, 0);
	struct engine_log log = log_from("isolated", 0);
	uint64_t uid = 0;
	for (size_t i = 0; i < log.count; i++) {
		if (!log.lines[i].error && str_to_u64(log.lines[i].text, &uid) < 0 &&
			sandbox_kind() == SANDBOX_OWN_UID)
			fail_msg("it read \"%.*s\"", STR(log.lines[i].text));
		assert_false(contains(log.lines[i].text, "secret_access_key"));
	}
	if (sandbox_kind() == SANDBOX_OWN_UID)
		assert_true(uid >= 61184 && uid <= 65519);
	snprintf(script, sizeof(script), "%s/engine/isolated/spec.json", here.folder);
	assert_int_equal(stat(script, &s), 0);
	assert_int_equal(s.st_mode & 0777, 0600);
	assert_string_equal(engine_isolation_text(), sandbox_kind_text(sandbox_kind()));
}

// ---------------------------------------------------------------- names, removal, queue

static void test_refused(UNUSED void **state)
{
	struct err e = {0};
	struct engine_status s;
	struct engine_place place;
	const struct str bad[] = {S(""), S(".."), S(".x"), S("a/b"), S("a b"), S("\xc3\xa4")};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_int_equal(engine_start(here.engine, &(struct engine_spec){.id = bad[i]}, &e), ERR_INVALID);
		assert_int_equal(engine_prepare(here.engine, bad[i], &place, &e), ERR_INVALID);
		assert_int_equal(engine_status(here.engine, bad[i], &s), ERR_NOT_FOUND);
	}
	start_script("once", "exit 0", NULL);
	AUTO(json) argv = json_pack("[s]", "true");
	const struct engine_spec again = {.id = S("once"), .image = S("x"), .argv = argv};
	assert_int_equal(engine_start(here.engine, &again, &e), ERR_EXISTS);
	await_end("once");
	assert_int_equal(engine_start(here.engine, &again, &e), ERR_EXISTS);
	assert_int_equal(engine_remove(here.engine, S("absent"), &e), ERR_NOT_FOUND);
}

static void test_removed_while_it_runs(UNUSED void **state)
{
	struct err e = {0};
	struct engine_status s;
	char path[128];
	start_script("r", "trap '' TERM; echo $$; while :; do sleep 0.05; done", NULL);
	await(log_from("r", 0).count == 1);
	int pid = pid_of("r");
	assert_int_equal(kill(pid, 0), 0);
	assert_int_equal(engine_remove(here.engine, S("r"), &e), 0);
	assert_int_equal(engine_status(here.engine, S("r"), &s), ERR_NOT_FOUND);
	AUTO(json) argv = json_pack("[s]", "true");
	const struct engine_spec again = {.id = S("r"), .image = S("x"), .argv = argv};
	snprintf(path, sizeof(path), "%s/engine/r", here.folder);
	await(access(path, F_OK) < 0);
	assert_int_equal(kill(pid, 0), -1);
	await(engine_start(here.engine, &again, &e) == 0); // the name is free
	assert_int_equal(await_end("r").exit_code, 0);
}

static void test_stopped_before_it_began(UNUSED void **state)
{
	struct err e = {0};
	start_script("early", "sleep 100", NULL);
	assert_int_equal(engine_stop(here.engine, S("early"), 0, &e), 0);
	assert_int_equal(await_end("early").state, ENGINE_STOPPED);
}

static void test_json(UNUSED void **state)
{
	start_script("j", "exit 0", NULL);
	await_end("j");
	AUTO(json) j = engine_json(here.engine);
	assert_string_equal(json_text(j, "isolation"), engine_isolation_text());
	const json_t *job = json_array_get(json_object_get(j, "jobs"), 0);
	assert_string_equal(json_text(job, "id"), "j");
	assert_string_equal(json_text(job, "state"), "exited");
	assert_string_equal(json_text(job, "kind"), "job");
}

// ---------------------------------------------------------------- the pocket is killed

static void test_outlives_the_pocket(UNUSED void **state)
{
	start_script("on", "echo up; while [ ! -e go ]; do sleep 0.02; done; echo done; exit 4", NULL);
	await(log_from("on", 0).count == 1);
	struct engine_place place;
	struct err e = {0};
	char path[256];
	int pid = pid_of("on");
	close_pocket();
	assert_int_equal(kill(pid, 0), 0);
	open_pocket();
	assert_int_equal(status_of("on").state, ENGINE_RUNNING);
	assert_int_equal(status_of("on").pid, pid);
	close_pocket();
	// It ends while no pocket looks.
	AUTO(arena) a = {0};
	char folder[128];
	snprintf(folder, sizeof(folder), "%s/engine/on", here.folder);
	assert_int_equal(engine_place_make(&a, folder, &place, &e), 0);
	snprintf(path, sizeof(path), "%s/go", place.work);
	assert_int_equal(file_write_atomic(path, S(""), 0644, &e), 0);
	int64_t until = test_now_ns() + WAIT_NS;
	while (engine_supervised(folder) && test_now_ns() < until)
		usleep(5000);
	open_pocket();
	struct engine_status s = await_end("on");
	assert_int_equal(s.state, ENGINE_EXITED);
	assert_int_equal(s.exit_code, 4);
	struct engine_log log = log_from("on", 0);
	assert_line(&log, 1, "done");
}

static void test_supervisor_killed(UNUSED void **state)
{
	struct engine_report report;
	struct err e = {0};
	char folder[128];
	start_script("lost", "echo up; while :; do sleep 0.05; done", NULL);
	await(log_from("lost", 0).count == 1);
	snprintf(folder, sizeof(folder), "%s/engine/lost", here.folder);
	assert_int_equal(engine_report_read(folder, &report, &e), 0);
	assert_int_equal(kill(report.supervisor.pid, SIGKILL), 0);
	struct engine_status s = await_end("lost");
	assert_int_equal(s.state, ENGINE_LOST);
	assert_true(contains(s.reason, "its supervisor was killed"));
	await(!process_alive(&report.program));
	close_pocket();
	open_pocket();
	assert_int_equal(status_of("lost").state, ENGINE_LOST);
}

static bool ended;

static void on_ended(UNUSED void *ctx)
{
	ended = true;
}

static void test_all_ended(UNUSED void **state)
{
	start_script("a", "echo up; while :; do sleep 0.05; done", NULL);
	start_script("b", "trap '' TERM; echo up; while :; do sleep 0.05; done", NULL);
	await(log_from("a", 0).count && log_from("b", 0).count);
	int a = pid_of("a"), b = pid_of("b");
	ended = false;
	engine_end_all(here.engine, 50 * NS_PER_MS, on_ended, NULL);
	await(ended);
	assert_true(kill(a, 0) < 0 && kill(b, 0) < 0);
	assert_int_equal(status_of("a").state, ENGINE_LOST);
	assert_true(contains(status_of("a").reason, "shut down"));
	close_pocket();
	open_pocket();
	assert_int_equal(status_of("b").state, ENGINE_LOST); // a job does not begin again
}

static void test_root_ended(UNUSED void **state)
{
	struct err e = {0};
	start_script("a", "trap '' TERM; echo up; while :; do sleep 0.05; done", NULL);
	await(log_from("a", 0).count == 1);
	int pid = pid_of("a");
	close_pocket();
	assert_int_equal(engine_end_root(here.folder, 50 * NS_PER_MS, &e), 0);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(engine_end_root(here.folder, 0, &e), 0); // nothing is left
	assert_int_equal(engine_end_root("/nonexistent/root", 0, &e), 0);
}

// A folder that is gone has nobody who could ask for the job.
static void test_folder_removed(UNUSED void **state)
{
	struct err e = {0};
	char path[128];
	start_script("gone", "echo up; while :; do sleep 0.05; done", NULL);
	await(log_from("gone", 0).count == 1);
	struct process program;
	assert_int_equal(process_identify(pid_of("gone"), &program), 0);
	close_pocket();
	snprintf(path, sizeof(path), "%s/engine", here.folder);
	assert_int_equal(file_remove_tree(path, &e), 0);
	int64_t until = test_now_ns() + WAIT_NS;
	while (process_alive(&program) && test_now_ns() < until)
		usleep(5000);
	assert_false(process_alive(&program));
}

int main(int argc, char **argv)
{
	int role = engine_test_role(argc, argv);
	if (role >= 0)
		return role;
#define T(name) cmocka_unit_test_setup_teardown(name, engine_setup, engine_teardown)
	const struct CMUnitTest tests[] = {
		T(test_exits),
		T(test_signalled),
		T(test_cannot_run),
		T(test_memory),
		T(test_deadline),
		T(test_stopped),
		T(test_interrupted),
		T(test_leaves_nothing),
		T(test_environment),
		T(test_prepared),
		T(test_isolated),
		T(test_refused),
		T(test_removed_while_it_runs),
		T(test_stopped_before_it_began),
		T(test_json),
		T(test_outlives_the_pocket),
		T(test_supervisor_killed),
		T(test_all_ended),
		T(test_root_ended),
		T(test_folder_removed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
