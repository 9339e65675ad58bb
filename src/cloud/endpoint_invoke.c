// SPDX-License-Identifier: Apache-2.0
// How endpoints are asked, as words and JSON: see endpoint_invoke.h.
#include "cloud/endpoint_invoke.h"

static const char *const words[] = {
	[INVOKE_OPEN] = "open", [INVOKE_SAGEMAKER] = "sagemaker", [INVOKE_VERTEX] = "vertex", [INVOKE_AZUREML] = "azureml"};

const char *invoke_how_word(enum invoke_how how)
{
	return (size_t)how < COUNT_OF(words) ? words[how] : "open";
}

json_t *endpoint_invoke_to_json(const struct endpoint_invoke *invoke)
{
	if (invoke->how == INVOKE_OPEN)
		return NULL;
	json_t *out = json_object();
	json_set_str(out, "how", str_of(invoke_how_word(invoke->how)));
	json_set_str(out, "url", invoke->url);
	return out;
}

int endpoint_invoke_of_json(const json_t *j, struct endpoint_invoke *out, struct err *e)
{
	struct str how = json_str(j, "how"), url = json_str(j, "url");
	size_t i = 0;
	if (!j) {
		*out = (struct endpoint_invoke){0};
		return 0;
	}
	while (i < COUNT_OF(words) && !str_eq(how, str_of(words[i])))
		i++;
	if (i == COUNT_OF(words))
		return err_set(e, ERR_INVALID, "invoke.how: \"%.*s\" is none of open, sagemaker, vertex, azureml", STR(how));
	if (i != INVOKE_OPEN && url.n == 0)
		return err_set(e, ERR_INVALID, "invoke.url: missing");
	*out = (struct endpoint_invoke){.how = (enum invoke_how)i, .url = url};
	return 0;
}

void endpoint_credential_free(struct endpoint_credential *c)
{
	if (!c)
		return;
	secret_free(&c->secret);
	secret_free(&c->session);
	*c = (struct endpoint_credential){0};
}
