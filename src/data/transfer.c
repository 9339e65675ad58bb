// SPDX-License-Identifier: Apache-2.0
// Counting and pricing bytes between clouds. Prices are per GB (10^9 bytes) as the table of the sending cloud gives
// them.
#include "data/transfer.h"

static const char transfer_event[] = "transfer.done";

int transfer_price(struct call *c, const struct transfer *t, struct price *per_gb, double *amount)
{
	if (!t->from || t->from == t->to) {
		*per_gb = (struct price){.currency = S("USD"),
			.unit = S("GB"),
			.source = S("sending is free here"),
			.date = S(""),
			.confidence = S("high")};
		*amount = 0;
		return 0;
	}
	struct str to = S("internet");
	if (t->to && str_eq(t->to->provider, t->from->provider))
		to = S("same-cloud");
	else if (t->to)
		to = arena_printf(c->arena, "%.*s/%.*s", STR(t->to->provider), STR(t->to->region));
	if (!to.p)
		return call_no_memory(c);
	if (CLOUD_CALL(c, t->from, prices, egress, to, per_gb))
		return call_context(c, "price of bytes from %.*s", STR(t->from->name));
	*amount = (double)t->bytes / 1e9 * per_gb->amount;
	return 0;
}

static struct str end_name(const struct cloud *cloud)
{
	return cloud ? cloud->name : S("here");
}

static json_t *transfer_to_json(const struct transfer *t, const struct price *per_gb, double amount)
{
	json_t *j = json_object();
	json_set_str(j, "from", end_name(t->from));
	json_set_str(j, "to", end_name(t->to));
	json_object_set_new(j, "bytes", json_integer((json_int_t)t->bytes));
	json_set_str(j, "what", t->what);
	json_set_str(j, "id", t->id);
	json_object_set_new(j, "price", json_real(amount));
	json_set_str(j, "currency", per_gb->currency);
	json_set_str(j, "price_date", per_gb->date);
	json_set_str(j, "price_source", per_gb->source);
	json_set_str(j, "confidence", per_gb->confidence);
	return j;
}

// One record an id, written with its event: when an action is repeated after a crash, the record is there and nothing
// is counted twice.
static int append_once(struct call *c, const struct state *s, const struct transfer *t, json_t *data)
{
	const struct state_note note = {.key = arena_printf(c->arena, "transfer/%.*s", STR(t->id)),
		.value = data,
		.type = str_of(transfer_event),
		.address = t->what,
		.data = json_incref(data)};
	int code = note.key.p ? state_put_noted(c, s, &note) : call_no_memory(c);
	json_decref(data);
	if (code != ERR_CONFLICT)
		return code;
	err_clear(&c->err);
	return 0;
}

int transfer_record(struct call *c, const struct state *s, const struct transfer *t)
{
	struct price per_gb = {0};
	double amount = 0;
	if (!t->bytes || t->from == t->to)
		return 0;
	if (transfer_price(c, t, &per_gb, &amount))
		return c->err.code;
	json_t *data = transfer_to_json(t, &per_gb, amount);
	return t->id.n ? append_once(c, s, t, data)
		       : state_append_one(c, s, str_of(transfer_event), t->what, data, NULL);
}

// ---------------------------------------------------------------- sums
static struct transfer_total *row_of(struct transfer_total *rows, size_t *count, const json_t *data)
{
	struct str from = json_str(data, "from"), to = json_str(data, "to"), currency = json_str(data, "currency");
	for (size_t i = 0; i < *count; i++)
		if (str_eq(rows[i].from, from) && str_eq(rows[i].to, to) && str_eq(rows[i].currency, currency))
			return &rows[i];
	rows[*count] = (struct transfer_total){.from = from, .to = to, .currency = currency};
	return &rows[(*count)++];
}

int transfer_totals(struct call *c, const struct state *s, struct transfer_total **out, size_t *count)
{
	struct event *events = NULL;
	size_t event_count, n = 0;
	if (state_read_all(c, s, str_of(transfer_event), S(""), &events, &event_count))
		return c->err.code;
	struct transfer_total *rows = arena_new_array(c->arena, event_count + 1, struct transfer_total);
	if (!rows)
		return call_no_memory(c);
	for (size_t i = 0; i < event_count; i++) {
		struct transfer_total *row = row_of(rows, &n, events[i].data);
		row->bytes += (uint64_t)json_int(events[i].data, "bytes", 0);
		row->price += json_num(events[i].data, "price", 0);
	}
	*out = rows;
	*count = n;
	return 0;
}
