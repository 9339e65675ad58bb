// SPDX-License-Identifier: Apache-2.0
// Keys of AWS: see kms.h. Who may use them is kms_grants.c.
#include <string.h>

#include "base/time.h"
#include "cloud/aws/kms_impl.h"
#include "cloud/http/looks.h"
#include "cloud/http/object_fields.h"
#include "cloud/http/pages.h"

enum { ALIAS_MOST = 200, WINDOW_DAYS = 7, PAGE = 1000 };
#define ENGINE "aws-kms"
#define CONTEXT_NAME "isobar"

static const char tag_workspace[] = "isobar-workspace", tag_address[] = "isobar-address";

// ---------------------------------------------------------------- names and finding

static struct key_name name_of(const struct aws_services *s, struct str name)
{
	return (struct key_name){.workspace = s->config.workspace,
		.cloud = s->config.name,
		.name = name,
		.underscore = true,
		.most = ALIAS_MOST};
}

static struct str alias_of(struct call *c, const struct aws_services *s, struct str name)
{
	struct key_name n = name_of(s, name);
	struct str text = key_name_write(&n, c->arena);
	return text.p ? arena_printf(c->arena, "alias/isobar-%.*s", STR(text)) : text;
}

struct str aws_time_text(struct call *c, double seconds)
{
	char text[TIME_TEXT_SIZE];
	time_rfc3339((int64_t)(seconds * 1e3) * NS_PER_MS, 0, text);
	return arena_str(c->arena, str_of(text));
}

static int describe(struct call *c, struct aws_services *s, struct str key, struct aws_key *out)
{
	AUTO(json) in = json_object();
	const json_t *answer = NULL;
	json_set_str(in, "KeyId", key);
	int r = aws_json_call(c, s, AWS_KMS_DESCRIBE_KEY, in, &answer);
	if (r)
		return r;
	const json_t *found = json_object_get(answer, "KeyMetadata");
	out->id = json_str(found, "KeyId");
	out->arn = json_str(found, "Arn");
	out->state = json_str(found, "KeyState");
	out->created = json_num(found, "CreationDate", 0);
	return out->id.n && out->arn.n ? 0 : call_fail(c, ERR_PROTOCOL, "DescribeKey: the answer names no key");
}

int aws_key_find(struct call *c, struct aws_services *s, struct str name, struct aws_key *out)
{
	struct aws_key k = {.alias = alias_of(c, s, name)};
	int r = k.alias.p ? describe(c, s, k.alias, &k) : call_no_memory(c);
	if (r)
		return call_context(c, "key %.*s", STR(name));
	*out = k;
	return 0;
}

static int call_on_key(struct call *c, struct aws_services *s, enum aws_call row, struct str id)
{
	AUTO(json) in = json_object();
	json_set_str(in, "KeyId", id);
	return aws_json_call(c, s, row, in, NULL);
}

// A key that cannot be used is "not now" to KMS, and "no" to whoever wants to wrap with it.
static int refused_use(struct call *c, struct str name)
{
	if (str_eq(str_of(c->err.provider_code), S("KMSInvalidStateException")))
		c->err.code = ERR_DENIED;
	else if (str_eq(str_of(c->err.provider_code), S("InvalidCiphertextException")) ||
		 str_eq(str_of(c->err.provider_code), S("IncorrectKeyException")))
		c->err.code = ERR_CORRUPT;
	return call_context(c, "key %.*s", STR(name));
}

// ---------------------------------------------------------------- making one

struct making {
	struct aws_services *s;
	struct str name, address;
	struct str id; // of the key that was made or found; "": none
};

static bool has_tag(const json_t *tags, const char *name, struct str value)
{
	const json_t *one;
	size_t i;
	json_array_foreach(tags, i, one)
	{
		if (str_is(json_str(one, "TagKey"), name) && str_eq(json_str(one, "TagValue"), value))
			return true;
	}
	return false;
}

// Whether a key is one that an earlier attempt of ours made: by its tags, and not on its way out. Keys that we may not
// look at are others'.
static int look_at(struct call *c, struct making *m, struct str id)
{
	AUTO(json) in = json_object();
	const json_t *answer = NULL;
	struct aws_key k = {0};
	json_set_str(in, "KeyId", id);
	int r = aws_json_call(c, m->s, AWS_KMS_LIST_TAGS, in, &answer);
	const json_t *tags = json_object_get(answer, "Tags");
	if (!r && (!has_tag(tags, tag_workspace, m->s->config.workspace) || !has_tag(tags, tag_address, m->address)))
		return 0;
	if (!r)
		r = describe(c, m->s, id, &k);
	if (r == ERR_DENIED || r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	if (!r && !str_eq(k.state, S("PendingDeletion")))
		m->id = k.id;
	return r;
}

static int look_page(struct call *c, void *ctx, struct str token, struct str *next)
{
	struct making *m = ctx;
	AUTO(json) in = json_pack("{s:i}", "Limit", PAGE);
	const json_t *answer = NULL, *one;
	size_t i;
	if (token.n)
		json_set_str(in, "Marker", token);
	int r = aws_json_call(c, m->s, AWS_KMS_LIST_KEYS, in, &answer);
	json_array_foreach(json_object_get(answer, "Keys"), i, one)
	{
		if (r || m->id.n)
			break;
		r = look_at(c, m, json_str(one, "KeyId"));
	}
	*next = m->id.n || !json_flag(answer, "Truncated", false) ? S("") : json_str(answer, "NextMarker");
	return r;
}

static int look(struct call *c, void *ctx, bool *done)
{
	struct making *m = ctx;
	int r = pages_all(c, look_page, m);
	*done = m->id.n > 0;
	return r;
}

static int make(struct call *c, void *ctx)
{
	struct making *m = ctx;
	const json_t *answer = NULL;
	AUTO(json) in = json_pack("{s:[{s:s,s:s},{s:s,s:s}]}", "Tags", "TagKey", tag_workspace, "TagValue", "", "TagKey",
		tag_address, "TagValue", "");
	json_t *tags = json_object_get(in, "Tags");
	json_set_str(json_array_get(tags, 0), "TagValue", m->s->config.workspace);
	json_set_str(json_array_get(tags, 1), "TagValue", m->address);
	json_set_str(in, "Description", arena_printf(c->arena, "Isobar: %.*s of %.*s", STR(m->address),
		STR(m->s->config.workspace)));
	int r = aws_json_call(c, m->s, AWS_KMS_CREATE_KEY, in, &answer);
	if (!r)
		m->id = json_str(json_object_get(answer, "KeyMetadata"), "KeyId");
	return r || m->id.n ? r : call_fail(c, ERR_PROTOCOL, "CreateKey: the answer names no key");
}

static int schedule_deletion(struct call *c, struct aws_services *s, struct str id)
{
	AUTO(json) in = json_pack("{s:i}", "PendingWindowInDays", WINDOW_DAYS);
	json_set_str(in, "KeyId", id);
	int r = aws_json_call(c, s, AWS_KMS_SCHEDULE_DELETION, in, NULL);
	if (r == ERR_NOT_FOUND || str_eq(str_of(c->err.provider_code), S("KMSInvalidStateException"))) {
		err_clear(&c->err); // gone, or waiting already
		return 0;
	}
	return r;
}

// Somebody else made the same key at the same time, and was first: ours has closed nothing yet.
static int give_way(struct call *c, struct making *m)
{
	struct aws_key k = {0};
	err_clear(&c->err);
	int r = aws_key_find(c, m->s, m->name, &k);
	return r || str_eq(k.id, m->id) ? r : schedule_deletion(c, m->s, m->id);
}

static int name_it(struct call *c, struct making *m, struct str alias)
{
	AUTO(json) in = json_object();
	json_set_str(in, "AliasName", alias);
	json_set_str(in, "TargetKeyId", m->id);
	int r = aws_json_call(c, m->s, AWS_KMS_CREATE_ALIAS, in, NULL);
	return r == ERR_EXISTS ? give_way(c, m) : r;
}

static int delete_alias(struct call *c, struct aws_services *s, struct str alias)
{
	AUTO(json) in = json_object();
	json_set_str(in, "AliasName", alias);
	int r = aws_json_call(c, s, AWS_KMS_DELETE_ALIAS, in, NULL);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	return r;
}

static int aws_key_create(struct call *c, void *keys, struct str name)
{
	struct aws_services *s = keys;
	struct key_name full = name_of(s, name);
	struct making m = {.s = s, .name = name, .address = key_name_address(&full, c->arena), .id = S("")};
	struct aws_key k = {0};
	bool done = false;
	int r = aws_key_find(c, s, name, &k);
	if (!r && !str_eq(k.state, S("PendingDeletion")))
		return 0;
	if (!r) // a deletion that was cut
		r = delete_alias(c, s, k.alias);
	else if (r == ERR_NOT_FOUND)
		err_clear(&c->err), r = 0;
	if (!r)
		r = m.address.p ? look(c, &m, &done) : call_no_memory(c);
	if (!r && !done)
		r = act_looking(c, &(struct looked_act){.ctx = &m, .act = make, .look = look});
	if (!r)
		r = name_it(c, &m, alias_of(c, s, name));
	return r ? call_context(c, "make key %.*s", STR(name)) : 0;
}

// ---------------------------------------------------------------- using it

static json_t *with_context(struct str alias, struct str context)
{
	json_t *in = json_pack("{s:{}}", "EncryptionContext");
	json_set_str(in, "KeyId", alias);
	if (context.n)
		json_set_str(json_object_get(in, "EncryptionContext"), CONTEXT_NAME, context);
	return in;
}

static int aws_key_wrap(
	struct call *c, void *keys, struct str name, struct str context, struct str plain, struct str *wrapped)
{
	struct aws_services *s = keys;
	struct str text = S(""), alias = alias_of(c, s, name);
	const json_t *answer = NULL;
	AUTO(buf) bytes = {0};
	int r = key_wrap_check(name, context, plain, &c->err);
	if (!r)
		r = alias.p ? secret_to_base64(c, plain, &text) : call_no_memory(c);
	AUTO(json) in = with_context(alias, context);
	json_set_str(in, "Plaintext", text);
	if (!r && (r = aws_json_call(c, s, AWS_KMS_ENCRYPT, in, &answer)))
		r = refused_use(c, name);
	if (text.n)
		secret_wipe((char *)(uintptr_t)text.p, text.n);
	if (r)
		return r;
	if (base64_decode(json_str(answer, "CiphertextBlob"), &bytes) || !bytes.n)
		return call_fail(c, ERR_PROTOCOL, "key %.*s: Encrypt answered no ciphertext", STR(name));
	const struct key_wrap w = {
		.engine = S(ENGINE), .version = json_str(answer, "KeyId"), .ciphertext = buf_str(&bytes)};
	return key_wrap_write(&w, c->arena, wrapped, &c->err);
}

static int aws_key_unwrap(
	struct call *c, void *keys, struct str name, struct str context, struct str wrapped, struct str *plain)
{
	struct aws_services *s = keys;
	struct key_wrap w = {0};
	const json_t *answer = NULL;
	AUTO(secret) bytes = {0};
	struct str alias = alias_of(c, s, name);
	int r = key_wrap_read(wrapped, ENGINE, &w, &c->err);
	struct str text = r ? S("") : object_base64(c->arena, w.ciphertext);
	if (!r && (!text.p || !alias.p))
		r = call_no_memory(c);
	AUTO(json) in = with_context(alias, context);
	json_set_str(in, "CiphertextBlob", text);
	if (!r && (r = aws_json_call(c, s, AWS_KMS_DECRYPT, in, &answer)))
		r = refused_use(c, name);
	if (!r)
		r = secret_of_base64(c, json_str(answer, "Plaintext"), &bytes);
	if (!r && (!bytes.n || bytes.n > KEY_WRAP_MAX_PLAIN))
		r = call_fail(c, ERR_PROTOCOL, "key %.*s: Decrypt answered %zu bytes", STR(name), bytes.n);
	struct str copy = r ? S("") : arena_str(c->arena, secret_str(&bytes));
	if (!r && !copy.p)
		r = call_no_memory(c);
	if (!r)
		*plain = copy;
	return r;
}

// ---------------------------------------------------------------- versions

struct rotations { // of one key
	struct aws_services *s;
	struct str id;
	int64_t count, before;
	double last; // time of the newest
};

static int count_page(struct call *c, void *ctx, struct str token, struct str *next)
{
	struct rotations *x = ctx;
	AUTO(json) in = json_object();
	const json_t *answer = NULL, *one;
	size_t i;
	json_set_str(in, "KeyId", x->id);
	if (token.n)
		json_set_str(in, "Marker", token);
	int r = aws_json_call(c, x->s, AWS_KMS_LIST_ROTATIONS, in, &answer);
	json_array_foreach(json_object_get(answer, "Rotations"), i, one)
	{
		double when = json_num(one, "RotationDate", 0);
		x->last = MAX(x->last, when);
		x->count++;
	}
	*next = json_flag(answer, "Truncated", false) ? json_str(answer, "NextMarker") : S("");
	return r;
}

static int count_rotations(struct call *c, struct rotations *x)
{
	x->count = 0;
	return pages_all(c, count_page, x);
}

static int rotate(struct call *c, void *ctx)
{
	struct rotations *x = ctx;
	return call_on_key(c, x->s, AWS_KMS_ROTATE, x->id);
}

static int has_rotated(struct call *c, void *ctx, bool *done)
{
	struct rotations *x = ctx;
	int r = count_rotations(c, x);
	*done = x->count > x->before;
	return r;
}

static int aws_key_rotate(struct call *c, void *keys, struct str name)
{
	struct aws_services *s = keys;
	struct aws_key k = {0};
	int r = aws_key_find(c, s, name, &k);
	struct rotations x = {.s = s, .id = k.id};
	if (!r)
		r = count_rotations(c, &x);
	x.before = x.count;
	if (!r)
		r = act_looking(c, &(struct looked_act){.ctx = &x, .act = rotate, .look = has_rotated});
	return r ? call_context(c, "rotate key %.*s", STR(name)) : 0;
}

static int aws_key_describe(struct call *c, void *keys, struct str name, json_t **out)
{
	struct aws_services *s = keys;
	struct aws_key k = {0};
	int r = aws_key_find(c, s, name, &k);
	struct rotations x = {.s = s, .id = k.id, .last = k.created};
	if (!r && str_eq(k.state, S("PendingDeletion")))
		r = call_fail(c, ERR_NOT_FOUND, "key %.*s waits for its deletion", STR(name));
	if (!r)
		r = count_rotations(c, &x);
	if (r)
		return r;
	json_t *j = json_object();
	json_object_set_new(j, "versions", json_integer(x.count + 1));
	json_set_str(j, "created", aws_time_text(c, k.created));
	json_set_str(j, "rotated", aws_time_text(c, x.last));
	json_set_str(j, "id", k.arn);
	if (str_eq(k.state, S("Disabled")))
		json_object_set_new(j, "disabled", json_true());
	*out = j;
	return 0;
}

// ---------------------------------------------------------------- its end

static int aws_key_delete(struct call *c, void *keys, struct str name)
{
	struct aws_services *s = keys;
	struct aws_key k = {0};
	int r = aws_key_find(c, s, name, &k);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	if (!r) // the alias last: by it a cut deletion is found again
		r = schedule_deletion(c, s, k.id);
	if (!r)
		r = delete_alias(c, s, k.alias);
	return r ? call_context(c, "delete key %.*s", STR(name)) : 0;
}

static int aws_key_disable(struct call *c, void *keys, struct str name)
{
	struct aws_key k = {0};
	int r = aws_key_find(c, keys, name, &k);
	return r ? r : call_on_key(c, keys, AWS_KMS_DISABLE_KEY, k.id);
}

static int aws_key_enable(struct call *c, void *keys, struct str name)
{
	struct aws_key k = {0};
	int r = aws_key_find(c, keys, name, &k);
	return r ? r : call_on_key(c, keys, AWS_KMS_ENABLE_KEY, k.id);
}

const struct key_ops aws_key_ops = {
	.name = "aws",
	.create = aws_key_create,
	.wrap = aws_key_wrap,
	.unwrap = aws_key_unwrap,
	.rotate = aws_key_rotate,
	.describe = aws_key_describe,
	.delete = aws_key_delete,
	.disable = aws_key_disable,
	.enable = aws_key_enable,
	.grants = aws_key_grants,
	.set_grants = aws_key_set_grants,
};
