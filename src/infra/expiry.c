// SPDX-License-Identifier: Apache-2.0
// When an environment ends. See expiry.h.
#include "infra/expiry.h"

#include "base/time.h"

#define KEY S("environment/expiry")
#define ADDRESS S("environment")
enum { TRY_AGAIN_S = 600 }; // what was refused may have been settled meanwhile

static int put(struct call *c, const struct state *s, const struct record *now, json_t *value, struct str type)
{
	AUTO(json) owned = value;
	char at[TIME_TEXT_SIZE];
	json_t *data = value ? json_deep_copy(value) : json_object();
	time_rfc3339(json_int(value ? value : now->value, "at_ns", 0), 0, at);
	json_object_set_new(data, "at", json_string(at));
	const struct state_note note = {
		.key = KEY, .value = value, .expected = now->revision, .type = type, .address = ADDRESS, .data = data};
	return state_put_noted(c, s, &note);
}

int expiry_get(struct call *c, const struct state *s, struct expiry *out)
{
	struct record now;
	int rc = state_get(c, s, KEY, &now);
	if (rc == 0)
		*out = (struct expiry){
			.at_ns = json_int(now.value, "at_ns", 0), .refused = json_str(now.value, "refused")};
	return rc;
}

int expiry_set(struct call *c, const struct state *s, int64_t after_ns)
{
	struct record now;
	int rc = state_get(c, s, KEY, &now);
	if (rc < 0 || (now.revision != 0) == (after_ns > 0))
		return rc;
	if (after_ns <= 0)
		return put(c, s, &now, NULL, S("environment.stays"));
	return put(c, s, &now, json_pack("{s:I}", "at_ns", (json_int_t)(call_now_ns(c) + after_ns)),
		S("environment.expires"));
}

int expiry_clear(struct call *c, const struct state *s, bool expired)
{
	struct record now;
	int rc = state_get(c, s, KEY, &now);
	if (rc < 0 || now.revision == 0)
		return rc;
	return put(c, s, &now, NULL, expired ? S("environment.expired") : S("environment.ended"));
}

int expiry_refuse(struct call *c, const struct state *s, struct str why)
{
	struct record now;
	int rc = state_get(c, s, KEY, &now);
	if (rc < 0 || now.revision == 0)
		return rc;
	json_t *value = json_pack("{s:I}", "at_ns", (json_int_t)(call_now_ns(c) + TRY_AGAIN_S * NS_PER_S));
	json_set_str(value, "refused", why);
	return put(c, s, &now, value, S("environment.stays"));
}

bool expiry_is_due(const struct call *c, const struct expiry *e)
{
	return e->at_ns > 0 && call_now_ns(c) >= e->at_ns;
}
