// SPDX-License-Identifier: Apache-2.0
// What drivers share of identity.h.
#include "cloud/identity.h"

// What is not there was looked for, so that looking is allowed; only some refusals are about permissions.
int probe_judge(struct call *c, int rc, struct probe *out)
{
	if (rc == ERR_TIMEOUT || rc == ERR_CANCELLED || rc == ERR_NO_MEMORY)
		return rc;
	*out = (struct probe){.verdict = rc == 0 || rc == ERR_NOT_FOUND                  ? PROBE_ALLOWED
					 : rc == ERR_DENIED || rc == ERR_UNAUTHENTICATED ? PROBE_DENIED
											 : PROBE_FAILED};
	if (out->verdict != PROBE_ALLOWED)
		out->reason = arena_str(c->arena, str_of(c->err.message));
	err_clear(&c->err);
	return 0;
}

int bucket_list_add(struct call *c, struct bucket_list *list, struct bucket_entry entry)
{
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 64;
		struct bucket_entry *grown = arena_new_array(c->arena, room, struct bucket_entry);
		if (!grown)
			return call_no_memory(c);
		for (size_t i = 0; i < list->count; i++)
			grown[i] = list->items[i];
		list->items = grown;
		list->room = room;
	}
	list->items[list->count++] = entry;
	return 0;
}

int bucket_list_all(struct call *c, void *driver, bucket_page *page, struct bucket_list *out)
{
	enum { PAGES_MOST = 100 };
	struct str token = S("");
	int r = 0;
	*out = (struct bucket_list){0};
	for (int number = 0; !r && number < PAGES_MOST && (number == 0 || token.n); number++) {
		struct str next = S("");
		r = page(c, driver, token, out, &next);
		token = next;
	}
	return r;
}
