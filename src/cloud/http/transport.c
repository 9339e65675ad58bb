// SPDX-License-Identifier: Apache-2.0
// What every transport's users share: see transport.h. The real one is curl_transport.c.
#include "cloud/http/transport.h"

#include "net/url.h"

int transport_host(struct str text, struct arena *a, struct str *out, struct err *e)
{
	struct url url;
	int r = url_parse(text, &url, e);
	if (r)
		return r;
	bool v6 = url.authority.type == URL_HOST_IPV6;
	struct str host =
		arena_printf(a, "%s%.*s%s:%u", v6 ? "[" : "", STR(url.authority.host), v6 ? "]" : "", url.port);
	if (!host.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	*out = host;
	return 0;
}

struct str transport_header(const struct transport_response *r, struct str name)
{
	for (size_t i = 0; i < r->header_count; i++) {
		if (str_eq_nocase(r->headers[i].name, name))
			return r->headers[i].value;
	}
	return S("");
}
