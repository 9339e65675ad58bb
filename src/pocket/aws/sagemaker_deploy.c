// SPDX-License-Identifier: Apache-2.0
// What an endpoint does while it changes: servers of what is wanted start beside those that answer; when all of them are
// healthy, they take over at once, and those that nobody wants any more end after their last answers. When one does not
// become healthy, a new endpoint has failed, and an older one goes on as it was (blue/green with rollback). A pocket
// that was killed in between goes on from the document: a server's id follows from the endpoint and its number.
#include <string.h>

#include "base/log.h"
#include "base/time.h"
#include "pocket/aws/logs.h"
#include "pocket/aws/sagemaker_impl.h"
#include "pocket/aws/session.h"

#define RETIRE_NS (2 * NS_PER_S)
#define LEAST_TIMEOUT_NS (20 * NS_PER_S) // of a start, however fast the pocket's time passes
#define STOP_GRACE_NS (2 * NS_PER_S)

enum { MAX_RESTARTS = 3 };

struct turn {
	struct sagemaker *s;
	struct arena arena;
	json_t *doc; // changed
	int64_t now_ns;
	struct err err;
};

bool sm_endpoint_at_work(const json_t *doc)
{
	return json_object_get(doc, "pending") || json_array_size(json_object_get(doc, "retired")) ||
	       str_eq(json_str(doc, "status"), S("Deleting"));
}

static struct engine *engine_of(const struct turn *t)
{
	return t->s->pocket->engine;
}

// ---------------------------------------------------------------- servers
static struct str new_id(struct turn *t)
{
	int64_t number = json_int(t->doc, "servers_made", 0) + 1;
	char hex[HEX_SHA256_SIZE];
	struct sha256 digest = sha256_of(arena_printf(&t->arena, "%s %lld", json_text(t->doc, "arn"), (long long)number));
	hex_encode(str_bytes(digest.bytes, SHA256_SIZE), hex);
	json_object_set_new(t->doc, "servers_made", json_integer(number));
	return arena_printf(&t->arena, "serve.%.20s.%lld", hex, (long long)number);
}

static int announce_log(struct turn *t, const json_t *variant, struct str id)
{
	struct str dot, tail;
	str_cut(str_drop(id, sizeof("serve.") - 1), '.', &dot, &tail);
	const struct aws_log_stream stream = {.region = json_str(t->doc, "region"),
		.group = arena_printf(&t->arena, "/aws/sagemaker/Endpoints/%s", json_text(t->doc, "name")),
		.stream = arena_printf(&t->arena, "%s/i-%.*s", json_text(variant, "name"), STR(str_take(dot, 17))),
		.engine_id = id,
		.created_ns = t->now_ns};
	return aws_logs_announce(t->s->pocket, &stream, &t->err);
}

// The credentials of the model's role; one that IAM does not know has none.
static int add_role(struct turn *t, const json_t *variant, const struct engine_spec *spec)
{
	struct str role = json_str(json_object_get(variant, "model"), "ExecutionRoleArn");
	int rc = session_add_role(
		t->s->pocket, role, spec->id, (json_t *)(uintptr_t)spec->environment, &t->err);
	if (rc != ERR_NOT_FOUND)
		return rc;
	err_clear(&t->err);
	return 0;
}

// The document names the server before it is started: one that a killed pocket has started is found again.
static int start_server(struct turn *t, const json_t *variant, struct str id)
{
	struct engine_spec spec = {0};
	struct engine_place place = {0};
	int rc = engine_prepare(engine_of(t), id, &place, &t->err);
	if (rc == 0 && sm_server_spec(&t->arena, json_object_get(variant, "model"), variant, &place, &spec))
		rc = err_set(&t->err, ERR_NO_MEMORY, "out of memory");
	spec.id = id;
	if (rc == 0)
		rc = add_role(t, variant, &spec);
	if (rc == 0)
		rc = engine_start(engine_of(t), &spec, &t->err);
	if (rc == ERR_EXISTS) {
		err_clear(&t->err);
		rc = 0;
	}
	return rc ? rc : announce_log(t, variant, id);
}

// Names for the servers that a variant still lacks; too many are dropped from its end. True when something changed.
static bool name_servers(struct turn *t, json_t *variant)
{
	json_t *servers = json_object_get(variant, "servers");
	size_t wanted = (size_t)json_int(variant, "count", 1), had = json_array_size(servers);
	while (json_array_size(servers) < wanted)
		json_array_append_new(servers, json_of_str(new_id(t)));
	while (json_array_size(servers) > wanted)
		json_array_remove(servers, json_array_size(servers) - 1);
	return json_array_size(servers) != had;
}

// 1: it answers; 0: not yet; negative: it never will.
static int look_at_server(struct turn *t, const json_t *variant, struct str id)
{
	struct engine_status status;
	int rc = engine_status(engine_of(t), id, &status);
	if (rc == ERR_NOT_FOUND)
		return start_server(t, variant, id);
	if (rc < 0)
		return rc;
	if (status.healthy)
		return 1;
	return engine_state_ended(status.state) || status.restarts >= MAX_RESTARTS ? ERR_FAILED : 0;
}

// ---------------------------------------------------------------- a change
static const char *const health_words =
	"The primary container for production variant %s did not pass the ping health check. Please check CloudWatch logs "
	"for this endpoint.";

static bool is_late(const struct turn *t, const json_t *pending, const json_t *variant)
{
	int64_t timeout = service_pace_ns(t->s->pocket, json_int(variant, "timeout", 600) * NS_PER_S);
	return t->now_ns - json_int(pending, "began", 0) > MAX(timeout, LEAST_TIMEOUT_NS);
}

// 1: all answer; 0: not yet; negative: *failed is the variant that will not.
static int look_at_variants(struct turn *t, const json_t *pending, const json_t **failed)
{
	const json_t *variant, *id;
	size_t i, j;
	bool all = true;
	json_array_foreach(json_object_get(pending, "variants"), i, variant)
	{
		json_array_foreach(json_object_get(variant, "servers"), j, id)
		{
			int rc = look_at_server(t, variant, json_value_str(id));
			*failed = variant;
			if (rc < 0)
				return rc;
			if (rc == 0 && is_late(t, pending, variant))
				return ERR_TIMEOUT;
			all &= rc == 1;
		}
	}
	return all;
}

static bool has_server(const json_t *variants, struct str id)
{
	const json_t *variant, *one;
	size_t i, j;
	json_array_foreach(variants, i, variant)
		json_array_foreach(json_object_get(variant, "servers"), j, one) if (str_eq(json_value_str(one), id)) return true;
	return false;
}

// Servers of `old` that `kept` has not are to end.
static void retire(struct turn *t, const json_t *old, const json_t *kept, int64_t at_ns)
{
	json_t *retired = json_object_get(t->doc, "retired");
	const json_t *variant, *id;
	size_t i, j;
	if (!retired)
		json_object_set_new(t->doc, "retired", retired = json_array());
	json_array_foreach(old, i, variant) json_array_foreach(json_object_get(variant, "servers"), j, id)
	{
		if (!has_server(kept, json_value_str(id)))
			json_array_append_new(retired, json_pack("{s:s, s:I}", "id", json_string_value(id), "at", at_ns));
	}
}

static void take_over(struct turn *t, const json_t *pending)
{
	json_t *variants = json_object_get(pending, "variants");
	retire(t, json_object_get(t->doc, "variants"), variants, t->now_ns + RETIRE_NS);
	json_object_set(t->doc, "config", json_object_get(pending, "config"));
	json_object_set(t->doc, "variants", variants);
	json_object_set_new(t->doc, "status", json_string("InService"));
	json_object_del(t->doc, "failure");
	json_object_del(t->doc, "pending");
}

static void roll_back(struct turn *t, const json_t *pending, struct str why)
{
	bool created = str_eq(json_str(pending, "change"), S("create"));
	retire(t, json_object_get(pending, "variants"), json_object_get(t->doc, "variants"), t->now_ns);
	json_set_str(t->doc, "failure", why);
	json_object_set_new(t->doc, "status", json_string(created ? "Failed" : "InService"));
	json_object_del(t->doc, "pending");
}

static struct str failure_of(struct turn *t, const json_t *failed, int rc)
{
	if (rc == ERR_FAILED || rc == ERR_TIMEOUT)
		return arena_printf(&t->arena, health_words, json_text(failed, "name"));
	return arena_printf(&t->arena, "The container for production variant %s could not be started: %s",
		json_text(failed, "name"), t->err.message);
}

static void go_on(struct turn *t)
{
	json_t *pending = json_object_get(t->doc, "pending"), *variant;
	const json_t *failed = NULL;
	bool named = false;
	size_t i;
	json_array_foreach(json_object_get(pending, "variants"), i, variant) named |= name_servers(t, variant);
	if (named) // written first
		return;
	int rc = look_at_variants(t, pending, &failed);
	if (rc == 0)
		return;
	AUTO(json) held = json_incref(pending);
	if (rc > 0)
		take_over(t, held);
	else
		roll_back(t, held, failure_of(t, failed, rc));
	err_clear(&t->err);
}

// ---------------------------------------------------------------- ends
// 0: it is gone.
static int end_server(struct turn *t, struct str id)
{
	struct engine_status status;
	int rc = engine_status(engine_of(t), id, &status);
	if (rc == ERR_NOT_FOUND)
		return 0;
	if (rc == 0 && !engine_state_ended(status.state)) {
		rc = engine_stop(engine_of(t), id, STOP_GRACE_NS, &t->err);
		return rc < 0 && rc != ERR_NOT_FOUND ? rc : 1;
	}
	rc = engine_remove(engine_of(t), id, &t->err);
	return rc == ERR_NOT_FOUND ? 0 : rc;
}

static void end_retired(struct turn *t)
{
	json_t *retired = json_object_get(t->doc, "retired");
	for (size_t i = json_array_size(retired); i-- > 0;) {
		const json_t *one = json_array_get(retired, i);
		if (json_int(one, "at", 0) <= t->now_ns && end_server(t, json_str(one, "id")) == 0)
			json_array_remove(retired, i);
	}
}

// True when nothing is left of it, not even its document.
static bool delete_all(struct turn *t, struct str doc_name)
{
	const json_t *pending = json_object_get(t->doc, "pending");
	AUTO(json) none = json_array();
	if (json_array_size(json_object_get(t->doc, "variants")) || pending) {
		retire(t, json_object_get(t->doc, "variants"), none, 0);
		retire(t, json_object_get(pending, "variants"), none, 0);
		json_object_set_new(t->doc, "variants", json_array());
		json_object_del(t->doc, "pending");
	}
	end_retired(t);
	if (json_array_size(json_object_get(t->doc, "retired")))
		return false;
	struct str group = arena_printf(&t->arena, "/aws/sagemaker/Endpoints/%s", json_text(t->doc, "name"));
	int rc = aws_logs_forget(t->s->pocket, json_str(t->doc, "region"), group, S(""), &t->err);
	if (rc == 0)
		rc = docs_delete(t->s->pocket, sm_kinds[SM_ENDPOINT].collection, doc_name, &t->err);
	return rc == 0;
}

static bool write_doc(struct turn *t, struct str doc_name, const json_t *before)
{
	if (json_equal(t->doc, before) || sm_put(t->s->pocket, SM_ENDPOINT, doc_name, t->doc, &t->err) == 0)
		return true;
	log_err(LOG_ERROR, &t->err, "an endpoint's document");
	return false;
}

bool sm_endpoint_step(struct sagemaker *s, struct sm_active *active)
{
	struct str doc_name = str_of(active->name);
	const json_t *there = docs_get(s->pocket, sm_kinds[SM_ENDPOINT].collection, doc_name, NULL);
	struct turn t = {.s = s, .now_ns = s->pocket->edges->wall_ns(s->pocket->edges->ctx)};
	bool gone = !there, more = false;
	if (gone)
		return false;
	AUTO(json) before = json_deep_copy(there);
	t.doc = json_deep_copy(there);
	if (str_eq(json_str(t.doc, "status"), S("Deleting"))) {
		gone = delete_all(&t, doc_name);
	} else {
		if (json_object_get(t.doc, "pending"))
			go_on(&t);
		end_retired(&t);
	}
	if (!gone)
		more = !write_doc(&t, doc_name, before) || sm_endpoint_at_work(t.doc);
	json_decref(t.doc);
	arena_free(&t.arena);
	return more;
}
