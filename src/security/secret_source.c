// SPDX-License-Identifier: Apache-2.0
// Sources of secrets: see secret_source.h.
#include "security/secret_source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/kind.h"

enum { KEYCTL_READ = 11 }; // linux/keyctl.h, which the C library does not wrap

static bool is_variable(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char ch = name.p[i];
		bool letter = (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || ch == '_';
		if (!letter && (i == 0 || ch < '0' || ch > '9'))
			return false;
	}
	return name.n > 0;
}

static bool is_key_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char ch = name.p[i];
		bool letter = (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9');
		if (!letter && (i == 0 || (ch != '-' && ch != '_' && ch != '.')))
			return false;
	}
	return name.n > 0 && name.n <= 63;
}

static bool is_cloud_secret(struct str text)
{
	struct str cloud, name;
	return str_cut(text, '/', &cloud, &name) && is_key_name(cloud) && name.n > 0;
}

int secret_source_check(struct str from, struct err *e)
{
	struct str kind, rest;
	str_cut(from, ':', &kind, &rest);
	bool fine = (str_eq(kind, S("env")) && is_variable(rest)) ||
		    (str_eq(kind, S("file")) && rest.n > 1 && rest.p[0] == '/') ||
		    (str_eq(kind, S("keyring")) && is_key_name(rest)) ||
		    (str_eq(kind, S("cloud")) && is_cloud_secret(rest));
	if (fine && !memchr(from.p, '\0', from.n))
		return 0;
	// What stands there may be the secret itself, by mistake: it is not repeated.
	return err_set(e, ERR_INVALID,
		"expected a source of a secret: env:VARIABLE, file:/ABSOLUTE/PATH, keyring:NAME or cloud:CLOUD/NAME");
}

static int from_environment(struct call *c, const char *name, struct secret *out)
{
	const char *value = getenv(name);
	if (!value || !*value)
		return call_fail(c, ERR_NOT_FOUND, "the environment variable %s is not set", name);
	return secret_set(out, str_of(value), &c->err);
}

// A file that an editor wrote ends in a line end.
static void trim_line_end(struct secret *s)
{
	while (s->n && (s->p[s->n - 1] == '\n' || s->p[s->n - 1] == '\r'))
		s->p[--s->n] = '\0';
}

static int from_file(struct call *c, const char *path, struct secret *out)
{
	AUTO(secret) s = {0};
	int rc = secret_read_file(&s, path, &c->err);
	if (rc < 0)
		return rc;
	trim_line_end(&s);
	if (!s.n)
		return call_fail(c, ERR_NOT_FOUND, "the secret file %s is empty", path);
	secret_free(out);
	*out = s;
	s = (struct secret){0};
	return 0;
}

// errno says why it returned a negative number.
static long find_key(const char *description)
{
	return syscall(SYS_request_key, "user", description, NULL, 0);
}

static int from_kernel(struct call *c, const char *name, struct secret *out)
{
	struct str description = arena_printf(c->arena, "isobar:%s", name);
	long key = description.p ? find_key(description.p) : -1, size = -1;
	if (key >= 0)
		size = syscall(SYS_keyctl, KEYCTL_READ, key, NULL, 0);
	if (size <= 0)
		return call_fail(
			c, ERR_NOT_FOUND, "the kernel's keyrings have no key of type user called isobar:%s", name);
	AUTO(secret) s = {0};
	int rc = secret_alloc(&s, (size_t)size, &c->err);
	if (rc < 0)
		return rc;
	if (syscall(SYS_keyctl, KEYCTL_READ, key, s.p, s.n) != size)
		return call_fail(c, ERR_CONFLICT, "the key isobar:%s changed while it was read", name);
	secret_free(out);
	*out = s;
	s = (struct secret){0};
	return 0;
}

static int from_keyring(struct call *c, const char *name, struct str folder, struct secret *out)
{
	struct str path = arena_printf(c->arena, "%.*s/keyring/%s", STR(folder), name);
	if (!path.p)
		return call_no_memory(c);
	if (folder.n && file_exists(path.p))
		return from_file(c, path.p, out);
	int rc = from_kernel(c, name, out);
	return rc == ERR_NOT_FOUND ? call_context(c, "there is no %s, and", path.p) : rc;
}

static int from_cloud(struct call *c, struct str place, const struct secret_clouds *clouds, struct secret *out)
{
	AUTO(secret) s = {0};
	struct str cloud, name;
	str_cut(place, '/', &cloud, &name);
	if (!clouds || !clouds->read)
		return call_fail(c, ERR_UNSUPPORTED,
			"cloud:%.*s: no cloud can be opened for this secret, since it is needed to open one: use env:, file: "
			"or keyring:",
			STR(place));
	int rc = clouds->read(c, clouds->ctx, cloud, name, &s);
	if (rc < 0)
		return call_context(c, "cloud:%.*s", STR(place));
	trim_line_end(&s);
	if (!s.n)
		return call_fail(c, ERR_NOT_FOUND, "cloud:%.*s is empty", STR(place));
	secret_free(out);
	*out = s;
	s = (struct secret){0};
	return 0;
}

int secret_source_read(struct call *c, struct str from, const struct secret_places *places, struct secret *out)
{
	struct str kind, rest;
	int rc = secret_source_check(from, &c->err);
	if (rc < 0)
		return rc;
	str_cut(from, ':', &kind, &rest);
	const char *name = arena_cstr(c->arena, rest);
	if (!name)
		return call_no_memory(c);
	if (str_eq(kind, S("env")))
		return from_environment(c, name, out);
	if (str_eq(kind, S("file")))
		return from_file(c, name, out);
	if (str_eq(kind, S("keyring")))
		return from_keyring(c, name, places->folder, out);
	return from_cloud(c, rest, places->clouds, out);
}
