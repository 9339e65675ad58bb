// SPDX-License-Identifier: Apache-2.0
// The table of `monitors:` and the checks across its fields.
#include "monitor/monitor_kind.h"

#include "base/time.h"

const char *const monitor_signal_names[SIGNAL_COUNT + 1] = {"failed_attempts", "errors", "latency", "drift", NULL};
// Those of a later release are behind the names of enum signal.
static const char *const signals[] = {"failed_attempts", "errors", "latency", "drift", "auc", "accuracy", "f1", "mae", NULL};
static const char *const methods[] = {"psi", NULL};
static const char *const drift_of[] = {"input", NULL};
static const char *const per_names[] = {"cloud", NULL};

// "5%" is a share, "50ms" seconds, "0.2" itself.
static bool threshold_read(const struct node *node, double *out)
{
	struct str number = node->text;
	int64_t ns;
	bool percent = str_ends(number, S("%"));
	if (percent)
		number = str_take(number, number.n - 1);
	if (node->type != NODE_SCALAR)
		return false;
	if (str_to_f64(number, out) == 0)
		*out = percent ? *out / 100 : *out;
	else if (!percent && duration_parse(number, &ns) == 0)
		*out = (double)ns / (double)NS_PER_S;
	else
		return false;
	return *out >= 0;
}

// 5% and 0.05, 50ms and 0.05: what a rule compares with is a number.
static json_t *threshold_normal(const struct node *node)
{
	double value;
	return threshold_read(node, &value) ? json_real(value) : node_to_json(node);
}

static bool threshold_parse(const struct node *node, void *out, struct findings *f)
{
	struct threshold t = {.set = true};
	if (!threshold_read(node, &t.value)) {
		findings_add(f, node->at, node_path(node, f->arena), S("write it as 5%, 50ms or 0.2"),
			"expected a share, a duration or a number that is not negative, got \"%.*s\"", STR(node->text));
		return false;
	}
	*(struct threshold *)out = t;
	return true;
}

static const struct field rule_fields[] = {
	{.name = "signal", .type = FIELD_CHOICE, .flags = FIELD_REQUIRED | FIELD_LATER,
		.offset = offsetof(struct monitor_rule, signal), .choices = signals, .acts = monitor_signal_names,
		.help = "What is measured: failed attempts at an endpoint, errors that clients see, latency, drift of inputs, or quality."},
	{.name = "above", .type = FIELD_CUSTOM, .offset = offsetof(struct monitor_rule, above), .parse = threshold_parse, .normal = threshold_normal,
		.help = "The rule fires while the signal is above this: a share (5%), a duration (50ms) or a number."},
	{.name = "below", .type = FIELD_CUSTOM, .offset = offsetof(struct monitor_rule, below), .parse = threshold_parse, .normal = threshold_normal,
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
	{.name = "labels",
		.type = FIELD_REF,
		.flags = FIELD_LATER,
		.offset = offsetof(struct monitor_rule, labels),
		.refers = "dataset",
		.help = "Quality only: the dataset that says, later, what was right."},
	{.name = "join",
		.type = FIELD_NAME,
		.flags = FIELD_LATER,
		.offset = offsetof(struct monitor_rule, join),
		.help = "Quality only: the column that requests and labels share."},
};

static void rule_check(const struct kind_check *c)
{
	const struct monitor_rule *rule = c->value;
	bool signal = kind_check_sound(c, "signal") && rule->signal.n;
	bool quality = signal && monitor_signal_of(rule->signal) == SIGNAL_COUNT;
	if (kind_check_sound(c, "above") && kind_check_sound(c, "below") && rule->above.set == rule->below.set)
		kind_check_add(c, "", S("add one of above: and below:"), "a rule needs exactly one of above and below");
	if (signal && monitor_signal_of(rule->signal) == SIGNAL_DRIFT && kind_check_sound(c, "against") &&
		rule->against.name.n == 0)
		kind_check_add(c, "", S("add against: TRANSFORM/PART"),
			"a drift rule needs the data that it compares against");
	if (quality && kind_check_sound(c, "labels") && kind_check_sound(c, "join") &&
		(!rule->labels.name.n || !rule->join.n))
		kind_check_add(c, "", S("add labels: dataset/NAME and join: COLUMN"),
			"a rule of quality needs the data that says what was right, and the column that joins it");
}

static const struct kind rule_kind = {
	.singular = "rule",
	.help = "One condition of a monitor.",
	.size = sizeof(struct monitor_rule),
	KIND_FIELDS(rule_fields),
	.check = rule_check,
};

static bool is_fix(struct str then)
{
	return str_eq(then, S("shift traffic")) || str_eq(then, S("roll back")) || str_starts(then, S("run pipeline/"));
}

// All but "roll back" act.
static bool are_fixes_there(const struct node *node)
{
	for (const struct node *n = node->first; n; n = n->next)
		if (str_eq(n->text, S("roll back")))
			return false;
	return true;
}

static const struct field fields[] = {
	{.name = "name", .type = FIELD_KEY, .offset = offsetof(struct monitor, name), .help = "The monitor's name."},
	{.name = "watch", .type = FIELD_REF, .flags = FIELD_REQUIRED | FIELD_IN_PLACE, .offset = offsetof(struct monitor, watch),
		.refers = "endpoint|route", .help = "What is watched: an endpoint (each cloud's attempts) or a route (what clients see)."},
	{.name = "per", .type = FIELD_CHOICE, .flags = FIELD_IN_PLACE, .offset = offsetof(struct monitor, per),
		.choices = per_names, .help = "cloud: each cloud is judged by itself; absent: all together."},
	{.name = "rules", .type = FIELD_BLOCKS, .flags = FIELD_REQUIRED | FIELD_IN_PLACE, .offset = offsetof(struct monitor, rules),
		.block = &rule_kind, .help = "The conditions; each fires and clears by itself."},
	{.name = "then", .type = FIELD_LIST, .item = FIELD_TEXT, .flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct monitor, then), .acting = are_fixes_there,
		.help = "What is done when a rule fires: shift traffic (ends when it clears), run pipeline/NAME, roll back."},
	{.name = "notify", .type = FIELD_LIST, .item = FIELD_REF, .flags = FIELD_IN_PLACE, .offset = offsetof(struct monitor, notify),
		.refers = "channel", .help = "The channels that are told when a rule fires and when it clears."},
};

static void monitor_check(const struct kind_check *c)
{
	const struct monitor *monitor = c->value;
	const struct str *then = monitor->then.items;
	bool watched = kind_check_sound(c, "watch") && kind_check_sound(c, "per");
	bool shiftable = str_eq(monitor->watch.kind, S("endpoint")) && monitor->per.n;
	for (size_t i = 0; kind_check_sound(c, "then") && i < monitor->then.count; i++) {
		if (!is_fix(then[i]))
			kind_check_add(c, "then", S("write \"shift traffic\", \"roll back\" or \"run pipeline/NAME\""),
				"no fix is called \"%.*s\"", STR(then[i]));
		if (str_eq(then[i], S("shift traffic")) && watched && !shiftable)
			kind_check_add(c, "then", S("watch an endpoint with per: cloud"),
				"traffic can only be shifted away from one cloud of an endpoint");
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
