// SPDX-License-Identifier: Apache-2.0
// Percent-encoding, queries and headers as signatures see them: see sign_request.h.
#include "cloud/sign/sign_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "cloud/sign/sign_impl.h"

int sign_refusal_finish(struct err *e, const struct sign_refusal *refusal, int code)
{
	if (e) {
		e->http_status = refusal->http_status;
		str_copy(e->provider_code, sizeof(e->provider_code), str_of(refusal->provider_code));
	}
	return code;
}

struct str sign_header_get(const struct sign_request *r, struct str name)
{
	for (size_t i = 0; i < r->header_count; i++) {
		if (str_eq_nocase(r->headers[i].name, name))
			return r->headers[i].value;
	}
	return S("");
}

static bool is_unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
	       c == '.' || c == '~';
}

void sign_uri_encode(struct str s, const char *keep, struct buf *out)
{
	static const char digits[] = "0123456789ABCDEF";
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (is_unreserved(c) || (c && strchr(keep, c))) {
			buf_add_char(out, (char)c);
			continue;
		}
		char escape[3] = {'%', digits[c >> 4], digits[c & 15]};
		buf_add_bytes(out, escape, sizeof(escape));
	}
}

int sign_uri_decode(struct str s, bool plus, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] != '%') {
			buf_add_char(out, plus && s.p[i] == '+' ? ' ' : s.p[i]);
			continue;
		}
		unsigned char byte;
		if (s.n - i < 3 || hex_decode((struct str){s.p + i + 1, 2}, &byte))
			return ERR_INVALID;
		buf_add_char(out, (char)byte);
		i += 2;
	}
	return 0;
}

// Decodes one part behind what text holds; text has room, so that its bytes stay where they are.
static int add_part(struct buf *text, bool plus, struct str written, struct str *out)
{
	size_t start = text->n;
	if (sign_uri_decode(written, plus, text) || text->failed)
		return ERR_INVALID;
	*out = (struct str){text->p + start, text->n - start};
	return 0;
}

static size_t count_parameters(struct str query)
{
	size_t count = 0;
	struct str piece;
	while (str_next(&query, '&', &piece))
		count += piece.n > 0;
	return count;
}

static int parse_into(struct str query, bool plus, struct sign_parameters *p)
{
	struct str piece;
	while (str_next(&query, '&', &piece)) {
		if (!piece.n)
			continue;
		struct str name, value;
		str_cut(piece, '=', &name, &value);
		struct sign_parameter *item = &p->items[p->count];
		if (add_part(&p->text, plus, name, &item->name) || add_part(&p->text, plus, value, &item->value))
			return ERR_INVALID;
		p->count++;
	}
	return 0;
}

int sign_parameters_parse_as(struct str query, bool plus, struct sign_parameters *out, struct err *e)
{
	size_t count = count_parameters(query);
	if (query.n > SIGN_MAX_TEXT || count > SIGN_MAX_PARAMETERS)
		return err_set(e, ERR_LIMIT, "a query of %zu bytes with %zu parameters is too long", query.n, count);
	AUTO(sign_parameters) p = {0};
	p.items = calloc(count + 1, sizeof(*p.items));
	if (!p.items || !buf_reserve(&p.text, query.n + 1))
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	if (parse_into(query, plus, &p))
		return err_set(e, ERR_INVALID, "the query has a broken percent-escape");
	*out = p;
	p = (struct sign_parameters){0};
	return 0;
}

int sign_parameters_parse(struct str query, struct sign_parameters *out, struct err *e)
{
	return sign_parameters_parse_as(query, true, out, e);
}

static const struct sign_parameter *find(const struct sign_parameters *p, struct str name)
{
	for (size_t i = 0; i < p->count; i++) {
		if (str_eq(p->items[i].name, name))
			return &p->items[i];
	}
	return NULL;
}

struct str sign_parameters_get(const struct sign_parameters *p, struct str name)
{
	const struct sign_parameter *found = find(p, name);
	return found ? found->value : S("");
}

bool sign_parameters_have(const struct sign_parameters *p, struct str name)
{
	return find(p, name) != NULL;
}

void sign_parameters_free(struct sign_parameters *p)
{
	if (!p)
		return;
	free(p->items);
	buf_free(&p->text);
	*p = (struct sign_parameters){0};
}
