// SPDX-License-Identifier: Apache-2.0
// What every transport's users share: see transport.h. The real one is curl_transport.c.
#include "cloud/http/transport.h"

struct str transport_header(const struct transport_response *r, struct str name)
{
	for (size_t i = 0; i < r->header_count; i++) {
		if (str_eq_nocase(r->headers[i].name, name))
			return r->headers[i].value;
	}
	return S("");
}
