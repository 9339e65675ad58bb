// SPDX-License-Identifier: Apache-2.0
// Commands about backups: backup, restore.
#include <limits.h>
#include <unistd.h>

#include "cli/cli_impl.h"

struct backup_options {
	struct common common;
	const char *passphrase;
	bool without_keys, plain_keys, force;
};
#define KEY_OPTIONS(what)                                                                                              \
	COMMON_OPTIONS(struct backup_options),                                                                         \
		{.name = "passphrase",                                                                                 \
			.type = OPTION_TEXT,                                                                           \
			.offset = offsetof(struct backup_options, passphrase),                                         \
			.argument = "SOURCE",                                                                          \
			.help = what " the workspace's keys: env:NAME, file:PATH, keyring:NAME or secret/NAME"},       \
	{                                                                                                              \
		.name = "without-keys", .type = OPTION_FLAG, .offset = offsetof(struct backup_options, without_keys),  \
		.help = "leave the workspace's keys out"                                                               \
	}
static const struct option backup_options[] = {
	KEY_OPTIONS("seals"),
	{.name = "plain-keys",
		.type = OPTION_FLAG,
		.offset = offsetof(struct backup_options, plain_keys),
		.help = "write the workspace's keys as they are: whoever reads the file has them"},
};
static const struct option restore_options[] = {
	KEY_OPTIONS("opens"),
	{.name = "force",
		.type = OPTION_FLAG,
		.offset = offsetof(struct backup_options, force),
		.help = "replace a state that is not empty, keys that are there, or those of another workspace"},
};

// The control plane has a current folder of its own.
static int absolute(struct session *s, const char *file, json_t *body)
{
	char here[PATH_MAX];
	struct str path = str_of(file);
	if (*file != '/') {
		if (!getcwd(here, sizeof(here)))
			return call_errno(&s->call, "find the current folder");
		path = arena_printf(&s->arena, "%s/%s", here, file);
	}
	json_set_str(body, "file", path);
	return path.p ? 0 : call_no_memory(&s->call);
}

static void fill(const struct backup_options *o, json_t *body)
{
	if (o->passphrase)
		json_set_str(body, "passphrase", str_of(o->passphrase));
	if (o->without_keys || o->plain_keys)
		json_set_str(body, "keys", o->plain_keys ? S("plain") : S("none"));
	if (o->force)
		json_object_set_new(body, "force", json_true());
}

static int run(const struct arguments *a, const char *route, const char *format)
{
	const struct backup_options *o = a->options;
	struct session s;
	AUTO(json) body = json_object();
	AUTO(json) result = NULL;
	fill(o, body);
	// env:NAME is of who typed it, not of a control plane that runs; a restore is the plane's to refuse.
	bool here = str_eq(str_of(route), S("/v1/backup"));
	int rc = here ? session_open_here(&s, a, &o->common) : session_open(&s, a, &o->common, NULL);
	if (rc == 0)
		rc = absolute(&s, a->rest[0], body);
	if (rc == 0)
		rc = session_request(&s, "POST", route, body, &result);
	if (rc == 0 && s.json)
		session_print_json(&s, result);
	else if (rc == 0)
		fprintf(a->out, "%s %s: %lld events, %lld records, %lld files of keys.\n", json_text(result, "file"),
			format, (long long)json_int(result, "events", 0), (long long)json_int(result, "records", 0),
			(long long)json_int(result, "files", 0));
	return session_end(&s, rc);
}

static int backup_run(const struct arguments *a)
{
	return run(a, "/v1/backup", "written");
}

static int restore_run(const struct arguments *a)
{
	return run(a, "/v1/restore", "restored");
}

const struct command backup_command = {
	.name = "backup",
	.arguments = "FILE",
	.help = "Writes all of the workspace's state and its keys into one file, also while it is used.",
	.example = "isobar backup --passphrase env:BACKUP_PASSPHRASE monday.backup",
	COMMAND_OPTIONS(backup_options, struct backup_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = backup_run,
};

const struct command restore_command = {
	.name = "restore",
	.arguments = "FILE",
	.help = "Puts a backup into an empty state, on SQLite or PostgreSQL, whichever it was made from.",
	.example = "isobar restore --passphrase env:BACKUP_PASSPHRASE monday.backup",
	COMMAND_OPTIONS(restore_options, struct backup_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = restore_run,
};
