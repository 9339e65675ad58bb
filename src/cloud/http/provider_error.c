// SPDX-License-Identifier: Apache-2.0
// Provider errors as ours: see provider_error.h.
#include "cloud/http/provider_error.h"

#include <stdio.h>
#include <string.h>

#include "base/time.h"

enum { MESSAGE_MAX = 300 };

int provider_status_code(int status)
{
	switch (status) {
	case 400:
	case 416:
		return ERR_INVALID;
	case 401:
		return ERR_UNAUTHENTICATED;
	case 403:
		return ERR_DENIED;
	case 404:
	case 410:
		return ERR_NOT_FOUND;
	case 304:
	case 409:
	case 412:
		return ERR_CONFLICT;
	case 413:
		return ERR_LIMIT;
	case 405:
	case 501:
		return ERR_UNSUPPORTED;
	case 429:
		return ERR_THROTTLED;
	case 507:
		return ERR_NO_SPACE;
	case 408:
		return ERR_UNAVAILABLE;
	default:
		return status >= 500 ? ERR_UNAVAILABLE : ERR_PROTOCOL;
	}
}

// Text from outside on one line, without control characters.
static struct str clean(struct call *c, struct str message)
{
	message = str_take(str_trim(message), MESSAGE_MAX);
	char *copy = arena_cstr(c->arena, message);
	for (size_t i = 0; copy && i < message.n; i++) {
		if ((unsigned char)copy[i] < ' ' || copy[i] == 127)
			copy[i] = ' ';
	}
	return copy ? (struct str){copy, message.n} : S("");
}

int provider_fail(
	struct call *c, const struct provider_code *table, size_t count, const struct provider_refusal *refusal)
{
	int code = provider_status_code(refusal->status);
	bool retryable = err_is_retryable(code);
	for (size_t i = 0; i < count; i++) {
		if (!str_eq(str_of(table[i].code), refusal->code))
			continue;
		code = table[i].ours;
		retryable = table[i].retryable;
		break;
	}
	struct str message = clean(c, refusal->message), name = clean(c, refusal->code);
	call_fail(c, code, "%s%.*s%s%.*s (HTTP %d)", name.n ? "" : err_word(code), STR(name), message.n ? ": " : "",
		STR(message), refusal->status);
	c->err.retryable = retryable;
	c->err.http_status = refusal->status;
	str_copy(c->err.provider_code, sizeof(c->err.provider_code), str_take(name, sizeof(c->err.provider_code) - 1));
	return code;
}

enum { CLOCK_SKEW_S = 5 * 60 }; // more than any clock that is kept right

void provider_add_clock(struct call *c, int status, struct str date)
{
	int64_t theirs_ns = 0;
	bool about_us = status == 400 || status == 401 || status == 403;
	if (!about_us || time_parse_http_date(date, &theirs_ns) < 0)
		return;
	int64_t ahead_s = (call_now_ns(c) - theirs_ns) / NS_PER_S;
	size_t n = strlen(c->err.message);
	if (ahead_s > CLOCK_SKEW_S || ahead_s < -CLOCK_SKEW_S)
		snprintf(c->err.message + n, sizeof(c->err.message) - n,
			": the clock of this machine is %lld minutes %s the provider's: set it right",
			(long long)(ahead_s < 0 ? -ahead_s : ahead_s) / 60, ahead_s < 0 ? "behind" : "ahead of");
}
