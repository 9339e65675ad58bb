// SPDX-License-Identifier: Apache-2.0
// The services of a pocket cloud: see service.h.
#include "pocket/service.h"

#include "base/time.h"
#include "pocket/pocket_impl.h"

static const struct pocket_service *const *table(const struct pocket *p)
{
	return p->front->services;
}

// ---------------------------------------------------------------- life

static void tick(struct loop_timer *t)
{
	struct pocket *p = CONTAINER_OF(t, struct pocket, service_timer);
	int64_t now_ns = p->edges->mono_ns(p->edges->ctx);
	bool more = false;
	for (size_t i = 0; i < p->service_count; i++)
		if (table(p)[i]->tick && table(p)[i]->tick(p->service_states[i], now_ns))
			more = true;
	if (more)
		service_wake(p);
}

void service_wake(struct pocket *p)
{
	if (p->service_timer.slot || !p->service_count)
		return;
	p->service_timer.fire = tick;
	// Without memory for the timer the next request tries again.
	(void)!loop_timer_set(p->loop, &p->service_timer, loop_now_ns(p->loop) + SERVICE_TICK_MS * NS_PER_MS);
}

int services_open(struct pocket *p, struct err *e)
{
	for (; table(p)[p->service_count]; p->service_count++) {
		const struct pocket_service *s = table(p)[p->service_count];
		if (p->service_count == SERVICES_MAX)
			return err_set(e, ERR_LIMIT, "a pocket cloud has at most %d services", SERVICES_MAX);
		int rc = s->open ? s->open(p, &p->service_states[p->service_count], e) : 0;
		if (rc < 0)
			return err_context(e, "the service %s", s->name);
	}
	service_wake(p);
	return 0;
}

void services_close(struct pocket *p)
{
	loop_timer_clear(p->loop, &p->service_timer);
	while (p->service_count) {
		const struct pocket_service *s = table(p)[--p->service_count];
		if (s->close)
			s->close(p->service_states[p->service_count]);
	}
}

int64_t service_pace_ns(const struct pocket *p, int64_t provider_ns)
{
	return provider_ns / MAX(p->pace, 1);
}

void *service_state(const struct pocket *p, const struct pocket_service *s)
{
	for (size_t i = 0; i < p->service_count; i++)
		if (table(p)[i] == s)
			return p->service_states[i];
	return NULL;
}

// ---------------------------------------------------------------- requests

// The fourth part of KEY/DAY/REGION/SERVICE/aws4_request, in the header or in the query of a presigned address.
static struct str signed_for(const struct front_request *r)
{
	struct str rest = front_header(r, "authorization"), part = S("");
	ptrdiff_t at = str_starts(rest, S("AWS4-")) ? str_find(rest, S("Credential=")) : -1;
	if (at >= 0)
		str_cut(str_drop(rest, (size_t)at + 11), ',', &rest, &part);
	else
		rest = front_query(r, "X-Amz-Credential");
	for (int i = 0; i < 4; i++)
		if (!str_next(&rest, '/', &part))
			return S("");
	return part;
}

void service_pick(struct front_request *r)
{
	const struct pocket *p = r->pocket;
	if (!p->service_count)
		return;
	r->signed_for = signed_for(r);
	for (size_t i = 0; i < p->service_count; i++) {
		if (!table(p)[i]->matches(r))
			continue;
		r->service = table(p)[i];
		r->service_state = p->service_states[i];
		service_wake(r->pocket);
		return;
	}
}

void service_reply_json(struct front_request *r, int status, json_t *j)
{
	AUTO(json) owned = j;
	AUTO(buf) out = {0};
	int rc = owned ? json_write(owned, &out, &r->err) : err_set(&r->err, ERR_NO_MEMORY, "out of memory");
	if (rc < 0) {
		front_fail(r);
		return;
	}
	if (!http_header_get(&r->out, "content-type").p)
		front_add(r, "content-type", S("application/json"));
	front_reply_buf(r, status, &out);
}
