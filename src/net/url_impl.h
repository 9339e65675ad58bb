// SPDX-License-Identifier: Apache-2.0
// Character classes shared by url.c and url_path.c.
#ifndef ISOBAR_NET_URL_IMPL_H
#define ISOBAR_NET_URL_IMPL_H

#include "net/url.h"

bool url_is_unreserved(unsigned char c);
int url_hex(struct str s, size_t at); // value of the two hex digits at `at`; -1 when they are not there

#endif
