// SPDX-License-Identifier: Apache-2.0
// The only file that sees every room: the arrays of kinds, handlers, step makers and services, the contexts that they
// need, and the table of commands. Nothing is opened before a command asks for it, so that `isobar --version` touches
// no file.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "api/pipelines.h"
#include "api/replicas.h"
#include "api/up.h"
#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "cli/cli.h"
#include "cloud/catalog_request.h"
#include "cloud/cloud_kind.h"
#include "cloud/job_work.h"
#include "data/bucket_kind.h"
#include "data/dataset_kind.h"
#include "data/transfer_kind.h"
#include "demo/demo.h"
#include "deploy/deploy.h"
#include "deploy/endpoint_kind.h"
#include "gateway/gateway.h"
#include "gateway/gateway_ctx.h"
#include "gateway/gateway_kind.h"
#include "gateway/publish.h"
#include "gateway/upstream_renewal.h"
#include "infra/addresses.h"
#include "infra/environment_kind.h"
#include "infra/format.h"
#include "infra/processes.h"
#include "infra/support.h"
#include "infra/workspace_place.h"
#include "infra/workspace_top.h"
#include "jobs/ingest_step.h"
#include "jobs/pipeline_kind.h"
#include "jobs/worker.h"
#include "models/image_command.h"
#include "models/model_kind.h"
#include "models/tracking_kind.h"
#include "monitor/budget_kind.h"
#include "monitor/channel_kind.h"
#include "monitor/metrics_kind.h"
#include "monitor/monitor.h"
#include "monitor/monitor_kind.h"
#include "monitor/recorder.h"
#include "net/guard.h"
#include "pocket/pocket.h"
#include "security/api_key_kind.h"
#include "security/audit_kind.h"
#include "security/encryption_key_kind.h"
#include "security/identity_provider_kind.h"
#include "security/operator.h"
#include "security/principal.h"
#include "security/role_kind.h"
#include "security/security_ctx.h"
#include "serve/serve.h"
#include "train/model_step.h"
#include "train/reference.h"
#include "train/trainers.h"
#include "train/training.h"
#include "train/training_kind.h"
#include "transform/transform.h"
#include "transform/transform_kind.h"

// ---------------------------------------------------------------- kinds
// What a user may write. All but the first are resources.
static const struct kind *const explained_kinds[] = {
	&environment_kind,
	&cloud_kind,
	&encryption_key_kind,
	&bucket_kind,
	&dataset_kind,
	&transfer_kind,
	&transform_kind,
	&training_kind,
	&model_kind,
	&tracking_kind,
	&endpoint_kind,
	&identity_provider_kind,
	&gateway_kind,
	&route_kind,
	&api_key_kind,
	&role_kind,
	&channel_kind,
	&monitor_kind,
	&metrics_kind,
	&budget_kind,
	&audit_kind,
	&pipeline_kind,
	NULL,
};

// Files that a user may write beside the workspace.
static const struct kind *const file_kinds[] = {&operator_kind, NULL};

// ---------------------------------------------------------------- handlers
// What each handler's context is: binding an open workspace fills it.
enum context { CONTEXT_NONE, CONTEXT_CLOUDS, CONTEXT_SECURITY, CONTEXT_DEPLOY, CONTEXT_GATEWAY };
static const struct handler_row {
	const struct resource_handler *handler;
	enum context context;
} handler_rows[] = {
	{&encryption_key_handler, CONTEXT_SECURITY},
	{&bucket_handler, CONTEXT_CLOUDS},
	{&dataset_handler, CONTEXT_NONE},
	{&transfer_handler, CONTEXT_NONE},
	{&transform_handler, CONTEXT_NONE},
	{&training_handler, CONTEXT_NONE},
	{&model_handler, CONTEXT_NONE},
	{&tracking_handler, CONTEXT_NONE},
	{&endpoint_handler, CONTEXT_DEPLOY},
	{&gateway_handler, CONTEXT_GATEWAY},
	{&route_handler, CONTEXT_NONE},
	{&api_key_handler, CONTEXT_SECURITY},
	{&role_handler, CONTEXT_NONE},
	{&identity_provider_handler, CONTEXT_NONE},
	{&channel_handler, CONTEXT_NONE},
	{&monitor_handler, CONTEXT_NONE},
	{&metrics_handler, CONTEXT_NONE},
	{&budget_handler, CONTEXT_NONE},
	{&audit_handler, CONTEXT_NONE},
	{&pipeline_handler, CONTEXT_NONE},
};

struct contexts { // of one binding
	struct security_ctx security;
	struct deploy_ctx deploy;
	struct gateway_ctx gateway;
};

static const void *context_of(const struct binding *b, const struct contexts *all, enum context which)
{
	switch (which) {
	case CONTEXT_CLOUDS:
		return b->clouds;
	case CONTEXT_SECURITY:
		return &all->security;
	case CONTEXT_DEPLOY:
		return &all->deploy;
	case CONTEXT_GATEWAY:
		return &all->gateway;
	case CONTEXT_NONE:
		break;
	}
	return NULL;
}

// Upstream credentials of gateways: what a cloud's endpoint part gives for one endpoint.
static int grant_upstream(
	struct call *c, void *ctx, struct str cloud, struct str endpoint, struct upstream_grant *out)
{
	const struct cloud *found = clouds_find(ctx, cloud);
	struct endpoint_credential given = {0};
	if (!found)
		return call_fail(c, ERR_NOT_FOUND, "no cloud %.*s is declared", STR(cloud));
	int rc = CLOUD_CALL(c, found, endpoints, credential, endpoint, &given);
	if (rc == 0)
		*out = (struct upstream_grant){given.access_key, given.region, given.secret, given.session, given.expires_ns};
	return rc;
}

static int make_contexts(struct call *c, const struct binding *b, struct contexts *all)
{
	char *folder = arena_cstr(c->arena, b->folder), *state_folder = arena_cstr(c->arena, b->state_folder);
	struct str secret = arena_printf(c->arena, "%.*s/key-hash.secret", STR(b->state_folder));
	if (!folder || !state_folder || !secret.p)
		return call_no_memory(c);
	all->security = (struct security_ctx){.clouds = b->clouds,
		.state = b->state,
		.folder = folder,
		.state_folder = state_folder,
		.hash_secret_path = secret.p};
	all->deploy = (struct deploy_ctx){.clouds = b->clouds, .state = b->state};
	all->gateway = (struct gateway_ctx){.state = b->state,
		.folder = folder,
		.state_folder = state_folder,
		.hash_secret_path = secret.p,
		.upstreams = {(void *)(uintptr_t)b->clouds, grant_upstream},
		.free_port = b->pocket};
	return 0;
}

static int bind_handlers(struct call *c, const struct binding *b, struct resource_handler *rows)
{
	struct contexts *all = arena_new(c->arena, struct contexts);
	int rc = all ? make_contexts(c, b, all) : call_no_memory(c);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < COUNT_OF(handler_rows); i++)
		rows[i].ctx = (void *)(uintptr_t)context_of(b, all, handler_rows[i].context);
	return 0;
}

// ---------------------------------------------------------------- steps and services
static const struct step_maker makers[] = {
	{.kind = "dataset", .make = data_ingest_make, .fingerprint = data_ingest_fingerprint},
	{.kind = "transform", .make = transform_make},
	{.kind = "training", .make = training_make},
	{.kind = "model", .make = model_make},
};

static int deploy_once(struct call *c, const struct binding *b, size_t *pending)
{
	const struct deploy_ctx deploy = {.clouds = b->clouds, .state = b->state};
	return deploy_pass(c, &deploy, pending);
}

static int publish(struct call *c, const struct binding *b)
{
	struct contexts all;
	int rc = make_contexts(c, b, &all);
	if (rc == 0)
		rc = gateway_publish(c, &all.gateway);
	return rc < 0 ? rc : upstream_renewal_once(c, &all.gateway);
}

static int serve_deploy(struct call *c, const struct binding *b)
{
	const struct deploy_ctx deploy = {.clouds = b->clouds, .state = b->state};
	return deploy_run(c, &deploy);
}

static int serve_gateways(struct call *c, const struct binding *b)
{
	struct contexts all;
	int rc = make_contexts(c, b, &all);
	return rc < 0 ? rc : gateway_publish_run(c, &all.gateway);
}

static int serve_upstreams(struct call *c, const struct binding *b)
{
	struct contexts all;
	int rc = make_contexts(c, b, &all);
	return rc < 0 ? rc : upstream_renewal_run(c, &all.gateway);
}

// ---- the monitor, with the recorder of a pocket environment
enum { MONITOR_PACE_MS = 250 };

static int fix_pipeline(struct call *c, void *ctx, struct str what)
{
	const struct binding *b = ctx;
	return pipeline_request(c, b->state, arena_printf(c->arena, "pipeline/%.*s", STR(what)));
}

// Nothing may leave the machine in a pocket environment: channels go to a recorder of our own.
static int start_recorder(struct call *c, const struct binding *b, struct recorder **out)
{
	struct str file = arena_printf(c->arena, "%.*s/recorder.jsonl", STR(b->state_folder));
	struct str announce = arena_printf(c->arena, "%.*s/recorder.json", STR(b->state_folder));
	if (!file.p || !announce.p)
		return call_no_memory(c);
	int rc = recorder_start("127.0.0.1:0", file.p, out, &c->err);
	if (rc < 0)
		return rc;
	AUTO(json) url = json_pack("{s:s}", "url", recorder_url(*out));
	AUTO(buf) text = {0};
	rc = json_write(url, &text, &c->err);
	return rc < 0 ? rc : file_write_atomic(announce.p, buf_str(&text), 0600, &c->err);
}

static int run_monitor(struct call *c, const struct monitor_options *options)
{
	struct monitors *monitors;
	int rc = monitors_new(options, &monitors, &c->err);
	while (rc == 0) {
		AUTO(arena) arena = {0};
		struct call tick;
		call_child(&tick, c, &arena, 0);
		rc = monitors_tick(&tick, monitors);
		if (rc == 0)
			rc = call_sleep(&tick, MONITOR_PACE_MS * NS_PER_MS);
		if (rc < 0) {
			c->err = tick.err;
			monitors_free(monitors);
		}
	}
	return rc;
}

static int serve_monitor(struct call *c, const struct binding *b)
{
	AUTO(guard) guard = NULL;
	struct recorder *recorder = NULL;
	int rc = guard_new_loopback(&guard, &c->err);
	if (rc == 0 && b->pocket)
		rc = start_recorder(c, b, &recorder);
	const struct monitor_fix fixes[] = {{S_INIT("run pipeline/"), fix_pipeline, (void *)(uintptr_t)b}};
	struct reference_env reference = {.state = b->state, .clouds = b->clouds};
	const struct monitor_options options = {
		.state = b->state,
		.guard = guard,
		.reference = reference_sketch,
		.reference_ctx = &reference,
		.recorder = str_of(recorder ? recorder_url(recorder) : ""),
		.fixes = fixes,
		.fix_count = COUNT_OF(fixes),
	};
	if (rc == 0)
		rc = run_monitor(c, &options);
	if (recorder)
		(void)unlink(arena_printf(c->arena, "%.*s/recorder.json", STR(b->state_folder)).p);
	recorder_stop(recorder);
	return rc;
}

static const struct control_service services[] = {
	{"deploy", serve_deploy},
	{"gateways", serve_gateways},
	{"upstreams", serve_upstreams},
	{"monitor", serve_monitor},
	{"pipelines", pipelines_serve},
	{"replicas", replicas_serve},
};

// ---- processes beside the clouds
static int describe(struct call *c, const struct binding *b, json_t *into)
{
	json_t *gateways = NULL, *recorder = NULL;
	struct str path = arena_printf(c->arena, "%.*s/recorder.json", STR(b->state_folder));
	int rc = processes_gateways(c, b->state_folder, &gateways);
	if (rc < 0)
		return rc;
	json_object_set_new(into, "gateways", gateways);
	json_object_set_new(into, "isolation", json_string(job_isolation_text(job_isolation())));
	if (path.p && json_parse_file(path.p, JSON_DEFAULT_LIMIT, &recorder, NULL) == 0)
		json_set_str(into, "recorder", json_str(recorder, "url"));
	json_decref(recorder);
	return 0;
}

static int stop(struct call *c, const struct binding *b)
{
	int rc = processes_stop_gateways(c, b->state_folder);
	return rc < 0 ? rc : processes_stop_endpoints(c, b->clouds);
}

// ---------------------------------------------------------------- the control plane inside this process
struct app {
	struct cli cli; // first: commands of cli/ get a pointer to it
	struct control_parts parts;
	struct resource_handler handlers[COUNT_OF(handler_rows)];
};

struct local { // of one command
	struct control *control;
	const struct client_request *request;
	pthread_mutex_t lock; // events come from any thread, and are told one at a time
};

static void tell(void *ctx, json_t *event)
{
	struct local *local = ctx;
	pthread_mutex_lock(&local->lock);
	if (local->request && local->request->on_event)
		local->request->on_event(local->request->ctx, event);
	pthread_mutex_unlock(&local->lock);
	json_decref(event);
}

static int dispatch(struct call *c, void *ctx, const struct client_request *request, json_t **result)
{
	struct local *local = ctx;
	const struct api_call call = {.method = str_of(request->method),
		.target = str_of(request->path),
		.body = request->body,
		.emit = tell,
		.emit_ctx = local};
	local->request = request;
	int rc = api_dispatch(c, local->control, &call, result);
	local->request = NULL;
	return rc;
}

static struct workspace_given given_of(
	const struct option_texts *variables, const struct option_texts *files, bool untrusted)
{
	return (struct workspace_given){
		.variables = variables->items,
		.variable_count = variables->count,
		.variable_files = files->items,
		.variable_file_count = files->count,
		.untrusted = untrusted,
	};
}

static int open_local(struct call *c, void *app, const struct cli_target *target, struct client_local *out)
{
	const struct app *a = app;
	struct local *local = calloc(1, sizeof(*local));
	if (!local)
		return call_no_memory(c);
	const struct control_options options = {
		.path = target->path,
		.environment = target->environment,
		.given = given_of(&target->variables, &target->variable_files, target->untrusted),
		.operator_file = target->operator_file,
		.parts = &a->parts,
	};
	c->principal = principal_of_process(c->arena);
	int rc = control_open(c, &options, &local->control);
	if (rc < 0) {
		free(local);
		return rc;
	}
	pthread_mutex_init(&local->lock, NULL);
	*out = (struct client_local){.ctx = local, .dispatch = dispatch};
	return 0;
}

static void close_local(void *app, struct client_local *client)
{
	(void)app;
	struct local *local = client->ctx;
	control_close(local->control);
	pthread_mutex_destroy(&local->lock);
	free(local);
}

static int find_state_folder(struct call *c, void *app, const struct cli_target *target, struct str *folder)
{
	(void)app;
	struct workspace_place place;
	int rc = workspace_place_find(target->path, target->environment, c->arena, &place, &c->err);
	if (rc == 0)
		*folder = place.state_folder;
	return rc;
}

static int list_addresses(struct call *c, void *app, const struct cli_target *target, struct str prefix, struct buf *out)
{
	const struct app *a = app;
	const struct workspace_options options = {
		.path = target->path,
		.environment = target->environment,
		.given = given_of(&target->variables, &target->variable_files, target->untrusted),
		.check_only = true,
		.kinds = a->parts.kinds,
		.handlers = a->parts.handlers,
		.handler_count = a->parts.handler_count,
	};
	return workspace_addresses(&options, prefix, out, &c->err);
}

// ---------------------------------------------------------------- isobar up
struct up_command_options {
	const char *environment, *listen, *operator_file;
	struct option_texts variables, variable_files;
	bool foreground;
};
static const struct option up_options[] = {
	{.name = "env",
		.letter = 'e',
		.type = OPTION_TEXT,
		.offset = offsetof(struct up_command_options, environment),
		.argument = "NAME",
		.help = "environment; else ISOBAR_ENV, else the only one"},
	{.name = "var",
		.type = OPTION_REPEAT,
		.offset = offsetof(struct up_command_options, variables),
		.argument = "NAME=VALUE",
		.help = "value of a variable of the workspace"},
	{.name = "var-file",
		.type = OPTION_REPEAT,
		.offset = offsetof(struct up_command_options, variable_files),
		.argument = "FILE",
		.help = "YAML map of values of variables"},
	{.name = "operator",
		.type = OPTION_TEXT,
		.offset = offsetof(struct up_command_options, operator_file),
		.argument = "FILE",
		.help = "the operator's file; else ISOBAR_OPERATOR, else ~/.config/isobar/operator.yaml"},
	{.name = "listen",
		.type = OPTION_TEXT,
		.offset = offsetof(struct up_command_options, listen),
		.argument = "HOST:PORT",
		.otherwise = "127.0.0.1:0",
		.help = "loopback address of the API; port 0 is a free one"},
	{.name = "foreground",
		.type = OPTION_FLAG,
		.offset = offsetof(struct up_command_options, foreground),
		.help = "stay in the foreground and log to standard error"},
};

static int up_command_run(const struct arguments *a)
{
	const struct up_command_options *o = a->options;
	const struct app *app = a->app;
	const char *environment = o->environment ? o->environment : getenv("ISOBAR_ENV");
	const struct up_options options = {
		.listen = o->listen,
		.control = {.path = a->count ? a->rest[0] : ".",
			.environment = str_of(environment),
			.given = given_of(&o->variables, &o->variable_files, false),
			.operator_file = o->operator_file,
			.parts = &app->parts},
	};
	return up_main(&options, o->foreground, a->out, a->error);
}

static const struct command up_command = {
	.name = "up",
	.arguments = "[FOLDER]",
	.help = "Starts the control plane of a workspace: its API, the deploy loop, gateways, the monitor, and pocket "
		"clouds.",
	.example = "isobar up examples/fashion\nisobar up --foreground",
	COMMAND_OPTIONS(up_options, struct up_command_options),
	.max_arguments = 1,
	.run = up_command_run,
};

// ---------------------------------------------------------------- commands
static const struct command *const process_commands[] = {
	&format_command,
	&up_command,
	&demo_command,
	&pocket_command,
	&pocket_faults_command,
	&pocket_run_command,
	&pocket_end_command,
	&gateway_command,
	&serve_command,
	&worker_command,
	&trainer_command,
	&transformer_command,
	&image_command,
};

static void build_app(struct app *app)
{
	for (size_t i = 0; i < COUNT_OF(handler_rows); i++)
		app->handlers[i] = *handler_rows[i].handler;
	app->parts = (struct control_parts){
		.kinds = explained_kinds + 1, // environments are no resources
		.handlers = app->handlers,
		.handler_count = COUNT_OF(handler_rows),
		.makers = makers,
		.maker_count = COUNT_OF(makers),
		.services = services,
		.service_count = COUNT_OF(services),
		.bind = bind_handlers,
		.deploy_once = deploy_once,
		.publish = publish,
		.describe = describe,
		.stop = stop,
	};
	app->cli = (struct cli){
		.kinds = explained_kinds,
		.top_kind = &workspace_top_kind,
		.files = file_kinds,
		.app = app,
		.open_local = open_local,
		.close_local = close_local,
		.find_state_folder = find_state_folder,
		.list_addresses = list_addresses,
		.write_api_reference = api_write_reference,
		.write_support = support_write,
		.prices = catalog_request,
	};
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		puts("isobar " ISOBAR_VERSION);
		return 0;
	}
	struct app app;
	const struct command *commands[COUNT_OF(process_commands) + 64];
	size_t count = 0;
	json_wipe_freed();
	build_app(&app);
	for (size_t i = 0; i < cli_command_count; i++)
		commands[count++] = cli_commands[i];
	for (size_t i = 0; i < COUNT_OF(process_commands); i++)
		commands[count++] = process_commands[i];
	app.cli.commands = commands;
	app.cli.command_count = count;
	return command_main(commands, count, argc, argv, &app);
}
