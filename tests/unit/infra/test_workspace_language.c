// SPDX-License-Identifier: Apache-2.0
// The language: variables and what is put in, overlays, for-each, defaults, groups and selectors, moved.
#include "loaded_workspace.h"

static struct resource find(const struct loaded *l, const char *address)
{
	const struct resource *r = loaded_find(l, address);
	if (!r)
		fail_msg("no resource %s", address);
	return r ? *r : (struct resource){0};
}

// ---------------------------------------------------------------- variables
#define TYPED                                                                                                          \
	LOADED_HEAD "variables:\n"                                                                                     \
		    "  domain: {type: text, default: localhost}\n"                                                     \
		    "  many: {type: integer, default: 1, min: 1, max: 20}\n"                                           \
		    "  share: {type: percent, default: 5%, max: 50%}\n"                                                \
		    "  wait: {type: duration, default: 90d}\n"                                                         \
		    "  on: {type: boolean, default: false}\n"                                                          \
		    "  gpu: {type: accelerator, default: \"L4:1\"}\n"                                                  \
		    "  size: {type: choice, choices: [small, big], default: small}\n"                                  \
		    "transforms:\n"                                                                                    \
		    "  t:\n"                                                                                           \
		    "    needs: [\"${var.share} of ${var.domain}\", \"$${var.x} ${env}/${workspace}\"]\n"              \
		    "    with: {n: \"${var.many}\", d: \"${var.domain}\", f: \"${ var.on }\", g: \"${var.gpu}\", s: "  \
		    "\"${var.size}\"}\n"                                                                               \
		    "encryption_keys:\n  k: {clouds: [a], rotate: \"${var.wait}\"}\n"

static void test_variables(void **state)
{
	(void)state;
	struct loaded l;
	loaded_begin(&l, TYPED);
	loaded_load(&l);
	loaded_is_valid(&l);
	loaded_resolves(&l, "transform/t",
		"{\"needs\":[\"5% of localhost\",\"${var.x} default/w\"],\"with\":{\"d\":\"localhost\",\"f\":false,\"g\":\"L4:1\","
		"\"n\":1,\"s\":\"small\"}}");
	loaded_resolves(&l, "encryption-key/k on a", "{\"clouds\":[\"a\"],\"rotate\":\"90d\"}");
	loaded_end(&l);
}

// The command line wins over the environment, that over the file, that over the overlay, that over the default.
static void test_sources_of_values(void **state)
{
	(void)state;
	struct loaded l;
	char path[128];
	loaded_begin(&l, TYPED "environments: {e: {overlay: env/e.yaml}}\n");
	loaded_put(&l, "env/e.yaml", "variables: {domain: overlay, many: 2, size: big, on: true}\n");
	loaded_put(&l, "more/values.yaml", "domain: file\nmany: 3\nsize: small\n");
	loaded_load(&l);
	loaded_is_valid(&l);
	loaded_resolves(&l, "transform/t",
		"{\"needs\":[\"5% of overlay\",\"${var.x} e/w\"],\"with\":{\"d\":\"overlay\",\"f\":true,\"g\":\"L4:1\",\"n\":2,\"s\":"
		"\"big\"}}");
	snprintf(path, sizeof(path), "%s/more/values.yaml", l.folder);
	l.files[0] = path;
	l.options.given.variable_file_count = 1;
	setenv("ISOBAR_VAR_many", "4", 1);
	setenv("ISOBAR_VAR_domain", "environment", 1);
	loaded_give(&l, "domain=flag");
	loaded_give(&l, "gpu=H100:8");
	loaded_load(&l);
	unsetenv("ISOBAR_VAR_many");
	unsetenv("ISOBAR_VAR_domain");
	loaded_is_valid(&l);
	loaded_resolves(&l, "transform/t",
		"{\"needs\":[\"5% of flag\",\"${var.x} e/w\"],\"with\":{\"d\":\"flag\",\"f\":true,\"g\":\"H100:8\",\"n\":4,\"s\":"
		"\"small\"}}");
	loaded_end(&l);
}

static void test_wrong_variables(void **state)
{
	(void)state;
	loaded_finds(LOADED_HEAD "variables:\n  n: {type: integer, default: 30, max: 20}\n  m: {type: whole}\n"
				 "  c: {type: choice}\n  d: {type: text, choices: [a], default: a}\n  e: {type: money, min: 3}\n"
				 "  f: {default: \"${env}\"}\n  g:\n",
		"isobar.yaml:7:31: variables.n: 30 is more than the variable's max, which is 20\n"
		"isobar.yaml:8:13: variables.m.type: expected one of text, integer, number, boolean, duration, size, money, "
		"percent, accelerator, choice, got \"whole\"\n"
		"isobar.yaml:9:3: variables.c: choices belong to the type choice, and the type choice needs some (write {type: "
		"choice, choices: [a, b]})\n"
		"isobar.yaml:10:3: variables.d: choices belong to the type choice, and the type choice needs some (write {type: "
		"choice, choices: [a, b]})\n"
		"isobar.yaml:11:3: variables.e: the variable \"e\" has no value (say --var e=VALUE, or declare a default)\n"
		"isobar.yaml:11:25: variables.e.min: is no bound of a variable of this type\n"
		"isobar.yaml:12:16: variables.f: a value of a variable may not have ${...} in it (write the value itself)\n"
		"isobar.yaml:13:3: variables.g: the variable \"g\" has no value (say --var g=VALUE, or declare a default)\n");
}

static void test_values_are_checked_where_they_stand(void **state)
{
	(void)state;
	struct loaded l;
	loaded_begin(&l, TYPED "environments: {e: {overlay: env/e.yaml}}\n");
	loaded_put(&l, "env/e.yaml", "variables:\n  many: 21\n  domian: x\n");
	loaded_give(&l, "share=80%");
	loaded_give(&l, "nothing");
	loaded_load(&l);
	assert_string_equal("--var:0:0: variables: \"nothing\" gives no value (write --var NAME=VALUE)\n"
			    "--var:0:0: variables.share: 80% is more than the variable's max, which is 50%\n"
			    "env/e.yaml:2:9: variables.many: 21 is more than the variable's max, which is 20\n"
			    "env/e.yaml:3:3: variables: there is no variable \"domian\" (did you mean \"domain\"?)\n",
		buf_cstr(&l.text));
	loaded_end(&l);
}

static void test_wrong_names(void **state)
{
	(void)state;
	loaded_finds(LOADED_HEAD
		"variables: {domain: {default: x}}\ntransforms:\n  t:\n    needs: [\"${var.domian}\", \"x${\", \"${each.key}\", "
		"\"${home}\", \"${inputs.a.b}\"]\n    with: {n: \"${module.m.x}\"}\n",
		"isobar.yaml:9:13: transforms.t.needs[0]: ${var.domian}: there is no such name (did you mean \"domain\"?)\n"
		"isobar.yaml:9:30: transforms.t.needs[1]: ${}: the } is missing (write $${ for the characters themselves)\n"
		"isobar.yaml:9:37: transforms.t.needs[2]: ${each.key}: is only there inside for_each (write for_each: [a, b] into "
		"the entry)\n"
		"isobar.yaml:9:52: transforms.t.needs[3]: ${home}: is not known (write ${var.NAME}, ${env}, ${workspace}, "
		"${inputs.NAME.OUTPUT}, ${module.NAME.OUTPUT} or ${each.value}; $${ for the characters themselves)\n"
		"isobar.yaml:9:63: transforms.t.needs[4]: ${inputs.a.b}: there is no such name (none is declared)\n"
		"isobar.yaml:10:15: transforms.t.with.n: ${module.m.x}: there is no such name (none is declared)\n");
}

// What follows from a value that is wrong already is not said again.
static void test_one_mistake_is_told_once(void **state)
{
	(void)state;
	loaded_finds(LOADED_HEAD "variables: {w: {type: duration, default: soon}}\n"
				 "encryption_keys:\n  k: {clouds: [a], rotate: \"${var.w}\"}\n  l: {clouds: [a], rotate: \"${var.v}\"}\n",
		"isobar.yaml:6:42: variables.w: expected a duration such as 30d, 5m or 250ms, got \"soon\"\n"
		"isobar.yaml:9:28: encryption_keys.l.rotate: ${var.v}: there is no such name\n");
}

// ---------------------------------------------------------------- overlays
#define BASE                                                                                                           \
	LOADED_HEAD "environments:\n  dev: {overlay: env/dev.yaml}\n  prod: {overlay: ./env/prod.yaml, approvals: 2, "  \
		    "approvers: group/platform, protect: true, expires: 10h}\n  bare:\n"                               \
		    "buckets:\n  lake: {clouds: all, versioning: true, labels: {x: y}}\n  old: {clouds: [a]}\n"        \
		    "transforms:\n  t: {needs: [one, two], with: {n: 1, m: {k: 2, l: 3}}}\n"

static void test_overlays(void **state)
{
	(void)state;
	struct loaded l;
	loaded_begin(&l, BASE);
	loaded_put(&l, "env/dev.yaml",
		"buckets:\n  lake: {clouds: [a], versioning: null}\n  old: null\n"
		"transforms:\n  t: {needs: [three], with: {m: {k: 4}}, after: []}\n");
	loaded_put(&l, "env/prod.yaml", "# nothing yet\n");
	loaded_in(&l, "dev");
	loaded_is_valid(&l);
	assert_int_equal(4, l.w.resource_count);
	loaded_resolves(&l, "bucket/lake on a", "{\"clouds\":[\"a\"],\"versioning\":false}");
	loaded_resolves(
		&l, "transform/t", "{\"after\":[],\"needs\":[\"three\"],\"with\":{\"m\":{\"k\":4,\"l\":3},\"n\":1}}");
	loaded_in(&l, "bare");
	loaded_is_valid(&l);
	assert_int_equal(6, l.w.resource_count);
	loaded_in(&l, "prod");
	loaded_is_valid(&l);
	assert_int_equal(2, l.w.environment->approvals);
	assert_true(str_eq(S("group"), l.w.environment->approvers.kind));
	assert_true(str_eq(S("platform"), l.w.environment->approvers.name));
	assert_true(l.w.environment->protect);
	assert_int_equal(10, l.w.environment->expires_ns / 3600000000000);
	loaded_end(&l);
}

// "name=value " of each label, in the arena.
static const char *labels(struct loaded *l, const char *address)
{
	const struct resource r = find(l, address);
	const struct field_label *items = r.common->labels.items;
	struct str out = S("");
	for (size_t i = 0; i < r.common->labels.count; i++)
		out = arena_printf(&l->arena, "%.*s%.*s=%.*s ", STR(out), STR(items[i].name), STR(items[i].value));
	return out.p;
}

// Also inside of fields: a label, also one that a default gives, a member of what is free.
static void test_overlays_take_away(void **state)
{
	(void)state;
	struct loaded l;
	loaded_begin(&l, BASE "defaults:\n  buckets: {labels: {team: ml, cost: low}}\n  \"*\": {labels: {all: \"1\"}}\n");
	loaded_put(&l, "env/dev.yaml",
		"buckets:\n  lake: {labels: {x: null, cost: null}}\n  old: {labels: {all: null}}\n"
		"transforms:\n  t: {with: {n: null, m: {l: null}}}\n");
	loaded_in(&l, "dev");
	loaded_is_valid(&l);
	loaded_resolves(&l, "transform/t", "{\"needs\":[\"one\",\"two\"],\"with\":{\"m\":{\"k\":2}}}");
	assert_string_equal("all=1 team=ml ", labels(&l, "bucket/lake on a"));
	assert_string_equal("cost=low team=ml ", labels(&l, "bucket/old on a"));
	loaded_put(&l, "env/dev.yaml", "defaults:\n  buckets: {labels: {team: null}}\n");
	loaded_in(&l, "dev");
	loaded_is_valid(&l);
	assert_string_equal("all=1 cost=low ", labels(&l, "bucket/old on a"));
	assert_string_equal("all=1 cost=low x=y ", labels(&l, "bucket/lake on a"));
	loaded_end(&l);
}

// An address of the state that no command could use is told where it is written.
static void test_address_of_state(void **state)
{
	(void)state;
	loaded_finds(LOADED_HEAD "state: {url: \"postgresql://u:pw@db/x\"}\n",
		"isobar.yaml:6:14: state.url: the state's URL holds a password: take it out, and name a secret in \"credentials\" "
		"(postgresql://HOST/DATABASE, and a secret in credentials:)\n");
	loaded_finds(LOADED_HEAD "state: {url: \"http://db/x\"}\n",
		"isobar.yaml:6:14: state.url: \"http://db/x\" is not postgresql://HOST/DATABASE (postgresql://HOST/DATABASE, and a "
		"secret in credentials:)\n");
}

static void test_overlays_only_change(void **state)
{
	(void)state;
	struct loaded l;
	loaded_begin(&l, BASE);
	loaded_put(&l, "env/dev.yaml",
		"workspace: other\nbuckets:\n  laek: {versioning: false}\n  gone: null\ndatasets:\n  s: {records: 1}\n"
		"transforms:\n  t: {with: {m: soon}, needs: 3}\n");
	loaded_in(&l, "dev");
	assert_string_equal(
		"env/dev.yaml:1:1: workspace: belongs into the base, not into an overlay (leave it out)\n"
		"env/dev.yaml:3:3: buckets.laek: the environment dev changes \"laek\", which the base (isobar.yaml:10) lacks (did "
		"you mean \"lake\"?)\n"
		"env/dev.yaml:4:3: buckets.gone: the environment dev changes \"gone\", which the base (isobar.yaml:10) lacks "
		"(declare it in the base first: an overlay only changes what is there)\n"
		"env/dev.yaml:6:3: datasets.s: the environment dev changes \"s\", which the base lacks (declare it in the base "
		"first: an overlay only changes what is there)\n"
		"env/dev.yaml:8:31: transforms.t.needs: expected a list; each item: text, got \"3\"\n",
		buf_cstr(&l.text));
	loaded_put(&l, "env/dev.yaml", "- a\n");
	loaded_in(&l, "dev");
	assert_string_equal("env/dev.yaml:1:1: expected a map of kinds, such as \"clouds:\"\n", buf_cstr(&l.text));
	assert_int_equal(0, unlink(arena_printf(&l.arena, "%s/env/dev.yaml", l.folder).p));
	loaded_in(&l, "dev");
	assert_int_equal(1, l.findings.count);
	assert_non_null(strstr(buf_cstr(&l.text), "isobar.yaml:7:18: environments.dev.overlay: cannot read"));
	loaded_end(&l);
}

// Without --env a check looks at all environments, and says which one a mistake is about.
static void test_all_environments(void **state)
{
	(void)state;
	struct loaded l;
	loaded_begin(&l, BASE "datasets:\n  s: {records: x, bucket: lake}\n");
	loaded_put(&l, "env/dev.yaml", "buckets:\n  old: {clouds: [c]}\n");
	loaded_put(&l, "env/prod.yaml", "buckets:\n  old: {versioning: 1}\n");
	l.options.check_only = true;
	loaded_load(&l);
	assert_int_equal(ERR_INVALID, l.rc);
	assert_string_equal(
		"env/dev.yaml:2:18: buckets.old.clouds[0]: there is no cloud \"c\", in the environment dev (there is \"a\", "
		"\"b\")\n"
		"env/prod.yaml:2:21: buckets.old.versioning: expected true or false, got \"1\", in the environment prod\n"
		"isobar.yaml:16:16: datasets.s.records: expected a whole number from 0 to 1000000000, got \"x\"\n",
		buf_cstr(&l.text));
	loaded_end(&l);
}

static void test_wrong_environments(void **state)
{
	(void)state;
	loaded_finds(LOADED_HEAD "environments:\n  a: {overlay: ../x.yaml, approvers: group/x}\n  b: {approvals: 1, approvers: x}\n"
				 "  c: {pocket: true, data: fake}\n  d: {data: synthetic}\n",
		"isobar.yaml:7:38: environments.a.approvers: nobody's approval is asked for (say how many: approvals: 1)\n"
		"isobar.yaml:8:32: environments.b.approvers: is no group and no user (write group/NAME or user/NAME)\n"
		"isobar.yaml:9:27: environments.c.data: expected one of own, synthetic\n"
		"isobar.yaml:10:13: environments.d.data: made up data belongs on pocket clouds (add pocket: true)\n");
	loaded_finds(LOADED_HEAD "environments:\n  a: {overlay: ../x.yaml}\n",
		"isobar.yaml:7:16: environments.a.overlay: path \"../x.yaml\" has a part that is \".\" or \"..\" (write a path below the "
		"workspace's folder)\n");
}

// ---------------------------------------------------------------- for_each
static void test_for_each(void **state)
{
	(void)state;
	struct loaded l;
	loaded_begin(&l, LOADED_HEAD "variables: {eu: {default: b}}\n"
				     "buckets:\n  first: {clouds: [a]}\n"
				     "  lake: {for_each: [a, \"${var.eu}\"], clouds: [\"${each.key}\"]}\n  last: {clouds: [b]}\n"
				     "transforms:\n"
				     "  t:\n    for_each:\n      one: {n: 1, list: [x, y]}\n      two: {n: 2, list: []}\n"
				     "    with: {name: \"${each.key}\", n: \"${each.value.n}\", list: \"${each.value.list}\"}\n"
				     "  none: {for_each: []}\n  u: {after: [t.one, t.two]}\n");
	loaded_load(&l);
	loaded_is_valid(&l);
	loaded_resolves(&l, "bucket/lake.a on a", "{\"clouds\":[\"a\"],\"versioning\":false}");
	loaded_resolves(&l, "bucket/lake.b on b", "{\"clouds\":[\"b\"],\"versioning\":false}");
	loaded_resolves(&l, "transform/t.one", "{\"with\":{\"list\":[\"x\",\"y\"],\"n\":1,\"name\":\"one\"}}");
	loaded_resolves(&l, "transform/t.two", "{\"with\":{\"list\":[],\"n\":2,\"name\":\"two\"}}");
	loaded_resolves(&l, "transform/u", "{\"after\":[\"transform/t.one\",\"transform/t.two\"]}");
	assert_null(loaded_find(&l, "transform/none"));
	assert_int_equal(2 + 4 + 3, l.w.resource_count);
	loaded_end(&l);
}

static void test_wrong_for_each(void **state)
{
	(void)state;
	loaded_finds(LOADED_HEAD "transforms:\n  t: {for_each: all}\n  u: {for_each: [[x]]}\n  v: {for_each: [x, x]}\n"
				 "  w: {for_each: [\"a b\"]}\n  x: {for_each: {a: 1}, with: {n: \"${each.value.m}\"}}\n"
				 "  y: {for_each: [a], colour: \"${each.key}\"}\n",
		"isobar.yaml:7:17: transforms.t.for_each: expected a list or a map (write for_each: [a, b] or {a: ..., b: ...})\n"
		"isobar.yaml:8:18: transforms.u.for_each[0]: expected a name (write for_each: {NAME: {...}} for values that are "
		"more than a name)\n"
		"isobar.yaml:9:3: transforms.v.x: \"v.x\" is declared twice; first at isobar.yaml:9:3\n"
		"isobar.yaml:10:3: transforms.w.a b: \"w.a b\" is no name: letters, digits, '-', '_' and '.', a letter or digit "
		"first, at most 63\n"
		"isobar.yaml:11:35: transforms.x.a.with.n: ${each.value.m}: there is no such name (write ${each.key} or "
		"${each.value})\n"
		"isobar.yaml:12:22: transforms.y.a.colour: transform has no field \"colour\"\n");
}

// ---------------------------------------------------------------- defaults
static void test_defaults(void **state)
{
	(void)state;
	struct loaded l;
	loaded_begin(&l, LOADED_HEAD "defaults:\n  buckets: {versioning: true, clouds: [a], labels: {of: kind, k: 1}}\n"
				     "  \"*\": {labels: {of: all, env: \"${env}\"}, rotate: 30d}\n"
				     "buckets:\n  x:\n  y: {clouds: [b], versioning: null, labels: {of: own}}\n"
				     "encryption_keys:\n  k: {clouds: [a]}\n");
	loaded_load(&l);
	loaded_is_valid(&l);
	loaded_resolves(&l, "bucket/x on a", "{\"clouds\":[\"a\"],\"versioning\":true}");
	loaded_resolves(&l, "bucket/y on b", "{\"clouds\":[\"b\"],\"versioning\":false}");
	loaded_resolves(&l, "encryption-key/k on a", "{\"clouds\":[\"a\"],\"rotate\":\"30d\"}");
	const struct field_list *labels = &find(&l, "bucket/y on b").common->labels;
	const struct field_label *items = labels->items;
	AUTO(buf) text = {0};
	for (size_t i = 0; i < labels->count; i++)
		buf_printf(&text, "%.*s=%.*s ", STR(items[i].name), STR(items[i].value));
	assert_int_equal(3, labels->count);
	assert_non_null(strstr(buf_cstr(&text), "of=own "));
	assert_non_null(strstr(buf_cstr(&text), "k=1 "));
	assert_non_null(strstr(buf_cstr(&text), "env=default "));
	assert_int_equal(2, find(&l, "cloud/b").common->labels.count);
	assert_int_equal(3, find(&l, "cloud/a").common->labels.count);
	loaded_end(&l);
	loaded_finds(LOADED_HEAD "defaults: {buckets: {colour: red}, \"*\": {color: red}, keys: 1}\n",
		"isobar.yaml:6:22: defaults.buckets.colour: the kind has no such field\n"
		"isobar.yaml:6:42: defaults.*.color: no kind has such a field\n"
		"isobar.yaml:6:55: keys: is no kind that a workspace may declare\n");
}

// ---------------------------------------------------------------- clouds
static void test_groups_and_selectors(void **state)
{
	(void)state;
	struct loaded l;
	loaded_begin(&l, LOADED_HEAD "groups:\n  eu: {location: [EU]}\n  both: [a, b]\n"
				     "buckets:\n  one: {clouds: group/eu}\n  two: {clouds: [group/both, a]}\n"
				     "  three: {clouds: {labels: {tier: cheap}}}\n  four: {clouds: {location: US}}\n"
				     "datasets:\n  s: {bucket: one, partition: {clouds: group/eu}}\n");
	loaded_load(&l);
	loaded_is_valid(&l);
	assert_non_null(loaded_find(&l, "bucket/one on b"));
	assert_null(loaded_find(&l, "bucket/one on a"));
	assert_non_null(loaded_find(&l, "bucket/two on a"));
	assert_non_null(loaded_find(&l, "bucket/two on b"));
	assert_non_null(loaded_find(&l, "bucket/three on a"));
	assert_null(loaded_find(&l, "bucket/three on b"));
	assert_non_null(loaded_find(&l, "bucket/four on a"));
	assert_null(loaded_find(&l, "bucket/four on b"));
	loaded_resolves(
		&l, "dataset/s", "{\"bucket\":\"bucket/one\",\"partition\":{\"by\":\"hash\",\"clouds\":[\"b\"]}}");
	loaded_end(&l);
	loaded_finds(LOADED_HEAD "groups:\n  eu: [a, c]\n  no: all\n"
				 "buckets:\n  one: {clouds: group/ue}\n  two: {clouds: {label: {x: y}}}\n"
				 "  three: {clouds: {labels: {tier: dear}}}\n  four: {clouds: [{location: [UK]}]}\n",
		"isobar.yaml:7:11: groups.eu[1]: there is no cloud c\n"
		"isobar.yaml:8:7: groups.no: expected a list of clouds, or {labels: {...}, location: [...]}\n"
		"isobar.yaml:10:17: buckets.one.clouds: there is no group of clouds ue (did you mean \"group/eu\"?)\n"
		"isobar.yaml:11:18: buckets.two.clouds.label: clouds are selected by labels and by location, not by \"label\" (write "
		"{labels: {...}, location: [...]})\n"
		"isobar.yaml:12:19: buckets.three.clouds: selects no cloud (`labels:` and `location:` of clouds are compared)\n"
		"isobar.yaml:13:31: buckets.four.clouds[0].location[0]: expected a country such as DE, or EU (did you mean GB?)\n");
}

// ---------------------------------------------------------------- moved
static void test_moved(void **state)
{
	(void)state;
	struct loaded l;
	loaded_begin(&l, LOADED_HEAD "buckets:\n  new: {clouds: all}\n  kept: {clouds: [a]}\n"
				     "moved: [{from: bucket/old, to: bucket/new}]\n");
	loaded_load(&l);
	loaded_is_valid(&l);
	assert_true(str_eq(S("bucket/old on b"), find(&l, "bucket/new on b").moved_from));
	assert_true(str_eq(S(""), find(&l, "bucket/kept on a").moved_from));
	loaded_end(&l);
	loaded_finds(LOADED_HEAD "buckets:\n  new: {clouds: all}\n  kept: {clouds: [a]}\nmoved:\n"
				 "  - {from: bucket/kept, to: bucket/new}\n  - {from: bucket/o, to: bucket/nwe}\n"
				 "  - {from: cloud/x, to: bucket/kept}\n  - {from: bucket/kept, to: bucket/a}\n  - {from: x, to: bucket/new}\n"
				 "  - {from: bucket/q, to: b}\n  - {to: bucket/new}\n",
		"isobar.yaml:16:5: moved[6]: \"from\" is missing; expected text\n");
	loaded_finds(LOADED_HEAD "buckets:\n  new: {clouds: all}\n  kept: {clouds: [a]}\nmoved:\n"
				 "  - {from: bucket/kept, to: bucket/new}\n  - {from: bucket/o, to: bucket/nwe}\n"
				 "  - {from: cloud/x, to: bucket/kept}\n  - {from: bucket/kept, to: bucket/a}\n"
				 "  - {from: bucket/q, to: b}\n",
		"isobar.yaml:10:12: moved[0].from: is still declared, so it has not moved (take the old one away, or the line)\n"
		"isobar.yaml:11:26: moved[1].to: is not declared (did you mean \"new\"?)\n"
		"isobar.yaml:12:12: moved[2].from: a thing of another kind cannot become this one\n"
		"isobar.yaml:13:12: moved[3].from: an address is moved twice (one line for each thing)\n"
		"isobar.yaml:14:26: moved[4].to: expected an address (write bucket/NAME)\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_sources_of_values),
		cmocka_unit_test(test_wrong_variables),
		cmocka_unit_test(test_values_are_checked_where_they_stand),
		cmocka_unit_test(test_wrong_names),
		cmocka_unit_test(test_one_mistake_is_told_once),
		cmocka_unit_test(test_overlays),
		cmocka_unit_test(test_overlays_take_away),
		cmocka_unit_test(test_address_of_state),
		cmocka_unit_test(test_overlays_only_change),
		cmocka_unit_test(test_all_environments),
		cmocka_unit_test(test_wrong_environments),
		cmocka_unit_test(test_for_each),
		cmocka_unit_test(test_wrong_for_each),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_groups_and_selectors),
		cmocka_unit_test(test_moved),
	};
	return cmocka_run_group_tests_name("infra-workspace_language", tests, NULL, NULL);
}
