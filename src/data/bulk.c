// SPDX-License-Identifier: Apache-2.0
// Copying, moving and mirroring below a place: see bulk.h. The lists of both sides are compared first; what is to do
// then becomes tasks that threads take one by one. Removals at the target come after everything was copied, and only
// when nothing failed: a mirror that lost its source in the middle must not lose the target as well.
#include "data/bulk.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "data/bulk_impl.h"

// ---------------------------------------------------------------- threads
void bulk_tell(const struct bulk_run *run, const struct bulk_event *e)
{
	if (run->options->tell)
		run->options->tell(run->options->ctx, e);
}

void bulk_begin(const struct bulk_run *run)
{
	uint64_t bytes = 0;
	for (size_t i = 0; i < run->count; i++)
		bytes += run->tasks[i].item->size;
	if (run->options->begin)
		run->options->begin(run->options->ctx, run->count, bytes);
}

struct bulk_task *bulk_tasks(struct call *c, const struct bulk_list *list, enum bulk_what what)
{
	struct bulk_task *tasks = arena_new_array(c->arena, list->count + 1, struct bulk_task);
	for (size_t i = 0; tasks && i < list->count; i++)
		tasks[i] = (struct bulk_task){&list->items[i], what};
	return tasks;
}

static void count_done(struct bulk_run *run, const struct bulk_task *task, uint64_t bytes)
{
	pthread_mutex_lock(&run->lock);
	if (task->what == BULK_DROP)
		run->result->deleted++;
	else
		run->result->copied++;
	run->result->bytes += bytes;
	pthread_mutex_unlock(&run->lock);
}

static void count_failed(struct bulk_run *run, const struct bulk_task *task, const struct err *e)
{
	const struct bulk_event event = {.action = "fail", .from = task->item->name, .why = str_of(e->message)};
	bulk_tell(run, &event);
	pthread_mutex_lock(&run->lock);
	if (run->result->failed++ == 0)
		run->result->first = *e;
	pthread_mutex_unlock(&run->lock);
}

static void *work(void *ctx)
{
	struct bulk_run *run = ctx;
	for (;;) {
		size_t i = atomic_fetch_add(&run->next, 1);
		if (i >= run->count)
			return NULL;
		AUTO(arena) arena = {0};
		struct call c;
		uint64_t bytes = 0;
		call_child(&c, run->parent, &arena, 0);
		int rc = call_check(&c);
		if (rc < 0)
			return NULL; // bulk_do says why
		rc = run->act(&c, run, &run->tasks[i], &bytes);
		if (rc < 0)
			count_failed(run, &run->tasks[i], &c.err);
		else
			count_done(run, &run->tasks[i], bytes);
	}
}

int bulk_do(struct call *c, struct bulk_run *run)
{
	size_t wanted = run->options->parallel ? run->options->parallel : BULK_PARALLEL, started = 0;
	pthread_t threads[BULK_PARALLEL_MOST];
	wanted = MIN(MIN(wanted, (size_t)BULK_PARALLEL_MOST), run->count);
	pthread_mutex_init(&run->lock, NULL);
	atomic_store(&run->next, 0);
	run->parent = c;
	while (started + 1 < wanted && pthread_create(&threads[started], NULL, work, run) == 0)
		started++;
	work(run); // this thread is one of them
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_destroy(&run->lock);
	return call_check(c);
}

// ---------------------------------------------------------------- what is to do
static int same_checksum(struct call *c, const struct bulk_options *o, const struct bulk_item *item, bool *same)
{
	AUTO(arena) arena = {0};
	struct call child;
	struct object_place from, to;
	uint64_t sizes[2];
	uint32_t crcs[2];
	call_child(&child, c, &arena, 0);
	int rc = bulk_place(&child, &o->from, item->name, &from);
	if (rc == 0)
		rc = bulk_place(&child, &o->to, item->name, &to);
	if (rc == 0)
		rc = bulk_checksum(&child, &from, &sizes[0], &crcs[0]);
	if (rc == 0)
		rc = bulk_checksum(&child, &to, &sizes[1], &crcs[1]);
	if (rc < 0) {
		c->err = child.err;
		return rc;
	}
	*same = sizes[0] == sizes[1] && crcs[0] == crcs[1];
	return 0;
}

static int is_there(struct call *c, const struct bulk_options *o, const struct bulk_item *source,
	const struct bulk_item *target, bool *there)
{
	*there = o->update && source->size == target->size;
	if (!*there || !o->checksum) {
		*there = *there && target->modified_ns >= source->modified_ns;
		return 0;
	}
	return same_checksum(c, o, source, there);
}

struct planned {
	struct bulk_task *take, *drop;
	size_t take_count, drop_count;
};

// Both lists are sorted: one pass.
static int plan(struct call *c, const struct bulk_options *o, struct planned *out, struct bulk_result *result)
{
	struct bulk_list from, to = {0};
	bool look = o->update || o->delete_others;
	int rc = bulk_list_source(c, &o->from, &o->select, &from);
	if (rc == 0 && look)
		rc = bulk_list(c, &o->to, &o->select, &to);
	if (rc < 0)
		return rc;
	out->take = arena_new_array(c->arena, from.count + 1, struct bulk_task);
	out->drop = arena_new_array(c->arena, to.count + 1, struct bulk_task);
	if (!out->take || !out->drop)
		return call_no_memory(c);
	size_t i = 0, j = 0;
	while (rc == 0 && (i < from.count || j < to.count)) {
		int order = i == from.count ? 1 : j == to.count ? -1 : str_cmp(from.items[i].name, to.items[j].name);
		bool there = false;
		if (order == 0)
			rc = is_there(c, o, &from.items[i], &to.items[j], &there);
		if (order > 0)
			out->drop[out->drop_count++] = (struct bulk_task){&to.items[j], BULK_DROP};
		else if (!there)
			out->take[out->take_count++] = (struct bulk_task){&from.items[i], BULK_TAKE};
		else
			result->skipped++;
		i += order <= 0;
		j += order >= 0;
	}
	return rc;
}

// ---------------------------------------------------------------- acting
static int make_parent(struct call *c, const struct object_place *at)
{
	char *path = arena_cstr(c->arena, at->key), *slash = path ? strrchr(path, '/') : NULL;
	if (!path)
		return call_no_memory(c);
	if (at->cloud || !slash || slash == path)
		return 0;
	*slash = '\0';
	return file_make_dirs(path, 0755, &c->err);
}

static int take(struct call *c, const struct bulk_run *run, const struct bulk_task *task, uint64_t *bytes)
{
	const struct bulk_options *o = run->options;
	struct object_place from, to;
	struct copy_result copied = {.bytes = task->item->size};
	int rc = bulk_place(c, &o->from, task->item->name, &from);
	if (rc == 0)
		rc = bulk_place(c, &o->to, task->item->name, &to);
	if (rc == 0 && !o->dry_run)
		rc = make_parent(c, &to);
	if (rc == 0 && !o->dry_run)
		rc = objects_copy(c, o->env, &from, &to, &copied);
	if (rc == 0 && o->move && !o->dry_run)
		rc = bulk_remove(c, &from);
	if (rc < 0)
		return rc;
	*bytes = copied.bytes;
	const struct bulk_event event = {
		.action = o->move ? "move" : "copy", .from = from.text, .to = to.text, .bytes = copied.bytes};
	bulk_tell(run, &event);
	return 0;
}

static int drop(struct call *c, const struct bulk_run *run, const struct bulk_task *task)
{
	struct object_place at;
	const struct bulk_options *o = run->options;
	int rc = bulk_place(c, o->to.text.n ? &o->to : &o->from, task->item->name, &at);
	if (rc == 0 && !o->dry_run)
		rc = bulk_remove(c, &at);
	if (rc < 0)
		return rc;
	const struct bulk_event event = {.action = "delete", .from = at.text, .bytes = task->item->size};
	bulk_tell(run, &event);
	return 0;
}

static int act(struct call *c, const struct bulk_run *run, const struct bulk_task *task, uint64_t *bytes)
{
	return task->what == BULK_DROP ? drop(c, run, task) : take(c, run, task, bytes);
}

int bulk_run(struct call *c, const struct bulk_options *options, struct bulk_result *out)
{
	struct planned planned = {0};
	struct bulk_result result = {0};
	if (!options->from.cloud && !options->to.cloud)
		return call_fail(c, ERR_UNSUPPORTED, "%.*s and %.*s are both folders of this machine: one place must be a cloud's",
			STR(options->from.text), STR(options->to.text));
	int rc = plan(c, options, &planned, &result);
	if (rc < 0)
		return rc;
	struct bulk_run run = {.options = options, .act = act, .result = &result};
	run.tasks = planned.take;
	run.count = planned.take_count;
	bulk_begin(&run);
	rc = bulk_do(c, &run);
	if (rc == 0 && options->delete_others && !result.failed) {
		run.tasks = planned.drop;
		run.count = planned.drop_count;
		rc = bulk_do(c, &run);
	}
	*out = result;
	return rc;
}

int bulk_clear(struct call *c, const struct bulk_options *options, struct bulk_result *out)
{
	struct bulk_list list;
	struct bulk_result result = {0};
	int rc = bulk_list(c, &options->from, &options->select, &list);
	if (rc < 0)
		return rc;
	struct bulk_run run = {.options = options, .act = act, .result = &result};
	run.tasks = bulk_tasks(c, &list, BULK_DROP);
	run.count = list.count;
	rc = run.tasks ? bulk_do(c, &run) : call_no_memory(c);
	*out = result;
	return rc;
}

// ---------------------------------------------------------------- usage
static struct str first_step(struct str name)
{
	ptrdiff_t slash = str_find_char(name, '/');
	return slash < 0 ? name : str_take(name, (size_t)slash + 1);
}

int bulk_usage(struct call *c, const struct bulk_list *list, struct bulk_usage **out, size_t *count)
{
	struct bulk_usage *rows = arena_new_array(c->arena, list->count + 1, struct bulk_usage);
	size_t n = 0;
	if (!rows)
		return call_no_memory(c);
	for (size_t i = 0; i < list->count; i++) {
		struct str step = first_step(list->items[i].name);
		if (n == 0 || !str_eq(rows[n - 1].name, step)) // sorted, so that equal steps follow each other
			rows[n++].name = step;
		rows[n - 1].objects++;
		rows[n - 1].bytes += list->items[i].size;
	}
	*out = rows;
	*count = n;
	return 0;
}
