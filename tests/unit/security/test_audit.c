// SPDX-License-Identifier: Apache-2.0
// The audit writer: form of its lines, hostile texts, restarts, torn records, a full disk, one writer, segments,
// several threads.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "failing_malloc.h"
#include "security/audit_verify.h"

struct bench {
	char folder[64], log[96], key[96];
	struct arena arena;
	struct call call;
	struct edges_fake fake;
	struct audit_options options;
};

static int setup(void **out)
{
	struct bench *b = calloc(1, sizeof(*b));
	snprintf(b->folder, sizeof(b->folder), "/tmp/isobar-audit-XXXXXX");
	assert_non_null(mkdtemp(b->folder));
	snprintf(b->log, sizeof(b->log), "%s/audit", b->folder);
	snprintf(b->key, sizeof(b->key), "%s/audit.key", b->folder);
	edges_fake_init(&b->fake, 1700000000 * NS_PER_S, 5);
	call_init(&b->call, &b->arena, &b->fake.edges, S("user/test"));
	b->options = (struct audit_options){
		.folder = b->log, .writer = S("gateway/edge"), .key_path = b->key, .edges = &b->fake.edges};
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

static struct audit *open_log(struct bench *b)
{
	struct audit *a = NULL;
	struct err e = {0};
	if (audit_open(&b->options, &a, &e) < 0)
		fail_msg("%s", e.message);
	return a;
}

static const struct audit_event plain = {.principal = S_INIT("api-key/shop-app"),
	.action = S_INIT("model.predict"),
	.resource = S_INIT("endpoint/classify"),
	.outcome = S_INIT("allowed"),
	.trace = S_INIT("0123"),
	.status = 200};

static uint64_t append(struct audit *a, const struct audit_event *event)
{
	uint64_t ticket = 0;
	struct err e = {0};
	assert_int_equal(audit_append(a, event, &ticket, &e), 0);
	return ticket;
}

static void commit(struct audit *a)
{
	uint64_t upto;
	struct err e = {0};
	if (audit_commit(a, &upto, &e) < 0)
		fail_msg("%s", e.message);
}

static struct audit_report verify(struct bench *b)
{
	struct audit_report r = {0};
	const struct audit_expectation expect = {.folder = b->log, .writer = S("gateway/edge")};
	if (audit_verify(&b->call, &expect, &r) < 0)
		fail_msg("%s", b->call.err.message);
	return r;
}

static void assert_intact(struct bench *b, uint64_t records, uint64_t gaps)
{
	struct audit_report r = verify(b);
	if (!r.intact)
		fail_msg("record %d: %.*s", (int)r.bad_index, STR(r.reason));
	assert_int_equal(r.records, records);
	assert_int_equal(r.verified, records);
	assert_int_equal(r.gaps, gaps);
	assert_int_equal(r.complete, gaps == 0);
	assert_false(r.torn);
}

static struct str read_segment(struct bench *b, uint64_t first)
{
	char path[160];
	AUTO(buf) text = {0};
	snprintf(path, sizeof(path), "%s/%020llu.jsonl", b->log, (unsigned long long)first);
	assert_int_equal(file_read(path, 1 << 24, &text, &b->call.err), 0);
	return arena_str(&b->arena, buf_str(&text));
}

static struct str line_of(struct str text, size_t number)
{
	struct str line = text;
	for (size_t i = 0; i <= number; i++)
		assert_true(str_cut(text, '\n', &line, &text));
	return line;
}

static void test_a_line_is_canonical(void **out)
{
	struct bench *b = *out;
	struct audit *a = open_log(b);
	assert_int_equal(append(a, &plain), 1);
	commit(a);
	struct str line = line_of(read_segment(b, 0), 1);
	static const char expected[] = "{\"body\":{\"action\":\"model.predict\",\"kind\":\"request\",\"outcome\":"
				       "\"allowed\",\"principal\":\"api-key/shop-app\","
				       "\"resource\":\"endpoint/"
				       "classify\",\"status\":200,\"time\":\"2023-11-14T22:13:20.000000Z\",\"trace\":"
				       "\"0123\"},\"index\":1,\"prev\":\"";
	assert_memory_equal(line.p, expected, sizeof(expected) - 1);
	AUTO(json) j = NULL;
	AUTO(buf) again = {0};
	assert_int_equal(json_parse(line, &j, &b->call.err), 0);
	assert_int_equal(json_write(j, &again, &b->call.err), 0);
	assert_true(str_eq(buf_str(&again), line)); // sorted, compact: the canonical form
	audit_close(a);
	assert_intact(b, 2, 0);
}

static void test_hostile_texts_stay_inside(void **out)
{
	struct bench *b = *out;
	struct audit *a = open_log(b);
	char wide[5000];
	memset(wide, '\n', sizeof(wide));
	AUTO(json) detail = json_pack("{s:s}", "model\x7f\n", "x\"},\"index\":9,\"prev\":\"");
	AUTO(json) huge = json_object();
	json_set_str(huge, "x", str_bytes(wide, sizeof(wide)));
	const struct audit_event events[] = {
		{.principal = S_INIT("a\n{\"body\":{},\"index\":2,\"prev\":\"\"}\r\n"),
			.resource = S_INIT("\",\"status\":200,\"x\":\"")},
		{.reason = S_INIT("\xff\xfe\xc3(\xe2\x82"),
			.resource = S_INIT("caf\xc3\xa9 \xf0\x9f\x98\x80 \xe2\x80\xae")},
		{.reason = S_INIT("a\0b\x7f\x1b[2J"), .detail = detail},
		{.reason = {.p = wide, .n = sizeof(wide)},
			.principal = {.p = wide, .n = sizeof(wide)},
			.action = {.p = wide, .n = sizeof(wide)},
			.resource = {.p = wide, .n = sizeof(wide)},
			.outcome = {.p = wide, .n = sizeof(wide)},
			.trace = {.p = wide, .n = sizeof(wide)},
			.source = {.p = wide, .n = sizeof(wide)},
			.cloud = {.p = wide, .n = sizeof(wide)},
			.kind = {.p = wide, .n = sizeof(wide)},
			.detail = huge,
			.status = -1},
	};
	for (size_t i = 0; i < COUNT_OF(events); i++)
		append(a, &events[i]);
	commit(a);
	audit_close(a);
	assert_intact(b, 1 + COUNT_OF(events), 0);
	struct str text = read_segment(b, 0);
	size_t lines = 0;
	for (size_t i = 0; i < text.n; i++) {
		assert_true(text.p[i] == '\n' || (text.p[i] >= 0x20 && text.p[i] < 0x7f));
		lines += text.p[i] == '\n';
	}
	assert_int_equal(lines, 1 + COUNT_OF(events));
	AUTO(json) second = NULL;
	AUTO(json) last = NULL;
	assert_int_equal(json_parse(line_of(text, 2), &second, &b->call.err), 0);
	const json_t *body = json_object_get(second, "body");
	assert_string_equal(json_text(body, "reason"), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd(\xef\xbf\xbd\xef\xbf\xbd");
	assert_string_equal(json_text(body, "resource"), "caf\xc3\xa9 \xf0\x9f\x98\x80 \xe2\x80\xae");
	struct str longest = line_of(text, 4);
	assert_true(longest.n <= AUDIT_LINE_MAX);
	assert_int_equal(json_parse(longest, &last, &b->call.err), 0);
	body = json_object_get(last, "body");
	assert_non_null(strstr(json_text(body, "reason"), " bytes]"));
	assert_true(json_int(json_object_get(body, "detail"), "omitted_bytes", 0) > 5000);
}

static void test_tickets_and_heads(void **out)
{
	struct bench *b = *out;
	struct audit *a = open_log(b);
	struct err e = {0};
	uint64_t upto;
	struct audit_head before = audit_head(a);
	assert_int_equal(before.size, 1); // the segment's own record
	assert_int_equal(append(a, &plain), 1);
	assert_int_equal(append(a, &plain), 2);
	assert_int_equal(audit_head(a).size, 1); // nothing on disk yet
	assert_int_equal(audit_commit(a, &upto, &e), 0);
	assert_int_equal(upto, 2);
	assert_int_equal(audit_head(a).size, 3);
	assert_int_equal(audit_commit(a, &upto, &e), 0); // nothing to do
	assert_int_equal(upto, 2);
	AUTO(json) j = audit_head_to_json(a);
	struct audit_head copy;
	assert_int_equal(audit_head_of_json(j, &copy, &e), 0);
	struct audit_head head = audit_head(a);
	assert_memory_equal(&copy, &head, sizeof(copy));
	assert_string_equal(json_text(j, "writer"), "gateway/edge");
	assert_int_equal(json_str(j, "public_key").n, 64);
	assert_int_equal(json_str(j, "log").n, 32);
	json_object_del(j, "root");
	assert_int_equal(audit_head_of_json(j, &copy, &e), ERR_CORRUPT);
	assert_int_equal(audit_sign_head(a, &e), 0);
	assert_int_equal(audit_sign_head(a, &e), 0); // not moved: not signed again
	audit_close(a);
	struct audit_report r = verify(b);
	assert_int_equal(r.heads_checked, 1);
	assert_memory_equal(&r.head, &head, sizeof(head));
}

static void test_one_writer_and_its_own_folder(void **out)
{
	struct bench *b = *out;
	struct audit *a = open_log(b), *other = NULL;
	struct err e = {0};
	assert_int_equal(audit_open(&b->options, &other, &e), ERR_IN_USE);
	audit_close(a);
	b->options.writer = S("gateway/other");
	assert_int_equal(audit_open(&b->options, &other, &e), ERR_CONFLICT);
	assert_non_null(strstr(e.message, "belongs to gateway/edge"));
	b->options.writer = S("gateway/edge");
	b->options.key_path = NULL;
	assert_int_equal(audit_open(&b->options, &other, &e), ERR_CONFLICT); // another key
	b->options.writer = S("");
	assert_int_equal(audit_open(&b->options, &other, &e), ERR_INVALID);
	assert_null(other);
}

static void test_a_restart_continues(void **out)
{
	struct bench *b = *out;
	for (int i = 0; i < 5; i++) {
		struct audit *a = open_log(b);
		append(a, &plain);
		append(a, &plain);
		audit_close(a); // commits
	}
	assert_intact(b, 11, 0);
}

static void test_segments(void **out)
{
	struct bench *b = *out;
	b->options.segment_bytes = 1500;
	struct audit *a = open_log(b);
	for (int i = 0; i < 40; i++) {
		append(a, &plain);
		commit(a);
		if (i % 10 == 9) {
			audit_close(a);
			a = open_log(b);
		}
	}
	audit_close(a);
	struct audit_report r = verify(b);
	assert_true(r.intact);
	assert_true(r.records > 46); // 40, and one for each segment
	assert_int_equal(r.heads_checked, 4);
	// The beginning of each later segment is a whole tree: a restart reads that file alone.
	char path[160];
	snprintf(path, sizeof(path), "%s/%020d.jsonl", b->log, 0);
	assert_int_equal(unlink(path), 0);
	a = open_log(b);
	append(a, &plain);
	audit_close(a);
	r = verify(b);
	assert_false(r.intact);
	assert_int_equal(r.bad_index, 0);
}

static void tear(struct bench *b, const char *tail)
{
	char path[160];
	snprintf(path, sizeof(path), "%s/%020d.jsonl", b->log, 0);
	AUTO(fd) fd = open(path, O_WRONLY | O_APPEND);
	assert_int_equal(write(fd, tail, strlen(tail)), strlen(tail));
}

static void test_a_torn_record_is_cut_and_told(void **out)
{
	struct bench *b = *out;
	struct audit *a = open_log(b);
	append(a, &plain);
	audit_close(a);
	tear(b, "{\"body\":{\"action\":\"mod");
	struct audit_report r = verify(b);
	assert_true(r.intact && r.torn);
	a = open_log(b);
	append(a, &plain);
	audit_close(a);
	assert_intact(b, 4, 1);
	struct str gap = line_of(read_segment(b, 0), 2);
	assert_true(
		str_find(gap,
			S("\"kind\":\"gap\",\"lost\":1,\"reason\":\"a record of 22 bytes was torn by a crash\"")) > 0);
}

static void test_a_damaged_log_is_not_continued(void **out)
{
	struct bench *b = *out;
	struct audit *a = open_log(b);
	struct err e = {0};
	append(a, &plain);
	audit_close(a);
	tear(b, "{\"not\":\"a record\"}\n");
	struct str before = read_segment(b, 0);
	assert_int_equal(audit_open(&b->options, &a, &e), ERR_CORRUPT);
	assert_non_null(strstr(e.message, "damaged at record 2"));
	assert_true(str_eq(read_segment(b, 0), before));
}

static void test_a_cut_log_is_not_continued(void **out)
{
	struct bench *b = *out;
	struct audit *a = open_log(b);
	struct err e = {0};
	char path[160];
	append(a, &plain);
	audit_close(a); // signs a head of size 2
	snprintf(path, sizeof(path), "%s/%020d.jsonl", b->log, 0);
	assert_int_equal(truncate(path, (off_t)line_of(read_segment(b, 0), 0).n + 1), 0);
	assert_int_equal(audit_open(&b->options, &a, &e), ERR_CORRUPT);
	assert_non_null(strstr(e.message, "which a signed head knows"));
}

static void test_an_unfinished_first_segment_is_begun_anew(void **out)
{
	struct bench *b = *out;
	struct err e = {0};
	char path[160];
	assert_int_equal(file_make_dirs(b->log, 0700, &e), 0);
	snprintf(path, sizeof(path), "%s/%020d.jsonl", b->log, 0);
	assert_int_equal(file_write_atomic(path, S("{\"body\":{\"front"), 0600, &e), 0);
	struct audit *a = open_log(b);
	append(a, &plain);
	audit_close(a);
	assert_intact(b, 2, 0);
}

// In a child: files may not grow past a bound, as on a full disk; then the bound goes away.
static int run_on_a_full_disk(struct bench *b)
{
	struct audit *a = open_log(b);
	struct err e = {0};
	uint64_t ticket = 0, upto = 0, ended = 0;
	struct rlimit all, bound;
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &all);
	bound = (struct rlimit){.rlim_cur = 4096, .rlim_max = all.rlim_max};
	setrlimit(RLIMIT_FSIZE, &bound);
	int rc = 0;
	while (rc == 0 && ticket < 100) {
		ended = ticket;
		append(a, &plain);
		ticket = append(a, &plain);
		rc = audit_commit(a, &upto, &e);
	}
	if (rc != ERR_NO_SPACE && rc != ERR_LIMIT)
		return 2;
	struct audit_head head = audit_head(a);
	if (head.size != ended + 1 || upto != ticket || audit_records_lost(a) != 2)
		return 3;
	setrlimit(RLIMIT_FSIZE, &all);
	append(a, &plain);
	if (audit_commit(a, &upto, &e) < 0 || audit_head(a).size != head.size + 2)
		return 4;
	audit_close(a);
	return 0;
}

static void test_a_full_disk_leaves_a_gap_record(void **out)
{
	struct bench *b = *out;
	int status;
	pid_t child = fork();
	if (child == 0)
		_exit(run_on_a_full_disk(b));
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	struct audit_report r = verify(b);
	assert_true(r.intact);
	assert_false(r.complete);
	assert_int_equal(r.gaps, 1);
	assert_int_equal(r.lost, 2);
}

static void test_pending_is_bounded(void **out)
{
	struct bench *b = *out;
	struct audit *a = open_log(b);
	struct err e = {0};
	uint64_t ticket = 0, upto = 0;
	char wide[600];
	memset(wide, 'x', sizeof(wide));
	const struct audit_event event = {.reason = {.p = wide, .n = sizeof(wide)},
		.resource = {.p = wide, .n = sizeof(wide)},
		.principal = {.p = wide, .n = sizeof(wide)},
		.action = {.p = wide, .n = sizeof(wide)}};
	int rc = 0;
	while (rc == 0)
		rc = audit_append(a, &event, &ticket, &e);
	assert_int_equal(rc, ERR_LIMIT);
	assert_int_equal(audit_commit(a, &upto, &e), 0);
	assert_int_equal(upto, ticket);
	assert_int_equal(audit_append(a, &event, &ticket, &e), 0);
	audit_close(a);
	assert_intact(b, 1 + ticket, 0);
}

// Whatever allocation fails: a record is either refused, or lost and told, or there; the log stays whole.
static void test_without_memory(void **out)
{
	struct bench *b = *out;
	struct audit *a = open_log(b);
	struct err e = {0};
	uint64_t ticket, upto, kept = 1;
	for (size_t n = 0;; n++) {
		failing_malloc_after(n);
		int appended = audit_append(a, &plain, &ticket, &e);
		int committed = audit_commit(a, &upto, &e);
		bool ended = !failing_malloc_stop();
		assert_true(appended == 0 || appended == ERR_NO_MEMORY);
		assert_true(committed == 0 || committed == ERR_NO_MEMORY);
		kept = audit_head(a).size;
		if (ended)
			break;
	}
	audit_close(a);
	struct audit_report r = verify(b);
	assert_true(r.intact);
	assert_int_equal(r.records, kept);
	assert_true(r.lost > 0);
	for (size_t n = 0;; n++) {
		struct err why = {0};
		failing_malloc_after(n);
		int rc = audit_open(&b->options, &a, &why);
		bool ended = !failing_malloc_stop();
		if (ended)
			break;
		assert_true(rc <= 0);
		if (rc == 0)
			audit_close(a);
	}
	audit_close(a);
	assert_true(verify(b).intact);
}

struct hammer {
	struct audit *audit;
	int failures;
};

static void *hammer(void *ctx)
{
	struct hammer *h = ctx;
	for (int i = 0; i < 500; i++) {
		uint64_t ticket;
		struct err e = {0};
		h->failures += audit_append(h->audit, &plain, &ticket, &e) < 0;
	}
	return NULL;
}

static void test_threads_append_while_one_commits(void **out)
{
	struct bench *b = *out;
	b->options.edges = edges_real();
	struct audit *a = open_log(b);
	pthread_t threads[3];
	struct hammer h[3];
	for (size_t i = 0; i < 3; i++) {
		h[i] = (struct hammer){.audit = a};
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, &h[i]), 0);
	}
	for (int i = 0; i < 10; i++)
		commit(a);
	for (size_t i = 0; i < 3; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(h[i].failures, 0);
	}
	audit_close(a);
	assert_intact(b, 1501, 0);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_line_is_canonical),
		TEST(test_hostile_texts_stay_inside),
		TEST(test_tickets_and_heads),
		TEST(test_one_writer_and_its_own_folder),
		TEST(test_a_restart_continues),
		TEST(test_segments),
		TEST(test_a_torn_record_is_cut_and_told),
		TEST(test_a_damaged_log_is_not_continued),
		TEST(test_a_cut_log_is_not_continued),
		TEST(test_an_unfinished_first_segment_is_begun_anew),
		TEST(test_a_full_disk_leaves_a_gap_record),
		TEST(test_pending_is_bounded),
		TEST(test_without_memory),
		TEST(test_threads_append_while_one_commits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
