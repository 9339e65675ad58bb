// SPDX-License-Identifier: Apache-2.0
// Services on threads, and the supervisor that starts them over when the clouds change. See services.h.
#include "api/services.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "api/handlers.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/time.h"

enum {
	LOOK_EVERY_S = 2, // at the clouds that are declared, when the journal is quiet
	SETTLE_MS = 300,  // an apply writes many records: look when it has ended
	RETRY_AFTER_MS = 1000,
};

struct service {
	const struct control_service *kind;
	struct services *all;
	pthread_t thread;
	bool started;
	atomic_bool end; // ends what runs now: all are stopped, or the lease was lost
};

struct services {
	struct session *session;
	const struct edges *edges;
	struct str principal, workspace;
	struct held *joined; // this control plane lives; NULL: it cannot share the state
	struct binding binding; // of the services that run now
	struct clouds_env *env; // opened by the supervisor; NULL: the session's
	struct arena arena;     // of env's options
	struct service *items;
	size_t count;
	atomic_bool stop_services, stop;
	pthread_t supervisor;
	bool supervised;
	struct sha256 digest; // of the clouds and encrypted buckets that are open
};

// ---------------------------------------------------------------- one service
static void pause_between(const atomic_bool *stop, struct call *c)
{
	int rc = 0;
	for (int i = 0; i < RETRY_AFTER_MS / 50 && rc == 0 && !atomic_load(stop); i++)
		rc = call_sleep(c, 50 * NS_PER_MS);
	err_clear(&c->err);
}

// Where planes share the state: the lease of the service, or ERR_IN_USE while another plane runs it.
static int take_turn(struct call *c, struct service *service, struct held **out)
{
	const struct services *all = service->all;
	if (!all->binding.plane.n)
		return 0;
	int rc = planes_take_service(
		c, all->binding.state, all->binding.plane, service->kind->name, &service->end, out);
	if (rc == 0)
		log_line(LOG_INFO, "this control plane runs the service %s now", service->kind->name);
	return rc;
}

static int run_once(struct service *service)
{
	struct services *all = service->all;
	AUTO(arena) arena = {0};
	struct held *held = NULL;
	struct call c;
	struct binding binding = all->binding;
	call_init(&c, &arena, all->edges, arena_printf(&arena, "reconciler/%s", service->kind->name));
	c.workspace = all->workspace;
	c.cancel = &service->end;
	int rc = take_turn(&c, service, &held);
	if (rc == 0) {
		binding.state = held ? held_state(held) : binding.state;
		rc = service->kind->run(&c, &binding);
		if (held && held_is_lost(held) && !atomic_load(&all->stop_services))
			log_line(LOG_WARNING, "the service %s was taken over by another control plane: stepping down",
				service->kind->name);
		else if (rc < 0 && !atomic_load(&all->stop_services))
			log_err(LOG_ERROR, &c.err, service->kind->name);
	} else if (rc != ERR_IN_USE && !atomic_load(&all->stop_services)) {
		log_err(LOG_ERROR, &c.err, service->kind->name);
	}
	held_give_back(&c, held);
	return rc;
}

// A service that fails is started again: the fault may pass. Its memory is freed in between.
static void *service_run(void *ctx)
{
	struct service *service = ctx;
	struct services *all = service->all;
	while (!atomic_load(&all->stop_services)) {
		(void)run_once(service);
		AUTO(arena) arena = {0};
		struct call c;
		call_init(&c, &arena, all->edges, S("reconciler"));
		pause_between(&all->stop_services, &c);
		atomic_store(&service->end, false); // stop_all sets stop_services first: it is seen next
	}
	return NULL;
}

static void start_all(struct services *all)
{
	atomic_store(&all->stop_services, false);
	for (size_t i = 0; i < all->count; i++) {
		atomic_store(&all->items[i].end, false);
		all->items[i].started = pthread_create(&all->items[i].thread, NULL, service_run, &all->items[i]) == 0;
		if (!all->items[i].started)
			log_line(LOG_ERROR, "cannot start the service %s: out of threads", all->items[i].kind->name);
	}
}

static void stop_all(struct services *all)
{
	atomic_store(&all->stop_services, true);
	for (size_t i = 0; i < all->count; i++)
		atomic_store(&all->items[i].end, true);
	for (size_t i = 0; i < all->count; i++) {
		if (all->items[i].started)
			pthread_join(all->items[i].thread, NULL);
		all->items[i].started = false;
	}
}

// ---------------------------------------------------------------- the clouds that are declared
static bool matters(const struct resource *r)
{
	return str_eq(r->kind, S("cloud")) || (str_eq(r->kind, S("bucket")) && json_str(r->resolved, "encrypt_with").n);
}

// Declared at the start and recorded since, the records first.
static int gather(struct call *c, const struct services *all, struct clouds_env_options *o)
{
	struct resource *recorded, *list;
	size_t count, declared = all->session->workspace.resource_count;
	int rc = resource_list(c, all->binding.state, S(""), &recorded, &count);
	if (rc < 0)
		return rc;
	list = arena_new_array(c->arena, count + declared + 1, struct resource);
	if (!list)
		return call_no_memory(c);
	for (size_t i = 0; i < count + declared; i++) {
		const struct resource *r = i < count ? &recorded[i] : &all->session->workspace.resources[i - count];
		if (matters(r))
			list[o->resource_count++] = *r;
	}
	o->resources = list;
	o->state_folder = all->binding.state_folder;
	o->workspace = all->binding.workspace;
	o->pocket = all->binding.pocket;
	o->op = all->binding.op;
	return 0;
}

static int digest_of(struct call *c, const struct clouds_env_options *o, struct sha256 *out)
{
	AUTO(json) map = json_object();
	for (size_t i = 0; i < o->resource_count; i++) {
		char *address = arena_cstr(c->arena, o->resources[i].address);
		if (address && !json_object_get(map, address))
			json_object_set(map, address, (json_t *)(uintptr_t)o->resources[i].resolved);
	}
	AUTO(buf) text = {0};
	int rc = json_write(map, &text, &c->err);
	if (rc == 0)
		*out = sha256_of(buf_str(&text));
	return rc;
}

// ---------------------------------------------------------------- the supervisor
static int reopen(struct call *c, struct services *all, const struct clouds_env_options *o)
{
	struct clouds_env *env = NULL;
	int rc = clouds_env_open(c, o, &env);
	if (rc < 0)
		return rc;
	stop_all(all);
	clouds_env_close(all->env);
	all->env = env;
	all->binding.clouds = clouds_env_clouds(env);
	start_all(all);
	log_line(LOG_INFO, "the clouds of the workspace changed: services start over");
	return 0;
}

// Again when it was lost, as after a long pause.
static int join(struct call *c, struct services *all)
{
	const struct binding *b = &all->binding;
	if (!b->plane.n || (all->joined && !held_is_lost(all->joined)))
		return 0;
	held_give_back(c, all->joined);
	all->joined = NULL;
	return planes_join(c, b->state, b->plane, b->folder, &all->joined);
}

static int look(struct call *c, struct services *all)
{
	struct clouds_env_options o = {0};
	struct sha256 digest;
	int rc = join(c, all);
	if (rc == 0)
		rc = gather(c, all, &o);
	if (rc == 0)
		rc = digest_of(c, &o, &digest);
	if (rc == 0 && memcmp(digest.bytes, all->digest.bytes, SHA256_SIZE) != 0) {
		rc = reopen(c, all, &o);
		if (rc == 0)
			all->digest = digest;
	}
	return rc;
}

static void *supervise(void *ctx)
{
	struct services *all = ctx;
	uint64_t head = 0;
	while (!atomic_load(&all->stop)) {
		AUTO(arena) arena = {0};
		struct call c;
		call_init(&c, &arena, all->edges, all->principal);
		c.cancel = &all->stop;
		c.workspace = all->workspace;
		int rc = state_watch(&c, all->binding.state, head, LOOK_EVERY_S * NS_PER_S, &head);
		if (rc == 0)
			rc = call_sleep(&c, SETTLE_MS * NS_PER_MS);
		if (rc == 0)
			rc = api_expire(&c, all->session->request->control);
		if (rc == 0)
			rc = look(&c, all);
		if (rc < 0 && !atomic_load(&all->stop)) {
			log_err(LOG_ERROR, &c.err, "look at the clouds of the workspace");
			err_clear(&c.err);
			pause_between(&all->stop, &c);
		}
	}
	return NULL;
}

// ---------------------------------------------------------------- all
static void leave(struct services *all)
{
	AUTO(arena) arena = {0};
	struct call c;
	call_init(&c, &arena, all->edges, all->principal);
	planes_leave(&c, all->binding.state, all->binding.plane, all->joined);
}

void services_stop(struct services *all)
{
	if (!all)
		return;
	atomic_store(&all->stop, true);
	if (all->supervised)
		pthread_join(all->supervisor, NULL);
	stop_all(all);
	leave(all);
	clouds_env_close(all->env);
	arena_free(&all->arena);
	free(all->items);
	free(all);
}

int services_start(struct call *c, struct session *s, struct services **out)
{
	const struct control_parts *parts = control_get_options(s->request->control)->parts;
	struct services *all = calloc(1, sizeof(*all));
	struct service *items = calloc(parts->service_count + 1, sizeof(*items));
	if (!all || !items) {
		free(all);
		free(items);
		return call_no_memory(c);
	}
	*all = (struct services){
		.session = s, .edges = c->edges, .binding = s->binding, .items = items, .count = parts->service_count};
	all->principal = arena_str(&all->arena, c->principal);
	all->workspace = arena_str(&all->arena, s->binding.workspace);
	for (size_t i = 0; i < all->count; i++)
		items[i] = (struct service){.kind = &parts->services[i], .all = all};
	struct clouds_env_options o = {0};
	int rc = join(c, all);
	if (rc == 0)
		rc = gather(c, all, &o);
	if (rc == 0)
		rc = digest_of(c, &o, &all->digest);
	if (rc < 0) {
		services_stop(all);
		return rc;
	}
	start_all(all);
	all->supervised = pthread_create(&all->supervisor, NULL, supervise, all) == 0;
	*out = all;
	return 0;
}
