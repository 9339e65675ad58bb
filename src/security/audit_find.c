// SPDX-License-Identifier: Apache-2.0
// Records of an audit log by index or trace: see audit_find.h. Lines are canonical, so that a search for text finds the
// few that are worth parsing.
#include "security/audit_find.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/file.h"
#include "security/audit_impl.h"

static bool matches(const struct audit_query *q, const struct audit_line *l)
{
	return (q->index == UINT64_MAX || l->index == q->index) &&
		(!q->trace.n || str_eq(json_str(l->body, "trace"), q->trace));
}

static int search_text(const struct audit_query *q, struct str text, struct str needle, json_t *found, struct err *e)
{
	struct str line;
	while (json_array_size(found) < q->most && str_next(&text, '\n', &line)) {
		struct audit_line parsed;
		if (!line.n || str_find(line, needle) < 0)
			continue;
		int rc = audit_parse_line(line, &parsed, e);
		if (rc < 0)
			return rc;
		if (matches(q, &parsed) && json_array_append(found, parsed.json) < 0)
			rc = err_set(e, ERR_NO_MEMORY, "out of memory");
		audit_line_free(&parsed);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int search_segment(
	struct call *c, const struct audit_query *q, uint64_t first, struct str needle, json_t *found)
{
	char name[AUDIT_SEGMENT_NAME_SIZE];
	AUTO(buf) text = {0};
	audit_segment_name(first, name);
	struct str path = arena_printf(c->arena, "%s/%s", q->folder, name);
	if (!path.p)
		return call_no_memory(c);
	int rc = file_read(path.p, AUDIT_SEGMENT_READ_MAX, &text, &c->err);
	if (rc == 0)
		rc = search_text(q, buf_str(&text), needle, found, &c->err);
	return rc < 0 ? call_context(c, "read %s", path.p) : 0;
}

static struct str needle_of(struct arena *a, const struct audit_query *q)
{
	if (q->trace.n)
		return arena_printf(a, "\"trace\":\"%.*s\"", STR(q->trace));
	return q->index == UINT64_MAX ? S("\"body\"") : arena_printf(a, "\"index\":%" PRIu64 ",", q->index);
}

int audit_find(struct call *c, const struct audit_query *query, json_t **out)
{
	uint64_t *segments = NULL;
	size_t count = 0;
	struct str needle = needle_of(c->arena, query);
	AUTO(json) found = json_array();
	if (!found || !needle.p)
		return call_no_memory(c);
	int rc = file_exists(query->folder) ? audit_list_segments(query->folder, &segments, &count, &c->err) : 0;
	for (size_t i = 0; rc == 0 && i < count; i++) {
		bool before = query->index != UINT64_MAX && i + 1 < count && segments[i + 1] <= query->index;
		if (!before && (query->index == UINT64_MAX || segments[i] <= query->index))
			rc = search_segment(c, query, segments[i], needle, found);
	}
	free(segments);
	if (rc == 0)
		*out = json_incref(found);
	return rc;
}
