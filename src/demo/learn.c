// SPDX-License-Identifier: Apache-2.0
// The first half of the story: declare everything, then make the model: ingest, transform, train in rounds, register, promote.
#include <inttypes.h>
#include <string.h>

#include "base/time.h"
#include "demo/demo_impl.h"

// ---------------------------------------------------------------- declare
static int plan(struct demo *d, json_t **out)
{
	return demo_ask(d, "POST", "/v1/plan", json_object(), out);
}

int demo_declare(struct demo *d)
{
	json_t *first, *applied, *second;
	int rc = plan(d, &first);
	if (rc < 0)
		return rc;
	story_say(&d->story, "plan", "%" PRId64 " to create, %" PRId64 " waiting for a model version", json_int(first, "create", 0),
		json_int(first, "waiting", 0));
	rc = demo_ask(d, "POST", "/v1/apply", json_object(), &applied);
	if (rc == 0)
		rc = plan(d, &second);
	if (rc < 0)
		return rc;
	if (!json_flag(second, "empty", false))
		return call_fail(&d->call, ERR_FAILED, "the second plan is not empty");
	story_say(&d->story, "apply", "made; a second plan is empty, %" PRId64 " endpoints wait", json_int(second, "waiting", 0));
	return 0;
}

// ---------------------------------------------------------------- learn
// What a person need not read: every job waits and starts before it ends.
static bool is_news(const char *text)
{
	static const char *const noise[] = {"", "queued", "running", "never made"};
	for (size_t i = 0; i < COUNT_OF(noise); i++)
		if (strcmp(text, noise[i]) == 0)
			return false;
	return true;
}

static void on_progress(void *ctx, const json_t *event)
{
	struct demo *d = ctx;
	if (strcmp(json_text(event, "event"), "progress") != 0)
		return;
	char chapter[64];
	struct str step = json_str(event, "step"), kind, name;
	str_cut(step, '/', &kind, &name);
	str_copy(chapter, sizeof(chapter), kind);
	const char *what = json_text(event, "what"), *text = json_text(event, "text");
	bool named = strstr(text, what) != NULL; // "round 3 of 10: ..." says itself what it is about
	if (is_news(text))
		story_say(&d->story, chapter, "%s%s%s", named ? "" : what, named ? "" : ": ", text);
	else if (!text[0])
		story_progress(&d->story, chapter, json_num(event, "done", 0), json_num(event, "total", 0));
}

// Samples and seconds of each cloud over all rounds, from the journal's accepted sets.
static int add_rounds(struct demo *d)
{
	json_t *answer, *clouds = json_object(), *event, *site;
	size_t i, k;
	int rc = demo_ask(d, "GET", "/v1/events?type=round.accepted&limit=1000", NULL, &answer);
	json_object_set_new(d->summary, "clouds", clouds);
	if (rc < 0)
		return rc;
	const json_t *events = json_object_get(answer, "events");
	json_object_set_new(d->summary, "rounds", json_integer((json_int_t)json_array_size(events)));
	json_array_foreach((json_t *)(uintptr_t)events, i, event) {
		const json_t *accepted = json_object_get(json_object_get(event, "data"), "accepted");
		json_array_foreach((json_t *)(uintptr_t)accepted, k, site) {
			json_t *one = json_object_get(clouds, json_text(site, "site"));
			double seconds = json_num(one, "seconds", 0) + json_num(site, "seconds", 0);
			if (!one)
				json_object_set_new(clouds, json_text(site, "site"), one = json_object());
			json_object_set_new(one, "samples", json_integer(json_int(site, "samples", 0)));
			json_object_set_new(one, "seconds", json_real(seconds));
		}
	}
	return 0;
}

static int add_model(struct demo *d)
{
	json_t *answer;
	int rc = demo_ask(d, "GET", "/v1/models", NULL, &answer);
	if (rc < 0)
		return rc;
	const json_t *model = demo_find(json_object_get(answer, "models"), "name", "classifier");
	const json_t *champion = json_object_get(json_object_get(model, "aliases"), "champion");
	const json_t *measured = json_array_get(json_object_get(champion, "needs"), 0);
	double accuracy = json_num(measured, "measured", 0);
	if (!champion)
		return call_fail(&d->call, ERR_FAILED, "no version of model/classifier earned the alias champion");
	json_object_set_new(d->summary, "accuracy", json_real(accuracy));
	story_say(&d->story, "model", "version %s is champion: accuracy %.4f on prepared/test, measured on every cloud",
		json_text(champion, "version"), accuracy);
	if (accuracy < DEMO_ACCURACY)
		return call_fail(&d->call, ERR_FAILED, "accuracy %.4f is below %.2f", accuracy, DEMO_ACCURACY);
	return 0;
}

int demo_learn(struct demo *d)
{
	AUTO(json) body = json_pack("{s:s}", "goal", "model/classifier@champion");
	struct client_request request = {.method = "POST", .path = "/v1/runs", .body = body, .on_event = on_progress, .ctx = d};
	json_t *result;
	int rc = demo_ask_events(d, &request, &result);
	if (rc == 0)
		rc = add_rounds(d);
	return rc < 0 ? rc : add_model(d);
}
