// SPDX-License-Identifier: Apache-2.0
// Opening the clouds of a workspace. See clouds_env.h.
#include "infra/clouds_env.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cloud/registry.h"
#include "infra/accounts.h"
#include "state/resource_common.h"

struct starter { // one cloud, one thread
	struct pocket_cloud pocket;
	const struct resource *resource;
	const struct call *parent;
	struct arena arena;
	struct call call;
	bool revive, brief;
	pthread_t thread;
	bool threaded;
	int rc;
};

struct clouds_env {
	struct arena arena;
	struct clouds clouds;
	struct starter *starters;
	size_t count;
	struct cloud_config *configs; // as many as clouds, once they are open
};

// ---------------------------------------------------------------- which clouds
static bool is_first(const struct clouds_env_options *o, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (str_eq(o->resources[i].address, o->resources[index].address))
			return false;
	}
	return true;
}

// What a hall runs, a pocket cloud of AWS plays: S3 and the local engine.
static struct str pocket_provider(struct str provider)
{
	return str_eq(provider, S("site")) ? S("aws") : provider;
}

static int add_starters(struct call *c, const struct clouds_env_options *o, struct clouds_env *env)
{
	env->starters = arena_new_array(&env->arena, o->resource_count + 1, struct starter);
	if (!env->starters)
		return call_no_memory(c);
	for (size_t i = 0; i < o->resource_count; i++) {
		const struct resource *r = &o->resources[i];
		if (!str_eq(r->kind, S("cloud")) || !is_first(o, i))
			continue;
		struct starter *s = &env->starters[env->count++];
		s->resource = r;
		s->parent = c;
		s->revive = o->revive;
		s->brief = o->brief;
		s->pocket = (struct pocket_cloud){
			.name = arena_str(&env->arena, r->name),
			.provider = arena_str(&env->arena, pocket_provider(json_str(r->resolved, "provider"))),
			.root = arena_printf(&env->arena, "%.*s/pocket/%.*s", STR(o->state_folder), STR(r->name)),
		};
		if (!s->pocket.name.p || !s->pocket.provider.p || !s->pocket.root.p)
			return call_no_memory(c);
	}
	return 0;
}

// ---------------------------------------------------------------- pocket clouds, in parallel
static void *start_one(void *ctx)
{
	struct starter *s = ctx;
	call_child(&s->call, s->parent, &s->arena, 0);
	if (s->revive)
		s->rc = ERR_UNAVAILABLE;
	else
		s->rc = s->brief ? pocket_cloud_find(&s->call, &s->pocket) : pocket_cloud_await(&s->call, &s->pocket);
	if (s->rc < 0 && (s->revive || !s->pocket.credentials)) {
		err_clear(&s->call.err);
		s->rc = pocket_cloud_ensure(&s->call, &s->pocket);
	}
	if (s->rc == ERR_UNAVAILABLE && s->pocket.credentials) {
		err_clear(&s->call.err);
		s->rc = 0; // it is down, as clouds sometimes are
	}
	return NULL;
}

static int start_all(struct call *c, struct clouds_env *env)
{
	for (size_t i = 0; i < env->count; i++) {
		struct starter *s = &env->starters[i];
		s->threaded = pthread_create(&s->thread, NULL, start_one, s) == 0;
		if (!s->threaded)
			start_one(s);
	}
	int rc = 0;
	for (size_t i = 0; i < env->count; i++) {
		struct starter *s = &env->starters[i];
		if (s->threaded)
			pthread_join(s->thread, NULL);
		if (s->rc < 0 && rc == 0) {
			c->err = s->call.err;
			rc = s->rc;
		}
	}
	return rc;
}

// ---------------------------------------------------------------- configs
static int add_sealed(struct call *c, const struct clouds_env_options *o, struct cloud_config *config)
{
	config->sealed = arena_new_array(c->arena, o->resource_count + 1, struct cloud_sealed);
	if (!config->sealed)
		return call_no_memory(c);
	for (size_t i = 0; i < o->resource_count; i++) {
		const struct resource *r = &o->resources[i];
		struct str key = json_str(r->resolved, "encrypt_with"), name = json_str(r->resolved, "name"), kind,
			   rest;
		bool ours = !resource_is_kept(r) && !resource_is_adopted(r); // what was there before is not encrypted
		if (!str_eq(r->kind, S("bucket")) || !str_eq(r->cloud, config->name) || !key.n || !ours ||
			!is_first(o, i))
			continue;
		struct cloud_sealed *sealed = &config->sealed[config->sealed_count++];
		sealed->key = str_cut(key, '/', &kind, &rest) ? rest : key;
		sealed->bucket = r->cloud_id.n ? r->cloud_id
				 : name.n      ? name
					       : arena_printf(c->arena, "%.*s-%.*s", STR(o->workspace), STR(r->name));
	}
	return 0;
}

static struct cloud_config pocket_config(const struct starter *s)
{
	struct str region = json_str(s->resource->resolved, "region");
	return (struct cloud_config){
		.name = s->pocket.name,
		.provider = json_str(s->resource->resolved, "provider"),
		.region = region.n ? region : S("us-east-1"), // a site has none
		.location = json_str(s->resource->resolved, "location"),
		.law = json_str(json_object_get(s->resource->resolved, "operator"), "law"),
		.store_url = s->pocket.url,
		.credentials = s->pocket.credentials,
	};
}

// "http://127.0.0.1:4000" of a URL with or without a path: a pocket cloud answers for all services at one address.
static struct str origin_of(struct str url)
{
	struct str rest = str_drop(url, sizeof("http://") - 1), host, path;
	(void)str_cut(rest, '/', &host, &path);
	return str_take(url, url.n - rest.n + host.n);
}

static struct str engine_of(const struct starter *s, const char *part)
{
	struct str engine = json_str(json_object_get(s->resource->resolved, part), "engine");
	return str_eq(engine, S("local")) ? engine : S("");
}

// Jobs, endpoints and keys of the pocket cloud's own services, as the provider's: all but those of a site, which the
// local engine plays, and those that the workspace gives to it.
static void add_services(const struct starter *s, struct cloud_config *out)
{
	const json_t *owner = s->pocket.credentials;
	if (str_eq(out->provider, S("site")))
		return;
	out->services_url = origin_of(s->pocket.url);
	out->account = json_str(owner, "account");
	out->project = json_str(owner, "project_id");
	out->subscription = json_str(owner, "subscription");
	out->resource_group = json_str(owner, "resource_group");
	out->ml_workspace = json_str(owner, "workspace");
	out->vault_url = json_str(owner, "vault_url");
	out->job_role = json_str(owner, str_eq(out->provider, S("gcp")) ? "client_email" : "role");
	out->image = S("isobar");
	out->jobs_engine = engine_of(s, "jobs");
	out->endpoints_engine = engine_of(s, "endpoints");
	out->keys_engine = engine_of(s, "keys");
}

static int make_config(
	struct call *c, const struct clouds_env_options *o, const struct starter *s, struct cloud_config *out)
{
	int rc = 0;
	if (o->pocket) {
		*out = pocket_config(s);
		add_services(s, out);
	} else {
		rc = account_config_of_resource(c, o->op, s->resource, out);
	}
	if (rc < 0)
		return rc;
	out->local_root = arena_printf(c->arena, "%.*s/local/%.*s", STR(o->state_folder), STR(s->pocket.name));
	out->workspace = o->workspace;
	if (!out->local_root.p)
		return call_no_memory(c);
	rc = file_make_dirs(out->local_root.p, 0700, &c->err);
	return rc < 0 ? rc : add_sealed(c, o, out);
}

static int open_all(struct call *c, const struct clouds_env_options *o, struct clouds_env *env)
{
	struct cloud_config *configs = arena_new_array(&env->arena, env->count + 1, struct cloud_config);
	if (!configs)
		return call_no_memory(c);
	for (size_t i = 0; i < env->count; i++) {
		int rc = make_config(c, o, &env->starters[i], &configs[i]);
		if (rc < 0)
			return rc;
	}
	env->configs = configs;
	int rc = clouds_open(c, configs, env->count, &env->clouds);
	for (size_t i = 0; rc == 0 && !o->pocket && i < env->count; i++)
		rc = account_confirm(c, env->starters[i].resource, &env->clouds.items[i]);
	return rc;
}

// ---------------------------------------------------------------- the environment
void clouds_env_close(struct clouds_env *env)
{
	if (!env)
		return;
	clouds_close(&env->clouds);
	for (size_t i = 0; i < env->count; i++)
		arena_free(&env->starters[i].arena);
	arena_free(&env->arena);
	free(env);
}

int clouds_env_open(struct call *c, const struct clouds_env_options *options, struct clouds_env **out)
{
	if (!options->pocket && !options->op)
		return call_fail(c, ERR_INTERNAL, "real accounts are opened without an operator's file");
	AUTO(clouds_env) env = calloc(1, sizeof(*env));
	if (!env)
		return call_no_memory(c);
	int rc = add_starters(c, options, env);
	if (rc == 0 && options->pocket)
		rc = start_all(c, env);
	if (rc == 0)
		rc = open_all(c, options, env);
	if (rc < 0) {
		struct err why = c->err;
		clouds_env_stop_started(c, env);
		c->err = why;
		return rc;
	}
	*out = env;
	env = NULL;
	return 0;
}

const struct clouds *clouds_env_clouds(const struct clouds_env *env)
{
	return &env->clouds;
}

const struct cloud_config *clouds_env_config(const struct clouds_env *env, struct str cloud)
{
	for (size_t i = 0; env->configs && i < env->count; i++) {
		if (str_eq(env->configs[i].name, cloud))
			return &env->configs[i];
	}
	return NULL;
}

size_t clouds_env_started(const struct clouds_env *env)
{
	size_t n = 0;
	for (size_t i = 0; i < env->count; i++)
		n += env->starters[i].pocket.started;
	return n;
}

void clouds_env_stop_started(struct call *c, struct clouds_env *env)
{
	struct err why = c->err; // of what the clouds were opened for
	err_clear(&c->err);
	struct pocket_cloud *all = arena_new_array(&env->arena, env->count + 1, struct pocket_cloud);
	size_t count = 0;
	for (size_t i = 0; i < env->count; i++) {
		struct pocket_cloud *p = &env->starters[i].pocket;
		if (p->started && all)
			all[count++] = *p;
		p->started = p->started && !all;
	}
	if (pocket_clouds_stop(c, all, count) < 0)
		err_clear(&c->err);
	c->err = why;
}

int pocket_clouds_stop_all(struct call *c, struct str state_folder)
{
	struct str root = arena_printf(c->arena, "%.*s/pocket", STR(state_folder));
	DIR *dir = root.p ? opendir(root.p) : NULL;
	if (!dir)
		return root.p && errno == ENOENT ? 0 : call_errno(c, "read %.*s", STR(root));
	struct pocket_cloud *all = NULL;
	size_t count = 0, room = 0;
	struct dirent *entry;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (count == room) {
			struct pocket_cloud *more = arena_new_array(c->arena, room = 2 * room + 8, struct pocket_cloud);
			for (size_t i = 0; more && i < count; i++)
				more[i] = all[i];
			if (!more)
				break;
			all = more;
		}
		all[count++] = (struct pocket_cloud){.name = arena_str(c->arena, str_of(entry->d_name)),
			.root = arena_printf(c->arena, "%.*s/%s", STR(root), entry->d_name)};
	}
	closedir(dir);
	return entry ? call_no_memory(c) : pocket_clouds_stop(c, all, count);
}
