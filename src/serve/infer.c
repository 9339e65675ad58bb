// SPDX-License-Identifier: Apache-2.0
// OIP v2 requests: see infer.h. One walk over the text; numbers land in the tensor's array at once.
#include "serve/infer.h"

#include <endian.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "serve/json_scan.h"

struct parsing {
	struct json_scan scan;
	struct arena *arena;
	struct infer_request *request;
	size_t left; // numbers that may still come
	int output_binary; // what the output itself says: 1, 0; -1: nothing
	bool all_binary;   // what the request says of all its outputs
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

enum { GOT_NAME = 1, GOT_TYPE = 2, GOT_SHAPE = 4, GOT_DATA = 8, GOT_PARAMETERS = 16 };

static bool once(struct parsing *p, unsigned *got, unsigned bit)
{
	if (*got & bit)
		return fail(p, ERR_INVALID, "a member is there twice");
	*got |= bit;
	return true;
}

// Of a request, an input or an output: the three members of the binary extension; others are somebody else's.
struct parameters {
	bool has_size, has_binary;
	uint64_t size;
	bool binary;
};

static bool read_flag(struct parsing *p, bool *out)
{
	char first = json_scan_peek(&p->scan);
	*out = first == 't';
	return (first == 't' || first == 'f') && json_scan_skip(&p->scan);
}

static bool read_parameters(struct parsing *p, struct parameters *out)
{
	bool more, first = true;
	struct str key;
	if (!json_scan_open(&p->scan, '{'))
		return fail(p, ERR_INVALID, "parameters must be an object");
	for (; json_scan_next(&p->scan, '}', first, &more); first = false) {
		if (!more)
			return true;
		if (!json_scan_key(&p->scan, &key))
			break;
		bool size = str_eq(key, S("binary_data_size"));
		bool binary = str_eq(key, S("binary_data")) || str_eq(key, S("binary_data_output"));
		if (size ? !json_scan_u64(&p->scan, &out->size)
			 : binary ? !read_flag(p, &out->binary)
				  : !json_scan_skip(&p->scan))
			return fail(p, ERR_INVALID, "a parameter of the binary extension is of another type");
		out->has_size = out->has_size || size;
		out->has_binary = out->has_binary || binary;
	}
	return fail(p, ERR_INVALID, "parameters are no JSON object");
}

static bool read_input_parameters(struct parsing *p, struct infer_tensor *t)
{
	struct parameters found = {0};
	if (!read_parameters(p, &found))
		return false;
	t->binary = found.has_size;
	t->binary_size = found.size;
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
	if (str_eq(key, S("parameters")))
		return once(p, got, GOT_PARAMETERS) && read_input_parameters(p, t);
	return json_scan_skip(&p->scan) || fail(p, ERR_INVALID, "no JSON value");
}

static bool check_binary(struct parsing *p, struct infer_tensor *t, uint64_t product)
{
	if (!str_eq(t->datatype, S("FP32")))
		return fail(p, ERR_INVALID, "binary data is taken as FP32 only");
	if (product > p->left)
		return fail(p, ERR_LIMIT, "more numbers than this model takes in one request");
	if (t->binary_size != product * sizeof(float))
		return fail(p, ERR_INVALID, "binary_data_size is not what the shape asks for");
	p->left -= product;
	t->elements = product;
	return true;
}

static bool check_input(struct parsing *p, struct infer_tensor *t, unsigned got)
{
	uint64_t product = 1;
	unsigned needed = GOT_NAME | GOT_TYPE | GOT_SHAPE | (t->binary ? 0 : GOT_DATA);
	if ((got & ~(unsigned)GOT_PARAMETERS) != needed)
		return fail(p, ERR_INVALID, "an input needs name, datatype, shape and data (or binary_data_size)");
	for (size_t i = 0; i < t->rank; i++)
		if (__builtin_mul_overflow(product, t->shape[i], &product))
			return fail(p, ERR_INVALID, "the shape's product is too large");
	if (t->binary)
		return check_binary(p, t, product);
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
	struct parameters found = {0};
	if (p->request->output_count == INFER_MAX_OUTPUTS || !json_scan_open(&p->scan, '{'))
		return fail(p, ERR_INVALID, "outputs must be at most 16 objects");
	for (; json_scan_next(&p->scan, '}', first, &more); first = false) {
		if (!more && name.p) {
			p->request->outputs[p->request->output_count++] = name;
			p->output_binary = found.has_binary ? (found.binary ? 1 : 0) : p->output_binary;
			return true;
		}
		if (!more || !json_scan_key(&p->scan, &key))
			break;
		if (str_eq(key, S("parameters")) ? !read_parameters(p, &found)
						 : !(str_eq(key, S("name")) ? json_scan_string(&p->scan, &name)
									    : json_scan_skip(&p->scan)))
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

enum { GOT_ID = 1, GOT_INPUTS = 2, GOT_OUTPUTS = 4, GOT_ALL = 8 };

static bool read_member(struct parsing *p, struct str key, unsigned *got)
{
	if (str_eq(key, S("id")))
		return once(p, got, GOT_ID) && (json_scan_string(&p->scan, &p->request->id) || fail(p, ERR_INVALID, "id must be a string"));
	if (str_eq(key, S("inputs")))
		return once(p, got, GOT_INPUTS) && read_list(p, read_input);
	if (str_eq(key, S("outputs")))
		return once(p, got, GOT_OUTPUTS) && read_list(p, read_output);
	if (str_eq(key, S("parameters"))) {
		struct parameters found = {0};
		bool good = once(p, got, GOT_ALL) && read_parameters(p, &found);
		p->all_binary = found.binary;
		return good;
	}
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

// The tensors behind the JSON, whose sizes fit their shapes.
static bool take_binary(struct parsing *p, struct str tail)
{
	for (size_t i = 0; i < p->request->input_count; i++) {
		struct infer_tensor *t = &p->request->inputs[i];
		if (!t->binary)
			continue;
		if (t->binary_size > tail.n)
			return fail(p, ERR_INVALID, "fewer bytes follow the JSON than binary_data_size says");
		t->data = arena_new_array(p->arena, t->elements + 1, float);
		if (!t->data)
			return fail(p, ERR_NO_MEMORY, "out of memory");
		for (uint64_t k = 0; k < t->elements; k++) {
			uint32_t bits;
			memcpy(&bits, tail.p + k * sizeof(bits), sizeof(bits));
			bits = le32toh(bits);
			memcpy(&t->data[k], &bits, sizeof(bits));
			if (!isfinite(t->data[k]))
				return fail(p, ERR_INVALID, "data must be finite numbers");
		}
		tail = str_drop(tail, (size_t)t->binary_size);
	}
	return tail.n == 0 || fail(p, ERR_INVALID, "more bytes follow the JSON than binary_data_size says");
}

int infer_parse_body(const struct infer_body *body, struct arena *a, struct infer_request *out, struct err *e)
{
	struct err local = {0};
	struct parsing p = {.arena = a, .request = out, .left = body->max_elements, .output_binary = -1, .err = &local};
	memset(out, 0, sizeof(*out));
	if (body->json_size > body->bytes.n)
		return err_set(e, ERR_INVALID, "the JSON is said to have %zu bytes, the request has %zu", body->json_size,
			body->bytes.n);
	json_scan_init(&p.scan, str_take(body->bytes, body->json_size));
	if (read_request(&p) && take_binary(&p, str_drop(body->bytes, body->json_size))) {
		out->binary_output = p.output_binary >= 0 ? p.output_binary == 1 : p.all_binary;
		return 0;
	}
	if (e)
		*e = local;
	return local.code;
}

int infer_parse(struct str body, size_t max_elements, struct arena *a, struct infer_request *out, struct err *e)
{
	const struct infer_body whole = {.bytes = body, .json_size = body.n, .max_elements = max_elements};
	return infer_parse_body(&whole, a, out, e);
}

static void write_numbers(const struct infer_answer *answer, struct buf *out)
{
	buf_add(out, S("\"data\":["));
	for (size_t i = 0; i < answer->n; i++)
		buf_printf(out, "%s%" PRId64, i ? "," : "", answer->classes[i]);
	buf_add(out, S("]}]}"));
}

static void write_binary(const struct infer_answer *answer, struct buf *out)
{
	for (size_t i = 0; i < answer->n; i++) {
		uint64_t bits = htole64((uint64_t)answer->classes[i]);
		buf_add(out, str_bytes(&bits, sizeof(bits)));
	}
}

void infer_write(
	const struct infer_request *request, const struct infer_answer *answer, struct buf *out, size_t *json_size)
{
	size_t before = out->n;
	buf_printf(out, "{\"model_name\":\"%.*s\",\"model_version\":\"%.*s\"", STR(answer->model), STR(answer->version));
	if (request->id.p)
		buf_printf(out, ",\"id\":\"%.*s\"", STR(request->id));
	buf_printf(out, ",\"outputs\":[{\"name\":\"%.*s\",\"datatype\":\"INT64\",\"shape\":[%zu,1],", STR(answer->output),
		answer->n);
	if (request->binary_output)
		buf_printf(out, "\"parameters\":{\"binary_data_size\":%zu}}]}", answer->n * sizeof(int64_t));
	else
		write_numbers(answer, out);
	*json_size = out->n - before;
	if (request->binary_output)
		write_binary(answer, out);
}
