// SPDX-License-Identifier: Apache-2.0
// Routes of single acts beside plan and apply: an override, an adoption, an approval.
#include <string.h>

#include "api/handlers.h"
#include "base/hash.h"
#include "base/time.h"
#include "infra/approvals.h"
#include "infra/override_field.h"
#include "state/override.h"
#include "state/resource_common.h"

// ---------------------------------------------------------------- overrides
// "endpoint/classify" stands for it on each of its clouds.
static bool is_meant(struct str address, struct str wanted)
{
	return str_eq(address, wanted) || (str_starts(address, wanted) && str_starts(str_drop(address, wanted.n), S(" on ")));
}

static int read_value(struct session *s, const struct resource *r, struct str field, struct str text, json_t **value)
{
	const struct kind *const *kinds = control_get_options(s->request->control)->parts->kinds;
	const struct kind *kind = kind_find(kinds, r->kind);
	if (!kind)
		return call_fail(s->call, ERR_NOT_FOUND, "%.*s is of no kind that this program knows", STR(r->address));
	json_t *read = NULL;
	int rc = override_field_read(kind, field, text, &read, &s->call->err);
	if (rc < 0)
		return rc;
	*value = json_in_arena(s->call->arena, read);
	return *value ? 0 : call_no_memory(s->call);
}

static int set_one(struct session *s, const struct resource *r, json_t *list)
{
	const json_t *body = s->request->body;
	int64_t expires = json_int(body, "expires_s", 0);
	struct override o = {.address = r->address,
		.field = json_str(body, "field"),
		.author = s->call->principal,
		.reason = json_str(body, "reason")};
	int rc = read_value(s, r, o.field, json_str(body, "value"), &o.value);
	if (rc == 0 && expires > 0)
		o.expires_ns = call_now_ns(s->call) + expires * NS_PER_S;
	if (rc == 0)
		rc = override_set(s->call, s->binding.state, &o);
	if (rc < 0)
		return call_context(s->call, "override %.*s", STR(r->address));
	json_t *one = json_object();
	json_set_str(one, "address", r->address);
	json_object_set(one, "value", o.value);
	json_array_append_new(list, one);
	return 0;
}

static int check_override(struct session *s)
{
	const json_t *body = s->request->body;
	if (!json_str(body, "address").n || !json_str(body, "field").n || !json_str(body, "value").n)
		return call_fail(s->call, ERR_INVALID, "an override needs an address, a field and a value");
	if (!json_str(body, "reason").n)
		return call_fail(s->call, ERR_INVALID, "an override needs a reason, for those who find it: --reason TEXT");
	if (json_int(body, "expires_s", 0) < 0)
		return call_fail(s->call, ERR_INVALID, "an override cannot have expired before it is made");
	return 0;
}

int handle_override_set(struct api_request *r, json_t **result)
{
	struct session s;
	AUTO(json) list = json_array();
	session_begin(r, &s);
	struct str wanted = json_str(r->body, "address");
	int rc = check_override(&s);
	if (rc == 0)
		rc = session_read_state(&s);
	for (size_t i = 0; rc == 0 && i < s.recorded_count; i++) {
		if (is_meant(s.recorded[i].address, wanted))
			rc = set_one(&s, &s.recorded[i], list);
	}
	if (rc == 0 && json_array_size(list) == 0)
		rc = call_fail(r->call, ERR_NOT_FOUND, "there is no resource %.*s: declare and apply it", STR(wanted));
	if (rc == 0)
		*result = json_pack("{s:O}", "overrides", list);
	return rc;
}

// ---------------------------------------------------------------- adopt
struct adoption {
	const struct resource *declared;
	const struct resource_handler *handler;
	struct resource r; // to be recorded
	struct str from;   // whose it was
};

// An address without its cloud is the usual slip: the whole ones are named.
static int not_declared(struct session *s, struct str address)
{
	AUTO(buf) whole = {0};
	struct str start = arena_printf(s->call->arena, "%.*s on ", STR(address));
	for (size_t i = 0; i < s->workspace.resource_count && whole.n < 500; i++) {
		if (start.n && str_starts(s->workspace.resources[i].address, start))
			buf_printf(&whole, "%s\"%.*s\"", whole.n ? ", " : "", STR(s->workspace.resources[i].address));
	}
	if (whole.n)
		return call_fail(s->call, ERR_NOT_FOUND, "%.*s lies on clouds: say which of %.*s is adopted", STR(address),
			STR(buf_str(&whole)));
	return call_fail(s->call, ERR_NOT_FOUND, "the workspace declares no %.*s: write it down before it is adopted",
		STR(str_clip(address, 200)));
}

static int find_declared(struct session *s, struct adoption *a)
{
	struct str address = json_str(s->request->body, "address");
	for (size_t i = 0; i < s->recorded_count; i++) {
		if (str_eq(s->recorded[i].address, address) && !str_eq(s->recorded[i].status, S("failed")))
			return call_fail(s->call, ERR_EXISTS, "%.*s is recorded already, as %.*s", STR(address),
				STR(s->recorded[i].cloud_id));
	}
	for (size_t i = 0; i < s->workspace.resource_count; i++) {
		if (str_eq(s->workspace.resources[i].address, address))
			a->declared = &s->workspace.resources[i];
	}
	if (!a->declared)
		return not_declared(s, address);
	a->handler = infra_handler(&s->infra, a->declared->kind);
	if (!a->handler || !a->handler->read || !a->handler->update)
		return call_fail(s->call, ERR_UNSUPPORTED, "a %.*s cannot be adopted: nothing of it lies at a provider",
			STR(a->declared->kind));
	return 0;
}

static int check_id(struct session *s, const struct adoption *a)
{
	struct str id = json_str(s->request->body, "id"), name = json_str(a->declared->resolved, "name");
	if (resource_is_kept(a->declared))
		return call_fail(s->call, ERR_INVALID, "%.*s says `existing: keep`: it is used and not adopted",
			STR(a->declared->address));
	if (!id.n)
		return call_fail(s->call, ERR_INVALID, "the provider's id of %.*s is missing", STR(a->declared->address));
	if (name.n && !str_eq(name, id))
		return call_fail(s->call, ERR_INVALID, "%.*s is declared with the name %.*s, which is not %.*s",
			STR(a->declared->address), STR(name), STR(id));
	return 0;
}

static int check_owner(struct session *s, struct adoption *a, const json_t *outputs)
{
	const json_t *owner = json_object_get(outputs, "owner");
	struct str by = json_str(owner, "by"), given = json_str(s->request->body, "from");
	if (!by.n || str_eq_nocase(by, given)) {
		a->from = by;
		return 0;
	}
	return call_fail(s->call, ERR_DENIED,
		"%.*s belongs to %.*s (%s): %s; say --from '%.*s' when it has let go, or shall lose it",
		STR(a->declared->address), STR(by), json_text(owner, "mark"), json_text(owner, "advice"), STR(by));
}

static int new_uid(struct call *c, struct str *out)
{
	unsigned char bytes[16];
	char hex[2 * sizeof(bytes) + 1];
	if (c->edges->random(c->edges->ctx, bytes, sizeof(bytes)) < 0)
		return call_fail(c, ERR_IO, "the system gives no randomness");
	hex_encode(str_bytes(bytes, sizeof(bytes)), hex);
	*out = arena_str(c->arena, str_of(hex));
	return out->p ? 0 : call_no_memory(c);
}

// What is written and what is there may differ: the record holds what is there, so that the next plan names each field.
static int record_as_it_is(struct session *s, struct adoption *a, json_t *outputs)
{
	struct call *c = s->call;
	json_t *resolved = json_in_arena(c->arena, json_copy((json_t *)(uintptr_t)a->declared->resolved));
	struct resource_common *common = arena_new(c->arena, struct resource_common);
	const char *name;
	json_t *value;
	if (!resolved || !common)
		return call_no_memory(c);
	json_object_foreach(json_object_get(outputs, "settings"), name, value)
	{
		if (json_object_get(resolved, name))
			json_object_set(resolved, name, value);
	}
	if (a->declared->common)
		*common = *a->declared->common;
	common->labels = (struct field_list){0};
	a->r.resolved = resolved;
	a->r.common = common;
	a->r.outputs = json_in_arena(c->arena, outputs);
	return a->r.outputs ? 0 : call_no_memory(c);
}

// Marked at once: from here on nobody else's Isobar takes it.
static int take(struct session *s, struct adoption *a)
{
	json_t *outputs = NULL;
	a->r = *a->declared;
	a->r.cloud_id = json_str(s->request->body, "id");
	a->r.status = S("ready");
	int rc = new_uid(s->call, &a->r.uid);
	if (rc == 0)
		rc = a->handler->read(s->call, a->handler->ctx, &a->r, &outputs);
	if (rc == 0)
		rc = check_owner(s, a, outputs);
	if (rc == 0)
		rc = record_as_it_is(s, a, json_incref(outputs));
	json_decref(outputs);
	outputs = NULL;
	if (rc == 0)
		rc = a->handler->update(s->call, a->handler->ctx, &a->r, NULL, &outputs);
	if (rc == 0)
		rc = record_as_it_is(s, a, outputs);
	return rc;
}

static int record_adoption(struct session *s, struct adoption *a)
{
	json_t *data = json_object();
	json_set_str(data, "cloud_id", a->r.cloud_id);
	json_set_str(data, "uid", a->r.uid);
	json_set_str(data, "from", a->from);
	return resource_put_noted(s->call, s->binding.state, &a->r, S("resource.adopted"), data);
}

int handle_adopt(struct api_request *r, json_t **result)
{
	AUTO(session) s;
	struct adoption a = {0};
	session_begin(r, &s);
	int rc = session_open_workspace(&s);
	if (rc == 0)
		rc = session_lock(&s);
	if (rc == 0)
		rc = session_open_clouds(&s);
	if (rc == 0)
		rc = find_declared(&s, &a);
	if (rc == 0)
		rc = check_id(&s, &a);
	if (rc == 0)
		rc = take(&s, &a);
	if (rc == 0)
		rc = record_adoption(&s, &a);
	if (rc == 0) {
		*result = json_pack("{s:O}", "outputs", a.r.outputs);
		json_set_str(*result, "address", a.r.address);
		json_set_str(*result, "uid", a.r.uid);
	}
	return rc;
}

// ---------------------------------------------------------------- approvals
int handle_approve(struct api_request *r, json_t **result)
{
	struct session s;
	struct approval_rule rule;
	int64_t given = 0;
	session_begin(r, &s);
	int rc = session_open_workspace(&s);
	if (rc == 0) {
		rule = session_approvals(&s);
		rc = approvals_give(r->call, s.binding.state, &rule, json_str(r->body, "digest"),
			json_str(r->body, "note"), &given);
	}
	if (rc == 0)
		*result = json_pack("{s:I, s:I}", "given", (json_int_t)given, "needed", (json_int_t)rule.needed);
	return rc;
}

int handle_approvals(struct api_request *r, json_t **result)
{
	struct session s;
	json_t *list = NULL;
	session_begin(r, &s);
	int rc = session_read_state(&s);
	if (rc == 0)
		rc = approvals_list(r->call, s.binding.state, &list);
	if (rc == 0)
		*result = json_pack("{s:o}", "approvals", list);
	return rc;
}
