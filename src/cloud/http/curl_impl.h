// SPDX-License-Identifier: Apache-2.0
// Private to cloud: the part of libcurl's stable binary interface that the transport uses, so that building needs no
// headers of a library that is only loaded at run time. Numbers: curl/curl.h of libcurl 4 (unchanged since each was
// introduced).
#ifndef ISOBAR_CLOUD_HTTP_CURL_IMPL_H
#define ISOBAR_CLOUD_HTTP_CURL_IMPL_H

#include <sys/socket.h>

#include "base/err.h"

enum curl_option {
	CURLOPT_WRITEDATA = 10001,
	CURLOPT_URL = 10002,
	CURLOPT_PROXY = 10004,
	CURLOPT_READDATA = 10009,
	CURLOPT_ERRORBUFFER = 10010,
	CURLOPT_WRITEFUNCTION = 20011,
	CURLOPT_READFUNCTION = 20012,
	CURLOPT_LOW_SPEED_LIMIT = 19,
	CURLOPT_LOW_SPEED_TIME = 20,
	CURLOPT_HTTPHEADER = 10023,
	CURLOPT_HEADERDATA = 10029,
	CURLOPT_CUSTOMREQUEST = 10036,
	CURLOPT_NOPROGRESS = 43,
	CURLOPT_NOBODY = 44,
	CURLOPT_UPLOAD = 46,
	CURLOPT_FOLLOWLOCATION = 52,
	CURLOPT_XFERINFODATA = 10057,
	CURLOPT_CAINFO = 10065,
	CURLOPT_CAPATH = 10097,
	CURLOPT_FRESH_CONNECT = 74,
	CURLOPT_NOPROXY = 10177,
	CURLOPT_HTTPPROXYTUNNEL = 61,
	CURLOPT_SUPPRESS_CONNECT_HEADERS = 265,
	CURLOPT_PROXYTYPE = 101,
	CURLOPT_HEADERFUNCTION = 20079,
	CURLOPT_HTTP_VERSION = 84,
	CURLOPT_BUFFERSIZE = 98,
	CURLOPT_NOSIGNAL = 99,
	CURLOPT_INFILESIZE_LARGE = 30115,
	CURLOPT_TIMEOUT_MS = 155,
	CURLOPT_CONNECTTIMEOUT_MS = 156,
	CURLOPT_OPENSOCKETFUNCTION = 20163,
	CURLOPT_OPENSOCKETDATA = 10164,
	CURLOPT_PROTOCOLS = 181,
	CURLOPT_XFERINFOFUNCTION = 20219,
	CURLOPT_PATH_AS_IS = 234,
};
enum { CURLINFO_ACTIVESOCKET = 0x500000 + 44 }; // an int; -1: none
enum { CURL_HTTP_1_1 = 2, CURL_PROTO_HTTP_HTTPS = 3, CURL_INIT_ALL = 3, CURL_ERROR_TEXT = 256 };
enum curl_code { // of those that the transport tells apart
	CURLE_OK = 0,
	CURLE_COULDNT_RESOLVE_HOST = 6,
	CURLE_COULDNT_CONNECT = 7,
	CURLE_WEIRD_SERVER_REPLY = 8,
	CURLE_PARTIAL_FILE = 18,
	CURLE_WRITE_ERROR = 23,
	CURLE_OUT_OF_MEMORY = 27,
	CURLE_OPERATION_TIMEDOUT = 28,
	CURLE_SSL_CONNECT_ERROR = 35,
	CURLE_ABORTED_BY_CALLBACK = 42,
	CURLE_GOT_NOTHING = 52,
	CURLE_SEND_ERROR = 55,
	CURLE_RECV_ERROR = 56,
	CURLE_PEER_FAILED_VERIFICATION = 60,
	CURLE_SSL_CACERT_BADFILE = 77,
};

struct curl_slist;    // libcurl's own
struct curl_address { // struct curl_sockaddr
	int family, socktype, protocol;
	unsigned int size;
	struct sockaddr address; // longer than it says, by size
};

struct curl_library {
	int (*global_init)(long flags);
	void *(*easy_init)(void);
	int (*easy_setopt)(void *handle, int option, ...);
	int (*easy_perform)(void *handle);
	void (*easy_reset)(void *handle); // keeps connections
	void (*easy_cleanup)(void *handle);
	int (*easy_getinfo)(void *handle, int info, ...);
	const char *(*easy_strerror)(int code);
	struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
	void (*slist_free_all)(struct curl_slist *list);
};
MUST_CHECK int curl_library_load(struct curl_library *out, struct err *e);

#endif
