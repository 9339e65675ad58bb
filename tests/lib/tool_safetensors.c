// SPDX-License-Identifier: Apache-2.0
// A small program for interop tests and benchmarks over math/: reads files of others, writes ours, aggregates.
//     tool-safetensors rewrite IN OUT               reads IN and writes its tensors as our writer does
//     tool-safetensors show IN                      one line a tensor: name, type, shape, SHA-256 of its bytes
//     tool-safetensors mean OUT SAMPLES FILE ...    the weighted mean of FILEs, by their samples
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "math/aggregate.h"

static int rewrite(char **argv, struct err *e)
{
	AUTO(arena) a = {0};
	AUTO(safetensors_file) in = {0};
	int rc = safetensors_open(argv[0], &a, &in, e);
	return rc < 0 ? rc : safetensors_write_file(argv[1], &in.content, NULL, e);
}

static int show(char **argv, struct err *e)
{
	AUTO(arena) a = {0};
	AUTO(safetensors_file) in = {0};
	int rc = safetensors_open(argv[0], &a, &in, e);
	for (size_t i = 0; rc == 0 && i < in.content.count; i++) {
		const struct tensor *t = &in.content.tensors[i];
		struct sha256 sum = sha256_of(str_bytes(t->data, t->end - t->begin));
		char hex[HEX_SHA256_SIZE];
		hex_encode(str_bytes(sum.bytes, sizeof(sum.bytes)), hex);
		printf("%.*s %s ", STR(t->name), tensor_type_name(t->type));
		for (size_t k = 0; k < t->rank; k++)
			printf("%s%llu", k ? "x" : "", (unsigned long long)t->shape[k]);
		printf(" %s\n", hex);
	}
	return rc;
}

static int mean(int argc, char **argv, struct err *e)
{
	AUTO(arena) a = {0};
	size_t count = (size_t)(argc - 1) / 2;
	struct safetensors_file *files = arena_new_array(&a, count, struct safetensors_file);
	struct aggregate_site *sites = arena_new_array(&a, count, struct aggregate_site);
	struct aggregate_result result;
	int rc = files && sites ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
	for (size_t i = 0; i < count && rc == 0; i++) {
		rc = safetensors_open(argv[2 + 2 * i], &a, &files[i], e);
		sites[i] = (struct aggregate_site){.name = str_of(argv[2 + 2 * i]), .input = {.tensors = &files[i].content}};
		if (rc == 0)
			rc = str_to_u64(str_of(argv[1 + 2 * i]), &sites[i].samples);
	}
	if (rc == 0)
		rc = aggregate_run(&(struct aggregate){.sites = sites, .count = count, .out_path = argv[0]}, &result, e);
	for (size_t i = 0; i < count && files; i++)
		safetensors_close(&files[i]);
	return rc;
}

int main(int argc, char **argv)
{
	struct err e = {0};
	int rc = ERR_INVALID;
	if (argc == 4 && strcmp(argv[1], "rewrite") == 0)
		rc = rewrite(argv + 2, &e);
	else if (argc == 3 && strcmp(argv[1], "show") == 0)
		rc = show(argv + 2, &e);
	else if (argc > 4 && argc % 2 == 1 && strcmp(argv[1], "mean") == 0)
		rc = mean(argc - 2, argv + 2, &e);
	else
		(void)err_set(&e, ERR_INVALID, "usage: rewrite IN OUT | show IN | mean OUT SAMPLES FILE ...");
	if (rc < 0)
		fprintf(stderr, "tool-safetensors: %s\n", e.message);
	return rc < 0;
}
