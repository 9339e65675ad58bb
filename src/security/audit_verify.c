// SPDX-License-Identifier: Apache-2.0
// Verifying an audit folder: see audit_verify.h. One walk over all lines; heads are compared as the walk passes their
// sizes.
#include "security/audit_verify.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/time.h"
#include "security/audit_impl.h"

struct checked_head {
	struct audit_head head;
	const char *source; // "signed", "recorded"
};

struct walk {
	struct call *c;
	const struct audit_expectation *expect;
	struct audit_report *report;
	struct audit_position at;
	struct checked_head *heads; // by size
	size_t head_count, next_head;
	int64_t last_time_ns;
	uint64_t proven;       // records up to the last head that agreed
	struct str head_fault; // the first head that cannot be used; told when nothing worse is found
	bool last_segment;
};

static void fault(struct walk *w, uint64_t index, struct str reason)
{
	if (!w->report->intact)
		return;
	w->report->intact = false;
	w->report->bad_index = index;
	w->report->verified = index;
	w->report->reason = reason;
}

#define FAULT(w, index, ...) fault((w), (index), arena_printf((w)->c->arena, __VA_ARGS__))

// ---------------------------------------------------------------- heads

static int by_size(const void *a, const void *b)
{
	const struct checked_head *x = a, *y = b;
	return x->head.size < y->head.size ? -1 : x->head.size > y->head.size;
}

static void compare_heads(struct walk *w)
{
	for (; w->next_head < w->head_count && w->heads[w->next_head].head.size == w->at.tree.size; w->next_head++) {
		const struct checked_head *h = &w->heads[w->next_head];
		struct sha256 root = merkle_root(&w->at.tree);
		bool chain = h->head.size == 0 || memcmp(h->head.chain.bytes, w->at.chain.bytes, SHA256_SIZE) == 0;
		if (!chain || memcmp(h->head.root.bytes, root.bytes, SHA256_SIZE) != 0) {
			FAULT(w, w->proven,
				"a record from %" PRIu64 " to %" PRIu64
				" is not what it was when the %s head of size %" PRIu64 " was made",
				w->proven, h->head.size - 1, h->source, h->head.size);
			return;
		}
		w->report->heads_checked++;
		w->proven = h->head.size;
	}
}

static void heads_past_the_end(struct walk *w)
{
	if (w->next_head >= w->head_count)
		return;
	const struct checked_head *h = &w->heads[w->head_count - 1];
	FAULT(w, w->at.tree.size,
		"the log ends after %" PRIu64 " records, but a %s head has size %" PRIu64 ": its tail is missing",
		w->at.tree.size, h->source, h->head.size);
}

static void add_head(struct walk *w, struct checked_head head)
{
	w->heads[w->head_count++] = head;
}

static struct str public_key(const struct walk *w)
{
	return w->expect->public_key.n ? w->expect->public_key : w->report->public_key;
}

static void read_signed_head(struct walk *w, struct str line, size_t number)
{
	struct audit_signed_head h;
	struct err why = {0};
	const char *problem = NULL;
	if (audit_parse_head(line, &h, &why) < 0)
		problem = why.message;
	else if (!str_eq(str_of(h.log), w->report->log))
		problem = "it is of another log";
	else if (!audit_head_authentic(public_key(w), &h))
		problem = "it is not signed with the writer's key";
	if (!problem)
		add_head(w, (struct checked_head){.head = h.head, .source = "signed"});
	else if (w->head_fault.n == 0)
		w->head_fault =
			arena_printf(w->c->arena, "line %zu of heads.jsonl cannot be trusted: %s", number, problem);
}

static int collect_heads(struct walk *w)
{
	AUTO(buf) path = {0};
	AUTO(buf) text = {0};
	buf_printf(&path, "%s/heads.jsonl", w->expect->folder);
	int rc = file_exists(buf_cstr(&path)) ? file_read(path.p, AUDIT_HEADS_READ_MAX, &text, &w->c->err) : 0;
	if (rc < 0)
		return rc;
	size_t lines = 1;
	for (size_t i = 0; i < text.n; i++)
		lines += text.p[i] == '\n';
	w->heads = calloc(lines + w->expect->head_count, sizeof(*w->heads));
	if (!w->heads)
		return call_no_memory(w->c);
	struct str rest = buf_str(&text), line;
	for (size_t number = 1; str_find_char(rest, '\n') >= 0; number++) {
		(void)str_cut(rest, '\n', &line, &rest);
		read_signed_head(w, line, number);
	}
	for (size_t i = 0; i < w->expect->head_count; i++)
		add_head(w, (struct checked_head){.head = w->expect->heads[i], .source = "recorded"});
	qsort(w->heads, w->head_count, sizeof(*w->heads), by_size);
	return 0;
}

// ---------------------------------------------------------------- lines

static void check_identity(struct walk *w, const struct audit_identity *id)
{
	struct audit_report *r = w->report;
	bool first = w->at.tree.size == 0;
	if (first) {
		r->log = arena_str(w->c->arena, str_of(id->log));
		r->writer = arena_str(w->c->arena, id->writer);
		r->public_key = arena_str(w->c->arena, str_of(id->public_key));
	}
	struct str writer = w->expect->writer.n ? w->expect->writer : r->writer;
	struct str log = w->expect->log.n ? w->expect->log : r->log;
	if (!str_eq(id->writer, writer))
		FAULT(w, w->at.tree.size, "the folder holds the log of %.*s, not of %.*s", STR(id->writer),
			STR(writer));
	else if (!str_eq(str_of(id->log), log))
		FAULT(w, w->at.tree.size, "the folder holds another log of %.*s: %s, not %.*s", STR(writer), id->log,
			STR(log));
	else if (!str_eq(str_of(id->public_key), r->public_key) && !first)
		FAULT(w, w->at.tree.size, "the writer's key changes at record %" PRIu64, w->at.tree.size);
	else if (w->expect->public_key.n && !str_eq(str_of(id->public_key), w->expect->public_key))
		FAULT(w, w->at.tree.size, "the log names another key than the one recorded for its writer");
}

static void check_segment_start(struct walk *w, const struct audit_line *l)
{
	struct audit_identity id = {0};
	struct merkle claimed;
	struct err why = {0};
	if (audit_parse_segment(l, &id, &claimed, &why) < 0) {
		FAULT(w, l->index, "record %" PRIu64 ": %s", l->index, why.message);
		return;
	}
	size_t n = merkle_frontier_count(l->index);
	if (memcmp(claimed.frontier, w->at.tree.frontier, n * sizeof(*claimed.frontier)) != 0)
		FAULT(w, l->index, "record %" PRIu64 " claims another tree than the records before it make", l->index);
	else
		check_identity(w, &id);
}

static void count_body(struct walk *w, const struct audit_line *l)
{
	int64_t time_ns = 0;
	if (str_eq(json_str(l->body, "kind"), S("gap"))) {
		w->report->gaps++;
		w->report->lost += (uint64_t)MAX(0, json_int(l->body, "lost", 0));
	}
	if (time_parse_rfc3339(json_str(l->body, "time"), &time_ns) < 0)
		FAULT(w, l->index, "record %" PRIu64 " has no time", l->index);
	if (time_ns < w->last_time_ns)
		w->report->clock_steps++;
	w->last_time_ns = time_ns;
}

// The chain breaks between two records: the one whose own digest the next record does not know was altered. When the
// record after that one agrees with it, the earlier was altered; else this one.
static uint64_t broken_link(struct str line, struct str rest, uint64_t index)
{
	struct str following, ignored;
	struct audit_line next;
	struct err why = {0};
	struct sha256 digest = sha256_of(line);
	if (!str_cut(rest, '\n', &following, &ignored) || audit_parse_line(following, &next, &why) < 0)
		return index - 1;
	bool known = memcmp(next.prev.bytes, digest.bytes, SHA256_SIZE) == 0;
	audit_line_free(&next);
	return known ? index - 1 : index;
}

static void check_place(struct walk *w, const struct audit_line *l, struct str line, struct str rest)
{
	uint64_t expected = w->at.tree.size;
	if (l->index > expected)
		FAULT(w, expected, "record %" PRIu64 " is missing: record %" PRIu64 " stands in its place", expected,
			l->index);
	else if (l->index < expected)
		FAULT(w, expected, "record %" PRIu64 " stands in the place of record %" PRIu64, l->index, expected);
	else if (memcmp(l->prev.bytes, w->at.chain.bytes, SHA256_SIZE) == 0)
		return;
	else if (expected == 0)
		FAULT(w, 0, "record 0 is not the beginning of a log");
	else
		FAULT(w, broken_link(line, rest, expected),
			"the chain breaks between record %" PRIu64 " and record %" PRIu64 ": one of them was altered",
			expected - 1, expected);
}

static void walk_line(struct walk *w, struct str line, struct str rest, bool first)
{
	struct audit_line l;
	struct err why = {0};
	uint64_t expected = w->at.tree.size;
	if (audit_parse_line(line, &l, &why) < 0) {
		FAULT(w, expected, "record %" PRIu64 " is damaged: %s", expected, why.message);
		return;
	}
	check_place(w, &l, line, rest);
	if (w->report->intact && first)
		check_segment_start(w, &l);
	if (w->report->intact && !first && str_eq(json_str(l.body, "kind"), S("segment")))
		FAULT(w, expected, "record %" PRIu64 " begins a segment in the middle of one", expected);
	if (w->report->intact)
		count_body(w, &l);
	audit_line_free(&l);
	if (w->report->intact)
		audit_position_add(&w->at, line);
}

static void walk_text(struct walk *w, struct str rest)
{
	bool first = true;
	struct str line;
	while (w->report->intact && str_find_char(rest, '\n') >= 0) {
		(void)str_cut(rest, '\n', &line, &rest);
		walk_line(w, line, rest, first);
		first = false;
		if (w->report->intact && w->heads)
			compare_heads(w);
	}
	if (!w->report->intact || rest.n == 0)
		return;
	w->report->torn = w->last_segment;
	if (!w->last_segment)
		FAULT(w, w->at.tree.size, "record %" PRIu64 " is cut off in the middle of the log", w->at.tree.size);
}

static int walk_segment(struct walk *w, uint64_t first)
{
	char name[AUDIT_SEGMENT_NAME_SIZE];
	AUTO(buf) path = {0};
	AUTO(buf) text = {0};
	audit_segment_name(first, name);
	buf_printf(&path, "%s/%s", w->expect->folder, name);
	int rc = file_read(buf_cstr(&path), AUDIT_SEGMENT_READ_MAX, &text, &w->c->err);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < text.n; i++)
		w->report->records += text.p[i] == '\n';
	if (first > w->at.tree.size)
		FAULT(w, w->at.tree.size, "records %" PRIu64 " to %" PRIu64 " are missing", w->at.tree.size, first - 1);
	else if (first < w->at.tree.size)
		FAULT(w, first, "the segment %s begins inside another", name);
	if (w->report->intact)
		walk_text(w, buf_str(&text));
	return 0;
}

// The first record names the key, which the signed heads are checked with: it is read by a walk of its own.
static int read_identity(struct walk *w)
{
	struct walk probe = *w;
	struct audit_report scratch = {.intact = true};
	probe.report = &scratch;
	int rc = walk_segment(&probe, 0);
	w->report->log = scratch.log;
	w->report->writer = scratch.writer;
	w->report->public_key = scratch.public_key;
	return rc;
}

static int walk_all(struct walk *w, const uint64_t *segments, size_t count)
{
	int rc = 0;
	if (count && segments[0] == 0)
		rc = read_identity(w);
	if (rc == 0)
		rc = collect_heads(w);
	compare_heads(w); // of size 0
	for (size_t i = 0; rc == 0 && i < count; i++) {
		w->last_segment = i + 1 == count;
		rc = walk_segment(w, segments[i]);
	}
	if (rc == 0)
		heads_past_the_end(w);
	if (rc == 0 && w->head_fault.n)
		fault(w, w->proven, w->head_fault);
	return rc;
}

int audit_verify(struct call *c, const struct audit_expectation *expect, struct audit_report *out)
{
	struct audit_report report = {.intact = true};
	struct walk w = {.c = c, .expect = expect, .report = &report, .at.chain = audit_chain_start()};
	uint64_t *segments = NULL;
	size_t count = 0;
	int rc = audit_list_segments(expect->folder, &segments, &count, &c->err);
	if (rc == 0 && count == 0)
		rc = call_fail(c, ERR_NOT_FOUND, "there is no audit log in %s", expect->folder);
	if (rc == 0)
		rc = walk_all(&w, segments, count);
	free(segments);
	free(w.heads);
	if (rc < 0)
		return rc;
	if (report.intact)
		report.verified = w.at.tree.size;
	report.complete = report.intact && report.gaps == 0;
	report.head = (struct audit_head){.size = w.at.tree.size, .root = merkle_root(&w.at.tree), .chain = w.at.chain};
	*out = report;
	return 0;
}
