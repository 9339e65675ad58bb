// SPDX-License-Identifier: Apache-2.0
// The table of routes: all that the control plane answers. docs/api.md is written from it.
#include <string.h>

#include "api/handlers.h"

#define OBJECT_EVENTS "object {action, from, to?, bytes, dry_run, error?}; progress {step, done, total, unit}"

const struct api_route api_routes[] = {
	ROUTE("GET", "/v1/health", "workspace.read", handle_health,
		.summary = "Whether the control plane answers, and who it is.",
		.response = "{status: \"ok\", version, pid, serving, folder}"),
	ROUTE("POST", "/v1/validate", "workspace.read", handle_validate,
		.summary = "Reads and checks the workspace, in all environments when none is chosen; makes no call and "
			   "changes nothing.",
		.request = "{document: false}: true adds what was read, before anything is filled in",
		.response = "{valid, workspace, resources: COUNT, environments: [{environment, resources}], document, "
			    "findings: [{file, line, "
			    "column, field, problem, "
			    "suggestion}]}",
		.events = "finding {file, line, column, field, problem, suggestion}"),
	ROUTE("POST", "/v1/plan", "workspace.plan", handle_plan,
		.summary = "What apply (or destroy) would do; with refresh_only what changed outside of Isobar.",
		.request = "{color: false, destroy: false, refresh_only: false}",
		.response =
			"{digest, empty, create, update, replace, delete, use, adopt, move, forget, refresh, waiting, "
			"refused, resources: COUNTS, changes: of what has something to say [{address, action: "
			"nothing | create | update | replace | delete | use | adopt | move | forget | refresh, "
			"fields: [{path, before, after, replaces}], drift?, moved_from?, waiting?, later?, refused?, "
			"note?}], overrides: [...], text, workspace, environment, approvals: NEEDED, timing: {diff_ms, "
			"total_ms}}",
		.events = "finding"),
	ROUTE("POST", "/v1/apply", "workspace.apply", handle_apply,
		.summary = "Makes what the workspace declares. With the digest of a plan, only exactly that plan.",
		.request = "{digest?, refresh_only: false}", .response = "{revision, done, waiting: COUNTS}",
		.events = "finding; change {address, action, state: started | done | failed | skipped, error?, "
			  "waiting?, seconds, finished, "
			  "total}"),
	ROUTE("POST", "/v1/destroy", "workspace.destroy", handle_destroy,
		.summary = "Deletes everything that the workspace recorded. Buckets must be empty, or objects true.",
		.request = "{digest?, objects: false}", .response = "{revision, done, objects_removed}",
		.events = "change, as apply"),
	ROUTE("POST", "/v1/runs", "pipeline.run", handle_run,
		.summary = "Makes a goal and what it is made from, like make: what is out of date, in order.",
		.request = "{goal: \"model/classifier@champion\" | \"training/NAME\" | \"pipeline/NAME\" | ...}",
		.response = "{goal, steps: [{step, run, digest, need, up_to_date}], endpoints_pending}",
		.events = "run {goal, steps}; progress {step, what, done, total, unit, text?}"),
	ROUTE("POST", "/v1/runs/plan", "pipeline.read", handle_run_plan, .summary = "What a run would make, in order.",
		.request = "{goal}", .response = "{steps: [{step, run, digest, need, up_to_date}]}"),
	ROUTE("POST", "/v1/deploy", "endpoint.deploy", handle_deploy,
		.summary =
			"Brings endpoints to their declared state once; inside `isobar up` its loop does so by itself.",
		.response = "{endpoints_pending}"),
	ROUTE("POST", "/v1/rollback", "endpoint.deploy", handle_rollback,
		.summary = "Takes an alias or the endpoints of one name back to an earlier version, by overrides.",
		.request = "{target: \"model/NAME@ALIAS\" | \"endpoint/NAME\", version?, reason?, for_ns?}",
		.response = "{model, alias, from, to, overridden: [ADDRESS], endpoints_pending}"),
	ROUTE("GET", "/v1/status", "workspace.read", handle_status,
		.summary = "What runs and where; looking starts nothing.",
		.response = "{workspace, folder, environment, serving, revision, resources: {total, ready, waiting, "
			    "failed}, clouds: "
			    "[{name, provider, region, pocket, up, url, pid}], endpoints: [{address, state, url, "
			    "version, generation, "
			    "pids}], gateways: [{name, url, admin_url, pid, up}], expires?, expired?, stays?: why it "
			    "was not "
			    "taken down, recorder?, isolation, control_planes?: [{plane, host, pid, folder, since}]}"),
	ROUTE("POST", "/v1/down", "workspace.apply", handle_down,
		.summary = "Ends the processes of the workspace (endpoints, gateways, pocket clouds); records and data "
			   "stay. Not inside "
			   "`isobar up`.",
		.response = "{stopped, control_planes?: those that share the state and go on with what runs}"),
	ROUTE("GET", "/v1/resources", "workspace.read", handle_resources,
		.summary = "The records of everything that was applied.",
		.response = "{resources: [{address, status, reason, uid, cloud_id, resolved, outputs}]}"),
	ROUTE("GET", "/v1/models", "model.read", handle_models, .summary = "Versions and aliases of the models.",
		.response = "{models: [{name, versions: [{version, sha256, metrics, lineage, clouds, created}], "
			    "aliases: {NAME: {version, "
			    "needs, at}}}]}"),
	ROUTE("GET", "/v1/endpoints", "endpoint.read", handle_endpoints,
		.summary = "What each endpoint on each cloud was last seen to be.",
		.response = "{endpoints: [{id, address, state, url, version, generation, pids, reason}]}"),
	ROUTE("GET", "/v1/overrides", "override.read", handle_overrides, .summary = "Run-time changes in force.",
		.response = "{overrides: [{address, field, value, author, reason, made, expires}]}"),
	ROUTE("POST", "/v1/overrides", "override.set", handle_override_set,
		.summary =
			"Changes a field while it runs, where the field's row lets an operator do so; apply keeps it.",
		.request = "{address, field, value: TEXT as in the file, reason, expires_s?: 0 is until it is ended}",
		.response = "{overrides: [{address, value}]}"),
	ROUTE("POST", "/v1/adopt", "workspace.apply", handle_adopt,
		.summary = "Takes over what exists already at a provider and is declared; from names whose it was.",
		.request = "{address, id, from?}", .response = "{address, uid, outputs}", .events = "finding"),
	ROUTE("POST", "/v1/approvals", "plan.approve", handle_approve, .summary = "Approves a plan by its digest.",
		.request = "{digest, note?}", .response = "{given, needed: COUNTS}", .events = "finding"),
	ROUTE("GET", "/v1/approvals", "workspace.read", handle_approvals,
		.summary = "Approvals that are not spent yet.",
		.response = "{approvals: [{digest, by: [{who, at, note}]}]}"),
	ROUTE("DELETE", "/v1/overrides/{address}", "override.end", handle_override_end, .summary = "Ends an override.",
		.request = "?field=NAME (when there are several) &reason=TEXT", .response = "{ended: {...}}"),
	ROUTE("GET", "/v1/alerts", "alert.read", handle_alerts, .summary = "Alerts, firing and resolved.",
		.response = "{alerts: [{id, monitor, rule, cloud, state, since, ended, value, summary}]}"),
	ROUTE("GET", "/v1/events", "event.read", handle_events, .summary = "The journal, in order.",
		.request = "?since=SEQUENCE&limit=1000&type=PREFIX&wait=SECONDS (for something newer than since)",
		.response = "{events: [{sequence, time, schema, type, address, principal, trace, data}], head}"),
	ROUTE("GET", "/v1/audit/verify", "audit.verify", handle_audit_verify,
		.summary = "Verifies the audit logs of all gateways against the heads kept in state.",
		.response = "{verified, intact, complete, records, gateways: [{gateway, records, verified, intact, "
			    "complete, gaps, lost, "
			    "heads_checked, root, reason, public_key, bad_index?}]}"),
	ROUTE("GET", "/v1/cost", "cost.read", handle_cost, .summary = "Bytes moved between clouds, and their price.",
		.response = "{bytes_moved, price, currency, transfers: [{from, to, bytes, price, currency}]}"),
	ROUTE("GET", "/v1/why/{thing}", "workspace.read", handle_why,
		.summary = "The story of anything Isobar printed: its history, its causes, what followed, what it cost.",
		.response = "{thing, kind, at, by, trace, history: [{at, by, text}], because, then: [{id, kind, label, depth, "
			    "at, by, text}], "
			    "cost: {bytes, amount, currency, of_all: {bytes, amount}}, more}"),
	ROUTE("GET", "/v1/report", "report.read", handle_report,
		.summary = "One HTML page about the workspace, with nothing to load.", .response = "{html}"),
	ROUTE("GET", "/v1/init", "workspace.read", handle_init,
		.summary = "A first workspace as a text: an empty one, or one of what the credentials of this machine "
			   "can see. "
			   "Changes nothing and writes nothing.",
		.request = "?name=TEXT&from=aws,gcp,azure,kubernetes,slurm&region=NAME",
		.response =
			"{workspace, text, clouds: [{cloud, provider, region, who, account, buckets: COUNT}], unseen: "
			"[TEXT]}"),
	ROUTE("GET", "/v1/check", "workspace.read", handle_check,
		.summary =
			"As whom, on which account and region, which parts of the clouds work, which permissions lack, "
			"what quota is left. Changes nothing.",
		.request = "?cloud=NAME (else all)",
		.response =
			"{ok, clouds: [{cloud, provider, region, location, who?, account?, kind?, error?, parts: "
			"[{part, "
			"engine, state: works | fails | unsupported, reason?}], permissions: [{permission, verdict: "
			"allowed | denied | not tested | failed, calls, bucket?, reason?}], buckets: [{bucket, state: "
			"there | absent | denied | failed, location?, unseen?, reason?}], quota: {state, reason}, "
			"lacks: [TEXT], ok}]}"),
	ROUTE("POST", "/v1/check/deep", "workspace.apply", handle_check_deep,
		.summary =
			"The drivers' conformance cases in a scratch bucket on one cloud's account, taken down again.",
		.request = "{cloud, at_most: \"1EUR\", record?: PATH, server?: TEXT}",
		.response = "{cloud, bucket, ok, failed, skipped: COUNTS, cases: [{part, name, verdict: ok | failed | "
			    "skipped, reason?}], cost: {amount, currency, basis}, record?}",
		.events = "progress"),
	ROUTE("GET", "/v1/permissions", "workspace.read", handle_permissions,
		.summary = "The least that Isobar needs on a cloud's account, in the provider's own language; makes no "
			   "call.",
		.request = "?cloud=NAME&read_only=1&deep=1", .response = "{cloud, provider, policy: TEXT}"),
	ROUTE("GET", "/v1/guards", "workspace.read", handle_guards,
		.summary = "Policies in the providers' own languages that keep data where the workspace lets it lie; "
			   "nothing is sent.",
		.response = "{files: [{path, content, about, put}]}"),
	// A PLACE is CLOUD:bucket/key, s3://bucket/key, gs://bucket/key, az://container/key, or a path of the control
	// plane's machine.
	ROUTE("POST", "/v1/backup", "state.backup", handle_backup,
		.summary = "Writes all of the state, as it is at one moment, and the workspace's keys into a file of the "
			   "control plane's machine.",
		.request = "{file: ABSOLUTE PATH, keys: sealed | plain | none, passphrase?: \"env:NAME\" | \"file:PATH\" | "
			   "\"keyring:NAME\" | \"secret/NAME\"}",
		.response = "{file, events, records, files: COUNTS}"),
	ROUTE("POST", "/v1/restore", "state.restore", handle_restore,
		.summary = "Puts a backup into an empty state (or, with force, in place of another). Not inside `isobar up`.",
		.request = "{file, keys?: none, passphrase?, force: false}", .response = "{file, events, records, files: COUNTS}"),
	ROUTE("GET", "/v1/objects", "data.read", handle_objects_list, .summary = "What lies at a place.",
		.request = "?at=PLACE&recursive=1", .response = "{objects: [{name, size, modified}]}"),
	ROUTE("GET", "/v1/objects/content", "data.read", handle_objects_read, .summary = "The bytes of an object.",
		.request = "?at=PLACE&offset=0&length=BYTES", .response = "{bytes: COUNT}", .events = "bytes {base64}"),
	ROUTE("POST", "/v1/objects/copy", "data.write", handle_objects_copy,
		.summary = "Copies an object or a file, or all below a place; paths of files are those of the control "
			   "plane's machine.",
		.request =
			"{from, to, recursive?, update?, checksum?, dry_run?, include?: [], exclude?: [], parallel?}",
		.response = "{objects, skipped, bytes, sha256?}", .events = OBJECT_EVENTS),
	ROUTE("POST", "/v1/objects/move", "data.write", handle_objects_move,
		.summary = "The same, and removes the source once the target is proven.", .request = "as copy",
		.response = "{objects, skipped, bytes, sha256?}", .events = OBJECT_EVENTS),
	ROUTE("POST", "/v1/objects/sync", "data.write", handle_objects_sync,
		.summary = "Makes a place hold what another holds.",
		.request = "{from, to, delete?, checksum?, dry_run?, include?, exclude?, parallel?}",
		.response = "{objects, skipped, deleted, bytes}", .events = OBJECT_EVENTS),
	ROUTE("POST", "/v1/objects/clear", "data.write", handle_objects_clear,
		.summary = "Removes what is selected below a place.",
		.request = "{from, dry_run?, include?, exclude?, parallel?}", .response = "{deleted}",
		.events = OBJECT_EVENTS),
	ROUTE("POST", "/v1/objects/verify", "data.read", handle_objects_verify,
		.summary = "Reads all below a place against its store's checksums, or compares it with another place.",
		.request = "{from, to?, include?, exclude?, parallel?}", .response = "{objects, bytes}",
		.events = OBJECT_EVENTS),
	ROUTE("POST", "/v1/objects/usage", "data.read", handle_objects_usage, .summary = "How much lies below a place.",
		.request = "{from, include?, exclude?}",
		.response = "{below: [{name, objects, bytes}], objects, bytes}"),
	ROUTE("DELETE", "/v1/objects", "data.write", handle_objects_remove, .summary = "Removes objects.",
		.request = "?at=PLACE&recursive=1", .response = "{removed}"),
};
const size_t api_route_count = COUNT_OF(api_routes);

static void write_cell(FILE *out, const char *name, const char *text)
{
	if (text)
		fprintf(out, "- %s: `%s`\n", name, text);
}

void api_write_reference(FILE *out)
{
	fputs("# The control plane's API\n\n"
	      "Written by `isobar reference --api`; do not edit.\n\n"
	      "`isobar up` serves it on a loopback port: `.isobar/control.json` holds url and pid, "
	      "`.isobar/control.token` the bearer token.\n"
	      "The same table answers inside every command when no control plane runs.\n\n"
	      "With `Accept: application/x-ndjson` the answer is a line for each event, `{\"event\": NAME, ...}`, and "
	      "a last line that is\n"
	      "`{\"result\": ...}` or `{\"error\": {\"code\", \"message\", \"retryable\"}}`. Without it, the answer is "
	      "the result, or the error with its\n"
	      "HTTP status. Members with `?` may be absent.\n",
		out);
	for (size_t i = 0; i < api_route_count; i++) {
		const struct api_route *r = &api_routes[i];
		fprintf(out, "\n## %s %s\n\n%s\n\n- permission: `%s`\n", r->method, r->pattern, r->summary,
			r->permission);
		write_cell(out, strchr(r->request ? r->request : "", '?') == r->request ? "query" : "body", r->request);
		write_cell(out, "result", r->response);
		write_cell(out, "events", r->events);
	}
}
