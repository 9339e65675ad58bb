// SPDX-License-Identifier: Apache-2.0
// A transport that is watched: see watch.h.
#include "cloud/http/watch.h"

#include <stdlib.h>

struct watched {
	struct http_transport below;
	const struct transport_watch *watch;
};

struct tee { // of one streamed answer
	const struct transport_request *request;
	struct buf body;
};

static int tee_head(void *ctx, const struct transport_response *r)
{
	const struct tee *tee = ctx;
	return tee->request->head ? tee->request->head(tee->request->ctx, r) : 0;
}

static int tee_data(void *ctx, struct str piece)
{
	struct tee *tee = ctx;
	buf_add(&tee->body, piece);
	return tee->request->data(tee->request->ctx, piece);
}

static int perform(struct call *c, void *ctx, const struct transport_request *request, struct transport_response *out)
{
	const struct watched *w = ctx;
	struct tee tee = {.request = request, .body = {.limit = TRANSPORT_WATCH_MOST}};
	struct transport_request copy = *request;
	if (request->data) {
		copy.head = tee_head;
		copy.data = tee_data;
		copy.ctx = &tee;
	}
	if (w->watch->before)
		w->watch->before(w->watch->ctx, request);
	int r = w->below.perform(c, w->below.ctx, &copy, out);
	struct transport_response nothing = {0};
	w->watch->seen(w->watch->ctx, request, r ? &nothing : out,
		r            ? S("")
		: tee.body.n ? buf_str(&tee.body)
			     : out->body,
		r);
	buf_free(&tee.body);
	return r;
}

static void close_watched(void *ctx)
{
	struct watched *w = ctx;
	w->below.close(w->below.ctx);
	free(w);
}

int transport_watch_open(struct http_transport *t, const struct transport_watch *watch, struct err *e)
{
	struct watched *w = calloc(1, sizeof(*w));
	if (!w) {
		t->close(t->ctx);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	*w = (struct watched){.below = *t, .watch = watch};
	*t = (struct http_transport){.ctx = w, .perform = perform, .close = close_watched};
	return 0;
}
