// SPDX-License-Identifier: Apache-2.0
// Reading many resource records. See resource_scan.h.
#include "state/resource_scan.h"

#include <stdlib.h>
#include <string.h>

#include "state/resource_common.h"
#include "state/resource_impl.h"

// ---------------------------------------------------------------- the sum
struct sum {
	uint64_t a, b;
};

static uint64_t mix(uint64_t h) // the finalizer of MurmurHash3 (Appleby)
{
	h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdu;
	h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53u;
	return h ^ (h >> 33);
}

static struct sum then(struct sum s, uint64_t word)
{
	return (struct sum){.a = mix(s.a ^ word) + 0x9e3779b97f4a7c15u, .b = mix(s.b + word) ^ 0xd6e8feb86659fd93u};
}

static struct sum text_sum(struct sum s, const char *p, size_t n)
{
	for (; n >= 8; p += 8, n -= 8) {
		uint64_t word;
		memcpy(&word, p, 8);
		s = then(s, word);
	}
	uint64_t last = 0;
	memcpy(&last, p, n);
	return then(s, last ^ ((uint64_t)(n + 1) << 56));
}

static struct sum value_sum(const json_t *j);

// The members of an object are added up, so that their order says nothing.
static struct sum object_sum(const json_t *j)
{
	struct sum s = {0};
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)j, name, value)
	{
		struct sum member = text_sum(value_sum(value), name, strlen(name));
		s.a += member.a;
		s.b += member.b;
	}
	return s;
}

static struct sum value_sum(const json_t *j)
{
	struct sum s = {.a = (uint64_t)json_typeof(j) + 1, .b = 7};
	uint64_t word = 0;
	double real;
	switch (json_typeof(j)) {
	case JSON_OBJECT: {
		struct sum all = object_sum(j);
		return then(then(s, all.a), all.b);
	}
	case JSON_ARRAY:
		for (size_t i = 0; i < json_array_size(j); i++) {
			struct sum item = value_sum(json_array_get(j, i));
			s = then(then(s, item.a), item.b);
		}
		return s;
	case JSON_STRING:
		return text_sum(s, json_string_value(j), json_string_length(j));
	case JSON_INTEGER:
		return then(s, (uint64_t)json_integer_value(j));
	case JSON_REAL:
		real = json_real_value(j);
		memcpy(&word, &real, sizeof(word));
		return then(s, word);
	case JSON_TRUE:
	case JSON_FALSE:
	case JSON_NULL:
		break;
	}
	return then(s, 1);
}

static struct sum str_sum(struct sum s, struct str text)
{
	return text_sum(s, text.n ? text.p : "", text.n);
}

static struct sum common_sum(struct sum s, const struct resource_common *c)
{
	static const struct resource_common none;
	c = c ? c : &none;
	const struct field_label *labels = c->labels.items;
	bool reverts = str_eq(c->drift, S("revert"));
	struct sum all = {0};
	for (size_t i = 0; i < c->labels.count; i++) {
		struct sum one = str_sum(str_sum((struct sum){.a = 3}, labels[i].name), labels[i].value);
		all.a += one.a;
		all.b += one.b;
	}
	s = then(then(then(s, all.a), all.b), (uint64_t)c->protect + 2 * (uint64_t)reverts);
	return str_sum(str_sum(str_sum(s, c->existing), c->owner.kind), c->owner.name);
}

void resource_sum(const struct resource *r, uint64_t out[2])
{
	struct sum s = r->resolved ? value_sum(r->resolved) : (struct sum){0};
	s = common_sum(s, r->common);
	out[0] = s.a;
	out[1] = s.b;
}

// ---------------------------------------------------------------- members of a text
// The texts are our own (json_write): compact and valid. What does not look so is read as JSON instead.
static const char *skip_text(const char *p, const char *end)
{
	for (p++; p < end && *p != '"'; p++)
		p += *p == '\\';
	return p < end ? p + 1 : end;
}

static const char *skip_value(const char *p, const char *end)
{
	size_t depth = 0;
	while (p < end) {
		if (*p == '"') {
			p = skip_text(p, end);
		} else if (*p == '{' || *p == '[') {
			depth++;
			p++;
		} else if (*p == '}' || *p == ']') {
			if (depth-- == 0)
				return p;
			p++;
		} else if (*p == ',' && depth == 0) {
			return p;
		} else {
			p++;
		}
		if (depth == 0 && p < end && (*p == ',' || *p == '}'))
			return p;
	}
	return end;
}

static bool plain_text(struct str value, struct str *out)
{
	if (value.n < 2 || value.p[0] != '"' || value.p[value.n - 1] != '"' || memchr(value.p, '\\', value.n))
		return false;
	*out = str_bytes(value.p + 1, value.n - 2);
	return true;
}

struct light_text {
	struct str status, uid, cloud_id, sum;
};

static bool read_members(struct str text, struct light_text *out)
{
	const char *p = text.p, *end = text.p + text.n;
	bool right = text.n > 2 && *p == '{';
	for (p++; right && p < end && *p != '}'; p += p < end && *p == ',') {
		const char *after = *p == '"' ? skip_text(p, end) : end;
		right = after < end && *after == ':';
		if (!right)
			break;
		struct str name = str_bytes(p + 1, (size_t)(after - p) - 2), value;
		p = skip_value(after + 1, end);
		value = str_bytes(after + 1, (size_t)(p - after) - 1);
		struct str *into = str_eq(name, S("status"))     ? &out->status
				   : str_eq(name, S("uid"))      ? &out->uid
				   : str_eq(name, S("cloud_id")) ? &out->cloud_id
				   : str_eq(name, S("sum"))      ? &out->sum
								 : NULL;
		right = !into || plain_text(value, into);
	}
	return right && out->uid.n && out->sum.n;
}

// ---------------------------------------------------------------- the scan
struct scan {
	struct call *c;
	const struct resource_filter *filter;
	struct resource *items; // malloc
	size_t count, room;
};

static const struct str statuses[] = {S_INIT("ready"), S_INIT("waiting")};

static struct str known_status(struct str status)
{
	for (size_t i = 0; i < COUNT_OF(statuses); i++) {
		if (str_eq(status, statuses[i]))
			return statuses[i];
	}
	return (struct str){0};
}

static int read_light(struct scan *s, const struct light_text *t, struct resource *r)
{
	struct call *c = s->c;
	struct str status = known_status(t->status);
	if (!status.n || resource_sum_read(t->sum, r->sum) < 0)
		return ERR_UNSUPPORTED;
	r->status = status;
	r->uid = arena_str(c->arena, t->uid);
	r->cloud_id = t->cloud_id.n ? arena_str(c->arena, t->cloud_id) : (struct str){0};
	r->light = true;
	return r->uid.p && (r->cloud_id.p || !t->cloud_id.n) ? 0 : call_no_memory(c);
}

static int read_whole(struct scan *s, struct str key, uint64_t revision, struct str text, struct resource *out)
{
	json_t *value = NULL;
	int rc = json_parse(text, &value, &s->c->err);
	if (rc < 0)
		return call_context(s->c, "read \"%.*s\"", STR(key));
	const struct record record = {
		.key = key, .revision = revision, .value = json_in_arena(s->c->arena, value)};
	return record.value ? resource_decode(s->c, &record, out) : call_no_memory(s->c);
}

static int read_one(struct scan *s, struct str key, uint64_t revision, struct str text, struct resource *out)
{
	struct light_text t = {0};
	struct str kept = arena_str(s->c->arena, key);
	if (!kept.p)
		return call_no_memory(s->c);
	struct resource r = {.address = str_drop(kept, sizeof("resource/") - 1), .revision = revision};
	bool known = resource_parse_address(r.address, &r.kind, &r.name, &r.cloud) == 0;
	bool whole = !known || (s->filter->whole && s->filter->whole(s->filter->ctx, r.kind));
	int rc = !whole && read_members(text, &t) ? read_light(s, &t, &r) : ERR_UNSUPPORTED;
	if (rc == ERR_UNSUPPORTED)
		rc = read_whole(s, kept, revision, text, &r);
	if (rc == 0)
		*out = r;
	return rc;
}

static int visit(void *ctx, struct str key, uint64_t revision, struct str text)
{
	struct scan *s = ctx;
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 256;
		struct resource *more = realloc(s->items, room * sizeof(*more));
		if (!more)
			return call_no_memory(s->c);
		s->items = more;
		s->room = room;
	}
	int rc = read_one(s, key, revision, text, &s->items[s->count]);
	s->count += rc == 0;
	return rc;
}

int resource_scan(struct call *c, const struct state *s, const struct resource_filter *filter, struct resource **out,
	size_t *count)
{
	struct scan scan = {.c = c, .filter = filter};
	int rc = state_scan(c, s, S("resource/"), &(struct state_scan){.visit = visit, .ctx = &scan});
	if (rc == 0 && !scan.items) // none: an array all the same
		scan.items = calloc(1, sizeof(*scan.items));
	if (rc == 0 && (!scan.items || !arena_defer(c->arena, free, scan.items)))
		rc = call_no_memory(c);
	if (rc < 0) {
		free(scan.items);
		return rc;
	}
	*out = scan.items;
	*count = scan.count;
	return 0;
}

int resource_load(struct call *c, const struct state *s, struct resource *r)
{
	return r->light ? resource_get(c, s, r->address, r) : 0;
}
