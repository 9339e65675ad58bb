// SPDX-License-Identifier: Apache-2.0
// Bodies to Blob Storage, checked against Content-MD5 or x-ms-content-crc64 before anything is stored.
#include <string.h>

#include "pocket/azure/azure_impl.h"

int azure_body_check_headers(struct front_request *r)
{
	struct azure_state *s = azure_state(r);
	struct str md5 = front_header(r, "content-md5"), crc64 = front_header(r, "x-ms-content-crc64");
	if (md5.n && crc64.n)
		return azure_refuse(r, "BothCrc64AndMd5HeaderPresent");
	if (md5.n && front_base64(md5, s->md5, MD5_SIZE) < 0)
		return azure_refuse(r, "InvalidMd5");
	if (crc64.n && front_base64(crc64, s->crc64, AZURE_CRC64_SIZE) < 0)
		return azure_refuse(r, "InvalidHeaderValue");
	s->has_md5 = md5.n > 0;
	s->has_crc64 = crc64.n > 0;
	if (front_header(r, "x-ms-structured-body").n)
		return azure_refuse(r, "NotImplemented");
	if (r->x->request.length == HTTP_LENGTH_UNKNOWN)
		return azure_refuse(r, "MissingContentLengthHeader");
	return 0;
}

void azure_body_stream(struct front_request *r, unsigned hashes, uint64_t most, void (*done)(struct front_request *r))
{
	const struct azure_state *s = azure_state(r);
	if (azure_body_check_headers(r) < 0) {
		azure_fail(r);
		return;
	}
	if ((uint64_t)r->x->request.length > most) {
		azure_answer(r, "RequestBodyTooLarge");
		return;
	}
	front_stream(r, hashes | (s->has_md5 ? HASH_MD5 : 0u), (uint64_t)r->x->request.length, done);
}

static bool crc64_equal(const struct digests *d, const unsigned char *little_endian)
{
	uint64_t value = 0;
	for (size_t i = AZURE_CRC64_SIZE; i-- > 0;)
		value = value << 8 | little_endian[i];
	return value == d->crc64nvme;
}

int azure_body_verify(struct front_request *r, const struct digests *d)
{
	const struct azure_state *s = azure_state(r);
	if (s->has_md5 && memcmp(s->md5, d->md5, MD5_SIZE) != 0)
		return azure_refuse(r, "Md5Mismatch");
	if (s->has_crc64 && !crc64_equal(d, s->crc64))
		return azure_refuse(r, "Crc64Mismatch");
	return 0;
}

static void parse(struct front_request *r, struct str body)
{
	struct xml_node *root = NULL;
	struct digests d;
	int rc = front_digests(r, body, HASH_MD5 | HASH_CRC64NVME, &d);
	if (rc == 0)
		rc = azure_body_verify(r, &d);
	if (rc == 0) {
		rc = pocket_xml_parse(body, r->arena, &root, &r->err);
		if (rc == ERR_INVALID)
			azure_refuse(r, "InvalidXmlDocument");
	}
	if (rc < 0)
		azure_fail(r);
	else
		azure_state(r)->parsed(r, root);
}

void azure_body_xml(struct front_request *r, void (*done)(struct front_request *r, const struct xml_node *root))
{
	azure_state(r)->parsed = done;
	if (azure_body_check_headers(r) < 0)
		azure_fail(r);
	else
		front_collect(r, AZURE_MAX_XML, parse);
}
