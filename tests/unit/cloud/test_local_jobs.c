// SPDX-License-Identifier: Apache-2.0
// The life of jobs on the local engine. The worker is this very program, playing what the job's first argument says.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/process.h"
#include "base/time.h"
#include "cloud/job_files.h"
#include "cloud/local/local.h"
#include "fixture.h"
#include "memory_cloud.h"

// ---------------------------------------------------------------- the worker that is played
static void worker_status(const char *folder, enum job_state state, const char *reason)
{
	AUTO(buf) path = {0}, text = {0};
	struct process self;
	if (process_identify(getpid(), &self))
		_exit(90);
	json_t *j = job_status_to_json(&(struct job_status){.state = state, .reason = str_of(reason), .exit_code = 0});
	json_object_set_new(j, "worker", job_process_to_json(&self));
	buf_printf(&path, "%s/" JOB_STATUS_FILE, folder);
	if (json_write(j, &text, NULL) || file_write_atomic(buf_cstr(&path), buf_str(&text), 0600, NULL))
		_exit(91);
	json_decref(j);
}

static void append(const char *folder, const char *name, const char *text)
{
	AUTO(buf) path = {0};
	buf_printf(&path, "%s/%s", folder, name);
	int fd = open(buf_cstr(&path), O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(92);
	close(fd);
}

static int wait_for_stop(const char *folder, bool obey)
{
	AUTO(buf) path = {0};
	struct timespec pause = {.tv_nsec = 5000000};
	buf_printf(&path, "%s/" JOB_STOP_FILE, folder);
	while (!obey || !file_exists(buf_cstr(&path)))
		nanosleep(&pause, NULL);
	worker_status(folder, JOB_STOPPED, "stopped");
	return 0;
}

static int play_worker(const char *folder)
{
	AUTO(buf) path = {0};
	AUTO(json) spec = NULL;
	buf_printf(&path, "%s/" JOB_SPEC_FILE, folder);
	if (json_parse_file(buf_cstr(&path), 1 << 20, &spec, NULL))
		return 93;
	const char *role = json_string_value(json_array_get(json_object_get(spec, "argv"), 0));
	append(folder, "starts", "x");
	if (strcmp(role, "die") == 0)
		return 1;
	if (strcmp(role, "die-once") == 0) {
		buf_clear(&path);
		buf_printf(&path, "%s/died", folder);
		if (!file_exists(buf_cstr(&path))) {
			append(folder, "died", "x");
			return 1;
		}
	}
	if (strcmp(role, "give-up") == 0) {
		worker_status(folder, JOB_LOST, "its store stayed away");
		return 1;
	}
	signal(SIGTERM, SIG_IGN);
	worker_status(folder, JOB_RUNNING, "");
	append(folder, JOB_OLD_LOG_FILE, "first ");
	append(folder, JOB_LOG_FILE, "second");
	if (strcmp(role, "hang") == 0 || strcmp(role, "deaf") == 0)
		return wait_for_stop(folder, strcmp(role, "hang") == 0);
	worker_status(folder, JOB_SUCCEEDED, "");
	return 0;
}

// ---------------------------------------------------------------- tests
struct world {
	struct fixture f;
	struct memory_cloud m;
	struct local *local;
};

static void open_engine(struct world *w)
{
	AUTO(json) config = json_pack("{s:s}", "secret", "s3cr3t");
	const struct local_options options = {.cloud = S("aws-us"),
		.root = str_of(fixture_path(&w->f, "local")),
		.cloud_json = config,
		.program = process_self_path()};
	assert_ok(&w->f, local_open_with(&w->f.call, &options, &w->m.cloud, &w->local));
}

static void open_world(struct world *w)
{
	fixture_open(&w->f);
	memory_cloud_init(&w->m, "aws-us", "aws");
	memory_cloud_bucket(&w->m, "lake");
	open_engine(w);
}

static void close_world(struct world *w)
{
	local_close(w->local);
	memory_cloud_free(&w->m);
	fixture_close(&w->f);
}

static int submit(struct world *w, const char *name, const char *role)
{
	const char *const argv[] = {role, NULL};
	const struct job_spec spec = {.name = str_of(name),
		.argv = argv,
		.output = {.bucket = S("lake"), .prefix = S("out/")},
		.memory = 1 << 20};
	return local_job_ops.submit(&w->f.call, w->local, &spec);
}

static struct job_status observe(struct world *w, const char *name)
{
	struct job_status status = {0};
	assert_ok(&w->f, local_job_ops.observe(&w->f.call, w->local, str_of(name), &status));
	return status;
}

static struct job_status wait_for(struct world *w, const char *name, enum job_state state)
{
	struct job_status status = observe(w, name);
	for (int i = 0; i < 1000 && status.state != state; i++) {
		assert_ok(&w->f, call_sleep(&w->f.call, 5 * NS_PER_MS));
		status = observe(w, name);
	}
	if (status.state != state)
		fail_msg("%s is %s (%.*s), not %s", name, job_state_text(status.state), STR(status.reason),
			job_state_text(state));
	return status;
}

static size_t starts(struct world *w, const char *folder)
{
	return fixture_read(&w->f, arena_printf(&w->f.arena, "local/jobs/%s/starts", folder).p).n;
}

static void test_success(void **state)
{
	(void)state;
	struct world w;
	struct job_status status;
	open_world(&w);
	assert_fails(&w.f, local_job_ops.observe(&w.f.call, w.local, S("t/1"), &status), ERR_NOT_FOUND);
	assert_ok(&w.f, submit(&w, "t/1", "ok"));
	wait_for(&w, "t/1", JOB_SUCCEEDED);
	assert_ok(&w.f, submit(&w, "t/1", "ok")); // found again, not made again
	assert_int_equal(starts(&w, "t+1"), 1);
	assert_fails(&w.f, submit(&w, "t/1", "hang"), ERR_CONFLICT); // another job under the same name
	struct stat s;
	assert_int_equal(stat(fixture_path(&w.f, "local/jobs/t+1/cloud.json"), &s), 0);
	assert_int_equal(s.st_mode & 0777, 0600);
	assert_int_equal(stat(fixture_path(&w.f, "local/jobs/t+1"), &s), 0);
	assert_int_equal(s.st_mode & 0777, 0700);
	assert_true(str_find(fixture_read(&w.f, "local/jobs/t+1/cloud.json"), S("s3cr3t")) > 0);
	close_world(&w);
}

static void test_two_engines(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	assert_ok(&w.f, submit(&w, "t/1", "hang"));
	local_close(w.local); // the control plane is restarted
	open_engine(&w);
	assert_ok(&w.f, submit(&w, "t/1", "hang"));
	wait_for(&w, "t/1", JOB_RUNNING);
	assert_ok(&w.f, submit(&w, "t/1", "hang"));
	assert_int_equal(starts(&w, "t+1"), 1);
	assert_ok(&w.f, local_job_ops.stop(&w.f.call, w.local, S("t/1")));
	assert_int_equal(observe(&w, "t/1").state, JOB_STOPPED);
	assert_ok(&w.f, local_job_ops.stop(&w.f.call, w.local, S("t/1")));
	assert_ok(&w.f, local_job_ops.stop(&w.f.call, w.local, S("never")));
	close_world(&w);
}

static void test_lost(void **state)
{
	(void)state;
	struct world w;
	open_world(&w);
	assert_ok(&w.f, submit(&w, "t/1", "die-once"));
	struct job_status status = wait_for(&w, "t/1", JOB_LOST);
	assert_true(str_find(status.reason, S("worker.log")) > 0);
	assert_ok(&w.f, submit(&w, "t/1", "die-once"));
	wait_for(&w, "t/1", JOB_SUCCEEDED);
	assert_int_equal(starts(&w, "t+1"), 2);

	assert_ok(&w.f, submit(&w, "t/2", "give-up"));
	status = wait_for(&w, "t/2", JOB_LOST);
	assert_str(status.reason, S("its store stayed away"));

	assert_ok(&w.f, submit(&w, "t/3", "hang")); // killed from outside
	wait_for(&w, "t/3", JOB_RUNNING);
	AUTO(json) j = NULL;
	assert_ok(&w.f, json_parse(fixture_read(&w.f, "local/jobs/t+3/status.json"), &j, &w.f.call.err));
	struct process worker = job_process_of_json(json_object_get(j, "worker"));
	process_kill_group(&worker, SIGKILL);
	wait_for(&w, "t/3", JOB_LOST);
	close_world(&w);
}

static void test_cloud_is_down(void **state)
{
	(void)state;
	struct world w;
	struct job_status status;
	open_world(&w);
	atomic_store(&w.m.down, true);
	assert_fails(&w.f, submit(&w, "t/1", "ok"), ERR_UNAVAILABLE);
	assert_fails(&w.f, local_job_ops.observe(&w.f.call, w.local, S("t/1"), &status), ERR_NOT_FOUND);
	atomic_store(&w.m.down, false);
	assert_ok(&w.f, submit(&w, "t/1", "ok"));
	wait_for(&w, "t/1", JOB_SUCCEEDED);
	close_world(&w);
}

static int collect(void *ctx, struct str data)
{
	buf_add(ctx, data);
	return 0;
}

static void test_the_rest(void **state)
{
	(void)state;
	struct world w;
	struct str *names;
	size_t count;
	AUTO(buf) log = {0};
	struct sink sink = {.ctx = &log, .write = collect};
	open_world(&w);
	struct call *c = &w.f.call;
	assert_ok(&w.f, local_job_ops.list(c, w.local, S(""), &names, &count));
	assert_int_equal(count, 0);
	assert_ok(&w.f, submit(&w, "t/2", "ok"));
	assert_ok(&w.f, submit(&w, "t/1", "hang"));
	assert_ok(&w.f, submit(&w, "u", "ok"));
	wait_for(&w, "t/2", JOB_SUCCEEDED);
	wait_for(&w, "u", JOB_SUCCEEDED);
	wait_for(&w, "t/1", JOB_RUNNING);
	assert_ok(&w.f, local_job_ops.list(c, w.local, S("t/"), &names, &count));
	assert_int_equal(count, 2);
	assert_str(names[0], S("t/1"));
	assert_str(names[1], S("t/2"));
	assert_ok(&w.f, local_job_ops.logs(c, w.local, S("t/2"), &sink));
	assert_string_equal(buf_cstr(&log), "first second");
	assert_fails(&w.f, local_job_ops.logs(c, w.local, S("none"), &sink), ERR_NOT_FOUND);
	assert_fails(&w.f, local_job_ops.remove(c, w.local, S("t/1")), ERR_IN_USE);
	assert_ok(&w.f, local_job_ops.stop(c, w.local, S("t/1")));
	assert_ok(&w.f, local_job_ops.remove(c, w.local, S("t/1")));
	assert_ok(&w.f, local_job_ops.remove(c, w.local, S("t/1")));
	assert_ok(&w.f, local_job_ops.list(c, w.local, S("t/"), &names, &count));
	assert_int_equal(count, 1);
	close_world(&w);
}

static void test_names(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"", ".", "..", "a/../b", "a//b", "/a", "a/", "a b", "a+b", "a/.b", "\xc3\xa4"};
	struct world w;
	struct str folder, name;
	open_world(&w);
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_fails(&w.f, submit(&w, bad[i], "ok"), ERR_INVALID);
	assert_ok(&w.f, job_folder_name(&w.f.arena, S("train/c/r-1/aws@2"), &folder, &w.f.call.err));
	assert_str(folder, S("train+c+r-1+aws@2"));
	assert_ok(&w.f, job_name_of_folder(&w.f.arena, folder, &name, &w.f.call.err));
	assert_str(name, S("train/c/r-1/aws@2"));
	close_world(&w);
}

int main(int argc, char **argv)
{
	if (argc == 4 && strcmp(argv[1], "worker") == 0)
		return play_worker(argv[3]);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_success),
		cmocka_unit_test(test_two_engines),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_cloud_is_down),
		cmocka_unit_test(test_the_rest),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
