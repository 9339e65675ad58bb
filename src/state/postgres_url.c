// SPDX-License-Identifier: Apache-2.0
// Addresses of states on PostgreSQL. See postgres_url.h.
#include "state/postgres_url.h"

#include <stddef.h>
#include <string.h>

#include "base/hash.h"

static const struct str schemes[] = {S_INIT("postgresql://"), S_INIT("postgres://")};

bool postgres_is_url(struct str text)
{
	return str_starts(text, schemes[0]) || str_starts(text, schemes[1]);
}

// ---------------------------------------------------------------- pieces
static int decode(struct str text, struct arena *a, const char **out, struct err *e)
{
	char *copy = arena_alloc(a, text.n + 1);
	size_t n = 0;
	if (!copy)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		if (c == '%') {
			if (i + 2 >= text.n || hex_decode(str_bytes(text.p + i + 1, 2), &c) < 0)
				return err_set(e, ERR_INVALID, "the state's URL has a broken %% escape");
			i += 2;
		}
		if (c < 0x20 || c == 0x7f)
			return err_set(e, ERR_INVALID, "the state's URL holds a control character");
		copy[n++] = (char)c;
	}
	copy[n] = '\0';
	*out = copy;
	return 0;
}

static bool is_loopback(struct str host)
{
	return host.n == 0 || host.p[0] == '/' || str_eq(host, S("localhost")) || str_eq(host, S("::1")) ||
	       (str_starts(host, S("127.")) && strspn(host.p, "0123456789.") >= host.n);
}

static bool all_loopback(struct str hosts)
{
	struct str one;
	while (str_next(&hosts, ',', &one))
		if (!is_loopback(one))
			return false;
	return true;
}

static int check_ports(struct str ports, struct err *e)
{
	struct str one;
	uint64_t number;
	while (str_next(&ports, ',', &one))
		if (one.n && (str_to_u64(one, &number) < 0 || number == 0 || number > 65535))
			return err_set(e, ERR_INVALID, "the state's URL: \"%.*s\" is no port", STR(one));
	return 0;
}

// "[::1]:5432", "host:5433", "%2Frun%2Fpostgresql"
static void cut_port(struct str item, struct str *host, struct str *port)
{
	struct str rest = {.p = "", .n = 0};
	if (item.n && item.p[0] == '[' && str_cut(str_drop(item, 1), ']', host, &rest)) {
		*port = str_starts(rest, S(":")) ? str_drop(rest, 1) : rest;
		return;
	}
	str_cut(item, ':', host, port);
}

static int parse_hosts(struct str text, struct arena *a, struct postgres_place *p, struct err *e)
{
	AUTO(buf) hosts = {0};
	AUTO(buf) ports = {0};
	struct str item, host, port;
	const char *decoded;
	for (size_t i = 0; str_next(&text, ',', &item); i++) {
		cut_port(item, &host, &port);
		int rc = decode(host, a, &decoded, e);
		if (rc < 0)
			return rc;
		buf_printf(&hosts, "%s%s", i ? "," : "", decoded);
		buf_printf(&ports, "%s%.*s", i ? "," : "", STR(port));
	}
	int rc = buf_check(&hosts, e);
	if (rc == 0)
		rc = buf_check(&ports, e);
	p->hosts = arena_cstr(a, buf_str(&hosts));
	p->ports = arena_cstr(a, buf_str(&ports));
	return rc < 0 ? rc : p->hosts && p->ports ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

// ---------------------------------------------------------------- names after the '?'
static const struct {
	const char *name;
	size_t offset;
} settings[] = {
	{"schema", offsetof(struct postgres_place, schema)},
	{"sslmode", offsetof(struct postgres_place, sslmode)},
	{"sslrootcert", offsetof(struct postgres_place, sslrootcert)},
	{"host", offsetof(struct postgres_place, hosts)},
	{"port", offsetof(struct postgres_place, ports)},
	{"user", offsetof(struct postgres_place, user)},
	{"target_session_attrs", offsetof(struct postgres_place, session)},
	{"application_name", offsetof(struct postgres_place, application_name)},
};

static int take_setting(struct str name, struct str value, struct arena *a, struct postgres_place *p)
{
	struct err ignored = {0};
	for (size_t i = 0; i < COUNT_OF(settings); i++)
		if (str_eq(name, str_of(settings[i].name)))
			return decode(value, a, (const char **)(void *)((char *)p + settings[i].offset), &ignored);
	return ERR_NOT_FOUND;
}

static int parse_query(struct str query, struct arena *a, struct postgres_place *p, struct err *e)
{
	struct str piece, name, value;
	while (str_next(&query, '&', &piece)) {
		str_cut(piece, '=', &name, &value);
		if (str_eq(name, S("password")) || str_eq(name, S("sslpassword")))
			return err_set(e, ERR_DENIED,
				"the state's URL holds a password: take it out, and name a secret in \"credentials\"");
		int rc = piece.n ? take_setting(name, value, a, p) : 0;
		if (rc == ERR_NOT_FOUND)
			return err_set(e, ERR_INVALID,
				"the state's URL: \"%.*s\" is not known; there are schema, sslmode, sslrootcert, host, "
				"port, user, target_session_attrs, application_name",
				STR(name));
		if (rc < 0)
			return err_set(e, rc, "the state's URL: the value of %.*s is broken", STR(name));
	}
	return 0;
}

// ---------------------------------------------------------------- what is allowed
static int check_tls(struct postgres_place *p, struct err *e)
{
	static const char *const weak[] = {"disable", "allow", "prefer", "require"};
	if (!p->sslmode) {
		p->sslmode = p->loopback ? "prefer" : "verify-full";
		return 0;
	}
	if (strcmp(p->sslmode, "verify-full") == 0 || strcmp(p->sslmode, "verify-ca") == 0)
		return 0;
	for (size_t i = 0; i < COUNT_OF(weak); i++) {
		if (strcmp(p->sslmode, weak[i]) != 0)
			continue;
		if (p->loopback)
			return 0;
		return err_set(e, ERR_DENIED,
			"state on %s: sslmode=%s does not prove who answers; off this machine only verify-full (the "
			"default) and verify-ca are allowed",
			p->hosts, p->sslmode);
	}
	return err_set(e, ERR_INVALID, "the state's URL: sslmode=%s is not known", p->sslmode);
}

static int check_schema(const char *schema, struct err *e)
{
	size_t n = strlen(schema);
	if (n > 0 && n <= POSTGRES_SCHEMA_MAX && strspn(schema, "abcdefghijklmnopqrstuvwxyz0123456789_") == n &&
		strncmp(schema, "pg_", 3) != 0)
		return 0;
	return err_set(e, ERR_INVALID,
		"the state's URL: schema \"%s\": at most %d of a-z, 0-9 and _, and not pg_ first", schema,
		POSTGRES_SCHEMA_MAX);
}

static int check_place(struct arena *a, struct postgres_place *p, struct err *e)
{
	if (!*p->database)
		return err_set(e, ERR_INVALID, "the state's URL names no database: postgresql://HOST/DATABASE");
	if (!*p->hosts)
		return err_set(e, ERR_INVALID, "the state's URL names no host: postgresql://HOST/DATABASE");
	p->loopback = all_loopback(str_of(p->hosts));
	int rc = check_ports(str_of(p->ports), e);
	if (rc == 0)
		rc = check_schema(p->schema, e);
	if (rc == 0)
		rc = check_tls(p, e);
	if (rc < 0)
		return rc;
	bool port = *p->ports && *p->ports != ',';
	p->shown = arena_printf(
		a, "%s%s%s/%s (schema %s)", p->hosts, port ? ":" : "", port ? p->ports : "", p->database, p->schema)
			   .p;
	return p->shown ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

int postgres_url_parse(struct str url, struct str otherwise, struct arena *a, struct postgres_place *out, struct err *e)
{
	struct postgres_place p = {.user = NULL};
	struct str user, hosts, rest, database, query;
	if (!postgres_is_url(url))
		return err_set(e, ERR_INVALID, "\"%.*s\" is not postgresql://HOST/DATABASE", STR(str_clip(url, 80)));
	rest = str_drop(url, str_starts(url, schemes[0]) ? schemes[0].n : schemes[1].n);
	str_cut(rest, '?', &rest, &query);
	str_cut(rest, '/', &hosts, &database);
	int rc = 0;
	if (str_cut(hosts, '@', &user, &rest)) {
		hosts = rest;
		if (str_find_char(user, ':') >= 0)
			return err_set(e, ERR_DENIED,
				"the state's URL holds a password: take it out, and name a secret in \"credentials\"");
		rc = decode(user, a, &p.user, e);
	}
	p.schema = arena_cstr(a, otherwise.n ? otherwise : S("isobar"));
	p.session = "read-write"; // a standby is not written to
	p.application_name = "isobar";
	if (!p.schema)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	if (rc == 0)
		rc = parse_hosts(hosts, a, &p, e);
	if (rc == 0)
		rc = decode(database, a, &p.database, e);
	if (rc == 0)
		rc = parse_query(query, a, &p, e);
	if (rc == 0)
		rc = check_place(a, &p, e);
	if (rc == 0)
		*out = p;
	return rc;
}

// A name that was cut keeps a digest, so that two long names stay two schemas.
struct str postgres_schema_of(struct arena *a, struct str workspace, struct str environment)
{
	struct str full =
		arena_printf(a, "isobar_%.*s%s%.*s", STR(workspace), environment.n ? "_" : "", STR(environment));
	char *text = full.p ? arena_cstr(a, full) : NULL;
	if (!text)
		return (struct str){0};
	bool plain = true;
	for (char *c = text; *c; c++) {
		bool upper = *c >= 'A' && *c <= 'Z';
		if (upper)
			*c = (char)(*c + 'a' - 'A');
		else if (!((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_'))
			*c = '_';
		else
			continue;
		plain = false;
	}
	if (plain && full.n <= POSTGRES_SCHEMA_MAX)
		return str_of(text);
	char hex[HEX_SHA256_SIZE];
	struct sha256 digest = sha256_of(full);
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	enum { DIGEST_SHOWN = 8 };
	return arena_printf(a, "%.*s_%.*s", POSTGRES_SCHEMA_MAX - DIGEST_SHOWN - 1, text, DIGEST_SHOWN, hex);
}
