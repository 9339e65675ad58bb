// SPDX-License-Identifier: Apache-2.0
// Jobs and endpoints of a cloud through its services, against whatever a configuration names:
// sagemaker-driver CONFIG.json BUCKET [runs]
// runs: the server runs what it is asked for (a pocket cloud); without it, it only keeps records (moto). One line a step;
// exit 0 when all hold. The bucket is made and deleted.
#include <stdio.h>
#include <string.h>

#include "base/time.h"
#include "cloud/job_package.h"
#include "cloud/registry.h"

enum { LONGEST_S = 60 };

struct run {
	struct arena arena;
	struct call c;
	struct cloud cloud;
	struct str bucket;
	bool runs;
	int failed;
};

static bool step(struct run *r, const char *what, bool good)
{
	printf("%s - %s%s%s\n", good ? "ok" : "not ok", what, good ? "" : ": ", good ? "" : r->c.err.message);
	fflush(stdout);
	r->failed += !good;
	err_clear(&r->c.err);
	return good;
}

// ---------------------------------------------------------------- jobs
static struct job_spec spec_of(struct run *r, const char *name, const char *const *argv)
{
	return (struct job_spec){.name = str_of(name),
		.argv = argv,
		.cpu = 1,
		.memory = 256 << 20,
		.deadline_ns = 60 * NS_PER_S,
		.output = {.bucket = r->bucket, .prefix = arena_printf(&r->arena, "out/%s/", name)}};
}

static bool ended(const struct job_status *s)
{
	return s->state != JOB_QUEUED && s->state != JOB_RUNNING;
}

// A server that only keeps records says at once that the job is done, and the worker never says anything: it is lost.
static bool await_job(struct run *r, const char *name, struct job_status *status)
{
	int64_t until = call_mono_ns(&r->c) + LONGEST_S * NS_PER_S;
	do {
		if (CLOUD_CALL(&r->c, &r->cloud, jobs, observe, str_of(name), status))
			return false;
		if (!ended(status) && call_sleep(&r->c, 50 * NS_PER_MS))
			return false;
	} while (!ended(status) && call_mono_ns(&r->c) < until);
	return ended(status);
}

static int add_log(void *ctx, struct str data)
{
	buf_add(ctx, data);
	return 0;
}

static bool has_name(const struct str *names, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (str_is(names[i], name))
			return true;
	return false;
}

static void run_job(struct run *r, const char *name)
{
	static const char *const argv[] = {"/bin/sh", "-c", "echo said; echo done > $ISOBAR_OUT/result", NULL};
	const struct job_spec spec = spec_of(r, name, argv);
	struct job_status status = {0};
	struct str *names, result = {0};
	size_t count = 0;
	AUTO(buf) log = {0};
	struct sink sink = {.ctx = &log, .write = add_log};
	printf("# %s\n", name);
	if (!step(r, "submit", CLOUD_CALL(&r->c, &r->cloud, jobs, submit, &spec) == 0))
		return;
	step(r, "submit again", CLOUD_CALL(&r->c, &r->cloud, jobs, submit, &spec) == 0);
	bool over = step(r, "observe until it ends", await_job(r, name, &status));
	if (r->runs && over) {
		printf("# %s\n", arena_printf(&r->arena, "state %d: %.*s", (int)status.state, STR(status.reason)).p);
		step(r, "it succeeded", status.state == JOB_SUCCEEDED);
		step(r, "its result is there",
			cloud_get_bytes(&r->c, &r->cloud, r->bucket,
				arena_printf(&r->arena, "out/%s/result", name), 100, &result) == 0);
	}
	step(r, "logs", CLOUD_CALL(&r->c, &r->cloud, jobs, logs, str_of(name), &sink) == 0);
	if (r->runs)
		step(r, "the logs say what it said", str_find(buf_str(&log), S("said")) >= 0);
	step(r, "list", CLOUD_CALL(&r->c, &r->cloud, jobs, list, S(""), &names, &count) == 0 &&
				has_name(names, count, name));
	step(r, "stop what has ended", CLOUD_CALL(&r->c, &r->cloud, jobs, stop, str_of(name)) == 0);
	if (r->runs) // moto 5.2 has no DeleteTrainingJob, nor DeleteProcessingJob
		step(r, "remove", CLOUD_CALL(&r->c, &r->cloud, jobs, remove, str_of(name)) == 0);
}

// ---------------------------------------------------------------- endpoints
static void run_endpoint(struct run *r)
{
	const struct endpoint_spec spec = {.name = S("classify"),
		.model = S("classifier"),
		.version = S("1"),
		.bucket = r->bucket,
		.prefix = S("models/classifier/1/"),
		.replicas = 1,
		.cpu = 1,
		.memory = 256 << 20,
		.generation = S("0123456789abcdef")};
	struct endpoint_status status = {0};
	struct str *names;
	size_t count = 0;
	printf("# endpoint\n");
	step(r, "ensure", CLOUD_CALL(&r->c, &r->cloud, endpoints, ensure, &spec) == 0);
	step(r, "ensure again", CLOUD_CALL(&r->c, &r->cloud, endpoints, ensure, &spec) == 0);
	step(r, "observe", CLOUD_CALL(&r->c, &r->cloud, endpoints, observe, spec.name, &status) == 0 &&
				   str_eq(status.generation, spec.generation) && status.invoke.how == INVOKE_SAGEMAKER);
	step(r, "list", CLOUD_CALL(&r->c, &r->cloud, endpoints, list, &names, &count) == 0 &&
				has_name(names, count, "classify"));
	step(r, "delete", CLOUD_CALL(&r->c, &r->cloud, endpoints, delete, spec.name) == 0);
	step(r, "delete again", CLOUD_CALL(&r->c, &r->cloud, endpoints, delete, spec.name) == 0);
}

static void sweep(struct run *r)
{
	struct store_page page = {0};
	if (cloud_list_all(&r->c, &r->cloud, r->bucket, S(""), &page) == 0)
		for (size_t i = 0; i < page.count; i++)
			(void)CLOUD_CALL(&r->c, &r->cloud, store, delete, r->bucket, page.objects[i].key);
	step(r, "packages go", job_packages_sweep(&r->c, &r->cloud, r->bucket) == 0);
	step(r, "the bucket goes", CLOUD_CALL(&r->c, &r->cloud, store, bucket_delete, r->bucket) == 0);
}

int main(int argc, char **argv)
{
	struct run r = {.runs = argc > 3 && strcmp(argv[3], "runs") == 0};
	struct cloud_config config = {0};
	json_t *j = NULL;
	if (argc < 3) {
		fprintf(stderr, "sagemaker-driver CONFIG.json BUCKET [runs]\n");
		return 2;
	}
	call_init(&r.c, &r.arena, edges_real(), S("test"));
	r.c.workspace = S("interop");
	r.bucket = str_of(argv[2]);
	if (json_parse_file(argv[1], JSON_DEFAULT_LIMIT, &j, &r.c.err) ||
		cloud_config_of_json(j, &r.arena, &config, &r.c.err) || cloud_open(&r.c, &config, &r.cloud)) {
		fprintf(stderr, "sagemaker-driver: %s\n", r.c.err.message);
		return 1;
	}
	step(&r, "make the bucket", CLOUD_CALL(&r.c, &r.cloud, store, bucket_create, r.bucket) == 0);
	run_job(&r, "train/classifier/0f3a/job");
	run_job(&r, "transform/prepared/0f3a/aws");
	run_endpoint(&r);
	sweep(&r);
	printf("# %d failed\n", r.failed);
	cloud_close(&r.cloud);
	json_decref(j);
	arena_free(&r.arena);
	return r.failed != 0;
}
