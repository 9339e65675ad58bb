// SPDX-License-Identifier: Apache-2.0
// Routes that read what state holds, and the one that ends an override.
#include "api/handlers.h"
#include "base/time.h"
#include "data/transfer.h"
#include "models/registry.h"
#include "net/url.h"
#include "state/override.h"
#include "state/resource_scan.h"

enum {
	EVENTS_LIMIT = 1000, // of one answer, unless the request says another number
	EVENTS_MOST = 100000,
	EVENTS_WAIT_MOST_S = 60,
};

static int open_state(struct api_request *r, struct session *s)
{
	session_begin(r, s);
	return session_read_state(s);
}

static json_t *share(const json_t *value)
{
	return value ? json_incref((json_t *)(uintptr_t)value) : json_null();
}

// ---------------------------------------------------------------- resources
static json_t *resource_json(const struct resource *r)
{
	json_t *one = json_object();
	json_set_str(one, "address", r->address);
	json_set_str(one, "status", r->status);
	json_set_str(one, "reason", r->reason);
	json_set_str(one, "uid", r->uid);
	json_set_str(one, "cloud_id", r->cloud_id);
	json_object_set_new(one, "resolved", share(r->resolved));
	json_object_set_new(one, "outputs", share(r->outputs));
	return one;
}

int handle_resources(struct api_request *r, json_t **result)
{
	struct session s;
	int rc = open_state(r, &s);
	if (rc < 0)
		return rc;
	for (size_t i = 0; rc == 0 && i < s.recorded_count; i++)
		rc = resource_load(r->call, s.binding.state, &s.recorded[i]);
	if (rc < 0)
		return rc;
	json_t *list = json_array();
	for (size_t i = 0; i < s.recorded_count; i++)
		json_array_append_new(list, resource_json(&s.recorded[i]));
	*result = json_pack("{s:o}", "resources", list);
	return 0;
}

// ---------------------------------------------------------------- models
static int aliases_json(struct call *c, const struct state *state, struct str model, json_t **out)
{
	struct record *records;
	size_t count;
	struct str prefix = arena_printf(c->arena, "model-alias/%.*s/", STR(model));
	int rc = state_list(c, state, prefix, &records, &count);
	if (rc < 0)
		return rc;
	*out = json_object();
	for (size_t i = 0; i < count; i++) {
		char *name = arena_cstr(c->arena, str_drop(records[i].key, prefix.n));
		if (name)
			json_object_set(*out, name, records[i].value);
	}
	return 0;
}

static json_t *version_json(const struct model_version *v)
{
	char created[TIME_TEXT_SIZE];
	time_rfc3339(v->created_ns, 3, created);
	json_t *clouds = json_array();
	for (size_t i = 0; i < v->cloud_count; i++)
		json_array_append_new(clouds, json_of_str(v->clouds[i]));
	json_t *one = json_pack("{s:o, s:s}", "clouds", clouds, "created", created);
	json_set_str(one, "version", v->version);
	json_set_str(one, "sha256", v->sha256);
	json_object_set_new(one, "metrics", share(v->metrics));
	json_object_set_new(one, "lineage", share(v->lineage));
	return one;
}

static int model_json(struct call *c, const struct state *state, struct str name, json_t **out)
{
	struct model_version *versions;
	size_t count;
	json_t *aliases = NULL, *list = json_array();
	int rc = model_version_list(c, state, name, &versions, &count);
	if (rc == 0)
		rc = aliases_json(c, state, name, &aliases);
	if (rc < 0) {
		json_decref(list);
		return rc;
	}
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, version_json(&versions[i]));
	*out = json_pack("{s:o, s:o}", "versions", list, "aliases", aliases);
	json_set_str(*out, "name", name);
	return 0;
}

int handle_models(struct api_request *r, json_t **result)
{
	struct session s;
	AUTO(json) list = json_array();
	int rc = open_state(r, &s);
	for (size_t i = 0; rc == 0 && i < s.recorded_count; i++) {
		json_t *one = NULL;
		if (!str_eq(s.recorded[i].kind, S("model")))
			continue;
		rc = model_json(r->call, s.binding.state, s.recorded[i].name, &one);
		if (rc == 0)
			json_array_append_new(list, one);
	}
	if (rc == 0)
		*result = json_pack("{s:O}", "models", list);
	return rc;
}

// ---------------------------------------------------------------- records as they are
struct record_list {
	const char *prefix, *member;
	const char *address; // "endpoint/": what makes an address of a key; NULL: none
};

static int records_json(struct api_request *r, const struct record_list *l, json_t **result)
{
	struct session s;
	struct record *records;
	size_t count;
	int rc = open_state(r, &s);
	if (rc == 0)
		rc = state_list(r->call, s.binding.state, str_of(l->prefix), &records, &count);
	if (rc < 0)
		return rc;
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++) {
		json_t *one = json_copy(records[i].value);
		struct str id = str_drop(records[i].key, str_of(l->prefix).n);
		json_set_str(one, "id", id);
		if (l->address)
			json_set_str(one, "address", arena_printf(r->call->arena, "%s%.*s", l->address, STR(id)));
		json_array_append_new(list, one);
	}
	*result = json_pack("{s:o}", l->member, list);
	return 0;
}

int handle_endpoints(struct api_request *r, json_t **result)
{
	const struct record_list l = {"endpoint-status/", "endpoints", "endpoint/"};
	return records_json(r, &l, result);
}

int handle_alerts(struct api_request *r, json_t **result)
{
	const struct record_list l = {"alert/", "alerts", NULL};
	return records_json(r, &l, result);
}

// ---------------------------------------------------------------- events
static int query_number(struct api_request *r, const char *name, uint64_t otherwise, uint64_t *out)
{
	struct str text = url_query_get(r->query, name, r->call->arena);
	*out = otherwise;
	if (text.p && str_to_u64(text, out) < 0)
		return call_fail(r->call, ERR_INVALID, "%s=%.*s: expected a number", name, STR(text));
	return 0;
}

static json_t *event_json(const struct event *e)
{
	char time[TIME_TEXT_SIZE];
	time_rfc3339(e->time_ns, 9, time);
	json_t *one =
		json_pack("{s:I, s:s, s:i}", "sequence", (json_int_t)e->sequence, "time", time, "schema", e->schema);
	json_set_str(one, "type", e->type);
	json_set_str(one, "address", e->address);
	json_set_str(one, "principal", e->principal);
	json_set_str(one, "trace", e->trace);
	json_object_set_new(one, "data", share(e->data));
	return one;
}

struct events_query {
	uint64_t since, limit, wait_s;
	struct str type;
};

static int read_query(struct api_request *r, struct events_query *q)
{
	int rc = query_number(r, "since", 0, &q->since);
	if (rc == 0)
		rc = query_number(r, "limit", EVENTS_LIMIT, &q->limit);
	if (rc == 0)
		rc = query_number(r, "wait", 0, &q->wait_s);
	q->limit = MIN(q->limit, (uint64_t)EVENTS_MOST);
	q->wait_s = MIN(q->wait_s, (uint64_t)EVENTS_WAIT_MOST_S);
	q->type = url_query_get(r->query, "type", r->call->arena);
	q->type = q->type.p ? q->type : S("");
	return rc;
}

int handle_events(struct api_request *r, json_t **result)
{
	struct session s;
	struct events_query q;
	struct event *events;
	size_t count;
	uint64_t head = 0;
	int rc = read_query(r, &q);
	if (rc == 0)
		rc = open_state(r, &s);
	if (rc == 0)
		rc = state_watch(r->call, s.binding.state, q.since, (int64_t)q.wait_s * NS_PER_S, &head);
	if (rc == 0)
		rc = state_read(r->call, s.binding.state,
			&(struct state_query){.after = q.since, .type_prefix = q.type, .limit = (size_t)q.limit},
			&events, &count);
	if (rc < 0)
		return rc;
	json_t *list = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, event_json(&events[i]));
	*result = json_pack("{s:o, s:I}", "events", list, "head", (json_int_t)head);
	return 0;
}

// ---------------------------------------------------------------- cost
int handle_cost(struct api_request *r, json_t **result)
{
	struct session s;
	struct transfer_total *totals;
	size_t count;
	int rc = open_state(r, &s);
	if (rc == 0)
		rc = transfer_totals(r->call, s.binding.state, &totals, &count);
	if (rc < 0)
		return rc;
	json_t *list = json_array();
	double price = 0;
	json_int_t bytes = 0;
	for (size_t i = 0; i < count; i++) {
		json_t *one = json_pack("{s:I, s:f}", "bytes", (json_int_t)totals[i].bytes, "price", totals[i].price);
		json_set_str(one, "id",
			arena_printf(r->call->arena, "cost/%.*s/%.*s", STR(totals[i].from), STR(totals[i].to)));
		json_set_str(one, "from", totals[i].from);
		json_set_str(one, "to", totals[i].to);
		json_set_str(one, "currency", totals[i].currency);
		json_array_append_new(list, one);
		price += totals[i].price;
		bytes += (json_int_t)totals[i].bytes;
	}
	*result = json_pack("{s:o, s:I, s:f}", "transfers", list, "bytes_moved", bytes, "price", price);
	json_set_str(*result, "currency", count ? totals[0].currency : S("USD"));
	return 0;
}

// ---------------------------------------------------------------- overrides
static json_t *override_json(const struct override *o)
{
	char made[TIME_TEXT_SIZE], expires[TIME_TEXT_SIZE] = "";
	time_rfc3339(o->made_ns, 3, made);
	if (o->expires_ns)
		time_rfc3339(o->expires_ns, 3, expires);
	json_t *one = json_pack("{s:s, s:s}", "made", made, "expires", expires);
	json_set_str(one, "address", o->address);
	json_set_str(one, "field", o->field);
	json_set_str(one, "author", o->author);
	json_set_str(one, "reason", o->reason);
	json_object_set_new(one, "value", share(o->value));
	return one;
}

int handle_overrides(struct api_request *r, json_t **result)
{
	struct session s;
	struct override *list;
	size_t count;
	int rc = open_state(r, &s);
	if (rc == 0)
		rc = override_list(r->call, s.binding.state, &list, &count);
	if (rc < 0)
		return rc;
	json_t *all = json_array();
	for (size_t i = 0; i < count; i++)
		json_array_append_new(all, override_json(&list[i]));
	*result = json_pack("{s:o}", "overrides", all);
	return 0;
}

// Without a field, the only override of the address is meant.
static int find_override(struct api_request *r, struct session *s, struct str field, struct override *out)
{
	struct override *list;
	size_t count, found = 0;
	int rc = override_list(r->call, s->binding.state, &list, &count);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		if (!str_eq(list[i].address, r->parameter) || (field.n && !str_eq(list[i].field, field)))
			continue;
		*out = list[i];
		found++;
	}
	if (rc < 0 || found == 1)
		return rc;
	return found ? call_fail(r->call, ERR_INVALID, "%.*s has %zu overrides: say which field", STR(r->parameter),
			       found)
		     : call_fail(r->call, ERR_NOT_FOUND, "%.*s has no override%s%.*s", STR(r->parameter),
			       field.n ? " of " : "", STR(field));
}

int handle_override_end(struct api_request *r, json_t **result)
{
	struct session s;
	struct override which;
	struct str field = url_query_get(r->query, "field", r->call->arena),
		   why = url_query_get(r->query, "reason", r->call->arena);
	int rc = open_state(r, &s);
	if (rc == 0)
		rc = find_override(r, &s, field.p ? field : S(""), &which);
	if (rc == 0)
		rc = override_end(
			r->call, s.binding.state, &which, r->call->principal, why.p ? why : S("ended by an operator"));
	if (rc == 0)
		*result = json_pack("{s:o}", "ended", override_json(&which));
	return rc;
}
