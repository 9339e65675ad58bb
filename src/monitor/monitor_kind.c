// SPDX-License-Identifier: Apache-2.0
// The table of `monitors:` and the checks across its fields.
#include "monitor/monitor_kind.h"

#include "base/time.h"

const char *const monitor_signal_names[SIGNAL_COUNT + 1] = {"failed_attempts", "errors", "latency", "drift", NULL};
static const char *const methods[] = {"psi", NULL};
static const char *const drift_of[] = {"input", NULL};
static const char *const per_names[] = {"cloud", NULL};

// "5%" is a share, "50ms" seconds, "0.2" itself.
static bool threshold_parse(const struct node *node, void *out, struct findings *f)
{
	struct threshold t = {.set = true, .written = node->text};
	struct str number = node->text;
	int64_t ns;
	bool percent = str_ends(number, S("%"));
	if (percent)
		number = str_take(number, number.n - 1);
	bool fine = node->type == NODE_SCALAR;
	if (fine && str_to_f64(number, &t.value) == 0)
		t.value = percent ? t.value / 100 : t.value;
	else if (fine && !percent && duration_parse(number, &ns) == 0)
		t.value = (double)ns / (double)NS_PER_S;
	else
		fine = false;
	if (!fine || t.value < 0) {
		findings_add(f, node->at, node_path(node, f->arena), S("write it as 5%, 50ms or 0.2"),
			"expected a share, a duration or a number that is not negative, got \"%.*s\"", STR(node->text));
		return false;
	}
	*(struct threshold *)out = t;
	return true;
}

static const struct field rule_fields[] = {
	{.name = "signal", .type = FIELD_CHOICE, .flags = FIELD_REQUIRED, .offset = offsetof(struct monitor_rule, signal),
		.choices = monitor_signal_names,
		.help = "What is measured: failed attempts at an endpoint, errors that clients see, latency, drift of inputs."},
	{.name = "above", .type = FIELD_CUSTOM, .offset = offsetof(struct monitor_rule, above), .parse = threshold_parse,
		.help = "The rule fires while the signal is above this: a share (5%), a duration (50ms) or a number."},
	{.name = "below", .type = FIELD_CUSTOM, .offset = offsetof(struct monitor_rule, below), .parse = threshold_parse,
		.help = "The rule fires while the signal is below this."},
	{.name = "over", .type = FIELD_DURATION, .offset = offsetof(struct monitor_rule, over_ns), .otherwise = "5m",
		.min = 1, .max = 31536000, .help = "Length of the window that is judged."},
	{.name = "quantile", .type = FIELD_NUMBER, .offset = offsetof(struct monitor_rule, quantile), .otherwise = "0.99",
		.min = 0, .max = 1, .help = "Latency only: the quantile that is compared."},
	{.name = "of", .type = FIELD_CHOICE, .offset = offsetof(struct monitor_rule, of), .choices = drift_of,
		.otherwise = "input", .help = "Drift only: what is compared with the reference."},
	{.name = "method", .type = FIELD_CHOICE, .offset = offsetof(struct monitor_rule, method), .choices = methods,
		.otherwise = "psi", .help = "Drift only: the distance; of a tensor it is the mean over its elements."},
	{.name = "against", .type = FIELD_REF, .offset = offsetof(struct monitor_rule, against), .refers = "transform",
		.help = "Drift only: the reference data, a part of a transform (prepared/train)."},
	{.name = "min_samples", .type = FIELD_INTEGER, .offset = offsetof(struct monitor_rule, min_samples),
		.otherwise = "100", .min = 1, .max = 1e12, .help = "Drift only: fewer samples in the window give no verdict."},
};

static void rule_check(const struct kind_check *c)
{
	const void *value = c->value;
	const struct node *n = c->map;
	struct findings *f = c->f;
	if (c->wrong)
		return;
	const struct monitor_rule *rule = value;
	if (rule->above.set == rule->below.set)
		findings_add(f, n->at, node_path(n, f->arena), S("add one of above: and below:"),
			"a rule needs exactly one of above and below");
	if (monitor_signal_of(rule->signal) == SIGNAL_DRIFT && rule->against.name.n == 0)
		findings_add(f, n->at, node_path(n, f->arena), S("add against: TRANSFORM/PART"),
			"a drift rule needs the data that it compares against");
}

static const struct kind rule_kind = {
	.singular = "rule",
	.help = "One condition of a monitor.",
	.size = sizeof(struct monitor_rule),
	KIND_FIELDS(rule_fields),
	.check = rule_check,
};

static const struct field fields[] = {
	{.name = "name", .type = FIELD_KEY, .offset = offsetof(struct monitor, name), .help = "The monitor's name."},
	{.name = "watch", .type = FIELD_REF, .flags = FIELD_REQUIRED | FIELD_IN_PLACE, .offset = offsetof(struct monitor, watch),
		.refers = "endpoint|route", .help = "What is watched: an endpoint (each cloud's attempts) or a route (what clients see)."},
	{.name = "per", .type = FIELD_CHOICE, .flags = FIELD_IN_PLACE, .offset = offsetof(struct monitor, per),
		.choices = per_names, .help = "cloud: each cloud is judged by itself; absent: all together."},
	{.name = "rules", .type = FIELD_BLOCKS, .flags = FIELD_REQUIRED | FIELD_IN_PLACE, .offset = offsetof(struct monitor, rules),
		.block = &rule_kind, .help = "The conditions; each fires and clears by itself."},
	{.name = "then", .type = FIELD_LIST, .item = FIELD_TEXT, .flags = FIELD_IN_PLACE, .offset = offsetof(struct monitor, then),
		.help = "What is done when a rule fires: shift traffic (ends when it clears), run pipeline/NAME."},
	{.name = "notify", .type = FIELD_LIST, .item = FIELD_REF, .flags = FIELD_IN_PLACE, .offset = offsetof(struct monitor, notify),
		.refers = "channel", .help = "The channels that are told when a rule fires and when it clears."},
};

static void monitor_check(const struct kind_check *c)
{
	const void *value = c->value;
	const struct node *n = c->map;
	struct findings *f = c->f;
	if (c->wrong)
		return;
	const struct monitor *monitor = value;
	const struct str *then = monitor->then.items;
	const struct node *at = node_member(n, S("then"));
	for (size_t i = 0; i < monitor->then.count; i++) {
		bool shift = str_eq(then[i], S("shift traffic")), run = str_starts(then[i], S("run pipeline/"));
		if (!shift && !run)
			findings_add(f, at ? at->at : n->at, at ? node_path(at, f->arena) : S("then"),
				S("write \"shift traffic\" or \"run pipeline/NAME\""), "no fix is called \"%.*s\"", STR(then[i]));
		if (shift && !(str_eq(monitor->watch.kind, S("endpoint")) && monitor->per.n))
			findings_add(f, at ? at->at : n->at, at ? node_path(at, f->arena) : S("then"),
				S("watch an endpoint with per: cloud"), "traffic can only be shifted away from one cloud of an endpoint");
	}
}

const struct kind monitor_kind = {
	.plural = "monitors",
	.singular = "monitor",
	.help = "What is watched, by which rules, and what happens when a rule fires.",
	.example = "monitors:\n  cloud-lost:\n    watch: endpoint/classify\n    per: cloud\n"
		   "    rules: [{signal: failed_attempts, above: 5%, over: 2s}]\n    then: [shift traffic]\n    notify: [oncall]\n",
	.size = sizeof(struct monitor),
	KIND_FIELDS(fields),
	.check = monitor_check,
};

const struct resource_handler monitor_handler = {.kind = &monitor_kind};

enum signal monitor_signal_of(struct str name)
{
	for (int i = 0; i < SIGNAL_COUNT; i++)
		if (str_eq(name, str_of(monitor_signal_names[i])))
			return (enum signal)i;
	return SIGNAL_COUNT;
}
