// SPDX-License-Identifier: Apache-2.0
// What audit_verify finds: each way in which somebody may tamper with a log, done to a real one. docs/verify.py,
// written apart from the C code, must come to the same verdict.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "security/audit_verify.h"

enum { RECORDS = 12 }; // the segment's own and 11 requests

struct bench {
	char folder[64], log[96], other[96], key[96], head_file[96];
	struct arena arena;
	struct call call;
	struct edges_fake fake;
	struct audit_head head, half; // recorded elsewhere: at the end, and in the middle
	struct str public_key, log_id;
};

static void write_log(struct bench *b, const char *folder, struct str writer)
{
	struct audit *a = NULL;
	struct err e = {0};
	const struct audit_options o = {
		.folder = folder, .writer = writer, .key_path = b->key, .edges = &b->fake.edges};
	if (audit_open(&o, &a, &e) < 0)
		fail_msg("%s", e.message);
	for (int i = 1; i < RECORDS; i++) {
		char principal[32];
		uint64_t n;
		snprintf(principal, sizeof(principal), "api-key/app-%d", i);
		const struct audit_event event = {
			.principal = str_of(principal), .action = S("model.predict"), .status = 200};
		assert_int_equal(audit_append(a, &event, &n, &e), 0);
		assert_int_equal(audit_commit(a, &n, &e), 0);
		b->fake.now_ns += NS_PER_S;
		if (i == 5) {
			b->half = audit_head(a);
			assert_int_equal(audit_sign_head(a, &e), 0);
		}
	}
	b->head = audit_head(a);
	AUTO(json) j = audit_head_to_json(a);
	b->public_key = arena_str(&b->arena, json_str(j, "public_key"));
	b->log_id = arena_str(&b->arena, json_str(j, "log"));
	AUTO(buf) text = {0};
	assert_int_equal(json_write(j, &text, &e), 0);
	assert_int_equal(file_write_atomic(b->head_file, buf_str(&text), 0600, &e), 0);
	audit_close(a);
}

static int setup(void **out)
{
	struct bench *b = calloc(1, sizeof(*b));
	snprintf(b->folder, sizeof(b->folder), "/tmp/isobar-verify-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->log, sizeof(b->log), "%s/audit", b->folder);
	snprintf(b->other, sizeof(b->other), "%s/other", b->folder);
	snprintf(b->key, sizeof(b->key), "%s/audit.key", b->folder);
	snprintf(b->head_file, sizeof(b->head_file), "%s/head.json", b->folder);
	edges_fake_init(&b->fake, 1700000000 * NS_PER_S, 5);
	call_init(&b->call, &b->arena, &b->fake.edges, S("user/test"));
	write_log(b, b->log, S("gateway/edge"));
	*out = b;
	return 0;
}

static int teardown(void **out)
{
	struct bench *b = *out;
	struct err e = {0};
	arena_free(&b->arena);
	assert_int_equal(file_remove_tree(b->folder, &e), 0);
	free(b);
	return 0;
}

// ---------------------------------------------------------------- the log as lines

struct lines {
	struct str items[RECORDS + 4];
	size_t count;
};

static void segment_path(const char *folder, char *out, size_t size)
{
	snprintf(out, size, "%s/%020d.jsonl", folder, 0);
}

static struct lines read_lines(struct bench *b, const char *path)
{
	AUTO(buf) text = {0};
	struct lines l = {0};
	assert_int_equal(file_read(path, 1 << 20, &text, &b->call.err), 0);
	struct str rest = arena_str(&b->arena, buf_str(&text)), line;
	while (str_cut(rest, '\n', &line, &rest) && l.count < COUNT_OF(l.items))
		l.items[l.count++] = line;
	return l;
}

static void write_lines(struct bench *b, const char *path, const struct lines *l)
{
	AUTO(buf) text = {0};
	for (size_t i = 0; i < l->count; i++) {
		buf_add(&text, l->items[i]);
		buf_add_char(&text, '\n');
	}
	assert_int_equal(file_write_atomic(path, buf_str(&text), 0600, &b->call.err), 0);
}

static struct lines log_lines(struct bench *b)
{
	char path[160];
	segment_path(b->log, path, sizeof(path));
	struct lines l = read_lines(b, path);
	assert_int_equal(l.count, RECORDS);
	return l;
}

static void put_log(struct bench *b, const struct lines *l)
{
	char path[160];
	segment_path(b->log, path, sizeof(path));
	write_lines(b, path, l);
}

static void forget_signed_heads(struct bench *b)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/heads.jsonl", b->log);
	assert_int_equal(unlink(path), 0);
}

static struct str replaced(struct bench *b, struct str line, const char *from, const char *to)
{
	ptrdiff_t at = str_find(line, str_of(from));
	assert_true(at >= 0);
	struct str rest = str_drop(line, (size_t)at + strlen(from));
	return arena_printf(&b->arena, "%.*s%s%.*s", (int)at, line.p, to, STR(rest));
}

// The chain made good again from a line on, as somebody who can write the files would.
static void rechain(struct bench *b, struct lines *l, size_t from)
{
	for (size_t i = from; i < l->count; i++) {
		char hex[HEX_SHA256_SIZE];
		struct sha256 digest = sha256_of(l->items[i - 1]);
		hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
		l->items[i] = arena_printf(&b->arena, "%.*s%s\"}", (int)l->items[i].n - 66, l->items[i].p, hex);
	}
}

// ---------------------------------------------------------------- verdicts

// docs/verify.py of the checkout that this program was built in: build/tests/test-NAME stands two folders below it.
static const char *script(void)
{
	static char path[600];
	char program[512];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	program[MAX(n, 0)] = 0;
	for (int i = 0; i < 3; i++) {
		char *slash = strrchr(program, '/');
		if (slash)
			*slash = 0;
	}
	snprintf(path, sizeof(path), "%s/docs/verify.py", program);
	return path;
}

// The exit code of docs/verify.py; -1 where it cannot run.
static int python_verdict(struct bench *b, bool with_head)
{
	int status;
	if (access(script(), R_OK) != 0 || access("/usr/bin/python3", X_OK) != 0)
		return -1;
	pid_t child = fork();
	if (child == 0) {
		if (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr))
			_exit(9);
		execl("/usr/bin/python3", "python3", "-S", "-E", script(), b->log, "--writer", "gateway/edge",
			with_head ? "--head" : NULL, b->head_file, (char *)NULL);
		_exit(9);
	}
	waitpid(child, &status, 0);
	return WEXITSTATUS(status);
}

static struct audit_report report(struct bench *b, bool with_head)
{
	struct audit_report r;
	const struct audit_head heads[] = {b->head, b->half};
	const struct audit_expectation expect = {.folder = b->log,
		.writer = S("gateway/edge"),
		.public_key = b->public_key,
		.log = b->log_id,
		.heads = heads,
		.head_count = with_head ? 2 : 0};
	if (audit_verify(&b->call, &expect, &r) < 0)
		fail_msg("%s", b->call.err.message);
	return r;
}

static void assert_found(struct bench *b, uint64_t index, const char *reason)
{
	struct audit_report r = report(b, true);
	assert_false(r.intact);
	assert_false(r.complete);
	if (r.bad_index != index || str_find(r.reason, str_of(reason)) < 0)
		fail_msg("record %d: %.*s", (int)r.bad_index, STR(r.reason));
	assert_int_equal(r.verified, index);
	int verdict = python_verdict(b, true);
	assert_true(verdict == 1 || verdict == -1);
}

static void test_an_unaltered_log(void **out)
{
	struct bench *b = *out;
	struct audit_report r = report(b, true);
	if (!r.intact)
		fail_msg("record %d: %.*s", (int)r.bad_index, STR(r.reason));
	assert_true(r.complete);
	assert_int_equal(r.records, RECORDS);
	assert_int_equal(r.verified, RECORDS);
	assert_int_equal(r.heads_checked, 4); // two signed, two recorded
	assert_int_equal(r.clock_steps, 0);
	assert_true(str_eq(r.writer, S("gateway/edge")));
	assert_memory_equal(&r.head, &b->head, sizeof(r.head));
	int verdict = python_verdict(b, true);
	assert_true(verdict == 0 || verdict == -1);
}

static void test_an_edit(void **out)
{
	struct bench *b = *out;
	struct lines l = log_lines(b);
	l.items[4] = replaced(b, l.items[4], "app-4", "app-9");
	put_log(b, &l);
	assert_found(b, 4, "the chain breaks between record 4 and record 5");
}

static void test_an_edit_of_the_last_record(void **out)
{
	struct bench *b = *out;
	struct lines l = log_lines(b);
	l.items[RECORDS - 1] = replaced(b, l.items[RECORDS - 1], "\"status\":200", "\"status\":201");
	put_log(b, &l);
	assert_found(b, 6, "a record from 6 to 11 is not what it was");
}

static void test_an_edit_with_the_chain_made_good(void **out)
{
	struct bench *b = *out;
	struct lines l = log_lines(b);
	l.items[8] = replaced(b, l.items[8], "app-8", "app-0");
	rechain(b, &l, 9);
	put_log(b, &l);
	assert_found(b, 6, "a record from 6 to 11 is not what it was"); // the head of size 6 still agreed
	forget_signed_heads(b);
	assert_found(b, 6, "recorded head of size 12");
	assert_true(report(b, false).intact); // a chain alone does not see it
}

static void test_an_edit_of_a_link(void **out)
{
	struct bench *b = *out;
	struct lines l = log_lines(b);
	char zeros[65];
	memset(zeros, '0', 64);
	zeros[64] = 0;
	l.items[3] = arena_printf(&b->arena, "%.*s%s\"}", (int)l.items[3].n - 66, l.items[3].p, zeros);
	put_log(b, &l);
	assert_found(b, 3, "the chain breaks between record 2 and record 3");
}

static void test_a_deletion(void **out)
{
	struct bench *b = *out;
	struct lines l = log_lines(b);
	memmove(&l.items[3], &l.items[4], (l.count - 4) * sizeof(*l.items));
	l.count--;
	put_log(b, &l);
	assert_found(b, 3, "record 3 is missing: record 4 stands in its place");
}

static void test_a_duplicate(void **out)
{
	struct bench *b = *out;
	struct lines l = log_lines(b);
	memmove(&l.items[4], &l.items[3], (l.count - 3) * sizeof(*l.items));
	l.count++;
	put_log(b, &l);
	assert_found(b, 4, "record 3 stands in the place of record 4");
}

static void test_a_reordering(void **out)
{
	struct bench *b = *out;
	struct lines l = log_lines(b);
	struct str kept = l.items[7];
	l.items[7] = l.items[8];
	l.items[8] = kept;
	put_log(b, &l);
	assert_found(b, 7, "record 7 is missing: record 8 stands in its place");
}

static void test_a_cut_tail(void **out)
{
	struct bench *b = *out;
	struct lines l = log_lines(b);
	l.count -= 2;
	put_log(b, &l);
	assert_found(b, 10, "the log ends after 10 records, but a");
	forget_signed_heads(b);
	assert_found(b, 10, "a recorded head has size 12: its tail is missing");
	assert_true(report(b, false).intact); // nobody can see it without a head kept elsewhere
}

static void test_a_cut_beginning(void **out)
{
	struct bench *b = *out;
	struct lines l = log_lines(b);
	memmove(&l.items[0], &l.items[1], (l.count - 1) * sizeof(*l.items));
	l.count--;
	put_log(b, &l);
	assert_found(b, 0, "record 0 is missing");
}

static void test_an_insertion(void **out)
{
	struct bench *b = *out;
	struct lines l = log_lines(b);
	memmove(&l.items[6], &l.items[5], (l.count - 5) * sizeof(*l.items));
	l.items[5] = S("{\"body\":{\"kind\":\"request\"},\"index\":5,\"prev\":\"\"}");
	l.count++;
	put_log(b, &l);
	assert_found(b, 5, "does not have exactly the members");
}

static void test_garbage(void **out)
{
	struct bench *b = *out;
	static const char *const garbage[] = {
		"", "{", "[]", "{\"body\":{},\"index\":2,\"prev\":\"x\",\"more\":1}", "\x01", "{\"a\":1,\"a\":2}"};
	struct lines l = log_lines(b);
	for (size_t i = 0; i < COUNT_OF(garbage); i++) {
		l.items[2] = str_of(garbage[i]);
		put_log(b, &l);
		struct audit_report r = report(b, true);
		assert_false(r.intact);
		assert_int_equal(r.bad_index, 2);
	}
	assert_int_equal(python_verdict(b, true) == 0, false);
}

static void test_swapped_folders(void **out)
{
	struct bench *b = *out;
	struct audit_head mine = b->head, half = b->half;
	struct str id = b->log_id;
	char spare[128];
	write_log(b, b->other, S("gateway/other"));
	snprintf(spare, sizeof(spare), "%s/spare", b->folder);
	assert_int_equal(rename(b->log, spare), 0);
	assert_int_equal(rename(b->other, b->log), 0);
	assert_found(b, 0, "the folder holds the log of gateway/other, not of gateway/edge");
	struct err e = {0};
	assert_int_equal(file_remove_tree(b->log, &e), 0);
	write_log(b, b->log, S("gateway/edge")); // an honest log of the same writer, but not this one
	b->log_id = id;
	b->head = mine;
	b->half = half;
	struct audit_report r = report(b, true);
	assert_false(r.intact);
	assert_true(str_find(r.reason, S("another log of gateway/edge")) > 0);
}

static void test_forged_heads(void **out)
{
	struct bench *b = *out;
	char path[160];
	snprintf(path, sizeof(path), "%s/heads.jsonl", b->log);
	struct lines l = read_lines(b, path);
	assert_int_equal(l.count, 2);
	struct str kept = l.items[0];
	l.items[0] = replaced(b, kept, "\"size\":6", "\"size\":7");
	write_lines(b, path, &l);
	struct audit_report r = report(b, false);
	assert_false(r.intact);
	assert_true(str_find(r.reason, S("line 1 of heads.jsonl cannot be trusted: it is not signed")) >= 0);
	int verdict = python_verdict(b, false);
	assert_true(verdict == 1 || verdict == -1);
	l.items[0] = S("{}");
	write_lines(b, path, &l);
	assert_false(report(b, false).intact);
}

// Somebody who rewrites the whole log and signs with a key of his own is found out by the key that was recorded
// elsewhere.
static void test_another_key(void **out)
{
	struct bench *b = *out;
	struct err e = {0};
	struct str recorded = b->public_key;
	assert_int_equal(file_remove_tree(b->log, &e), 0);
	assert_int_equal(unlink(b->key), 0);
	write_log(b, b->log, S("gateway/edge"));
	assert_false(str_eq(recorded, b->public_key));
	b->public_key = recorded;
	struct audit_report r = report(b, false);
	assert_false(r.intact);
	assert_true(str_find(r.reason, S("another key than the one recorded")) > 0);
}

static void test_the_clock_may_step_back(void **out)
{
	struct bench *b = *out;
	struct audit *a = NULL;
	struct err e = {0};
	uint64_t n;
	const struct audit_options o = {
		.folder = b->log, .writer = S("gateway/edge"), .key_path = b->key, .edges = &b->fake.edges};
	b->fake.now_ns -= 3600 * NS_PER_S;
	assert_int_equal(audit_open(&o, &a, &e), 0);
	const struct audit_event event = {.principal = S_INIT("user/x")};
	assert_int_equal(audit_append(a, &event, &n, &e), 0);
	audit_close(a);
	struct audit_report r = report(b, true);
	assert_true(r.intact);
	assert_int_equal(r.clock_steps, 1);
}

static void test_no_log(void **out)
{
	struct bench *b = *out;
	struct audit_report r;
	const struct audit_expectation nowhere = {.folder = "/nonexistent/audit"}, empty = {.folder = b->folder};
	assert_int_equal(audit_verify(&b->call, &nowhere, &r), ERR_NOT_FOUND);
	assert_int_equal(audit_verify(&b->call, &empty, &r), ERR_NOT_FOUND);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_an_unaltered_log),
		TEST(test_an_edit),
		TEST(test_an_edit_of_the_last_record),
		TEST(test_an_edit_with_the_chain_made_good),
		TEST(test_an_edit_of_a_link),
		TEST(test_a_deletion),
		TEST(test_a_duplicate),
		TEST(test_a_reordering),
		TEST(test_a_cut_tail),
		TEST(test_a_cut_beginning),
		TEST(test_an_insertion),
		TEST(test_garbage),
		TEST(test_swapped_folders),
		TEST(test_forged_heads),
		TEST(test_another_key),
		TEST(test_the_clock_may_step_back),
		TEST(test_no_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
