// SPDX-License-Identifier: Apache-2.0
// Whole trainings on clouds in memory: the result is what a plain computation gives, comes out the same after a crash at any boundary,
// and bad sites are left out as long as a quorum holds.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <unistd.h>

#include "toy_world.h"
#include "data/transfer.h"
#include "train/training.h"

static const char federated[] =
	"{\"data\":\"transform/prepared/train\",\"trainer\":\"builtin/mlp\",\"bucket\":\"bucket/lake\","
	"\"with\":{\"hidden\":[5],\"batch\":10,\"learning_rate\":0.1,\"seed\":3},"
	"\"federated\":{\"clouds\":[\"aws-us\",\"gcp-eu\",\"azure-eu\"],\"rounds\":3,\"local_epochs\":2,"
	"\"aggregate\":{\"rule\":\"fedavg\",\"outer\":{\"optimizer\":\"nesterov\",\"rate\":0.7,\"momentum\":0.9}},"
	"\"quorum\":\"2 of 3\",\"deadline\":\"%s\"}}";

static void declare_federated(struct toy_world *w, const char *deadline, struct resource *r)
{
	AUTO(buf) text = {0};
	struct str before, after;
	ptrdiff_t at = str_find(str_of(federated), S("%s"));
	before = str_take(str_of(federated), (size_t)at);
	after = str_drop(str_of(federated), (size_t)at + 2);
	buf_printf(&text, "%.*s%s%.*s", STR(before), deadline, STR(after));
	toy_declare(w, "training/classifier", buf_cstr(&text), r);
}

static json_t *make(struct toy_world *w)
{
	json_t *outputs = NULL;
	assert_ok(&w->f, training_make(&w->f.call, NULL, &w->step, &outputs));
	return json_in_arena(&w->f.arena, outputs);
}

static struct str final_on(struct toy_world *w, size_t cloud)
{
	return memory_cloud_peek(&w->memory[cloud], "fashion-lake", "trainings/classifier/3fa2c1d20b6e/final/weights.safetensors");
}

static void assert_digest(struct str bytes, struct str sha256)
{
	char digest[HEX_SHA256_SIZE];
	struct sha256 sum = sha256_of(bytes);
	hex_encode(str_bytes(sum.bytes, SHA256_SIZE), digest);
	assert_str(str_of(digest), sha256);
}

// The same three rounds by hand: train each site from the same weights, mean, Nesterov.
static void by_hand(struct toy_world *w, struct mlp *global)
{
	static const size_t sizes[] = {TOY_WIDTH, 5, 2}, floats = (TOY_WIDTH + 1) * 5 + 6 * 2;
	float momentum[64] = {0};
	struct blas blas;
	blas_open(&blas, NULL);
	assert_ok(&w->f, mlp_new(global, sizes, 3, &w->f.call.err));
	mlp_initialise(global, 3);
	for (int round = 1; round <= 3; round++) {
		double mean[64] = {0};
		for (size_t i = 0; i < TOY_CLOUDS; i++) {
			struct safetensors s;
			struct mlp site;
			double loss;
			struct str data = memory_cloud_peek(&w->memory[i], "fashion-lake", "transforms/prepared/t/train/data.safetensors");
			assert_ok(&w->f, safetensors_parse(data, &w->f.arena, &s, &w->f.call.err));
			struct mlp_data d = {(const void *)safetensors_find(&s, S("image"))->data,
				(const void *)safetensors_find(&s, S("class"))->data, TOY_SAMPLES};
			struct mlp_options o = {.batch = 10, .epochs = 2, .rate = 0.1f, .seed = 3, .stream = (uint64_t)round, .blas = &blas};
			assert_ok(&w->f, mlp_new(&site, sizes, 3, &w->f.call.err));
			memcpy(site.memory, global->memory, floats * sizeof(float));
			assert_ok(&w->f, mlp_train(&site, &d, &o, &loss, &w->f.call.err));
			for (size_t k = 0; k < floats; k++)
				mean[k] += (double)site.memory[k] / TOY_CLOUDS;
			mlp_free(&site);
		}
		for (size_t k = 0; k < floats; k++) {
			double g = (double)global->memory[k] - mean[k], b = round == 1 ? g : 0.9 * (double)momentum[k] + g;
			momentum[k] = (float)b;
			global->memory[k] = (float)((double)global->memory[k] - 0.7 * (g + 0.9 * b));
		}
	}
}

static void test_result(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	struct mlp expected, got;
	struct safetensors s;
	toy_open(&w);
	declare_federated(&w, "20s", &r);
	json_t *outputs = make(&w);
	assert_int_equal(json_int(outputs, "rounds", 0), 3);
	assert_int_equal(json_int(outputs, "samples", 0), TOY_CLOUDS * TOY_SAMPLES);
	assert_str(json_str(outputs, "class"), S("public"));
	assert_int_equal(json_array_size(json_object_get(outputs, "parts")), 3);
	for (size_t i = 0; i < TOY_CLOUDS; i++)
		assert_digest(final_on(&w, i), json_str(outputs, "sha256"));
	by_hand(&w, &expected);
	assert_ok(&w.f, safetensors_parse(final_on(&w, 0), &w.f.arena, &s, &w.f.call.err));
	assert_ok(&w.f, mlp_read(&s, &got, &w.f.call.err));
	for (size_t i = 0; i < (TOY_WIDTH + 1) * 5 + 6 * 2; i++)
		assert_true(expected.memory[i] - got.memory[i] < 1e-5f && got.memory[i] - expected.memory[i] < 1e-5f);
	mlp_free(&expected);
	mlp_free(&got);
	assert_non_null(strstr(buf_cstr(&w.told), "round 3 of 3: 3 of 3 clouds, 120 samples, loss "));
	toy_close(&w);
}

static void test_journal(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	struct event *accepted, *aggregated;
	toy_open(&w);
	declare_federated(&w, "20s", &r);
	json_t *first = make(&w), *again = make(&w);
	assert_true(json_equal(first, again));
	assert_int_equal(fixture_events(&w.f, &w.s, "round.accepted", &accepted), 3);
	assert_int_equal(fixture_events(&w.f, &w.s, "round.aggregated", &aggregated), 3);
	for (size_t i = 0; i < 3; i++) {
		assert_true(accepted[i].sequence < aggregated[i].sequence);
		assert_int_equal(json_int(accepted[i].data, "round", 0), i + 1);
		assert_int_equal(json_array_size(json_object_get(accepted[i].data, "accepted")), 3);
		assert_str(json_str(accepted[i].data, "training"), S("classifier"));
	}
	assert_str(json_str(aggregated[2].data, "sha256"), json_str(first, "sha256"));
	for (size_t i = 0; i < TOY_CLOUDS; i++) {
		assert_int_equal(w.engines[i].count, 3);
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(w.engines[i].jobs[k].ran, 1);
	}
	struct transfer_total *totals;
	size_t count;
	assert_ok(&w.f, transfer_totals(&w.f.call, &w.s, &totals, &count));
	assert_int_equal(count, 6); // here to each cloud and back
	toy_close(&w);
}

// ---------------------------------------------------------------- crashes
struct dying { // a state that dies at its n-th commit, before or after it is durable
	struct state real;
	int left;
	bool after, dead;
};

static int dying_commit(struct call *c, void *s, const struct state_batch *batch)
{
	struct dying *d = s;
	bool now = !d->dead && --d->left == 0;
	int rc = 0;
	if (!d->dead && (!now || d->after))
		rc = d->real.ops->commit(c, d->real.ctx, batch);
	d->dead |= now;
	return d->dead ? call_fail(c, ERR_INTERNAL, "killed") : rc;
}

static int dying_get(struct call *c, void *s, struct str key, struct record *out)
{
	struct dying *d = s;
	return d->dead ? call_fail(c, ERR_INTERNAL, "killed") : d->real.ops->get(c, d->real.ctx, key, out);
}

static int dying_list(struct call *c, void *s, struct str prefix, struct record **out, size_t *count)
{
	struct dying *d = s;
	return d->dead ? call_fail(c, ERR_INTERNAL, "killed") : d->real.ops->list(c, d->real.ctx, prefix, out, count);
}

static int dying_watch(struct call *c, void *s, uint64_t after, int64_t timeout_ns, uint64_t *head)
{
	struct dying *d = s;
	return d->dead ? call_fail(c, ERR_INTERNAL, "killed") : d->real.ops->watch(c, d->real.ctx, after, timeout_ns, head);
}

static int dying_read(struct call *c, void *s, const struct state_query *query, struct event **out, size_t *count)
{
	struct dying *d = s;
	return d->dead ? call_fail(c, ERR_INTERNAL, "killed") : d->real.ops->read(c, d->real.ctx, query, out, count);
}

static const struct state_ops dying_ops = {
	.name = "dying", .commit = dying_commit, .get = dying_get, .list = dying_list, .watch = dying_watch, .read = dying_read};

// Runs until the state dies; true when it was done before.
static bool run_until(struct toy_world *w, int commits, bool after)
{
	struct dying d = {.real = w->s, .left = commits, .after = after};
	struct state state = {.ops = &dying_ops, .ctx = &d};
	struct step step = w->step;
	json_t *outputs = NULL;
	step.state = &state;
	int rc = training_make(&w->f.call, NULL, &step, &outputs);
	if (rc == 0)
		json_decref(outputs);
	err_clear(&w->f.call.err);
	return rc == 0;
}

static void check_after_crash(int commits, bool after, bool lose_scratch, struct str expected)
{
	struct toy_world w;
	struct resource r;
	toy_open(&w);
	declare_federated(&w, "20s", &r);
	(void)run_until(&w, commits, after);
	for (size_t i = 0; i < TOY_CLOUDS; i++) // jobs are processes of their own: stopped ones were stopped by a failure, not a kill
		assert_int_equal(w.engines[i].stops, 0);
	if (lose_scratch) {
		assert_ok(&w.f, file_remove_tree(w.step.scratch, &w.f.call.err));
		assert_ok(&w.f, file_make_dirs(w.step.scratch, 0700, &w.f.call.err));
	}
	json_t *outputs = make(&w);
	assert_str(json_str(outputs, "sha256"), expected);
	assert_int_equal(fixture_events(&w.f, &w.s, "round.accepted", NULL), 3);
	assert_int_equal(fixture_events(&w.f, &w.s, "round.aggregated", NULL), 3);
	for (size_t i = 0; i < TOY_CLOUDS; i++) {
		assert_int_equal(w.engines[i].count, 3);
		for (size_t k = 0; k < 3; k++)
			assert_int_equal(w.engines[i].jobs[k].ran, 1);
		assert_digest(final_on(&w, i), expected);
	}
	toy_close(&w);
}

static void test_crashes(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	toy_open(&w);
	declare_federated(&w, "20s", &r);
	struct str sha256 = json_str(make(&w), "sha256");
	for (int n = 1; n < 60; n += 8)
		check_after_crash(n, n % 3 == 0, n % 2 == 0, sha256);
	check_after_crash(30, true, true, sha256);
	check_after_crash(44, false, true, sha256);
	toy_close(&w);
}

// ---------------------------------------------------------------- bad sites
static void spoil(struct toy_world *w, size_t cloud, enum toy_fault fault, const char *in)
{
	w->engines[cloud].fault = fault;
	w->engines[cloud].fault_in = in;
	w->engines[cloud].lose = 2;
}

static void test_bad_sites_are_left_out(void **state)
{
	(void)state;
	static const struct {
		enum toy_fault fault;
		const char *reason;
	} cases[] = {
		{TOY_FAIL, "exit code 7"},
		{TOY_NAN, "a number that is not finite"},
		{TOY_SAMPLES_LIE, "1000000 samples, its data has 40"},
		{TOY_BASE_LIE, "the job began with weights 0123"},
		{TOY_NO_WEIGHTS, "left no weights.safetensors"},
		{TOY_REFUSE, "not allowed"},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct toy_world w;
		struct resource r;
		struct event *accepted;
		toy_open(&w);
		declare_federated(&w, "20s", &r);
		spoil(&w, 0, cases[i].fault, "/round-2/");
		make(&w);
		assert_int_equal(fixture_events(&w.f, &w.s, "round.accepted", &accepted), 3);
		assert_int_equal(json_array_size(json_object_get(accepted[0].data, "accepted")), 3);
		assert_int_equal(json_array_size(json_object_get(accepted[1].data, "accepted")), 2);
		const json_t *lost = json_array_get(json_object_get(accepted[1].data, "lost"), 0);
		assert_str(json_str(lost, "site"), S("gcp-eu"));
		if (!strstr(json_text(lost, "reason"), cases[i].reason))
			fail_msg("\"%s\" does not say \"%s\"", json_text(lost, "reason"), cases[i].reason);
		assert_int_equal(json_array_size(json_object_get(accepted[2].data, "accepted")), 3); // it is back
		toy_close(&w);
	}
}

static void test_lost_jobs_run_again(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	toy_open(&w);
	declare_federated(&w, "20s", &r);
	spoil(&w, 1, TOY_LOSE, "/round-1/");
	make(&w);
	struct event *accepted;
	fixture_events(&w.f, &w.s, "round.accepted", &accepted);
	assert_int_equal(json_array_size(json_object_get(accepted[0].data, "accepted")), 3);
	toy_close(&w);
}

static void test_late_sites(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	struct event *accepted;
	toy_open(&w);
	declare_federated(&w, "300ms", &r);
	spoil(&w, 2, TOY_HANG, "/round-2/");
	make(&w);
	fixture_events(&w.f, &w.s, "round.accepted", &accepted);
	assert_int_equal(json_array_size(json_object_get(accepted[1].data, "accepted")), 2);
	assert_str(json_value_str(json_array_get(json_object_get(accepted[1].data, "late"), 0)), S("azure-eu"));
	assert_int_equal(w.engines[2].stops, 1);
	toy_close(&w);
}

static void test_no_quorum(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	json_t *outputs = NULL;
	toy_open(&w);
	declare_federated(&w, "20s", &r);
	spoil(&w, 0, TOY_FAIL, "/round-2/");
	spoil(&w, 1, TOY_FAIL, "/round-2/");
	assert_int_equal(training_make(&w.f.call, NULL, &w.step, &outputs), ERR_FAILED);
	if (!strstr(w.f.call.err.message, "aws-us: exit code 7") || !strstr(w.f.call.err.message, "2 are needed"))
		fail_msg("%s", w.f.call.err.message);
	err_clear(&w.f.call.err);
	spoil(&w, 0, TOY_NONE, "");
	spoil(&w, 1, TOY_NONE, "");
	make(&w); // what failed is run again, what was accepted holds
	assert_int_equal(fixture_events(&w.f, &w.s, "round.accepted", NULL), 3);
	toy_close(&w);
}

static void test_a_cloud_that_is_down(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	struct event *accepted;
	toy_open(&w);
	declare_federated(&w, "400ms", &r);
	atomic_store(&w.memory[1].down, true);
	json_t *outputs = make(&w);
	assert_int_equal(json_array_size(json_object_get(outputs, "parts")), 2);
	fixture_events(&w.f, &w.s, "round.accepted", &accepted);
	for (size_t i = 0; i < 3; i++)
		assert_str(json_value_str(json_array_get(json_object_get(accepted[i].data, "late"), 0)), S("aws-us"));
	toy_close(&w);
}

// ---------------------------------------------------------------- one job
static void test_single(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	toy_open(&w);
	w.memory[0].egress_usd = 0.12;
	w.memory[1].egress_usd = 0.09;
	w.memory[2].egress_usd = 0.12;
	toy_declare(&w, "training/classifier",
		"{\"data\":\"transform/prepared/train\",\"trainer\":\"builtin/mlp\",\"bucket\":\"bucket/lake\",\"with\":{\"hidden\":[5],\"epochs\":30}}", &r);
	json_t *outputs = make(&w);
	const json_t *place = json_array_get(json_object_get(outputs, "parts"), 0);
	assert_int_equal(json_array_size(json_object_get(outputs, "parts")), 1);
	assert_int_equal(json_int(outputs, "samples", 0), TOY_CLOUDS * TOY_SAMPLES); // all parts were brought together
	struct memory_cloud *there = NULL;
	for (size_t i = 0; i < TOY_CLOUDS; i++)
		if (str_eq(w.list[i].name, json_str(place, "cloud")))
			there = &w.memory[i];
	assert_non_null(there);
	assert_digest(memory_cloud_peek(there, "fashion-lake", "trainings/classifier/3fa2c1d20b6e/final/weights.safetensors"),
		json_str(outputs, "sha256"));
	assert_true(json_equal(outputs, make(&w)));
	toy_close(&w);
}

static void test_refuses(void **state)
{
	(void)state;
	struct toy_world w;
	struct resource r;
	json_t *outputs = NULL;
	toy_open(&w);
	toy_declare(&w, "training/classifier", "{\"data\":\"transform/absent/train\",\"trainer\":\"builtin/mlp\"}", &r);
	assert_fails(&w.f, training_make(&w.f.call, NULL, &w.step, &outputs), ERR_WAITING);
	toy_declare(&w, "training/classifier", "{\"data\":\"transform/prepared/dev\",\"trainer\":\"builtin/mlp\"}", &r);
	assert_fails(&w.f, training_make(&w.f.call, NULL, &w.step, &outputs), ERR_INVALID);
	toy_declare(&w, "training/classifier",
		"{\"data\":\"transform/prepared/train\",\"trainer\":\"builtin/mlp\",\"with\":{\"batch\":0},\"bucket\":\"bucket/lake\","
		"\"federated\":{\"clouds\":[\"aws-us\"],\"rounds\":1}}", &r);
	assert_fails(&w.f, training_make(&w.f.call, NULL, &w.step, &outputs), ERR_INVALID);
	memory_cloud_poke(&w.memory[1], "fashion-lake", "transforms/prepared/t/train/data.safetensors", S("broken"));
	declare_federated(&w, "20s", &r);
	assert_int_equal(training_make(&w.f.call, NULL, &w.step, &outputs), ERR_CORRUPT);
	assert_non_null(strstr(w.f.call.err.message, "aws-us"));
	toy_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_result),
		cmocka_unit_test(test_journal),
		cmocka_unit_test(test_crashes),
		cmocka_unit_test(test_bad_sites_are_left_out),
		cmocka_unit_test(test_lost_jobs_run_again),
		cmocka_unit_test(test_late_sites),
		cmocka_unit_test(test_no_quorum),
		cmocka_unit_test(test_a_cloud_that_is_down),
		cmocka_unit_test(test_single),
		cmocka_unit_test(test_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
