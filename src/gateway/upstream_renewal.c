// SPDX-License-Identifier: Apache-2.0
// Granting and renewing upstream credentials: see upstream_renewal.h. The file is the only memory of what was granted:
// a control plane that starts again asks for nothing that still holds.
#include "gateway/upstream_renewal.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "gateway/publish_impl.h"
#include "gateway/snapshot.h"
#include "net/http_call.h"
#include "state/resource.h"

enum { TARGETS_MAX_BYTES = 4 << 20 };
#define GRANT_NS (5 * NS_PER_S)    // of one cloud's answer
#define LOOK_NS (2 * NS_PER_S)     // at the gateway's list of targets
#define ENDLESS_NS (3600 * NS_PER_S) // how long what does not expire is believed: its key may be changed by hand
#define FRESH_NS (5 * NS_PER_S)    // doubled by each renewal that did not help
#define FRESH_MAX_NS (80 * NS_PER_S)
#define PAUSE_NS NS_PER_S          // after a failure, doubled by each further one
#define PAUSE_MAX_NS (30 * NS_PER_S)

struct trouble { // of one target, while its cloud grants nothing
	struct trouble *next;
	char *name; // for the log: "get credentials of endpoint/m on aws-us for gateway/edge"
	int64_t again_ns;
	int64_t pause_ns; // 0: the last time it worked
	int64_t fresh_ns; // what is younger and refused is refused for another reason than its age
};
struct upstream_renewal {
	struct gateway_ctx gateway;
	struct trouble *troubles;
};

// One round of one gateway.
struct round {
	struct upstream_renewal *renewal;
	struct str gateway;
	const json_t *old;     // array of entries as they are
	const json_t *targets; // as the gateway sees them; NULL: it does not say
	json_t *fresh;         // array of entries as they will be
	bool changed;
};

void upstream_grant_free(struct upstream_grant *g)
{
	if (!g)
		return;
	secret_free(&g->secret);
	secret_free(&g->session);
	*g = (struct upstream_grant){0};
}

int upstream_renewal_new(const struct gateway_ctx *g, struct upstream_renewal **out, struct err *e)
{
	struct upstream_renewal *r = calloc(1, sizeof(*r));
	if (!r)
		return err_set(e, ERR_NO_MEMORY, "out of memory for upstream credentials");
	r->gateway = *g;
	*out = r;
	return 0;
}

void upstream_renewal_free(struct upstream_renewal *r)
{
	while (r && r->troubles) {
		struct trouble *next = r->troubles->next;
		free(r->troubles->name);
		free(r->troubles);
		r->troubles = next;
	}
	free(r);
}

static struct trouble *trouble_of(struct call *c, const struct round *round, const json_t *target)
{
	struct str name = arena_printf(c->arena, "get credentials of endpoint/%.*s on %.*s for gateway/%.*s",
		STR(json_str(target, "endpoint")), STR(json_str(target, "cloud")), STR(round->gateway));
	for (struct trouble *t = round->renewal->troubles; name.p && t; t = t->next)
		if (str_eq(str_of(t->name), name))
			return t;
	struct trouble *t = name.p ? calloc(1, sizeof(*t)) : NULL;
	if (t)
		t->name = strndup(name.p, name.n);
	if (!t || !t->name) {
		free(t);
		return NULL;
	}
	t->next = round->renewal->troubles;
	round->renewal->troubles = t;
	return t;
}

// ---- what is due

static const json_t *find(const json_t *list, const json_t *target)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		if (str_eq(json_str(item, "endpoint"), json_str(target, "endpoint")) &&
			str_eq(json_str(item, "cloud"), json_str(target, "cloud")))
			return item;
	}
	return NULL;
}

static int64_t time_of(const json_t *entry, const char *name)
{
	int64_t at = 0;
	return time_parse_rfc3339(json_str(entry, name), &at) ? 0 : at;
}

// Whether the service refuses an entry that is old enough for another one to help.
static bool is_refused(const struct round *round, struct trouble *t, const json_t *target, int64_t age_ns)
{
	bool refused = json_flag(find(round->targets, target), "refused", false);
	t->fresh_ns = refused || age_ns < t->fresh_ns ? MAX(t->fresh_ns, FRESH_NS) : FRESH_NS;
	if (!refused || age_ns < t->fresh_ns)
		return false;
	t->fresh_ns = MIN(2 * t->fresh_ns, FRESH_MAX_NS);
	return true;
}

static bool is_due(
	struct call *c, const struct round *round, struct trouble *t, const json_t *target, const json_t *entry)
{
	int64_t now = call_now_ns(c), granted = time_of(entry, "granted"), expires = time_of(entry, "expires");
	if (!entry || !str_eq(json_str(entry, "service"), json_str(target, "service")))
		return true;
	int64_t life = expires ? expires - granted : 3 * ENDLESS_NS;
	bool refused = is_refused(round, t, target, now - granted);
	return granted == 0 || granted > now || refused || now - granted >= life / 3;
}

// ---- granting

static void set_time(json_t *entry, const char *name, int64_t wall_ns)
{
	char text[TIME_TEXT_SIZE];
	time_rfc3339(wall_ns, 9, text);
	json_object_set_new(entry, name, json_string(text));
}

static json_t *entry_json(struct call *c, const json_t *target, const struct upstream_grant *grant)
{
	json_t *entry = json_object();
	static const char *const members[] = {"cloud", "endpoint", "service"};
	for (size_t i = 0; i < COUNT_OF(members); i++)
		json_set_str(entry, members[i], json_str(target, members[i]));
	json_set_str(entry, "access_key", grant->access_key);
	json_set_str(entry, "region", grant->region);
	json_set_str(entry, "secret", secret_str(&grant->secret));
	json_set_str(entry, "session", secret_str(&grant->session));
	set_time(entry, "granted", call_now_ns(c));
	if (grant->expires_ns)
		set_time(entry, "expires", grant->expires_ns);
	return entry;
}

static int ask(struct call *c, const struct round *round, const json_t *target, struct upstream_grant *grant)
{
	const struct gateway_upstreams *from = &round->renewal->gateway.upstreams;
	struct call child;
	call_child(&child, c, c->arena, GRANT_NS);
	if (!from->grant)
		return call_fail(c, ERR_UNSUPPORTED, "nobody grants credentials here");
	int code = from->grant(&child, from->ctx, json_str(target, "cloud"), json_str(target, "endpoint"), grant);
	if (code)
		c->err = child.err;
	return code;
}

// The first failure of a row is logged; what was granted before stays as long as it holds.
static void note_failure(struct call *c, struct trouble *t)
{
	if (t->pause_ns == 0)
		log_err(LOG_WARNING, &c->err, t->name);
	t->pause_ns = t->pause_ns ? MIN(2 * t->pause_ns, PAUSE_MAX_NS) : PAUSE_NS;
	t->again_ns = call_mono_ns(c) + t->pause_ns;
	err_clear(&c->err);
}

static int renew(struct call *c, struct round *round, struct trouble *t, const json_t *target)
{
	AUTO(upstream_grant) grant = {0};
	const json_t *entry = find(round->old, target);
	int code = 0;
	if (call_mono_ns(c) >= t->again_ns && is_due(c, round, t, target, entry)) {
		code = ask(c, round, target, &grant);
		if (code == 0) {
			t->pause_ns = 0;
			round->changed = true;
			json_array_append_new(round->fresh, entry_json(c, target, &grant));
			return 0;
		}
		note_failure(c, t);
		code = call_check(c); // ended as a whole, or only this cloud's trouble
	}
	bool fits = entry && str_eq(json_str(entry, "service"), json_str(target, "service"));
	if (fits)
		json_array_append_new(round->fresh, json_deep_copy(entry));
	return code;
}

// Those whose cloud answered come first: a dead cloud keeps nobody waiting.
static int renew_all(struct call *c, struct round *round, const json_t *targets)
{
	int code = 0;
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; code == 0 && i < json_array_size(targets); i++) {
			const json_t *target = json_array_get(targets, i);
			struct trouble *t = trouble_of(c, round, target);
			if (!t)
				return call_no_memory(c);
			if ((t->pause_ns > 0) == (pass == 1) && !find(round->fresh, target))
				code = renew(c, round, t, target);
		}
	}
	return code;
}

// ---- files

// Every target in a provider's service, of all routes of the published configuration.
static int read_targets(struct call *c, const struct round *round, json_t **targets)
{
	AUTO(json) snapshot = NULL;
	json_t *all = json_in_arena(c->arena, json_array()), *route, *target;
	const char *path = gateway_path(c, &round->renewal->gateway, round->gateway, "snapshot.json");
	size_t i, k;
	if (!all || !path)
		return call_no_memory(c);
	*targets = all;
	if (!file_exists(path))
		return 0;
	int code = json_parse_file(path, SNAPSHOT_MAX_BYTES, &snapshot, &c->err);
	if (code)
		return code;
	json_array_foreach(json_object_get(snapshot, "routes"), i, route)
	{
		json_array_foreach(json_object_get(route, "targets"), k, target)
		{
			if (json_str(target, "service").n && !find(all, target))
				json_array_append(all, target);
		}
	}
	return 0;
}

static const json_t *read_entries(struct call *c, const char *path)
{
	json_t *json = NULL;
	if (!file_exists(path) || json_parse_file(path, UPSTREAMS_MAX_BYTES, &json, &c->err)) {
		err_clear(&c->err); // one that cannot be read is written anew
		return NULL;
	}
	return json_object_get(json_in_arena(c->arena, json), "credentials");
}

static int write_entries(struct call *c, const struct round *round, const char *path)
{
	AUTO(json) json = json_object();
	AUTO(buf) text = {0};
	json_object_set(json, "credentials", round->fresh);
	int code = json_write(json, &text, &c->err);
	if (code == 0)
		code = file_write_atomic(path, buf_str(&text), 0600, &c->err);
	secret_wipe(text.p, text.n);
	return code;
}

// Which ones the services refuse; a gateway that does not run says nothing, and needs nothing.
static const json_t *ask_gateway(struct call *c, const struct resource *r)
{
	AUTO(guard) guard = NULL;
	struct http_call_response answer;
	struct str admin = json_str(r->outputs, "admin_url");
	json_t *json = NULL;
	struct call child;
	call_child(&child, c, c->arena, LOOK_NS);
	if (admin.n == 0 || guard_new_loopback(&guard, &child.err))
		return NULL;
	struct http_call_request request = {.url = arena_printf(c->arena, "%.*s/targets", STR(admin)),
		.guard = guard,
		.body_limit = TARGETS_MAX_BYTES,
		.total_ns = LOOK_NS};
	if (http_call(&child, &request, &answer) || answer.status != 200 || json_parse(answer.body, &json, NULL))
		return NULL;
	return json_object_get(json_in_arena(c->arena, json), "targets");
}

static int tend(struct call *c, struct upstream_renewal *renewal, const struct resource *r)
{
	struct round round = {.renewal = renewal, .gateway = r->name};
	json_t *targets = NULL;
	const char *path = gateway_path(c, &renewal->gateway, r->name, UPSTREAMS_FILE);
	int code = path ? read_targets(c, &round, &targets) : call_no_memory(c);
	if (code || (json_array_size(targets) == 0 && !file_exists(path)))
		return code;
	AUTO(json) fresh = json_array();
	round.fresh = fresh;
	round.old = read_entries(c, path);
	round.targets = json_array_size(targets) ? ask_gateway(c, r) : NULL;
	code = renew_all(c, &round, targets);
	bool fewer = json_array_size(round.fresh) != json_array_size(round.old);
	if (code == 0 && (round.changed || fewer))
		code = write_entries(c, &round, path);
	return code ? call_context(c, "credentials of %.*s", STR(r->address)) : 0;
}

int upstream_renewal_round(struct call *c, struct upstream_renewal *r)
{
	struct resource *resources;
	size_t count;
	int code = resource_list(c, r->gateway.state, S("gateway/"), &resources, &count);
	for (size_t i = 0; code == 0 && i < count; i++)
		code = tend(c, r, &resources[i]);
	return code;
}

int upstream_renewal_once(struct call *c, const struct gateway_ctx *g)
{
	AUTO(upstream_renewal) renewal = NULL;
	int code = upstream_renewal_new(g, &renewal, &c->err);
	return code ? code : upstream_renewal_round(c, renewal);
}

static int renew_round(struct call *c, void *ctx)
{
	return upstream_renewal_round(c, ctx);
}

int upstream_renewal_run(struct call *c, const struct gateway_ctx *g)
{
	AUTO(upstream_renewal) renewal = NULL;
	int code = upstream_renewal_new(g, &renewal, &c->err);
	return code ? code : publish_at_changes(c, g, renew_round, renewal);
}
