// SPDX-License-Identifier: Apache-2.0
// The loop of allocation failure: act runs with the n-th allocation and all later ones refused, for every n, until none
// is. It must succeed or say "out of memory", and nothing else. Include after cmocka.h; see failing_malloc.h.
#ifndef ISOBAR_TESTS_FAIL_EACH_H
#define ISOBAR_TESTS_FAIL_EACH_H

#include "base/err.h"
#include "failing_malloc.h"

static inline void fail_each_named(const char *name, int (*act)(struct err *e))
{
	for (size_t n = 0; n < 100000; n++) {
		struct err e = {0};
		failing_malloc_after(n);
		int rc = act(&e);
		bool refused = failing_malloc_stop();
		if (rc < 0 && (rc != ERR_NO_MEMORY || !refused))
			fail_msg("%s after %zu allocations: %s: %s", name, n, err_name(rc), e.message);
		if (!refused)
			return;
	}
	fail_msg("%s never succeeds", name);
}
#define fail_each(act) fail_each_named(#act, act)

#endif
