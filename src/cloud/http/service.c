// SPDX-License-Identifier: Apache-2.0
// One API of a provider: see service.h.
#include "cloud/http/service.h"

int service_open(struct service *s, const struct services_options *o, const struct provider_ops *ops,
	const struct service_place *place, struct arena *a, struct err *e)
{
	struct service made = {.name = arena_str(a, place->name), .region = arena_str(a, place->region)};
	struct str audience = arena_str(a, place->audience);
	if (!made.name.p || !made.region.p || !audience.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	int r = provider_init(&made.provider, ops, place->url, a, e);
	if (r)
		return r;
	made.provider.transport = o->transport;
	made.provider.credentials = o->credentials;
	made.provider.audience = audience;
	made.provider.clock = o->credentials ? credentials_clock(o->credentials) : NULL;
	*s = made;
	throttle_init(&s->throttle);
	s->provider.throttle = &s->throttle;
	return 0;
}

void service_close(struct service *s)
{
	if (s->provider.throttle)
		throttle_free(&s->throttle);
	*s = (struct service){0};
}

struct str service_origin(struct str url)
{
	ptrdiff_t host = str_find(url, S("://"));
	if (host < 0)
		return url;
	ptrdiff_t path = str_find_char(str_drop(url, (size_t)host + 3), '/');
	return path < 0 ? url : str_take(url, (size_t)host + 3 + (size_t)path);
}

int service_authorize_bearer(struct call *c, struct provider *p, const struct sign_request *r, struct exchange *x)
{
	struct credential who;
	(void)r;
	int code = credentials_get(c, p->credentials, p->audience, &who);
	if (code)
		return code;
	struct str value = arena_printf(c->arena, "Bearer %.*s", STR(who.token));
	exchange_header(x, "authorization", value);
	x->serial = who.serial;
	return value.p ? 0 : call_no_memory(c);
}
