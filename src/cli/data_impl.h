// SPDX-License-Identifier: Apache-2.0
// What the data commands share: places as they are sent, patterns, requests about many objects.
#ifndef ISOBAR_CLI_DATA_IMPL_H
#define ISOBAR_CLI_DATA_IMPL_H

#include "cli/cli_impl.h"

#define PLACES                                                                                                         \
	" A place is s3://bucket/key, gs://bucket/key, az://container/key, CLOUD:bucket/key, or the path of a file."

struct data_options {
	struct common common;
	struct option_texts include, exclude;
	int64_t offset, length, parallel;
	bool recursive, update, delete_others, checksum, dry_run, quiet;
};
#define DATA_RECURSIVE                                                                                                 \
	{                                                                                                              \
		.name = "recursive", .letter = 'r', .type = OPTION_FLAG,                                               \
		.offset = offsetof(struct data_options, recursive),                                                    \
		.help = "everything below, not only what is directly there"                                            \
	}
#define DATA_SELECT                                                                                                    \
	{.name = "include",                                                                                            \
		.type = OPTION_REPEAT,                                                                                 \
		.offset = offsetof(struct data_options, include),                                                      \
		.argument = "PATTERN",                                                                                 \
		.help = "only names that match: * is anything but /, ** anything; without / the last part of a name"}, \
	{                                                                                                              \
		.name = "exclude", .type = OPTION_REPEAT, .offset = offsetof(struct data_options, exclude),            \
		.argument = "PATTERN", .help = "no names that match, whatever --include says"                          \
	}
#define DATA_ACT                                                                                                       \
	{.name = "dry-run",                                                                                            \
		.letter = 'n',                                                                                         \
		.type = OPTION_FLAG,                                                                                   \
		.offset = offsetof(struct data_options, dry_run),                                                      \
		.help = "only say what would be done"},                                                                \
		{.name = "quiet",                                                                                      \
			.letter = 'q',                                                                                 \
			.type = OPTION_FLAG,                                                                           \
			.offset = offsetof(struct data_options, quiet),                                                \
			.help = "no line for each object"},                                                            \
	{                                                                                                              \
		.name = "parallel", .type = OPTION_INTEGER, .offset = offsetof(struct data_options, parallel),         \
		.argument = "N", .otherwise = "8", .help = "objects at once, at most 64"                               \
	}
#define DATA_CHECKSUM                                                                                                  \
	{                                                                                                              \
		.name = "checksum", .type = OPTION_FLAG, .offset = offsetof(struct data_options, checksum),            \
		.help = "what is there already is told by its checksum, not by size and time"                          \
	}

// The control plane may have another current folder, so paths of files go there whole.
const char *data_whole_place(struct session *s, const char *place);
// {from, to?, and what the options say}; to NULL: none. A new reference.
json_t *data_body(struct session *s, const struct data_options *o, const char *from, const char *to);
// Lines for objects, progress for the others; for session.on_event.
void data_event(struct session *s, const json_t *event);

#endif
