// SPDX-License-Identifier: Apache-2.0
// Faults, acted out on one request. What happens before the request is handled is decided when its head is whole; the
// rest when an answer is given. Only the loop's thread runs this.
#include <string.h>

#include "base/time.h"
#include "pocket/engine/engine.h"
#include "pocket/front_faults_impl.h"
#include "pocket/pocket_impl.h"

enum {
	TWICE_MAX_BODY = 16 << 20,   // of a request that is delivered twice; longer ones are once
	TWICE_MAX_ANSWER = 8 << 20,  // of an object that is answered twice
	CUT_MAX_BYTES = 1 << 20,     // of a body that is cut: half of it, but not more
	CUT_AFTER_MS = 10,           // the first half is on the wire by then
	PARTITION_LOOK_MS = 20,
};

struct front_fault {
	struct fault fault;
	struct front_request *request;
	struct loop_timer timer;
	struct buf body;      // ACT_TWICE: what came, to come again
	bool body_whole;      // and is all of it
	bool waits, again;    // the first answer was dropped; ACT_TWICE: the second delivery, ERROR_AFTER: the error is under way
	uint64_t changed_then; // PARTITION: state of the rules when it began to wait
	int retry_after_s;    // THROTTLE
};

static struct loop *loop_of(const struct front_request *r)
{
	return r->x->loop;
}

static void after(struct front_fault *f, int64_t ns, void (*fire)(struct loop_timer *t))
{
	struct loop *loop = loop_of(f->request);
	f->timer.fire = fire;
	if (loop_timer_set(loop, &f->timer, loop_now_ns(loop) + ns) < 0)
		http_exchange_abort(f->request->x);
}

static struct front_fault *of_timer(struct loop_timer *t)
{
	return CONTAINER_OF(t, struct front_fault, timer);
}

// ---------------------------------------------------------------- before it is handled

static void go_on(struct loop_timer *t)
{
	front_begin(of_timer(t)->request);
}

static void look_through(struct loop_timer *t)
{
	struct front_fault *f = of_timer(t);
	const struct pocket *p = f->request->pocket;
	bool over = loop_now_ns(loop_of(f->request)) >= f->fault.until_ns || p->faults_changed != f->changed_then;
	if (over)
		front_begin(f->request);
	else
		after(f, PARTITION_LOOK_MS * NS_PER_MS, look_through);
}

static int cut_at_piece(struct front_request *r, UNUSED struct str piece)
{
	http_exchange_abort(r->x);
	return 0;
}

static void cut_request(struct front_request *r)
{
	if (r->x->request.length == 0) {
		http_exchange_abort(r->x);
		return;
	}
	r->take = cut_at_piece;
	http_body_resume(r->x);
}

static struct front_fault *meet(struct front_request *r)
{
	struct pocket *p = r->pocket;
	const struct http_request *q = &r->x->request;
	const struct fault_request asked = {
		.method = q->method_text, .path = q->path, .query = q->query, .now_ns = loop_now_ns(loop_of(r))};
	struct fault fault = faults_meet(p->faults, &asked);
	struct front_fault *f = fault.act ? arena_new(r->arena, struct front_fault) : NULL;
	if (f)
		*f = (struct front_fault){.fault = fault,
			.request = r,
			.body = {.limit = TWICE_MAX_BODY},
			.changed_then = p->faults_changed};
	return f;
}

static void throttle(struct front_request *r)
{
	int64_t s = (r->fault->fault.ns + NS_PER_S - 1) / NS_PER_S;
	r->fault->retry_after_s = (int)MIN(s, 3600);
	front_trouble(r, true);
}

bool front_fault_takes_request(struct front_request *r)
{
	struct front_fault *f = r->fault = meet(r);
	switch (f ? f->fault.act : FAULT_NONE) {
	case FAULT_STALL:
		after(f, f->fault.ns, go_on);
		return true;
	case FAULT_PARTITION:
		after(f, PARTITION_LOOK_MS * NS_PER_MS, look_through);
		return true;
	case FAULT_THROTTLE:
		throttle(r);
		return true;
	case FAULT_ERROR:
		front_trouble(r, false);
		return true;
	case FAULT_CUT_REQUEST:
		cut_request(r);
		return true;
	case FAULT_ACT_TWICE:
		if (r->x->request.length > TWICE_MAX_BODY)
			r->fault = NULL;
		return false;
	case FAULT_INTERRUPT:
		engine_interrupt_spot(
			r->pocket->engine, service_pace_ns(r->pocket, r->pocket->front->spot_notice_ns));
		return false;
	case FAULT_EXPIRE:
		r->pocket->tokens_ended_ns = front_now_ns(r);
		return false;
	case FAULT_NONE:
	case FAULT_LOSE_REPLY:
	case FAULT_ANSWER_TWICE:
	case FAULT_ERROR_AFTER:
	case FAULT_CUT:
		break;
	}
	return false;
}

// ---------------------------------------------------------------- delivered twice

void front_fault_note_body(struct front_request *r, struct str piece)
{
	if (r->fault && r->fault->fault.act == FAULT_ACT_TWICE && !r->fault->again)
		buf_add(&r->fault->body, piece);
}

void front_fault_note_end(struct front_request *r)
{
	if (r->fault)
		r->fault->body_whole = true;
}

bool front_fault_took_reply(const struct front_request *r)
{
	return r->fault && r->fault->waits;
}

// The same request once more, as if it had come by another way: nothing of its first handling is left but what it did.
static void deliver_again(struct loop_timer *t)
{
	struct front_fault *f = of_timer(t);
	struct http_exchange *x = f->request->x;
	front_release(f->request);
	struct front_request *r = front_request_new(x);
	if (!r) {
		buf_free(&f->body);
		http_exchange_abort(x);
		return;
	}
	r->fault = f;
	f->request = r;
	f->waits = false;
	f->again = true;
	front_begin(r);
	if (f->body.n)
		front_body_piece(r, buf_str(&f->body));
	if (f->body_whole)
		front_body_end(r);
}

// Instead of the answer that there was: what was done is done.
static void answer_with_error(struct loop_timer *t)
{
	struct front_fault *f = of_timer(t);
	struct http_exchange *x = f->request->x;
	front_release(f->request);
	struct front_request *r = front_request_new(x);
	if (!r) {
		http_exchange_abort(x);
		return;
	}
	r->fault = f;
	f->request = r;
	f->waits = false;
	f->again = true;
	front_trouble(r, false);
}

static bool drop_for_error(struct front_fault *f)
{
	if (f->again)
		return false;
	f->waits = true;
	after(f, 0, answer_with_error);
	return true;
}

// False when the body was too long to keep: then the request is answered as ever.
static bool drop_first_answer(struct front_fault *f)
{
	if (f->again || f->body.failed)
		return false;
	f->waits = true;
	after(f, 0, deliver_again);
	return true;
}

void front_fault_end(struct front_request *r)
{
	if (!r->fault)
		return;
	loop_timer_clear(loop_of(r), &r->fault->timer);
	buf_free(&r->fault->body);
}

// ---------------------------------------------------------------- answers

static void cut_now(struct loop_timer *t)
{
	http_exchange_abort(of_timer(t)->request->x);
}

static bool has_body(const struct front_request *r, int status)
{
	return r->x->request.method != HTTP_HEAD && status != 204 && status != 304;
}

// The head and a part of what it promises; without a body to promise, nothing at all.
static void cut_answer(struct front_request *r, int status, struct str part, uint64_t promised)
{
	struct http_reply head = front_head(r, status);
	if (!has_body(r, status)) {
		http_exchange_abort(r->x);
		return;
	}
	http_reply_start(r->x, &head, (int64_t)MAX(promised, 1));
	(void)http_reply_write(r->x, part);
	after(r->fault, CUT_AFTER_MS * NS_PER_MS, cut_now);
}

static void add_retry_after(struct front_request *r)
{
	if (r->fault->retry_after_s)
		front_addf(r, "retry-after", "%d", r->fault->retry_after_s);
}

bool front_fault_takes_reply(struct front_request *r, int status, struct str body)
{
	struct http_reply head = front_head(r, status);
	switch (r->fault ? r->fault->fault.act : FAULT_NONE) {
	case FAULT_LOSE_REPLY:
		http_exchange_abort(r->x);
		return true;
	case FAULT_ACT_TWICE:
		return drop_first_answer(r->fault);
	case FAULT_ANSWER_TWICE:
		http_reply_twice(r->x, &head, body);
		return true;
	case FAULT_CUT:
		cut_answer(r, status, str_take(body, MIN(body.n / 2, (size_t)CUT_MAX_BYTES)), body.n);
		return true;
	case FAULT_THROTTLE:
		add_retry_after(r);
		return false;
	case FAULT_ERROR_AFTER:
		return drop_for_error(r->fault);
	case FAULT_INTERRUPT:
	case FAULT_EXPIRE:
	case FAULT_NONE:
	case FAULT_STALL:
	case FAULT_ERROR:
	case FAULT_CUT_REQUEST:
	case FAULT_PARTITION:
		break;
	}
	return false;
}

// The first n bytes of the extent, in the arena.
static int read_extent(struct front_request *r, const struct front_extent *x, size_t n, struct str *out)
{
	char *bytes = arena_alloc(r->arena, n + 1);
	size_t done = 0, got = 1;
	if (!bytes)
		return err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	int rc = object_range_open(&r->range, x->object, x->offset, n, &r->err);
	while (rc == 0 && done < n && got) {
		rc = object_range_read(&r->range, bytes + done, n - done, &got, &r->err);
		done += got;
	}
	object_range_close(&r->range);
	*out = str_bytes(bytes, done);
	return rc;
}

bool front_fault_takes_object(struct front_request *r, int status, const struct front_extent *extent)
{
	enum fault_act act = r->fault ? r->fault->fault.act : FAULT_NONE;
	struct str bytes = S("");
	if (act == FAULT_NONE)
		return false;
	if (act == FAULT_ANSWER_TWICE && extent->length > TWICE_MAX_ANSWER)
		return false;
	uint64_t wanted = act == FAULT_ANSWER_TWICE ? extent->length : MIN(extent->length / 2, (uint64_t)CUT_MAX_BYTES);
	if ((act == FAULT_ANSWER_TWICE || act == FAULT_CUT) && read_extent(r, extent, (size_t)wanted, &bytes) < 0) {
		http_exchange_abort(r->x);
		return true;
	}
	if (act != FAULT_CUT)
		return front_fault_takes_reply(r, status, bytes);
	cut_answer(r, status, bytes, extent->length);
	return true;
}
