// SPDX-License-Identifier: Apache-2.0
// The handler of gateways: what a revision declares becomes a published configuration and a running process. All
// idempotent. Audit logs are never deleted here, also not with their gateway.
#include <errno.h>
#include <unistd.h>

#include "gateway/gateway_kind.h"
#include "gateway/gateway_process.h"
#include "gateway/publish.h"
#include "gateway/upstreams.h"

static int create(struct call *c, void *ctx, const struct resource *r, json_t **outputs, UNUSED struct str *cloud_id)
{
	const struct gateway_ctx *g = ctx;
	int code = gateway_publish_one(c, g, r, NULL);
	return code ? code : gateway_process_ensure(c, g, r, outputs);
}

static int read_running(struct call *c, void *ctx, const struct resource *r, json_t **outputs)
{
	return gateway_process_find(c, ctx, r, outputs);
}

// Another address or another kind of TLS needs another process; all else is read from the new configuration.
static bool needs_restart(const struct resource *r, const json_t *before)
{
	static const char *const members[] = {"listen", "tls", "audit"};
	for (size_t i = 0; i < COUNT_OF(members); i++)
		if (!json_equal(json_object_get(r->resolved, members[i]), json_object_get(before, members[i])))
			return true;
	return false;
}

static int update(struct call *c, void *ctx, const struct resource *r, const json_t *before, json_t **outputs)
{
	const struct gateway_ctx *g = ctx;
	int code = needs_restart(r, before) ? gateway_process_stop(c, g, r) : 0;
	if (code == 0)
		code = gateway_publish_one(c, g, r, NULL);
	return code ? code : gateway_process_ensure(c, g, r, outputs);
}

static int delete_gateway(struct call *c, void *ctx, const struct resource *r)
{
	const struct gateway_ctx *g = ctx;
	static const char *const files[] = {"snapshot.json", UPSTREAMS_FILE};
	int code = gateway_process_stop(c, g, r);
	for (size_t i = 0; code == 0 && i < COUNT_OF(files); i++) {
		const char *path = gateway_path(c, g, r->name, files[i]);
		if (path && unlink(path) < 0 && errno != ENOENT)
			code = call_errno(c, "remove %s", path);
	}
	return code;
}

const struct resource_handler gateway_handler = {
	.kind = &gateway_kind,
	.create = create,
	.read = read_running,
	.update = update,
	.delete = delete_gateway,
};
