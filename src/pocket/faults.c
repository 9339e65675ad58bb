// SPDX-License-Identifier: Apache-2.0
// Rules of faults: reading them, and choosing by them. See faults.h.
#include "pocket/faults.h"

#include <stdlib.h>
#include <string.h>

#include "base/time.h"

struct rule {
	struct str text; // as written, in the text of all
	enum fault_act act;
	int64_t ns, for_ns;
	struct str method, path; // "": any
	uint64_t nth, every, times;
	double share;    // negative: all
	uint64_t chance; // state of its own generator
	uint64_t matched, fired;
	int64_t first_ns; // when it fired first
};

struct faults {
	char *text;
	size_t text_length;
	uint64_t seed;
	struct rule rules[FAULTS_MAX_RULES];
	size_t count;
};

static const struct act_row {
	enum fault_act act;
	const char *word;
	char argument;
} acts[] = {
#define X(name, word, argument) {FAULT_##name, word, argument},
	FAULT_ACTS(X)
#undef X
};

// ---------------------------------------------------------------- reading

static int wrong(const struct rule *r, struct err *e, const char *what, struct str word)
{
	return err_set(e, ERR_INVALID, "the fault \"%.*s\": %s \"%.*s\"; isobar pocket faults --help shows rules",
		STR(str_clip(r->text, 120)), what, STR(str_clip(word, 40)));
}

static int read_number(const struct rule *r, struct str value, uint64_t *out, struct err *e)
{
	if (str_to_u64(value, out) < 0 || *out == 0)
		return wrong(r, e, "expected a number from 1 on, not", value);
	return 0;
}

static int read_share(struct rule *r, struct str value, struct err *e)
{
	if (str_to_f64(value, &r->share) < 0 || !(r->share >= 0 && r->share <= 1))
		return wrong(r, e, "p is from 0 to 1, not", value);
	return 0;
}

static int read_duration(const struct rule *r, struct str value, int64_t *out, struct err *e)
{
	return duration_parse(value, out) < 0 || *out < 0 ? wrong(r, e, "expected a duration like 200ms, not", value)
							  : 0;
}

static int read_setting(struct rule *r, struct str name, struct str value, struct err *e)
{
	if (str_eq(name, S("nth")))
		return read_number(r, value, &r->nth, e);
	if (str_eq(name, S("every")))
		return read_number(r, value, &r->every, e);
	if (str_eq(name, S("times")))
		return read_number(r, value, &r->times, e);
	if (str_eq(name, S("p")))
		return read_share(r, value, e);
	if (str_eq(name, S("for")))
		return read_duration(r, value, &r->for_ns, e);
	return wrong(r, e, "there is no setting", name);
}

static bool is_method(struct str word)
{
	for (size_t i = 0; i < word.n; i++)
		if (word.p[i] < 'A' || word.p[i] > 'Z')
			return false;
	return word.n > 0;
}

static int read_word(struct rule *r, struct str word, struct err *e)
{
	struct str name, value;
	if (word.p[0] == '/')
		r->path = word;
	else if (str_cut(word, '=', &name, &value))
		return read_setting(r, name, value, e);
	else if (is_method(word))
		r->method = word;
	else
		return wrong(r, e, "what is", word);
	return 0;
}

static const struct act_row *find_act(struct str word)
{
	for (size_t i = 0; i < COUNT_OF(acts); i++)
		if (str_eq(word, str_of(acts[i].word)))
			return &acts[i];
	return NULL;
}

// The next word; false at the end.
static bool next_word(struct str *rest, struct str *word)
{
	*rest = str_trim(*rest);
	if (rest->n == 0)
		return false;
	size_t n = 0;
	while (n < rest->n && rest->p[n] != ' ' && rest->p[n] != '\t')
		n++;
	*word = str_take(*rest, n);
	*rest = str_drop(*rest, n);
	return true;
}

static int read_rule(struct faults *f, struct str text, struct err *e)
{
	struct str rest = text, word = {0};
	struct rule r = {.text = text, .share = -1};
	(void)next_word(&rest, &word);
	const struct act_row *row = find_act(word);
	if (!row)
		return wrong(&r, e, "there is no fault", word);
	if (f->count == FAULTS_MAX_RULES)
		return err_set(e, ERR_LIMIT, "a pocket cloud takes at most %d rules of faults", FAULTS_MAX_RULES);
	r.act = row->act;
	int rc = 0;
	if (row->argument == 'd') {
		if (!next_word(&rest, &word))
			return wrong(&r, e, "a duration is missing behind", word);
		rc = read_duration(&r, word, &r.ns, e);
	}
	while (rc == 0 && next_word(&rest, &word))
		rc = read_word(&r, word, e);
	if (rc == 0)
		f->rules[f->count++] = r;
	return rc;
}

static int read_line(struct faults *f, struct str line, struct err *e)
{
	struct str text, comment;
	str_cut(line, '#', &text, &comment);
	text = str_trim(text);
	if (text.n == 0)
		return 0;
	if (!str_starts(text, S("seed=")))
		return read_rule(f, text, e);
	struct str value = str_drop(text, 5);
	return str_to_u64(value, &f->seed) < 0
		       ? err_set(e, ERR_INVALID, "the seed of faults is a number, not \"%.*s\"", STR(str_clip(value, 40)))
		       : 0;
}

static int read_all(struct faults *f, struct err *e)
{
	struct str rest = str_bytes(f->text, f->text_length), line;
	int rc = 0;
	while (rc == 0 && rest.n && str_next(&rest, '\n', &line)) {
		struct str part;
		while (rc == 0 && line.n && str_next(&line, ';', &part))
			rc = read_line(f, part, e);
	}
	for (size_t i = 0; i < f->count; i++) // each rule draws for itself, so that one more changes no other
		f->rules[i].chance = f->seed * UINT64_C(0x9e3779b97f4a7c15) + i;
	return rc;
}

int faults_parse(struct str text, struct faults **out, struct err *e)
{
	if (text.n > FAULTS_MAX_TEXT)
		return err_set(e, ERR_LIMIT, "rules of faults are at most %d bytes", FAULTS_MAX_TEXT);
	struct faults *f = calloc(1, sizeof(*f));
	char *copy = malloc(text.n + 1);
	if (!f || !copy) {
		free(f);
		free(copy);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	if (text.n)
		memcpy(copy, text.p, text.n);
	f->text = copy;
	f->text_length = text.n;
	int rc = read_all(f, e);
	if (rc < 0)
		faults_free(f);
	else
		*out = f;
	return rc;
}

void faults_free(struct faults *f)
{
	if (!f)
		return;
	free(f->text);
	free(f);
}

// ---------------------------------------------------------------- choosing

// '*' stands for any text without a '/', "**" for any text. Each star is tried from the shortest text on.
static bool matches(struct str pattern, struct str text)
{
	const struct str none = {0};
	struct str star = none, rest = none; // the last star, and the text it would have to take next
	for (;;) {
		if (pattern.n && pattern.p[0] == '*') {
			star = pattern;
			rest = text;
			pattern = str_drop(pattern, str_starts(pattern, S("**")) ? 2 : 1);
		} else if (pattern.n && text.n && pattern.p[0] == text.p[0]) {
			pattern = str_drop(pattern, 1);
			text = str_drop(text, 1);
		} else if (!pattern.n && !text.n) {
			return true;
		} else {
			bool across = str_starts(star, S("**"));
			if (!star.n || !rest.n || (!across && rest.p[0] == '/'))
				return false;
			rest = str_drop(rest, 1);
			text = rest;
			pattern = str_drop(star, across ? 2 : 1);
		}
	}
}

bool faults_path_matches(struct str pattern, struct str path, struct str query)
{
	struct str path_pattern, query_pattern;
	if (!str_cut(pattern, '?', &path_pattern, &query_pattern))
		return matches(pattern, path);
	return matches(path_pattern, path) && matches(query_pattern, query);
}

static bool concerns(const struct rule *r, const struct fault_request *q)
{
	if (r->method.n && !str_eq(r->method, q->method))
		return false;
	return r->path.n == 0 || faults_path_matches(r->path, q->path, q->query);
}

// SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014), as a number below 1.
static double draw(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static bool is_over(const struct rule *r, int64_t now_ns)
{
	return r->for_ns && r->fired && now_ns - r->first_ns >= r->for_ns;
}

// A partition that has begun takes in all that it concerns until it ends.
static bool holds(const struct rule *r, int64_t now_ns)
{
	return r->act == FAULT_PARTITION && r->fired && !is_over(r, now_ns);
}

static bool fires(struct rule *r, int64_t now_ns)
{
	bool drawn = r->share < 0 || draw(&r->chance) < r->share;
	if (is_over(r, now_ns) || (r->times && r->fired >= r->times))
		return false;
	if (r->nth && r->matched != r->nth)
		return false;
	return drawn && (!r->every || r->matched % r->every == 0);
}

struct fault faults_meet(struct faults *f, const struct fault_request *q)
{
	for (size_t i = 0; f && i < f->count; i++) {
		struct rule *r = &f->rules[i];
		if (!concerns(r, q))
			continue;
		r->matched++;
		if (!holds(r, q->now_ns)) {
			if (!fires(r, q->now_ns))
				continue;
			if (r->fired == 0)
				r->first_ns = q->now_ns;
		}
		r->fired++;
		return (struct fault){
			.act = r->act, .ns = r->ns, .until_ns = r->for_ns ? r->first_ns + r->for_ns : INT64_MAX};
	}
	return (struct fault){0};
}

// ---------------------------------------------------------------- telling

json_t *faults_json(const struct faults *f)
{
	json_t *rules = json_array();
	for (size_t i = 0; f && i < f->count; i++) {
		json_t *one = json_object();
		json_set_str(one, "rule", f->rules[i].text);
		json_object_set_new(one, "matched", json_integer((json_int_t)f->rules[i].matched));
		json_object_set_new(one, "fired", json_integer((json_int_t)f->rules[i].fired));
		json_array_append_new(rules, one);
	}
	return json_pack("{s:I, s:o}", "seed", (json_int_t)(f ? f->seed : 0), "rules", rules);
}

struct str faults_text(const struct faults *f)
{
	return f ? str_bytes(f->text, f->text_length) : S("");
}
