// SPDX-License-Identifier: Apache-2.0
// Gateways as processes: started with a certificate of the workspace's CA, found again, tended after a kill, stopped.
// This program plays both sides: called as "gateway" it is the gateway.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "gateway/gateway.h"
#include "gateway/gateway_kind.h"
#include "gateway/gateway_process.h"
#include "gateway/publish.h"
#include "net/address.h"
#include "net/http_call.h"

#define LOSE_THE_PORT ".lose-the-port" // a gateway that finds this file ends as if its port were taken

struct world {
	char folder[64];
	struct arena arena;
	struct call c;
	struct state state;
	struct gateway_ctx ctx;
	struct resource gateway;
	int taken; // a socket that has the declared port; -1: free
	char listen[64];
};

static void put_gateway(struct world *w)
{
	json_t *resolved = json_pack("{s:s, s:s, s:s}", "listen", w->listen, "tls", "automatic", "audit", "strict");
	resolved = json_in_arena(&w->arena, resolved);
	struct resource r = {.address = S("gateway/edge"),
		.kind = S("gateway"),
		.name = S("edge"),
		.uid = S("uid-edge"),
		.status = S("creating"),
		.written = resolved,
		.resolved = resolved};
	assert_int_equal(resource_put(&w->c, &w->state, &r), 0);
	w->gateway = r;
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct address any, bound;
	snprintf(w->folder, sizeof(w->folder), "/tmp/isobar-gwproc-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	call_init(&w->c, &w->arena, edges_real(), S("user/test"));
	assert_int_equal(state_open_sqlite(&w->c, arena_printf(&w->arena, "%s/state.db", w->folder).p, &w->state), 0);
	assert_int_equal(address_parse(S("127.0.0.1:0"), &any, &w->c.err), 0);
	w->taken = address_listen(&any, false, &bound, &w->c.err);
	address_text(&bound, w->listen);
	w->ctx = (struct gateway_ctx){.state = &w->state, .folder = w->folder,
		.state_folder = arena_printf(&w->arena, "%s/.isobar", w->folder).p, .hash_secret_path = "/nonexistent"};
	put_gateway(w);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;
	int code = gateway_process_stop(&w->c, &w->ctx, &w->gateway);
	fd_close(&w->taken);
	state_close(&w->state);
	code = file_remove_tree(w->folder, NULL) || code;
	arena_free(&w->arena);
	free(w);
	return code;
}

static int get_status(struct world *w, struct str url, const char *path)
{
	struct guard *guard;
	struct http_call_response answer = {0};
	assert_int_equal(guard_new_loopback(&guard, &w->c.err), 0);
	struct http_call_request r = {.url = arena_printf(&w->arena, "%.*s%s", STR(url), path),
		.guard = guard,
		.ca_file = arena_printf(&w->arena, "%s/.isobar/ca.pem", w->folder).p};
	if (http_call(&w->c, &r, &answer))
		fail_msg("%s", w->c.err.message);
	guard_free(guard);
	return answer.status;
}

static void says_when_the_port_is_taken(void **state)
{
	struct world *w = *state;
	json_t *outputs = NULL;
	struct str id = {0};
	assert_int_equal(gateway_handler.create(&w->c, &w->ctx, &w->gateway, &outputs, &id), ERR_IN_USE);
	assert_non_null(strstr(w->c.err.message, w->listen));
	assert_null(outputs);
	assert_int_equal(gateway_process_find(&w->c, &w->ctx, &w->gateway, &outputs), ERR_NOT_FOUND);
}

static void lives_is_tended_and_ends(void **state)
{
	struct world *w = *state;
	json_t *first = NULL, *second = NULL;
	struct str id = {0};
	w->ctx.free_port = true; // the declared one is taken
	if (gateway_handler.create(&w->c, &w->ctx, &w->gateway, &first, &id))
		fail_msg("%s", w->c.err.message);
	first = json_in_arena(&w->arena, first);
	assert_true(str_starts(json_str(first, "url"), S("https://127.0.0.1:")));
	assert_int_equal(get_status(w, json_str(first, "url"), "/x"), 404);
	assert_int_equal(get_status(w, json_str(first, "admin_url"), "/healthz"), 200);
	assert_int_equal(gateway_handler.create(&w->c, &w->ctx, &w->gateway, &second, &id), 0);
	assert_true(json_equal(first, second)); // the same process
	json_decref(second);

	w->gateway.outputs = first;
	assert_int_equal(resource_put(&w->c, &w->state, &w->gateway), 0);
	assert_int_equal(kill((pid_t)json_int(first, "pid", 0), SIGKILL), 0);
	struct resource now;
	for (int i = 0; i < 100; i++) { // the kernel takes a moment to end it
		int code = gateway_publish(&w->c, &w->ctx);
		assert_true(code == 0 || code == ERR_UNAVAILABLE); // cut while its audit head was asked for
		assert_int_equal(resource_get(&w->c, &w->state, S("gateway/edge"), &now), 0);
		if (json_int(now.outputs, "pid", 0) != json_int(first, "pid", 0))
			break;
	}
	assert_int_not_equal(json_int(now.outputs, "pid", 0), json_int(first, "pid", 0));
	assert_true(str_eq(json_str(now.outputs, "url"), json_str(first, "url"))); // on the same port
	assert_int_equal(get_status(w, json_str(now.outputs, "url"), "/x"), 404);
	struct record head;
	assert_int_equal(gateway_publish(&w->c, &w->ctx), 0);
	assert_int_equal(state_get(&w->c, &w->state, S("audit-head/edge"), &head), 0);
	assert_true(str_eq(json_str(head.value, "writer"), S("gateway/edge")));

	assert_int_equal(gateway_handler.delete(&w->c, &w->ctx, &w->gateway), 0);
	json_t *gone = NULL;
	assert_int_equal(gateway_handler.read(&w->c, &w->ctx, &w->gateway, &gone), ERR_NOT_FOUND);
	assert_true(
		file_exists(arena_printf(&w->arena, "%s/.isobar/gateways/edge/audit", w->folder).p)); // the log stays
}

// The port was free when it was looked at, and taken when the gateway wanted it: it is started again.
static void starts_again_when_it_lost_the_port(void **state)
{
	struct world *w = *state;
	json_t *outputs = NULL;
	struct str id = {0};
	const char *folder = arena_printf(&w->arena, "%s/.isobar/gateways/edge", w->folder).p;
	const char *marker = arena_printf(&w->arena, "%s/snapshot.json" LOSE_THE_PORT, folder).p;
	assert_int_equal(file_make_dirs(folder, 0700, &w->c.err), 0);
	assert_int_equal(file_write_atomic(marker, S(""), 0600, &w->c.err), 0);
	fd_close(&w->taken);
	assert_int_equal(gateway_handler.create(&w->c, &w->ctx, &w->gateway, &outputs, &id), 0);
	assert_false(file_exists(marker));
	assert_true(str_ends(json_str(outputs, "url"), str_of(w->listen)));
	json_decref(outputs);
}

int main(int argc, char **argv)
{
	if (argc > 3 && strcmp(argv[1], "gateway") == 0) {
		char marker[256]; // beside the snapshot, which is the first option's value
		snprintf(marker, sizeof(marker), "%s" LOSE_THE_PORT, argv[3]);
		if (unlink(marker) == 0)
			return err_exit_code(ERR_IN_USE);
		const struct command *commands[] = {&gateway_command};
		return command_main(commands, 1, argc, argv, NULL);
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(says_when_the_port_is_taken, set_up, tear_down),
		cmocka_unit_test_setup_teardown(starts_again_when_it_lost_the_port, set_up, tear_down),
		cmocka_unit_test_setup_teardown(lives_is_tended_and_ends, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
