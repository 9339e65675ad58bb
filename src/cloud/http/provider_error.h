// SPDX-License-Identifier: Apache-2.0
// Provider errors as ours: a driver's table maps the provider's codes, the HTTP status decides where the table does not
// know one. The provider's code and status are kept in the error. Pure.
#ifndef ISOBAR_CLOUD_HTTP_PROVIDER_ERROR_H
#define ISOBAR_CLOUD_HTTP_PROVIDER_ERROR_H

#include "base/call.h"

struct provider_code {
	const char *code; // "NoSuchKey"
	int ours;         // enum err_code
	bool retryable;
};
struct provider_refusal {
	int status;
	struct str code;    // the provider's; "": none
	struct str message; // for people, outside text: cut and cleaned before it is used
};
int provider_status_code(int status); // enum err_code for an HTTP status from 300 on
// Sets c->err and returns its code.
int provider_fail(
	struct call *c, const struct provider_code *table, size_t count, const struct provider_refusal *refusal);

// To c->err, the refusal of a request that carried our time: says so when the answer's Date (RFC 9110 6.6.1) is minutes
// away from it. Signatures and tokens are refused then, in words that do not say what to do.
void provider_add_clock(struct call *c, int status, struct str date);

#endif
