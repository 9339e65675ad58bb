// SPDX-License-Identifier: Apache-2.0
// What the importers of prices share: see catalog_import.h. Prices are collected by shape; at the end each row is judged
// as a whole, since a spot price may come before the one on demand.
#include "cloud/catalog_import.h"

#include <math.h>
#include <stdio.h>

#include "base/time.h"
#include "cloud/catalog_import_impl.h"
#include "cloud/http/retry.h"
#include "cloud/regions.h"

static const struct importer {
	const char *provider, *base;
	int (*run)(struct catalog_importer *m);
} importers[] = {
	{"aws", "https://pricing.us-east-1.amazonaws.com", catalog_import_aws},
	{"azure", "https://prices.azure.com", catalog_import_azure},
	{"gcp", "https://cloudbilling.googleapis.com", catalog_import_gcp},
};

static const struct importer *find_importer(struct str provider)
{
	for (size_t i = 0; i < COUNT_OF(importers); i++)
		if (str_is(provider, importers[i].provider))
			return &importers[i];
	return NULL;
}

const char *catalog_import_base(struct str provider)
{
	const struct importer *i = find_importer(provider);
	return i ? i->base : NULL;
}

void import_refuse(struct catalog_importer *m, struct str shape, const char *why)
{
	m->refused_count++;
	if (json_array_size(m->refused) >= CATALOG_REFUSED_MOST)
		return;
	json_t *one = json_object();
	json_set_str(one, "shape", str_clip(shape, CATALOG_MAX_TEXT));
	json_set_str(one, "why", str_of(why));
	json_array_append_new(m->refused, one);
}

const struct catalog_row *import_shape(const struct catalog_importer *m, struct str shape)
{
	const struct catalog known = catalog_shipped(m->from->provider);
	for (size_t i = 0; i < known.count; i++)
		if (str_is(shape, known.rows[i].shape))
			return &known.rows[i];
	return NULL;
}

static struct catalog_row *row_of(struct catalog_importer *m, const struct catalog_row *spec)
{
	struct arena *a = m->c->arena;
	for (size_t i = 0; i < m->count; i++)
		if (str_is(str_of(spec->shape), m->rows[i].shape))
			return &m->rows[i];
	if (m->count == IMPORT_MAX_SHAPES) {
		call_fail(m->c, ERR_LIMIT, "more than %d instance types in one region", IMPORT_MAX_SHAPES);
		return NULL;
	}
	struct catalog_row row = *spec;
	row.provider = arena_cstr(a, m->from->provider);
	row.region = arena_cstr(a, m->from->region);
	row.shape = arena_cstr(a, str_of(spec->shape));
	row.on_demand = row.spot = 0;
	row.confidence = "high";
	if (!row.provider || !row.region || !row.shape) {
		(void)call_no_memory(m->c);
		return NULL;
	}
	m->rows[m->count] = row;
	return &m->rows[m->count++];
}

int import_take(struct catalog_importer *m, const struct import_price *p)
{
	char why[120];
	struct str shape = str_of(p->spec->shape);
	if (!str_eq(p->currency, S("USD"))) {
		snprintf(why, sizeof(why), "its price is in \"%.*s\", not USD", STR(str_clip(p->currency, 20)));
		import_refuse(m, shape, why);
		return 0;
	}
	if (!isfinite(p->amount) || p->amount <= 0) {
		snprintf(why, sizeof(why), "%s price %.4g is no price", p->spot ? "spot" : "on-demand", p->amount);
		import_refuse(m, shape, why);
		return 0;
	}
	struct catalog_row *row = row_of(m, p->spec);
	if (!row)
		return m->c->err.code;
	double *to = p->spot ? &row->spot : &row->on_demand;
	if (*to > 0 && *to != p->amount) {
		snprintf(why, sizeof(why), "a second %s price, %.4g beside %.4g: the first is taken",
			p->spot ? "spot" : "on-demand", p->amount, *to);
		import_refuse(m, shape, why);
		return 0;
	}
	*to = p->amount;
	return 0;
}

// ---------------------------------------------------------------- pages
static int ask_page(struct call *c, struct catalog_importer *m, struct str url, struct transport_response *out)
{
	const struct sign_header headers[] = {{S("x-goog-api-key"), m->from->key}};
	const struct transport_request request = {.method = "GET",
		.url = url,
		.headers = headers,
		.header_count = m->from->key.n ? 1 : 0, // a header, so that the key is in no URL that is told or logged
		.body = S("")};
	int r = m->from->transport.perform(c, m->from->transport.ctx, &request, out);
	if (r)
		return r;
	if (out->status == 429 || out->status >= 500)
		r = call_fail(c, out->status == 429 ? ERR_THROTTLED : ERR_UNAVAILABLE, "the answer is %d", out->status);
	else if (out->status != 200)
		r = call_fail(c, out->status == 404 ? ERR_NOT_FOUND : ERR_DENIED, "the answer is %d: %.*s", out->status,
			STR(str_clip(out->body, 200)));
	c->err.http_status = r ? out->status : 0;
	return r;
}

static int fetch_page(struct call *c, struct catalog_importer *m, struct str url, json_t **out)
{
	struct transport_response answer = {0};
	int r;
	for (int attempt = 1;; attempt++) {
		r = ask_page(c, m, url, &answer);
		if (!r)
			break;
		int64_t after = retry_after_ns(transport_header(&answer, S("retry-after")), call_now_ns(c));
		if ((r = retry_pause(c, &retry_standard, attempt, after)) != 0)
			return r;
		answer = (struct transport_response){0};
	}
	if (json_parse(answer.body, out, &c->err)) {
		c->err.code = ERR_PROTOCOL;
		return call_context(c, "a page of prices is no JSON");
	}
	if (json_is_object(*out))
		return 0;
	json_decref(*out);
	*out = NULL;
	return call_fail(c, ERR_PROTOCOL, "a page of prices is no object");
}

int import_page(struct catalog_importer *m, struct str url, json_t **out)
{
	AUTO(arena) arena = {0}; // a page is forgotten before the next one comes
	struct call page;
	call_child(&page, m->c, &arena, 0);
	int r = fetch_page(&page, m, url, out);
	if (r)
		m->c->err = page.err;
	return r;
}

// ---------------------------------------------------------------- all of it
static int begin(struct catalog_importer *m)
{
	char today[TIME_TEXT_SIZE];
	struct arena *a = m->c->arena;
	time_rfc3339(call_now_ns(m->c), 0, today);
	m->date = arena_cstr(a, str_take(str_of(today), 10));
	m->source = arena_cstr(a, m->base);
	m->rows = arena_new_array(a, IMPORT_MAX_SHAPES, struct catalog_row);
	m->refused = json_in_arena(a, json_array());
	return m->date && m->source && m->rows && m->refused ? 0 : call_no_memory(m->c);
}

// Rows that hold, in place; what a row lacks is told.
static void judge(struct catalog_importer *m)
{
	char why[120];
	size_t kept = 0;
	for (size_t i = 0; i < m->count; i++) {
		struct catalog_row row = m->rows[i];
		row.source = m->source;
		row.date = m->date;
		if (row.spot > row.on_demand && row.on_demand > 0) {
			snprintf(why, sizeof(why), "spot %.4g is above %.4g on demand: not taken", row.spot, row.on_demand);
			import_refuse(m, str_of(row.shape), why);
			row.spot = 0;
		}
		if (row.on_demand > 0)
			m->rows[kept++] = row;
		else
			import_refuse(m, str_of(row.shape), "a spot price without one on demand");
	}
	m->count = kept;
}

int catalog_import(struct call *c, const struct catalog_source *from, struct catalog_imported *out)
{
	const struct importer *importer = find_importer(from->provider);
	if (!importer)
		return call_fail(c, ERR_INVALID, "prices of \"%.*s\" cannot be imported: aws, azure or gcp",
			STR(str_clip(from->provider, 40)));
	if (!region_find(from->provider, from->region)) // also what makes it safe in a URL
		return call_fail(c, ERR_INVALID, "%s has no region \"%.*s\"", importer->provider, STR(str_clip(from->region, 40)));
	struct catalog_importer m = {
		.c = c, .from = from, .base = from->base.n ? from->base : str_of(importer->base)};
	int r = begin(&m);
	if (!r)
		r = importer->run(&m);
	if (!r) {
		judge(&m);
		if (!m.count)
			r = call_fail(c, ERR_NOT_FOUND, "not one usable price in it (%zu refused)", m.refused_count);
	}
	if (r)
		return call_context(c, "import prices of %s %.*s from %.*s", importer->provider, STR(from->region), STR(m.base));
	*out = (struct catalog_imported){{m.rows, m.count}, m.refused, m.refused_count};
	return 0;
}
