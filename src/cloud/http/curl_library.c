// SPDX-License-Identifier: Apache-2.0
// Where libcurl is and which of its functions we call: see curl_impl.h.
#include "base/library.h"
#include "cloud/http/curl_impl.h"

#define SYMBOL(member)                                                                                                 \
	{                                                                                                              \
		"curl_" #member, offsetof(struct curl_library, member)                                                 \
	}

static const struct library_symbol symbols[] = {
	SYMBOL(global_init),
	SYMBOL(easy_init),
	SYMBOL(easy_setopt),
	SYMBOL(easy_perform),
	SYMBOL(easy_reset),
	SYMBOL(easy_cleanup),
	SYMBOL(easy_getinfo),
	SYMBOL(easy_strerror),
	SYMBOL(slist_append),
	SYMBOL(slist_free_all),
};

static const char *const paths[] = {
	"/usr/lib/x86_64-linux-gnu/libcurl.so.4",
	"/usr/lib/aarch64-linux-gnu/libcurl.so.4",
	"/usr/lib64/libcurl.so.4",
	"/usr/lib/libcurl.so.4",
	NULL,
};

int curl_library_load(struct curl_library *out, struct err *e)
{
	static const struct library_spec spec = {.name = "libcurl",
		.package = "libcurl4",
		.paths = paths,
		.symbols = symbols,
		.symbol_count = COUNT_OF(symbols)};
	struct curl_library library;
	int r = library_load(&spec, &library, e);
	if (r)
		return r;
	if (library.global_init(CURL_INIT_ALL) != CURLE_OK)
		return err_set(e, ERR_FAILED, "libcurl could not be initialised");
	*out = library;
	return 0;
}
