// SPDX-License-Identifier: Apache-2.0
// The refresher of credentials: see credentials.h. One slot an audience. Who finds a slot empty or nearly over fetches
// (one thread; `fetching`), those who can still use the old ones do, the others wait for that thread, whose failure is
// theirs, too.
#include "cloud/credentials.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/time.h"

struct slot {
	char audience[256];
	struct credential_made made;
	uint64_t serial; // 0: none yet
	int64_t got_ns, ends_ns;
	int64_t again_ns; // no attempt before this, while the old ones hold
	bool fetching, refused;
	int64_t refused_ns; // last; 0: never
	struct err failed; // of the last attempt, for those who waited for it
	uint64_t attempts;
};

struct credential_source {
	const struct credential_ops *ops;
	void *ctx;
	struct provider_clock clock;
	pthread_mutex_t lock; // of what follows; not held while fetching
	pthread_cond_t ended; // an attempt has
	struct slot slots[CREDENTIALS_AUDIENCES];
	size_t count;
	uint64_t serials;
};

// ---------------------------------------------------------------- clocks

int64_t provider_now_ns(const struct call *c, const struct provider_clock *clock)
{
	return call_now_ns(c) + (clock ? clock->ahead_ns : 0);
}

bool provider_clock_learn(const struct call *c, struct provider_clock *clock, struct str date)
{
	enum { SAME_S = 30 };
	int64_t theirs_ns;
	if (time_parse_http_date(date, &theirs_ns))
		return false;
	int64_t ahead = theirs_ns - call_now_ns(c), off = ahead - clock->ahead_ns;
	if (off < SAME_S * NS_PER_S && off > -SAME_S * NS_PER_S)
		return false;
	clock->ahead_ns = ahead;
	return true;
}

// ---------------------------------------------------------------- life

void credential_made_free(struct credential_made *m)
{
	if (!m)
		return;
	secret_free(&m->access_key);
	secret_free(&m->secret_key);
	secret_free(&m->session_token);
	secret_free(&m->token);
	*m = (struct credential_made){0};
}

int credential_source_new(const struct credential_ops *ops, void *ctx, struct credential_source **out, struct err *e)
{
	struct credential_source *s = calloc(1, sizeof(*s));
	pthread_condattr_t monotonic;
	if (!s) {
		ops->close(ctx);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	s->ops = ops;
	s->ctx = ctx;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->ended, &monotonic);
	pthread_condattr_destroy(&monotonic);
	*out = s;
	return 0;
}

void credential_source_free(struct credential_source *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		credential_made_free(&s->slots[i].made);
	s->ops->close(s->ctx);
	pthread_cond_destroy(&s->ended);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

struct provider_clock *credentials_clock(struct credential_source *s)
{
	return &s->clock;
}

// ---------------------------------------------------------------- slots

static struct slot *find(struct credential_source *s, struct str audience)
{
	for (size_t i = 0; i < s->count; i++) {
		if (str_eq(str_of(s->slots[i].audience), audience))
			return &s->slots[i];
	}
	return NULL;
}

static int find_or_add(struct call *c, struct credential_source *s, struct str audience, struct slot **out)
{
	*out = find(s, audience);
	if (*out)
		return 0;
	if (s->count == CREDENTIALS_AUDIENCES || audience.n >= sizeof(s->slots[0].audience))
		return call_fail(c, ERR_LIMIT, "credentials for more than %d audiences, or for one with a longer name",
			CREDENTIALS_AUDIENCES);
	*out = &s->slots[s->count++];
	str_copy((*out)->audience, sizeof((*out)->audience), audience);
	return 0;
}

// How long before the end: of a short life a part of it.
static int64_t early_ns(const struct slot *slot)
{
	int64_t seconds = slot->made.token.n ? CREDENTIALS_TOKEN_EARLY_S : CREDENTIALS_EARLY_S;
	return MIN(seconds * NS_PER_S, (slot->ends_ns - slot->got_ns) / 4);
}

static int64_t late_ns(const struct slot *slot)
{
	int64_t seconds = slot->made.token.n ? CREDENTIALS_TOKEN_LATE_S : CREDENTIALS_LATE_S;
	return MIN(seconds * NS_PER_S, (slot->ends_ns - slot->got_ns) / 10);
}

static bool serves(const struct slot *slot, int64_t now_ns)
{
	return slot->serial && !slot->refused &&
	       (!slot->ends_ns || now_ns < slot->ends_ns - late_ns(slot));
}

static bool holds(const struct slot *slot, int64_t now_ns)
{
	return slot->serial && !slot->refused && (!slot->ends_ns || now_ns < slot->ends_ns);
}

static bool is_due(const struct slot *slot, int64_t now_ns)
{
	bool old = !slot->serial || slot->refused ||
		   (slot->ends_ns && now_ns >= slot->ends_ns - early_ns(slot));
	return old && (now_ns >= slot->again_ns || !holds(slot, now_ns));
}

// ---------------------------------------------------------------- fetching

// Without the lock while it is under way; the slot stays where it is.
static int fetch(struct call *c, struct credential_source *s, struct slot *slot)
{
	AUTO(credential_made) made = {0};
	slot->fetching = true;
	pthread_mutex_unlock(&s->lock);
	int r = s->ops->make(c, s->ctx, str_of(slot->audience), &made);
	int64_t now_ns = call_mono_ns(c);
	pthread_mutex_lock(&s->lock);
	slot->fetching = false;
	slot->attempts++;
	slot->failed = c->err;
	slot->again_ns = now_ns + CREDENTIALS_PAUSE_S * NS_PER_S;
	if (!r) {
		credential_made_free(&slot->made);
		slot->made = made;
		made = (struct credential_made){0};
		slot->serial = ++s->serials;
		slot->got_ns = now_ns;
		slot->ends_ns = slot->made.lifetime_ns ? now_ns + slot->made.lifetime_ns : 0;
		slot->again_ns = 0;
		slot->refused = false;
	}
	pthread_cond_broadcast(&s->ended);
	return r;
}

static int await(struct call *c, struct credential_source *s, const struct slot *slot)
{
	uint64_t attempts = slot->attempts;
	while (slot->fetching && slot->attempts == attempts) {
		struct timespec until;
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += 100 * NS_PER_MS; // to look at the deadline and at who cancels
		until.tv_sec += until.tv_nsec / NS_PER_S;
		until.tv_nsec %= NS_PER_S;
		pthread_cond_timedwait(&s->ended, &s->lock, &until);
		int r = call_check(c);
		if (r)
			return call_context(c, "while waiting for credentials");
	}
	if (slot->serial && !slot->refused)
		return 0;
	// The other's deadline or cancellation is not ours.
	if (slot->failed.code == ERR_TIMEOUT || slot->failed.code == ERR_CANCELLED || !slot->failed.code)
		return 0;
	c->err = slot->failed;
	return c->err.code;
}

static int copy_out(struct call *c, const struct slot *slot, struct credential *out)
{
	const struct credential_made *m = &slot->made;
	*out = (struct credential){.access_key = arena_str(c->arena, secret_str(&m->access_key)),
		.secret_key = arena_str(c->arena, secret_str(&m->secret_key)),
		.session_token = arena_str(c->arena, secret_str(&m->session_token)),
		.token = arena_str(c->arena, secret_str(&m->token)),
		.ends_ns = slot->ends_ns,
		.serial = slot->serial};
	return out->access_key.p && out->secret_key.p && out->session_token.p && out->token.p ? 0 : call_no_memory(c);
}

static int get(struct call *c, struct credential_source *s, struct slot *slot)
{
	for (int turn = 0; turn < 8; turn++) {
		int64_t now_ns = call_mono_ns(c);
		bool usable = serves(slot, now_ns);
		if (usable && (slot->fetching || !is_due(slot, now_ns)))
			return 0;
		if (slot->fetching) {
			int r = await(c, s, slot);
			if (r)
				return r;
			continue;
		}
		if (!is_due(slot, now_ns))
			return 0; // nearly over, and nobody gives others just now
		int r = fetch(c, s, slot);
		// While the old ones still hold, an endpoint that is down hurts nobody.
		if (r && holds(slot, call_mono_ns(c)) && call_left_ns(c) > 0) {
			err_clear(&c->err);
			r = 0;
		}
		return r;
	}
	return call_fail(c, ERR_UNAVAILABLE, "credentials were fetched again and again, and none came");
}

int credentials_get(struct call *c, struct credential_source *s, struct str audience, struct credential *out)
{
	struct slot *slot = NULL;
	struct credential found = {0};
	pthread_mutex_lock(&s->lock);
	int r = find_or_add(c, s, audience, &slot);
	if (!r)
		r = get(c, s, slot);
	if (!r)
		r = copy_out(c, slot, &found);
	pthread_mutex_unlock(&s->lock);
	if (!r)
		*out = found;
	return r;
}

// ---------------------------------------------------------------- refusals

bool credentials_refused(struct call *c, struct credential_source *s, struct str audience, uint64_t serial)
{
	pthread_mutex_lock(&s->lock);
	struct slot *slot = find(s, audience);
	bool others = slot && slot->serial && slot->serial != serial && !slot->refused;
	int64_t now_ns = call_mono_ns(c), fresh = CREDENTIALS_FRESH_S * NS_PER_S;
	bool old = slot && slot->serial == serial && slot->ends_ns &&
		   (now_ns - slot->got_ns >= fresh || !slot->refused_ns || now_ns - slot->refused_ns >= fresh);
	if (old) {
		slot->refused = true;
		slot->refused_ns = now_ns;
	}
	pthread_mutex_unlock(&s->lock);
	return others || old;
}

void credentials_expire(struct credential_source *s)
{
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->count; i++)
		s->slots[i].refused = true;
	pthread_mutex_unlock(&s->lock);
}
