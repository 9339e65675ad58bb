// SPDX-License-Identifier: Apache-2.0
// `isobar transformer NAME`: built-in programs of transforms, under the job contract like anybody's (docs/jobs.md).
#include <stdlib.h>
#include <string.h>

#include "transform/images.h"
#include "transform/transform.h"

enum { WITH_LIMIT = 1 << 20 };

static const char *need_variable(const char *name, struct err *e)
{
	const char *value = getenv(name);
	if (!value || !value[0])
		(void)err_set(e, ERR_INVALID, "%s is not set: this program runs as a job (see docs/jobs.md)", name);
	return value && value[0] ? value : NULL;
}

static int run_images(struct err *e)
{
	AUTO(arena) arena = {0};
	AUTO(json) with = NULL;
	struct images_options options = {0};
	const char *data = need_variable("ISOBAR_DATA", e), *out = need_variable("ISOBAR_OUT", e),
		   *path = need_variable("ISOBAR_WITH", e);
	if (!data || !out || !path)
		return ERR_INVALID;
	const char *input = arena_printf(&arena, "%s/input", data).p;
	if (!input)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	int code = json_parse_file(path, WITH_LIMIT, &with, e);
	if (!code)
		code = images_options_of_json(&arena, with, &options, e);
	return code ? code : images_convert(input, out, &options, e);
}

static const struct {
	const char *name;
	int (*run)(struct err *e);
} transformers[] = {
	{"images", run_images},
};

static int transformer_main(const struct arguments *a)
{
	struct err e = {0};
	for (size_t i = 0; i < COUNT_OF(transformers); i++) {
		if (strcmp(a->rest[0], transformers[i].name) != 0)
			continue;
		int code = transformers[i].run(&e);
		if (code)
			fprintf(a->error, "isobar transformer %s: %s\n", a->rest[0], e.message);
		else // the job's log: a line for each run that came to its end
			fprintf(a->out, "isobar transformer %s: done\n", a->rest[0]);
		return code ? err_exit_code(code) : 0;
	}
	fprintf(a->error, "isobar transformer: there is no \"%s\"; there is: images\n", a->rest[0]);
	return err_exit_code(ERR_INVALID);
}

const struct command transformer_command = {
	.name = "transformer",
	.arguments = "NAME",
	.help = "run a built-in transformer as a job's program (images)",
	.example = "isobar transformer images",
	.min_arguments = 1,
	.max_arguments = 1,
	.run = transformer_main,
};
