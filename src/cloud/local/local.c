// SPDX-License-Identifier: Apache-2.0
// The engine itself: its folders, its children, and the question whether its cloud is there.
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/secret.h"
#include "base/time.h"
#include "cloud/config.h"
#include "cloud/job_files.h"
#include "cloud/local/local_impl.h"

// Descriptors: what jobs may have (docs/jobs.md), since a worker cannot give more than it has; connections of a model server.
enum { READY_TIMEOUT_S = 60, LOCK_WAIT_S = 60, LOCAL_MAX_DESCRIPTORS = 4096 };

// ---------------------------------------------------------------- folders and files
const char *local_path(struct call *c, const struct local *l, const char *room, struct str name, const char *file)
{
	struct str path = arena_printf(c->arena, "%s/%s%s%.*s%s%s", l->root, room, name.n ? "/" : "", STR(name),
		file ? "/" : "", file ? file : "");
	if (!path.p)
		(void)call_no_memory(c);
	return path.p;
}

int local_make_folder(struct call *c, const struct local *l, const char *room, struct str name)
{
	const char *path = local_path(c, l, room, name, NULL);
	return path ? file_make_dirs(path, 0700, &c->err) : c->err.code;
}

static int compare_names(const void *a, const void *b)
{
	const struct str *x = a, *y = b;
	return str_cmp(*x, *y);
}

static int collect_names(struct call *c, DIR *d, struct str **names, size_t *count)
{
	size_t room = 16, n = 0;
	struct str *list = arena_new_array(c->arena, room, struct str);
	for (struct dirent *entry; list && (entry = readdir(d));) {
		if (entry->d_name[0] == '.' || entry->d_type != DT_DIR)
			continue;
		if (n == room) {
			struct str *more = arena_new_array(c->arena, room *= 2, struct str);
			if (more)
				memcpy(more, list, n * sizeof(*list));
			list = more;
		}
		if (list)
			list[n++] = arena_str(c->arena, str_of(entry->d_name));
	}
	if (!list)
		return call_no_memory(c);
	qsort(list, n, sizeof(*list), compare_names);
	*names = list;
	*count = n;
	return 0;
}

int local_list(struct call *c, const struct local *l, const char *room, struct str **names, size_t *count)
{
	const char *path = local_path(c, l, room, S(""), NULL);
	if (!path)
		return c->err.code;
	DIR *d = opendir(path);
	if (!d && errno == ENOENT) {
		*names = NULL;
		*count = 0;
		return 0;
	}
	if (!d)
		return call_errno(c, "list %s", path);
	int code = collect_names(c, d, names, count);
	closedir(d);
	return code;
}

int local_read_json(struct call *c, const char *path, const json_t **out)
{
	if (!file_exists(path))
		return call_fail(c, ERR_NOT_FOUND, "%s does not exist", path);
	json_t *j = NULL;
	int code = json_parse_file(path, JOB_FILE_LIMIT, &j, &c->err);
	if (code)
		return code;
	*out = json_in_arena(c->arena, j);
	return *out ? 0 : call_no_memory(c);
}

int local_write_json(struct call *c, const char *path, const json_t *j, mode_t mode)
{
	AUTO(buf) text = {0};
	if (!j)
		return call_no_memory(c);
	if (json_write_pretty(j, &text, &c->err))
		return call_context(c, "write %s", path);
	int rc = file_write_atomic(path, buf_str(&text), mode, &c->err);
	secret_wipe(text.p, text.n); // credentials of a cloud, perhaps
	return rc;
}

int local_lock_wait(struct call *c, const char *path, int *fd)
{
	int64_t until = call_mono_ns(c) + LOCK_WAIT_S * NS_PER_S;
	for (;;) {
		int code = lock_take(path, fd, &c->err);
		if (code != ERR_IN_USE || call_mono_ns(c) > until)
			return code;
		if (call_sleep(c, 20 * NS_PER_MS))
			return c->err.code;
		err_clear(&c->err);
	}
}

// ---------------------------------------------------------------- children
void local_reap(struct local *l)
{
	pthread_mutex_lock(&l->lock);
	size_t kept = 0;
	for (size_t i = 0; i < l->child_count; i++) {
		int status;
		if (process_wait(&l->children[i], 0, &status, NULL) == ERR_TIMEOUT)
			l->children[kept++] = l->children[i];
	}
	l->child_count = kept;
	pthread_mutex_unlock(&l->lock);
}

// Without memory it stays a zombie until we end, which harms nobody.
static void remember_child(struct local *l, const struct process *p)
{
	pthread_mutex_lock(&l->lock);
	if (l->child_count == l->child_room) {
		size_t room = l->child_room ? l->child_room * 2 : 16;
		struct process *more = realloc(l->children, room * sizeof(*more));
		if (more) {
			l->children = more;
			l->child_room = room;
		}
	}
	if (l->child_count < l->child_room)
		l->children[l->child_count++] = *p;
	pthread_mutex_unlock(&l->lock);
}

// Workers and servers are ours: they get what our own behaviour hangs on, and no credential, which stand in no
// variable.
static const char *const *child_environment(struct call *c)
{
	static const char *const names[] = {"PATH", "HOME", "TZ", "LANG", "TMPDIR", "ISOBAR_LOG", "ASAN_OPTIONS",
		"UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"};
	static const char *const fixed[] = {"OPENBLAS_NUM_THREADS=1", "OMP_NUM_THREADS=1"};
	const char **out = arena_new_array(c->arena, COUNT_OF(names) + COUNT_OF(fixed) + 1, const char *);
	size_t n = 0;
	for (size_t i = 0; out && i < COUNT_OF(names); i++) {
		const char *value = getenv(names[i]);
		if (value)
			out[n] = arena_printf(c->arena, "%s=%s", names[i], value).p;
		n += out[n] != NULL;
	}
	for (size_t i = 0; out && i < COUNT_OF(fixed); i++)
		out[n++] = fixed[i];
	return out;
}

int local_start(
	struct call *c, struct local *l, const struct process_spec *spec, const char *log_path, struct process *out)
{
	AUTO(fd) log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log < 0)
		return call_errno(c, "open %s", log_path);
	struct process_spec full = *spec;
	full.environment = child_environment(c);
	if (!full.environment)
		return call_no_memory(c);
	full.out = full.error = log;
	full.new_session = true;
	full.max_descriptors = LOCAL_MAX_DESCRIPTORS;
	if (process_start(&full, out, &c->err))
		return c->err.code;
	remember_child(l, out);
	return 0;
}

// ---------------------------------------------------------------- is the cloud there
int local_check_store(struct call *c, const struct local *l, struct str bucket)
{
	AUTO(arena) arena = {0};
	struct call child = {0};
	call_child(&child, c, &arena, LOCAL_STORE_TIMEOUT_NS);
	int code = CLOUD_CALL(&child, l->self, store, bucket_head, bucket);
	if (!code)
		return 0;
	if (call_check(c))
		return c->err.code;
	if (code == ERR_UNAVAILABLE || code == ERR_TIMEOUT)
		return call_fail(c, ERR_UNAVAILABLE, "%s: its store does not answer, so nothing is started there (%s)",
			l->cloud, child.err.message);
	c->err = child.err;
	return call_context(c, "%s: bucket %.*s", l->cloud, STR(bucket));
}

// ---------------------------------------------------------------- opening
static char *copy_text(struct str s)
{
	char *copy = malloc(s.n + 1);
	if (copy) {
		memcpy(copy, s.n ? s.p : "", s.n);
		copy[s.n] = '\0';
	}
	return copy;
}

// Absolute and without links: workers run elsewhere, and a job's work folder is found by this text.
static int settle_root(struct call *c, struct local *l)
{
	if (file_make_dirs(l->root, 0700, &c->err))
		return c->err.code;
	char *real = realpath(l->root, NULL);
	if (!real)
		return call_errno(c, "resolve %s", l->root);
	free(l->root);
	l->root = real;
	return 0;
}

int local_open_with(struct call *c, const struct local_options *options, const struct cloud *self, struct local **out)
{
	if (!options->root.n)
		return call_fail(c, ERR_INVALID, "%.*s: the local engine needs a folder", STR(options->cloud));
	struct local *l = calloc(1, sizeof(*l));
	if (!l)
		return call_no_memory(c);
	pthread_mutex_init(&l->lock, NULL);
	l->cloud = copy_text(options->cloud);
	l->root = copy_text(options->root);
	l->program = options->program ? copy_text(str_of(options->program)) : NULL;
	l->cloud_json = options->cloud_json ? json_deep_copy(options->cloud_json) : json_object();
	l->self = self;
	l->ready_timeout_ns = options->ready_timeout_ns ? options->ready_timeout_ns : READY_TIMEOUT_S * NS_PER_S;
	if (!l->cloud || !l->root || !l->cloud_json || (options->program && !l->program)) {
		local_close(l);
		return call_no_memory(c);
	}
	if (settle_root(c, l)) {
		local_close(l);
		return c->err.code;
	}
	*out = l;
	return 0;
}

int local_open(struct call *c, const struct cloud_config *config, const struct cloud *self, struct local **out)
{
	AUTO(json) cloud_json = cloud_config_to_json(config);
	if (!cloud_json)
		return call_no_memory(c);
	const struct local_options options = {
		.cloud = config->name, .root = config->local_root, .cloud_json = cloud_json};
	return local_open_with(c, &options, self, out);
}

void local_close(struct local *l)
{
	if (!l)
		return;
	local_reap(l);
	free(l->children);
	free(l->cloud);
	free(l->root);
	free(l->program);
	json_decref(l->cloud_json);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
