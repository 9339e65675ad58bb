// SPDX-License-Identifier: Apache-2.0
// What the files behind data/objects.h share.
#ifndef ISOBAR_DATA_OBJECTS_IMPL_H
#define ISOBAR_DATA_OBJECTS_IMPL_H

#include "data/objects.h"

struct object_rows { // in the call's arena
	struct object_row *items;
	size_t count, room;
};
int object_rows_add(struct call *c, struct object_rows *rows, struct object_row row);
// What is in a folder, sorted; a file is its own row. Folders end in '/'; links are shown as what they are, files.
int objects_list_folder(struct call *c, const struct object_place *at, bool recursive, struct object_rows *rows);

#endif
