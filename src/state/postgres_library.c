// SPDX-License-Identifier: Apache-2.0
// libpq by dlsym: see postgres_library.h.
#include "state/postgres_library.h"

#include <pthread.h>

#include "base/library.h"

// Filled once under the lock, constant afterwards: the one thing of the process that cannot be per state.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct postgres_library library;
static bool loaded;

static int load(struct err *e)
{
	static const char *const paths[] = {"/usr/lib/x86_64-linux-gnu/libpq.so.5",
		"/usr/lib/aarch64-linux-gnu/libpq.so.5", "/usr/lib64/libpq.so.5", "/usr/lib/libpq.so.5", NULL};
	static const struct library_symbol symbols[] = {
#define X(member, type, parameters) {"PQ" #member, offsetof(struct postgres_library, member)},
		POSTGRES_FUNCTIONS(X)
#undef X
	};
	static const struct library_spec spec = {.name = "libpq (state on PostgreSQL)",
		.package = "libpq5",
		.paths = paths,
		.symbols = symbols,
		.symbol_count = COUNT_OF(symbols)};
	return library_load(&spec, &library, e);
}

int postgres_library_get(const struct postgres_library **out, struct err *e)
{
	pthread_mutex_lock(&lock);
	int rc = loaded ? 0 : load(e);
	loaded = rc == 0;
	pthread_mutex_unlock(&lock);
	if (rc == 0)
		*out = &library;
	return rc;
}
