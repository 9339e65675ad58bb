// SPDX-License-Identifier: Apache-2.0
// Compiler attributes under short names, and AUTO: run a destructor when a variable leaves its scope.
#ifndef ISOBAR_BASE_ATTR_H
#define ISOBAR_BASE_ATTR_H

#include <stddef.h>

#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define MUST_CHECK __attribute__((warn_unused_result))
#define UNUSED __attribute__((unused))

// AUTO(buf) b = {0}; calls buf_autofree(&b) at the end of the scope. Each type that offers it declares
// the function beside its destructor with AUTO_DEFINE or by hand.
#define AUTO(type) __attribute__((cleanup(type##_autofree))) AUTO_TYPE_##type

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

#endif
