// SPDX-License-Identifier: Apache-2.0
// The weights that each round begins with. They are a function of the seed, the data's shape and the accepted sets: any of these
// files below scratch that is missing is made again, back to the first round if need be, and must come out with the recorded digest.
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "math/aggregate.h"
#include "train/carry.h"
#include "train/rounds_impl.h"

static const char *weights_path(const struct rounds *t, struct arena *a, int64_t round)
{
	return rounds_path(t, a, "global-%lld.safetensors", (long long)round);
}

static const char *momentum_path(const struct rounds *t, struct arena *a, int64_t round)
{
	return rounds_path(t, a, "momentum-%lld.safetensors", (long long)round);
}

static int begin_result(struct call *c, struct rounds *t, json_t **out)
{
	struct str name = arena_printf(c->arena, "%.*s/begin", STR(t->prefix));
	return name.p ? reconcile_result(c, t->step->state, name, out) : call_no_memory(c);
}

int global_samples(struct call *c, struct rounds *t, const struct site *s, uint64_t *out)
{
	json_t *begun;
	int rc = begin_result(c, t, &begun);
	if (rc < 0)
		return rc;
	const json_t *samples = json_object_get(begun, "samples");
	*out = (uint64_t)json_int(samples, arena_cstr(c->arena, s->cloud->name), (int64_t)s->data.records);
	return 0;
}

// ---------------------------------------------------------------- round 1
static int initialise(struct call *c, struct rounds *t, const json_t *layers, struct sha256 *sha256)
{
	AUTO(mlp) m = {0};
	struct safetensors s;
	size_t sizes[MLP_MAX_LAYERS + 1] = {0}, count = MIN(json_array_size(layers), COUNT_OF(sizes));
	const char *path = weights_path(t, c->arena, 1);
	for (size_t i = 0; i < count; i++)
		sizes[i] = (size_t)json_integer_value(json_array_get(layers, i));
	int rc = path ? mlp_new(&m, sizes, count, &c->err) : call_no_memory(c);
	if (rc < 0)
		return rc;
	mlp_initialise(&m, t->settings.seed);
	rc = mlp_describe(&m, c->arena, &s, &c->err);
	if (rc == 0)
		rc = safetensors_write_file(path, &s, sha256, &c->err);
	return rc;
}

// Every site's shape. While some cannot be asked and there is time, the act is tried again; then those that can decide.
static int read_shapes(struct call *c, struct rounds *t, struct data_shape *all, json_t *samples)
{
	size_t known = 0;
	struct err last = {0};
	for (size_t i = 0; i < t->count; i++) {
		struct data_shape one;
		struct call child;
		rounds_child(t, c, &child);
		if (shape_read(&child, &t->sites[i].data, &one) < 0) {
			last = child.err;
			if (!last.retryable)
				break;
			continue;
		}
		if (all->width && one.width != all->width)
			return call_fail(c, ERR_INVALID, "samples on %.*s have %llu numbers, elsewhere %llu", STR(t->sites[i].cloud->name),
				(unsigned long long)one.width, (unsigned long long)all->width);
		all->width = one.width;
		all->classes = MAX(all->classes, one.classes);
		json_object_setn_new(samples, t->sites[i].cloud->name.p, t->sites[i].cloud->name.n, json_integer((json_int_t)one.samples));
		known++;
	}
	bool late = call_mono_ns(c) >= t->round_began_ns + t->deadline_ns;
	if (known == t->count || (late && known >= t->need && last.retryable))
		return 0;
	c->err = last;
	if (late)
		c->err.retryable = false;
	return last.code;
}

int global_init(struct call *c, struct rounds *t, json_t **output)
{
	AUTO(json) layers = json_array();
	AUTO(json) samples = json_object();
	struct data_shape shape = {0};
	size_t sizes[MLP_MAX_LAYERS + 1];
	struct sha256 sum;
	char digest[HEX_SHA256_SIZE];
	if (!t->builtin) {
		*output = json_object(); // a user's own program begins on its own
		return 0;
	}
	int rc = read_shapes(c, t, &shape, samples);
	if (rc < 0)
		return rc;
	size_t count = mlp_settings_sizes(&t->settings, shape.width, shape.classes, sizes);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(layers, json_integer((json_int_t)sizes[i]));
	rc = initialise(c, t, layers, &sum);
	if (rc < 0)
		return rc;
	hex_encode(str_bytes(sum.bytes, sizeof(sum.bytes)), digest);
	*output = json_pack("{s:O, s:O, s:s}", "layers", layers, "samples", samples, "sha256", digest);
	return *output ? 0 : call_no_memory(c);
}

// ---------------------------------------------------------------- later rounds
struct inputs { // of an aggregation, all mapped
	struct aggregate_site *sites;
	struct safetensors_file *files;
	size_t count;
	struct safetensors_file base, momentum;
	struct aggregate_input base_input, momentum_input;
};

static void inputs_close(struct inputs *in)
{
	for (size_t i = 0; i < in->count; i++)
		safetensors_close(&in->files[i]);
	safetensors_close(&in->base);
	safetensors_close(&in->momentum);
}

static int open_site(struct call *c, struct rounds *t, int64_t round, const json_t *entry, struct inputs *in)
{
	struct site *s = rounds_site(t, json_str(entry, "site"));
	struct safetensors_file *file = &in->files[in->count];
	if (!s)
		return call_fail(c, ERR_CORRUPT, "round %lld accepted %s, which takes no part in %.*s", (long long)round, json_text(entry, "site"),
			STR(t->step->address));
	int rc = site_fetch(c, t, s, round, json_str(entry, "sha256"));
	const char *path = rounds_path(t, c->arena, "round-%lld/%.*s.safetensors", (long long)round, STR(s->cloud->name));
	if (rc == 0)
		rc = path ? safetensors_open(path, c->arena, file, &c->err) : call_no_memory(c);
	if (rc < 0)
		return rc;
	in->sites[in->count++] = (struct aggregate_site){
		.name = s->cloud->name, .samples = (uint64_t)json_int(entry, "samples", 0), .input = {.tensors = &file->content}};
	return 0;
}

static int open_inputs(struct call *c, struct rounds *t, int64_t round, const json_t *accepted, struct inputs *in)
{
	const char *base;
	struct str ignored;
	size_t i, n = json_array_size(accepted);
	const json_t *entry;
	in->sites = arena_new_array(c->arena, n + 1, struct aggregate_site);
	in->files = arena_new_array(c->arena, n + 1, struct safetensors_file);
	if (!in->sites || !in->files)
		return call_no_memory(c);
	int rc = global_file(c, t, round, &base, &ignored);
	if (rc == 0 && base)
		rc = safetensors_open(base, c->arena, &in->base, &c->err);
	const char *momentum = momentum_path(t, c->arena, round);
	if (rc == 0 && base && momentum && file_exists(momentum))
		rc = safetensors_open(momentum, c->arena, &in->momentum, &c->err);
	json_array_foreach(accepted, i, entry)
		if (rc == 0)
			rc = open_site(c, t, round, entry, in);
	in->base_input.tensors = &in->base.content;
	in->momentum_input.tensors = &in->momentum.content;
	return rc;
}

// Makes the weights of round + 1 out of what round accepted.
static int aggregate_round(struct call *c, struct rounds *t, int64_t round, const json_t *accepted, struct aggregate_result *out)
{
	struct inputs in = {0};
	const struct training_outer *outer = &t->training->federated.aggregate.outer;
	int rc = open_inputs(c, t, round, accepted, &in);
	if (rc == 0) {
		bool has_base = in.base.bytes.n > 0;
		const struct aggregate a = {
			.sites = in.sites,
			.count = in.count,
			.base = has_base ? &in.base_input : NULL,
			.state = in.momentum.bytes.n ? &in.momentum_input : NULL,
			.outer = {.nesterov = has_base && outer->optimizer.n, .rate = outer->rate, .momentum = outer->momentum},
			.out_path = weights_path(t, c->arena, round + 1),
			.state_out_path = momentum_path(t, c->arena, round + 1),
		};
		rc = a.out_path && a.state_out_path ? aggregate_run(&a, out, &c->err) : call_no_memory(c);
	}
	inputs_close(&in);
	return rc < 0 ? call_context(c, "%.*s, round %lld", STR(t->step->address), (long long)round) : 0;
}

static int read_record(struct call *c, struct rounds *t, int64_t round, struct record *r)
{
	struct str key = rounds_record_key(t, c->arena, round);
	return key.p ? state_get(c, t->step->state, key, r) : call_no_memory(c);
}

static int make_first(struct call *c, struct rounds *t, const char **path, struct str *sha256)
{
	json_t *begun;
	struct sha256 sum;
	int rc = begin_result(c, t, &begun);
	if (rc < 0)
		return rc;
	*sha256 = json_str(begun, "sha256");
	*path = sha256->n ? weights_path(t, c->arena, 1) : NULL;
	if (!sha256->n || carry_is(*path, *sha256))
		return 0;
	rc = initialise(c, t, json_object_get(begun, "layers"), &sum);
	if (rc == 0 && !carry_is(*path, *sha256))
		rc = call_fail(c, ERR_INTERNAL, "the first weights of %.*s came out otherwise than before", STR(t->step->address));
	return rc;
}

int global_file(struct call *c, struct rounds *t, int64_t round, const char **path, struct str *sha256)
{
	struct record r = {0};
	struct aggregate_result made;
	if (round == 1)
		return make_first(c, t, path, sha256);
	int rc = read_record(c, t, round - 1, &r);
	if (rc < 0)
		return rc;
	const json_t *aggregated = json_object_get(r.value, "aggregated");
	struct str momentum = json_str(aggregated, "momentum_sha256");
	const char *momentum_file = momentum_path(t, c->arena, round);
	*sha256 = json_str(aggregated, "sha256");
	*path = weights_path(t, c->arena, round);
	if (!*path || !momentum_file)
		return call_no_memory(c);
	if (!sha256->n)
		return call_fail(c, ERR_INTERNAL, "%.*s: round %lld has no result yet", STR(t->step->address), (long long)round - 1);
	if (carry_is(*path, *sha256) && (!momentum.n || carry_is(momentum_file, momentum)))
		return 0;
	rc = aggregate_round(c, t, round - 1, json_object_get(r.value, "accepted"), &made);
	if (rc == 0 && !carry_is(*path, *sha256))
		rc = call_fail(c, ERR_INTERNAL, "%.*s: round %lld came out otherwise than before", STR(t->step->address), (long long)round - 1);
	return rc;
}

// ---------------------------------------------------------------- acts
static json_t *event_data(const struct rounds *t, int64_t round, const json_t *more)
{
	json_t *data = json_object();
	json_set_str(data, "training", t->name);
	json_set_str(data, "run", t->step->run);
	json_object_set_new(data, "round", json_integer(round));
	json_object_update_missing(data, (json_t *)(uintptr_t)more);
	return data;
}

int global_accept(struct call *c, struct rounds *t, const struct action *action)
{
	int64_t round = json_int(action->input, "round", 0);
	AUTO(json) set = json_object();
	static const char *const members[] = {"accepted", "late", "lost"};
	for (size_t i = 0; i < COUNT_OF(members); i++)
		json_object_set(set, members[i], json_object_get(action->input, members[i]));
	struct state_note note = {
		.key = rounds_record_key(t, c->arena, round),
		.value = set,
		.type = S("round.accepted"),
		.address = t->step->address,
		.data = event_data(t, round, set),
	};
	if (!note.key.p)
		return call_no_memory(c);
	int rc = state_put_noted(c, t->step->state, &note);
	if (rc != ERR_CONFLICT)
		return rc;
	err_clear(&c->err); // accepted before: that set holds, whatever is ready now
	return 0;
}

static void tell_absent(struct rounds *t, int64_t round, const char *site, const char *reason)
{
	char text[640];
	snprintf(text, sizeof(text), "round %lld goes on without %s: %s", (long long)round, site, reason);
	step_report(t->step, &(struct progress_event){.unit = "", .text = str_of(text)});
}

static void tell_round(struct rounds *t, int64_t round, const json_t *record)
{
	const json_t *entry, *accepted = json_object_get(record, "accepted");
	char what[64], text[200];
	double samples = 0, loss = 0;
	size_t i;
	json_array_foreach(accepted, i, entry) {
		samples += (double)json_int(entry, "samples", 0);
		loss += (double)json_int(entry, "samples", 0) * json_num(entry, "loss", 0);
	}
	json_array_foreach(json_object_get(record, "lost"), i, entry)
		tell_absent(t, round, json_text(entry, "site"), json_text(entry, "reason"));
	json_array_foreach(json_object_get(record, "late"), i, entry)
		tell_absent(t, round, json_string_value(entry), "it had not answered when the round's deadline passed");
	snprintf(what, sizeof(what), "round %lld", (long long)round);
	snprintf(text, sizeof(text), "round %lld of %lld: %zu of %zu clouds, %.0f samples, loss %.3f", (long long)round,
		(long long)t->training->federated.rounds, json_array_size(accepted), t->count, samples, samples > 0 ? loss / samples : 0);
	step_report(t->step, &(struct progress_event){.what = str_of(what), .done = (double)round,
		.total = (double)t->training->federated.rounds, .unit = "rounds", .text = str_of(text)});
}

// What nobody needs any more: the sites' weights of this round, and the files two rounds back.
static void tidy(struct rounds *t, struct arena *a, int64_t round)
{
	struct err e;
	const char *folder = rounds_path(t, a, "round-%lld", (long long)round), *weights = weights_path(t, a, round - 1),
		   *momentum = momentum_path(t, a, round - 1);
	if (!folder || !weights || !momentum)
		return;
	(void)!file_remove_tree(folder, &e);
	unlink(weights);
	unlink(momentum);
}

static json_t *result_json(const struct aggregate_result *made, bool momentum)
{
	char digest[HEX_SHA256_SIZE], state[HEX_SHA256_SIZE] = "";
	hex_encode(str_bytes(made->sha256.bytes, SHA256_SIZE), digest);
	if (momentum)
		hex_encode(str_bytes(made->state_sha256.bytes, SHA256_SIZE), state);
	return json_pack("{s:s, s:s, s:I, s:I, s:f}", "sha256", digest, "momentum_sha256", state, "size", (json_int_t)made->size, "samples",
		(json_int_t)made->samples, "moved", made->delta_norm);
}

static int record_result(struct call *c, struct rounds *t, int64_t round, struct record *r, json_t *result)
{
	AUTO(json) value = json_deep_copy(r->value);
	json_object_set(value, "aggregated", result);
	struct state_note note = {
		.key = r->key,
		.value = value,
		.expected = r->revision,
		.type = S("round.aggregated"),
		.address = t->step->address,
		.data = event_data(t, round, result),
	};
	note.key = rounds_record_key(t, c->arena, round);
	return note.key.p ? state_put_noted(c, t->step->state, &note) : call_no_memory(c);
}

int global_aggregate(struct call *c, struct rounds *t, const struct action *action, json_t **output)
{
	int64_t round = json_int(action->input, "round", 0);
	struct record r = {0};
	struct aggregate_result made = {0};
	int rc = read_record(c, t, round, &r);
	if (rc < 0 || json_object_get(r.value, "aggregated")) // recorded before a crash
		return rc;
	if (!r.revision)
		return call_fail(c, ERR_INTERNAL, "%.*s: round %lld accepted nothing", STR(t->step->address), (long long)round);
	rc = aggregate_round(c, t, round, json_object_get(r.value, "accepted"), &made);
	if (rc < 0)
		return rc;
	bool momentum = t->training->federated.aggregate.outer.optimizer.n && made.delta_norm >= 0 && (t->builtin || round > 1);
	*output = result_json(&made, momentum);
	rc = *output ? record_result(c, t, round, &r, *output) : call_no_memory(c);
	if (rc < 0)
		return rc;
	tell_round(t, round, r.value);
	tidy(t, c->arena, round);
	return 0;
}
