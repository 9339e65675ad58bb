// SPDX-License-Identifier: Apache-2.0
// What all versions of HTTP share: see http.h. Header lists are short (a hundred at most), so they are searched in
// order.
#include "net/http.h"

#include <string.h>

static const struct {
	struct str name;
	enum http_method method;
} methods[] = {
	{S_INIT("GET"), HTTP_GET},
	{S_INIT("HEAD"), HTTP_HEAD},
	{S_INIT("POST"), HTTP_POST},
	{S_INIT("PUT"), HTTP_PUT},
	{S_INIT("DELETE"), HTTP_DELETE},
	{S_INIT("PATCH"), HTTP_PATCH},
	{S_INIT("OPTIONS"), HTTP_OPTIONS},
};

enum http_method http_method_of(struct str text)
{
	for (size_t i = 0; i < COUNT_OF(methods); i++)
		if (str_eq(methods[i].name, text))
			return methods[i].method;
	return HTTP_OTHER;
}

// RFC 9110 15, and 499, which is what logs call a client that left.
static const struct {
	int status;
	const char *text;
} statuses[] = {
	{100, "Continue"},
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{206, "Partial Content"},
	{301, "Moved Permanently"},
	{302, "Found"},
	{303, "See Other"},
	{304, "Not Modified"},
	{307, "Temporary Redirect"},
	{308, "Permanent Redirect"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{406, "Not Acceptable"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{410, "Gone"},
	{411, "Length Required"},
	{412, "Precondition Failed"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{416, "Range Not Satisfiable"},
	{417, "Expectation Failed"},
	{421, "Misdirected Request"},
	{422, "Unprocessable Content"},
	{424, "Failed Dependency"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{499, "Client Closed Request"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
	{507, "Insufficient Storage"},
};

const char *http_status_text(int status)
{
	for (size_t i = 0; i < COUNT_OF(statuses); i++)
		if (statuses[i].status == status)
			return statuses[i].text;
	return "";
}

struct str http_header_get(const struct http_headers *h, const char *name)
{
	struct str wanted = str_of(name);
	for (size_t i = 0; i < h->count; i++)
		if (str_eq(h->items[i].name, wanted))
			return h->items[i].value;
	return (struct str){0};
}

size_t http_header_count(const struct http_headers *h, const char *name)
{
	struct str wanted = str_of(name);
	size_t count = 0;
	for (size_t i = 0; i < h->count; i++)
		count += str_eq(h->items[i].name, wanted);
	return count;
}

int http_header_add(struct http_headers *h, struct arena *a, struct str name, struct str value)
{
	if (h->count == h->room) {
		size_t room = h->room ? h->room * 2 : 16;
		struct http_header *items = arena_new_array(a, room, struct http_header);
		if (!items)
			return ERR_NO_MEMORY;
		if (h->count)
			memcpy(items, h->items, h->count * sizeof(*items));
		h->items = items;
		h->room = room;
	}
	h->items[h->count++] = (struct http_header){name, value};
	return 0;
}

bool http_list_has(struct str list, struct str token)
{
	struct str piece;
	while (str_next(&list, ',', &piece))
		if (str_eq_nocase(str_trim(piece), token))
			return true;
	return false;
}

// Token characters (RFC 9110 5.6.2) as a bit set of 128.
static bool is_token_char(unsigned char c)
{
	static const uint64_t allowed[2] = {
		UINT64_C(0x03ff6cfa00000000), // ! # $ % & ' * + - . 0-9
		UINT64_C(0x57ffffffc7fffffe), // A-Z ^ _ ` a-z | ~
	};
	return c < 128 && (allowed[c >> 6] >> (c & 63) & 1);
}

bool http_is_token(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_token_char((unsigned char)s.p[i]))
			return false;
	return s.n > 0;
}

bool http_is_field_value(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if ((c < 0x20 && c != '\t') || c > 0x7e)
			return false;
	}
	return s.n == 0 || str_trim(s).n == s.n;
}

bool http_is_hop_by_hop(struct str name)
{
	static const struct str names[] = {S_INIT("connection"), S_INIT("keep-alive"), S_INIT("te"), S_INIT("trailer"),
		S_INIT("transfer-encoding"), S_INIT("upgrade"), S_INIT("http2-settings")};
	for (size_t i = 0; i < COUNT_OF(names); i++)
		if (str_eq(names[i], name))
			return true;
	return str_starts(name, S("proxy-"));
}
