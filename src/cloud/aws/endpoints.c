// SPDX-License-Identifier: Apache-2.0
// The operations on endpoints: see endpoints.h. Creating is only begun, since observe() sees it grow; an update is
// waited for as long as the call lives, since until it is over the older generation is what answers.
#include "cloud/aws/endpoints.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"
#include "cloud/aws/endpoints_impl.h"
#include "cloud/aws/invoke_credential.h"

#define FIRST_PAUSE_NS (200 * NS_PER_MS)
#define MOST_PAUSE_NS (5 * NS_PER_S)
#define LONGEST_WAIT_NS (2700 * NS_PER_S)

struct look { // at an endpoint
	struct str status, config, generation, reason, arn;
	int64_t count;     // machines that are wanted
	double weight;
	bool there;
};

// ---------------------------------------------------------------- looking
// While it is being created, the endpoint does not tell its variants; its configuration does.
static int look_at_config(struct call *c, struct aws_services *s, struct look *l)
{
	const struct aws_named named = {"EndpointConfigName", l->config};
	const json_t *out = NULL;
	int r = aws_sagemaker_named(c, s, AWS_DESCRIBE_ENDPOINT_CONFIG, &named, &out);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	l->generation = json_str(json_array_get(json_object_get(out, "ProductionVariants"), 0), "VariantName");
	return r;
}

static int look_at(struct call *c, struct aws_services *s, struct str endpoint, struct look *l)
{
	const struct aws_named named = {"EndpointName", endpoint};
	const json_t *out = NULL;
	*l = (struct look){0};
	int r = aws_sagemaker_named(c, s, AWS_DESCRIBE_ENDPOINT, &named, &out);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	if (r)
		return r;
	const json_t *variant = json_array_get(json_object_get(out, "ProductionVariants"), 0);
	*l = (struct look){.there = true,
		.status = json_str(out, "EndpointStatus"),
		.config = json_str(out, "EndpointConfigName"),
		.generation = json_str(variant, "VariantName"),
		.reason = json_str(out, "FailureReason"),
		.arn = json_str(out, "EndpointArn"),
		.count = json_int(variant, "DesiredInstanceCount", -1),
		.weight = json_num(variant, "DesiredWeight", -1)};
	return l->generation.n || !l->config.n ? 0 : look_at_config(c, s, l);
}

static bool is_one_of(struct str status, const char *words)
{
	struct str rest = str_of(words), one;
	while (str_next(&rest, ' ', &one))
		if (str_eq(one, status))
			return true;
	return false;
}

#define BUSY "Creating Updating SystemUpdating RollingBack Deleting"

// Until the endpoint is at rest, or gone.
static int wait_for_rest(struct call *c, struct aws_services *s, struct str endpoint, struct look *l)
{
	int64_t pause = FIRST_PAUSE_NS, until = call_mono_ns(c) + LONGEST_WAIT_NS;
	int r = look_at(c, s, endpoint, l);
	while (!r && l->there && is_one_of(l->status, BUSY)) {
		if (pause >= call_left_ns(c) || call_mono_ns(c) > until) {
			call_fail(c, ERR_WAITING, "SageMaker says that it is %.*s", STR(l->status));
			c->err.retryable = true;
			return ERR_WAITING;
		}
		if (call_sleep(c, pause))
			return c->err.code;
		pause = MIN(pause * 3 / 2, MOST_PAUSE_NS);
		r = look_at(c, s, endpoint, l);
	}
	return r;
}

// ---------------------------------------------------------------- ensure
// Somebody scaled it or took its traffic away: as it is declared again.
static int restore_capacity(struct call *c, struct aws_services *s, const struct endpoint_spec *spec,
	const struct aws_endpoint_names *names, const struct look *l)
{
	AUTO(json) in = json_object();
	json_t *one = json_object(), *list = json_array();
	bool same = (l->count < 0 || l->count == spec->replicas) && (l->weight < 0 || l->weight > 0);
	json_array_append_new(list, one);
	json_object_set_new(in, "DesiredWeightsAndCapacities", list);
	if (same)
		return 0;
	json_set_str(in, "EndpointName", names->endpoint);
	json_set_str(one, "VariantName", spec->generation);
	json_object_set_new(one, "DesiredWeight", json_real(1));
	json_object_set_new(one, "DesiredInstanceCount", json_integer(spec->replicas));
	return aws_sagemaker_call(c, s, AWS_UPDATE_ENDPOINT_WEIGHTS, in, NULL);
}

static int judge_update(struct call *c, struct aws_services *s, const struct aws_endpoint_names *names,
	const struct look *l)
{
	if (!l->there)
		return call_fail(c, ERR_NOT_FOUND, "it was deleted while it was updated");
	if (!str_eq(l->config, names->generation) || !str_eq(l->status, S("InService")))
		return call_fail(c, ERR_FAILED, "the update did not succeed (%.*s), and the older generation goes on: %.*s",
			STR(l->status), STR(l->reason.n ? l->reason : S("SageMaker does not say why")));
	return aws_endpoint_tidy(c, s, names->endpoint, names->generation);
}

static int update(struct call *c, struct aws_services *s, const struct endpoint_spec *spec,
	const struct aws_endpoint_names *names)
{
	AUTO(json) in = json_object();
	struct look l;
	int r = aws_endpoint_prepare(c, s, spec, names);
	if (r)
		return r;
	json_set_str(in, "EndpointName", names->endpoint);
	json_set_str(in, "EndpointConfigName", names->generation);
	r = aws_sagemaker_call(c, s, AWS_UPDATE_ENDPOINT, in, NULL);
	if (r == ERR_CONFLICT) { // it is under way: our own answer was lost, or another's
		err_clear(&c->err);
		r = 0;
	}
	if (!r)
		r = wait_for_rest(c, s, names->endpoint, &l);
	return r ? r : judge_update(c, s, names, &l);
}

static int create(struct call *c, struct aws_services *s, const struct endpoint_spec *spec,
	const struct aws_endpoint_names *names)
{
	int r = aws_endpoint_prepare(c, s, spec, names);
	return r ? r : aws_endpoint_create(c, s, spec, names);
}

// One that failed cannot be updated, only made anew.
static int replace_failed(struct call *c, struct aws_services *s, const struct endpoint_spec *spec,
	const struct aws_endpoint_names *names)
{
	const struct aws_named named = {"EndpointName", names->endpoint};
	struct look l;
	int r = aws_sagemaker_named(c, s, AWS_DELETE_ENDPOINT, &named, NULL);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		r = 0;
	}
	if (!r)
		r = wait_for_rest(c, s, names->endpoint, &l);
	return r ? r : create(c, s, spec, names);
}

static int converge(struct call *c, struct aws_services *s, const struct endpoint_spec *spec,
	const struct aws_endpoint_names *names)
{
	struct look l;
	int r = look_at(c, s, names->endpoint, &l);
	if (r)
		return r;
	if (str_eq(l.status, S("Creating")) && str_eq(l.config, names->generation))
		return 0;
	if (l.there && is_one_of(l.status, BUSY))
		r = wait_for_rest(c, s, names->endpoint, &l);
	if (r)
		return r;
	if (!l.there)
		return create(c, s, spec, names);
	if (!str_eq(l.status, S("InService")))
		return replace_failed(c, s, spec, names);
	return str_eq(l.config, names->generation) ? restore_capacity(c, s, spec, names, &l)
						   : update(c, s, spec, names);
}

static int aws_endpoint_ensure(struct call *c, void *endpoints, const struct endpoint_spec *spec)
{
	struct aws_services *s = endpoints;
	struct aws_endpoint_names names;
	if (aws_endpoint_names(c, s, spec->name, spec->generation, &names) || converge(c, s, spec, &names))
		return call_context(c, "endpoint %.*s on %.*s", STR(spec->name), STR(s->config.name));
	return 0;
}

// ---------------------------------------------------------------- observe
static struct str invocations_url(struct call *c, const struct aws_services *s, struct str endpoint)
{
	return arena_printf(c->arena, "%.*s/endpoints/%.*s/invocations",
		STR(s->apis[AWS_API_RUNTIME].provider.base), STR(endpoint));
}

static enum endpoint_state state_of(struct str status)
{
	if (str_eq(status, S("Creating")))
		return ENDPOINT_STARTING;
	if (is_one_of(status, "InService Updating SystemUpdating RollingBack"))
		return ENDPOINT_READY;
	return str_eq(status, S("Deleting")) ? ENDPOINT_STOPPED : ENDPOINT_DOWN;
}

static int aws_endpoint_observe(struct call *c, void *endpoints, struct str name, struct endpoint_status *out)
{
	struct aws_services *s = endpoints;
	struct aws_endpoint_names names;
	struct look l;
	if (aws_endpoint_names(c, s, name, S(""), &names) || look_at(c, s, names.endpoint, &l))
		return call_context(c, "endpoint %.*s on %.*s", STR(name), STR(s->config.name));
	if (!l.there)
		return call_fail(c, ERR_NOT_FOUND, "%.*s: there is no endpoint %.*s (%.*s in SageMaker)",
			STR(s->config.name), STR(name), STR(names.endpoint));
	struct str url = invocations_url(c, s, names.endpoint);
	if (!url.p)
		return call_no_memory(c);
	*out = (struct endpoint_status){.state = state_of(l.status),
		.url = url,
		.generation = l.generation,
		.reason = l.reason,
		.invoke = {.how = INVOKE_SAGEMAKER, .url = url}};
	return 0;
}

// ---------------------------------------------------------------- delete
static int aws_endpoint_delete(struct call *c, void *endpoints, struct str name)
{
	struct aws_services *s = endpoints;
	struct aws_endpoint_names names;
	struct look l;
	int r = aws_endpoint_names(c, s, name, S(""), &names);
	if (!r)
		r = wait_for_rest(c, s, names.endpoint, &l); // SageMaker deletes none that is in the middle of something
	if (!r && l.there) {
		const struct aws_named named = {"EndpointName", names.endpoint};
		r = aws_sagemaker_named(c, s, AWS_DELETE_ENDPOINT, &named, NULL);
	}
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		r = 0;
	}
	if (!r)
		r = aws_endpoint_tidy(c, s, names.endpoint, S(""));
	return r ? call_context(c, "delete endpoint %.*s on %.*s", STR(name), STR(s->config.name)) : 0;
}

// ---------------------------------------------------------------- list
struct names {
	struct str *items;
	size_t count, room;
};

static int add_name(struct call *c, struct names *n, struct str name)
{
	if (n->count == n->room) {
		size_t room = n->room ? 2 * n->room : 32;
		struct str *items = arena_new_array(c->arena, room, struct str);
		if (!items)
			return call_no_memory(c);
		if (n->count)
			memcpy(items, n->items, n->count * sizeof(*items));
		n->items = items;
		n->room = room;
	}
	n->items[n->count++] = name;
	return 0;
}

static struct str tag_of(const json_t *tags, const char *key)
{
	const json_t *one;
	size_t i;
	json_array_foreach(tags, i, one) if (str_is(json_str(one, "Key"), key)) return json_str(one, "Value");
	return S("");
}

// Whose it is, its tags say; that nobody tagged another's as ours, its name does.
static int add_endpoint(struct call *c, struct aws_services *s, const json_t *summary, struct names *n)
{
	const struct aws_named named = {"ResourceArn", json_str(summary, "EndpointArn")};
	struct aws_endpoint_names names;
	const json_t *out = NULL;
	int r = aws_sagemaker_named(c, s, AWS_LIST_SAGEMAKER_TAGS, &named, &out);
	if (r == ERR_NOT_FOUND) { // gone since it was listed
		err_clear(&c->err);
		return 0;
	}
	struct str address = r ? S("") : tag_of(json_object_get(out, "Tags"), "isobar-address");
	if (r || !str_starts(address, S("endpoint/")))
		return r;
	struct str name = str_drop(address, sizeof("endpoint/") - 1);
	if (aws_endpoint_names(c, s, name, S(""), &names))
		return c->err.code;
	return str_eq(names.endpoint, json_str(summary, "EndpointName")) ? add_name(c, n, name) : 0;
}

static int list_all(struct call *c, struct aws_services *s, struct names *n)
{
	struct str token = S("");
	size_t i;
	do {
		AUTO(json) in = json_object();
		const json_t *out = NULL, *one;
		json_object_set_new(in, "NameContains", json_string("endpoint-"));
		json_object_set_new(in, "MaxResults", json_integer(AWS_PAGE));
		if (token.n)
			json_set_str(in, "NextToken", token);
		int r = aws_sagemaker_call(c, s, AWS_LIST_ENDPOINTS, in, &out);
		json_array_foreach(json_object_get(out, "Endpoints"), i, one)
		{
			if (!r)
				r = add_endpoint(c, s, one, n);
		}
		if (r)
			return r;
		token = json_str(out, "NextToken");
	} while (token.n);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int aws_endpoint_list(struct call *c, void *endpoints, struct str **out, size_t *count)
{
	struct aws_services *s = endpoints;
	struct names n = {0};
	if (list_all(c, s, &n))
		return call_context(c, "list the endpoints of %.*s", STR(s->config.name));
	if (n.count)
		qsort(n.items, n.count, sizeof(*n.items), by_name);
	*out = n.items;
	*count = n.count;
	return 0;
}

// ---------------------------------------------------------------- credential
static int aws_endpoint_credential(
	struct call *c, void *endpoints, struct str name, struct endpoint_credential *out)
{
	struct aws_services *s = endpoints;
	struct aws_endpoint_names names;
	if (aws_endpoint_names(c, s, name, S(""), &names))
		return c->err.code;
	return aws_invoke_credential(c, s, names.endpoint, out);
}

const struct endpoint_ops aws_endpoint_ops = {
	.name = "aws",
	.ensure = aws_endpoint_ensure,
	.observe = aws_endpoint_observe,
	.delete = aws_endpoint_delete,
	.list = aws_endpoint_list,
	.credential = aws_endpoint_credential,
};
