// SPDX-License-Identifier: Apache-2.0
// What the two halves of calls-driver share: the cloud that is driven (calls_driver.c) and what is asked of it
// (calls_operations.c). One thread.
#ifndef ISOBAR_TESTS_CALLS_DRIVER_H
#define ISOBAR_TESTS_CALLS_DRIVER_H

#include "cloud/cloud.h"
#include "cloud/config.h"

struct world {
	struct call c;
	struct arena arena; // of the call; emptied after each cell
	struct cloud cloud;
	struct cloud_config config;
	bool spot;
};

// An operation of a driver on a thing of a name of its own. All return 0 or a code with its error in the call.
struct operation {
	const char *name;
	int (*before)(struct world *w, struct str name); // what has to be there; NULL: nothing
	int (*act)(struct world *w, struct str name);
	int (*holds)(struct world *w, struct str name); // what has to be so afterwards; ERR_FAILED says what is not
	int (*after)(struct world *w, struct str name); // puts away what would be in the way of the next; NULL
	bool once; // asked again does it again: that is done only where it failed
};
extern const struct operation operations[];
extern const size_t operation_count;

// The bucket that all operations share; made before the first of them.
#define MATRIX_BUCKET S("isobar-matrix")

#endif
