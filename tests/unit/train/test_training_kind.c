// SPDX-License-Identifier: Apache-2.0
// The kind "training": the two examples of its manual are accepted as they stand, and mistakes are named.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/time.h"
#include "train/training_kind.h"

static int decode(const char *yaml, struct arena *a, struct training *out, struct findings *f)
{
	struct node *root = NULL;
	*f = (struct findings){.arena = a};
	assert_int_equal(node_parse_yaml(str_of(yaml), "test.yaml", f, &root), 0);
	return kind_decode(&training_kind, root, a, out, f);
}

static void test_federated(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct training t = {0};
	struct findings f;
	assert_int_equal(decode("data: prepared/train\n"
				"trainer: builtin/mlp\n"
				"with: {hidden: [200, 200], batch: 50, learning_rate: 0.1, seed: 1}\n"
				"federated:\n"
				"  clouds: all\n"
				"  rounds: 10\n"
				"  local_epochs: 1\n"
				"  aggregate: {rule: fedavg, outer: {optimizer: nesterov, rate: 0.7, momentum: 0.9}}\n"
				"  quorum: 2 of 3\n"
				"  deadline: 60s\n",
				 &a, &t, &f), 0);
	assert_true(str_eq(t.data.name, S("prepared")) && str_eq(t.data.qualifier, S("train")));
	assert_true(t.federated.clouds.all && t.federated.rounds == 10 && t.federated.local_epochs == 1);
	assert_true(t.federated.quorum.need == 2 && t.federated.quorum.of == 3 && t.federated.deadline_ns == 60 * NS_PER_S);
	assert_true(str_eq(t.federated.aggregate.outer.optimizer, S("nesterov")));
	assert_true(t.federated.aggregate.outer.rate == 0.7 && t.federated.aggregate.outer.momentum == 0.9);
	assert_int_equal(t.with->count, 4);
}

static void test_own_program(UNUSED void **state)
{
	AUTO(arena) a = {0};
	struct training t = {0};
	struct findings f;
	assert_int_equal(decode("data: prepared/train\n"
				"code: ./cnn\n"
				"image: docker.io/pytorch/pytorch:2.4.0\n"
				"command: [/usr/bin/python3, train.py]\n"
				"resources: {cpu: 2, memory: 1GiB}\n",
				 &a, &t, &f), 0);
	assert_int_equal(t.federated.rounds, 0);
	assert_true(t.command.count == 2 && str_eq(((const struct str *)t.command.items)[1], S("train.py")));
	assert_true(str_eq(t.code, S("cnn")) && t.resources.cpu == 2 && t.resources.memory == INT64_C(1) << 30);
	assert_true(t.federated.aggregate.outer.optimizer.n == 0);
}

static void refuse(const char *yaml, const char *because)
{
	AUTO(arena) a = {0};
	struct training t = {0};
	struct findings f;
	assert_int_equal(decode(yaml, &a, &t, &f), ERR_INVALID);
	for (const struct finding *one = f.first; one; one = one->next)
		if (strstr(one->problem.p, because))
			return;
	fail_msg("\"%.*s\" does not say \"%s\"", STR(f.first->problem), because);
}

static void test_refuses(UNUSED void **state)
{
	refuse("data: x\n", "expected trainer:");
	refuse("data: x\ntrainer: builtin/mlp\ncommand: [a]\n", "exclude each other");
	refuse("data: x\ntrainer: builtin/forest\n", "expected builtin/mlp");
	refuse("data: x\ntrainer: builtin/mlp\nwith: 3\n", "expected a map");
	refuse("data: x\ntrainer: builtin/mlp\nwith: {hiden: [200]}\n", "builtin/mlp has no field \"hiden\"");
	refuse("data: x\ntrainer: builtin/mlp\nwith: {hidden: [0]}\n", "expected");
	refuse("data: x\ntrainer: builtin/mlp\nwith: {batch: many}\n", "expected a whole number from 1 to 1048576");
	refuse("data: x\ntrainer: builtin/mlp\nfederated: {rounds: 1, quorum: two}\n", "expected a quorum such as");
	refuse("data: x\ntrainer: builtin/mlp\nfederated: {rounds: 1, quorum: 4 of 3}\n", "can never be reached");
	refuse("data: x\ntrainer: builtin/mlp\nfederated: {rounds: 1, quorum: 1 of 3, clouds: [a, b]}\n", "another number of clouds");
	refuse("data: x\ntrainer: builtin/mlp\nfederated: {rounds: 0}\n", "");
	refuse("data: x\ntrainer: builtin/mlp\nfederated: {}\n", "");
	refuse("trainer: builtin/mlp\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_federated),
		cmocka_unit_test(test_own_program),
		cmocka_unit_test(test_refuses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
