// SPDX-License-Identifier: Apache-2.0
// safetensors: what is read lies inside the file without holes, is written again as the same tensors, and reads back
// equal; what is refused has a message; a perceptron made of it stays within its layers.
#include <string.h>

#include "fuzz.h"
#include "math/mlp.h"

static void check_places(const struct safetensors *s, struct str file)
{
	uint64_t at = 0;
	for (size_t i = 0; i < s->count; i++) {
		const struct tensor *t = &s->tensors[i];
		FUZZ_CHECK(t->begin == at && t->end >= t->begin);
		FUZZ_CHECK(t->data == (const unsigned char *)file.p + s->data_offset + t->begin);
		at = t->end;
	}
	FUZZ_CHECK(s->data_offset + at == file.n);
}

static void check_written(struct safetensors *s)
{
	AUTO(arena) a = {0};
	AUTO(buf) once = {0};
	AUTO(buf) twice = {0};
	struct safetensors again;
	struct err e = {0};
	if (safetensors_lay_out(s, &e) < 0) // an entry that the writer would never make
		return;
	FUZZ_CHECK(safetensors_write(s, &once, &e) == 0);
	FUZZ_CHECK(safetensors_parse(buf_str(&once), &a, &again, &e) == 0 && again.count == s->count);
	FUZZ_CHECK(safetensors_lay_out(&again, &e) == 0 && safetensors_write(&again, &twice, &e) == 0);
	FUZZ_CHECK(str_eq(buf_str(&once), buf_str(&twice)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(arena) a = {0};
	AUTO(mlp) m = {0};
	struct safetensors s = {0};
	struct err e = {0};
	struct str file = str_bytes(data, size);
	if (safetensors_parse(file, &a, &s, &e) < 0) {
		FUZZ_CHECK(e.code && e.message[0] && s.count == 0);
		return 0;
	}
	check_places(&s, file);
	if (mlp_read(&s, &m, &e) == 0)
		FUZZ_CHECK(m.layers * 2 == s.count && m.layers <= MLP_MAX_LAYERS);
	check_written(&s);
	return 0;
}
