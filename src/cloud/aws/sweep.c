// SPDX-License-Identifier: Apache-2.0
// Unfinished multipart uploads of one key: what a process that was killed left behind costs money until somebody ends
// it. Whoever begins an upload ends the older ones of exactly that key first, so the last to begin wins; one that finds
// its upload ended by another says so. Source: "ListMultipartUploads", Amazon S3 API Reference.
#include "cloud/aws/store_impl.h"
#include "cloud/http/object_fields.h"

enum { SWEEP_PAGE = 1000 }; // what S3 lists at most; more of one key go with the next upload of it

static int list_uploads(struct call *c, struct aws_store *s, const struct store_put *put, struct xml **root)
{
	AUTO(buf) query = {0};
	struct transport_response answer = {0};
	buf_printf(&query, "max-uploads=%d", SWEEP_PAGE);
	exchange_parameter(&query, "prefix", put->key);
	buf_add(&query, S("&uploads="));
	struct exchange x = {.call = &aws_calls[AWS_LIST_MULTIPART_UPLOADS],
		.path = aws_path(c, put->bucket, S("")),
		.query = buf_str(&query)};
	int r = x.path.p ? buf_check(&query, &c->err) : call_no_memory(c);
	if (!r)
		r = exchange_run(c, &s->provider, &x, &answer);
	return r ? r : aws_parse(c, &answer, "ListMultipartUploadsResult", root);
}

int aws_upload_abort(struct call *c, struct aws_store *s, struct str path, struct str id)
{
	AUTO(buf) query = {0};
	struct transport_response answer = {0};
	exchange_parameter(&query, "uploadId", id);
	struct exchange x = {.call = &aws_calls[AWS_ABORT_MULTIPART_UPLOAD], .path = path, .query = buf_str(&query)};
	int r = buf_check(&query, &c->err);
	return r ? r : exchange_run(c, &s->provider, &x, &answer);
}

// Of a call of its own, since it helps nobody to fail for it: a store that does not list, or does not let us, is no
// reason not to write.
void aws_sweep_uploads(
	struct call *c, struct aws_store *s, const struct store_put *put, struct str path, struct str keep)
{
	struct call own = *c;
	struct xml *root = NULL;
	err_clear(&own.err);
	if (list_uploads(&own, s, put, &root))
		root = NULL;
	for (const struct xml *u = xml_child(root, "Upload"); u; u = xml_next(u, "Upload")) {
		struct str id = xml_child_text(u, "UploadId");
		if (!str_eq(xml_child_text(u, "Key"), put->key) || !id.n || str_eq(id, keep))
			continue;
		if (aws_upload_abort(&own, s, path, id))
			err_clear(&own.err);
	}
	err_clear(&own.err);
}
