// SPDX-License-Identifier: Apache-2.0
// Stage-in: the objects of all inputs, a few at once, each checked against the checksum its store tells. An input's
// prefix that ends in '/' brings everything below it; one that does not is a single object.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "data/digest_file.h"
#include "jobs/worker_impl.h"

struct item {
	struct str bucket, key;
	const char *path;
};
struct staging {
	struct worker *w;
	struct item *items;
	size_t count, room;
	pthread_mutex_t lock; // of next and failed
	size_t next;
	struct err failed;
};

// ---------------------------------------------------------------- what to bring
static int add_item(struct staging *s, const struct job_input *in, struct str key, struct str relative)
{
	struct call *c = s->w->c;
	if (str_eq(relative, S("_SUCCESS")) || str_ends(key, S("/")))
		return 0;
	if (file_check_relative(relative, &c->err))
		return call_context(c, "object %.*s", STR(key));
	if (s->count == WORKER_MAX_OBJECTS)
		return call_fail(c, ERR_LIMIT, "the inputs hold more than %d objects", WORKER_MAX_OBJECTS);
	if (s->count == s->room) {
		size_t room = s->room ? s->room * 2 : 64;
		struct item *more = arena_new_array(c->arena, room, struct item);
		if (!more)
			return call_no_memory(c);
		if (s->count)
			memcpy(more, s->items, s->count * sizeof(*more));
		s->items = more;
		s->room = room;
	}
	const char *path = arena_printf(c->arena, "%s/%.*s/%.*s", s->w->work.data, STR(in->name), STR(relative)).p;
	s->items[s->count++] = (struct item){.bucket = in->bucket, .key = key, .path = path};
	return path ? 0 : call_no_memory(c);
}

static struct str file_name(struct str key)
{
	struct str head;
	while (str_find_char(key, '/') >= 0)
		str_cut(key, '/', &head, &key);
	return key;
}

static int add_input(struct staging *s, const struct job_input *in)
{
	struct call *c = s->w->c;
	struct store_page page = {0};
	if (in->prefix.n && !str_ends(in->prefix, S("/")))
		return add_item(s, in, in->prefix, file_name(in->prefix));
	if (cloud_list_all(c, s->w->cloud, in->bucket, in->prefix, &page))
		return c->err.code;
	if (!page.count)
		return call_fail(c, ERR_NOT_FOUND, "nothing lies below %.*s/%.*s on %.*s", STR(in->bucket),
			STR(in->prefix), STR(s->w->cloud->name));
	for (size_t i = 0; i < page.count; i++)
		if (add_item(s, in, page.objects[i].key, str_drop(page.objects[i].key, in->prefix.n)))
			return c->err.code;
	return 0;
}

// ---------------------------------------------------------------- bringing it
static int make_parent(struct call *c, const char *path)
{
	char *folder = arena_cstr(c->arena, str_of(path));
	if (!folder)
		return call_no_memory(c);
	*strrchr(folder, '/') = '\0';
	return file_make_dirs(folder, 0700, &c->err);
}

static int bring(struct call *c, const struct cloud *cloud, const struct item *item)
{
	struct object got = {0};
	struct file_digest d = {0};
	if (make_parent(c, item->path))
		return c->err.code;
	AUTO(fd) fd = open(item->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return call_errno(c, "create %s", item->path);
	const struct store_get get = {.bucket = item->bucket, .key = item->key};
	if (cloud_get_fd(c, cloud, &get, fd, &got) || checksum_fd(fd, item->path, &d, &c->err))
		return c->err.code;
	if (d.size != got.size || (got.has_crc32c && d.crc32c != got.crc32c))
		return call_fail(c, ERR_CORRUPT,
			"object %.*s: %llu bytes with checksum %08x came; its store says %llu with %08x",
			STR(item->key), (unsigned long long)d.size, d.crc32c, (unsigned long long)got.size, got.crc32c);
	return 0;
}

static const struct item *next_item(struct staging *s)
{
	pthread_mutex_lock(&s->lock);
	const struct item *item = s->next < s->count && !s->failed.code ? &s->items[s->next++] : NULL;
	pthread_mutex_unlock(&s->lock);
	return item;
}

static void *bring_items(void *ctx)
{
	struct staging *s = ctx;
	for (const struct item *item; (item = next_item(s));) {
		AUTO(arena) arena = {0};
		struct call c = {0};
		call_child(&c, s->w->c, &arena, 0);
		if (bring(&c, s->w->cloud, item) == 0)
			continue;
		pthread_mutex_lock(&s->lock);
		s->failed = c.err;
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

static void run_threads(struct staging *s)
{
	pthread_t threads[WORKER_DOWNLOADS];
	size_t n = 0, wanted = MIN(s->count, (size_t)WORKER_DOWNLOADS);
	while (n + 1 < wanted && pthread_create(&threads[n], NULL, bring_items, s) == 0)
		n++;
	(void)bring_items(s); // this thread is one of them
	for (size_t i = 0; i < n; i++)
		pthread_join(threads[i], NULL);
}

int worker_stage_in(struct worker *w)
{
	struct staging s = {.w = w};
	for (size_t i = 0; i < w->spec.input_count; i++)
		if (add_input(&s, &w->spec.inputs[i]))
			return call_context(w->c, "input \"%.*s\"", STR(w->spec.inputs[i].name));
	pthread_mutex_init(&s.lock, NULL);
	run_threads(&s);
	pthread_mutex_destroy(&s.lock);
	if (s.failed.code) {
		w->c->err = s.failed;
		return call_context(w->c, "bring the inputs");
	}
	return job_work_give(&w->work, w->work.data, &w->c->err);
}
