// SPDX-License-Identifier: Apache-2.0
// The report: one HTML page about a workspace, with its style and charts inside, so that it loads nothing and can be
// mailed or kept. It is made from the journal, the registry and the audit logs, never from what somebody says happened.
#include "api/report_impl.h"
#include "base/time.h"

static const char style[] =
	":root{--bg:#fff;--fg:#1c2430;--soft:#6b7685;--rule:#dfe4ea;--good:#157f4f;--bad:#b3261e}"
	"@media(prefers-color-scheme:dark){:root{--bg:#12161c;--fg:#e4e8ee;--soft:#95a1b2;--rule:#2a323d;--good:#"
	"4cc38a;--bad:#ff8a80}}"
	"body{background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;max-width:780px;margin:2rem "
	"auto;padding:0 1rem}"
	"h1{font-size:1.6rem;margin-bottom:0}h2{font-size:1.15rem;margin:2.2rem 0 "
	".2rem}p.about{color:var(--soft);margin:.1rem 0 .6rem}"
	"table{border-collapse:collapse;width:100%;font-size:.9rem}th,td{text-align:left;padding:.25rem .8rem .25rem 0;"
	"border-bottom:1px solid var(--rule)}td.n,th.n{text-align:right}svg{width:100%;height:auto}"
	".grid{stroke:var(--rule)}.tick,.label{fill:var(--soft);font-size:11px}.line{fill:none;stroke-width:2}"
	".legend{font-size:.85rem;color:var(--soft)}.key{display:inline-block;width:.8em;height:.8em;margin:0 .35em 0 "
	".9em;border-radius:2px}"
	".none{color:var(--soft)}.good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}code{"
	"font-size:.85em}"
	".c0{--c:#2f6fde}.c1{--c:#e07b26}.c2{--c:#2a9d6f}.c3{--c:#8a55c9}.c4{--c:#c8344f}.c5{--c:#7b8794}"
	".line{stroke:var(--c)}.area,.dot,.span{fill:var(--c)}.area{opacity:.8}.key{background:var(--c)}";

void report_heading(struct report *r, const char *title, const char *explained)
{
	buf_printf(&r->out, "<h2>%s</h2>\n<p class=\"about\">%s</p>\n", title, explained);
}

int report_ask(
	struct report *r, int (*handle)(struct api_request *r, json_t **result), const char *query, const json_t **out)
{
	struct api_request inner = *r->request;
	json_t *result = NULL;
	inner.query = str_of(query);
	inner.emit = NULL;
	int rc = handle(&inner, &result);
	if (rc < 0)
		return rc;
	*out = json_in_arena(r->request->call->arena, result);
	return *out ? 0 : call_no_memory(r->request->call);
}

static void write_head(struct report *r, const char *name)
{
	char at[TIME_TEXT_SIZE];
	time_rfc3339(call_now_ns(r->request->call), 0, at);
	buf_add(&r->out, S("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"));
	buf_add(&r->out, S("<meta name=\"viewport\" content=\"width=device-width\">"));
	buf_add(&r->out, S("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
			   "'unsafe-inline'\">"));
	buf_add(&r->out, S("<title>Isobar: "));
	html_escape(str_of(name), &r->out);
	buf_printf(&r->out, "</title><style>%s</style></head>\n<body>\n<h1>", style);
	html_escape(str_of(name), &r->out);
	buf_printf(&r->out,
		"</h1>\n<p class=\"about\">Report of %s, made by Isobar %s from the journal and the audit logs.</p>\n",
		at, ISOBAR_VERSION);
}

// ---------------------------------------------------------------- audit
static void write_verdict(struct report *r, const json_t *g)
{
	bool intact = json_flag(g, "intact", false), complete = json_flag(g, "complete", false);
	buf_add(&r->out, S("<tr><td>gateway/"));
	html_escape(json_str(g, "gateway"), &r->out);
	buf_printf(&r->out,
		"</td><td class=\"n\">%lld</td><td class=\"%s\">%s</td><td "
		"class=\"n\">%lld</td><td><code>%.16s…</code></td></tr>\n",
		(long long)json_int(g, "records", 0), intact && complete ? "good" : "bad",
		intact && complete ? "complete and unaltered"
		: intact           ? "unaltered, but records are missing"
				   : "altered",
		(long long)json_int(g, "heads_checked", 0), json_text(g, "root"));
}

static int report_audit(struct report *r)
{
	const json_t *verdict = NULL, *g;
	size_t i;
	int rc = report_ask(r, handle_audit_verify, "", &verdict);
	if (rc < 0)
		return rc;
	report_heading(r, "Audit",
		"Every answer of a gateway has a record, chained to the one before it; verified now against heads kept "
		"elsewhere.");
	const json_t *gateways = json_object_get(verdict, "gateways");
	if (json_array_size(gateways) == 0) {
		buf_add(&r->out, S("<p class=\"none\">No gateway has run.</p>\n"));
		return 0;
	}
	buf_add(&r->out, S("<table><tr><th>Log</th><th class=\"n\">Records</th><th>Verdict</th><th class=\"n\">Heads "
			   "compared</th>"
			   "<th>Merkle root</th></tr>\n"));
	json_array_foreach(gateways, i, g) write_verdict(r, g);
	buf_add(&r->out, S("</table>\n"));
	return 0;
}

// ---------------------------------------------------------------- cost
static int report_cost(struct report *r)
{
	const json_t *cost = NULL, *t;
	size_t i;
	int rc = report_ask(r, handle_cost, "", &cost);
	if (rc < 0)
		return rc;
	report_heading(
		r, "Bytes between clouds", "What moved from one cloud to another, at the list price of the sender.");
	buf_add(&r->out,
		S("<table><tr><th>From</th><th>To</th><th class=\"n\">MB</th><th class=\"n\">Price</th></tr>\n"));
	json_array_foreach(json_object_get(cost, "transfers"), i, t)
	{
		buf_add(&r->out, S("<tr><td>"));
		html_escape(json_str(t, "from"), &r->out);
		buf_add(&r->out, S("</td><td>"));
		html_escape(json_str(t, "to"), &r->out);
		buf_printf(&r->out, "</td><td class=\"n\">%.2f</td><td class=\"n\">%.6f ",
			(double)json_int(t, "bytes", 0) / 1e6, json_num(t, "price", 0));
		html_escape(json_str(t, "currency"), &r->out);
		buf_add(&r->out, S("</td></tr>\n"));
	}
	buf_printf(&r->out,
		"<tr><td>in all</td><td></td><td class=\"n\">%.2f</td><td class=\"n\">%.6f</td></tr></table>\n",
		(double)json_int(cost, "bytes_moved", 0) / 1e6, json_num(cost, "price", 0));
	return 0;
}

// ---------------------------------------------------------------- the page
static int write_page(struct report *r)
{
	write_head(r, r->session.loaded ? arena_cstr(r->request->call->arena, r->session.workspace.name) : "workspace");
	int rc = report_training(r);
	if (rc == 0)
		rc = report_serving(r);
	if (rc == 0)
		rc = report_audit(r);
	if (rc == 0)
		rc = report_cost(r);
	buf_add(&r->out, S("</body></html>\n"));
	return rc < 0 ? rc : buf_check(&r->out, &r->request->call->err);
}

int handle_report(struct api_request *r, json_t **result)
{
	struct report report = {.request = r};
	session_begin(r, &report.session);
	int rc = session_load(&report.session);
	if (rc == 0)
		rc = session_read_state(&report.session);
	if (rc == 0)
		rc = write_page(&report);
	if (rc == 0) {
		*result = json_object();
		json_set_str(*result, "html", buf_str(&report.out));
	}
	buf_free(&report.out);
	return rc;
}
