// SPDX-License-Identifier: Apache-2.0
// OIP v2 requests in JSON: see infer.h. One walk over the text; numbers land in the tensor's array at once.
#include "serve/infer.h"

#include <inttypes.h>
#include <string.h>

#include "serve/json_scan.h"

struct parsing {
	struct json_scan scan;
	struct arena *arena;
	struct infer_request *request;
	size_t left; // numbers that may still come
	struct err *err;
};

static bool fail(struct parsing *p, int code, const char *what)
{
	if (p->err->code == 0)
		err_set(p->err, code, "%s (byte %td of the request)", what, p->scan.p - p->scan.start + 1);
	return false;
}

// Doubles the array inside the arena as numbers come: the shape may stand behind the data.
static bool push(struct parsing *p, struct infer_tensor *t, size_t *room, double value)
{
	if (p->left == 0)
		return fail(p, ERR_LIMIT, "more numbers than this model takes in one request");
	p->left--;
	if (t->elements == *room) {
		size_t more = *room ? *room * 2 : 1024;
		float *data = arena_new_array(p->arena, more, float);
		if (!data)
			return fail(p, ERR_NO_MEMORY, "out of memory");
		if (*room)
			memcpy(data, t->data, *room * sizeof(*data));
		t->data = data;
		*room = more;
	}
	t->data[t->elements++] = (float)value;
	return true;
}

// Flat or nested: [[1, 2], [3, 4]] is [1, 2, 3, 4].
static bool read_numbers(struct parsing *p, struct infer_tensor *t, size_t *room)
{
	bool more, first = true;
	if (!json_scan_open(&p->scan, '['))
		return fail(p, ERR_INVALID, "data must be an array of numbers");
	while (json_scan_next(&p->scan, ']', first, &more)) {
		double value;
		if (!more)
			return true;
		first = false;
		if (json_scan_peek(&p->scan) == '[') {
			if (!read_numbers(p, t, room))
				return false;
		} else if (!json_scan_number(&p->scan, &value)) {
			return fail(p, ERR_INVALID, "data must be an array of finite numbers");
		} else if (!push(p, t, room, value)) {
			return false;
		}
	}
	return fail(p, ERR_INVALID, "data is not closed");
}

static bool read_shape(struct parsing *p, struct infer_tensor *t)
{
	bool more, first = true;
	if (!json_scan_open(&p->scan, '['))
		return fail(p, ERR_INVALID, "shape must be an array of sizes");
	for (; json_scan_next(&p->scan, ']', first, &more); first = false) {
		if (!more)
			return true;
		if (t->rank == INFER_MAX_RANK || !json_scan_u64(&p->scan, &t->shape[t->rank++]))
			return fail(p, ERR_INVALID, "shape must be an array of at most 8 sizes");
	}
	return fail(p, ERR_INVALID, "shape is not closed");
}

enum { GOT_NAME = 1, GOT_TYPE = 2, GOT_SHAPE = 4, GOT_DATA = 8 };

static bool once(struct parsing *p, unsigned *got, unsigned bit)
{
	if (*got & bit)
		return fail(p, ERR_INVALID, "a member is there twice");
	*got |= bit;
	return true;
}

static bool read_input_member(struct parsing *p, struct str key, struct infer_tensor *t, unsigned *got)
{
	size_t room = 0;
	if (str_eq(key, S("name")))
		return once(p, got, GOT_NAME) &&
			(json_scan_string(&p->scan, &t->name) || fail(p, ERR_INVALID, "name must be a string"));
	if (str_eq(key, S("datatype")))
		return once(p, got, GOT_TYPE) &&
			(json_scan_string(&p->scan, &t->datatype) || fail(p, ERR_INVALID, "datatype must be a string"));
	if (str_eq(key, S("shape")))
		return once(p, got, GOT_SHAPE) && read_shape(p, t);
	if (str_eq(key, S("data")))
		return once(p, got, GOT_DATA) && read_numbers(p, t, &room);
	return json_scan_skip(&p->scan) || fail(p, ERR_INVALID, "no JSON value");
}

static bool check_input(struct parsing *p, const struct infer_tensor *t, unsigned got)
{
	uint64_t product = 1;
	if (got != (GOT_NAME | GOT_TYPE | GOT_SHAPE | GOT_DATA))
		return fail(p, ERR_INVALID, "an input needs name, datatype, shape and data");
	for (size_t i = 0; i < t->rank; i++)
		if (__builtin_mul_overflow(product, t->shape[i], &product))
			return fail(p, ERR_INVALID, "the shape's product is too large");
	if (product == t->elements)
		return true;
	err_set(p->err, ERR_INVALID, "input \"%.*s\": the shape asks for %" PRIu64 " numbers, data has %" PRIu64, STR(t->name), product,
		t->elements);
	return false;
}

static bool read_input(struct parsing *p)
{
	bool more, first = true;
	unsigned got = 0;
	struct str key;
	if (p->request->input_count == INFER_MAX_INPUTS || !json_scan_open(&p->scan, '{'))
		return fail(p, ERR_INVALID, "inputs must be at most 16 objects");
	struct infer_tensor *t = &p->request->inputs[p->request->input_count++];
	for (; json_scan_next(&p->scan, '}', first, &more); first = false) {
		if (!more)
			return check_input(p, t, got);
		if (!json_scan_key(&p->scan, &key))
			break;
		if (!read_input_member(p, key, t, &got))
			return false;
	}
	return fail(p, ERR_INVALID, "an input is no JSON object");
}

static bool read_output(struct parsing *p)
{
	bool more, first = true;
	struct str key, name = {0};
	if (p->request->output_count == INFER_MAX_OUTPUTS || !json_scan_open(&p->scan, '{'))
		return fail(p, ERR_INVALID, "outputs must be at most 16 objects");
	for (; json_scan_next(&p->scan, '}', first, &more); first = false) {
		if (!more && name.p) {
			p->request->outputs[p->request->output_count++] = name;
			return true;
		}
		if (!more || !json_scan_key(&p->scan, &key))
			break;
		if (!(str_eq(key, S("name")) ? json_scan_string(&p->scan, &name) : json_scan_skip(&p->scan)))
			break;
	}
	return fail(p, ERR_INVALID, "an output needs a name");
}

static bool read_list(struct parsing *p, bool (*item)(struct parsing *p))
{
	bool more, first = true;
	if (!json_scan_open(&p->scan, '['))
		return fail(p, ERR_INVALID, "inputs and outputs must be arrays");
	for (; json_scan_next(&p->scan, ']', first, &more); first = false) {
		if (!more)
			return true;
		if (!item(p))
			return false;
	}
	return fail(p, ERR_INVALID, "an array is not closed");
}

enum { GOT_ID = 1, GOT_INPUTS = 2, GOT_OUTPUTS = 4 };

static bool read_member(struct parsing *p, struct str key, unsigned *got)
{
	if (str_eq(key, S("id")))
		return once(p, got, GOT_ID) && (json_scan_string(&p->scan, &p->request->id) || fail(p, ERR_INVALID, "id must be a string"));
	if (str_eq(key, S("inputs")))
		return once(p, got, GOT_INPUTS) && read_list(p, read_input);
	if (str_eq(key, S("outputs")))
		return once(p, got, GOT_OUTPUTS) && read_list(p, read_output);
	return json_scan_skip(&p->scan) || fail(p, ERR_INVALID, "no JSON value");
}

static bool read_request(struct parsing *p)
{
	bool more, first = true;
	unsigned got = 0;
	struct str key;
	if (!json_scan_open(&p->scan, '{'))
		return fail(p, ERR_INVALID, "the request must be a JSON object");
	for (; json_scan_next(&p->scan, '}', first, &more); first = false) {
		if (!more) {
			if (!(got & GOT_INPUTS) || p->request->input_count == 0)
				return fail(p, ERR_INVALID, "the request has no inputs");
			return json_scan_end(&p->scan) || fail(p, ERR_INVALID, "something stands behind the request");
		}
		if (!json_scan_key(&p->scan, &key))
			break;
		if (!read_member(p, key, &got))
			return false;
	}
	return fail(p, ERR_INVALID, "the request is no valid JSON object");
}

int infer_parse(struct str body, size_t max_elements, struct arena *a, struct infer_request *out, struct err *e)
{
	struct err local = {0};
	struct parsing p = {.arena = a, .request = out, .left = max_elements, .err = &local};
	memset(out, 0, sizeof(*out));
	json_scan_init(&p.scan, body);
	if (read_request(&p))
		return 0;
	if (e)
		*e = local;
	return local.code;
}

void infer_write(const struct infer_request *request, const struct infer_answer *answer, struct buf *out)
{
	buf_printf(out, "{\"model_name\":\"%.*s\",\"model_version\":\"%.*s\"", STR(answer->model), STR(answer->version));
	if (request->id.p)
		buf_printf(out, ",\"id\":\"%.*s\"", STR(request->id));
	buf_printf(out, ",\"outputs\":[{\"name\":\"%.*s\",\"datatype\":\"INT64\",\"shape\":[%zu,1],\"data\":[", STR(answer->output),
		answer->n);
	for (size_t i = 0; i < answer->n; i++)
		buf_printf(out, "%s%" PRId64, i ? "," : "", answer->classes[i]);
	buf_add(out, S("]}]}"));
}
