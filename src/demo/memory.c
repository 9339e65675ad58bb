// SPDX-License-Identifier: Apache-2.0
// Peak memory over all processes of a run: see memory.h.
#include "demo/memory.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/edges.h"
#include "base/file.h"
#include "base/process.h"
#include "base/time.h"

struct memory_watch {
	char folder[512];
	atomic_bool stop;
	double peak_bytes;
	pthread_t thread;
};

enum { PROC_LIMIT = 1 << 20 };

// Whether the arguments, the environment or the working folder name the run's folder.
static bool belongs(const struct memory_watch *w, const char *pid)
{
	static const char *const files[] = {"cmdline", "environ"};
	char path[300], link[1024];
	snprintf(path, sizeof(path), "/proc/%s/exe", pid);
	ssize_t n = readlink(path, link, sizeof(link));
	if (n <= 0 || !str_eq(str_bytes(link, (size_t)n), str_of(process_self_path())))
		return false;
	for (size_t i = 0; i < COUNT_OF(files); i++) {
		AUTO(buf) text = {0};
		snprintf(path, sizeof(path), "/proc/%s/%s", pid, files[i]);
		if (file_read(path, PROC_LIMIT, &text, NULL) == 0 && str_find(buf_str(&text), str_of(w->folder)) >= 0)
			return true;
	}
	snprintf(path, sizeof(path), "/proc/%s/cwd", pid);
	n = readlink(path, link, sizeof(link));
	return n > 0 && str_starts(str_bytes(link, (size_t)n), str_of(w->folder));
}

static double resident_bytes(const char *pid)
{
	char path[300];
	AUTO(buf) text = {0};
	struct str size, pages;
	uint64_t count;
	snprintf(path, sizeof(path), "/proc/%s/statm", pid);
	if (file_read(path, PROC_LIMIT, &text, NULL) < 0)
		return 0;
	struct str rest = buf_str(&text);
	bool fine = str_next(&rest, ' ', &size) && str_next(&rest, ' ', &pages) && str_to_u64(pages, &count) == 0;
	return fine ? (double)count * (double)sysconf(_SC_PAGESIZE) : 0;
}

static double look(const struct memory_watch *w)
{
	double sum = 0;
	DIR *proc = opendir("/proc");
	if (!proc)
		return 0;
	for (struct dirent *entry = readdir(proc); entry; entry = readdir(proc))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' && belongs(w, entry->d_name))
			sum += resident_bytes(entry->d_name);
	closedir(proc);
	return sum;
}

static void *run(void *ctx)
{
	struct memory_watch *w = ctx;
	while (!atomic_load(&w->stop)) {
		w->peak_bytes = MAX(w->peak_bytes, look(w));
		edges_real()->sleep_ns(NULL, 500 * NS_PER_MS);
	}
	return NULL;
}

int memory_watch_start(const char *folder, struct memory_watch **out, struct err *e)
{
	struct memory_watch *w = calloc(1, sizeof(*w));
	if (!w)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	str_copy(w->folder, sizeof(w->folder), str_of(folder));
	if (pthread_create(&w->thread, NULL, run, w) != 0) {
		free(w);
		return err_set(e, ERR_LIMIT, "starting the thread that watches memory");
	}
	*out = w;
	return 0;
}

double memory_watch_stop(struct memory_watch *w)
{
	if (!w)
		return 0;
	atomic_store(&w->stop, true);
	pthread_join(w->thread, NULL);
	double peak = w->peak_bytes / 1e6;
	free(w);
	return peak;
}
