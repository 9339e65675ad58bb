// SPDX-License-Identifier: Apache-2.0
// Processes of a workspace. See processes.h.
#include "infra/processes.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "base/process.h"
#include "base/time.h"

enum { ANNOUNCE_LIMIT = 64 << 10, GATEWAY_GRACE_S = 10, REPLICA_GRACE_S = 5 };

// ---------------------------------------------------------------- gateways
struct gateway_process {
	struct str name;
	struct process process;
	bool up;
	json_t *announced; // in the call's arena
};

static void read_gateway(struct call *c, struct str root, const char *name, struct gateway_process *out)
{
	struct str path = arena_printf(c->arena, "%.*s/%s/announce.json", STR(root), name);
	json_t *announced = NULL;
	*out = (struct gateway_process){.name = arena_str(c->arena, str_of(name))};
	if (!path.p || json_parse_file(path.p, ANNOUNCE_LIMIT, &announced, NULL) < 0)
		return;
	out->announced = json_in_arena(c->arena, announced);
	pid_t pid = (pid_t)json_int(out->announced, "pid", 0);
	out->up = pid > 1 && process_identify(pid, &out->process) == 0 && process_has_argument(pid, path.p) &&
		  process_alive(&out->process);
}

typedef int gateway_visit(struct call *c, void *ctx, const struct gateway_process *g);

static int each_gateway(struct call *c, struct str state_folder, gateway_visit *visit, void *ctx)
{
	struct str root = arena_printf(c->arena, "%.*s/gateways", STR(state_folder));
	DIR *dir = root.p ? opendir(root.p) : NULL;
	if (!dir)
		return root.p && errno == ENOENT ? 0 : call_errno(c, "read %.*s", STR(root));
	struct dirent *entry;
	int rc = 0;
	while (rc == 0 && (entry = readdir(dir))) {
		struct gateway_process g;
		if (entry->d_name[0] == '.')
			continue;
		read_gateway(c, root, entry->d_name, &g);
		rc = visit(c, ctx, &g);
	}
	closedir(dir);
	return rc;
}

static int describe_gateway(struct call *c, void *ctx, const struct gateway_process *g)
{
	(void)c;
	if (!g->announced)
		return 0;
	json_t *one = json_pack("{s:s, s:s, s:i, s:b}", "url", json_text(g->announced, "url"), "admin_url",
		json_text(g->announced, "admin_url"), "pid", g->up ? (int)g->process.pid : 0, "up", (int)g->up);
	json_set_str(one, "name", g->name);
	json_array_append_new(ctx, one);
	return 0;
}

int processes_gateways(struct call *c, struct str state_folder, json_t **out)
{
	json_t *list = json_array();
	int rc = each_gateway(c, state_folder, describe_gateway, list);
	if (rc < 0) {
		json_decref(list);
		return rc;
	}
	*out = list;
	return 0;
}

static int stop_gateway(struct call *c, void *ctx, const struct gateway_process *g)
{
	(void)c, (void)ctx;
	if (g->up)
		process_stop(&g->process, GATEWAY_GRACE_S * NS_PER_S);
	return 0;
}

int processes_stop_gateways(struct call *c, struct str state_folder)
{
	return each_gateway(c, state_folder, stop_gateway, NULL);
}

// ---------------------------------------------------------------- endpoints
static size_t identify(const int64_t *pids, size_t count, struct process *out)
{
	size_t found = 0;
	for (size_t i = 0; i < count && pids[i] > 1; i++)
		found += process_identify((pid_t)pids[i], &out[found]) == 0 && process_alive(&out[found]);
	return found;
}

// How many there were.
static size_t stop_replicas(const struct endpoint_status *status)
{
	struct process all[COUNT_OF(status->pids) + COUNT_OF(status->older)];
	size_t count = identify(status->pids, COUNT_OF(status->pids), all);
	count += identify(status->older, COUNT_OF(status->older), all + count);
	process_stop_all(all, count, REPLICA_GRACE_S * NS_PER_S);
	return count;
}

// Looked at again until nothing runs: older generations may be more than one look tells.
static void stop_endpoint(struct call *c, const struct cloud *cloud, struct str name)
{
	size_t stopped;
	do {
		struct endpoint_status status = {0};
		stopped = CLOUD_CALL(c, cloud, endpoints, observe, name, &status) == 0 ? stop_replicas(&status) : 0;
		err_clear(&c->err);
	} while (stopped);
}

// Only the local engine's are processes of ours: a pocket cloud ends its own, and an account's go on.
static void stop_on_cloud(struct call *c, const struct cloud *cloud)
{
	struct str *names;
	size_t count;
	if (!cloud->endpoints || strcmp(cloud->endpoints->name, "local") != 0)
		return;
	if (CLOUD_CALL(c, cloud, endpoints, list, &names, &count) < 0)
		return;
	for (size_t i = 0; i < count; i++)
		stop_endpoint(c, cloud, names[i]);
}

int processes_stop_endpoints(struct call *c, const struct clouds *clouds)
{
	for (size_t i = 0; i < clouds->count; i++) {
		stop_on_cloud(c, &clouds->items[i]);
		err_clear(&c->err);
		int rc = call_check(c);
		if (rc < 0)
			return rc;
	}
	return 0;
}
