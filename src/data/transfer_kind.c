// SPDX-License-Identifier: Apache-2.0
// The table of transfers.
#include "data/transfer_kind.h"

#include "data/places.h"

// GDPR, chapter V: articles 45, 46 and 49.
static const char *const bases[] = {"adequacy decision", "standard contractual clauses", "binding corporate rules",
	"code of conduct", "certification", "explicit consent", "contract", "legal claims", "vital interests",
	"public interest", NULL};

static const struct field fields[] = {
	{.name = "what",
		.type = FIELD_REF,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct data_transfer, what),
		.refers = "dataset|transform|training|model|endpoint|route",
		.help = "exactly the thing that may leave, as an address: model/fraud"},
	{.name = "to",
		.type = FIELD_PLACES,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct data_transfer, to),
		.help = "countries, and laws of operators, that it may go to beside those of its residency"},
	{.name = "basis",
		.type = FIELD_CHOICE,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct data_transfer, basis),
		.choices = bases,
		.help = "legal basis (GDPR, chapter V)"},
	{.name = "reference",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct data_transfer, reference),
		.help = "where the decision is written down: DPO-2025-014"},
	{.name = "until",
		.type = FIELD_DATE,
		.flags = FIELD_REQUIRED | FIELD_IN_PLACE,
		.offset = offsetof(struct data_transfer, until_ns),
		.help = "last day on which it holds; validate fails afterwards"},
};

static void check_places(const struct kind_check *c, const struct field_list *to)
{
	const struct str *places = to->items;
	for (size_t i = 0; i < to->count; i++) {
		struct str meant = {0};
		if (places_check(places[i], &meant) == 0)
			continue;
		kind_check_add(c, "to", meant.n ? arena_printf(c->f->arena, "did you mean \"%.*s\"?", STR(meant)) : meant,
			"\"%.*s\" is the code of no country, and not EU", STR(places[i]));
	}
}

static void check_transfer(const struct kind_check *c)
{
	const struct data_transfer *t = c->value;
	if (kind_check_sound(c, "what") && t->what.name.n && !t->what.kind.n)
		kind_check_add(c, "what", arena_printf(c->f->arena, "write it out, such as model/%.*s", STR(t->what.name)),
			"several kinds of things may be meant");
	if (kind_check_sound(c, "to"))
		check_places(c, &t->to);
	if (kind_check_sound(c, "to") && t->to.all)
		kind_check_add(c, "to", S("name the places"), "a transfer leads somewhere: \"anywhere\" would be no bound");
}

const struct kind transfer_kind = {
	.plural = "transfers",
	.singular = "transfer",
	.help = "a door out of a residency: what may go where, on which basis, until when",
	.example = "transfers:\n"
		   "  us-support:\n"
		   "    what: model/fraud\n"
		   "    to: US\n"
		   "    basis: standard contractual clauses\n"
		   "    reference: DPO-2025-014\n"
		   "    until: \"2027-06-30\"\n",
	.size = sizeof(struct data_transfer),
	KIND_FIELDS(fields),
	.check = check_transfer,
};

const struct resource_handler transfer_handler = {.kind = &transfer_kind};
