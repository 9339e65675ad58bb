// SPDX-License-Identifier: Apache-2.0
// Approvals of plans. See approvals.h.
#include "infra/approvals.h"

#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/time.h"

enum { GROUPS_MOST = 1024, ENTRY_ROOM = 64 << 10 }; // of a user; bytes of an entry of the user data base

static struct str key_of(struct call *c, struct str digest)
{
	return arena_printf(c->arena, "approval/%.*s", STR(digest));
}

static bool is_digest(struct str s)
{
	bool right = s.n == HEX_SHA256_SIZE - 1;
	for (size_t i = 0; right && i < s.n; i++)
		right = (s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f');
	return right;
}

// ---------------------------------------------------------------- who may
static bool is_in_group(const char *user, const char *group)
{
	struct passwd entry, *found = NULL;
	struct group g, *named = NULL;
	gid_t *all = calloc(GROUPS_MOST, sizeof(*all));
	char *room = malloc(ENTRY_ROOM);
	int count = GROUPS_MOST;
	bool in = false;
	if (all && room && getpwnam_r(user, &entry, room, ENTRY_ROOM, &found) == 0 && found &&
		getgrouplist(user, entry.pw_gid, all, &count) >= 0 &&
		getgrnam_r(group, &g, room, ENTRY_ROOM, &named) == 0 && named) {
		for (int i = 0; i < count; i++)
			in = in || all[i] == g.gr_gid;
	}
	free(room);
	free(all);
	return in;
}

bool approver_fits(struct str principal, struct str by)
{
	struct str kind, name, user_kind, user;
	if (by.n == 0 || str_eq(principal, by))
		return true;
	if (!str_cut(by, '/', &kind, &name) || !str_eq(kind, S("group")) ||
		!str_cut(principal, '/', &user_kind, &user) || !str_eq(user_kind, S("user")))
		return false;
	AUTO(arena) arena = {0};
	char *u = arena_cstr(&arena, user), *g = arena_cstr(&arena, name);
	return u && g && is_in_group(u, g);
}

// ---------------------------------------------------------------- giving
static bool has_approved(const json_t *by, struct str who)
{
	for (size_t i = 0; i < json_array_size(by); i++) {
		if (str_eq(json_str(json_array_get(by, i), "who"), who))
			return true;
	}
	return false;
}

static json_t *approval_json(struct call *c, struct str note)
{
	char at[TIME_TEXT_SIZE];
	json_t *one = json_object();
	time_rfc3339(call_now_ns(c), 0, at);
	json_set_str(one, "who", c->principal);
	json_object_set_new(one, "at", json_string(at));
	json_set_str(one, "note", note);
	return one;
}

static int write_approval(
	struct call *c, const struct state *s, const struct record *now, struct str digest, struct str note)
{
	AUTO(json) value = now->revision ? json_deep_copy(now->value) : json_pack("{s:[]}", "by");
	json_t *one = json_in_arena(c->arena, approval_json(c, note)), *data = json_object();
	if (!value || !one || json_array_append(json_object_get(value, "by"), one) < 0) {
		json_decref(data);
		return call_no_memory(c);
	}
	json_set_str(value, "digest", digest);
	json_set_str(data, "digest", digest);
	json_object_update(data, one);
	const struct state_note note_of = {.key = key_of(c, digest),
		.value = value,
		.expected = now->revision,
		.type = S("approval.given"),
		.address = key_of(c, digest),
		.data = data};
	return state_put_noted(c, s, &note_of);
}

int approvals_give(struct call *c, const struct state *s, const struct approval_rule *rule, struct str digest,
	struct str note, int64_t *given)
{
	struct record now;
	if (!is_digest(digest))
		return call_fail(c, ERR_INVALID,
			"\"%.*s\" is no digest of a plan: `isobar plan` prints it, 64 hexadecimal digits",
			(int)MIN(digest.n, 80), digest.p);
	if (!approver_fits(c->principal, rule->by))
		return call_fail(c, ERR_DENIED, "%.*s may not approve plans of the environment %.*s: approvers are %.*s",
			STR(c->principal), STR(rule->environment), STR(rule->by));
	int rc = state_get(c, s, key_of(c, digest), &now);
	if (rc < 0)
		return rc;
	const json_t *by = json_object_get(now.value, "by");
	bool before = has_approved(by, c->principal);
	if (!before)
		rc = write_approval(c, s, &now, digest, note);
	if (rc == 0)
		*given = (int64_t)json_array_size(by) + !before;
	return rc;
}

// ---------------------------------------------------------------- asking
// Only those count who may approve by what the environment says now.
static int64_t count(struct call *c, const json_t *by, const struct approval_rule *rule, struct str *names)
{
	int64_t n = 0;
	*names = S("");
	for (size_t i = 0; i < json_array_size(by); i++) {
		struct str who = json_str(json_array_get(by, i), "who");
		if (!approver_fits(who, rule->by))
			continue;
		*names = arena_printf(c->arena, "%.*s%s%.*s", STR(*names), n ? ", " : "", STR(who));
		n++;
	}
	return n;
}

int approvals_check(struct call *c, const struct state *s, const struct approval_rule *rule, struct str digest)
{
	struct record now;
	struct str names;
	if (rule->needed <= 0)
		return 0;
	int rc = state_get(c, s, key_of(c, digest), &now);
	if (rc < 0)
		return rc;
	int64_t n = count(c, json_object_get(now.value, "by"), rule, &names);
	if (n >= rule->needed)
		return 0;
	return call_fail(c, ERR_DENIED,
		"the environment %.*s asks for %lld approval%s of a plan%s%.*s; this one has %lld%s%.*s: whoever may runs "
		"`isobar approve %.*s`",
		STR(rule->environment), (long long)rule->needed, rule->needed == 1 ? "" : "s", rule->by.n ? " by " : "",
		STR(rule->by), (long long)n, n ? ", of " : "", STR(names), STR(digest));
}

int approvals_spend(struct call *c, const struct state *s, struct str digest)
{
	struct record now;
	int rc = state_get(c, s, key_of(c, digest), &now);
	if (rc < 0 || now.revision == 0)
		return rc;
	const struct state_note note = {.key = key_of(c, digest),
		.expected = now.revision,
		.type = S("approval.spent"),
		.address = key_of(c, digest),
		.data = json_deep_copy(now.value)};
	return state_put_noted(c, s, &note);
}

int approvals_list(struct call *c, const struct state *s, json_t **out)
{
	struct record *records;
	size_t n;
	int rc = state_list(c, s, S("approval/"), &records, &n);
	if (rc < 0)
		return rc;
	json_t *list = json_array();
	for (size_t i = 0; list && i < n; i++)
		json_array_append(list, records[i].value);
	*out = list;
	return list ? 0 : call_no_memory(c);
}
