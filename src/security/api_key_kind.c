// SPDX-License-Identifier: Apache-2.0
// api_keys: the table, and how a key is made, delivered and withdrawn. See api_key_kind.h.
// Order of making: file first, record second. A crash between the two leaves a file whose key nobody accepts; the next
// try makes another key and replaces the file. The other order could leave an accepted key that nobody has.
#include "security/api_key_kind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/time.h"
#include "security/api_key.h"
#include "security/security_ctx.h"

static const struct str file_scheme = S_INIT("file:");

// .isobar/ is Isobar's own: keys lie directly in it, and none takes the name of the authority's.
static bool may_hold_key(struct str path)
{
	if (!str_starts(path, S(".isobar/")))
		return true;
	struct str name = str_drop(path, S(".isobar/").n);
	return str_ends(name, S(".key")) && str_find(name, S("/")) < 0 && !str_eq(name, S("ca.key"));
}

static void check_api_key(const struct kind_check *c)
{
	struct findings *f = c->f;
	const struct api_key *k = c->value;
	const struct node *at = node_member(c->map, S("deliver"));
	if (!at || !kind_check_sound(c, "deliver"))
		return;
	struct err why = {0};
	if (!str_starts(k->deliver, file_scheme))
		findings_add(f, at->at, node_path(at, f->arena), S("write file:.isobar/NAME.key"),
			"expected file: and a path inside the workspace, got \"%.*s\"", STR(k->deliver));
	else if (file_check_relative(str_drop(k->deliver, file_scheme.n), &why) < 0)
		findings_add(f, at->at, node_path(at, f->arena), S("write file:.isobar/NAME.key"), "%s", why.message);
	else if (!may_hold_key(str_drop(k->deliver, file_scheme.n)))
		findings_add(f, at->at, node_path(at, f->arena), S("write file:.isobar/NAME.key"),
			"\"%.*s\" is a file of Isobar's own", STR(str_drop(k->deliver, file_scheme.n)));
}

static const struct field fields[] = {
	{.name = "expires",
		.type = FIELD_DURATION,
		.flags = FIELD_IN_PLACE,
		.offset = offsetof(struct api_key, expires_ns),
		.help = "how long after its creation the key is accepted; absent: until it is removed"},
	{.name = "deliver",
		.type = FIELD_TEXT,
		.flags = FIELD_REQUIRED,
		.offset = offsetof(struct api_key, deliver),
		.help = "where the key's text goes, once: \"file:\" and a path inside the workspace (mode 0600)"},
};

const struct kind api_key_kind = {
	.plural = "api_keys",
	.singular = "api-key",
	.help = "a key with which a program calls the gateway; only a keyed digest of it is stored",
	.example = "api_keys:\n"
		   "  shop-app: {expires: 30d, deliver: \"file:.isobar/shop-app.key\"}\n",
	.size = sizeof(struct api_key),
	KIND_FIELDS(fields),
	.check = check_api_key,
};

struct key_step { // what the functions below share about one resource
	const struct security_ctx *security;
	const struct resource *resource;
	struct api_key declared;
	struct str state_key; // "api-key/shop-app"
	char *path;           // of the delivered file
};

// The folder that the file goes into must really lie inside the workspace: no link on the way may lead out.
static int check_inside(struct call *c, const char *workspace, const char *path)
{
	char *folder = arena_cstr(c->arena, str_of(path));
	char *slash = folder ? strrchr(folder, '/') : NULL;
	if (!slash)
		return call_no_memory(c);
	*slash = 0;
	int rc = file_make_dirs(folder, 0700, &c->err);
	if (rc < 0)
		return rc;
	char *real_folder = realpath(folder, NULL), *real_workspace = realpath(workspace, NULL);
	size_t n = real_workspace ? strlen(real_workspace) : 0;
	bool inside = real_folder && n > 0 && strncmp(real_folder, real_workspace, n) == 0 &&
		      (real_folder[n] == '/' || real_folder[n] == 0);
	free(real_folder);
	free(real_workspace);
	return inside ? 0 : call_fail(c, ERR_DENIED, "the folder of %s lies outside the workspace %s", path, workspace);
}

static int step_open(struct call *c, void *ctx, const struct resource *r, struct key_step *s)
{
	*s = (struct key_step){.security = ctx, .resource = r};
	int rc = kind_decode_json(&api_key_kind, r->resolved, c->arena, &s->declared, &c->err);
	if (rc < 0)
		return rc;
	struct str relative = str_drop(s->declared.deliver, file_scheme.n);
	if (!str_starts(s->declared.deliver, file_scheme))
		return call_fail(c, ERR_CORRUPT, "%.*s: deliver does not start with file:", STR(r->address));
	rc = file_check_relative(relative, &c->err);
	if (rc < 0)
		return rc;
	s->state_key = arena_printf(c->arena, "api-key/%.*s", STR(r->name));
	const char *own = s->security->state_folder; // each environment delivers keys of its own
	bool hidden = own && str_starts(relative, S(".isobar/"));
	struct str path = hidden ? arena_printf(c->arena, "%s/%.*s", own, STR(str_drop(relative, S(".isobar/").n)))
				 : arena_printf(c->arena, "%s/%.*s", s->security->folder, STR(relative));
	s->path = arena_cstr(c->arena, path);
	return s->path && s->state_key.p ? 0 : call_no_memory(c);
}

static json_t *outputs_of(const json_t *stored, const char *delivered)
{
	json_t *out = json_object();
	json_set_str(out, "id", json_str(stored, "id"));
	json_set_str(out, "expires", json_str(stored, "expires"));
	json_set_str(out, "delivered", str_of(delivered));
	return out;
}

static int64_t expiry_of(const struct api_key *k, int64_t created_ns)
{
	int64_t end;
	if (k->expires_ns == 0)
		return 0;
	return __builtin_add_overflow(created_ns, k->expires_ns, &end) ? INT64_MAX : end;
}

// Never over a file of somebody else's: what may be replaced is a key that an earlier try, or an earlier api-key, left there.
static int check_free(struct call *c, const char *path)
{
	AUTO(secret) text = {0};
	struct str id;
	struct err ignored = {0};
	if (!file_exists(path))
		return 0;
	if (secret_read_file(&text, path, &ignored) == 0 && api_key_parse(str_trim(secret_str(&text)), &id))
		return 0;
	return call_fail(c, ERR_EXISTS, "%s exists and holds no API key: move it away, or deliver the key elsewhere", path);
}

static int make_and_deliver(struct call *c, struct key_step *s, struct api_key_record *record)
{
	AUTO(secret) hash_secret = {0};
	AUTO(secret) key = {0};
	AUTO(secret) line = {0};
	int rc = check_inside(c, s->security->folder, s->path);
	if (rc == 0)
		rc = check_free(c, s->path);
	if (rc == 0)
		rc = api_key_hash_secret_open(c->edges, s->security->hash_secret_path, &hash_secret, &c->err);
	if (rc == 0)
		rc = api_key_make(c, &hash_secret, &key, record);
	if (rc == 0)
		rc = secret_alloc(&line, key.n + 1, &c->err);
	if (rc < 0)
		return rc;
	memcpy(line.p, key.p, key.n);
	line.p[key.n] = '\n';
	return secret_write_file(&line, s->path, &c->err);
}

static int store(struct call *c, const struct key_step *s, const struct record *before, json_t *value)
{
	return state_put(c, s->security->state, s->state_key, value, before->revision, NULL);
}

static int key_create(struct call *c, void *ctx, const struct resource *r, json_t **outputs, struct str *cloud_id)
{
	struct key_step s;
	struct record before = {0};
	int rc = step_open(c, ctx, r, &s);
	if (rc == 0)
		rc = state_get(c, s.security->state, s.state_key, &before);
	if (rc < 0)
		return rc;
	if (before.revision > 0 && str_eq(json_str(before.value, "uid"), r->uid)) {
		*outputs = outputs_of(before.value, s.path);
		*cloud_id = json_str(before.value, "id");
		return 0;
	}
	int64_t now = call_now_ns(c);
	struct api_key_record record = {.name = r->name, .expires_ns = expiry_of(&s.declared, now)};
	rc = make_and_deliver(c, &s, &record);
	if (rc < 0)
		return rc;
	AUTO(json) value = api_key_to_json(&record);
	json_set_str(value, "uid", r->uid);
	json_object_set_new(value, "created_ns", json_integer(now));
	rc = store(c, &s, &before, value);
	if (rc < 0)
		return rc;
	*outputs = outputs_of(value, s.path);
	*cloud_id = record.id;
	return 0;
}

static int key_stored(struct call *c, const struct key_step *s, struct record *out)
{
	int rc = state_get(c, s->security->state, s->state_key, out);
	if (rc == 0 && out->revision == 0)
		rc = call_fail(c, ERR_NOT_FOUND, "%.*s is not recorded", STR(s->resource->address));
	return rc;
}

static int key_read(struct call *c, void *ctx, const struct resource *r, json_t **outputs)
{
	struct key_step s;
	struct record stored = {0};
	int rc = step_open(c, ctx, r, &s);
	if (rc == 0)
		rc = key_stored(c, &s, &stored);
	if (rc < 0)
		return call_context(c, "read %.*s", STR(r->address));
	*outputs = outputs_of(stored.value, s.path);
	return 0;
}

static int key_update(
	struct call *c, void *ctx, const struct resource *r, UNUSED const json_t *before, json_t **outputs)
{
	struct key_step s;
	struct record stored = {0};
	int rc = step_open(c, ctx, r, &s);
	if (rc == 0)
		rc = key_stored(c, &s, &stored);
	if (rc < 0)
		return rc;
	char text[TIME_TEXT_SIZE] = "";
	int64_t expires = expiry_of(&s.declared, json_int(stored.value, "created_ns", 0));
	if (expires)
		time_rfc3339(expires, 0, text);
	AUTO(json) value = json_deep_copy(stored.value);
	json_set_str(value, "expires", str_of(text));
	rc = store(c, &s, &stored, value);
	if (rc < 0)
		return rc;
	*outputs = outputs_of(value, s.path);
	return 0;
}

// The delivered file goes too, but only while it still holds this very key.
static int remove_file(struct call *c, const struct key_step *s, struct str id)
{
	AUTO(secret) text = {0};
	struct str found;
	struct err ignored = {0};
	if (!file_exists(s->path) || secret_read_file(&text, s->path, &ignored) < 0)
		return 0;
	if (!api_key_parse(str_trim(secret_str(&text)), &found) || !str_eq(found, id))
		return 0;
	return unlink(s->path) < 0 && errno != ENOENT ? call_errno(c, "remove %s", s->path) : 0;
}

static int key_delete(struct call *c, void *ctx, const struct resource *r)
{
	struct key_step s;
	struct record stored = {0};
	int rc = step_open(c, ctx, r, &s);
	if (rc == 0)
		rc = state_get(c, s.security->state, s.state_key, &stored);
	if (rc < 0 || stored.revision == 0)
		return rc;
	rc = remove_file(c, &s, json_str(stored.value, "id"));
	if (rc == 0)
		rc = state_put(c, s.security->state, s.state_key, NULL, stored.revision, NULL);
	return rc;
}

const struct resource_handler api_key_handler = {
	.kind = &api_key_kind,
	.create = key_create,
	.read = key_read,
	.update = key_update,
	.delete = key_delete,
};
