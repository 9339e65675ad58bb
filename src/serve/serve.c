// SPDX-License-Identifier: Apache-2.0
// The process around the model server: options, announce file, signals. See serve.h.
#include "serve/serve.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/time.h"
#include "serve/container.h"
#include "serve/server.h"

struct serve_options {
	const char *model, *name, *version, *listen, *announce;
	bool container;
};
#define ENDPOINT_VARIABLE "ISOBAR_ENDPOINT" // as cloud/endpoint_package.h has it

static const struct option options[] = {
	{.name = "model", .type = OPTION_TEXT, .offset = offsetof(struct serve_options, model), .argument = "FOLDER",
		.help = "Folder with model.json and weights.safetensors."},
	{.name = "name", .type = OPTION_TEXT, .offset = offsetof(struct serve_options, name), .argument = "NAME", .otherwise = "model",
		.help = "Name that clients use in /v2/models/NAME."},
	{.name = "version", .type = OPTION_TEXT, .offset = offsetof(struct serve_options, version), .argument = "V", .otherwise = "1",
		.help = "Version that clients may name."},
	{.name = "listen", .type = OPTION_TEXT, .offset = offsetof(struct serve_options, listen), .argument = "HOST:PORT",
		.otherwise = "127.0.0.1:0", .help = "Where to listen; port 0 takes a free one."},
	{.name = "announce", .type = OPTION_TEXT, .offset = offsetof(struct serve_options, announce), .argument = "FILE",
		.help = "Written once the server listens: {\"url\", \"pid\"}."},
	{.name = "container", .type = OPTION_FLAG, .offset = offsetof(struct serve_options, container),
		.help = "Listen and answer as the endpoint service says whose container this is (AIP_*, SAGEMAKER_BIND_TO_PORT)."},
};

struct serving {
	struct loop *loop;
	struct model_server server;
	struct arena arena;
};

static void stop_loop(void *ctx)
{
	loop_stop(ctx);
}

static void on_signal(void *ctx, UNUSED int number)
{
	struct serving *s = ctx;
	http_server_drain(s->server.http, 5 * NS_PER_S, stop_loop, s->loop);
}

static int announce(const char *path, const char *url, struct err *e)
{
	AUTO(buf) text = {0};
	if (!path)
		return 0;
	buf_printf(&text, "{\"url\":\"%s\",\"pid\":%d}\n", url, (int)getpid());
	return file_write_atomic(path, buf_str(&text), 0600, e);
}

static int start_server(struct serving *s, const struct serve_options *o, struct err *e)
{
	struct container_contract contract = {.listen = str_of(o->listen)};
	if (o->container && container_contract_read(&s->arena, &contract, e))
		return ERR_INVALID;
	s->server.health_path = contract.health_path;
	s->server.predict_path = contract.predict_path;
	return model_server_start(&s->server, s->loop, contract.listen, e);
}

static int serve(struct serving *s, const struct serve_options *o, struct err *e)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	int rc = loop_signals(s->loop, &signals, on_signal, s, e);
	if (rc == 0)
		rc = start_server(s, o, e);
	if (rc == 0)
		rc = announce(o->announce, http_server_url(s->server.http), e);
	if (rc == 0)
		rc = loop_run(s->loop, e);
	model_server_stop(&s->server);
	return rc;
}

static bool is_name(const char *name)
{
	// It stands in JSON and in paths as it is.
	for (const char *c = name; *c; c++)
		if (!(*c == '-' || *c == '_' || *c == '.' || (*c >= '0' && *c <= '9') || (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z')))
			return false;
	return *name != '\0';
}

// SageMaker starts every container with the one word "serve", and says through the environment what is meant. This
// process knows no cloud: the worker fetches the model and becomes this server.
static int become_worker(const char *url)
{
	char words[][12] = {"isobar", "worker", "--endpoint"};
	char *copy = strdup(url);
	char *const argv[] = {words[0], words[1], words[2], copy, NULL};
	struct err e = {0};
	if (copy)
		execv("/proc/self/exe", argv);
	free(copy);
	err_errno(&e, "start isobar worker");
	log_err(LOG_ERROR, &e, "isobar serve");
	return err_exit_code(e.code);
}

static int run(const struct arguments *a)
{
	const struct serve_options *o = a->options;
	struct served_model model = {0};
	struct serving s = {.server = {.model = &model}};
	struct err e = {0};
	int rc;
	const char *endpoint = getenv(ENDPOINT_VARIABLE);
	if (!o->model && endpoint)
		return become_worker(endpoint);
	if (!o->model || !is_name(o->name) || !is_name(o->version))
		rc = err_set(&e, ERR_INVALID, "--model FOLDER is needed; a name has letters, digits, '-', '_' and '.' only");
	else
		rc = served_model_load(o->model, str_of(o->name), str_of(o->version), &model, &e);
	if (rc == 0)
		rc = loop_new(&s.loop, &e);
	if (rc == 0)
		rc = serve(&s, o, &e);
	loop_free(s.loop);
	served_model_free(&model);
	arena_free(&s.arena);
	if (rc < 0)
		log_err(LOG_ERROR, &e, "isobar serve");
	return rc < 0 ? err_exit_code(rc) : 0;
}

const struct command serve_command = {
	.name = "serve",
	.help = "Serve one model over the Open Inference Protocol v2 (REST).",
	.example = "isobar serve --model ./classifier --name classifier --listen 127.0.0.1:8080",
	COMMAND_OPTIONS(options, struct serve_options),
	.run = run,
};
