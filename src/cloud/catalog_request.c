// SPDX-License-Identifier: Apache-2.0
// Requests about prices: see catalog_request.h.
#include "cloud/catalog_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cloud/catalog_import.h"

enum { KEY_FILE_MAX = 4096 };

// The rows of the file that is named, before the shipped ones; or these alone.
static int open_rows(struct call *c, const json_t *request, bool alone, struct catalog *out)
{
	const char *path = json_text(request, "prices");
	struct catalog mine = {0};
	if (!*path)
		return catalog_with(c->arena, NULL, out, &c->err);
	int r = catalog_read(path, c->arena, &mine, &c->err);
	if (r || alone) {
		*out = r ? *out : mine;
		return r;
	}
	return catalog_with(c->arena, &mine, out, &c->err);
}

// ---------------------------------------------------------------- list
static int cheaper(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return *x < *y ? -1 : *x > *y;
}

struct listed {
	double price; // first: what is sorted by
	size_t row;
};

static int sort_rows(struct call *c, const struct catalog *all, const struct catalog_need *need, json_t *into)
{
	struct listed *fits = arena_new_array(c->arena, all->count + 1, struct listed);
	size_t n = 0;
	if (!fits)
		return call_no_memory(c);
	for (size_t i = 0; i < all->count; i++)
		if (catalog_fits(&all->rows[i], need))
			fits[n++] = (struct listed){catalog_price(&all->rows[i], need->spot), i};
	qsort(fits, n, sizeof(*fits), cheaper);
	for (size_t i = 0; i < n; i++)
		if (json_array_append_new(into, catalog_row_json(&all->rows[fits[i].row])))
			return call_no_memory(c);
	return 0;
}

static int list_prices(struct call *c, const json_t *request, json_t **result)
{
	const double gib = json_num(request, "memory_gib", 0);
	const int64_t count = json_int(request, "count", 0);
	struct catalog all = {0};
	if (!(gib >= 0 && gib < 1e6) || count < 0 || count > 1024)
		return call_fail(c, ERR_INVALID, "memory of %g GiB or %lld accelerators are no machine's", gib, (long long)count);
	const struct catalog_need need = {.provider = json_str(request, "cloud"),
		.region = json_str(request, "region"),
		.accelerator = json_str(request, "accelerator"),
		.cpu = json_num(request, "cpu", 0),
		.memory = (uint64_t)(gib * (1 << 30)),
		.count = (unsigned)count,
		.spot = json_flag(request, "spot", false)};
	int r = open_rows(c, request, false, &all);
	if (r)
		return r;
	json_t *rows = json_array();
	r = sort_rows(c, &all, &need, rows);
	if (r) {
		json_decref(rows);
		return r;
	}
	*result = json_pack("{s:o}", "rows", rows);
	return *result ? 0 : call_no_memory(c);
}

// ---------------------------------------------------------------- check
static void note_finding(void *ctx, const struct catalog_finding *f)
{
	json_t *one = json_object();
	json_object_set_new(one, "fault", json_string(catalog_fault_word(f->fault)));
	json_set_str(one, "text", str_of(f->text));
	json_array_append_new(ctx, one);
}

static int check_prices(struct call *c, const json_t *request, json_t **result)
{
	struct catalog all = {0};
	int r = open_rows(c, request, true, &all);
	if (r)
		return r;
	json_t *findings = json_array();
	(void)catalog_check(&all, call_now_ns(c), note_finding, findings);
	*result = json_pack("{s:I,s:o}", "rows", (json_int_t)all.count, "findings", findings);
	return *result ? 0 : call_no_memory(c);
}

// ---------------------------------------------------------------- import
static int read_key(struct call *c, const json_t *request, struct buf *key)
{
	const char *path = json_text(request, "key_file");
	if (!*path)
		return 0;
	int r = file_read(path, KEY_FILE_MAX, key, &c->err);
	if (r)
		return call_context(c, "the key of the price interface");
	return 0;
}

static int run_import(struct call *c, const json_t *request, struct catalog_imported *got)
{
	AUTO(buf) key = {0};
	struct str host, provider = json_str(request, "cloud"), base = json_str(request, "url");
	const char *usual = catalog_import_base(provider);
	struct catalog_source from = {
		.provider = provider, .region = json_str(request, "region"), .base = base.n ? base : str_of(usual)};
	if (!usual)
		return call_fail(c, ERR_INVALID, "prices of \"%.*s\" cannot be imported: aws, azure or gcp", STR(provider));
	int r = transport_host(from.base, c->arena, &host, &c->err);
	if (!r)
		r = read_key(c, request, &key);
	const struct transport_options options = {.hosts = &host, .host_count = 1};
	if (!r)
		r = curl_transport_open(&options, &from.transport, &c->err);
	if (r)
		return r;
	from.key = str_trim(buf_str(&key));
	r = catalog_import(c, &from, got);
	from.transport.close(from.transport.ctx);
	if (key.p)
		explicit_bzero(key.p, key.n);
	return r;
}

static int import_prices(struct call *c, const json_t *request, json_t **result)
{
	const char *path = json_text(request, "out");
	struct catalog_imported got = {0};
	AUTO(buf) text = {0};
	if (!*path)
		return call_fail(c, ERR_INVALID, "an import needs a file to write: --out FILE");
	int r = run_import(c, request, &got);
	if (r)
		return r;
	AUTO(json) file = catalog_json(&got.rows);
	r = file ? json_write_pretty(file, &text, &c->err) : call_no_memory(c);
	if (!r)
		r = file_write_atomic(path, buf_str(&text), 0644, &c->err);
	if (r)
		return r;
	*result = json_pack("{s:I,s:s,s:O,s:I}", "rows", (json_int_t)got.rows.count, "file", path, "refused", got.refused,
		"refused_count", (json_int_t)got.refused_count);
	return *result ? 0 : call_no_memory(c);
}

int catalog_request(struct call *c, const json_t *request, json_t **result)
{
	struct str what = json_str(request, "do");
	if (str_is(what, "list"))
		return list_prices(c, request, result);
	if (str_is(what, "check"))
		return check_prices(c, request, result);
	if (str_is(what, "import"))
		return import_prices(c, request, result);
	return call_fail(c, ERR_INVALID, "\"%.*s\" is nothing to do with prices: list, check or import", STR(what));
}
