// SPDX-License-Identifier: Apache-2.0
// Finding, judging and reading the operator's file, and its secrets: see operator.h. The table stands in
// operator_kind.c.
#include "security/operator.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "net/guard.h"
#include "security/operator_impl.h"
#include "security/secret_source.h"

enum { FILE_LIMIT = 1 << 20, HTTPS_PORT = 443 };

// ---------------------------------------------------------------- where it is
static const char *not_empty(const char *value)
{
	return value && *value ? value : NULL;
}

// $XDG_CONFIG_HOME/isobar, else ~/.config/isobar; "" when neither is known.
static struct str config_folder(struct arena *a)
{
	const char *config = not_empty(getenv("XDG_CONFIG_HOME")), *home = not_empty(getenv("HOME"));
	if (config && config[0] == '/') // anything else is to be passed over (XDG Base Directory Specification)
		return arena_printf(a, "%s/isobar", config);
	return home ? arena_printf(a, "%s/.config/isobar", home) : S("");
}

static struct str folder_of(struct str path, struct arena *a)
{
	size_t n = path.n;
	while (n > 1 && path.p[n - 1] != '/')
		n--;
	return arena_str(a, str_take(path, n > 1 ? n - 1 : n));
}

static int find_named(struct call *c, struct operator_file *op, const char *name)
{
	char whole[PATH_MAX];
	if (!realpath(name, whole))
		return call_errno(c, "the operator's file %s", name);
	op->path = arena_str(&op->arena, str_of(whole));
	op->folder = folder_of(op->path, &op->arena);
	return op->path.p && op->folder.p ? 0 : call_no_memory(c);
}

static int find_file(struct call *c, struct operator_file *op, const char *option)
{
	const char *name = not_empty(option) ? option : not_empty(getenv("ISOBAR_OPERATOR"));
	if (name)
		return find_named(c, op, name);
	op->path = S("");
	op->folder = config_folder(&op->arena);
	struct str path = op->folder.n ? arena_printf(&op->arena, "%.*s/operator.yaml", STR(op->folder)) : S("");
	if (!op->folder.p || !path.p)
		return call_no_memory(c);
	return path.n && access(path.p, F_OK) == 0 ? find_named(c, op, path.p) : 0;
}

// ---------------------------------------------------------------- whose it is
static int check_owner(struct call *c, const struct operator_file *op, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return call_fail(c, ERR_DENIED, "the operator's file %.*s is not a plain file", STR(op->path));
	if (st->st_uid != geteuid() && st->st_uid != 0)
		return call_fail(c, ERR_DENIED,
			"the operator's file %.*s belongs to another user (uid %u), who could send secrets anywhere",
			STR(op->path), (unsigned)st->st_uid);
	if (st->st_mode & 022)
		return call_fail(c, ERR_DENIED,
			"the operator's file %.*s may be written by other users (mode %04o): chmod go-w %.*s",
			STR(op->path), (unsigned)st->st_mode & 07777, STR(op->path));
	return 0;
}

// The file that was judged is the file that is read.
static int read_text(struct call *c, const struct operator_file *op, struct str *text)
{
	struct stat st;
	AUTO(fd) fd = open(op->path.p, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return call_errno(c, "read the operator's file %.*s", STR(op->path));
	int rc = check_owner(c, op, &st);
	if (rc < 0)
		return rc;
	if (st.st_size > FILE_LIMIT)
		return call_fail(
			c, ERR_LIMIT, "the operator's file %.*s is larger than %d bytes", STR(op->path), FILE_LIMIT);
	char *bytes = arena_alloc(c->arena, (size_t)st.st_size + 1);
	if (!bytes)
		return call_no_memory(c);
	size_t got = 0;
	while (got < (size_t)st.st_size) {
		ssize_t n = read(fd, bytes + got, (size_t)st.st_size - got);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return call_errno(c, "read the operator's file %.*s", STR(op->path));
		if (n == 0)
			break;
		got += (size_t)n;
	}
	*text = str_bytes(bytes, got);
	return 0;
}

// ---------------------------------------------------------------- reading it
// A secret written where its source belongs must not be repeated by a message, which the table's own would do.
static bool no_values(struct node *root, struct findings *f)
{
	struct node *secrets = node_member(root, S("secrets"));
	size_t before = f->count;
	if (secrets && secrets->type != NODE_MAP && secrets->type != NODE_NULL)
		findings_add(f, secrets->at, S("secrets"), S(""), "expected a map of secrets by name");
	for (struct node *one = secrets ? secrets->first : NULL; one; one = one->next) {
		if (one->type != NODE_MAP && one->type != NODE_NULL)
			findings_add(f, one->at, node_path(one, f->arena),
				S("write {from: \"env:VARIABLE\", hosts: [HOST]}"),
				"expected a map of from and hosts; a secret itself never stands here");
	}
	return f->count == before;
}

static int decode(struct call *c, struct operator_file *op, struct str text)
{
	struct findings f = {.arena = &op->arena};
	struct node *root = NULL;
	struct operator_file read = {0};
	bool parsed = node_parse_yaml(text, op->path.n ? op->path.p : "operator.yaml", &f, &root) == 0;
	if (no_values(root, &f) && (parsed || root) && kind_decode(&operator_kind, root, &op->arena, &read, &f) == 0 &&
		parsed) {
		read.arena = op->arena;
		read.path = op->path;
		read.folder = op->folder;
		*op = read;
		return 0;
	}
	return findings_err(&f, ERR_INVALID, &c->err);
}

void operator_free(struct operator_file *op)
{
	if (!op)
		return;
	struct arena arena = op->arena;
	free(op);
	arena_free(&arena);
}

int operator_load(struct call *c, const char *option, struct operator_file **out)
{
	AUTO(operator_file) op = calloc(1, sizeof(*op));
	struct str text = S("");
	if (!op)
		return call_no_memory(c);
	int rc = find_file(c, op, option);
	if (rc == 0 && op->path.n)
		rc = read_text(c, op, &text);
	if (rc == 0)
		rc = decode(c, op, text);
	if (rc < 0)
		return rc;
	*out = op;
	op = NULL;
	return 0;
}

// ---------------------------------------------------------------- what it says
const struct operator_cloud *operator_cloud_find(const struct operator_file *op, struct str name)
{
	const struct operator_cloud *clouds = op->clouds.items;
	for (size_t i = 0; i < op->clouds.count; i++) {
		if (str_eq(clouds[i].name, name))
			return &clouds[i];
	}
	return NULL;
}

static bool has_dots(struct str path)
{
	struct str rest = path, part;
	while (str_next(&rest, '/', &part)) {
		if (str_eq(part, S("..")) || str_eq(part, S(".")))
			return true;
	}
	return false;
}

bool operator_allows_path(const struct operator_file *op, struct str path)
{
	if (!path.n || path.p[0] != '/' || has_dots(path))
		return false;
	for (size_t i = 0; i < op->roots.count; i++) {
		struct str root = ((const struct str *)op->roots.items)[i];
		while (root.n > 1 && str_ends(root, S("/")))
			root.n--;
		if (str_starts(path, root) && (path.n == root.n || root.n == 1 || path.p[root.n] == '/'))
			return true;
	}
	return false;
}

// ---------------------------------------------------------------- secrets
struct str operator_host_pattern(struct str host, struct arena *a)
{
	ptrdiff_t bracket = str_find_char(host, ']');
	struct str behind = bracket >= 0 ? str_drop(host, (size_t)bracket) : host;
	return str_find_char(behind, ':') >= 0 ? host : arena_printf(a, "%.*s:443", STR(host));
}

bool operator_hosts_cover(const struct field_list *hosts, struct str host)
{
	AUTO(arena) arena = {0};
	struct url url = {.https = true};
	if (url_parse_authority(host, &url.authority, NULL) < 0)
		return false;
	url.port = url.authority.port ? url.authority.port : HTTPS_PORT;
	for (size_t i = 0; i < hosts->count; i++) {
		AUTO(guard) guard = NULL;
		struct str pattern = operator_host_pattern(((const struct str *)hosts->items)[i], &arena);
		if (pattern.p && guard_new(&pattern, 1, &guard, NULL) == 0 && guard_check_url(guard, &url, NULL) == 0)
			return true;
	}
	return false;
}

static const struct operator_secret *find_secret(const struct operator_file *op, struct str name)
{
	struct str bare = str_starts(name, S("secret/")) ? str_drop(name, sizeof("secret/") - 1) : name;
	const struct operator_secret *secrets = op->secrets.items;
	for (size_t i = 0; i < op->secrets.count; i++) {
		if (str_eq(secrets[i].name, bare))
			return &secrets[i];
	}
	return NULL;
}

static int not_found(const struct operator_file *op, struct str name, struct err *e)
{
	struct str bare = str_starts(name, S("secret/")) ? str_drop(name, sizeof("secret/") - 1) : name;
	if (!op->path.n)
		return err_set(e, ERR_NOT_FOUND,
			"secret/%.*s is not known: there is no operator's file (%.*s/operator.yaml); it says where "
			"secrets "
			"come from",
			STR(str_clip(bare, 63)), STR(op->folder));
	return err_set(e, ERR_NOT_FOUND, "secret/%.*s is not among the secrets: of %.*s", STR(str_clip(bare, 63)),
		STR(op->path));
}

int operator_secret_allow(const struct operator_file *op, struct str name, struct str host, struct err *e)
{
	const struct operator_secret *s = find_secret(op, name);
	if (!s)
		return not_found(op, name, e);
	if (operator_hosts_cover(&s->hosts, host))
		return 0;
	return err_set(e, ERR_DENIED,
		"secret/%.*s may not be sent to %.*s: %.*s does not list this host for it; add it to hosts: there if "
		"that "
		"is meant",
		STR(s->name), STR(str_clip(host, 200)), STR(op->path));
}

int operator_secret_read(
	struct call *c, const struct operator_file *op, struct str name, struct str host, struct secret *out)
{
	int rc = operator_secret_allow(op, name, host, &c->err);
	if (rc < 0)
		return rc;
	const struct operator_secret *s = find_secret(op, name);
	const struct secret_places places = {.folder = op->folder, .clouds = &op->clouds_read};
	rc = secret_source_read(c, s->from, &places, out);
	return rc < 0 ? call_context(c, "secret/%.*s of %.*s", STR(s->name), STR(op->path)) : 0;
}
