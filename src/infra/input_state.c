// SPDX-License-Identifier: Apache-2.0
// States of other tools in stores: see input_state.h.
#include "infra/input_state.h"

#include "cloud/registry.h"
#include "infra/accounts.h"

struct input_place {
	struct str provider, bucket, key;
};

static int parse_place(struct call *c, struct str url, struct input_place *out)
{
	static const struct {
		const char *prefix, *provider;
	} schemes[] = {{"s3://", "aws"}, {"gs://", "gcp"}, {"az://", "azure"}};
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		struct str prefix = str_of(schemes[i].prefix);
		if (!str_starts(url, prefix))
			continue;
		out->provider = str_of(schemes[i].provider);
		if (str_cut(str_drop(url, prefix.n), '/', &out->bucket, &out->key) && out->bucket.n && out->key.n)
			return 0;
	}
	return call_fail(c, ERR_INVALID, "\"%.*s\" is no s3://bucket/key, gs://bucket/key or az://container/key",
		STR(str_clip(url, 200)));
}

static int read_object(struct call *c, const struct cloud_config *config, const struct input_place *place, struct buf *out)
{
	struct cloud cloud = {0};
	struct str text;
	int rc = cloud_open(c, config, &cloud);
	if (rc < 0)
		return rc;
	rc = cloud_get_bytes(c, &cloud, place->bucket, place->key, INPUT_STATE_MOST, &text);
	if (rc == 0)
		buf_add(out, text);
	cloud_close(&cloud);
	return rc < 0 ? rc : buf_check(out, &c->err);
}

int input_state_read(void *ctx, struct str cloud, struct str url, struct buf *out, struct err *e)
{
	const struct input_reader *reader = ctx;
	AUTO(arena) arena = {0};
	struct call c;
	struct input_place place;
	struct cloud_config config;
	struct account account;
	call_child(&c, reader->call, &arena, 0);
	int rc = parse_place(&c, url, &place);
	const struct account_request request = {.cloud = cloud, .provider = place.provider};
	if (rc == 0)
		rc = account_config(&c, reader->op, &request, &config, &account);
	if (rc == 0)
		rc = read_object(&c, &config, &place, out);
	if (rc < 0 && e)
		*e = c.err;
	return rc;
}
