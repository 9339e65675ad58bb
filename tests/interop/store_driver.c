// SPDX-License-Identifier: Apache-2.0
// The conformance cases of a cloud, against whatever a configuration names:
// store-driver CONFIG.json BUCKET [--record FILE KIND SERVER] [WITHOUT...]
// WITHOUT names what the server at hand is known not to do; KIND (server, pocket) and SERVER are said in the record
// that is written. One line a case ("ok - ...", "not ok - ..."); exit 0 when all hold. The bucket is made and deleted.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cloud/call_record.h"
#include "cloud/conformance.h"
#include "cloud/registry.h"

enum { CLEAN_S = 30 };

struct run {
	struct arena arena;
	struct call c;
	struct cloud cloud;
	struct cloud_config config;
	struct call_record record;
	const char *file; // of the record; NULL: none
};

static void report(void *ctx, const struct conformance_case *one)
{
	static const char *const words[] = {"ok", "not ok", "ok"};
	struct run *run = ctx;
	bool skipped = one->verdict == CONFORMANCE_SKIPPED;
	printf("%s - %.*s%s%.*s\n", words[one->verdict], STR(one->name),
		skipped         ? " # skip: "
		: one->reason.n ? ": "
				: "",
		STR(one->reason));
	fflush(stdout);
	call_record_case(&run->record, one);
}

static int run_all(struct run *run, char **argv)
{
	struct transport_watch watch = call_record_watch(&run->record);
	int r = cloud_open_watched(&run->c, &run->config, &watch, &run->cloud);
	struct conformance x = {.config = &run->config,
		.cloud = &run->cloud,
		.bucket = str_of(argv[2]),
		.without = (const char *const *)(run->file ? argv + 7 : argv + 3),
		.watch = &watch,
		.report = report,
		.ctx = run};
	if (!r)
		r = conformance_run(&run->c, &x);
	if (r)
		fprintf(stderr, "store-driver: %s\n", run->c.err.message);
	if (conformance_clean(&run->c, &x, CLEAN_S * 1000000000ll) && !r)
		r = run->c.err.code;
	printf("# %u failed\n", x.failed);
	cloud_close(&run->cloud);
	return r ? r : x.failed ? ERR_FAILED : 0;
}

int main(int argc, char **argv)
{
	struct run run = {.file = NULL};
	AUTO(json) j = NULL;
	if (argc < 3) {
		fprintf(stderr, "usage: store-driver CONFIG.json BUCKET [--record FILE KIND SERVER] [WITHOUT...]\n");
		return 2;
	}
	call_init(&run.c, &run.arena, edges_real(), S("test"));
	run.file = argc > 6 && strcmp(argv[3], "--record") == 0 ? argv[4] : NULL;
	int r = json_parse_file(argv[1], 1 << 20, &j, &run.c.err);
	if (!r)
		r = cloud_config_of_json(j, &run.arena, &run.config, &run.c.err);
	if (!r)
		r = call_record_begin(&run.record, &run.config, str_of(argv[2]), &run.c.err);
	if (r) {
		fprintf(stderr, "store-driver: %s\n", run.c.err.message);
		return 1;
	}
	r = run_all(&run, argv);
	if (run.file) {
		struct call_record_about about = {
			.kind = str_of(argv[5]), .server = str_of(argv[6]), .now_ns = call_now_ns(&run.c)};
		if (call_record_write(&run.record, &about, run.file, &run.c.err)) {
			fprintf(stderr, "store-driver: %s\n", run.c.err.message);
			r = ERR_IO;
		}
	}
	call_record_free(&run.record);
	arena_free(&run.arena);
	return r ? 1 : 0;
}
