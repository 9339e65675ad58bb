// SPDX-License-Identifier: Apache-2.0
// The table of the kind "training", and the checks that reach across its fields.
#include "train/training_kind.h"

#include "train/trainers.h"

static const char *const optimizers[] = {"nesterov", NULL};
static const char *const rules[] = {"fedavg", NULL};

static const struct field outer_fields[] = {
	{.name = "optimizer", .type = FIELD_CHOICE, .flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct training_outer, optimizer), .choices = optimizers,
		.help = "Step that the control plane takes with the mean of the sites."},
	{.name = "rate", .type = FIELD_NUMBER, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training_outer, rate),
		.otherwise = "0.7", .min = 0, .max = 10, .help = "Outer learning rate; 1 with momentum 0 is the plain mean."},
	{.name = "momentum", .type = FIELD_NUMBER, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training_outer, momentum),
		.otherwise = "0.9", .min = 0, .max = 1, .help = "Outer momentum."},
};
static const struct kind outer_block = {
	.singular = "outer",
	.help = "The outer optimizer.",
	.size = sizeof(struct training_outer),
	KIND_FIELDS(outer_fields),
};

static const struct field aggregate_fields[] = {
	{.name = "rule", .type = FIELD_CHOICE, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training_aggregate, rule),
		.otherwise = "fedavg", .choices = rules, .help = "How the sites' weights become one: the mean by samples."},
	{.name = "outer", .type = FIELD_BLOCK, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training_aggregate, outer),
		.block = &outer_block, .help = "Optimizer applied to the mean; none without it."},
};
static const struct kind aggregate_block = {
	.singular = "aggregate",
	.help = "How the sites' weights become the next round's.",
	.size = sizeof(struct training_aggregate),
	KIND_FIELDS(aggregate_fields),
};

static bool parse_quorum(const struct node *node, void *out, struct findings *f)
{
	struct training_quorum q = {0};
	struct str need, of, rest = node->type == NODE_SCALAR ? node->text : (struct str){0};
	bool good = str_cut(rest, ' ', &need, &rest) && str_to_i64(need, &q.need) == 0 && q.need > 0;
	if (good) {
		rest = str_trim(rest);
		good = str_starts(rest, S("of ")) && str_to_i64(str_trim(of = str_drop(rest, 3)), &q.of) == 0 && q.of > 0;
	}
	if (good && q.need > q.of) {
		findings_add(f, node->at, node_path(node, f->arena), (struct str){0},
			"a quorum of %lld out of %lld can never be reached", (long long)q.need, (long long)q.of);
		return false;
	}
	if (!good) {
		findings_add(f, node->at, node_path(node, f->arena), (struct str){0},
			"expected a quorum such as \"2 of 3\", got \"%.*s\"", STR(node->text));
		return false;
	}
	*(struct training_quorum *)out = q;
	return true;
}

static const struct field federated_fields[] = {
	{.name = "clouds", .type = FIELD_CLOUDS, .offset = offsetof(struct training_federated, clouds), .otherwise = "all",
		.help = "Clouds that train, each on its own part of the data."},
	{.name = "rounds", .type = FIELD_INTEGER, .flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct training_federated, rounds), .min = 1, .max = 100000, .help = "Rounds in all."},
	{.name = "local_epochs", .type = FIELD_INTEGER, .flags = FIELD_IN_PLACE,
		.offset = offsetof(struct training_federated, local_epochs), .otherwise = "1", .min = 1, .max = 10000,
		.help = "Passes of each site over its own data in a round."},
	{.name = "aggregate", .type = FIELD_BLOCK, .flags = FIELD_IN_PLACE,
		.offset = offsetof(struct training_federated, aggregate), .block = &aggregate_block,
		.help = "How the sites' weights become the next round's."},
	{.name = "quorum", .type = FIELD_CUSTOM, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training_federated, quorum),
		.parse = parse_quorum,
		.help = "Sites that are enough once the deadline has passed, as 2 of 3; all are awaited until then. Without it: all."},
	{.name = "deadline", .type = FIELD_DURATION, .flags = FIELD_IN_PLACE,
		.offset = offsetof(struct training_federated, deadline_ns), .otherwise = "1h", .help = "Of one round."},
};
static const struct kind federated_block = {
	.singular = "federated",
	.help = "Rounds on several clouds; the data stays where it is, weights travel.",
	.size = sizeof(struct training_federated),
	KIND_FIELDS(federated_fields),
};

static const struct field resource_fields[] = {
	{.name = "cpu", .type = FIELD_NUMBER, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training_resources, cpu),
		.otherwise = "1", .min = 0.1, .max = 1024, .unit = "cores", .help = "Cores of a job."},
	{.name = "memory", .type = FIELD_SIZE, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training_resources, memory),
		.help = "Memory of a job; without it, what the engine gives."},
};
static const struct kind resource_block = {
	.singular = "resources",
	.help = "What each job gets.",
	.size = sizeof(struct training_resources),
	KIND_FIELDS(resource_fields),
};

static void add(const struct node *n, struct str member, struct findings *f, const char *problem)
{
	const struct node *at = node_member(n, member);
	if (!at)
		at = n;
	findings_add(f, at->at, node_path(at, f->arena), (struct str){0}, "%s", problem);
}

static void check_program(const struct training *t, const struct node *n, struct findings *f)
{
	if (t->trainer.n && (t->command.count || t->code.n || t->image.n))
		add(n, S("trainer"), f, "trainer and code, image or command exclude each other: a built-in trainer brings its own program");
	else if (!t->trainer.n && !t->command.count)
		add(n, S("command"), f, "expected trainer: (built in) or command: (your own program, with code: for its folder)");
	if (t->trainer.n && !str_eq(t->trainer, S("builtin/mlp")))
		add(n, S("trainer"), f, "expected builtin/mlp, the built-in trainer");
}

static void check_federated(const struct training *t, const struct node *n, struct findings *f)
{
	const struct training_federated *d = &t->federated;
	const struct node *block = node_member(n, S("federated"));
	if (!block || d->rounds <= 0)
		return;
	if (!d->clouds.all && !d->clouds.count)
		add(block, S("clouds"), f, "expected at least one cloud");
	if (d->quorum.need && !d->clouds.all && (size_t)d->quorum.of != d->clouds.count)
		add(block, S("quorum"), f, "the quorum counts another number of clouds than clouds: names");
	if (d->deadline_ns <= 0)
		add(block, S("deadline"), f, "expected a duration above zero");
}

// A misspelled setting would be left to its default without a word.
static void check_with(const struct training *t, struct findings *f)
{
	void *settings = arena_alloc(f->arena, mlp_with_block.size);
	if (settings && t->with && t->with->type == NODE_MAP && str_eq(t->trainer, S("builtin/mlp")))
		(void)!kind_decode(&mlp_with_block, t->with, f->arena, settings, f); // all that is wrong is in f
}

static void check_training(const struct kind_check *c)
{
	const void *value = c->value;
	const struct node *n = c->map;
	struct findings *f = c->f;
	if (c->wrong)
		return;
	const struct training *t = value;
	check_program(t, n, f);
	check_federated(t, n, f);
	check_with(t, f);
	if (t->with && t->with->type != NODE_MAP)
		add(n, S("with"), f, "expected a map of settings for the trainer");
}

static const struct field training_fields[] = {
	{.name = "data", .type = FIELD_REF, .flags = FIELD_REQUIRED | FIELD_IN_PLACE, .offset = offsetof(struct training, data),
		.refers = "transform|dataset", .help = "What it learns from: a data set, or a transform or one of its parts."},
	{.name = "trainer", .type = FIELD_TEXT, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training, trainer),
		.help = "Built-in trainer: builtin/mlp."},
	{.name = "code", .type = FIELD_TEXT, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training, code),
		.help = "Folder of your own program, inside the workspace; copied to where it runs."},
	{.name = "image", .type = FIELD_TEXT, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training, image),
		.help = "Container image to run it in, where the engine has containers; the local engine runs it on this machine."},
	{.name = "command", .type = FIELD_LIST, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training, command),
		.item = FIELD_TEXT, .help = "Your program and its arguments; no shell."},
	{.name = "with", .type = FIELD_ANY, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training, with),
		.help = "Settings for the trainer; your own program finds them in the file that ISOBAR_WITH names."},
	{.name = "bucket", .type = FIELD_REF, .offset = offsetof(struct training, bucket), .refers = "bucket",
		.help = "Bucket that keeps its weights; without it, the only managed one on each cloud."},
	{.name = "resources", .type = FIELD_BLOCK, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training, resources),
		.block = &resource_block, .help = "What each job gets."},
	{.name = "deadline", .type = FIELD_DURATION, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training, deadline_ns),
		.otherwise = "6h", .help = "Of the job of a training that is not federated."},
	{.name = "federated", .type = FIELD_BLOCK, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training, federated),
		.block = &federated_block, .help = "Rounds on several clouds; without it, one job in the cheapest allowed place."},
};
const struct kind training_kind = {
	.plural = "trainings",
	.singular = "training",
	.help = "Makes weights from data, where the data is.",
	.example = "trainings:\n"
		   "  classifier:\n"
		   "    data: prepared/train\n"
		   "    trainer: builtin/mlp\n"
		   "    with: {hidden: [200, 200], batch: 50, learning_rate: 0.1, seed: 1}\n"
		   "    federated: {clouds: all, rounds: 10, quorum: 2 of 3, deadline: 60s}\n",
	.size = sizeof(struct training),
	KIND_FIELDS(training_fields),
	.check = check_training,
};
const struct resource_handler training_handler = {.kind = &training_kind};
