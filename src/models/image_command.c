// SPDX-License-Identifier: Apache-2.0
// `isobar image`: see image_command.h.
#include "models/image_command.h"

#include <stdlib.h>
#include <sys/utsname.h>

#include "models/oci_image.h"

struct image_options {
	const char *out, *name, *user;
	struct option_texts entrypoint, env;
};
static const struct option image_options[] = {
	{.name = "out",
		.type = OPTION_TEXT,
		.offset = offsetof(struct image_options, out),
		.argument = "FILE",
		.otherwise = "image.tar",
		.help = "the image, as an OCI archive"},
	{.name = "name",
		.type = OPTION_TEXT,
		.offset = offsetof(struct image_options, name),
		.argument = "NAME:TAG",
		.help = "what the image is called in its index"},
	{.name = "user",
		.type = OPTION_TEXT,
		.offset = offsetof(struct image_options, user),
		.argument = "UID[:GID]",
		.help = "who runs in it; else root"},
	{.name = "entrypoint",
		.type = OPTION_REPEAT,
		.offset = offsetof(struct image_options, entrypoint),
		.argument = "WORD",
		.help = "what runs in it, a word each time"},
	{.name = "variable",
		.type = OPTION_REPEAT,
		.offset = offsetof(struct image_options, env),
		.argument = "NAME=VALUE",
		.help = "an environment variable"},
};

// OCI's name of this machine's processor.
static const char *architecture(struct utsname *u)
{
	if (uname(u) < 0)
		return "amd64";
	struct str machine = str_of(u->machine);
	return str_eq(machine, S("x86_64")) ? "amd64" : str_eq(machine, S("aarch64")) ? "arm64" : u->machine;
}

// The time of the image: SOURCE_DATE_EPOCH, so that who builds again gets the same bytes; else the epoch.
static int image_seconds(int64_t *out, struct err *e)
{
	const char *text = getenv("SOURCE_DATE_EPOCH");
	*out = 0;
	if (text && (str_to_i64(str_of(text), out) < 0 || *out < 0))
		return err_set(e, ERR_INVALID, "SOURCE_DATE_EPOCH: \"%s\" are no seconds since 1970", text);
	return 0;
}

static int image_run(const struct arguments *a)
{
	const struct image_options *o = a->options;
	char digest[HEX_SHA256_SIZE];
	struct utsname u;
	struct err e = {0};
	struct oci_image image = {
		.root = a->rest[0],
		.out = o->out,
		.architecture = architecture(&u),
		.user = o->user,
		.name = o->name,
		.entrypoint = o->entrypoint.items,
		.env = o->env.items,
	};
	int rc = image_seconds(&image.seconds, &e);
	if (rc == 0)
		rc = oci_image_write(&image, digest, &e);
	if (rc < 0)
		fprintf(a->error, "isobar image: %s\n", e.message);
	else
		fprintf(a->out, "%s sha256:%s\n", o->out, digest);
	return rc < 0 ? err_exit_code(rc) : 0;
}

const struct command image_command = {
	.name = "image",
	.arguments = "FOLDER",
	.help = "Makes an OCI image of a folder, as one file that podman load and skopeo read; needs no Docker.",
	.example = "isobar image root --out isobar.tar --name isobar:latest --entrypoint /usr/bin/isobar",
	COMMAND_OPTIONS(image_options, struct image_options),
	.min_arguments = 1,
	.max_arguments = 1,
	.run = image_run,
};
