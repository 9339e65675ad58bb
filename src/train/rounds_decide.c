// SPDX-License-Identifier: Apache-2.0
// What a round needs next, decided from what is known, without a call or a clock: start every site, await all until the deadline,
// then a quorum is enough; accept, and only then aggregate.
#include "train/rounds_impl.h"

#include <math.h>

#include "base/time.h"

struct tally {
	size_t ready, out, awaited;
};

static struct tally tally_of(const struct round_view *v)
{
	struct tally t = {0};
	for (size_t i = 0; i < v->count; i++)
		if (v->sites[i].state == SITE_READY)
			t.ready++;
		else if (v->sites[i].state == SITE_OUT)
			t.out++;
		else
			t.awaited++;
	return t;
}

static bool is_final(const struct round_view *v)
{
	return v->round > v->rounds;
}

static struct str stage_name(struct arena *a, const struct round_view *v)
{
	return is_final(v) ? arena_printf(a, "%.*s/final", STR(v->prefix))
			   : arena_printf(a, "%.*s/round-%lld", STR(v->prefix), (long long)v->round);
}

static int add(struct arena *a, const struct round_view *v, struct actions *out, const struct action *action)
{
	AUTO(json) input = json_object();
	struct action *next = &out->items[out->count];
	*next = *action;
	next->address = v->address;
	json_object_set_new(input, "round", json_integer(v->round));
	json_object_update_missing(input, (json_t *)(uintptr_t)action->input);
	next->input = json_in_arena(a, json_incref(input));
	if (!next->name.p || !next->input)
		return ERR_NO_MEMORY;
	out->count++;
	return 0;
}

static int add_for_site(struct arena *a, const struct round_view *v, const struct site_view *s, const char *what, struct actions *out)
{
	AUTO(json) input = json_object();
	json_set_str(input, "site", s->name);
	struct action action = {.type = arena_printf(a, "round.%s", what), .input = input};
	struct str stage = stage_name(a, v);
	if (s->state == SITE_LOST)
		action.name = arena_printf(a, "%.*s/%.*s/%s-%lld", STR(stage), STR(s->name), what, (long long)s->again + 1);
	else
		action.name = arena_printf(a, "%.*s/%.*s/%s", STR(stage), STR(s->name), what);
	return add(a, v, out, &action);
}

static int ask_sites(struct arena *a, const struct round_view *v, struct actions *out)
{
	int rc = 0;
	for (size_t i = 0; i < v->count && rc == 0; i++) {
		const struct site_view *s = &v->sites[i];
		switch (s->state) {
		case SITE_IDLE:
			rc = add_for_site(a, v, s, is_final(v) ? "finish" : "start", out);
			break;
		case SITE_LOST:
			rc = add_for_site(a, v, s, "again", out);
			break;
		case SITE_ENDED:
			rc = add_for_site(a, v, s, "collect", out);
			break;
		case SITE_RUNNING:
		case SITE_READY:
		case SITE_OUT:
			break;
		}
	}
	return rc;
}

// {accepted: [{site, samples, sha256}], late: [site], lost: [{site, reason}]}, each in the order of names.
static json_t *set_of(const struct round_view *v)
{
	json_t *accepted = json_array(), *late = json_array(), *lost = json_array();
	for (size_t i = 0; i < v->count; i++) {
		const struct site_view *s = &v->sites[i];
		json_t *entry = json_object();
		json_set_str(entry, "site", s->name);
		if (s->state == SITE_READY) {
			json_object_set_new(entry, "samples", json_integer((json_int_t)s->samples));
			json_set_str(entry, "sha256", s->sha256);
			if (isfinite(s->loss))
				json_object_set_new(entry, "loss", json_real(s->loss));
			if (isfinite(s->seconds))
				json_object_set_new(entry, "seconds", json_real(s->seconds));
			json_array_append_new(accepted, entry);
		} else if (s->state == SITE_OUT) {
			json_set_str(entry, "reason", s->reason);
			json_array_append_new(lost, entry);
		} else {
			json_array_append(late, json_object_get(entry, "site"));
			json_decref(entry);
		}
	}
	return json_pack("{s:o, s:o, s:o}", "accepted", accepted, "late", late, "lost", lost);
}

static int accept(struct arena *a, const struct round_view *v, struct actions *out)
{
	AUTO(json) set = set_of(v);
	struct action action = {.name = arena_printf(a, "%.*s/accept", STR(stage_name(a, v))), .type = S("round.accept"), .input = set};
	out->count = 0; // nobody is awaited any longer
	return add(a, v, out, &action);
}

static void name_absent(const struct round_view *v, struct buf *out)
{
	for (size_t i = 0; i < v->count; i++) {
		const struct site_view *s = &v->sites[i];
		if (s->state == SITE_OUT)
			buf_printf(out, "; %.*s: %.*s", STR(s->name), STR(s->reason));
		else if (s->state != SITE_READY)
			buf_printf(out, "; %.*s has not answered", STR(s->name));
	}
}

static void fail(const struct round_view *v, const struct tally *t, bool late, struct actions *out)
{
	AUTO(buf) absent = {0};
	char allowed[TIME_TEXT_SIZE], stage[64];
	duration_text(v->allowed_ns, allowed);
	snprintf(stage, sizeof(stage), is_final(v) ? "the result" : "round %lld", (long long)v->round);
	name_absent(v, &absent);
	if (late && t->awaited)
		(void)err_set(&out->failed, ERR_TIMEOUT, "%.*s, %s: %zu of %zu clouds answered in %s, %zu are needed%s", STR(v->address), stage,
			t->ready, v->count, allowed, v->need, buf_cstr(&absent));
	else
		(void)err_set(&out->failed, ERR_FAILED, "%.*s, %s: %zu of %zu clouds are left, %zu are needed%s", STR(v->address), stage,
			t->ready + t->awaited, v->count, v->need, buf_cstr(&absent));
	out->count = 0;
}

// The result is where it can be: what the rounds left on those clouds goes.
static int decide_sweep(struct arena *a, const struct round_view *v, struct actions *out)
{
	int rc = 0;
	out->count = 0;
	for (size_t i = 0; i < v->count && rc == 0; i++)
		if (v->sites[i].state == SITE_READY && !v->sites[i].swept)
			rc = add_for_site(a, v, &v->sites[i], "sweep", out);
	out->finished = out->count == 0;
	return rc;
}

static int decide_open(struct arena *a, const struct round_view *v, int64_t now_ns, struct actions *out)
{
	struct tally t = tally_of(v);
	bool late = now_ns >= v->deadline_ns;
	int rc = ask_sites(a, v, out);
	if (rc < 0 || (t.awaited && !late && t.ready + t.awaited >= v->need))
		return rc;
	if (t.ready < v->need)
		fail(v, &t, late, out);
	else
		return is_final(v) ? decide_sweep(a, v, out) : accept(a, v, out);
	return 0;
}

static bool is_late(const struct round_view *v, struct str site)
{
	const json_t *name, *late = json_object_get(v->accepted_set, "late");
	size_t i;
	json_array_foreach(late, i, name)
		if (str_eq(json_value_str(name), site))
			return true;
	return false;
}

static int decide_accepted(struct arena *a, const struct round_view *v, struct actions *out)
{
	struct action action = {.name = arena_printf(a, "%.*s/aggregate", STR(stage_name(a, v))), .type = S("round.aggregate")};
	int rc = add(a, v, out, &action);
	for (size_t i = 0; i < v->count && rc == 0; i++)
		if (is_late(v, v->sites[i].name))
			rc = add_for_site(a, v, &(struct site_view){.name = v->sites[i].name}, "stop", out);
	return rc;
}

int rounds_decide(struct arena *a, const void *view, int64_t now_ns, struct actions *out)
{
	const struct round_view *v = view;
	for (size_t i = 0; i < v->count; i++)
		if (v->sites[i].state == SITE_RUNNING || v->sites[i].failing)
			out->again_ns = v->pace_ns; // else something is to be done, and the loop looks again once it is
	out->items = arena_new_array(a, v->count + 2, struct action);
	if (!out->items)
		return ERR_NO_MEMORY;
	if (!v->begun) {
		struct action action = {.name = arena_printf(a, "%.*s/begin", STR(v->prefix)), .type = S("round.begin")};
		return add(a, v, out, &action);
	}
	return v->accepted ? decide_accepted(a, v, out) : decide_open(a, v, now_ns, out);
}
