// SPDX-License-Identifier: Apache-2.0
// Checking a cloud without changing anything. See check.h; check --deep is check_deep.c.
#include "infra/check.h"

#include <string.h>

#include "cloud/identity.h"
#include "cloud/registry.h"
#include "cloud/secrets.h"
#include "infra/accounts.h"

struct check {
	struct call *c;
	const struct check_request *r;
	json_t *out, *lacks;
	bool reached;      // the provider knows us: further calls are worth it
	struct str bucket; // of the workspace, that is there; "": none
};

static void lack(struct check *x, const char *what, struct str why)
{
	AUTO(buf) text = {0};
	buf_printf(&text, "%s%s%.*s", what, why.n ? ": " : "", STR(why));
	json_array_append_new(x->lacks, json_of_str(buf_str(&text)));
}

static bool is_over(int rc)
{
	return rc == ERR_CANCELLED || rc == ERR_NO_MEMORY;
}

// The error of a call that failed, kept as text; the call goes on unless it is over.
static int take_error(struct check *x, int rc, struct str *why)
{
	if (is_over(rc) || (rc == ERR_TIMEOUT && call_check(x->c)))
		return rc;
	*why = arena_str(x->c->arena, str_of(x->c->err.message));
	err_clear(&x->c->err);
	return 0;
}

// ---------------------------------------------------------------- who

// Who tells nobody who they are (a hall of one's own) may still have a store that lets us in.
static int check_store(struct check *x)
{
	struct str why = S("");
	int rc = CLOUD_CALL(x->c, x->r->cloud, store, bucket_head, S("isobar-check-none"));
	x->reached = rc == 0 || rc == ERR_NOT_FOUND;
	if (x->reached) {
		err_clear(&x->c->err);
		return 0;
	}
	rc = take_error(x, rc, &why);
	if (rc == 0) {
		json_set_str(x->out, "error", why);
		lack(x, "store", why);
	}
	return rc;
}

static int check_who(struct check *x)
{
	const struct cloud *cloud = x->r->cloud;
	struct cloud_identity who;
	struct str why = S("");
	int rc = CLOUD_CALL(x->c, cloud, identity, whoami, &who);
	if (rc == 0) {
		x->reached = true;
		json_set_str(x->out, "who", who.who);
		json_set_str(x->out, "account", who.account);
		json_set_str(x->out, "kind", who.kind);
		return 0;
	}
	bool told = rc != ERR_UNSUPPORTED;
	rc = take_error(x, rc, &why);
	if (rc || !told)
		return rc ? rc : check_store(x);
	json_set_str(x->out, "error", why);
	lack(x, "identity", why);
	return 0;
}

// ---------------------------------------------------------------- buckets

static int check_bucket(struct check *x, struct str bucket, json_t *list)
{
	const struct cloud *cloud = x->r->cloud;
	struct bucket_facts facts = {0};
	struct str why = S("");
	int rc = CLOUD_CALL(x->c, cloud, identity, describe, bucket, &facts);
	if (rc == ERR_UNSUPPORTED)
		rc = CLOUD_CALL(x->c, cloud, store, bucket_head, bucket);
	const char *state = rc == 0                                         ? "there"
			    : rc == ERR_NOT_FOUND                           ? "absent"
			    : rc == ERR_DENIED || rc == ERR_UNAUTHENTICATED ? "denied"
									    : "failed";
	bool there = rc == 0, lacks = !there && rc != ERR_NOT_FOUND;
	if (rc && (rc = take_error(x, rc, &why)))
		return rc;
	json_t *one = json_pack("{s:o, s:s}", "bucket", json_of_str(bucket), "state", state);
	if (facts.location.n)
		json_set_str(one, "location", facts.location);
	if (facts.unseen.n)
		json_set_str(one, "unseen", facts.unseen);
	// Where bytes lie is a promise: a bucket elsewhere than its cloud says breaks it.
	bool elsewhere = facts.location.n && cloud->region.n && !str_eq_nocase(facts.location, cloud->region);
	if (elsewhere)
		why = arena_printf(
			x->c->arena, "lies in %.*s, and its cloud in %.*s", STR(facts.location), STR(cloud->region));
	if (lacks || elsewhere)
		json_set_str(one, "reason", why);
	json_array_append_new(list, one);
	if (lacks || elsewhere)
		lack(x, arena_printf(x->c->arena, "bucket %.*s", STR(bucket)).p, why);
	if (there && !x->bucket.n)
		x->bucket = bucket;
	return 0;
}

static int check_buckets(struct check *x)
{
	json_t *list = json_array();
	json_object_set_new(x->out, "buckets", list);
	int rc = 0;
	for (size_t i = 0; rc == 0 && x->reached && i < x->r->bucket_count; i++)
		rc = check_bucket(x, x->r->buckets[i], list);
	return rc;
}

// ---------------------------------------------------------------- permissions

static const char *word_of(enum probe_verdict verdict)
{
	switch (verdict) {
	case PROBE_ALLOWED:
		return "allowed";
	case PROBE_DENIED:
		return "denied";
	case PROBE_FAILED:
		return "failed";
	case PROBE_NOT_TESTED:
		break;
	}
	return "not tested";
}

// One entry for each permission; the calls that ask for the same are listed, and the most telling of them says.
static json_t *entry_of(json_t *list, const char *permission)
{
	size_t i;
	json_t *one;
	json_array_foreach(list, i, one)
	{
		if (strcmp(json_text(one, "permission"), permission) == 0)
			return one;
	}
	one = json_pack("{s:s, s:s, s:[]}", "permission", permission, "verdict", "", "calls");
	json_array_append_new(list, one);
	return one;
}

static int rank_of(const char *verdict)
{
	static const char *const order[] = {"", "not tested", "allowed", "failed", "denied"};
	for (size_t i = 0; i < COUNT_OF(order); i++) {
		if (strcmp(order[i], verdict) == 0)
			return (int)i;
	}
	return 0;
}

static void add_verdict(struct check *x, json_t *entry, const struct cloud_call *row, const struct probe *probe)
{
	const char *word = word_of(probe->verdict);
	json_array_append_new(json_object_get(entry, "calls"), json_string(row->operation));
	if (rank_of(word) <= rank_of(json_text(entry, "verdict")))
		return;
	json_object_set_new(entry, "verdict", json_string(word));
	if (probe->verdict != PROBE_ALLOWED)
		json_set_str(entry, "reason", probe->reason);
	else
		json_object_del(entry, "reason");
	if (probe->verdict != PROBE_NOT_TESTED && row->scope != CALL_ON_ACCOUNT)
		json_set_str(entry, "bucket", x->bucket);
}

static int check_row(struct check *x, const struct cloud_call *row, json_t *list)
{
	struct probe probe = {.reason = S("the provider does not let us in")};
	struct str rest = str_of(row->permissions), permission;
	int rc = 0;
	if (x->reached)
		rc = CLOUD_CALL(x->c, x->r->cloud, identity, probe, row, x->bucket, &probe);
	if (rc == ERR_TIMEOUT && !call_check(x->c)) { // this one call's, not ours
		probe = (struct probe){.verdict = PROBE_FAILED, .reason = S("no answer in time")};
		err_clear(&x->c->err);
		rc = 0;
	}
	while (rc == 0 && rest.n && str_next(&rest, ' ', &permission)) {
		char *name = arena_cstr(x->c->arena, permission);
		if (!name)
			return call_no_memory(x->c);
		add_verdict(x, entry_of(list, name), row, &probe);
	}
	return rc;
}

// Calls of parts that another engine has are not made there.
static bool is_called(const struct cloud *cloud, const struct cloud_call *row)
{
	const char *engine = row->part == CALL_PART_ENDPOINTS ? (cloud->endpoints ? cloud->endpoints->name : NULL)
			     : row->part == CALL_PART_KEYS    ? (cloud->keys ? cloud->keys->name : NULL)
			     : row->part == CALL_PART_SECRETS ? (cloud->secrets ? cloud->secrets->name : NULL)
							      : (cloud->jobs ? cloud->jobs->name : NULL);
	if (row->part == CALL_PART_STORE || row->part == CALL_PART_IDENTITY)
		return true;
	return engine && strcmp(engine, "local") != 0;
}

static int check_permissions(struct check *x)
{
	const struct cloud *cloud = x->r->cloud;
	const struct cloud_calls *calls = cloud->identity ? cloud_calls_of(cloud->provider) : NULL;
	json_t *list = json_array();
	size_t i;
	const json_t *one;
	int rc = 0;
	json_object_set_new(x->out, "permissions", list);
	for (i = 0; rc == 0 && calls && i < calls->count; i++)
		rc = is_called(cloud, &calls->rows[i]) ? check_row(x, &calls->rows[i], list) : 0;
	json_array_foreach(list, i, one)
	{
		if (strcmp(json_text(one, "verdict"), "denied") == 0)
			lack(x, json_text(one, "permission"), json_str(one, "reason"));
	}
	return rc;
}

// ---------------------------------------------------------------- parts and quota

static void add_part(json_t *list, const char *part, const char *engine, const char *state, const char *reason)
{
	json_t *one = json_pack("{s:s, s:s, s:s}", "part", part, "engine", engine ? engine : "none", "state", state);
	if (reason)
		json_object_set_new(one, "reason", json_string(reason));
	json_array_append_new(list, one);
}

static void add_local(json_t *list, const char *part, const char *engine)
{
	const char *later = "the provider's own service comes with a later release's driver";
	bool local = engine && strcmp(engine, "local") == 0;
	add_part(list, part, engine, engine ? "works" : "unsupported",
		!engine ? later
		: local ? "on this machine, not at the provider"
			: NULL);
}

static void check_parts(struct check *x)
{
	const struct cloud *cloud = x->r->cloud;
	struct price price;
	json_t *list = json_array();
	json_object_set_new(x->out, "parts", list);
	add_part(list, "store", cloud->store->name, x->reached ? "works" : "fails",
		x->reached ? NULL : "the provider does not let us in, or does not answer");
	add_local(list, "jobs", cloud->jobs ? cloud->jobs->name : NULL);
	add_local(list, "endpoints", cloud->endpoints ? cloud->endpoints->name : NULL);
	add_local(list, "keys", cloud->keys ? cloud->keys->name : NULL);
	bool priced = cloud->prices && CLOUD_CALL(x->c, cloud, prices, egress, S("internet"), &price) == 0;
	err_clear(&x->c->err);
	add_part(list, "prices", cloud->prices ? cloud->prices->name : NULL, priced ? "works" : "unsupported",
		priced ? "of a dated table, without discounts" : "no row for this region");
}

static void check_quota(struct check *x)
{
	static const struct {
		const char *provider, *reason;
	} reasons[] = {
		{"aws", "S3 tells none; Service Quotas comes with the drivers of jobs and endpoints"},
		{"azure", "Blob Storage tells none; Azure Resource Manager comes with a later release"},
		{"gcp", "Cloud Storage tells none; Service Usage comes with a later release"},
	};
	const char *reason = "this store tells none";
	for (size_t i = 0; i < COUNT_OF(reasons); i++) {
		if (str_eq(str_of(reasons[i].provider), x->r->cloud->provider))
			reason = reasons[i].reason;
	}
	json_object_set_new(x->out, "quota", json_pack("{s:s, s:s}", "state", "unsupported", "reason", reason));
}

// ---------------------------------------------------------------- all of it

static int finish(struct check *x, json_t **out)
{
	json_object_set_new(x->out, "ok", json_boolean(json_array_size(x->lacks) == 0));
	json_object_set_new(x->out, "lacks", x->lacks);
	*out = json_in_arena(x->c->arena, x->out);
	return *out ? 0 : call_no_memory(x->c);
}

int check_cloud(struct call *c, const struct check_request *r, json_t **out)
{
	struct check x = {.c = c, .r = r, .out = json_object(), .lacks = json_array(), .bucket = S("")};
	json_set_str(x.out, "cloud", r->cloud->name);
	json_set_str(x.out, "provider", r->cloud->provider);
	json_set_str(x.out, "region", r->cloud->region);
	json_set_str(x.out, "location", r->cloud->location);
	int rc = check_who(&x);
	if (rc == 0)
		rc = check_buckets(&x);
	if (rc == 0)
		rc = check_permissions(&x);
	if (rc == 0) {
		check_parts(&x);
		check_quota(&x);
		return finish(&x, out);
	}
	json_decref(x.out);
	json_decref(x.lacks);
	return rc;
}

int check_open(struct call *c, const struct operator_file *op, const struct resource *declared,
	struct cloud_config *config, struct cloud *out)
{
	int rc = account_config_of_resource(c, op, declared, config);
	return rc < 0 ? rc : cloud_open(c, config, out);
}

void check_close(struct cloud *cloud)
{
	cloud_close(cloud);
}

json_t *check_unopened(struct call *c, struct str cloud, const json_t *declared)
{
	struct str why = str_of(c->err.message);
	json_t *j = json_object();
	json_set_str(j, "cloud", cloud);
	json_set_str(j, "provider", json_str(declared, "provider"));
	json_set_str(j, "region", json_str(declared, "region"));
	json_set_str(j, "error", why);
	json_object_set_new(j, "parts", json_array());
	json_object_set_new(j, "permissions", json_array());
	json_object_set_new(j, "buckets", json_array());
	json_object_set_new(j, "lacks", json_pack("[o]", json_of_str(why)));
	json_object_set_new(j, "ok", json_false());
	err_clear(&c->err);
	return json_in_arena(c->arena, j);
}
