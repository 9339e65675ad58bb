// SPDX-License-Identifier: Apache-2.0
// The price list of Amazon EC2 in one region, as CSV ("Reading the service price list file", AWS Billing user guide): a
// few lines about the file, then a line of names that begins with "SKU", then one line a price. Read as it comes, one
// record in memory. Taken is what an hour of Linux on a shared machine costs; the list has no spot prices, and names no
// accelerator, only how many there are: which one follows from the family.
#include <string.h>

#include "cloud/catalog_import_impl.h"

enum { CSV_MAX_FIELDS = 256, CSV_MAX_RECORD = 64 << 10 };
#define CSV_MAX_FILE (UINT64_C(4) << 30)

enum column {
	TERM, UNIT, PRICE, CURRENCY, REGION, TYPE, TENANCY, SYSTEM, VCPU, MEMORY, GPU, CAPACITY, SOFTWARE, COLUMNS
};
static const char *const column_names[COLUMNS] = {"TermType", "Unit", "PricePerUnit", "Currency", "Region Code",
	"Instance Type", "Tenancy", "Operating System", "vCPU", "Memory", "GPU", "CapacityStatus", "Pre Installed S/W"};

static const struct {
	const char *family, *accelerator;
} families[] = {{"g4dn", "T4"}, {"g5", "A10G"}, {"g6", "L4"}, {"g6e", "L40S"}, {"gr6", "L4"}, {"p3", "V100-16GB"},
	{"p3dn", "V100-32GB"}, {"p4d", "A100-40GB"}, {"p4de", "A100-80GB"}, {"p5", "H100"}, {"p5e", "H200"},
	{"p5en", "H200"}, {"p6-b200", "B200"}};

struct price_list {
	struct catalog_importer *m;
	struct buf record;                // the fields of the record, one behind the other
	size_t ends[CSV_MAX_FIELDS];      // of the fields that are whole
	size_t fields;
	bool quoted, was_quote;
	uint64_t total;
	bool named;           // the line of names was there
	size_t at[COLUMNS];   // field of each column
};

static struct str field(const struct price_list *p, size_t i)
{
	if (i >= p->fields)
		return S("");
	size_t from = i ? p->ends[i - 1] : 0;
	return str_bytes(p->record.p + from, p->ends[i] - from);
}

static struct str cell(const struct price_list *p, enum column column)
{
	return field(p, p->at[column]);
}

static int read_names(struct price_list *p)
{
	for (size_t k = 0; k < COLUMNS; k++) {
		size_t i = 0;
		while (i < p->fields && !str_is(field(p, i), column_names[k]))
			i++;
		if (i == p->fields)
			return call_fail(p->m->c, ERR_PROTOCOL, "the price list has no column \"%s\"", column_names[k]);
		p->at[k] = i;
	}
	p->named = true;
	return 0;
}

static void read_about(struct price_list *p)
{
	int64_t day;
	struct str date = str_take(field(p, 1), 10); // "2026-11-20T18:03:11Z"
	if (str_is(field(p, 0), "Publication Date") && date.n == 10 && catalog_day(date, &day) == 0) {
		const char *text = arena_cstr(p->m->c->arena, date);
		p->m->date = text ? text : p->m->date;
	}
}

static bool is_wanted(const struct price_list *p)
{
	return str_is(cell(p, TERM), "OnDemand") && str_is(cell(p, UNIT), "Hrs") &&
		str_is(cell(p, TENANCY), "Shared") && str_is(cell(p, SYSTEM), "Linux") &&
		str_is(cell(p, CAPACITY), "Used") && str_is(cell(p, SOFTWARE), "NA") &&
		str_eq(cell(p, REGION), p->m->from->region) && cell(p, TYPE).n;
}

static const char *accelerator_of(struct str type)
{
	struct str family, size;
	str_cut(type, '.', &family, &size);
	for (size_t i = 0; i < COUNT_OF(families); i++)
		if (str_is(family, families[i].family))
			return families[i].accelerator;
	return NULL;
}

// False, and told: a machine that cannot be described.
static bool read_spec(struct price_list *p, struct arena *a, struct catalog_row *spec)
{
	struct str type = cell(p, TYPE), gib, unit;
	uint64_t count = 0;
	str_cut(cell(p, MEMORY), ' ', &gib, &unit); // "1,152 GiB" has no comma since 2022
	if (type.n > 60 || str_to_f64(cell(p, VCPU), &spec->vcpu) || str_to_f64(gib, &spec->memory_gib) ||
		!str_is(unit, "GiB") || spec->vcpu <= 0 || spec->memory_gib <= 0) {
		import_refuse(p->m, type, "its processors or memory cannot be read");
		return false;
	}
	spec->accelerator = "";
	if (cell(p, GPU).n && (str_to_u64(cell(p, GPU), &count) || count > 64 || (count && !accelerator_of(type)))) {
		import_refuse(p->m, type, "which accelerators it has is not known");
		return false;
	}
	if (count)
		spec->accelerator = accelerator_of(type);
	spec->count = (unsigned)count;
	spec->shape = arena_cstr(a, type);
	return spec->shape;
}

static int take_record(struct price_list *p)
{
	AUTO(arena) arena = {0};
	struct catalog_row spec = {0};
	struct import_price price = {.spec = &spec, .currency = cell(p, CURRENCY)};
	if (!is_wanted(p) || !read_spec(p, &arena, &spec))
		return 0;
	if (str_to_f64(cell(p, PRICE), &price.amount))
		price.amount = 0; // told as no price
	return import_take(p->m, &price);
}

static int end_record(struct price_list *p)
{
	int r = 0;
	if (p->named)
		r = take_record(p);
	else if (str_is(field(p, 0), "SKU"))
		r = read_names(p);
	else
		read_about(p);
	p->fields = 0;
	buf_clear(&p->record);
	return r;
}

static int end_field(struct price_list *p)
{
	if (p->fields == CSV_MAX_FIELDS)
		return call_fail(p->m->c, ERR_LIMIT, "a line of the price list has more than %d fields", CSV_MAX_FIELDS);
	p->ends[p->fields++] = p->record.n;
	p->was_quote = false;
	return 0;
}

// RFC 4180: a quote within quotes is written twice.
static int take_byte(struct price_list *p, char b)
{
	int r = 0;
	if (p->quoted && b == '"') {
		p->quoted = false;
		p->was_quote = true;
	} else if (!p->quoted && b == '"') {
		if (p->was_quote)
			buf_add_char(&p->record, '"');
		p->quoted = true;
	} else if (p->quoted || (b != ',' && b != '\n' && b != '\r')) {
		buf_add_char(&p->record, b);
	} else if (b != '\r') {
		r = end_field(p);
		if (!r && b == '\n')
			r = end_record(p);
	}
	return r;
}

static int take_piece(void *ctx, struct str piece)
{
	struct price_list *p = ctx;
	int r = call_check(p->m->c);
	p->total += piece.n;
	if (!r && p->total > CSV_MAX_FILE)
		r = call_fail(p->m->c, ERR_LIMIT, "the price list is longer than 4 GiB");
	for (size_t i = 0; !r && i < piece.n; i++)
		r = take_byte(p, piece.p[i]);
	return r ? r : buf_check(&p->record, &p->m->c->err);
}

static int take_head(void *ctx, const struct transport_response *answer)
{
	(void)ctx;
	(void)answer;
	return 0;
}

int catalog_import_aws(struct catalog_importer *m)
{
	struct price_list *p = arena_new(m->c->arena, struct price_list);
	struct str url = arena_printf(m->c->arena, "%.*s/offers/v1.0/aws/AmazonEC2/current/%.*s/index.csv", STR(m->base),
		STR(m->from->region));
	struct transport_response answer = {0};
	if (!p || !url.p)
		return call_no_memory(m->c);
	*p = (struct price_list){.m = m, .record = {.limit = CSV_MAX_RECORD}};
	const struct transport_request request = {
		.method = "GET", .url = url, .body = S(""), .head = take_head, .data = take_piece, .ctx = p};
	int r = m->from->transport.perform(m->c, m->from->transport.ctx, &request, &answer);
	if (!r && answer.status != 200)
		r = call_fail(m->c, answer.status == 404 ? ERR_NOT_FOUND : ERR_UNAVAILABLE, "the answer is %d", answer.status);
	if (!r && (p->record.n || p->quoted || p->fields))
		r = call_fail(m->c, ERR_PROTOCOL, "the price list ends within a line");
	if (!r && !p->named)
		r = call_fail(m->c, ERR_PROTOCOL, "the price list has no line of names");
	buf_free(&p->record);
	return r;
}
