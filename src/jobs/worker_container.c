// SPDX-License-Identifier: Apache-2.0
// The worker in a container: see worker_container.h.
#include "jobs/worker_container.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "cloud/endpoint_package.h"
#include "cloud/registry.h"
#include "cloud/store_variable.h"
#include "jobs/worker_impl.h"

// ---------------------------------------------------------------- where it works
// Its environment and memory hold credentials; programs of the same uid, the job's command among them, must not read
// them through /proc.
static int close_to_others(struct call *c)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ? call_errno(c, "close this process to others") : 0;
}

static int make_folder(struct call *c, const char **out)
{
	char here[3000];
	const char *tmp = getenv("TMPDIR");
	const char *const bases[] = {getcwd(here, sizeof(here)), tmp, "/tmp"};
	for (size_t i = 0; i < COUNT_OF(bases); i++) {
		char *path = bases[i] ? arena_cstr(c->arena, arena_printf(c->arena, "%s/isobar-XXXXXX", bases[i])) : NULL;
		if (path && bases[i][0] == '/' && mkdtemp(path)) {
			*out = path;
			return 0;
		}
	}
	return call_errno(c, "make a folder to work in");
}

static int open_store(struct call *c, struct cloud *out)
{
	struct cloud_config config = {0};
	struct str text = S("");
	if (store_variable_join(c->arena, &text, &c->err))
		return c->err.code;
	if (!text.n)
		return call_fail(c, ERR_INVALID, JOB_STORE_VARIABLE " is not set: this is the program of a container that a "
								     "cloud's job or endpoint service starts");
	if (job_store_read(c, text, &config))
		return c->err.code;
	return cloud_open(c, &config, out);
}

// ---------------------------------------------------------------- a job
static int write_spec(struct worker *w)
{
	AUTO(json) j = job_spec_to_json(&w->spec);
	AUTO(buf) text = {0};
	const char *path = worker_path(w, JOB_SPEC_FILE);
	if (!j || !path)
		return call_no_memory(w->c);
	if (json_write_pretty(j, &text, &w->c->err))
		return w->c->err.code;
	return file_write_atomic(path, buf_str(&text), 0600, &w->c->err);
}

static int fetch(struct worker *w)
{
	return job_package_fetch(w->c, w->cloud, w->package, w->folder, &w->spec);
}

int worker_run_package(struct call *c, const struct cloud *cloud, const struct job_package *p, const char *folder,
	struct job_status *out)
{
	struct worker w = {.c = c, .folder = folder, .cloud = cloud, .package = p};
	if (worker_with_retries(&w, fetch) || write_spec(&w) || worker_course(&w))
		return call_context(c, "job %.*s on %.*s", STR(p->job), STR(cloud->name));
	*out = w.status;
	return 0;
}

int worker_exit_code(const struct job_status *status)
{
	bool own = status->exit_code > 0 && status->exit_code < 126 && status->exit_code != JOB_EXIT_LOST;
	if (status->state == JOB_SUCCEEDED)
		return 0;
	if (status->state == JOB_FAILED)
		return own ? status->exit_code : 1;
	return JOB_EXIT_LOST;
}

static int run_package(struct call *c, const char *url, struct job_status *status)
{
	struct job_package p = {0};
	struct cloud cloud = {0};
	const char *folder = NULL;
	if (job_package_of_url(c->arena, str_of(url), &p, &c->err) || close_to_others(c) || make_folder(c, &folder))
		return c->err.code;
	int code = open_store(c, &cloud);
	if (!code)
		code = worker_run_package(c, &cloud, &p, folder, status);
	cloud_close(&cloud);
	struct err gone = {0};
	if (file_remove_tree(folder, &gone))
		log_err(LOG_WARNING, &gone, "worker: tidy up");
	return code;
}

int worker_package_main(struct call *c, const char *url)
{
	struct job_status status = {0};
	int code = run_package(c, url, &status);
	if (!code)
		return worker_exit_code(&status);
	log_err(LOG_ERROR, &c->err, "worker");
	bool may_pass = c->err.retryable || code == ERR_UNAVAILABLE || code == ERR_TIMEOUT;
	return may_pass ? JOB_EXIT_LOST : err_exit_code(code);
}

// ---------------------------------------------------------------- an endpoint
// What the model server's behaviour hangs on. All else goes, above all whatever leads to credentials.
static int serve_environment(struct call *c, char ***out)
{
	static const char *const names[] = {"PATH", "HOME", "TZ", "LANG", "TMPDIR", "ISOBAR_LOG", "OPENBLAS_NUM_THREADS",
		"OMP_NUM_THREADS", "ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS",
		"ISOBAR_BIND", "ISOBAR_PORT", "SAGEMAKER_BIND_TO_PORT", "AIP_HTTP_PORT", "AIP_HEALTH_ROUTE", "AIP_PREDICT_ROUTE"};
	char **list = arena_new_array(c->arena, COUNT_OF(names) + 1, char *);
	size_t n = 0;
	for (size_t i = 0; list && i < COUNT_OF(names); i++) {
		const char *value = getenv(names[i]);
		if (value)
			list[n++] = arena_cstr(c->arena, arena_printf(c->arena, "%s=%s", names[i], value));
		if (value && !list[n - 1])
			return call_no_memory(c);
	}
	*out = list;
	return list ? 0 : call_no_memory(c);
}

static int become_server(struct call *c, const struct endpoint_package *p, const char *model)
{
	char **environment = NULL;
	char *name = arena_cstr(c->arena, p->model), *version = arena_cstr(c->arena, p->version);
	char *folder = arena_cstr(c->arena, str_of(model));
	if (!name || !version || !folder || serve_environment(c, &environment))
		return c->err.code ? c->err.code : call_no_memory(c);
	char words[][12] = {"isobar", "serve", "--model", "--name", "--version", "--container"};
	char *argv[] = {words[0], words[1], words[2], folder, words[3], name, words[4], version, words[5], NULL};
	execve("/proc/self/exe", argv, environment); // not by its path, which its uid may be barred from
	return call_errno(c, "start the model server");
}

static int fetch_model(struct call *c, const struct endpoint_package *p, const char *folder)
{
	struct cloud cloud = {0};
	int code = open_store(c, &cloud);
	if (!code)
		code = endpoint_package_fetch(c, &cloud, p, folder);
	cloud_close(&cloud);
	return code;
}

static int serve_endpoint(struct call *c, const char *url)
{
	struct endpoint_package p = {0};
	const char *folder = NULL;
	if (endpoint_package_of_url(c->arena, str_of(url), &p, &c->err) || close_to_others(c) || make_folder(c, &folder))
		return c->err.code;
	const char *model = arena_printf(c->arena, "%s/model", folder).p;
	if (!model)
		return call_no_memory(c);
	return fetch_model(c, &p, model) ? c->err.code : become_server(c, &p, model);
}

int worker_endpoint_main(struct call *c, const char *url)
{
	int code = serve_endpoint(c, url);
	log_err(LOG_ERROR, &c->err, "worker");
	return err_exit_code(code);
}
