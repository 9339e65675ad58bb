// SPDX-License-Identifier: Apache-2.0
// Commands as tables: parsing into the struct, messages and exit codes, help and the manual. Output is caught in files
// that stand in for standard output and standard error.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/options.h"
#include "base/time.h"

struct copy_options {
	bool force;
	const char *output, *from;
	int64_t parallel, timeout;
	struct option_texts only;
};
static const char *const formats[] = {"table", "json", NULL};
static const struct option copy_table[] = {
	{.name = "force",
		.letter = 'f',
		.type = OPTION_FLAG,
		.offset = offsetof(struct copy_options, force),
		.help = "overwrite"},
	{.name = "output",
		.letter = 'o',
		.type = OPTION_CHOICE,
		.offset = offsetof(struct copy_options, output),
		.argument = "FORMAT",
		.otherwise = "table",
		.choices = formats,
		.help = "how results are written"},
	{.name = "from",
		.type = OPTION_TEXT,
		.offset = offsetof(struct copy_options, from),
		.argument = "A|B",
		.help = "where from"},
	{.name = "parallel",
		.letter = 'p',
		.type = OPTION_INTEGER,
		.offset = offsetof(struct copy_options, parallel),
		.argument = "N",
		.otherwise = "4",
		.help = "copies at once"},
	{.name = "timeout-of-everything",
		.type = OPTION_DURATION,
		.offset = offsetof(struct copy_options, timeout),
		.argument = "DURATION",
		.help = "when to give up"},
	{.name = "only",
		.type = OPTION_REPEAT,
		.offset = offsetof(struct copy_options, only),
		.argument = "GLOB",
		.help = "names to take"},
};

// What the command saw, and what it answers.
static struct copy_options seen;
static char seen_rest[256];
static char seen_only[256];
static void *seen_app;
static int answer;

static int run_copy(const struct arguments *a)
{
	seen = *(const struct copy_options *)a->options;
	seen_app = a->app;
	seen_rest[0] = seen_only[0] = '\0';
	for (size_t i = 0; i < a->count; i++)
		snprintf(seen_rest + strlen(seen_rest), sizeof(seen_rest) - strlen(seen_rest), "[%s]", a->rest[i]);
	assert_null(a->rest[a->count]);
	for (size_t i = 0; i < seen.only.count; i++)
		snprintf(seen_only + strlen(seen_only), sizeof(seen_only) - strlen(seen_only), "[%s]",
			seen.only.items[i]);
	fputs("ran\n", a->out);
	return answer;
}

static const struct command copy = {.name = "data cp",
	.arguments = "SOURCE [TARGET]",
	.help = "Copies objects.",
	.example = "isobar data cp a b\nisobar data cp --force a b",
	COMMAND_OPTIONS(copy_table, struct copy_options),
	.min_arguments = 1,
	.max_arguments = 2,
	.run = run_copy};
static const struct command plan = {.name = "plan",
	.help = "Shows what apply would do.",
	.options_size = sizeof(struct copy_options),
	.run = run_copy};
static const struct command *const commands[] = {&plan, &copy};

static char out_text[8192], error_text[1024];

static int open_temporary(void)
{
	char path[] = "/tmp/isobar-test-options-XXXXXX";
	int fd = mkostemp(path, O_CLOEXEC);
	assert_true(fd >= 0);
	unlink(path);
	return fd;
}

static void take(int fd, char *text, size_t size)
{
	ssize_t n = pread(fd, text, size - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	close(fd);
}

#define RUN(...) run((char *[]){(char[]){"isobar"}, __VA_ARGS__, NULL})
#define A(text)                                                                                                        \
	(char[])                                                                                                       \
	{                                                                                                              \
		text                                                                                                   \
	}

static int run(char **argv)
{
	int argc = 0, out = open_temporary(), error = open_temporary();
	int saved_out = dup(STDOUT_FILENO), saved_error = dup(STDERR_FILENO);
	while (argv[argc])
		argc++;
	fflush(stdout);
	dup2(out, STDOUT_FILENO);
	dup2(error, STDERR_FILENO);
	seen = (struct copy_options){0};
	int code = command_main(commands, COUNT_OF(commands), argc, argv, &answer);
	fflush(stdout);
	dup2(saved_out, STDOUT_FILENO);
	dup2(saved_error, STDERR_FILENO);
	close(saved_out);
	close(saved_error);
	take(out, out_text, sizeof(out_text));
	take(error, error_text, sizeof(error_text));
	return code;
}

static void test_defaults(UNUSED void **state)
{
	answer = 7;
	assert_int_equal(RUN(A("data"), A("cp"), A("a")), 7);
	answer = 0;
	assert_string_equal(out_text, "ran\n");
	assert_string_equal(error_text, "");
	assert_string_equal(seen_rest, "[a]");
	assert_false(seen.force);
	assert_string_equal(seen.output, "table");
	assert_null(seen.from);
	assert_int_equal(seen.parallel, 4);
	assert_int_equal(seen.timeout, 0);
	assert_int_equal(seen.only.count, 0);
	assert_ptr_equal(seen_app, &answer);
}

static void test_all_forms(UNUSED void **state)
{
	int code = RUN(A("data"), A("cp"), A("--force"), A("a"), A("--output=json"), A("--from"), A("--x"), A("-p9"),
		A("b"), A("--timeout-of-everything"), A("90s"), A("--only"), A("*.a"), A("--only=*.b"));
	assert_int_equal(code, 0);
	assert_true(seen.force);
	assert_string_equal(seen.output, "json");
	assert_string_equal(seen.from, "--x");
	assert_int_equal(seen.parallel, 9);
	assert_int_equal(seen.timeout, 90 * NS_PER_S);
	assert_string_equal(seen_only, "[*.a][*.b]");
	assert_string_equal(seen_rest, "[a][b]");
	assert_int_equal(RUN(A("data"), A("cp"), A("-f"), A("-o"), A("json"), A("-from=y"), A("-parallel"), A("-3"),
				 A("--"), A("-a"), A("--")),
		0);
	assert_string_equal(seen.output, "json");
	assert_string_equal(seen.from, "y");
	assert_int_equal(seen.parallel, -3);
	assert_string_equal(seen_rest, "[-a][--]");
	assert_int_equal(RUN(A("data"), A("cp"), A("-"), A("--from="), A("")), 0);
	assert_string_equal(seen.from, "");
	assert_string_equal(seen_rest, "[-][]");
}

#define ASSERT_USAGE(message, ...)                                                                                     \
	do {                                                                                                           \
		out_text[0] = '\0';                                                                                    \
		assert_int_equal(RUN(__VA_ARGS__), 2);                                                                 \
		assert_string_equal(error_text, message "\n");                                                         \
		assert_string_equal(out_text, "");                                                                     \
	} while (0)

static void test_usage_errors(UNUSED void **state)
{
	ASSERT_USAGE("isobar data cp: unknown option --forse; did you mean --force?; see isobar data cp --help",
		A("data"), A("cp"), A("--forse"));
	ASSERT_USAGE("isobar data cp: unknown option --xyzzy; see isobar data cp --help", A("data"), A("cp"),
		A("--xyzzy=1"));
	ASSERT_USAGE("isobar data cp: unknown option -z; see isobar data cp --help", A("data"), A("cp"), A("-z"));
	ASSERT_USAGE("isobar data cp: --force takes no value; see isobar data cp --help", A("data"), A("cp"),
		A("--force=yes"));
	ASSERT_USAGE(
		"isobar data cp: --from needs A|B; see isobar data cp --help", A("data"), A("cp"), A("a"), A("--from"));
	ASSERT_USAGE("isobar data cp: --parallel: expected a whole number, got \"many\"; see isobar data cp --help",
		A("data"), A("cp"), A("--parallel=many"));
	ASSERT_USAGE("isobar data cp: --timeout-of-everything: expected a duration such as 30s or 2h, got \"5\"; see "
		     "isobar data cp --help",
		A("data"), A("cp"), A("--timeout-of-everything=5"));
	ASSERT_USAGE("isobar data cp: --output: expected one of table, json, got \"xml\"; see isobar data cp --help",
		A("data"), A("cp"), A("-oxml"));
	ASSERT_USAGE("isobar data cp: needs SOURCE [TARGET], got 0 arguments; see isobar data cp --help", A("data"),
		A("cp"));
	ASSERT_USAGE("isobar data cp: takes SOURCE [TARGET]; \"c\" is too much; see isobar data cp --help", A("data"),
		A("cp"), A("a"), A("b"), A("c"));
	ASSERT_USAGE("isobar plan: takes no arguments; \"x\" is too much; see isobar plan --help", A("plan"), A("x"));
	ASSERT_USAGE("isobar: unknown command \"plna\"; did you mean \"plan\"?; see isobar --help", A("plna"));
	ASSERT_USAGE("isobar: unknown command \"data cpp\"; did you mean \"data cp\"?; see isobar --help", A("data"),
		A("cpp"));
	ASSERT_USAGE("isobar: unknown command \"frobnicate\"; see isobar --help", A("frobnicate"));
}

static void test_help(UNUSED void **state)
{
	static const char expected[] =
		"Usage: isobar data cp [OPTIONS] SOURCE [TARGET]\n\n"
		"Copies objects.\n\n"
		"Options:\n"
		"  -f, --force                 overwrite\n"
		"  -o, --output FORMAT         how results are written (table | json; default table)\n"
		"      --from A|B              where from\n"
		"  -p, --parallel N            copies at once (default 4)\n"
		"      --timeout-of-everything DURATION\n"
		"                              when to give up\n"
		"      --only GLOB             names to take (may be repeated)\n"
		"  -h, --help                  print this help\n\n"
		"Example:\n"
		"  isobar data cp a b\n"
		"  isobar data cp --force a b\n";
	assert_int_equal(RUN(A("data"), A("cp"), A("--help")), 0);
	assert_string_equal(out_text, expected);
	assert_int_equal(RUN(A("data"), A("cp"), A("-h"), A("a"), A("b"), A("c")), 0);
	assert_string_equal(out_text, expected);
	assert_int_equal(RUN(A("help"), A("data"), A("cp")), 0);
	assert_string_equal(out_text, expected);
}

static void test_lists(UNUSED void **state)
{
	static const char all[] = "Usage: isobar COMMAND [OPTIONS] [ARGUMENTS]\n\nCommands:\n"
				  "  plan     Shows what apply would do.\n"
				  "  data cp  Copies objects.\n\n"
				  "isobar COMMAND --help says more.\n";
	assert_int_equal(RUN(A("--help")), 0);
	assert_string_equal(out_text, all);
	assert_int_equal(RUN(A("help")), 0);
	assert_string_equal(out_text, all);
	assert_int_equal(run((char *[]){A("isobar"), NULL}), 2);
	assert_string_equal(error_text, all);
	assert_int_equal(RUN(A("data")), 2);
	assert_non_null(strstr(error_text, "data cp"));
	assert_null(strstr(error_text, "plan"));
	assert_int_equal(RUN(A("data"), A("--help")), 0);
	assert_non_null(strstr(out_text, "Usage: isobar data COMMAND"));
}

static void test_full_disk(UNUSED void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC), saved = dup(STDOUT_FILENO),
	    saved_error = dup(STDERR_FILENO);
	if (full < 0)
		skip();
	int error = open_temporary();
	dup2(full, STDOUT_FILENO);
	dup2(error, STDERR_FILENO);
	int code = command_main(commands, COUNT_OF(commands), 2, (char *[]){A("isobar"), A("plan"), NULL}, NULL);
	dup2(saved, STDOUT_FILENO);
	dup2(saved_error, STDERR_FILENO);
	clearerr(stdout);
	close(saved);
	close(saved_error);
	close(full);
	take(error, error_text, sizeof(error_text));
	assert_int_equal(code, 10);
	assert_string_equal(error_text, "isobar: write standard output: No space left on device\n");
}

static void test_reference(UNUSED void **state)
{
	FILE *out = fmemopen(out_text, sizeof(out_text), "w");
	assert_non_null(out);
	command_write_reference(commands, COUNT_OF(commands), out);
	fclose(out);
	assert_non_null(strstr(out_text, "| 2 | invalid |\n"));
	assert_non_null(strstr(out_text, "| 3 | not found |\n"));
	assert_non_null(strstr(out_text, "\n## isobar plan\n\nShows what apply would do.\n\n    isobar plan\n"));
	assert_non_null(strstr(out_text,
		"\n## isobar data cp\n\nCopies objects.\n\n    isobar data cp [OPTIONS] SOURCE [TARGET]\n\n"
		"| Option | Meaning | Default |\n|---|---|---|\n"
		"| `-f`, `--force` | overwrite |  |\n"
		"| `-o`, `--output FORMAT` | how results are written: `table`, `json` | `table` |\n"
		"| `--from A\\|B` | where from |  |\n"));
	assert_non_null(strstr(out_text, "\nExample:\n\n    isobar data cp a b\n    isobar data cp --force a b\n"));
}

// What a writer of pages wrote, in out_text.
static void caught(void (*write)(FILE *))
{
	int fd = open_temporary();
	FILE *out = fdopen(dup(fd), "w");
	assert_non_null(out);
	write(out);
	assert_int_equal(fclose(out), 0);
	take(fd, out_text, sizeof(out_text));
}

static void write_copy_man(FILE *out)
{
	command_write_man(&copy, out);
}

static void write_all_man(FILE *out)
{
	commands_write_man(commands, COUNT_OF(commands), out);
}

static void test_man_pages(UNUSED void **state)
{
	caught(write_copy_man);
	assert_non_null(strstr(out_text, ".SH NAME\nisobar\\-data\\-cp \\- Copies objects.\n"));
	assert_non_null(strstr(out_text, ".SH SYNOPSIS\n\\fBisobar data cp\\fR [\\fIOPTIONS\\fR] SOURCE [TARGET]\n"));
	assert_non_null(strstr(out_text,
		".TP\n\\fB\\-o\\fR, \\fB\\-\\-output\\fR \\fIFORMAT\\fR\nhow results are written (table | json; default table)\n"));
	assert_non_null(strstr(out_text, ".nf\nisobar data cp a b\nisobar data cp \\-\\-force a b\n.fi\n"));
	caught(write_all_man);
	assert_non_null(strstr(out_text, ".TP\n\\fBisobar\\-data\\-cp\\fR(1)\nCopies objects.\n"));
	assert_non_null(strstr(out_text, ".TP\n0\ndone\n.TP\n1\n"));
}

static const char *shell;
static bool written;
static void write_completion(FILE *out)
{
	written = command_write_completion(commands, COUNT_OF(commands), shell, out);
}

static void test_completion(UNUSED void **state)
{
	shell = "bash";
	caught(write_completion);
	assert_true(written);
	assert_non_null(strstr(out_text, "\"\") words=\"plan data help --version\" ;;"));
	assert_non_null(strstr(out_text, "\"data cp:--output\" | \"data cp:-o\") words=\"table json\"; choice=1 ;;"));
	assert_non_null(strstr(out_text, "\"data\") words=\"cp\" ;;"));
	shell = "zsh";
	caught(write_completion);
	assert_true(written && strncmp(out_text, "#compdef isobar\n", 16) == 0);
	shell = "fish";
	caught(write_completion);
	assert_non_null(strstr(out_text, " -l output -s o -r -f -a 'table json' -d 'how results are written'\n"));
	assert_non_null(strstr(out_text, "complete -c isobar -f -n __fish_use_subcommand -a data\n"));
	shell = "csh";
	caught(write_completion);
	assert_false(written);
	assert_string_equal(out_text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_forms),
		cmocka_unit_test(test_usage_errors),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_reference),
		cmocka_unit_test(test_man_pages),
		cmocka_unit_test(test_completion),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
