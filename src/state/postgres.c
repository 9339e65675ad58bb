// SPDX-License-Identifier: Apache-2.0
// State on PostgreSQL: opening and closing. See postgres_impl.h.
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "state/postgres_impl.h"

// Where distributions keep the certificates of public authorities; libpq's own default is a file in the user's home.
static const char *find_ca_file(const char *wanted)
{
	static const char *const usual[] = {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"};
	const char *said = getenv("SSL_CERT_FILE");
	if (wanted && *wanted)
		return wanted;
	if (said && *said)
		return said;
	for (size_t i = 0; i < COUNT_OF(usual); i++)
		if (file_exists(usual[i]))
			return usual[i];
	return NULL;
}

static struct postgres_state *new_state(void)
{
	struct postgres_state *s = calloc(1, sizeof(*s));
	if (!s)
		return NULL;
	pthread_condattr_t monotonic;
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_mutex_init(&s->lock, NULL);
	pthread_mutex_init(&s->news_lock, NULL);
	pthread_cond_init(&s->given, &monotonic);
	pthread_cond_init(&s->news, &monotonic);
	pthread_condattr_destroy(&monotonic);
	return s;
}

void postgres_close(void *ctx)
{
	struct postgres_state *s = ctx;
	if (!s)
		return;
	for (size_t i = 0; i < POSTGRES_LINKS; i++)
		postgres_drop(s, &s->links[i]);
	postgres_drop(s, &s->listener);
	pthread_mutex_destroy(&s->lock);
	pthread_mutex_destroy(&s->news_lock);
	pthread_cond_destroy(&s->given);
	pthread_cond_destroy(&s->news);
	secret_free(&s->password);
	arena_free(&s->arena);
	free(s);
}

static int fill(struct call *c, struct postgres_state *s, const struct state_place *place)
{
	int rc = postgres_url_parse(place->url, place->schema, &s->arena, &s->place, &c->err);
	if (rc == 0)
		rc = postgres_library_get(&s->pq, &c->err);
	if (rc == 0 && place->password && place->password->n)
		rc = secret_set(&s->password, secret_str(place->password), &c->err);
	const char *ca = find_ca_file(place->ca_file);
	s->ca_file = ca ? arena_cstr(&s->arena, str_of(ca)) : NULL;
	return rc;
}

int state_open_postgres(struct call *c, const struct state_place *place, struct state *out)
{
	static const struct state_ops ops = {
		.name = "postgresql",
		.commit = postgres_commit,
		.append = postgres_append,
		.read = postgres_read,
		.watch = postgres_watch,
		.get = postgres_get,
		.put = postgres_put,
		.list = postgres_list,
		.lease = postgres_lease,
		.release = postgres_release,
		.dump = postgres_dump,
		.load = postgres_load,
		.close = postgres_close,
	};
	struct postgres_state *s = new_state();
	if (!s)
		return call_no_memory(c);
	int rc = fill(c, s, place);
	if (rc == 0)
		rc = postgres_migrate(c, s);
	if (rc < 0) {
		postgres_close(s);
		return rc;
	}
	*out = (struct state){.ops = &ops, .ctx = s};
	return 0;
}
