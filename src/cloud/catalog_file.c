// SPDX-License-Identifier: Apache-2.0
// Rows of prices as JSON: see catalog.h. A file may come from anywhere, so each member is checked before it is taken.
#include <math.h>

#include "cloud/catalog.h"

json_t *catalog_row_json(const struct catalog_row *r)
{
	json_t *j = json_pack("{s:s,s:s,s:s,s:f,s:f,s:s,s:I,s:f,s:s,s:s,s:s}", "provider", r->provider, "region", r->region,
		"shape", r->shape, "vcpu", r->vcpu, "memory_gib", r->memory_gib, "accelerator", r->accelerator, "count",
		(json_int_t)r->count, "on_demand", r->on_demand, "source", r->source, "date", r->date, "confidence",
		r->confidence);
	if (j && r->spot > 0)
		json_object_set_new(j, "spot", json_real(r->spot));
	return j;
}

json_t *catalog_json(const struct catalog *all)
{
	json_t *rows = json_array();
	for (size_t i = 0; rows && i < all->count; i++) {
		if (json_array_append_new(rows, catalog_row_json(&all->rows[i]))) {
			json_decref(rows);
			return NULL;
		}
	}
	return json_pack("{s:s,s:s,s:o}", "format", "isobar-prices/1", "currency", "USD", "rows", rows);
}

static int read_text(const json_t *row, const char *name, struct arena *a, const char **out, struct err *e)
{
	struct str text;
	int r = json_need_str(row, name, &text, e);
	if (r)
		return r;
	if (text.n > CATALOG_MAX_TEXT)
		return err_set(e, ERR_LIMIT, "\"%s\" has more than %d bytes", name, CATALOG_MAX_TEXT);
	*out = arena_cstr(a, text);
	return *out ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

static int read_number(const json_t *row, const char *name, double *out, struct err *e)
{
	const json_t *value = json_object_get(row, name);
	if (!json_is_number(value) || !isfinite(json_number_value(value)))
		return err_set(e, ERR_INVALID, "\"%s\" is no number", name);
	*out = json_number_value(value);
	return 0;
}

static int read_texts(const json_t *j, struct arena *a, struct catalog_row *row, struct err *e)
{
	const struct {
		const char *name;
		const char **to;
	} texts[] = {{"provider", &row->provider}, {"region", &row->region}, {"shape", &row->shape},
		{"accelerator", &row->accelerator}, {"source", &row->source}, {"date", &row->date},
		{"confidence", &row->confidence}};
	int r = 0;
	for (size_t i = 0; !r && i < COUNT_OF(texts); i++)
		r = read_text(j, texts[i].name, a, texts[i].to, e);
	return r;
}

static int read_row(const json_t *j, struct arena *a, struct catalog_row *row, struct err *e)
{
	int64_t count = 0;
	int r = read_texts(j, a, row, e);
	if (!r)
		r = read_number(j, "vcpu", &row->vcpu, e);
	if (!r)
		r = read_number(j, "memory_gib", &row->memory_gib, e);
	if (!r)
		r = read_number(j, "on_demand", &row->on_demand, e);
	if (!r && json_object_get(j, "spot"))
		r = read_number(j, "spot", &row->spot, e);
	if (!r)
		r = json_need_int(j, "count", &count, e);
	if (!r && (count < 0 || count > 1024))
		return err_set(e, ERR_INVALID, "\"count\" is not between 0 and 1024");
	row->count = (unsigned)count;
	return r;
}

int catalog_of_json(const json_t *file, struct arena *a, struct catalog *out, struct err *e)
{
	const json_t *rows = json_object_get(file, "rows");
	size_t n = json_array_size(rows);
	if (!str_eq(json_str(file, "format"), S("isobar-prices/1")) || !json_is_array(rows))
		return err_set(e, ERR_INVALID, "no file of prices: \"format\" isobar-prices/1 and \"rows\" are missing");
	if (!str_eq(json_str(file, "currency"), S("USD")))
		return err_set(e, ERR_INVALID, "\"currency\" is not USD, and prices are not converted");
	if (n > CATALOG_MAX_ROWS)
		return err_set(e, ERR_LIMIT, "%zu rows, and %d are the most", n, CATALOG_MAX_ROWS);
	struct catalog_row *all = arena_new_array(a, n + 1, struct catalog_row);
	if (!all)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < n; i++) {
		int r = read_row(json_array_get(rows, i), a, &all[i], e);
		if (r) {
			err_context(e, "row %zu", i + 1);
			return r;
		}
	}
	*out = (struct catalog){.rows = all, .count = n};
	return 0;
}

int catalog_read(const char *path, struct arena *a, struct catalog *out, struct err *e)
{
	AUTO(json) file = NULL;
	int r = json_parse_file(path, CATALOG_FILE_MAX, &file, e);
	if (!r)
		r = catalog_of_json(file, a, out, e);
	if (r)
		err_context(e, "prices of %s", path);
	return r;
}
