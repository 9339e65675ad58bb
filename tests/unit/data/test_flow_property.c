// SPDX-License-Identifier: Apache-2.0
// Thousands of generated lineages against an oracle that knows nothing of sets or graphs: for each thing and each cloud it
// walks all datasets upstream and compares texts. Never a byte outside what all inputs allow, unless a valid transfer covers
// exactly it; more inputs never widen; the order of resources and inputs does not matter. ISOBAR_SEED=N replays one.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/time.h"
#include "data/flow.h"
#include "fixture.h"

enum { SEEDS = 2000, CLOUDS = 6, THINGS = 14, DOORS = 3, LIST = 4, INPUTS = 3, DATASETS = 4 };

// ---------------------------------------------------------------- the generated world, in plain arrays
struct list { // of codes; count -1: not declared
	const char *codes[LIST];
	int count;
};
struct thing {
	char address[40];
	const char *kind;
	int inputs[INPUTS], input_count;
	bool upstream[THINGS]; // itself included
	struct list where, laws;
	int class;
	int clouds[LIST], cloud_count; // of an endpoint, a partition
};
struct spec {
	int cloud_count, thing_count, door_count;
	char cloud_names[CLOUDS][16];
	const char *providers[CLOUDS], *regions[CLOUDS], *countries[CLOUDS], *laws[CLOUDS];
	struct thing things[THINGS];
	struct {
		int what;
		const char *to;
		bool valid;
	} doors[DOORS];
};

static uint64_t next(uint64_t *seed) // splitmix64
{
	uint64_t z = *seed += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static int below(uint64_t *seed, int n)
{
	return (int)(next(seed) % (uint64_t)n);
}

static void make_clouds(struct spec *s, uint64_t *seed)
{
	static const char *const known[][3] = {{"aws", "eu-central-1", "DE"}, {"aws", "us-east-1", "US"}, {"gcp", "europe-west4", "NL"},
		{"gcp", "europe-west6", "CH"}, {"azure", "uksouth", "GB"}, {"azure", "francecentral", "FR"}};
	static const char *const site_countries[] = {"DE", "CH", "EU"}, *const site_laws[] = {"EU", "DE", "CH", "US"};
	s->cloud_count = 2 + below(seed, CLOUDS - 1);
	for (int i = 0; i < s->cloud_count; i++) {
		int k = below(seed, (int)COUNT_OF(known) + 2);
		bool site = k >= (int)COUNT_OF(known);
		snprintf(s->cloud_names[i], sizeof(s->cloud_names[i]), "c%d", i);
		s->providers[i] = site ? "site" : known[k][0];
		s->regions[i] = site ? "" : known[k][1];
		s->countries[i] = site ? site_countries[below(seed, 3)] : known[k][2];
		s->laws[i] = site ? site_laws[below(seed, 4)] : "US";
	}
}

static struct list make_list(uint64_t *seed, int most)
{
	static const char *const codes[] = {"EU", "DE", "CH", "US", "GB", "NL", "FR"};
	struct list l = {.count = 1 + below(seed, most)};
	for (int i = 0; i < l.count; i++)
		l.codes[i] = codes[below(seed, (int)COUNT_OF(codes))];
	return l;
}

static void add_input(struct spec *s, struct thing *t, int input)
{
	t->inputs[t->input_count++] = input;
	for (int i = 0; i < THINGS; i++)
		t->upstream[i] = t->upstream[i] || s->things[input].upstream[i];
}

static void make_thing(struct spec *s, uint64_t *seed, int i, const char *kind)
{
	struct thing *t = &s->things[i];
	t->kind = kind;
	t->upstream[i] = true;
	t->where.count = t->laws.count = -1;
	snprintf(t->address, sizeof(t->address), "%s/t%d", kind, i);
	s->thing_count = i + 1;
	if (strcmp(kind, "dataset") == 0) {
		t->where = make_list(seed, LIST);
		t->laws = below(seed, 2) ? make_list(seed, 2) : t->laws;
		t->class = 1 + below(seed, 4);
		if (below(seed, 5) == 0)
			t->where.count = -1, t->class = 1; // anywhere
	}
	t->cloud_count = 1 + below(seed, 3);
	for (int k = 0; k < t->cloud_count; k++)
		t->clouds[k] = below(seed, s->cloud_count);
}

static int pick_kind(const struct spec *s, uint64_t *seed, const char *a, const char *b)
{
	int found[THINGS], n = 0;
	for (int i = 0; i < s->thing_count; i++)
		if (strcmp(s->things[i].kind, a) == 0 || strcmp(s->things[i].kind, b) == 0)
			found[n++] = i;
	return found[below(seed, n)];
}

static void make_things(struct spec *s, uint64_t *seed)
{
	int datasets = 1 + below(seed, DATASETS), i = 0;
	for (; i < datasets; i++)
		make_thing(s, seed, i, "dataset");
	for (int transforms = i + 1 + below(seed, 3); i < transforms; i++) {
		int inputs[INPUTS], n = 1 + below(seed, INPUTS);
		for (int k = 0; k < n; k++)
			inputs[k] = pick_kind(s, seed, "dataset", "transform");
		make_thing(s, seed, i, "transform");
		for (int k = 0; k < n; k++)
			add_input(s, &s->things[i], inputs[k]);
	}
	static const char *const rest[][2] = {{"training", "transform"}, {"model", "training"}, {"endpoint", "model"}};
	for (size_t k = 0; k < COUNT_OF(rest); k++)
		for (int end = i + 1 + below(seed, 2); i < end; i++) {
			int from = pick_kind(s, seed, rest[k][1], k ? rest[k][1] : "dataset");
			make_thing(s, seed, i, rest[k][0]);
			add_input(s, &s->things[i], from);
		}
}

static void make_spec(struct spec *s, uint64_t seed)
{
	*s = (struct spec){0};
	make_clouds(s, &seed);
	make_things(s, &seed);
	static const char *const to[] = {"US", "EU", "CH", "DE"};
	s->door_count = below(&seed, DOORS + 1);
	for (int i = 0; i < s->door_count; i++) {
		s->doors[i].what = below(&seed, s->thing_count);
		s->doors[i].to = to[below(&seed, 4)];
		s->doors[i].valid = below(&seed, 3) != 0;
	}
}

// ---------------------------------------------------------------- the oracle
static bool code_covers(const char *code, const char *fact)
{
	if (strcmp(code, fact) == 0)
		return true;
	return strcmp(code, "EU") == 0 && (strcmp(fact, "DE") == 0 || strcmp(fact, "NL") == 0 || strcmp(fact, "FR") == 0);
}

static bool list_covers(const struct list *l, const char *fact)
{
	for (int i = 0; i < l->count; i++)
		if (code_covers(l->codes[i], fact))
			return true;
	return l->count < 0;
}

static bool door_leads(const struct spec *s, int what, const char *fact)
{
	for (int i = 0; i < s->door_count; i++)
		if (s->doors[i].valid && s->doors[i].what == what && code_covers(s->doors[i].to, fact))
			return true;
	return false;
}

static bool oracle_allows(const struct spec *s, int what, int cloud)
{
	bool place = true, law = true;
	for (int i = 0; i < s->thing_count; i++) {
		if (!s->things[what].upstream[i])
			continue;
		place = place && list_covers(&s->things[i].where, s->countries[cloud]);
		law = law && list_covers(&s->things[i].laws, s->laws[cloud]);
	}
	return (place || door_leads(s, what, s->countries[cloud])) && (law || door_leads(s, what, s->laws[cloud]));
}

// ---------------------------------------------------------------- as resources
struct built {
	struct fixture *f;
	struct resource list[CLOUDS + THINGS + DOORS];
	size_t count;
	struct flow *flow;
	int64_t now_ns;
};

static void add(struct built *b, const char *address, json_t *resolved)
{
	struct resource *r = &b->list[b->count++];
	*r = (struct resource){.address = arena_str(&b->f->arena, str_of(address))};
	assert_int_equal(resource_parse_address(r->address, &r->kind, &r->name, &r->cloud), 0);
	r->resolved = json_in_arena(&b->f->arena, resolved);
}

static json_t *list_json(const struct list *l)
{
	json_t *j = json_array();
	for (int i = 0; i < l->count; i++)
		json_array_append_new(j, json_string(l->codes[i]));
	return j;
}

static json_t *clouds_json(const struct spec *s, const struct thing *t)
{
	json_t *j = json_array();
	for (int i = 0; i < t->cloud_count; i++)
		json_array_append_new(j, json_string(s->cloud_names[t->clouds[i]]));
	return j;
}

static json_t *thing_json(const struct spec *s, const struct thing *t, bool reversed)
{
	static const char *const classes[] = {"", "public", "internal", "personal", "special"};
	json_t *j = json_object(), *inputs = json_array();
	for (int i = 0; i < t->input_count; i++)
		json_array_append_new(inputs, json_string(s->things[t->inputs[reversed ? t->input_count - 1 - i : i]].address));
	json_object_set_new(j, "name", inputs);
	if (strcmp(t->kind, "dataset") == 0) {
		json_object_set_new(j, "source", json_string("file:x"));
		json_object_set_new(j, "class", json_string(classes[t->class]));
		json_object_set_new(j, "residency", t->where.count < 0 ? json_string("anywhere") : list_json(&t->where));
		json_object_set_new(j, "operators", t->laws.count < 0 ? json_null() : list_json(&t->laws));
		json_object_set_new(j, "partition", json_pack("{s:o}", "clouds", clouds_json(s, t)));
	} else if (strcmp(t->kind, "transform") == 0) {
		json_object_set(j, "input", inputs);
	} else {
		const char *member = strcmp(t->kind, "training") == 0 ? "data" : strcmp(t->kind, "model") == 0 ? "from" : "model";
		json_object_set(j, member, json_array_get(inputs, 0));
		if (strcmp(t->kind, "endpoint") == 0)
			json_object_set_new(j, "clouds", clouds_json(s, t));
	}
	json_object_del(j, "name");
	return j;
}

static void build(struct built *b, const struct spec *s, struct fixture *f, uint64_t order)
{
	*b = (struct built){.f = f};
	assert_int_equal(time_parse_rfc3339(S("2026-11-24T12:00:00Z"), &b->now_ns), 0);
	char name[40];
	for (int i = 0; i < s->cloud_count; i++) {
		snprintf(name, sizeof(name), "cloud/%s", s->cloud_names[i]);
		add(b, name, json_pack("{s:s,s:s,s:s,s:{s:s}}", "provider", s->providers[i], "region", s->regions[i], "location",
				     s->countries[i], "operator", "law", s->laws[i]));
	}
	for (int i = 0; i < s->thing_count; i++)
		add(b, s->things[i].address, thing_json(s, &s->things[i], order & 1));
	for (int i = 0; i < s->door_count; i++) {
		snprintf(name, sizeof(name), "transfer/d%d", i);
		add(b, name, json_pack("{s:s,s:s,s:s}", "what", s->things[s->doors[i].what].address, "to", s->doors[i].to, "until",
				     s->doors[i].valid ? "2026-11-24" : "2026-11-23"));
	}
	for (size_t i = b->count; order && i > 1; i--) {
		size_t k = next(&order) % i;
		struct resource r = b->list[i - 1];
		b->list[i - 1] = b->list[k];
		b->list[k] = r;
	}
	assert_ok(f, flow_new(&f->arena, b->list, b->count, b->now_ns, &b->flow, &f->call.err));
}

// ---------------------------------------------------------------- the properties
static void check_rulings(const struct spec *s, struct built *b, uint64_t seed)
{
	for (int i = 0; i < s->thing_count; i++)
		for (int k = 0; k < s->cloud_count; k++) {
			struct flow_place place;
			assert_true(flow_cloud(b->flow, str_of(s->cloud_names[k]), &place));
			assert_str(place.country, str_of(s->countries[k]));
			assert_str(place.law, str_of(s->laws[k]));
			bool allowed = flow_rule(b->flow, str_of(s->things[i].address), &place).verdict.allowed;
			if (allowed != oracle_allows(s, i, k))
				fail_msg("seed %llu: %s on %s (%s, law %s): %s", (unsigned long long)seed, s->things[i].address,
					s->cloud_names[k], s->countries[k], s->laws[k], allowed ? "allowed" : "refused");
		}
}

static void check_monotone(const struct spec *s, struct built *b, uint64_t seed)
{
	for (int i = 0; i < s->thing_count; i++)
		for (int k = 0; k < s->thing_count; k++) {
			struct bounds made = flow_bounds(b->flow, str_of(s->things[i].address));
			struct bounds from = flow_bounds(b->flow, str_of(s->things[k].address));
			if (s->things[i].upstream[k] && !bounds_within(&made, &from))
				fail_msg("seed %llu: %s is wider than %s", (unsigned long long)seed, s->things[i].address, s->things[k].address);
		}
}

// What is declared to lie somewhere and may not is a finding, once each, and nothing else of this sort is.
static size_t oracle_findings(const struct spec *s)
{
	size_t count = 0;
	for (int i = 0; i < s->thing_count; i++) {
		const struct thing *t = &s->things[i];
		bool set = strcmp(t->kind, "dataset") == 0;
		for (int k = 0; k < t->cloud_count && (set || strcmp(t->kind, "endpoint") == 0); k++)
			count += !oracle_allows(s, set ? i : t->inputs[0], t->clouds[k]);
	}
	return count;
}

static size_t placed_findings(struct built *b)
{
	struct flow_finding *found = NULL;
	size_t count = 0, placed = 0;
	assert_ok(b->f, flow_check(b->flow, &found, &count, &b->f->call.err));
	for (size_t i = 0; i < count; i++)
		placed += found[i].item.n != 0;
	return placed;
}

static void check_order(const struct spec *s, struct built *b, struct built *other)
{
	for (int i = 0; i < s->thing_count; i++) {
		struct bounds x = flow_bounds(b->flow, str_of(s->things[i].address));
		struct bounds y = flow_bounds(other->flow, str_of(s->things[i].address));
		assert_true(bounds_within(&x, &y) && bounds_within(&y, &x));
	}
}

static void check_seed(uint64_t seed)
{
	struct fixture f = {0};
	struct spec s;
	struct built b, shuffled;
	call_init(&f.call, &f.arena, edges_real(), S("user/test"));
	make_spec(&s, seed);
	build(&b, &s, &f, 0);
	build(&shuffled, &s, &f, seed | 1);
	check_rulings(&s, &b, seed);
	check_rulings(&s, &shuffled, seed);
	check_monotone(&s, &b, seed);
	check_order(&s, &b, &shuffled);
	size_t want = oracle_findings(&s), got = placed_findings(&b);
	if (want != got)
		fail_msg("seed %llu: %zu findings instead of %zu", (unsigned long long)seed, got, want);
	arena_free(&f.arena);
}

static void test_property(void **state)
{
	(void)state;
	const char *one = getenv("ISOBAR_SEED");
	uint64_t seed = 0;
	if (one && str_to_u64(str_of(one), &seed) == 0) {
		check_seed(seed);
		return;
	}
	for (seed = 1; seed <= SEEDS; seed++)
		check_seed(seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_property)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
