// SPDX-License-Identifier: Apache-2.0
// Principals: see principal.h.
#include "security/principal.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const kinds[] = {"user", "group", "api-key", "monitor", "gateway", "reconciler", "schedule",
	"pipeline", "worker", "identity-provider"};

static bool is_kind(struct str kind)
{
	for (size_t i = 0; i < COUNT_OF(kinds); i++)
		if (str_eq(kind, str_of(kinds[i])))
			return true;
	return false;
}

static bool is_name(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		char ch = name.p[i];
		bool good = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') ||
			    str_find_char(S("-_.@+"), ch) >= 0;
		if (!good)
			return false;
	}
	return name.n > 0;
}

int principal_parse(struct str text, struct str *kind, struct str *name, struct err *e)
{
	struct str k, n;
	if (text.n > PRINCIPAL_MAX)
		return err_set(
			e, ERR_INVALID, "a principal of %zu bytes is over the limit of %d", text.n, PRINCIPAL_MAX);
	if (str_eq(text, S("system"))) {
		*kind = text;
		*name = S("");
		return 0;
	}
	if (!str_cut(text, '/', &k, &n) || !is_kind(k))
		return err_set(e, ERR_INVALID, "expected a principal such as user/anna or api-key/shop-app");
	if (!is_name(n))
		return err_set(e, ERR_INVALID, "the name of a principal has letters, digits and -_.@+ only");
	*kind = k;
	*name = n;
	return 0;
}

struct str principal_make(struct arena *a, struct str kind, struct str name)
{
	struct str k, n, made = arena_printf(a, "%.*s/%.*s", STR(kind), STR(name));
	return made.p && principal_parse(made, &k, &n, NULL) == 0 ? made : S("");
}

struct str principal_of_process(struct arena *a)
{
	enum { ROOM = 16384 }; // sysconf(_SC_GETPW_R_SIZE_MAX) is only a hint, 1024 on glibc
	struct passwd entry, *found = NULL;
	char *room = malloc(ROOM);
	struct str made = S("");
	uid_t uid = geteuid();
	if (room && getpwuid_r(uid, &entry, room, ROOM, &found) == 0 && found)
		made = principal_make(a, S("user"), str_of(found->pw_name));
	free(room);
	return made.n ? made : arena_printf(a, "user/uid-%u", (unsigned)uid);
}
