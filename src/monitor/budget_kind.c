// SPDX-License-Identifier: Apache-2.0
// The table of budgets.
#include "monitor/budget_kind.h"

static const char *const acts[] = {"warn", "stop new jobs", "stop jobs", NULL};

static const struct field of_fields[] = {
	{.name = "owner",
		.type = FIELD_REF,
		.refers = "group|user",
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct budget_of, owner),
		.help = "things of this owner: group/ml-returns"},
	{.name = "labels",
		.type = FIELD_LABELS,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct budget_of, labels),
		.help = "things with all of these labels"},
	{.name = "clouds",
		.type = FIELD_CLOUDS,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct budget_of, clouds),
		.otherwise = "all",
		.help = "things on these clouds"},
};
static const struct kind of_kind = {
	.singular = "of",
	.help = "whose costs count",
	.size = sizeof(struct budget_of),
	KIND_FIELDS(of_fields),
};

static const struct field fields[] = {
	{.name = "of",
		.type = FIELD_BLOCK,
		.block = &of_kind,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct budget, of),
		.help = "whose costs count; without it, those of the whole workspace"},
	{.name = "at_most",
		.type = FIELD_MONEY,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct budget, at_most),
		.help = "money for a time: 200 EUR/month"},
	{.name = "warn_at",
		.type = FIELD_PERCENT,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct budget, warn_at),
		.otherwise = "80%",
		.min = 0.01,
		.max = 1,
		.help = "share of it at which people are told"},
	{.name = "when_spent",
		.type = FIELD_CHOICE,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct budget, when_spent),
		.choices = acts,
		.otherwise = "warn",
		.help = "what happens then; endpoints are never stopped for money"},
	{.name = "notify",
		.type = FIELD_LIST,
		.item = FIELD_REF,
		.refers = "channel",
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct budget, notify),
		.help = "channels that are told"},
};

static void check_budget(const struct kind_check *c)
{
	const struct budget *b = c->value;
	static const char *const times[] = {"day", "week", "month", "year"};
	bool known = !kind_check_sound(c, "at_most");
	for (size_t i = 0; i < COUNT_OF(times); i++)
		known = known || str_eq(b->at_most.per, str_of(times[i]));
	if (!known)
		kind_check_add(c, "at_most", S("write it as 200 EUR/month"),
			"a budget is money for a day, week, month or year");
}

const struct kind budget_kind = {
	.plural = "budgets",
	.singular = "budget",
	.help = "how much things may cost, who is told, and what happens when it is spent",
	.example = "budgets:\n"
		   "  team: {of: {owner: group/ml-returns}, at_most: 200 EUR/month, warn_at: 80%, when_spent: stop new jobs, "
		   "notify: [oncall]}\n",
	.size = sizeof(struct budget),
	KIND_FIELDS(fields),
	.check = check_budget,
	.waits = true,
};

const struct resource_handler budget_handler = {.kind = &budget_kind};
