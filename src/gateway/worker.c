// SPDX-License-Identifier: Apache-2.0
// One loop of the gateway: assembling, swapping configurations, draining. See worker.h.
#include "gateway/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "base/time.h"
#include "gateway/gateway_impl.h"

enum { LOCK_TRIES = 100 };
#define LOCK_PAUSE_NS (20 * NS_PER_MS)
#define WALL_TRUST_NS                                                                                                  \
	NS_PER_S // how long the difference of the clocks is believed: a stepped clock is noticed after this

int64_t worker_wall_ns(struct worker *w)
{
	int64_t now = loop_now_ns(w->loop);
	if (w->wall_read_ns == 0 || now - w->wall_read_ns > WALL_TRUST_NS) {
		w->wall_read_ns = now;
		w->wall_minus_mono_ns = w->options.edges->wall_ns(w->options.edges->ctx) - now;
	}
	return now + w->wall_minus_mono_ns;
}

bool worker_random(struct worker *w, unsigned char *out, size_t n)
{
	const struct edges *edges = w->options.edges;
	if (w->random_left < n) {
		if (edges->random(edges->ctx, w->random, sizeof(w->random)))
			return false;
		w->random_left = sizeof(w->random);
	}
	w->random_left -= n;
	memcpy(out, w->random + w->random_left, n);
	return true;
}

void worker_release_snapshot(struct worker *w, struct snapshot *s)
{
	if (s && s->users == 1)
		targets_unbind(&w->targets, s);
	snapshot_release(s);
}

// ---- configuration

static struct tls_config tls_of(const struct snapshot *s)
{
	return (struct tls_config){.server = true, .certificate_file = s->certificate_file, .key_file = s->key_file};
}

static bool has_https(const struct snapshot *s)
{
	for (size_t i = 0; i < s->route_count; i++)
		for (size_t k = 0; k < s->routes[i].target_count; k++)
			if (str_starts(s->routes[i].targets[k].url, S("https:")))
				return true;
	return false;
}

// A TLS context for targets costs a megabyte of CA certificates, so it is made when a target needs it.
static int prepare_client_tls(struct worker *w, const struct snapshot *s, struct err *e)
{
	if (w->client_tls || !has_https(s))
		return 0;
	struct tls_config config = {.ca_file = s->ca_file};
	int code = tls_new(&config, &w->client_tls, e);
	if (code == 0)
		http_client_use_tls(w->client, w->client_tls);
	return code;
}

int worker_reload(struct worker *w, struct err *e)
{
	struct snapshot *fresh;
	int code = snapshot_load(w->options.snapshot_path, &fresh, e);
	if (code)
		return code;
	if ((fresh->certificate_file != NULL) != (w->tls != NULL) && w->server)
		code = err_set(e, ERR_UNSUPPORTED, "turning TLS on or off needs a restart of the gateway");
	if (code == 0)
		code = prepare_client_tls(w, fresh, e);
	if (code == 0 && w->tls) {
		struct tls_config config = tls_of(fresh);
		code = tls_reload(w->tls, &config, e);
	}
	if (code == 0)
		code = targets_bind(&w->targets, fresh, e);
	if (code) {
		snapshot_release(fresh);
		return code;
	}
	struct snapshot *old = w->snapshot;
	w->snapshot = fresh;
	worker_release_snapshot(w, old);
	return 0;
}

// Nothing there, or nothing that can be used, is no reason to stop: targets without credentials are out of rotation.
static void load_upstreams(struct worker *w)
{
	struct upstreams *fresh;
	struct err e = {0};
	if (upstreams_load(buf_cstr(&w->upstreams_path), &fresh, &e))
		log_err(LOG_ERROR, &e, "read new credentials of upstreams; the old ones stay");
	else
		targets_use_upstreams(&w->targets, fresh);
}

// The folder is watched, since the file is replaced by renaming another one over it.
static void watch_ready(struct loop_io *io, unsigned events)
{
	struct worker *w = CONTAINER_OF(io, struct worker, watch);
	_Alignas(struct inotify_event) char bytes[4096];
	const char *slash = strrchr(w->options.snapshot_path, '/');
	const char *name = slash ? slash + 1 : w->options.snapshot_path;
	bool changed = false, renewed = false;
	ssize_t n;
	(void)events;
	while ((n = read(io->fd, bytes, sizeof(bytes))) > 0) {
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const struct inotify_event *)(const void *)(bytes + at);
			changed = changed || (event->len && strcmp(event->name, name) == 0);
			renewed = renewed || (event->len && strcmp(event->name, UPSTREAMS_FILE) == 0);
			at += (ssize_t)(sizeof(*event) + event->len);
		}
	}
	struct err e = {0};
	if (renewed)
		load_upstreams(w);
	if (changed && worker_reload(w, &e))
		log_err(LOG_ERROR, &e, "read the new configuration; the old one stays");
}

static int watch_snapshot(struct worker *w, struct err *e)
{
	const char *path = w->options.snapshot_path, *slash = strrchr(path, '/');
	AUTO(buf) folder = {0};
	buf_add(&folder, slash ? str_bytes(path, (size_t)MAX(slash - path, 1)) : S("."));
	buf_printf(&w->upstreams_path, "%s/%s", buf_cstr(&folder), UPSTREAMS_FILE);
	if (w->upstreams_path.failed)
		return err_set(e, ERR_NO_MEMORY, "out of memory for the gateway");
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (fd < 0 || inotify_add_watch(fd, buf_cstr(&folder), IN_MOVED_TO | IN_CLOSE_WRITE) < 0) {
		int code = err_errno(e, "watch %s", buf_cstr(&folder));
		if (fd >= 0)
			close(fd);
		return code;
	}
	w->watch.ready = watch_ready;
	int code = loop_io_add(w->loop, &w->watch, fd, LOOP_READ, e);
	if (code)
		close(fd);
	return code;
}

// ---- assembling

static int open_audit(struct worker *w, struct err *e)
{
	AUTO(buf) writer = {0};
	struct audit *audit;
	if (!w->snapshot->audit_folder)
		return 0;
	buf_printf(&writer, "gateway/%.*s", STR(w->snapshot->name));
	struct audit_options o = {.folder = w->snapshot->audit_folder,
		.writer = buf_str(&writer),
		.key_path = w->options.audit_key_path,
		.edges = w->options.edges};
	// A gateway that was killed a moment ago may still hold the lock while the kernel ends its threads.
	int code = audit_open(&o, &audit, e);
	for (int i = 0; code == ERR_IN_USE && i < LOCK_TRIES; i++) {
		w->options.edges->sleep_ns(w->options.edges->ctx, LOCK_PAUSE_NS);
		code = audit_open(&o, &audit, e);
	}
	return code ? code : audit_gate_new(w->loop, audit, &w->gate, e);
}

static int listen_public(struct worker *w, struct err *e)
{
	struct http_server_options o = {.loop = w->loop,
		.service = &request_service,
		.ctx = w,
		.listen = w->options.listen.n ? w->options.listen : w->snapshot->listen,
		.limits = {.body_bytes = BODY_MAX_BYTES + 1, .connections = 4096}};
	if (w->snapshot->certificate_file) {
		struct tls_config config = tls_of(w->snapshot);
		int code = tls_new(&config, &w->tls, e);
		if (code)
			return code;
		o.tls = w->tls;
	}
	return http_server_new(&o, &w->server, e);
}

static int assemble(struct worker *w, struct err *e)
{
	struct http_client_options client = {.loop = w->loop, .idle_per_origin = 256, .origins = 4096};
	struct http_server_options admin = {.loop = w->loop,
		.service = &admin_service,
		.ctx = w,
		.listen = S("127.0.0.1:0"),
		.limits = {.connections = 16}};
	int code = targets_init(&w->targets, w->loop, e);
	client.guard = w->targets.guard;
	w->targets.edges = w->options.edges;
	if (code == 0)
		code = http_client_new(&client, &w->client, e);
	w->targets.client = w->client;
	if (code == 0)
		code = worker_reload(w, e);
	w->no_route = code ? NULL : stats_of_route(&w->targets, S(""));
	if (code == 0)
		code = open_audit(w, e);
	if (code == 0)
		code = listen_public(w, e);
	if (code == 0)
		code = http_server_new(&admin, &w->admin, e);
	if (code == 0)
		code = watch_snapshot(w, e);
	if (code == 0)
		load_upstreams(w); // after the watch, so that no change is missed
	return code;
}

int worker_new(const struct worker_options *o, struct worker **out, struct err *e)
{
	struct worker *w = calloc(1, sizeof(*w));
	if (!w)
		return err_set(e, ERR_NO_MEMORY, "out of memory for the gateway");
	w->options = *o;
	w->loop = o->loop;
	int code = assemble(w, e);
	if (code) {
		worker_free(w);
		return code;
	}
	*out = w;
	return 0;
}

void worker_free(struct worker *w)
{
	if (!w)
		return;
	if (w->watch.added) {
		loop_io_remove(w->loop, &w->watch);
		close(w->watch.fd);
	}
	http_server_free(w->server);
	http_server_free(w->admin);
	worker_release_snapshot(w, w->snapshot);
	targets_free(&w->targets);
	http_client_free(w->client);
	audit_gate_free(w->gate);
	tls_free(w->tls);
	tls_free(w->client_tls);
	buf_free(&w->upstreams_path);
	free(w);
}

const char *worker_url(const struct worker *w)
{
	return http_server_url(w->server);
}

const char *worker_admin_url(const struct worker *w)
{
	return http_server_url(w->admin);
}

void worker_drain(struct worker *w, int64_t grace_ns, void (*drained)(void *ctx), void *ctx)
{
	w->draining = true;
	http_server_drain(w->server, grace_ns, drained, ctx);
}
