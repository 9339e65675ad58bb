// SPDX-License-Identifier: Apache-2.0
// Loads optional libraries (libcurl, OpenBLAS, ...) when a feature first needs them: only from root-owned absolute paths that no
// other user may write, by a table of symbols. A missing library is ERR_UNSUPPORTED with the package to install.
#ifndef ISOBAR_BASE_LIBRARY_H
#define ISOBAR_BASE_LIBRARY_H

#include "base/err.h"

struct library_symbol {
	const char *name;
	size_t offset; // of the function pointer in the caller's table
};
struct library_spec {
	const char *name;               // "libcurl"
	const char *package;            // "libcurl4"
	const char *const *paths;       // NULL-ended absolute paths, tried in order
	const struct library_symbol *symbols;
	size_t symbol_count;
};
// Fills the function pointers of *table. The library stays loaded until the process ends.
MUST_CHECK int library_load(const struct library_spec *spec, void *table, struct err *e);

#endif
