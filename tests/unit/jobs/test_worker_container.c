// SPDX-License-Identifier: Apache-2.0
// The worker in a provider's container: the submitted code runs, its state is told, its output goes to standard output
// too; a machine that is taken away costs an attempt, not the checkpoint.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/time.h"
#include "cloud/job_files.h"
#include "cloud/job_work.h"
#include "fixture.h"
#include "jobs/worker_container.h"
#include "memory_cloud.h"

#define SH(script) ((const char *const[]){"/bin/sh", "-c", (script), NULL})
#define FOLDER ".isobar/jobs/test+1/"

struct world {
	struct fixture f;
	struct memory_cloud m;
	struct cloud_config config;
	struct job_spec spec;
	struct job_package package;
	struct job_status status;
	const char *job;
};

static int setup(void **state)
{
	static const char *const none[] = {NULL};
	struct world *w = calloc(1, sizeof(*w));
	fixture_open(&w->f);
	memory_cloud_init(&w->m, "aws-us", "aws");
	memory_cloud_bucket(&w->m, "lake");
	setenv("ISOBAR_SLOT_FOLDER", fixture_path(&w->f, "slots"), 1);
	w->config = (struct cloud_config){.name = S("aws-us"), .provider = S("aws"), .region = S("us-east-1")};
	w->spec = (struct job_spec){.name = S("test/1"), .environment = none, .output = {S("lake"), S("out/")}};
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	memory_cloud_free(&w->m);
	fixture_close(&w->f);
	free(w);
	return 0;
}

static void submit(struct world *w, const char *const *argv)
{
	w->spec.argv = argv;
	assert_ok(&w->f, job_package_put(&w->f.call, &w->m.cloud, &w->config, &w->spec, &w->package));
}

// In a new container: a folder of its own, standard output kept.
static void run(struct world *w, const char *container)
{
	struct job_work work;
	w->job = fixture_path(&w->f, container);
	assert_int_equal(mkdir(w->job, 0700), 0);
	fflush(stdout);
	int saved = dup(STDOUT_FILENO);
	AUTO(fd) out = open(fixture_path(&w->f, "stdout"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(dup2(out, STDOUT_FILENO), STDOUT_FILENO);
	int code = worker_run_package(&w->f.call, &w->m.cloud, &w->package, w->job, &w->status);
	assert_int_equal(dup2(saved, STDOUT_FILENO), STDOUT_FILENO);
	fd_close(&saved);
	assert_ok(&w->f, code);
	assert_ok(&w->f, job_work_find(&w->f.arena, w->job, &work, &w->f.call.err));
	assert_ok(&w->f, job_work_remove(&work, true, &w->f.call.err));
}

static struct job_status told(struct world *w)
{
	struct job_status status;
	bool known = false, stop = true;
	assert_ok(&w->f, job_package_status(&w->f.call, &w->m.cloud, &w->package, &known, &status, &stop));
	assert_true(known);
	assert_false(stop);
	return status;
}

static void runs_what_was_submitted(void **state)
{
	struct world *w = *state;
	fixture_write(&w->f, "code/tool.sh", S("echo from code"));
	w->spec.code_directory = str_of(fixture_path(&w->f, "code"));
	submit(w, SH("sh tool.sh; env | grep -c ISOBAR_STORE || true; echo result > $ISOBAR_OUT/r"));
	assert_ok(&w->f, file_remove_tree(fixture_path(&w->f, "code"), &w->f.call.err)); // the operator's machine is far
	setenv("ISOBAR_STORE", "{}", 1);
	run(w, "one");
	unsetenv("ISOBAR_STORE");
	assert_int_equal(w->status.state, JOB_SUCCEEDED);
	assert_int_equal(worker_exit_code(&w->status), 0);
	assert_str(fixture_read(&w->f, "stdout"), S("from code\n0\n"));
	assert_str(memory_cloud_peek(&w->m, "lake", "out/r"), S("result\n"));
	struct job_status last = told(w);
	assert_int_equal(last.state, JOB_SUCCEEDED);
	assert_true(last.peak_rss > 0 && last.ended_ns >= last.started_ns && last.started_ns > 0);
}

static void a_failure_has_its_exit_code(void **state)
{
	struct world *w = *state;
	submit(w, SH("echo wrong; exit 7"));
	run(w, "one");
	assert_int_equal(w->status.state, JOB_FAILED);
	assert_int_equal(worker_exit_code(&w->status), 7);
	struct job_status last = told(w);
	assert_int_equal(last.exit_code, 7);
	assert_str(last.reason, S("exit code 7: wrong"));
	const struct job_status killed = {.state = JOB_FAILED}, lost = {.state = JOB_LOST}, odd = {
		.state = JOB_FAILED, .exit_code = JOB_EXIT_LOST};
	assert_int_equal(worker_exit_code(&killed), 1);
	assert_int_equal(worker_exit_code(&odd), 1);
	assert_int_equal(worker_exit_code(&lost), JOB_EXIT_LOST);
}

// The notice comes when the command says that it has its first checkpoint.
static void *give_notice(void *ctx)
{
	const char *sign = ctx;
	for (int i = 0; i < 2000 && !file_exists(sign); i++)
		usleep(10000);
	kill(getpid(), SIGTERM);
	return NULL;
}

static void a_checkpoint_outlives_its_machine(void **state)
{
	struct world *w = *state;
	pthread_t thread;
	sigset_t term;
	const struct timespec now = {0};
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	assert_int_equal(pthread_sigmask(SIG_BLOCK, &term, NULL), 0);
	assert_int_equal(chmod(w->f.folder, 0777), 0);
	w->spec.environment = (const char *const[]){arena_printf(&w->f.arena, "SIGN=%s/sign", w->f.folder).p, NULL};
	submit(w, SH("if test -e $ISOBAR_CHECKPOINT/epoch; then cp $ISOBAR_CHECKPOINT/epoch $ISOBAR_OUT/; exit 0; fi;"
		     "trap 'echo 3 > $ISOBAR_CHECKPOINT/epoch; exit 1' TERM; echo begun > $SIGN; while :; do sleep 0.05; done"));
	char sign[256];
	assert_true(str_copy(sign, sizeof(sign), arena_printf(&w->f.arena, "%s/sign", w->f.folder)));
	assert_int_equal(pthread_create(&thread, NULL, give_notice, sign), 0);
	run(w, "one");
	pthread_join(thread, NULL);
	assert_int_equal(sigtimedwait(&term, NULL, &now), SIGTERM);
	assert_int_equal(w->status.state, JOB_LOST);
	assert_int_equal(worker_exit_code(&w->status), JOB_EXIT_LOST);
	assert_int_equal(told(w).state, JOB_LOST);
	assert_str(memory_cloud_peek(&w->m, "lake", FOLDER "checkpoint/epoch"), S("3\n"));
	assert_ok(&w->f, job_package_next_attempt(&w->f.call, &w->m.cloud, &w->package));
	run(w, "two");
	assert_int_equal(w->status.state, JOB_SUCCEEDED);
	assert_str(memory_cloud_peek(&w->m, "lake", "out/epoch"), S("3\n"));
}

static void an_attempt_after_success_does_nothing(void **state)
{
	struct world *w = *state;
	submit(w, SH("date +%N > $ISOBAR_OUT/r"));
	run(w, "one");
	struct str first = arena_str(&w->f.arena, memory_cloud_peek(&w->m, "lake", "out/r"));
	assert_ok(&w->f, job_package_next_attempt(&w->f.call, &w->m.cloud, &w->package));
	run(w, "two");
	assert_int_equal(w->status.state, JOB_SUCCEEDED);
	assert_str(memory_cloud_peek(&w->m, "lake", "out/r"), first);
}

static void nothing_runs_without_its_store(void **state)
{
	struct world *w = *state;
	unsetenv("ISOBAR_STORE");
	submit(w, SH("true"));
	assert_int_equal(worker_package_main(&w->f.call, arena_cstr(&w->f.arena, w->package.url)), err_exit_code(ERR_INVALID));
	assert_int_equal(worker_package_main(&w->f.call, "s3://nonsense"), err_exit_code(ERR_INVALID));
	assert_int_equal(worker_endpoint_main(&w->f.call, "s3://nonsense"), err_exit_code(ERR_INVALID));
	assert_int_equal(worker_endpoint_main(&w->f.call, "s3://lake/models/c/1/#c.1"), err_exit_code(ERR_INVALID));
	err_clear(&w->f.call.err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(runs_what_was_submitted, setup, teardown),
		cmocka_unit_test_setup_teardown(a_failure_has_its_exit_code, setup, teardown),
		cmocka_unit_test_setup_teardown(a_checkpoint_outlives_its_machine, setup, teardown),
		cmocka_unit_test_setup_teardown(an_attempt_after_success_does_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(nothing_runs_without_its_store, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
