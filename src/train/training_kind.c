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
static void check_federated(const struct kind_check *c);
static const struct kind federated_block = {
	.singular = "federated",
	.help = "Rounds on several clouds; the data stays where it is, weights travel.",
	.size = sizeof(struct training_federated),
	KIND_FIELDS(federated_fields),
	.check = check_federated,
};

static const struct field resource_fields[] = {
	{.name = "cpu", .type = FIELD_NUMBER, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training_resources, cpu),
		.otherwise = "1", .min = 0.1, .max = 1024, .unit = "cores", .help = "Cores of a job."},
	{.name = "memory", .type = FIELD_SIZE, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training_resources, memory),
		.help = "Memory of a job; without it, what the engine gives."},
	{.name = "accelerator",
		.type = FIELD_ACCELERATOR,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct training_resources, accelerator),
		.help = "accelerators of a job and how many: H100:4"},
};
static const struct kind resource_block = {
	.singular = "resources",
	.help = "What each job gets.",
	.size = sizeof(struct training_resources),
	KIND_FIELDS(resource_fields),
};

static const struct field place_fields[] = {
	{.name = "prefer",
		.type = FIELD_CLOUDS,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct training_place, prefer),
		.help = "clouds to be tried first, where the data may go there; without it, the cheapest allowed place"},
	{.name = "spot",
		.type = FIELD_BOOL,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct training_place, spot),
		.otherwise = "false",
		.help = "whether machines that may be taken away are good enough"},
	{.name = "deadline",
		.type = FIELD_DURATION,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct training_place, deadline_ns),
		.min = 1,
		.max = 31536000,
		.help = "of the job; wins over the training's deadline"},
	{.name = "at_most",
		.type = FIELD_MONEY,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct training_place, at_most),
		.help = "most that the job may cost: 40 EUR"},
};
static const struct kind place_block = {
	.singular = "place",
	.help = "Where the one job of a training goes.",
	.size = sizeof(struct training_place),
	KIND_FIELDS(place_fields),
};

static void check_program(const struct kind_check *c)
{
	const struct training *t = c->value;
	bool sound = kind_check_sound(c, "trainer") && kind_check_sound(c, "command") && kind_check_sound(c, "code");
	if (sound && t->trainer.n && (t->command.count || t->code.n || t->image.n))
		kind_check_add(c, "trainer", S("leave one of them out"),
			"trainer and code, image or command exclude each other: a built-in trainer brings its own program");
	else if (sound && !t->trainer.n && !t->command.count)
		kind_check_add(c, "command", S("add trainer: builtin/mlp"),
			"expected trainer: (built in) or command: (your own program, with code: for its folder)");
	if (kind_check_sound(c, "trainer") && t->trainer.n && !str_eq(t->trainer, S("builtin/mlp")))
		kind_check_add(c, "trainer", S("builtin/mlp"), "expected builtin/mlp, the built-in trainer");
}

// Of the block itself, so that a mistake elsewhere in the training hides nothing.
static void check_federated(const struct kind_check *c)
{
	const struct training_federated *d = c->value;
	bool clouds = kind_check_sound(c, "clouds");
	if (clouds && !d->clouds.all && !d->clouds.count)
		kind_check_add(c, "clouds", S(""), "expected at least one cloud");
	if (clouds && kind_check_sound(c, "quorum") && d->quorum.need && !d->clouds.all &&
		(size_t)d->quorum.of != d->clouds.count)
		kind_check_add(c, "quorum",
			arena_printf(c->f->arena, "write %lld of %zu", (long long)MIN(d->quorum.need, (int64_t)d->clouds.count),
				d->clouds.count),
			"the quorum counts another number of clouds than clouds: names");
	if (kind_check_sound(c, "deadline") && d->deadline_ns <= 0)
		kind_check_add(c, "deadline", S(""), "expected a duration above zero");
}

// A misspelled setting would be left to its default without a word.
static void check_with(const struct kind_check *c)
{
	const struct training *t = c->value;
	void *settings = arena_alloc(c->f->arena, mlp_with_block.size);
	if (settings && t->with && t->with->type == NODE_MAP && str_eq(t->trainer, S("builtin/mlp")))
		(void)!kind_decode(&mlp_with_block, t->with, c->f->arena, settings, c->f); // all that is wrong is in f
	if (t->with && t->with->type != NODE_MAP)
		kind_check_add(c, "with", S(""), "expected a map of settings for the trainer");
}

static void check_place(const struct kind_check *c)
{
	if (node_member(c->map, S("federated")) && node_member(c->map, S("place")))
		kind_check_add(c, "place", S("leave it out"), "a federated training has a place on each of its clouds");
}

static void check_training(const struct kind_check *c)
{
	check_program(c);
	check_with(c);
	check_place(c);
}

static const struct field training_fields[] = {
	{.name = "data", .type = FIELD_REF, .flags = FIELD_REQUIRED | FIELD_IN_PLACE, .offset = offsetof(struct training, data),
		.refers = "transform|dataset", .help = "What it learns from: a data set, or a transform or one of its parts."},
	{.name = "trainer", .type = FIELD_TEXT, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training, trainer),
		.help = "Built-in trainer: builtin/mlp."},
	{.name = "code", .type = FIELD_PATH, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training, code),
		.help = "Folder of your own program, inside the workspace; copied to where it runs."},
	{.name = "image", .type = FIELD_TEXT, .flags = FIELD_IN_PLACE | FIELD_LATER, .offset = offsetof(struct training, image),
		.help = "Container image to run it in, where the engine has containers; the local engine runs it on this machine."},
	{.name = "command", .type = FIELD_LIST, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training, command),
		.item = FIELD_TEXT, .help = "Your program and its arguments; no shell."},
	{.name = "with", .type = FIELD_ANY, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training, with),
		.help = "Settings for the trainer; your own program finds them in the file that ISOBAR_WITH names."},
	{.name = "bucket", .type = FIELD_REF, .offset = offsetof(struct training, bucket), .follows = "data", .refers = "bucket",
		.help = "Bucket that keeps its weights; without it, the only managed one on each cloud."},
	{.name = "resources", .type = FIELD_BLOCK, .flags = FIELD_IN_PLACE, .offset = offsetof(struct training, resources),
		.block = &resource_block, .help = "What each job gets."},
	{.name = "place",
		.type = FIELD_BLOCK,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct training, place),
		.block = &place_block,
		.help = "where the one job of a training that is not federated goes"},
	{.name = "checkpoint",
		.type = FIELD_DURATION,
		.flags = FIELD_IN_PLACE | FIELD_LATER,
		.offset = offsetof(struct training, checkpoint_ns),
		.min = 1,
		.max = 31536000,
		.help = "how often the program is expected to leave a checkpoint in ISOBAR_CHECKPOINT"},
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
