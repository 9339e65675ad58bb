// SPDX-License-Identifier: Apache-2.0
// The links of AWS's chain that a profile of the shared files says: keys, a role to take on with another profile, a
// process that prints credentials. See credentials_impl.h. Source: "Shared config and credentials files", "Process
// credential provider" (AWS SDKs and Tools Reference Guide).
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/ini.h"
#include "base/process.h"
#include "base/time.h"
#include "cloud/aws/credentials_impl.h"

enum { PROFILE_DEPTH = 8, PROCESS_WORDS = 64, PROCESS_OUTPUT = 64 << 10 };

struct profile {
	struct str name;
	struct str config, credentials; // the files' text; "": absent
};

// ---------------------------------------------------------------- files

static int load(
	struct call *c, const struct aws_chain *chain, const char *variable, const char *below, struct str *text)
{
	struct str path = credential_variable(&chain->place, variable);
	if (!path.n)
		path = credential_home(c, &chain->place, below);
	const char *name = path.n ? arena_cstr(c->arena, path) : NULL;
	*text = S("");
	if (!name || !file_exists(name))
		return 0;
	return credential_file(c, path, INI_MAX_BYTES, text);
}

static int open_profile(struct call *c, const struct aws_chain *chain, struct profile *out)
{
	struct str said = credential_variable(&chain->place, "AWS_PROFILE");
	*out = (struct profile){.name = chain->profile.n ? chain->profile : said.n ? said : S("default")};
	int r = load(c, chain, "AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", &out->credentials);
	if (!r)
		r = load(c, chain, "AWS_CONFIG_FILE", ".aws/config", &out->config);
	return r;
}

// The credentials file comes first; the configuration file calls its sections "profile NAME", but for "default".
static int find(struct call *c, const struct profile *p, const char *setting, struct str *out)
{
	bool there;
	struct str section = str_eq(p->name, S("default")) ? p->name
							   : arena_printf(c->arena, "profile %.*s", STR(p->name));
	*out = S("");
	if (!section.p)
		return call_no_memory(c);
	int r = ini_find(p->credentials, p->name, str_of(setting), out, &there, &c->err);
	if (!r && !out->n)
		r = ini_find(p->config, section, str_of(setting), out, &there, &c->err);
	return r ? call_context(c, "profile %.*s", STR(str_clip(p->name, 60))) : 0;
}

// ---------------------------------------------------------------- keys

static int keys_of(struct call *c, const struct profile *p, struct credential_made *out)
{
	struct str id, key, token;
	int r = find(c, p, "aws_access_key_id", &id);
	if (!r)
		r = find(c, p, "aws_secret_access_key", &key);
	if (!r)
		r = find(c, p, "aws_session_token", &token);
	if (!r && (!id.n || !key.n))
		return call_fail(c, ERR_NOT_FOUND, "profile %.*s has no keys", STR(str_clip(p->name, 60)));
	if (!r)
		r = secret_set(&out->access_key, id, &c->err);
	if (!r)
		r = secret_set(&out->secret_key, key, &c->err);
	if (!r)
		r = secret_set(&out->session_token, token, &c->err);
	return r;
}

int aws_link_profile_keys(struct call *c, struct aws_chain *chain, struct credential_made *out)
{
	struct profile p;
	int r = open_profile(c, chain, &p);
	return r ? r : keys_of(c, &p, out);
}

// ---------------------------------------------------------------- processes

// Words as a shell would cut them, with '...' and "..." kept together; nothing is expanded. In the arena.
static int split(struct call *c, struct str line, const char **argv)
{
	size_t count = 0, i = 0;
	while (i < line.n) {
		AUTO(buf) word = {0};
		char quote = 0;
		bool any = false;
		for (; i < line.n && (quote || (line.p[i] != ' ' && line.p[i] != '\t')); i++) {
			char ch = line.p[i];
			any = true;
			if (quote && ch == quote)
				quote = 0;
			else if (!quote && (ch == '"' || ch == '\''))
				quote = ch;
			else
				buf_add_char(&word, ch);
		}
		i++;
		if (!any)
			continue;
		if (count == PROCESS_WORDS || quote)
			return call_fail(c, ERR_INVALID, "credential_process has %s",
				quote ? "an open quote" : "too many words");
		argv[count] = arena_cstr(c->arena, buf_str(&word));
		if (!argv[count++])
			return call_no_memory(c);
	}
	argv[count] = NULL;
	return count && argv[0][0] == '/' ? 0
					  : call_fail(c, ERR_INVALID, "credential_process is no absolute path of a program");
}

static int read_output(struct call *c, int fd, struct buf *out)
{
	char piece[4096];
	for (;;) {
		ssize_t n = read(fd, piece, sizeof(piece));
		if (n < 0)
			return call_errno(c, "read the output of credential_process");
		if (n == 0)
			return buf_check(out, &c->err);
		if (out->n + (size_t)n > PROCESS_OUTPUT)
			return call_fail(c, ERR_LIMIT, "credential_process printed more than %d bytes", PROCESS_OUTPUT);
		buf_add_bytes(out, piece, (size_t)n);
	}
}

static int run(struct call *c, const char *const *argv, struct buf *out)
{
	int ends[2], status = 0;
	struct process process;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return call_errno(c, "make a pipe");
	struct process_spec spec = {.argv = argv, .in = -1, .out = ends[1], .error = -1, .die_with_parent = true};
	int r = process_start(&spec, &process, &c->err);
	close(ends[1]);
	if (!r)
		r = read_output(c, ends[0], out);
	close(ends[0]);
	if (!r)
		r = process_wait(&process, 60 * NS_PER_S, &status, &c->err);
	if (!r && status)
		r = call_fail(c, ERR_FAILED, "credential_process %s ended with status %d", argv[0], status);
	return r;
}

int aws_link_profile_process(struct call *c, struct aws_chain *chain, struct credential_made *out)
{
	static const struct aws_key_names names = {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"};
	const char *argv[PROCESS_WORDS + 1];
	struct profile p;
	struct str line = S("");
	AUTO(buf) text = {0};
	AUTO(json) j = NULL;
	int r = open_profile(c, chain, &p);
	if (!r)
		r = find(c, &p, "credential_process", &line);
	if (!r && !line.n)
		return call_fail(c, ERR_NOT_FOUND, "no credential_process");
	if (!r)
		r = split(c, line, argv);
	if (!r)
		r = run(c, argv, &text);
	if (!r)
		r = json_parse(buf_str(&text), &j, &c->err);
	if (text.p)
		secret_wipe(text.p, text.n);
	if (!r && json_int(j, "Version", 0) != 1)
		r = call_fail(c, ERR_PROTOCOL, "credential_process printed no {\"Version\": 1, ...}");
	if (!r)
		r = aws_read_keys(c, j, &names, &(struct transport_response){0}, out);
	return r ? call_context(c, "profile %.*s", STR(str_clip(p.name, 60))) : 0;
}

// ---------------------------------------------------------------- roles

struct lent { // a source that another source asks: a profile's own credentials
	struct aws_chain chain;
	const struct aws_chain *from;
	const char *credential_source; // "Environment", "EcsContainer", "Ec2InstanceMetadata"; NULL: a profile
	int depth;
};

static int role_of(struct call *c, struct aws_chain *chain, int depth, struct credential_made *out);

static int make_lent(struct call *c, void *ctx, struct str audience, struct credential_made *out)
{
	struct lent *lent = ctx;
	(void)audience;
	if (lent->credential_source && strcmp(lent->credential_source, "Environment") == 0)
		return aws_link_environment(c, &lent->chain, out);
	if (lent->credential_source && strcmp(lent->credential_source, "EcsContainer") == 0)
		return aws_link_container(c, &lent->chain, out);
	if (lent->credential_source)
		return aws_link_instance(c, &lent->chain, out);
	int r = role_of(c, &lent->chain, lent->depth + 1, out);
	if (r == ERR_NOT_FOUND)
		r = aws_link_profile_keys(c, &lent->chain, out);
	if (r == ERR_NOT_FOUND)
		r = aws_link_profile_process(c, &lent->chain, out);
	return r;
}

static void close_lent(void *ctx)
{
	(void)ctx; // lies on the stack of who asks
}

static const struct credential_ops lent_ops = {.make = make_lent, .close = close_lent};

static int assume_with(struct call *c, const struct aws_chain *chain, struct aws_role *role, struct lent *lent,
	struct credential_made *out)
{
	lent->chain = (struct aws_chain){
		.place = chain->place, .region = chain->region, .sts_url = chain->sts_url, .profile = lent->chain.profile};
	int r = credential_source_new(&lent_ops, lent, &role->base, &c->err);
	if (r)
		return r;
	r = aws_assume(c, chain, role, out);
	credential_source_free(role->base);
	return r;
}

static int source_of(struct call *c, const struct profile *p, struct lent *lent)
{
	struct str profile, source;
	int r = find(c, p, "source_profile", &profile);
	if (!r)
		r = find(c, p, "credential_source", &source);
	if (r)
		return r;
	lent->chain.profile = profile;
	static const char *const known[] = {"Environment", "EcsContainer", "Ec2InstanceMetadata"};
	for (size_t i = 0; i < COUNT_OF(known); i++) {
		if (str_eq(source, str_of(known[i])))
			lent->credential_source = known[i];
	}
	if (profile.n || lent->credential_source)
		return 0;
	return call_fail(c, ERR_INVALID,
		"profile %.*s has role_arn, but neither source_profile nor a credential_source that is Environment, "
		"EcsContainer or Ec2InstanceMetadata",
		STR(str_clip(p->name, 60)));
}

static int role_of(struct call *c, struct aws_chain *chain, int depth, struct credential_made *out)
{
	struct profile p;
	struct lent lent = {.from = chain, .depth = depth};
	struct aws_role role = {.token = S("")};
	struct str file = S(""), name = S("");
	int r = open_profile(c, chain, &p);
	if (!r)
		r = find(c, &p, "role_arn", &role.arn);
	if (!r && !role.arn.n)
		return call_fail(c, ERR_NOT_FOUND, "no role in profile %.*s", STR(str_clip(p.name, 60)));
	if (!r && depth == PROFILE_DEPTH)
		return call_fail(c, ERR_INVALID, "profile %.*s: its source_profile leads back to it, or too far",
			STR(str_clip(p.name, 60)));
	if (!r)
		r = find(c, &p, "external_id", &role.external_id);
	if (!r)
		r = find(c, &p, "role_session_name", &name);
	if (!r)
		r = find(c, &p, "web_identity_token_file", &file);
	role.session_name = name.n ? name : S("isobar");
	if (!r && file.n) {
		r = credential_file(c, file, PROCESS_OUTPUT, &role.token);
		return r ? r : aws_assume(c, chain, &role, out);
	}
	if (!r)
		r = source_of(c, &p, &lent);
	return r ? r : assume_with(c, chain, &role, &lent, out);
}

int aws_link_profile_role(struct call *c, struct aws_chain *chain, struct credential_made *out)
{
	return role_of(c, chain, 0, out);
}
