// SPDX-License-Identifier: Apache-2.0
// Calls to SageMaker: see sagemaker.h. The words of its refusals: "Requested resource not found.", "Could not find
// endpoint ...", "Cannot create already existing model ...", "Cannot update in-progress endpoint ...", "The request was
// rejected because the training job is in status Completed."
#include "cloud/aws/sagemaker.h"

#include <string.h>

static const struct meaning {
	const char *code, *words; // words "": any
	int ours;
} meanings[] = {
	{"ResourceNotFound", "", ERR_NOT_FOUND},
	{"ResourceInUse", "already exists", ERR_EXISTS},
	{"ResourceInUse", "", ERR_IN_USE},
	{"ValidationException", "already exist", ERR_EXISTS}, // "existing", "exists"
	{"ValidationException", "not found", ERR_NOT_FOUND},
	{"ValidationException", "Could not find", ERR_NOT_FOUND},
	{"ValidationException", "in-progress", ERR_CONFLICT},
	{"ValidationException", "is in status", ERR_CONFLICT},
	{"UnknownOperationException", "", ERR_UNSUPPORTED},
	{"InvalidAction", "", ERR_UNSUPPORTED},
};

// The code of c->err by what the provider says; its words stay.
static int judge(struct call *c, int code)
{
	struct str words = str_of(c->err.message);
	for (size_t i = 0; i < COUNT_OF(meanings); i++) {
		const struct meaning *m = &meanings[i];
		if (strcmp(c->err.provider_code, m->code) == 0 && str_find(words, str_of(m->words)) >= 0) {
			c->err.code = m->ours;
			return m->ours;
		}
	}
	if (c->err.http_status == 501 || c->err.http_status == 404) // a server that has not this operation
		c->err.code = code = ERR_UNSUPPORTED;
	return code;
}

int aws_sagemaker_call(
	struct call *c, struct aws_services *s, enum aws_call call, const json_t *in, const json_t **out)
{
	int r = aws_json_call(c, s, call, in, out);
	return r ? judge(c, r) : 0;
}

int aws_sagemaker_named(struct call *c, struct aws_services *s, enum aws_call call, const struct aws_named *named,
	const json_t **out)
{
	AUTO(json) in = json_object();
	json_set_str(in, named->member, named->name);
	return aws_sagemaker_call(c, s, call, in, out);
}

// ---------------------------------------------------------------- tags
static bool tag_takes(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       str_find_char(S("_.:/=+-@ "), c) >= 0;
}

static void add_tag(struct arena *a, json_t *tags, const char *key, struct str value)
{
	char *text = arena_cstr(a, str_take(value, AWS_TAG_MAX));
	json_t *tag = json_object();
	for (char *p = text; p && *p; p++)
		if (!tag_takes(*p))
			*p = '_';
	json_set_str(tag, "Key", str_of(key));
	json_set_str(tag, "Value", str_of(text));
	json_array_append_new(tags, tag);
}

json_t *aws_sagemaker_tags(struct arena *a, struct str workspace, struct str address)
{
	json_t *tags = json_array();
	add_tag(a, tags, "isobar-workspace", workspace);
	add_tag(a, tags, "isobar-address", address);
	return tags;
}
