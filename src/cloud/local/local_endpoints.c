// SPDX-License-Identifier: Apache-2.0
// Endpoints as folders and model server processes. ensure() brings the model's files, starts what does not run, waits
// until all replicas answer, and only then names them in status.json: until that moment an older generation is what
// callers see, and it keeps answering for a grace period after it, since callers learn of the change later. A replica
// that died is started on its port again, but never while the cloud's store does not answer: a cloud that is down is
// down as a whole.
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "cloud/job_files.h"
#include "cloud/local/local_replica.h"

#define RETIRE_AFTER_NS (5 * NS_PER_S)
#define STOP_GRACE_NS (2 * NS_PER_S)

enum { MODEL_MAX_FILES = 1000 };

struct place {
	const char *folder, *spec, *status, *lock;
};

static int check_part(struct call *c, const char *what, struct str s)
{
	if (s.n && s.n <= 128 && s.p[0] != '.' && !file_check_relative(s, NULL) && str_find_char(s, '/') < 0)
		return 0;
	return call_fail(c, ERR_INVALID, "endpoint: \"%.*s\" is no %s", STR(s), what);
}

static int endpoint_place(struct call *c, const struct local *l, struct str name, struct place *out)
{
	if (check_part(c, "name", name))
		return c->err.code;
	*out = (struct place){
		.folder = local_path(c, l, "endpoints", name, NULL),
		.spec = local_path(c, l, "endpoints", name, "spec.json"),
		.status = local_path(c, l, "endpoints", name, "status.json"),
		.lock = local_path(c, l, "endpoints", name, "lock"),
	};
	return out->folder && out->spec && out->status && out->lock ? 0 : c->err.code;
}

// ---------------------------------------------------------------- the model's files
static int bring_file(struct call *c, const struct local *l, const struct endpoint_spec *spec,
	const struct object *object, const char *folder)
{
	struct str relative = str_drop(object->key, spec->prefix.n);
	if (file_check_relative(relative, &c->err))
		return call_context(c, "object %.*s", STR(object->key));
	char *path = arena_cstr(c->arena, arena_printf(c->arena, "%s/%.*s", folder, STR(relative)));
	if (!path)
		return call_no_memory(c);
	char *slash = strrchr(path, '/');
	*slash = '\0';
	int code = file_make_dirs(path, 0700, &c->err);
	*slash = '/';
	if (code)
		return code;
	AUTO(fd) fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct object got = {0};
	if (fd < 0)
		return call_errno(c, "open %s", path);
	const struct store_get get = {.bucket = spec->bucket, .key = object->key};
	if (cloud_get_fd(c, l->self, &get, fd, &got))
		return call_context(c, "bring %.*s", STR(object->key));
	return fsync(fd) < 0 ? call_errno(c, "sync %s", path) : 0;
}

// GENERATION/model appears whole or not at all.
static int bring_model(struct call *c, const struct local *l, const struct endpoint_spec *spec, const char *generation)
{
	const char *model = arena_printf(c->arena, "%s/model", generation).p;
	const char *partial = arena_printf(c->arena, "%s/model.partial", generation).p;
	struct store_page page = {0};
	if (!model || !partial)
		return call_no_memory(c);
	if (file_exists(model))
		return 0;
	if (file_remove_tree(partial, &c->err) || file_make_dirs(partial, 0700, &c->err))
		return c->err.code;
	if (cloud_list_all(c, l->self, spec->bucket, spec->prefix, &page))
		return c->err.code;
	if (!page.count || page.count > MODEL_MAX_FILES)
		return call_fail(c, page.count ? ERR_LIMIT : ERR_NOT_FOUND,
			"%s: %zu objects below %.*s/%.*s; a model has 1 to %d", l->cloud, page.count, STR(spec->bucket),
			STR(spec->prefix), MODEL_MAX_FILES);
	for (size_t i = 0; i < page.count; i++)
		if (bring_file(c, l, spec, &page.objects[i], partial))
			return c->err.code;
	if (rename(partial, model) < 0)
		return call_errno(c, "rename %s", partial);
	return file_fsync_dir(generation, &c->err);
}

// ---------------------------------------------------------------- ensure
static json_t *spec_to_json(const struct endpoint_spec *s)
{
	json_t *j = json_object();
	json_set_str(j, "name", s->name);
	json_set_str(j, "model", s->model);
	json_set_str(j, "version", s->version);
	json_set_str(j, "bucket", s->bucket);
	json_set_str(j, "prefix", s->prefix);
	json_object_set_new(j, "replicas", json_integer(s->replicas));
	json_object_set_new(j, "cpu", json_real(s->cpu));
	json_object_set_new(j, "memory", json_integer((json_int_t)s->memory));
	json_set_str(j, "generation", s->generation);
	return j;
}

static int check_spec(struct call *c, const struct endpoint_spec *s)
{
	if (check_part(c, "generation", s->generation))
		return c->err.code;
	if (!s->prefix.n || s->prefix.p[s->prefix.n - 1] != '/')
		return call_fail(
			c, ERR_INVALID, "endpoint %.*s: the prefix of its model must end in '/'", STR(s->name));
	if (s->replicas < 1 || s->replicas > ENDPOINT_MAX_REPLICAS)
		return call_fail(c, ERR_LIMIT, "endpoint %.*s: %lld replicas; the local engine runs 1 to %d",
			STR(s->name), (long long)s->replicas, ENDPOINT_MAX_REPLICAS);
	return 0;
}

static void stop_retired(struct call *c, struct endpoint_files *f, bool all)
{
	size_t kept = 0;
	for (size_t i = 0; i < f->retiring_count; i++) {
		if (all || call_now_ns(c) - f->retiring[i].since_ns > RETIRE_AFTER_NS)
			process_stop(&f->retiring[i].process, STOP_GRACE_NS);
		else
			f->retiring[kept++] = f->retiring[i];
	}
	f->retiring_count = kept;
}

static void retire_replicas(struct call *c, struct endpoint_files *f)
{
	for (size_t i = 0; i < f->count; i++) {
		if (f->retiring_count == ENDPOINT_MAX_RETIRING)
			stop_retired(c, f, true);
		f->retiring[f->retiring_count++] =
			(struct retiring){.process = f->replicas[i].process, .since_ns = call_now_ns(c)};
	}
	f->count = 0;
}

static bool all_alive(const struct endpoint_files *f)
{
	for (size_t i = 0; i < f->count; i++)
		if (!process_alive(&f->replicas[i].process))
			return false;
	return f->count > 0;
}

// A server that ended at its start may have found damaged files: the next try brings them anew.
static void doubt_model(struct call *c, const char *generation, int code)
{
	const char *model = code == ERR_FAILED ? arena_printf(c->arena, "%s/model", generation).p : NULL;
	if (model && file_remove_tree(model, NULL))
		return; // they are tried once more
}

// Starts what does not run of the generation in `next`. What could not be started ends again what this call started.
static int start_replicas(
	struct call *c, struct local *l, const struct endpoint_spec *spec, struct endpoint_files *next)
{
	const char *generation =
		arena_printf(c->arena, "%s/endpoints/%.*s/%.*s", l->root, STR(spec->name), STR(spec->generation)).p;
	if (!generation)
		return call_no_memory(c);
	bool started[ENDPOINT_MAX_REPLICAS] = {false};
	int code = bring_model(c, l, spec, generation);
	for (size_t i = 0; !code && i < (size_t)spec->replicas; i++) {
		const char *folder = arena_printf(c->arena, "%s/%zu", generation, i).p;
		if (i < next->count && process_alive(&next->replicas[i].process))
			continue;
		code = folder ? replica_start(c, l, spec, folder, &next->replicas[i]) : call_no_memory(c);
		started[i] = !code;
	}
	for (size_t i = 0; code && i < ENDPOINT_MAX_REPLICAS; i++)
		if (started[i])
			process_stop(&next->replicas[i].process, 0);
	doubt_model(c, generation, code);
	next->count = (size_t)spec->replicas;
	return code;
}

// A server that nobody recorded (its starter was killed before it could) ends with its folder.
static void stop_unrecorded(struct call *c, const char *generation)
{
	for (size_t i = 0; i < ENDPOINT_MAX_REPLICAS; i++) {
		struct replica r = {0};
		const char *folder = arena_printf(c->arena, "%s/%zu", generation, i).p;
		if (folder && replica_adopt(c, folder, &r))
			process_stop(&r.process, STOP_GRACE_NS);
	}
}

// Folders of generations but `keep` go, and whoever still runs from them.
static int remove_generations(struct call *c, const struct local *l, struct str name, struct str keep)
{
	struct str *names;
	size_t count = 0;
	const char *room = arena_printf(c->arena, "endpoints/%.*s", STR(name)).p;
	if (!room || local_list(c, l, room, &names, &count))
		return room ? c->err.code : call_no_memory(c);
	for (size_t i = 0; i < count; i++) {
		const char *old = local_path(c, l, room, names[i], NULL);
		if (!old)
			return c->err.code;
		if (str_eq(names[i], keep))
			continue;
		stop_unrecorded(c, old);
		if (file_remove_tree(old, &c->err))
			return c->err.code;
	}
	return 0;
}

static int ensure_locked(struct call *c, struct local *l, const struct endpoint_spec *spec, const struct place *place)
{
	struct endpoint_files now = {0};
	AUTO(json) wanted = spec_to_json(spec);
	if (endpoint_files_read(c, place->status, &now))
		return c->err.code;
	bool same = str_eq(now.generation, spec->generation);
	if (same && all_alive(&now) && now.count == (size_t)spec->replicas && !now.retiring_count)
		return 0;
	if (local_check_store(c, l, spec->bucket) || local_write_json(c, place->spec, wanted, 0600))
		return c->err.code;
	struct endpoint_files next = now;
	if (!same)
		next.count = 0;
	if (!same)
		memset(next.replicas, 0, sizeof(next.replicas));
	if (start_replicas(c, l, spec, &next))
		return c->err.code;
	next.generation = spec->generation;
	if (!same) {
		retire_replicas(c, &now);
		memcpy(next.retiring, now.retiring, sizeof(next.retiring));
		next.retiring_count = now.retiring_count;
	}
	stop_retired(c, &next, false);
	if (endpoint_files_write(c, place->status, &next))
		return c->err.code;
	return next.retiring_count ? 0 : remove_generations(c, l, spec->name, spec->generation);
}

static int local_endpoint_ensure(struct call *c, void *endpoints, const struct endpoint_spec *spec)
{
	struct local *l = endpoints;
	struct place place = {0};
	AUTO(fd) lock = -1;
	local_reap(l);
	if (endpoint_place(c, l, spec->name, &place) || check_spec(c, spec) ||
		local_make_folder(c, l, "endpoints", spec->name) || local_lock_wait(c, place.lock, &lock) ||
		ensure_locked(c, l, spec, &place))
		return call_context(c, "endpoint %.*s on %s", STR(spec->name), l->cloud);
	return 0;
}

// ---------------------------------------------------------------- observe
static void judge(struct call *c, const struct endpoint_files *f, struct endpoint_status *out)
{
	size_t alive = 0, ready = 0;
	for (size_t i = 0; i < f->count; i++) {
		const struct replica *r = &f->replicas[i];
		out->pids[i] = r->process.pid;
		if (!process_alive(&r->process)) {
			out->reason =
				arena_printf(c->arena, "replica %zu (process %d) has ended", i, (int)r->process.pid);
			continue;
		}
		alive++;
		if (!replica_ready(c, r)) {
			out->reason = arena_printf(
				c->arena, "replica %zu at %.*s does not say that it is ready", i, STR(r->url));
			continue;
		}
		if (ready++ == 0)
			out->url = r->url;
	}
	out->state = ready ? ENDPOINT_READY : alive || !f->count ? ENDPOINT_STARTING : ENDPOINT_DOWN;
	if (!ready && f->count)
		out->url = f->replicas[0].url;
	if (ready == f->count && ready)
		out->reason = S("");
}

static void name_older(const struct endpoint_files *f, struct endpoint_status *out)
{
	size_t n = 0;
	for (size_t i = 0; i < f->retiring_count && n < COUNT_OF(out->older); i++)
		if (process_alive(&f->retiring[i].process))
			out->older[n++] = f->retiring[i].process.pid;
}

// Ends what is past its grace; only when nobody else is at work on the endpoint.
static void tidy(struct call *c, const struct place *place, struct endpoint_files *f)
{
	AUTO(fd) lock = -1;
	if (!f->retiring_count || lock_take(place->lock, &lock, NULL))
		return;
	size_t before = f->retiring_count;
	if (endpoint_files_read(c, place->status, f))
		return;
	stop_retired(c, f, false);
	if (f->retiring_count != before && endpoint_files_write(c, place->status, f))
		err_clear(&c->err); // the next look tries again
}

static int local_endpoint_observe(struct call *c, void *endpoints, struct str name, struct endpoint_status *out)
{
	struct local *l = endpoints;
	struct place place = {0};
	struct endpoint_files files = {0};
	local_reap(l);
	if (endpoint_place(c, l, name, &place))
		return c->err.code;
	if (!file_exists(place.spec))
		return call_fail(c, ERR_NOT_FOUND, "%s: there is no endpoint %.*s", l->cloud, STR(name));
	if (endpoint_files_read(c, place.status, &files))
		return c->err.code;
	tidy(c, &place, &files);
	*out = (struct endpoint_status){.generation = files.generation};
	judge(c, &files, out);
	name_older(&files, out);
	return call_check(c);
}

// ---------------------------------------------------------------- delete, list
static int local_endpoint_delete(struct call *c, void *endpoints, struct str name)
{
	struct local *l = endpoints;
	struct place place = {0};
	struct endpoint_files files = {0};
	AUTO(fd) lock = -1;
	local_reap(l);
	if (endpoint_place(c, l, name, &place))
		return c->err.code;
	if (!file_exists(place.folder))
		return 0;
	if (local_lock_wait(c, place.lock, &lock) || endpoint_files_read(c, place.status, &files))
		return c->err.code;
	stop_retired(c, &files, true);
	for (size_t i = 0; i < files.count; i++)
		process_stop(&files.replicas[i].process, STOP_GRACE_NS);
	int code = remove_generations(c, l, name, S(""));
	local_reap(l);
	return code ? code : file_remove_tree(place.folder, &c->err);
}

static int local_endpoint_list(struct call *c, void *endpoints, struct str **names, size_t *count)
{
	return local_list(c, endpoints, "endpoints", names, count);
}

const struct endpoint_ops local_endpoint_ops = {
	.name = "local",
	.ensure = local_endpoint_ensure,
	.observe = local_endpoint_observe,
	.delete = local_endpoint_delete,
	.list = local_endpoint_list,
};
