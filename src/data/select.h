// SPDX-License-Identifier: Apache-2.0
// Which of the objects below a place are meant: patterns as people write them. '*' stands for anything but '/', '**'
// for anything, '?' for one byte; a pattern without '/' is about the last part of a name. Pure.
#ifndef ISOBAR_DATA_SELECT_H
#define ISOBAR_DATA_SELECT_H

#include "base/str.h"

struct select {                    // borrowed
	const struct str *include; // with any, only what one of them matches
	size_t include_count;
	const struct str *exclude; // what one of them matches is out, whatever include says
	size_t exclude_count;
};
bool select_takes(const struct select *s, struct str name); // name: relative to the place
bool select_matches(struct str pattern, struct str name);

#endif
