// SPDX-License-Identifier: Apache-2.0
// The event loop: see loop.h. epoll is level-triggered. Events of watchers that were removed during a round are struck
// out of the batch, so a callback may free anything. The timers are in loop_timer.c.
#include "net/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "net/loop_impl.h"

static void read_clock(struct loop *l)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	l->now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t loop_now_ns(const struct loop *l)
{
	return l->now_ns;
}

static void wake_ready(struct loop_io *io, unsigned events)
{
	(void)events;
	uint64_t count;
	// Only its being readable matters; EAGAIN means that another wake-up was merged into this one.
	if (read(io->fd, &count, sizeof(count)) < 0)
		return;
}

static void wake(struct loop *l)
{
	uint64_t one = 1;
	while (write(l->wake.fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

int loop_new(struct loop **out, struct err *e)
{
	struct loop *l = calloc(1, sizeof(*l));
	if (!l)
		return err_set(e, ERR_NO_MEMORY, "out of memory for an event loop");
	signal(SIGPIPE, SIG_IGN);
	l->signals.fd = -1;
	l->wake.fd = -1;
	pthread_mutex_init(&l->lock, NULL);
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	int wake_fd = l->epoll < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (wake_fd < 0) {
		int code = err_errno(e, "create an event loop");
		loop_free(l);
		return code;
	}
	l->wake.fd = wake_fd; // loop_free() closes it whatever happens next
	l->wake.ready = wake_ready;
	int code = loop_io_add(l, &l->wake, wake_fd, LOOP_READ, e);
	if (code) {
		loop_free(l);
		return code;
	}
	read_clock(l);
	*out = l;
	return 0;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	if (l->signals.fd >= 0)
		close(l->signals.fd);
	if (l->wake.fd >= 0)
		close(l->wake.fd);
	if (l->epoll >= 0)
		close(l->epoll);
	pthread_mutex_destroy(&l->lock);
	free(l->heap);
	free(l);
}

static uint32_t epoll_bits(unsigned events)
{
	return (events & LOOP_READ ? (uint32_t)EPOLLIN : 0) | (events & LOOP_WRITE ? (uint32_t)EPOLLOUT : 0);
}

int loop_io_add(struct loop *l, struct loop_io *io, int fd, unsigned events, struct err *e)
{
	struct epoll_event event = {.events = epoll_bits(events), .data.ptr = io};
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		return err_errno(e, "watch a descriptor");
	io->fd = fd;
	io->events = events;
	io->added = true;
	return 0;
}

void loop_io_set(struct loop *l, struct loop_io *io, unsigned events)
{
	if (!io->added || io->events == events)
		return;
	struct epoll_event event = {.events = epoll_bits(events), .data.ptr = io};
	// A descriptor that is in the set and open can only be modified; there is nothing to fail.
	epoll_ctl(l->epoll, EPOLL_CTL_MOD, io->fd, &event);
	io->events = events;
}

void loop_io_remove(struct loop *l, struct loop_io *io)
{
	if (!io->added)
		return;
	epoll_ctl(l->epoll, EPOLL_CTL_DEL, io->fd, NULL);
	io->added = false;
	for (int i = l->batch_at; i < l->batch_size; i++)
		if (l->batch[i].data.ptr == io)
			l->batch[i].data.ptr = NULL;
}

static void push_task(struct loop_task **first, struct loop_task ***last, struct loop_task *t)
{
	t->next = NULL;
	t->queued = true;
	if (*first)
		**last = t;
	else
		*first = t;
	*last = &t->next;
}

void loop_post(struct loop *l, struct loop_task *t)
{
	pthread_mutex_lock(&l->lock);
	bool first = !t->queued;
	if (first)
		push_task(&l->posted, &l->posted_last, t);
	pthread_mutex_unlock(&l->lock);
	if (first)
		wake(l);
}

void loop_later(struct loop *l, struct loop_task *t)
{
	if (!t->queued)
		push_task(&l->later, &l->later_last, t);
}

void loop_later_cancel(struct loop *l, struct loop_task *t)
{
	if (!t->queued)
		return;
	for (struct loop_task **at = &l->later; *at; at = &(*at)->next) {
		if (*at != t)
			continue;
		*at = t->next;
		t->queued = false;
		if (!*at)
			l->later_last = at;
		return;
	}
}

static void run_posted(struct loop *l)
{
	for (;;) {
		pthread_mutex_lock(&l->lock);
		struct loop_task *t = l->posted;
		if (t) {
			l->posted = t->next;
			t->queued = false;
		}
		pthread_mutex_unlock(&l->lock);
		if (!t)
			return;
		t->run(t);
	}
}

// Only what was queued before: a task that queues itself again waits for the next round, so that descriptors get their
// turn.
static void run_later(struct loop *l)
{
	size_t count = 0;
	for (const struct loop_task *t = l->later; t; t = t->next)
		count++;
	while (l->later && count-- > 0) {
		struct loop_task *t = l->later;
		l->later = t->next;
		t->queued = false;
		t->run(t);
	}
}

void loop_stop(struct loop *l)
{
	atomic_store(&l->stopped, true);
	wake(l);
}

// epoll counts in milliseconds: rounded up, so that a timer is never found early and spun on.
static int wait_ms(const struct loop *l, int64_t timeout_ns)
{
	int64_t timer_ns = loop_timer_next(l);
	if (timer_ns >= 0 && (timeout_ns < 0 || timer_ns < timeout_ns))
		timeout_ns = timer_ns;
	if (timeout_ns < 0)
		return -1;
	int64_t ms = (timeout_ns + 999999) / 1000000;
	return ms > 60000 ? 60000 : (int)ms;
}

static unsigned loop_bits(uint32_t events)
{
	return (events & EPOLLIN ? LOOP_READ : 0) | (events & EPOLLOUT ? LOOP_WRITE : 0) |
	       (events & (EPOLLERR | EPOLLHUP) ? LOOP_HANGUP : 0);
}

int loop_round(struct loop *l, int64_t timeout_ns, struct err *e)
{
	int n = epoll_wait(l->epoll, l->batch, LOOP_BATCH, l->later ? 0 : wait_ms(l, timeout_ns));
	if (n < 0 && errno != EINTR)
		return err_errno(e, "wait for events");
	read_clock(l);
	l->batch_size = MAX(n, 0);
	for (l->batch_at = 0; l->batch_at < l->batch_size;) {
		struct epoll_event event = l->batch[l->batch_at++];
		struct loop_io *io = event.data.ptr;
		if (io)
			io->ready(io, loop_bits(event.events));
	}
	l->batch_size = 0;
	loop_timer_fire(l);
	run_posted(l);
	run_later(l);
	return 0;
}

int loop_run(struct loop *l, struct err *e)
{
	while (!atomic_load(&l->stopped)) {
		int code = loop_round(l, -1, e);
		if (code)
			return code;
	}
	atomic_store(&l->stopped, false);
	return 0;
}

static void signals_ready(struct loop_io *io, unsigned events)
{
	(void)events;
	struct loop *l = CONTAINER_OF(io, struct loop, signals);
	struct signalfd_siginfo info;
	while (read(io->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		l->on_signal(l->on_signal_ctx, (int)info.ssi_signo);
}

int loop_signals(
	struct loop *l, const sigset_t *set, void (*on_signal)(void *ctx, int number), void *ctx, struct err *e)
{
	pthread_sigmask(SIG_BLOCK, set, NULL);
	int fd = signalfd(-1, set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		return err_errno(e, "receive signals");
	l->on_signal = on_signal;
	l->on_signal_ctx = ctx;
	l->signals.ready = signals_ready;
	l->signals.fd = fd;
	return loop_io_add(l, &l->signals, fd, LOOP_READ, e);
}
