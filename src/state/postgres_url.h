// SPDX-License-Identifier: Apache-2.0
// The address of a state on PostgreSQL: postgresql://[USER@]HOST[:PORT][,HOST[:PORT]...]/DATABASE[?NAME=VALUE&...]. A
// host may be a name, an address, [IPv6], or (percent-encoded, or as ?host=) the folder of a Unix socket. Names:
// schema, sslmode, sslrootcert, host, port, user, target_session_attrs, application_name. A password is refused: it
// comes as a secret. Off loopback only sslmode verify-full (the default) and verify-ca are taken. Pure; memory is the
// arena's.
#ifndef ISOBAR_STATE_POSTGRES_URL_H
#define ISOBAR_STATE_POSTGRES_URL_H

#include "base/arena.h"
#include "base/err.h"

enum { POSTGRES_SCHEMA_MAX = 63 }; // bytes of an identifier (NAMEDATALEN - 1)

struct postgres_place {
	const char *hosts, *ports; // as libpq takes them: "a,b" and "5432,5433"
	const char *database;
	const char *user;   // NULL: the name of the process' user
	const char *schema; // a-z 0-9 _
	const char *sslmode;
	const char *sslrootcert;      // NULL: the caller's choice
	const char *session;          // target_session_attrs
	const char *application_name; // as the server's views show it
	const char *shown;            // "host:port/database (schema x)": for messages
	bool loopback;                // every host is this machine
};

bool postgres_is_url(struct str text); // begins with postgresql:// or postgres://
// otherwise: the schema when the URL names none. ERR_INVALID, ERR_DENIED (password, TLS that proves nothing).
MUST_CHECK int postgres_url_parse(
	struct str url, struct str otherwise, struct arena *a, struct postgres_place *out, struct err *e);
// A schema's name from words ("isobar", workspace, environment): lower case, other characters become '_', cut to fit.
struct str postgres_schema_of(struct arena *a, struct str workspace, struct str environment);

#endif
