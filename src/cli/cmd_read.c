// SPDX-License-Identifier: Apache-2.0
// Commands that show what state holds: models, endpoints, alerts, overrides, events, cost.
#include "cli/cli_impl.h"

struct plain_options {
	struct common common;
};
static const struct option plain_options[] = {COMMON_OPTIONS(struct plain_options)};

struct listing { // a GET whose result is a list of objects
	const char *path, *member;
	const struct table_column *columns;
	const char *const *members; // of each object, a text each
	size_t count;
	// Fills a cell that is no plain text; NULL: all are.
	struct str (*cell)(struct session *s, const json_t *item, const char *member);
};

static struct str plain_cell(struct session *s, const json_t *item, const char *member)
{
	const json_t *value = json_object_get(item, member);
	if (json_is_string(value))
		return json_value_str(value);
	if (json_is_integer(value))
		return arena_printf(&s->arena, "%lld", (long long)json_integer_value(value));
	if (!value || json_is_null(value))
		return S("");
	AUTO(buf) text = {0};
	return json_write(value, &text, NULL) < 0 ? S("") : arena_str(&s->arena, buf_str(&text));
}

static void print_listing(struct session *s, const struct listing *l, const json_t *list)
{
	struct table *t = table_new(&s->arena, l->columns, l->count);
	struct str *cells = arena_new_array(&s->arena, l->count, struct str);
	size_t i;
	const json_t *item;
	json_array_foreach(list, i, item)
	{
		for (size_t j = 0; cells && j < l->count; j++)
			cells[j] = (l->cell ? l->cell : plain_cell)(s, item, l->members[j]);
		if (cells)
			table_add(t, cells);
	}
	table_write(t, s->arguments->out);
}

static int list_run(const struct arguments *a, const struct listing *l)
{
	const struct plain_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, NULL);
	if (rc == 0)
		rc = session_request(&s, "GET", l->path, NULL, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		print_listing(&s, l, json_object_get(result, l->member));
	return session_end(&s, rc);
}

// ---------------------------------------------------------------- models
static struct str aliases_of(struct session *s, const json_t *model, struct str version)
{
	AUTO(buf) names = {0};
	const char *name;
	json_t *alias;
	json_object_foreach(json_object_get(model, "aliases"), name, alias)
	{
		if (str_eq(json_str(alias, "version"), version))
			buf_printf(&names, "%s%s", names.n ? ", " : "", name);
	}
	return arena_str(&s->arena, buf_str(&names));
}

static void print_model(struct session *s, struct table *t, const json_t *model)
{
	size_t i;
	const json_t *version;
	json_array_foreach(json_object_get(model, "versions"), i, version)
	{
		struct str number = json_str(version, "version");
		const struct str cells[] = {json_str(model, "name"), number, aliases_of(s, model, number),
			plain_cell(s, version, "metrics"), json_str(version, "created"),
			str_take(json_str(version, "sha256"), 12)};
		table_add(t, cells);
	}
}

static int models_run(const struct arguments *a)
{
	static const struct table_column columns[] = {{"MODEL", false}, {"VERSION", true}, {"ALIASES", false},
		{"METRICS", false}, {"CREATED", false}, {"SHA-256", false}};
	const struct plain_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, NULL);
	if (rc == 0)
		rc = session_request(&s, "GET", "/v1/models", NULL, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	if (rc < 0 || s.json)
		return session_end(&s, rc);
	struct table *t = table_new(&s.arena, columns, COUNT_OF(columns));
	size_t i;
	const json_t *model;
	json_array_foreach(json_object_get(result, "models"), i, model) print_model(&s, t, model);
	table_write(t, a->out);
	return session_end(&s, rc);
}

const struct command models_command = {
	.name = "models",
	.help = "Lists the versions of models, their measures and aliases.",
	.example = "isobar models",
	COMMAND_OPTIONS(plain_options, struct plain_options),
	.run = models_run,
};

// ---------------------------------------------------------------- endpoints and alerts
static int endpoints_run(const struct arguments *a)
{
	static const struct table_column columns[] = {
		{"ENDPOINT", false}, {"STATE", false}, {"VERSION", true}, {"URL", false}, {"WHY", false}};
	static const char *const members[] = {"id", "state", "version", "url", "reason"};
	const struct listing l = {"/v1/endpoints", "endpoints", columns, members, COUNT_OF(columns), NULL};
	return list_run(a, &l);
}

const struct command endpoints_command = {
	.name = "endpoints",
	.help = "Lists endpoints on each cloud and what they serve.",
	.example = "isobar endpoints",
	COMMAND_OPTIONS(plain_options, struct plain_options),
	.run = endpoints_run,
};

static int alerts_run(const struct arguments *a)
{
	static const struct table_column columns[] = {{"MONITOR", false}, {"CLOUD", false}, {"STATE", false},
		{"SINCE", false}, {"ENDED", false}, {"WHAT", false}};
	static const char *const members[] = {"monitor", "cloud", "state", "since", "ended", "summary"};
	const struct listing l = {"/v1/alerts", "alerts", columns, members, COUNT_OF(columns), NULL};
	return list_run(a, &l);
}

const struct command alerts_command = {
	.name = "alerts",
	.help = "Lists alerts, firing and resolved.",
	.example = "isobar alerts",
	COMMAND_OPTIONS(plain_options, struct plain_options),
	.run = alerts_run,
};

// ---------------------------------------------------------------- overrides
static int overrides_run(const struct arguments *a)
{
	static const struct table_column columns[] = {{"ADDRESS", false}, {"FIELD", false}, {"VALUE", true},
		{"AUTHOR", false}, {"MADE", false}, {"EXPIRES", false}, {"REASON", false}};
	static const char *const members[] = {"address", "field", "value", "author", "made", "expires", "reason"};
	const struct listing l = {"/v1/overrides", "overrides", columns, members, COUNT_OF(columns), NULL};
	return list_run(a, &l);
}

const struct command overrides_command = {
	.name = "overrides",
	.help = "Lists run-time changes in force: who made them, why, until when.",
	.example = "isobar overrides",
	COMMAND_OPTIONS(plain_options, struct plain_options),
	.run = overrides_run,
};

struct end_options {
	struct common common;
	const char *field, *reason;
};
static const struct option end_options[] = {
	COMMON_OPTIONS(struct end_options),
	{.name = "field",
		.type = OPTION_TEXT,
		.offset = offsetof(struct end_options, field),
		.argument = "NAME",
		.help = "which one, when the address has several"},
	{.name = "reason",
		.type = OPTION_TEXT,
		.offset = offsetof(struct end_options, reason),
		.argument = "TEXT",
		.help = "why; it is journaled"},
};

static int overrides_end_run(const struct arguments *a)
{
	const struct end_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, NULL);
	struct str field = client_escape(&s.arena, str_of(o->field)),
		   reason = client_escape(&s.arena, str_of(o->reason));
	const char *query = arena_printf(
		&s.arena, "?%s%.*s%s%.*s", field.n ? "field=" : "", STR(field), reason.n ? "&reason=" : "", STR(reason))
				    .p;
	if (rc == 0)
		rc = session_request(&s, "DELETE",
			session_path(&s, "/v1/overrides/", str_of(a->rest[0]), query ? query : ""), NULL, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		fprintf(a->out, "Ended: %s of %s holds again as declared.\n",
			json_text(json_object_get(result, "ended"), "field"), a->rest[0]);
	return session_end(&s, rc);
}

const struct command overrides_end_command = {
	.name = "overrides end",
	.arguments = "ADDRESS",
	.help = "Ends an override, so that what is declared holds again.",
	.example = "isobar overrides end \"endpoint/classify on azure-eu\"",
	COMMAND_OPTIONS(end_options, struct end_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = overrides_end_run,
};

// ---------------------------------------------------------------- events
struct events_options {
	struct common common;
	int64_t since, limit;
	const char *type;
};
static const struct option events_options[] = {
	COMMON_OPTIONS(struct events_options),
	{.name = "since",
		.type = OPTION_INTEGER,
		.offset = offsetof(struct events_options, since),
		.argument = "SEQUENCE",
		.otherwise = "0",
		.help = "only later ones"},
	{.name = "limit",
		.type = OPTION_INTEGER,
		.offset = offsetof(struct events_options, limit),
		.argument = "N",
		.otherwise = "1000",
		.help = "at most so many"},
	{.name = "type",
		.type = OPTION_TEXT,
		.offset = offsetof(struct events_options, type),
		.argument = "PREFIX",
		.help = "only types that begin so: round."},
};

static int events_run(const struct arguments *a)
{
	static const struct table_column columns[] = {
		{"SEQ", true}, {"TIME", false}, {"TYPE", false}, {"ADDRESS", false}, {"BY", false}};
	static const char *const members[] = {"sequence", "time", "type", "address", "principal"};
	const struct events_options *o = a->options;
	struct session s;
	AUTO(json) result = NULL;
	int rc = session_open(&s, a, &o->common, NULL);
	struct str path =
		arena_printf(&s.arena, "/v1/events?since=%lld&limit=%lld", (long long)o->since, (long long)o->limit);
	if (rc == 0 && o->type)
		path = arena_printf(
			&s.arena, "%.*s&type=%.*s", STR(path), STR(client_escape(&s.arena, str_of(o->type))));
	if (rc == 0)
		rc = session_request(&s, "GET", path.p, NULL, &result);
	const struct listing l = {NULL, "events", columns, members, COUNT_OF(columns), NULL};
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		print_listing(&s, &l, json_object_get(result, "events"));
	return session_end(&s, rc);
}

const struct command events_command = {
	.name = "events",
	.help = "Lists the journal: everything that happened, in order.",
	.example = "isobar events --type round. -o json",
	COMMAND_OPTIONS(events_options, struct events_options),
	.run = events_run,
};

// ---------------------------------------------------------------- cost
static struct str cost_cell(struct session *s, const json_t *item, const char *member)
{
	const json_t *value = json_object_get(item, member);
	if (json_is_integer(value))
		return cell_bytes(&s->arena, json_number_value(value));
	if (json_is_real(value))
		return arena_printf(&s->arena, "%.6f %s", json_real_value(value), json_text(item, "currency"));
	return json_value_str(value);
}

static int cost_run(const struct arguments *a)
{
	static const struct table_column columns[] = {{"ID", false}, {"FROM", false}, {"TO", false}, {"BYTES", true}, {"PRICE", true}};
	static const char *const members[] = {"id", "from", "to", "bytes", "price"};
	const struct listing l = {"/v1/cost", "transfers", columns, members, COUNT_OF(columns), cost_cell};
	return list_run(a, &l);
}

const struct command cost_command = {
	.name = "cost",
	.help = "Sums the bytes that moved between clouds, and their price.",
	.example = "isobar cost",
	COMMAND_OPTIONS(plain_options, struct plain_options),
	.run = cost_run,
};
