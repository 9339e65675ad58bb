// SPDX-License-Identifier: Apache-2.0
// A document as a tree that knows where each part stands: what YAML and JSON texts become before a kind's table reads
// them. Built from libfyaml's events with limits (size, depth, nodes; aliases and tags are refused; duplicate keys are
// errors that name both places). Lives in the arena of the parse; texts are copies. Plain scalars keep their text: the
// reader decides the type, so "no", "1:30" or "012" never turn into something else.
#ifndef ISOBAR_BASE_NODE_H
#define ISOBAR_BASE_NODE_H

#include <jansson.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct position {
	const char *file; // borrowed from the parse
	int line, column; // from 1; 0: unknown
};

enum node_type { NODE_NULL, NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_type type : 8;
	bool quoted;            // a scalar in quotes: always text
	uint32_t count;         // children
	struct str text;        // of a scalar
	struct str key;         // of a member of a map; else empty
	struct position key_at; // of that key
	struct position at;
	struct node *parent;       // NULL at the root
	struct node *first, *next; // children in order; next sibling
};

enum { NODE_MAX_BYTES = 64 << 20, NODE_MAX_DEPTH = 64, NODE_MAX_COUNT = 20 << 20 };

// Findings of a parse or a check: all of them, in order of appearance, in an arena.
struct finding {
	struct position at;
	struct str field;      // "endpoints.classify.scale.min"; may be empty
	struct str problem;    // "expected a duration such as 30d, got \"soon\""
	struct str suggestion; // "did you mean \"clouds\"?"; may be empty
	struct finding *next;
};
enum { FINDINGS_MAX = 1000 }; // kept; more are only counted
struct findings {
	struct arena *arena;
	struct finding *first, *last;
	size_t count;
	struct kind_default *defaults; // of kind_values.c: defaults that were parsed already
};
void findings_add(struct findings *f, struct position at, struct str field, struct str suggestion, const char *problem,
	...) PRINTF_LIKE(5, 6);
// "isobar.yaml:7:3: clouds.aws.region: expected ...; did you mean ...?" appended to out.
void finding_text(const struct finding *finding, struct buf *out);
// 0 without findings; else `code` with the text of the first and the number of the others.
MUST_CHECK int findings_err(const struct findings *f, int code, struct err *e);

// YAML 1.2 (core schema kept as text); JSON is read too. The tree lives in f->arena; *root NULL when the text is empty.
// ERR_INVALID when there were findings: duplicate names, anchors, aliases, tags and second documents are some. *root is
// set even then when the text could be read to its end, so that the checks behind this one find what else is wrong.
MUST_CHECK int node_parse_yaml(struct str text, const char *file, struct findings *f, struct node **root);
struct node *node_member(const struct node *map, struct str key); // NULL when absent or no map
struct str node_path(const struct node *n, struct arena *a);      // "clouds.aws-us.region", "rules[1].over"
// As JSON (new reference, NULL without memory): plain scalars become null, true/false, numbers where JSON has such a
// form and 64 bits hold it; all others strings.
json_t *node_to_json(const struct node *n);
// From JSON, without positions; for what comes from state instead of a file. NULL without memory or past
// NODE_MAX_DEPTH.
struct node *node_of_json(const json_t *j, struct arena *a);

#endif
