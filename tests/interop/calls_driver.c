// SPDX-License-Identifier: Apache-2.0
// Every call of a driver that changes something, under every fault, against a pocket cloud:
// calls-driver CONFIG.json ROOT [OPERATION|ROW|FAULT...]
// ROOT is the pocket's folder. Each operation (calls_operations.c) is done once without faults; then once for each row of
// the driver's table that it sent and for each fault, which meets the first request of that row. Afterwards the
// operation is asked again without it. A cell holds when both what the operation promises and what the pocket has more
// of (documents, objects, unfinished uploads) is as it was without faults. Exit 0 when all hold.
#include "calls_driver.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "cloud/registry.h"

enum { SETTLE_S = 5, ACT_S = 60, MAX_ROWS = 256, SKEW_S = 600, QUICKER = 20 };

static const struct {
	const char *name, *rule; // NULL: the clock
	int skew_s;
} faults[] = {
	{"lose-reply", "lose-reply", 0},
	{"act-twice", "act-twice", 0},
	{"answer-twice", "answer-twice", 0},
	{"throttle", "throttle 1s", 0},
	{"stall", "stall 100ms", 0},
	{"error", "error", 0},
	{"error-after", "error-after", 0},
	{"cut", "cut", 0},
	{"expire", "expire", 0},
	{"clock-ahead", NULL, SKEW_S},
	{"clock-behind", NULL, -SKEW_S},
};

static struct run {
	struct world w;
	struct edges edges; // pauses pass more quickly; the wall clock can be wrong
	int64_t slept_ns, skew_ns;
	struct transport_watch watch;
	struct http_transport admin; // to the pocket's own route
	struct arena arena;
	struct str origin;
	const char *root, *token;
	const struct cloud_calls *calls;
	char **only;
	const struct cloud_call *armed; // the row whose next request meets the fault
	const char *rule;
	bool sent[MAX_ROWS], reached[MAX_ROWS], done[MAX_ROWS], met;
	int held, missed, known, number;
} run;

// ---------------------------------------------------------------- clocks
static int64_t wall(UNUSED void *ctx)
{
	return edges_real()->wall_ns(NULL) + run.skew_ns;
}

static int64_t mono(UNUSED void *ctx)
{
	return edges_real()->mono_ns(NULL) + run.slept_ns;
}

static void sleep_less(UNUSED void *ctx, int64_t ns)
{
	edges_real()->sleep_ns(NULL, ns / QUICKER);
	run.slept_ns += ns - ns / QUICKER;
}

static int some(UNUSED void *ctx, void *out, size_t n)
{
	return edges_real()->random(NULL, out, n);
}

// ---------------------------------------------------------------- faults
static int tell_pocket(const char *method, struct str rules)
{
	struct call c;
	AUTO(arena) arena = {0};
	call_init(&c, &arena, edges_real(), S("test"));
	struct sign_header token = {S("authorization"), arena_printf(&arena, "Bearer %s", run.token)};
	struct transport_request request = {.method = method,
		.url = arena_printf(&arena, "%.*s/.isobar/faults", STR(run.origin)),
		.headers = &token,
		.header_count = 1,
		.body = rules};
	struct transport_response answer;
	int r = run.admin.perform(&c, run.admin.ctx, &request, &answer);
	if (!r && answer.status >= 300)
		r = call_fail(&c, ERR_FAILED, "%s of faults was answered %d", method, answer.status);
	if (r)
		fprintf(stderr, "calls-driver: %s\n", c.err.message);
	return r;
}

static struct str target_of(const struct transport_request *request)
{
	struct str form = request->body, item, name, value;
	for (size_t i = 0; i < request->header_count; i++)
		if (str_eq_nocase(request->headers[i].name, S("x-amz-target")))
			return request->headers[i].value;
	return str_next(&form, '&', &item) && str_cut(item, '=', &name, &value) && str_eq(name, S("Action")) ? value
													      : S("");
}

static const struct cloud_call *row_of(const struct transport_request *request, struct str *path)
{
	struct str store = run.w.config.store_url, whole = str_drop(request->url, run.origin.n), query;
	struct str below = str_starts(request->url, store) ? str_drop(request->url, store.n) : whole;
	(void)str_cut(whole, '?', path, &query);
	(void)str_cut(below, '?', &below, &query);
	struct cloud_call_request asked = {str_of(request->method), below, query, target_of(request)};
	return cloud_call_find(run.calls, &asked);
}

static void before(UNUSED void *ctx, const struct transport_request *request)
{
	struct str path;
	const struct cloud_call *row = row_of(request, &path);
	if (row)
		run.sent[row - run.calls->rows] = true;
	if (!row || row != run.armed || run.met)
		return;
	run.met = true;
	AUTO(buf) rule = {.limit = 4096};
	if (!run.rule)
		return;
	buf_printf(&rule, "%s %s %.*s times=1", run.rule, request->method, STR(path));
	if (tell_pocket("PUT", buf_str(&rule)))
		run.met = false;
}

static void seen(UNUSED void *ctx, UNUSED const struct transport_request *request,
	UNUSED const struct transport_response *answer, UNUSED struct str body, UNUSED int code)
{
}

// ---------------------------------------------------------------- what the pocket has
// Long-running operations are not things; what their number is says nothing. A key ring and the key that a pocket seals
// its secrets with are made once, with the first of what they are for.
static bool counts(const char *name)
{
	return name[0] != '.' && !strstr(name, "operation") && strcmp(name, "rings") && strcmp(name, "at-rest") &&
	       !strstr(name, "environment") && // one an image
	       strcmp(name, "logs"); // of jobs: they come when a job writes
}

static void count_files(const char *folder, json_t *into)
{
	DIR *d = opendir(folder);
	json_int_t n = 0;
	for (struct dirent *entry; d && (entry = readdir(d));) {
		char path[4096];
		struct stat st;
		if (!counts(entry->d_name) ||
			snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name) >= (int)sizeof(path) ||
			lstat(path, &st))
			continue;
		if (S_ISDIR(st.st_mode))
			count_files(path, into);
		else
			n++;
	}
	if (d)
		closedir(d);
	if (n)
		json_object_set_new(into, folder, json_integer(n));
}

static json_t *count_all(void)
{
	static const char *const folders[] = {"docs", "uploads"};
	json_t *all = json_object();
	for (size_t i = 0; i < COUNT_OF(folders); i++) {
		char path[4096];
		if (snprintf(path, sizeof(path), "%s/%s", run.root, folders[i]) < (int)sizeof(path))
			count_files(path, all);
	}
	return all;
}

static json_t *difference(const json_t *old)
{
	AUTO(json) now = count_all();
	json_t *out = json_object();
	const char *name;
	json_t *value;
	json_object_foreach (now, name, value) {
		json_int_t more = json_integer_value(value) - json_integer_value(json_object_get(old, name));
		if (more)
			json_object_set_new(out, name + strlen(run.root) + 1, json_integer(more));
	}
	json_object_foreach ((json_t *)(uintptr_t)old, name, value)
		if (!json_object_get(now, name))
			json_object_set_new(out, name + strlen(run.root) + 1, json_integer(-json_integer_value(value)));
	return out;
}

// ---------------------------------------------------------------- a cell
static void begin(void)
{
	arena_free(&run.w.arena);
	run.w.arena = (struct arena){0};
	call_init(&run.w.c, &run.w.arena, &run.edges, S("test"));
	run.w.c.deadline_ns = mono(NULL) + ACT_S * 1000000000ll;
}

static int reopen(void)
{
	cloud_close(&run.w.cloud);
	begin();
	return cloud_open_watched(&run.w.c, &run.w.config, &run.watch, &run.w.cloud);
}

static int act(const struct operation *o, struct str name)
{
	begin();
	return o->act(&run.w, name);
}

// The operation under what is armed, and again without it.
static int under(const struct operation *o, struct str name, int skew_s)
{
	run.skew_ns = skew_s * 1000000000ll;
	int r = skew_s ? reopen() : 0; // so that its tokens are asked for under the wrong clock, too
	if (!r)
		r = act(o, name);
	run.armed = NULL;
	run.skew_ns = 0;
	memcpy(run.reached, run.sent, sizeof(run.reached));
	int told = tell_pocket("DELETE", S(""));
	if (told)
		return told;
	if (skew_s && reopen())
		return run.w.c.err.code;
	return r || !o->once ? act(o, name) : 0;
}

// Work ends and things go a moment after the answer: looks until all is as it has to be.
static int settle(const struct operation *o, struct str name, const json_t *old, const json_t *wanted)
{
	int r = 0;
	for (int64_t until = edges_real()->mono_ns(NULL) + SETTLE_S * 1000000000ll;;) {
		begin();
		r = o->holds(&run.w, name);
		AUTO(json) more = difference(old);
		if (!r && (!wanted || json_equal(more, wanted)))
			return 0;
		if (edges_real()->mono_ns(NULL) > until || (r && r != ERR_FAILED)) {
			char *a = json_dumps(more, JSON_COMPACT), *b = json_dumps(wanted, JSON_COMPACT);
			if (!r)
				r = call_fail(&run.w.c, ERR_FAILED, "there is more %s, without faults %s", a, b);
			free(a);
			free(b);
			return r;
		}
		edges_real()->sleep_ns(NULL, 30000000);
	}
}

static struct str next_name(void)
{
	return arena_printf(&run.arena, "m%d", ++run.number);
}

static int one(const struct operation *o, int skew_s, const json_t *wanted, json_t **more)
{
	struct str name = next_name();
	const struct cloud_call *armed = run.armed;
	run.armed = NULL;
	begin();
	int r = o->before ? o->before(&run.w, name) : 0;
	if (r)
		return call_context(&run.w.c, "before");
	AUTO(json) old = count_all();
	run.armed = armed;
	run.met = false;
	memset(run.sent, 0, sizeof(run.sent));
	if ((r = under(o, name, skew_s)))
		return call_context(&run.w.c, "asked again");
	r = settle(o, name, old, wanted);
	if (!r && more)
		*more = difference(old);
	if (!r && o->after)
		r = o->after(&run.w, name);
	return r;
}

static bool is_wanted(const char *operation, const char *row, const char *fault)
{
	for (char **w = run.only; *w; w++)
		if (strcmp(*w, operation) && strcmp(*w, row) && strcmp(*w, fault))
			return false;
	return true;
}

// Cells that cannot hold: the provider's call has no token that would tell a duplicate, so that what is delivered twice
// is done twice. They are counted and named, and one that holds after all is said, too.
static const struct {
	const char *row, *fault, *why;
} known[] = {
	{"CreateKey", "act-twice", "KMS makes a key for each request: the spare one has no alias"},
	{"RotateKeyOnDemand", "act-twice", "KMS rotates for each request"},
	{"cloudkms.cryptoKeyVersions.create", "act-twice", "Cloud KMS makes a version for each request"},
	{"Rotate Key", "act-twice", "Key Vault rotates for each request"},
	{"Create Key", "act-twice", "Key Vault makes a version for each request"},
	{"Set Secret", "act-twice", "Key Vault makes a version for each request"},
	{"aiplatform.customJobs.create", "act-twice", "Vertex makes a job for each request"},
};

static const char *known_why(const char *row, const char *fault)
{
	for (size_t i = 0; i < COUNT_OF(known); i++)
		if (strcmp(known[i].row, row) == 0 && strcmp(known[i].fault, fault) == 0)
			return known[i].why;
	return NULL;
}

static void tell_cell(int r, const char *row, const char *operation, const char *fault)
{
	const char *why = known_why(row, fault);
	if (r && why)
		printf("known - %s, %s, %s: %s: %s\n", row, operation, fault, run.w.c.err.message, why);
	else if (r)
		printf("not ok - %s, %s, %s: %s\n", row, operation, fault, run.w.c.err.message);
	else if (why)
		printf("not ok - %s, %s, %s: it holds, and is listed as one that cannot\n", row, operation, fault);
	fflush(stdout);
	run.held += !r && !why;
	run.known += r && why;
	run.missed += why ? !r : !!r;
}

static void cells(const struct operation *o, size_t row, const json_t *wanted)
{
	for (size_t i = 0; i < COUNT_OF(faults); i++) {
		if (!is_wanted(o->name, run.calls->rows[row].operation, faults[i].name))
			continue;
		run.armed = &run.calls->rows[row];
		run.rule = faults[i].rule;
		int r = one(o, faults[i].skew_s, wanted, NULL);
		run.armed = NULL;
		if (!r && !run.met)
			r = call_fail(&run.w.c, ERR_FAILED, "the call was not sent");
		tell_cell(r, run.calls->rows[row].operation, o->name, faults[i].name);
		(void)tell_pocket("DELETE", S(""));
	}
}

// ---------------------------------------------------------------- the table
static bool is_ours(const struct cloud_call *row)
{
	static const enum call_part parts[] = {
		CALL_PART_STORE, CALL_PART_JOBS, CALL_PART_ENDPOINTS, CALL_PART_KEYS, CALL_PART_SECRETS};
	bool ours = false;
	for (size_t i = 0; i < COUNT_OF(parts); i++)
		ours |= row->part == parts[i];
	return ours && !row->reads && row->repeat != CALL_REPEAT_READS;
}

static void operate(const struct operation *o)
{
	AUTO(json) more = NULL;
	bool sent[MAX_ROWS];
	int r = one(o, 0, NULL, &more);
	if (r) {
		bool offered = r != ERR_UNSUPPORTED;
		printf("%s - %s, without faults: %s\n", offered ? "not ok" : "ok", o->name, run.w.c.err.message);
		run.missed += offered;
		return;
	}
	memcpy(sent, run.reached, sizeof(sent));
	for (size_t i = 0; i < run.calls->count; i++) {
		if (!sent[i] || run.done[i] || !is_ours(&run.calls->rows[i]))
			continue;
		run.done[i] = true;
		cells(o, i, more);
	}
}

static int tell_rows(void)
{
	int reached = 0, unreached = 0;
	for (size_t i = 0; i < run.calls->count; i++) {
		reached += run.done[i];
		if (run.done[i] || !is_ours(&run.calls->rows[i]))
			continue;
		unreached++;
		printf("# not reached: %s\n", run.calls->rows[i].operation);
	}
	printf("# %.*s: %d rows x %zu faults: %d cells held, %d did not, %d cannot; %d rows not reached\n",
		STR(run.w.config.provider), reached, COUNT_OF(faults), run.held, run.missed, run.known,
		unreached);
	return run.missed;
}

// ---------------------------------------------------------------- opening
static int read_token(struct err *e)
{
	char path[4096];
	AUTO(json) j = NULL;
	if (snprintf(path, sizeof(path), "%s/admin.json", run.root) >= (int)sizeof(path))
		return err_set(e, ERR_LIMIT, "%s is too long", run.root);
	int r = json_parse_file(path, 1 << 16, &j, e);
	run.token = r ? NULL : arena_cstr(&run.arena, json_str(j, "token"));
	return r;
}

static int open_all(const char *file, json_t **j)
{
	struct str host = {0};
	struct err *e = &run.w.c.err;
	int r = json_parse_file(file, 1 << 20, j, e);
	if (!r)
		r = cloud_config_of_json(*j, &run.arena, &run.w.config, e);
	run.origin = run.w.config.services_url;
	run.calls = cloud_calls_of(run.w.config.provider);
	if (!r)
		r = transport_host(run.origin, &run.arena, &host, e);
	const struct transport_options o = {.hosts = &host, .host_count = 1};
	if (!r)
		r = read_token(e);
	if (!r)
		r = curl_transport_open(&o, &run.admin, e);
	if (!r)
		r = cloud_open_watched(&run.w.c, &run.w.config, &run.watch, &run.w.cloud);
	if (!r)
		r = run.w.cloud.store->bucket_create(&run.w.c, run.w.cloud.store_ctx, MATRIX_BUCKET);
	if (!r) // with the first key of a workspace comes its key ring
		r = run.w.cloud.keys->create(&run.w.c, run.w.cloud.keys_ctx, S("first"));
	return r;
}

int main(int argc, char **argv)
{
	AUTO(json) j = NULL;
	if (argc < 3) {
		fprintf(stderr, "usage: calls-driver CONFIG.json ROOT [OPERATION|ROW|FAULT...]\n");
		return 2;
	}
	run.root = argv[2];
	run.only = argv + 3;
	run.edges = (struct edges){.wall_ns = wall, .mono_ns = mono, .sleep_ns = sleep_less, .random = some};
	run.watch = (struct transport_watch){.seen = seen, .before = before};
	begin();
	int r = open_all(argv[1], &j);
	if (r) {
		fprintf(stderr, "calls-driver: %s\n", run.w.c.err.message);
	} else {
		for (size_t i = 0; i < operation_count; i++)
			operate(&operations[i]);
		r = tell_rows();
	}
	cloud_close(&run.w.cloud);
	if (run.admin.close)
		run.admin.close(run.admin.ctx);
	arena_free(&run.w.arena);
	arena_free(&run.arena);
	return r ? 1 : 0;
}
