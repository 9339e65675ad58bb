// SPDX-License-Identifier: Apache-2.0
// The command `isobar trainer NAME`: reads the job's environment and says in one line what went wrong.
#include <stdlib.h>

#include "train/trainers.h"

enum { WITH_LIMIT = 1 << 20 };

static const struct {
	const char *name;
	int (*run)(const struct trainer_env *env, struct err *e);
} trainers[] = {
	{"mlp", trainer_mlp},
	{"evaluate", trainer_evaluate},
};

static int read_environment(struct trainer_env *env, json_t **with, struct err *e)
{
	const char *path = getenv("ISOBAR_WITH");
	env->data = getenv("ISOBAR_DATA");
	env->out = getenv("ISOBAR_OUT");
	if (!env->data || !env->out)
		return err_set(
			e, ERR_INVALID, "ISOBAR_DATA and ISOBAR_OUT must name folders: a job's worker sets them");
	if (path)
		return json_parse_file(path, WITH_LIMIT, with, e);
	*with = json_object();
	return *with ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

static int run_named(const char *name, struct err *e)
{
	AUTO(json) with = NULL;
	struct trainer_env env = {0};
	for (size_t i = 0; i < COUNT_OF(trainers); i++) {
		if (!str_eq(str_of(name), str_of(trainers[i].name)))
			continue;
		int rc = read_environment(&env, &with, e);
		env.with = with;
		return rc < 0 ? rc : trainers[i].run(&env, e);
	}
	return err_set(e, ERR_NOT_FOUND, "there is no built-in trainer \"%s\"; there are mlp and evaluate", name);
}

static int run_trainer(const struct arguments *a)
{
	struct err e = {0};
	int rc = run_named(a->rest[0], &e);
	if (rc < 0)
		fprintf(a->error, "isobar trainer %s: %s\n", a->rest[0], e.message);
	else // the job's log: a line for each run that came to its end
		fprintf(a->out, "isobar trainer %s: done\n", a->rest[0]);
	return rc < 0 ? err_exit_code(rc) : 0;
}

const struct command trainer_command = {
	.name = "trainer",
	.arguments = "NAME",
	.help = "Run a built-in trainer as a job does: from ISOBAR_DATA to ISOBAR_OUT.",
	.example = "ISOBAR_DATA=in ISOBAR_OUT=out isobar trainer mlp",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = run_trainer,
};
