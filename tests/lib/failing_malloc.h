// SPDX-License-Identifier: Apache-2.0
// Allocation failure on demand. A test program that is listed in `failing_malloc_tests` is linked with --wrap, so that
// every malloc, calloc and realloc of our own code comes here; the n-th one from failing_malloc_after(n) on gives NULL,
// and all later ones too. Single-threaded. The usual loop:
//
//	for (size_t n = 0;; n++) {
//		failing_malloc_after(n);
//		int rc = act();
//		bool ended = !failing_malloc_stop();
//		... rc is 0 or ERR_NO_MEMORY, nothing leaks ...
//		if (ended)
//			break;
//	}
#ifndef ISOBAR_TESTS_FAILING_MALLOC_H
#define ISOBAR_TESTS_FAILING_MALLOC_H

#include <stdbool.h>
#include <stddef.h>

void failing_malloc_after(size_t n); // the first n allocations succeed
bool failing_malloc_stop(void);      // all succeed again; true when one was refused since

// For libraries that take an allocator (json_set_alloc_funcs).
void *failing_malloc(size_t size);

#endif
