// SPDX-License-Identifier: Apache-2.0
// The facts of a bucket that clients look at. Source: Amazon S3 API Reference.
#include "pocket/s3/s3_impl.h"

// ---------------------------------------------------------------- what a bucket is like

static bool is_there(struct front_request *r)
{
	struct bucket *b = NULL;
	if (s3_bucket(r, &b) == 0)
		return true;
	s3_fail(r);
	return false;
}

// Nothing is encrypted here but what clients encrypt themselves.
void s3_get_encryption(struct front_request *r)
{
	if (is_there(r))
		s3_answer(r, "ServerSideEncryptionConfigurationNotFoundError");
}

// Every request has to be signed: no bucket is public.
void s3_get_public_access_block(struct front_request *r)
{
	AUTO(buf) out = {0};
	if (!is_there(r))
		return;
	s3_xml_begin(&out, "PublicAccessBlockConfiguration");
	buf_add(&out, S("<BlockPublicAcls>true</BlockPublicAcls><IgnorePublicAcls>true</IgnorePublicAcls>"
			"<BlockPublicPolicy>true</BlockPublicPolicy>"
			"<RestrictPublicBuckets>true</RestrictPublicBuckets></PublicAccessBlockConfiguration>"));
	s3_reply_xml(r, &out);
}
