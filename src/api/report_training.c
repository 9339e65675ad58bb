// SPDX-License-Identifier: Apache-2.0
// The report's first half: how the loss of each site fell over the rounds, what each site gave, and the versions that
// came of it.
#include "api/report_impl.h"

enum { MAX_SITES = 64, MAX_ROUNDS = 10000 };

struct site {
	struct str name;
	double *rounds, *losses;
	size_t count;
	double samples, seconds;
};

struct training {
	struct arena *arena;
	struct site sites[MAX_SITES];
	size_t site_count, rounds;
};

static struct site *find_site(struct training *t, struct str name)
{
	for (size_t i = 0; i < t->site_count; i++) {
		if (str_eq(t->sites[i].name, name))
			return &t->sites[i];
	}
	if (t->site_count == MAX_SITES)
		return NULL;
	struct site *s = &t->sites[t->site_count];
	*s = (struct site){.name = name,
		.rounds = arena_new_array(t->arena, t->rounds + 1, double),
		.losses = arena_new_array(t->arena, t->rounds + 1, double)};
	if (!s->rounds || !s->losses)
		return NULL;
	t->site_count++;
	return s;
}

static void take_site(struct training *t, double round, const json_t *accepted)
{
	struct site *s = find_site(t, json_str(accepted, "site"));
	if (!s)
		return;
	s->samples = json_num(accepted, "samples", 0);
	s->seconds += json_num(accepted, "seconds", 0);
	if (json_object_get(accepted, "loss") && s->count <= t->rounds) {
		s->rounds[s->count] = round;
		s->losses[s->count++] = json_num(accepted, "loss", 0);
	}
}

// Only the newest run of a training is drawn: rounds of an older one would be the same numbers again.
static struct str newest_run(const json_t *events)
{
	size_t n = json_array_size(events);
	return n ? json_str(json_object_get(json_array_get(events, n - 1), "data"), "run") : (struct str){0};
}

static void take_rounds(struct training *t, const json_t *events)
{
	struct str run = newest_run(events);
	size_t i, k;
	const json_t *event, *accepted;
	json_array_foreach(events, i, event)
	{
		const json_t *data = json_object_get(event, "data");
		if (!str_eq(json_str(data, "run"), run))
			continue;
		json_array_foreach(json_object_get(data, "accepted"), k, accepted)
			take_site(t, json_num(data, "round", (double)(i + 1)), accepted);
	}
}

static void write_curve(struct report *r, const struct training *t)
{
	struct chart_series series[MAX_SITES];
	size_t count = 0;
	for (size_t i = 0; i < t->site_count; i++)
		series[count++] = (struct chart_series){.name = t->sites[i].name,
			.x = t->sites[i].rounds,
			.y = t->sites[i].losses,
			.count = t->sites[i].count};
	const struct chart chart = {.x_label = "round",
		.y_label = "training loss",
		.series = series,
		.series_count = count,
		.from_zero = true};
	chart_write(&chart, &r->out);
}

static void write_sites(struct report *r, const struct training *t)
{
	if (t->site_count == 0)
		return;
	buf_add(&r->out, S("<table><tr><th>Site</th><th class=\"n\">Samples a round</th><th class=\"n\">Seconds in "
			   "all</th></tr>\n"));
	for (size_t i = 0; i < t->site_count; i++) {
		buf_add(&r->out, S("<tr><td>"));
		html_escape(t->sites[i].name, &r->out);
		buf_printf(&r->out, "</td><td class=\"n\">%.0f</td><td class=\"n\">%.1f</td></tr>\n",
			t->sites[i].samples, t->sites[i].seconds);
	}
	buf_add(&r->out, S("</table>\n"));
}

static void write_version(struct report *r, const json_t *model, const json_t *version)
{
	const char *name;
	json_t *value;
	buf_add(&r->out, S("<tr><td>"));
	html_escape(json_str(model, "name"), &r->out);
	buf_add_char(&r->out, ' ');
	html_escape(json_str(version, "version"), &r->out);
	buf_add(&r->out, S("</td><td>"));
	json_object_foreach(json_object_get(model, "aliases"), name, value)
	{
		if (str_eq(json_str(value, "version"), json_str(version, "version")))
			html_escape(str_of(name), &r->out);
	}
	buf_add(&r->out, S("</td><td>"));
	json_object_foreach(json_object_get(version, "metrics"), name, value)
	{
		html_escape(str_of(name), &r->out);
		buf_printf(&r->out, " = %.4f ", json_number_value(value));
	}
	buf_printf(&r->out, "</td><td><code>%.12s…</code></td></tr>\n", json_text(version, "sha256"));
}

static int write_models(struct report *r)
{
	const json_t *models = NULL, *model, *version;
	size_t i, k;
	int rc = report_ask(r, handle_models, "", &models);
	if (rc < 0)
		return rc;
	report_heading(r, "Models",
		"A version is its bytes, the same on every cloud; an alias is earned by what was measured.");
	buf_add(&r->out, S("<table><tr><th>Version</th><th>Alias</th><th>Measured</th><th>SHA-256</th></tr>\n"));
	json_array_foreach(json_object_get(models, "models"), i, model)
	{
		json_array_foreach(json_object_get(model, "versions"), k, version) write_version(r, model, version);
	}
	buf_add(&r->out, S("</table>\n"));
	return 0;
}

int report_training(struct report *r)
{
	const json_t *answer = NULL;
	struct training *t = arena_new(r->request->call->arena, struct training);
	if (!t)
		return call_no_memory(r->request->call);
	int rc = report_ask(r, handle_events, "type=round.accepted&limit=10000", &answer);
	if (rc < 0)
		return rc;
	const json_t *events = json_object_get(answer, "events");
	t->arena = r->request->call->arena;
	t->rounds = MIN(json_array_size(events), (size_t)MAX_ROUNDS);
	take_rounds(t, events);
	report_heading(r, "Training", "Loss on each cloud's own data, round by round; only weights travelled.");
	write_curve(r, t);
	write_sites(r, t);
	return write_models(r);
}
