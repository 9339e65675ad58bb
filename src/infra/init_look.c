// SPDX-License-Identifier: Apache-2.0
// What present credentials can see, for a first workspace: accounts of the operator's file, else those of this
// machine's environment. See init.h.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/node.h"
#include "cloud/identity.h"
#include "cloud/regions.h"
#include "cloud/registry.h"
#include "cloud/tags.h"
#include "infra/accounts.h"
#include "infra/init_impl.h"

struct account_look { // one account
	struct init *x;
	struct str entry; // of the operator's file; "": of the environment
	struct str provider;
	struct cloud_config config;
	struct cloud cloud;
	struct cloud_identity who;
};

// ---------------------------------------------------------------- clouds

static struct init_cloud *add_cloud(const struct account_look *a, struct str region)
{
	struct init *x = a->x;
	struct str name = a->entry.n ? a->entry : arena_printf(x->c->arena, "%.*s-%.*s", STR(a->provider), STR(region));
	for (size_t i = 0; i < x->cloud_count; i++) {
		if (str_eq(x->clouds[i].name, name))
			return &x->clouds[i];
	}
	if (x->cloud_count == x->cloud_room) {
		size_t room = x->cloud_room ? x->cloud_room * 2 : 16;
		struct init_cloud *clouds = arena_new_array(x->c->arena, room, struct init_cloud);
		if (!clouds)
			return NULL;
		if (x->cloud_count)
			memcpy(clouds, x->clouds, x->cloud_count * sizeof(*clouds));
		x->clouds = clouds;
		x->cloud_room = room;
	}
	struct init_cloud *cloud = &x->clouds[x->cloud_count++];
	*cloud = (struct init_cloud){.name = name,
		.provider = a->provider,
		.region = region,
		.who = init_shown(x, a->who.who),
		.account = init_shown(x, a->who.account)};
	return cloud;
}

// The table's name of where a bucket lies; "" when it knows no such region.
static struct str region_of(const struct account_look *a, struct str location)
{
	char *lower = arena_cstr(a->x->c->arena, location.n ? location : a->config.region);
	for (char *p = lower; p && *p; p++)
		*p = (char)(*p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p);
	const struct region *region = lower ? region_find(a->provider, str_of(lower)) : NULL;
	return region ? str_of(region->name) : S("");
}

// ---------------------------------------------------------------- buckets

static void describe(struct init *x, const struct bucket_facts *facts, const struct tags_owner *owner, struct buf *out)
{
	static const char *const versioned[] = {"", "not versioned", "versioned"};
	static const char *const public[] = {"", "not public", "PUBLIC"};
	const char *between = "  # ";
	if (facts->versioning != FACT_UNKNOWN) {
		buf_printf(out, "%s%s", between, versioned[facts->versioning]);
		between = ", ";
	}
	if (facts->public != FACT_UNKNOWN) {
		buf_printf(out, "%s%s", between, public[facts->public]);
		between = ", ";
	}
	if (facts->encryption.n) {
		buf_printf(out, "%sencrypted by %.*s", between, STR(init_shown(x, facts->encryption)));
		between = ", ";
	}
	if (owner->by.n)
		buf_printf(out, "%smade by %.*s", between, STR(owner->by));
}

static int write_bucket(struct account_look *a, struct str bucket, struct str region, const struct bucket_facts *facts)
{
	struct init *x = a->x;
	struct tags_owner owner = {0};
	struct init_cloud *cloud = add_cloud(a, region);
	struct str key = init_key(x, bucket);
	int rc = facts->tags ? tags_find_owner(x->c->arena, facts->tags, &owner) : 0;
	if (!cloud || !key.p || rc)
		return call_no_memory(x->c);
	cloud->buckets++;
	buf_printf(&x->buckets, "  %.*s: {clouds: [%.*s], name: \"%.*s\", existing: keep}", STR(key), STR(cloud->name),
		STR(bucket));
	describe(x, facts, &owner, &x->buckets);
	buf_add_char(&x->buckets, '\n');
	if (facts->unseen.n)
		init_note(x, "%.*s of bucket %.*s", STR(facts->unseen), STR(bucket));
	return 0;
}

static int look_bucket(struct account_look *a, const struct bucket_entry *entry)
{
	struct init *x = a->x;
	struct bucket_facts facts = {0};
	struct str why = S("");
	int rc = CLOUD_CALL(x->c, &a->cloud, identity, describe, entry->name, &facts);
	bool unusable = rc == ERR_INVALID; // no name that a bucket could have
	if (rc && (rc = init_take_error(x, rc, &why)))
		return rc;
	struct str location = facts.location.n ? facts.location : entry->location;
	struct str region = region_of(a, location);
	if (unusable || (why.n && !location.n)) {
		init_note(x, "bucket %.*s of %.*s: %.*s", STR(entry->name), STR(a->provider), STR(why));
		return 0;
	}
	if (!region.n) {
		init_note(x, "bucket %.*s lies in %.*s of %.*s, which is no single region", STR(entry->name),
			STR(location), STR(a->provider));
		return 0;
	}
	if (a->entry.n && !str_eq(region, a->config.region)) {
		init_note(x,
			"bucket %.*s lies in %.*s, clouds.%.*s of the operator's file in %.*s: give that region an "
			"entry, "
			"too",
			STR(entry->name), STR(region), STR(a->entry), STR(a->config.region));
		return 0;
	}
	return write_bucket(a, entry->name, region, &facts);
}

static int look_buckets(struct account_look *a)
{
	struct init *x = a->x;
	struct bucket_entry *list = NULL;
	struct str why = S("");
	size_t count = 0;
	int rc = CLOUD_CALL(x->c, &a->cloud, identity, buckets, &list, &count);
	if (rc) {
		rc = init_take_error(x, rc, &why);
		if (rc == 0)
			init_note(x, "the buckets of %.*s: %.*s", STR(a->who.account), STR(why));
		return rc;
	}
	for (size_t i = 0; rc == 0 && i < count && i < INIT_MAX_BUCKETS; i++)
		rc = look_bucket(a, &list[i]);
	if (rc == 0 && count > INIT_MAX_BUCKETS)
		init_note(x, "%zu more buckets of %.*s", count - INIT_MAX_BUCKETS, STR(a->who.account));
	return rc;
}

// ---------------------------------------------------------------- accounts

// A region stands in the workspace also when nothing lies there yet, if we know which.
static int look_open(struct account_look *a)
{
	struct init *x = a->x;
	struct str why = S("");
	int rc = CLOUD_CALL(x->c, &a->cloud, identity, whoami, &a->who);
	if (rc) {
		rc = init_take_error(x, rc, &why);
		if (rc == 0)
			init_note(x, "%.*s%s%.*s: %.*s", STR(a->provider), a->entry.n ? ", clouds." : "", STR(a->entry),
				STR(why));
		return rc;
	}
	if (region_of(a, S("")).n && !add_cloud(a, region_of(a, S(""))))
		return call_no_memory(x->c);
	return look_buckets(a);
}

static int need_region(struct account_look *a)
{
	static const struct {
		const char *provider, *any;
	} any[] = {{"aws", "us-east-1"}, {"gcp", "us-central1"}};
	struct init *x = a->x;
	if (!a->config.region.n)
		a->config.region = x->r->region;
	// To ask, any region of these will do: each bucket says where it lies.
	for (size_t i = 0; !a->config.region.n && i < COUNT_OF(any); i++) {
		if (str_eq(a->provider, str_of(any[i].provider)))
			a->config.region = str_of(any[i].any);
	}
	if (a->config.region.n)
		return 0;
	init_note(x,
		"%.*s%s%.*s: this service does not tell where the account lies: say --region, or region: in the "
		"operator's "
		"file",
		STR(a->provider), a->entry.n ? ", clouds." : "", STR(a->entry));
	return ERR_NOT_FOUND;
}

static int look_account(struct init *x, struct str provider, const struct operator_cloud *entry)
{
	struct account_look a = {.x = x, .provider = provider, .entry = entry ? entry->name : S("")};
	struct account_request request = {
		.cloud = entry ? entry->name : provider, .provider = provider, .region = entry ? entry->region : S("")};
	struct account account;
	struct str why = S("");
	int rc = x->r->op ? account_config(x->c, x->r->op, &request, &a.config, &account)
			  : call_fail(x->c, ERR_DENIED, "no credentials are read here");
	if (rc == 0) {
		a.config.region = account.region; // and not what stands in for it
		if (need_region(&a))
			return 0;
		rc = cloud_open(x->c, &a.config, &a.cloud);
	}
	if (rc) {
		rc = init_take_error(x, rc, &why);
		if (rc == 0)
			init_note(
				x, "%.*s%s%.*s: %.*s", STR(provider), entry ? ", clouds." : "", STR(a.entry), STR(why));
		return rc;
	}
	rc = look_open(&a);
	cloud_close(&a.cloud);
	return rc;
}

int init_look_store(struct init *x, struct str provider)
{
	const struct operator_file *op = x->r->op;
	size_t found = 0;
	int rc = 0;
	for (size_t i = 0; op && rc == 0 && i < op->clouds.count; i++) {
		const struct operator_cloud *entry = &((const struct operator_cloud *)op->clouds.items)[i];
		if (!str_eq(entry->provider, provider))
			continue;
		found++;
		rc = look_account(x, provider, entry);
	}
	return rc || found ? rc : look_account(x, provider, NULL);
}

// ---------------------------------------------------------------- engines whose drivers come later

static void note_contexts(struct init *x, const char *path, struct str text)
{
	struct findings f = {.arena = x->c->arena};
	struct node *root = NULL;
	AUTO(buf) names = {0};
	if (node_parse_yaml(text, path, &f, &root)) {
		init_note(x, "kubernetes: %s is no kubeconfig that can be read", path);
		return;
	}
	const struct node *contexts = node_member(root, S("contexts"));
	for (const struct node *item = contexts ? contexts->first : NULL; item; item = item->next) {
		const struct node *name = node_member(item, S("name"));
		buf_printf(&names, "%s%.*s", names.n ? ", " : "", STR(name ? str_clip(name->text, 100) : S("?")));
	}
	init_note(x, "kubernetes: unsupported until its driver comes; contexts of %s: %s", path,
		names.n ? buf_cstr(&names) : "none");
}

int init_look_kubernetes(struct init *x)
{
	const char *path = getenv("KUBECONFIG"), *home = getenv("HOME");
	AUTO(buf) text = {0};
	struct err e = {0};
	if (!path || !*path)
		path = home ? arena_printf(x->c->arena, "%s/.kube/config", home).p : NULL;
	if (!path) {
		init_note(x, "kubernetes: unsupported until its driver comes; there is no kubeconfig");
		return 0;
	}
	if (file_read(path, 1 << 20, &text, &e) < 0)
		init_note(x, "kubernetes: unsupported until its driver comes; %s", e.message);
	else
		note_contexts(x, path, buf_str(&text));
	return 0;
}

int init_look_slurm(struct init *x)
{
	const char *conf = getenv("SLURM_CONF");
	const char *path = conf && *conf ? conf : "/etc/slurm/slurm.conf";
	init_note(x, "slurm: unsupported until its driver comes; %s is %s", path,
		access(path, R_OK) == 0 ? "there" : "not there");
	return 0;
}
