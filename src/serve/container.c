// SPDX-License-Identifier: Apache-2.0
// The providers' contracts with a container: see container.h. Sources: "Use Your Own Inference Code with Hosting
// Services" (SageMaker), "Custom container requirements for prediction" (Vertex AI), "Deploy a custom container to an
// online endpoint" (Azure ML), and for the content types the Triton pages of SageMaker and Vertex AI.
#include "serve/container.h"

#include <stdlib.h>

static const struct {
	const char *prefix;
	enum container_form form;
} types[] = {
	{"application/vnd.sagemaker-triton.binary+json;json-header-size=", FORM_SAGEMAKER},
	{"application/vnd.vertex-ai-triton.binary+json;json-header-size=", FORM_VERTEX},
};

static struct str variable(const char *name)
{
	return str_of(getenv(name));
}

static int read_port(struct str *out, struct err *e)
{
	static const char *const names[] = {"AIP_HTTP_PORT", "SAGEMAKER_BIND_TO_PORT", "ISOBAR_PORT"};
	uint64_t port;
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct str value = variable(names[i]);
		if (!value.n)
			continue;
		if (str_to_u64(value, &port) || port < 1 || port > 65535)
			return err_set(e, ERR_INVALID, "%s is \"%.32s\", which is no port", names[i], value.p);
		*out = value;
		return 0;
	}
	*out = S("8080");
	return 0;
}

static int read_path(struct arena *a, const char *name, struct str *out, struct err *e)
{
	struct str value = variable(name);
	if (value.n && (value.p[0] != '/' || value.n > 512))
		return err_set(e, ERR_INVALID, "%s is \"%.64s\", which is no path", name, value.p);
	*out = arena_str(a, value);
	return out->p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

int container_contract_read(struct arena *a, struct container_contract *out, struct err *e)
{
	struct container_contract k = {0};
	struct str port = {0}, bind = variable("ISOBAR_BIND");
	if (read_port(&port, e) || read_path(a, "AIP_HEALTH_ROUTE", &k.health_path, e) ||
		read_path(a, "AIP_PREDICT_ROUTE", &k.predict_path, e))
		return ERR_INVALID;
	k.listen = arena_printf(a, "%.*s:%.*s", STR(bind.n ? bind : S("0.0.0.0")), STR(port));
	if (!k.listen.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	*out = k;
	return 0;
}

// Providers' clients write "type; json-header-size=N" and "type;json-header-size=N".
static bool split_type(struct str type, struct str *size, enum container_form *form)
{
	char plain[160];
	size_t n = 0;
	for (size_t i = 0; i < type.n && n < sizeof(plain); i++)
		if (type.p[i] != ' ')
			plain[n++] = type.p[i];
	for (size_t i = 0; i < COUNT_OF(types); i++) {
		struct str prefix = str_of(types[i].prefix), all = str_bytes(plain, n);
		if (all.n > prefix.n && str_eq_nocase(str_take(all, prefix.n), prefix)) {
			*size = str_drop(type, type.n - (all.n - prefix.n)); // digits have no spaces among them
			*form = types[i].form;
			return true;
		}
	}
	return false;
}

int container_form_read(
	struct str content_type, struct str header_length, size_t body, enum container_form *form, size_t *json_size)
{
	struct str size = header_length;
	enum container_form found = FORM_HEADER;
	uint64_t n = body;
	if (!header_length.n && !split_type(content_type, &size, &found)) {
		*form = FORM_JSON;
		*json_size = body;
		return 0;
	}
	if (str_to_u64(str_trim(size), &n) || n > body)
		return ERR_INVALID;
	*form = found;
	*json_size = (size_t)n;
	return 0;
}

struct str container_form_type(struct arena *a, enum container_form form, size_t json_size)
{
	for (size_t i = 0; i < COUNT_OF(types); i++)
		if (types[i].form == form)
			return arena_printf(a, "%s%zu", types[i].prefix, json_size);
	return S("application/octet-stream");
}
