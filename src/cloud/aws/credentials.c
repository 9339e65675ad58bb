// SPDX-License-Identifier: Apache-2.0
// The credential chain of AWS, from its first link to the role that is taken on at its end: see credentials.h.
#include "cloud/aws/credentials.h"

#include <stdlib.h>

#include "cloud/aws/calls.h"
#include "cloud/aws/credentials_impl.h"
#include "cloud/aws/services.h"

static void chain_free(struct aws_chain *chain)
{
	secret_free(&chain->access_key);
	secret_free(&chain->secret_key);
	secret_free(&chain->session_token);
	arena_free(&chain->arena);
}

// ---------------------------------------------------------------- the links

static int give_static(struct call *c, const struct aws_chain *chain, struct credential_made *out)
{
	int r = secret_set(&out->access_key, secret_str(&chain->access_key), &c->err);
	if (!r)
		r = secret_set(&out->secret_key, secret_str(&chain->secret_key), &c->err);
	if (!r)
		r = secret_set(&out->session_token, secret_str(&chain->session_token), &c->err);
	return r;
}

static int walk(struct call *c, struct aws_chain *chain, struct credential_made *out)
{
	static int (*const links[])(struct call *, struct aws_chain *, struct credential_made *) = {aws_link_environment,
		aws_link_profile_role, aws_link_web_identity, aws_link_profile_keys, aws_link_profile_process,
		aws_link_container, aws_link_instance};
	for (size_t i = 0; i < COUNT_OF(links); i++) {
		int r = links[i](c, chain, out);
		if (r != ERR_NOT_FOUND)
			return r;
		err_clear(&c->err);
		credential_made_free(out);
	}
	return call_fail(c, ERR_NOT_FOUND,
		"no credentials of AWS: not in the environment, not in a profile of ~/.aws, and neither a container nor an "
		"instance gives any");
}

static int make_base(struct call *c, void *ctx, struct str audience, struct credential_made *out)
{
	struct aws_chain *chain = ctx;
	(void)audience;
	return chain->access_key.n ? give_static(c, chain, out) : walk(c, chain, out);
}

static void close_base(void *ctx)
{
	struct aws_chain *chain = ctx;
	chain_free(chain);
	free(chain);
}

static const struct credential_ops base_ops = {.make = make_base, .close = close_base};

// ---------------------------------------------------------------- the role at the end

struct assumed {
	struct aws_chain chain; // what a request to STS needs; no links
	struct aws_role role;
};

static int make_assumed(struct call *c, void *ctx, struct str audience, struct credential_made *out)
{
	const struct assumed *a = ctx;
	(void)audience;
	return aws_assume(c, &a->chain, &a->role, out);
}

static void close_assumed(void *ctx)
{
	struct assumed *a = ctx;
	credential_source_free(a->role.base);
	chain_free(&a->chain);
	free(a);
}

static const struct credential_ops assumed_ops = {.make = make_assumed, .close = close_assumed};

// ---------------------------------------------------------------- opening

static int read_static(struct aws_chain *chain, const json_t *j, struct err *e)
{
	struct str id, key;
	int r = json_need_str(j, "access_key_id", &id, e);
	if (!r)
		r = json_need_str(j, "secret_access_key", &key, e);
	if (r)
		return err_context(e, "credentials of AWS");
	if (str_find_char(id, '/') >= 0 || !id.n || !key.n)
		return err_set(e, ERR_INVALID,
			"credentials of AWS: access_key_id or secret_access_key is empty or has a '/' where none can "
			"be");
	r = secret_set(&chain->access_key, id, e);
	if (!r)
		r = secret_set(&chain->secret_key, key, e);
	if (!r)
		r = secret_set(&chain->session_token, json_str(j, "session_token"), e);
	return r;
}

static int fill_chain(struct aws_chain *chain, const struct credential_options *o, struct err *e)
{
	const struct cloud_config *config = o->config;
	credential_place_init(&chain->place, o);
	chain->region = arena_str(&chain->arena, config->region);
	chain->sts_url = config->identity_url.n || config->services_url.n || !config->store_url.n
				 ? aws_service_url(&chain->arena, config, AWS_API_STS)
				 : arena_str(&chain->arena, service_origin(config->store_url));
	chain->profile = arena_str(&chain->arena, json_str(config->credentials, "profile"));
	chain->chain = json_flag(config->credentials, "chain", false);
	return chain->region.p && chain->sts_url.p && chain->profile.p ? 0
								      : err_set(e, ERR_NO_MEMORY, "out of memory");
}

static int open_base(const struct credential_options *o, struct credential_source **out, struct err *e)
{
	struct aws_chain *chain = calloc(1, sizeof(*chain));
	if (!chain)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	int r = fill_chain(chain, o, e);
	if (!r && !chain->chain)
		r = read_static(chain, o->config->credentials, e);
	if (r) {
		close_base(chain);
		return r;
	}
	return credential_source_new(&base_ops, chain, out, e);
}

static int fill_role(struct assumed *a, const json_t *j, struct err *e)
{
	struct arena *arena = &a->chain.arena;
	struct str name = json_str(j, "session_name");
	a->role.arn = arena_str(arena, json_str(j, "assume"));
	a->role.external_id = arena_str(arena, json_str(j, "external_id"));
	a->role.session_name = arena_str(arena, name.n ? name : S("isobar"));
	a->role.duration_s = json_int(j, "duration_s", 0);
	a->role.token = S("");
	if (!a->role.arn.p || !a->role.external_id.p || !a->role.session_name.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	if (!str_starts(a->role.arn, S("arn:")))
		return err_set(e, ERR_INVALID, "credentials of AWS: assume is no ARN of a role");
	return 0;
}

int aws_credentials_open(const struct credential_options *o, struct credential_source **out, struct err *e)
{
	struct credential_source *base = NULL;
	int r = open_base(o, &base, e);
	if (r || !json_str(o->config->credentials, "assume").n) {
		if (!r)
			*out = base;
		return r;
	}
	struct assumed *a = calloc(1, sizeof(*a));
	if (!a) {
		credential_source_free(base);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	a->role.base = base;
	r = fill_chain(&a->chain, o, e);
	if (!r)
		r = fill_role(a, o->config->credentials, e);
	if (r) {
		close_assumed(a);
		return r;
	}
	return credential_source_new(&assumed_ops, a, out, e);
}
