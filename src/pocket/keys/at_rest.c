// SPDX-License-Identifier: Apache-2.0
// Secrets at rest in a pocket cloud: see at_rest.h.
#include "pocket/keys/at_rest.h"

#include "base/secret.h"
#include "pocket/docs.h"
#include "pocket/pocket_impl.h"

#define COLLECTION "keys/at-rest"
#define NAME S("root")

static int root_key(struct pocket *p, struct str *key, struct err *e)
{
	const json_t *doc = docs_get(p, COLLECTION, NAME, e);
	AUTO(buf) text = {0};
	AUTO(json) made = NULL;
	if (!doc) {
		int rc = material_make_aes(p, &text, e);
		made = json_object();
		json_set_str(made, "key", buf_str(&text));
		if (text.p)
			secret_wipe(text.p, text.n);
		if (rc == 0)
			rc = docs_put_durable(p, COLLECTION, NAME, made, e);
		if (rc < 0)
			return rc;
		doc = docs_get(p, COLLECTION, NAME, e);
	}
	*key = json_str(doc, "key");
	return doc ? 0 : err_set(e, ERR_IO, "the pocket's own key cannot be read");
}

int at_rest_seal(struct pocket *p, json_t *doc, struct str name, struct str plain, struct err *e)
{
	struct material_box box = {.aad = name};
	AUTO(buf) sealed = {0};
	AUTO(buf) text = {0};
	int rc = root_key(p, &box.key, e);
	if (rc == 0)
		rc = material_seal(p, &box, plain, &sealed, e);
	if (rc < 0)
		return rc;
	base64_encode(buf_str(&sealed), &text);
	json_set_str(doc, "sealed", buf_str(&text));
	return buf_check(&text, e);
}

int at_rest_open(struct pocket *p, const json_t *doc, struct str name, struct buf *out, struct err *e)
{
	struct material_box box = {.aad = name};
	AUTO(buf) sealed = {0};
	int rc = root_key(p, &box.key, e);
	if (rc == 0 && base64_decode(json_str(doc, "sealed"), &sealed) < 0)
		rc = err_set(e, ERR_CORRUPT, "the sealed value of %.*s is not base64", STR(name));
	return rc < 0 ? rc : material_open(&box, buf_str(&sealed), out, e);
}
