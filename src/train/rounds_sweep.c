// SPDX-License-Identifier: Apache-2.0
// What rounds leave on a cloud goes once the result is everywhere: the weights they began with and what the sites made. Only the
// result stays, below final/. Rounds of earlier runs of the training go with them, when those came to their end while this
// cloud could not be asked. A sweep may be done again after a crash: it deletes what it finds.
#include "train/rounds_impl.h"

// "trainings/NAME/" -> RUN of a key "trainings/NAME/RUN/round-...", "" for what is not of a round.
static struct str run_of(struct str key, struct str prefix)
{
	struct str run, rest;
	if (!str_starts(key, prefix) || !str_cut(str_drop(key, prefix.n), '/', &run, &rest) || !str_starts(rest, S("round-")))
		return S("");
	return run;
}

// A run of which some cloud has the result, as the journal says: nobody goes back to its rounds.
static int is_finished(struct call *c, const struct rounds *t, struct str run, bool *finished)
{
	*finished = str_eq(run, t->step->run);
	for (size_t i = 0; i < t->count && !*finished; i++) {
		json_t *output;
		struct str name = arena_printf(
			c->arena, "train/%.*s/%.*s/final/%.*s/finish", STR(t->name), STR(run), STR(t->sites[i].cloud->name));
		int rc = name.p ? reconcile_result(c, t->step->state, name, &output) : call_no_memory(c);
		if (rc < 0 && rc != ERR_NOT_FOUND)
			return rc;
		err_clear(&c->err);
		*finished = rc == 0;
	}
	return 0;
}

static bool took_part(const json_t *record, struct str site)
{
	const json_t *entry, *accepted = json_object_get(record, "accepted");
	size_t i;
	json_array_foreach(accepted, i, entry)
		if (str_eq(json_str(entry, "site"), site))
			return true;
	return false;
}

// A job that nobody waited for to its end may still run, and would write after the sweep.
static int stop_stragglers(struct call *c, struct rounds *t, struct site *s)
{
	int rc = 0;
	for (int64_t round = 1; round <= t->training->federated.rounds && rc == 0; round++) {
		struct record r = {0};
		struct str key = rounds_record_key(t, c->arena, round);
		rc = key.p ? state_get(c, t->step->state, key, &r) : call_no_memory(c);
		if (rc == 0 && !took_part(r.value, s->cloud->name))
			rc = CLOUD_CALL(c, s->cloud, jobs, stop, site_job_name(t, c->arena, s, round));
		if (rc == ERR_NOT_FOUND) {
			err_clear(&c->err);
			rc = 0;
		}
	}
	return rc;
}

int site_sweep(struct call *c, struct rounds *t, struct site *s, const struct action *action, json_t **output)
{
	struct str prefix = arena_printf(c->arena, "trainings/%.*s/", STR(t->name));
	struct store_page all = {0};
	int64_t removed = 0;
	(void)action;
	int rc = prefix.p ? stop_stragglers(c, t, s) : call_no_memory(c);
	if (rc == 0)
		rc = cloud_list_all(c, s->cloud, s->bucket, prefix, &all);
	for (size_t i = 0; i < all.count && rc == 0; i++) {
		struct str run = run_of(all.objects[i].key, prefix);
		bool finished = false;
		if (run.n)
			rc = is_finished(c, t, run, &finished);
		if (rc == 0 && finished) {
			rc = CLOUD_CALL(c, s->cloud, store, delete, s->bucket, all.objects[i].key);
			removed++;
		}
	}
	if (rc < 0)
		return rc;
	*output = json_pack("{s:I}", "removed", (json_int_t)removed);
	return *output ? 0 : call_no_memory(c);
}
