// SPDX-License-Identifier: Apache-2.0
// The route of init: the text of a first workspace. Whoever asks writes it where it belongs.
#include "api/handlers.h"
#include "infra/init.h"
#include "net/url.h"

enum { SOURCES_MOST = 8 };

static struct str query(const struct api_request *r, const char *name)
{
	struct str value = url_query_get(r->query, name, r->call->arena);
	return value.p ? value : S("");
}

int handle_init(struct api_request *r, json_t **result)
{
	struct str from[SOURCES_MOST], list = query(r, "from"), one, name = query(r, "name");
	struct init_request request = {.from = from, .region = query(r, "region")};
	json_t *found;
	request.name = init_name_of(r->call->arena, name);
	while (list.n && str_next(&list, ',', &one)) {
		if (request.from_count == SOURCES_MOST)
			return call_fail(r->call, ERR_INVALID, "--from names more than %d sources", SOURCES_MOST);
		from[request.from_count++] = str_trim(one);
	}
	int rc = request.from_count ? control_operator(r->call, r->control, &request.op) : 0;
	if (rc == 0)
		rc = init_workspace(r->call, &request, &found);
	if (rc == 0)
		*result = json_incref(found);
	return rc;
}
