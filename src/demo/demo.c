// SPDX-License-Identifier: Apache-2.0
// The command around the chapters: folders, the order of the story, what is written and what is left running. See demo.h.
#include "demo/demo.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/time.h"
#include "demo/demo_impl.h"

struct demo_options {
	bool keep;
	const char *out, *workspace;
};

static const struct option options[] = {
	{.name = "out", .type = OPTION_TEXT, .offset = offsetof(struct demo_options, out), .argument = "FOLDER", .otherwise = "demo",
		.help = "Where summary.json and report.html go; made when absent."},
	{.name = "workspace", .type = OPTION_TEXT, .offset = offsetof(struct demo_options, workspace), .argument = "FILE",
		.help = "The workspace to play; by default examples/fashion/isobar.yaml, of the checkout or as installed."},
	{.name = "keep", .type = OPTION_FLAG, .offset = offsetof(struct demo_options, keep),
		.help = "Leave everything running at the end, and print how to talk to it and how to end it."},
};

// ---------------------------------------------------------------- before
// Where the example lies, seen from the program: in a checkout (build/isobar), and installed (bin/isobar).
static int find_workspace(struct demo *d, const char *given, const char **out)
{
	static const char *const from_program[] = {"../examples", "../share/isobar/examples"};
	struct str program = str_of(process_self_path()), folder = {program.p, 0};
	for (size_t i = 0; i < program.n; i++)
		if (program.p[i] == '/')
			folder.n = i;
	*out = given;
	for (size_t i = 0; !*out && i < COUNT_OF(from_program); i++) {
		struct str path = arena_printf(d->call.arena, "%.*s/%s/fashion/isobar.yaml", STR(folder), from_program[i]);
		*out = path.p && file_exists(path.p) ? path.p : NULL;
	}
	if (!*out)
		return call_fail(&d->call, ERR_NOT_FOUND, "no fashion/isobar.yaml in %s or %s of %.*s; say where it is with --workspace FILE",
			from_program[0], from_program[1], STR(folder));
	return 0;
}

// A folder of its own for each run, so that two at once do not meet.
static int make_folder(struct demo *d, const struct demo_options *o)
{
	AUTO(buf) text = {0};
	const char *workspace = NULL;
	char *out = NULL;
	int rc = find_workspace(d, o->workspace, &workspace);
	if (rc == 0)
		rc = file_make_dirs(o->out, 0755, &d->call.err);
	if (rc == 0 && !(out = realpath(o->out, NULL)))
		rc = call_errno(&d->call, "finding %s", o->out);
	if (rc < 0)
		return rc;
	d->out = arena_cstr(d->call.arena, str_of(out));
	free(out);
	snprintf(d->folder, sizeof(d->folder), "%s/run-XXXXXX", d->out);
	if (!mkdtemp(d->folder))
		return call_errno(&d->call, "making a folder in %s", d->out);
	snprintf(d->ca_file, sizeof(d->ca_file), "%s/.isobar/ca.pem", d->folder);
	rc = file_read(workspace, 1 << 20, &text, &d->call.err);
	if (rc == 0)
		rc = file_write_atomic(arena_printf(d->call.arena, "%s/isobar.yaml", d->folder).p, buf_str(&text), 0644, &d->call.err);
	return rc;
}

static int load_images(struct demo *d)
{
	int rc = idx_load(DEMO_DATA "/t10k-images-idx3-ubyte.gz", &d->image_bytes, &d->images, &d->call.err);
	if (rc == 0)
		rc = idx_load(DEMO_DATA "/t10k-labels-idx1-ubyte.gz", &d->label_bytes, &d->labels, &d->call.err);
	if (rc < 0)
		return call_context(&d->call, "the test images (package dataset-fashion-mnist)");
	if (d->images.count != d->labels.count || d->images.count == 0)
		return call_fail(&d->call, ERR_CORRUPT, "%u images, but %u labels", d->images.count, d->labels.count);
	return 0;
}

static int begin(struct demo *d, const struct demo_options *o)
{
	int rc = make_folder(d, o);
	if (rc == 0)
		rc = load_images(d);
	if (rc == 0)
		rc = memory_watch_start(d->folder, &d->memory, &d->call.err);
	if (rc == 0)
		rc = demo_start_plane(d);
	if (rc == 0)
		story_say(&d->story, "clouds", "aws-us, gcp-eu and azure-eu run as pocket clouds on this machine");
	return rc;
}

// ---------------------------------------------------------------- after
static int write_summary(struct demo *d)
{
	AUTO(buf) text = {0};
	struct str path = arena_printf(d->call.arena, "%s/summary.json", d->out);
	json_object_set_new(d->summary, "duration_s", json_real(story_seconds(&d->story)));
	json_object_set_new(d->summary, "peak_rss_mb", json_real(memory_watch_stop(d->memory)));
	d->memory = NULL;
	int rc = json_write_pretty(d->summary, &text, &d->call.err);
	buf_add_char(&text, '\n');
	if (rc == 0)
		rc = file_write_atomic(path.p, buf_str(&text), 0644, &d->call.err);
	if (rc == 0)
		story_say(&d->story, "summary", "%s", path.p);
	return rc;
}

static void say_how_to_go_on(const struct demo *d)
{
	const char *self = process_self_path();
	printf("\nStill running, as process %d. Try:\n\n"
	       "    curl --cacert %s -H \"Authorization: Bearer $(cat %s/.isobar/shop-app.key)\" \\\n"
	       "      -H 'Content-Type: application/json' %s/v2/models/classify/infer \\\n"
	       "      -d \"{\\\"inputs\\\":[{\\\"name\\\":\\\"image\\\",\\\"shape\\\":[1,784],\\\"datatype\\\":\\\"FP32\\\",\\\"data\\\":[$(seq -s, 784 | "
	       "sed 's/[0-9][0-9]*/0.5/g')]}]}\"\n"
	       "    curl --cacert %s -i %s/v2/models/classify/infer     # 401: no key\n"
	       "    %s status %s\n"
	       "    %s overrides --workspace %s\n\n"
	       "To end it, and remove what it left:\n\n"
	       "    %s down %s && rm -r %s\n",
		d->plane.pid, d->ca_file, d->folder, d->gateway, d->ca_file, d->gateway, self, d->folder, self, d->folder, self, d->folder,
		d->folder);
}

static void end(struct demo *d, bool keep)
{
	if (keep) {
		client_close(d->client);
		say_how_to_go_on(d);
	} else {
		demo_stop_plane(d);
	}
	memory_watch_stop(d->memory);
	json_decref(d->summary);
	buf_free(&d->image_bytes);
	buf_free(&d->label_bytes);
}

// A finished run leaves its results; one that failed leaves its folder too, with the logs.
static void clean(struct demo *d, bool failed)
{
	if (d->folder[0] && !failed && file_remove_tree(d->folder, &d->call.err) < 0)
		log_err(LOG_WARNING, &d->call.err, "isobar demo");
}

// An interrupted demo stops what it started. The flag is the one thing that a signal handler may touch.
static atomic_bool interrupted;

static void on_interrupt(UNUSED int number)
{
	atomic_store(&interrupted, true);
}

static const atomic_bool *watch_interrupts(void)
{
	struct sigaction action = {.sa_handler = on_interrupt};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	return &interrupted;
}

static int tell(struct demo *d)
{
	static int (*const chapters[])(struct demo *d) = {demo_declare, demo_learn, demo_open, demo_serve, demo_prove};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < COUNT_OF(chapters); i++)
		rc = chapters[i](d);
	int written = write_summary(d);
	return rc < 0 ? rc : written;
}

static int run(const struct arguments *a)
{
	const struct demo_options *o = a->options;
	AUTO(arena) arena = {0};
	struct demo *d = arena_new(&arena, struct demo);
	if (!d)
		return err_exit_code(ERR_NO_MEMORY);
	call_init(&d->call, &arena, edges_real(), S("user/demo"));
	d->call.cancel = watch_interrupts();
	d->summary = json_object();
	story_begin(&d->story, a->out);
	int rc = begin(d, o);
	if (rc == 0)
		rc = tell(d);
	struct err e = d->call.err;
	if (rc < 0)
		story_say(&d->story, "FAILED", "%s (the run is kept in %s)", e.message, d->folder);
	else
		story_say(&d->story, "done", "all of it held");
	end(d, o->keep && rc == 0);
	if (!(o->keep && rc == 0))
		clean(d, rc < 0);
	return rc < 0 ? err_exit_code(rc) : 0;
}

const struct command demo_command = {
	.name = "demo",
	.help = "Run the main job on three pocket clouds: train, deploy, serve, lose a cloud, prove it.",
	.example = "isobar demo --out build/demo",
	COMMAND_OPTIONS(options, struct demo_options),
	.run = run,
};
