// SPDX-License-Identifier: Apache-2.0
// Writing a first workspace: see init.h. Looking at accounts is init_look.c.
#include <stdarg.h>
#include <string.h>

#include "infra/init_impl.h"

// ---------------------------------------------------------------- names

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// What the language takes as a name: it begins with a letter, and has letters, digits and single hyphens.
static struct str plain(struct arena *a, struct str text, const char *otherwise)
{
	AUTO(buf) out = {0};
	for (size_t i = 0; i < text.n && out.n < 60; i++) {
		char c = (char)(text.p[i] >= 'A' && text.p[i] <= 'Z' ? text.p[i] - 'A' + 'a' : text.p[i]);
		if (is_letter(c))
			buf_add_char(&out, c);
		else if (out.n && out.p[out.n - 1] != '-')
			buf_add_char(&out, '-');
	}
	while (out.n && out.p[out.n - 1] == '-')
		out.n--;
	bool begins = out.n && out.p[0] >= 'a';
	return arena_printf(a, "%s%.*s", !out.n ? otherwise : begins ? "" : "x", (int)out.n, out.n ? out.p : "");
}

struct str init_name_of(struct arena *a, struct str folder)
{
	while (str_ends(folder, S("/")))
		folder.n--;
	size_t start = folder.n;
	while (start > 0 && folder.p[start - 1] != '/')
		start--;
	return plain(a, str_drop(folder, start), "workspace");
}

static bool is_taken(const struct init *x, struct str key)
{
	for (size_t i = 0; i < x->name_count; i++) {
		if (str_eq(x->names[i], key))
			return true;
	}
	return false;
}

struct str init_key(struct init *x, struct str name)
{
	struct str base = plain(x->c->arena, name, "bucket"), key = base;
	for (unsigned i = 2; key.p && is_taken(x, key); i++)
		key = arena_printf(x->c->arena, "%.*s-%u", STR(base), i);
	if (x->name_count == x->name_room) {
		size_t room = x->name_room ? x->name_room * 2 : 64;
		struct str *names = arena_new_array(x->c->arena, room, struct str);
		if (!names)
			return (struct str){0};
		if (x->name_count)
			memcpy(names, x->names, x->name_count * sizeof(*names));
		x->names = names;
		x->name_room = room;
	}
	x->names[x->name_count++] = key;
	return key;
}

// ---------------------------------------------------------------- what could not be seen

struct str init_shown(struct init *x, struct str text)
{
	struct str clipped = str_clip(text, 200);
	char *copy = arena_cstr(x->c->arena, clipped);
	for (size_t i = 0; copy && i < clipped.n; i++) {
		if ((unsigned char)copy[i] < ' ' || copy[i] == 127)
			copy[i] = ' ';
	}
	return str_of(copy ? copy : "");
}

void init_note(struct init *x, const char *format, ...)
{
	char text[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (char *p = text; *p; p++) {
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = ' ';
	}
	json_array_append_new(x->unseen, json_of_str(str_take(str_of(text), str_utf8_prefix(str_of(text)))));
}

int init_take_error(struct init *x, int rc, struct str *why)
{
	if (rc == ERR_CANCELLED || rc == ERR_NO_MEMORY || call_check(x->c))
		return rc;
	*why = arena_str(x->c->arena, str_of(x->c->err.message));
	err_clear(&x->c->err);
	return 0;
}

// ---------------------------------------------------------------- an empty one

static const char empty_text[] =
	"environments:\n"
	"  pocket: {pocket: true}         # every cloud is played by a pocket cloud on this machine: no account, no "
	"cost\n"
	"  # prod: {overlay: prod.yaml, protect: true, approvals: 1}    # the same on your accounts\n"
	"\n"
	"clouds:                          # where bytes lie and whose law binds the operator follow from provider and "
	"region\n"
	"  aws-us: {provider: aws, region: us-east-1}\n"
	"  # gcp-eu:   {provider: gcp, region: europe-west4}\n"
	"  # azure-eu: {provider: azure, region: westeurope}\n"
	"\n"
	"buckets:\n"
	"  lake: {clouds: all}            # one on each cloud, one name for all of them\n"
	"\n"
	"# datasets:                      # what lies in the buckets, of which class, and where it may go\n"
	"#   images: {source: \"file:///usr/share/datasets/fashion-mnist\", format: idx, bucket: lake, class: public, "
	"residency: anywhere}\n"
	"#\n"
	"# transforms, trainings, models, endpoints, gateways, routes, monitors, pipelines: isobar explain lists the "
	"fields of\n"
	"# each with an example (isobar explain trainings); `isobar demo` runs a whole workspace.\n";

static void write_head(const struct init *x, struct buf *out)
{
	buf_printf(out,
		"# check: isobar validate    what would be done: isobar plan    field help: isobar explain buckets\n"
		"isobar: 1                        # version of this format\n"
		"workspace: %.*s\n\n",
		STR(x->r->name));
}

// ---------------------------------------------------------------- one of what was seen

static void write_cloud(const struct init_cloud *cloud, struct buf *out)
{
	buf_printf(out, "  # as %.*s, account %.*s\n", STR(cloud->who), STR(cloud->account));
	buf_printf(out, "  %.*s: {provider: %.*s, region: %.*s", STR(cloud->name), STR(cloud->provider),
		STR(cloud->region));
	// Credentials of another account are refused from now on. A storage account is no subscription.
	if (str_eq(cloud->provider, S("aws")))
		buf_printf(out, ", account: \"%.*s\"", STR(cloud->account));
	else if (str_eq(cloud->provider, S("gcp")))
		buf_printf(out, ", project: \"%.*s\"", STR(cloud->account));
	buf_add(out, S("}\n"));
}

static void write_seen(const struct init *x, struct buf *out)
{
	size_t i;
	const json_t *one;
	buf_add(out, S("environments:\n"
		       "  main: {}                       # on the accounts below; credentials come from the operator's "
		       "file or "
		       "the environment\n\n"));
	if (x->cloud_count)
		buf_add(out, S("clouds:\n"));
	for (size_t n = 0; n < x->cloud_count; n++)
		write_cloud(&x->clouds[n], out);
	if (x->buckets.n) {
		buf_add(out, S("\nbuckets:                         # existing: keep: used, never changed, never in a "
			       "plan, never "
			       "destroyed\n"));
		buf_add(out, buf_str(&x->buckets));
	}
	if (json_array_size(x->unseen))
		buf_add(out, S("\n# Not seen:\n"));
	json_array_foreach(x->unseen, i, one) buf_printf(out, "# - %s\n", json_string_value(one));
}

static json_t *clouds_json(const struct init *x)
{
	json_t *list = json_array();
	for (size_t i = 0; i < x->cloud_count; i++) {
		const struct init_cloud *cloud = &x->clouds[i];
		json_t *one = json_pack("{s:I}", "buckets", (json_int_t)cloud->buckets);
		json_set_str(one, "cloud", cloud->name);
		json_set_str(one, "provider", cloud->provider);
		json_set_str(one, "region", cloud->region);
		json_set_str(one, "who", cloud->who);
		json_set_str(one, "account", cloud->account);
		json_array_append_new(list, one);
	}
	return list;
}

// ---------------------------------------------------------------- all

static int look(struct init *x, struct str source)
{
	static const char *const stores[] = {"aws", "gcp", "azure"};
	for (size_t i = 0; i < COUNT_OF(stores); i++) {
		if (str_eq(source, str_of(stores[i])))
			return init_look_store(x, source);
	}
	if (str_eq(source, S("kubernetes")))
		return init_look_kubernetes(x);
	if (str_eq(source, S("slurm")))
		return init_look_slurm(x);
	return call_fail(x->c, ERR_INVALID, "--from \"%.*s\" is none of aws, gcp, azure, kubernetes, slurm",
		STR(str_clip(source, 40)));
}

static int finish(struct init *x, json_t **out)
{
	AUTO(buf) text = {0};
	write_head(x, &text);
	if (x->r->from_count)
		write_seen(x, &text);
	else
		buf_add(&text, str_of(empty_text));
	int rc = buf_check(&text, &x->c->err);
	if (rc == 0)
		rc = buf_check(&x->buckets, &x->c->err);
	if (rc < 0)
		return rc;
	json_t *j = json_object();
	json_set_str(j, "workspace", x->r->name);
	json_set_str(j, "text", buf_str(&text));
	json_object_set_new(j, "clouds", clouds_json(x));
	json_object_set(j, "unseen", x->unseen);
	*out = json_in_arena(x->c->arena, j);
	return *out ? 0 : call_no_memory(x->c);
}

int init_workspace(struct call *c, const struct init_request *r, json_t **out)
{
	struct init x = {.c = c, .r = r, .unseen = json_array()};
	int rc = 0;
	for (size_t i = 0; rc == 0 && i < r->from_count; i++)
		rc = look(&x, r->from[i]);
	if (rc == 0)
		rc = finish(&x, out);
	json_decref(x.unseen);
	buf_free(&x.buckets);
	return rc;
}
