// SPDX-License-Identifier: Apache-2.0
// What every fuzz target is: one function that reads outside bytes and returns 0. libFuzzer finds it by its name, and
// so does replay_main.c. FUZZ_CHECK states what must hold for any input; it ends the program where it does not.
#ifndef ISOBAR_TESTS_FUZZ_H
#define ISOBAR_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_CHECK(condition)                                                                                          \
	do {                                                                                                           \
		if (!(condition)) {                                                                                    \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #condition);                 \
			abort();                                                                                       \
		}                                                                                                      \
	} while (0)

#endif
