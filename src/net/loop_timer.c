// SPDX-License-Identifier: Apache-2.0
// Timers of the loop: a binary heap. Deadlines are mostly pushed back (each request renews them) and hardly ever
// reached, so moving a timer later only notes the wish; its place in the heap is corrected when it comes up.
#include "net/loop.h"

#include <stdlib.h>

#include "net/loop_impl.h"

static void place(struct loop *l, size_t slot, struct loop_timer *t)
{
	l->heap[slot] = t;
	t->slot = slot;
}

static void sift_up(struct loop *l, struct loop_timer *t)
{
	size_t slot = t->slot;
	for (; slot > 1 && l->heap[slot / 2]->heap_ns > t->heap_ns; slot /= 2)
		place(l, slot, l->heap[slot / 2]);
	place(l, slot, t);
}

static void sift_down(struct loop *l, struct loop_timer *t)
{
	size_t slot = t->slot;
	for (size_t child = slot * 2; child <= l->heap_count; slot = child, child = slot * 2) {
		if (child < l->heap_count && l->heap[child + 1]->heap_ns < l->heap[child]->heap_ns)
			child++;
		if (l->heap[child]->heap_ns >= t->heap_ns)
			break;
		place(l, slot, l->heap[child]);
	}
	place(l, slot, t);
}

static bool grow(struct loop *l)
{
	if (l->heap_count + 1 < l->heap_room)
		return true;
	size_t room = l->heap_room ? l->heap_room * 2 : 64;
	struct loop_timer **heap = reallocarray(l->heap, room, sizeof(*heap));
	if (!heap)
		return false;
	l->heap = heap;
	l->heap_room = room;
	return true;
}

int loop_timer_set(struct loop *l, struct loop_timer *t, int64_t at_ns)
{
	t->at_ns = at_ns;
	if (t->slot) {
		if (at_ns < t->heap_ns) {
			t->heap_ns = at_ns;
			sift_up(l, t);
		}
		return 0;
	}
	if (!grow(l))
		return ERR_NO_MEMORY;
	t->heap_ns = at_ns;
	place(l, ++l->heap_count, t);
	sift_up(l, t);
	return 0;
}

void loop_timer_clear(struct loop *l, struct loop_timer *t)
{
	if (!t->slot)
		return;
	struct loop_timer *last = l->heap[l->heap_count--];
	if (last != t) {
		place(l, t->slot, last);
		sift_up(l, last);
		sift_down(l, last);
	}
	t->slot = 0;
}

int64_t loop_timer_next(const struct loop *l)
{
	if (l->heap_count == 0)
		return -1;
	return MAX(l->heap[1]->heap_ns - l->now_ns, 0);
}

void loop_timer_fire(struct loop *l)
{
	while (l->heap_count && l->heap[1]->heap_ns <= l->now_ns) {
		struct loop_timer *t = l->heap[1];
		if (t->at_ns > t->heap_ns) { // it was pushed back meanwhile
			t->heap_ns = t->at_ns;
			sift_down(l, t);
			continue;
		}
		loop_timer_clear(l, t);
		t->fire(t);
	}
}
