// SPDX-License-Identifier: Apache-2.0
// What works where, from records: see support.h.
#include "infra/support.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "cloud/call_record.h"
#include "cloud/registry.h"

// What a record is worth, the best last.
enum proof { PROOF_NONE, PROOF_POCKET, PROOF_SERVER, PROOF_ACCOUNT };

static const char *const providers[] = {"aws", "azure", "gcp"};

struct support {
	json_t *records[SUPPORT_MAX_RECORDS];
	size_t count;
	struct buf *out;
};

static enum proof proof_of(const json_t *record)
{
	struct str kind = json_str(record, "kind");
	return str_eq(kind, S("account"))  ? PROOF_ACCOUNT
	       : str_eq(kind, S("server")) ? PROOF_SERVER
	       : str_eq(kind, S("pocket")) ? PROOF_POCKET
					   : PROOF_NONE;
}

static const char *proof_text(enum proof proof)
{
	switch (proof) {
	case PROOF_ACCOUNT:
		return "**real account**";
	case PROOF_SERVER:
		return "others' emulator";
	case PROOF_POCKET:
		return "own pocket cloud only";
	case PROOF_NONE:
		break;
	}
	return "untested";
}

// ---------------------------------------------------------------- reading

static int check_record(const char *name, const json_t *j, struct err *e)
{
	if (json_int(j, "format", 0) != CALL_RECORD_FORMAT || proof_of(j) == PROOF_NONE ||
		!json_is_array(json_object_get(j, "cases")) || !json_is_array(json_object_get(j, "calls")))
		return err_set(e, ERR_INVALID, "%s is no record of this format", name);
	return 0;
}

static int read_one(struct support *x, const char *folder, const char *name, struct err *e)
{
	AUTO(buf) path = {0};
	if (x->count == SUPPORT_MAX_RECORDS)
		return err_set(e, ERR_LIMIT, "%s has more than %d records", folder, SUPPORT_MAX_RECORDS);
	buf_printf(&path, "%s/%s", folder, name);
	int rc = json_parse_file(buf_cstr(&path), CALL_RECORD_MAX_BYTES, &x->records[x->count], e);
	if (rc == 0)
		rc = check_record(name, x->records[x->count++], e);
	return rc;
}

static int is_record(const struct dirent *entry)
{
	return str_ends(str_of(entry->d_name), S(".json"));
}

static int read_all(struct support *x, const char *folder, struct err *e)
{
	struct dirent **names = NULL;
	int n = scandir(folder, &names, is_record, alphasort), rc = 0;
	if (n < 0)
		return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot read the folder %s", folder);
	for (int i = 0; i < n; i++) {
		if (rc == 0)
			rc = read_one(x, folder, names[i]->d_name, e);
		free(names[i]);
	}
	free(names);
	return rc;
}

// ---------------------------------------------------------------- parts

// A part is shown by a record when one of its cases held there and none failed.
static bool shows(const json_t *record, const char *part)
{
	size_t i, ok = 0;
	const json_t *one;
	json_array_foreach(json_object_get(record, "cases"), i, one)
	{
		if (strcmp(json_text(one, "part"), part) != 0)
			continue;
		if (str_eq(json_str(one, "verdict"), S("failed")))
			return false;
		ok += str_eq(json_str(one, "verdict"), S("ok"));
	}
	return ok > 0;
}

static enum proof best(const struct support *x, const char *provider, const char *part)
{
	enum proof found = PROOF_NONE;
	for (size_t i = 0; i < x->count; i++) {
		const json_t *record = x->records[i];
		if (strcmp(json_text(record, "provider"), provider) == 0 && shows(record, part) &&
			proof_of(record) > found)
			found = proof_of(record);
	}
	return found;
}

static void write_parts(const struct support *x)
{
	static const struct {
		const char *part, *everywhere; // NULL: by the records
	} parts[] = {
		{"store", NULL},
		{"identity", NULL},
		{"jobs", "local engine, on this machine"},
		{"endpoints", "local engine, on this machine"},
		{"keys", "local engine, on this machine"},
		{"prices", "dated table"},
	};
	buf_add(x->out, S("\n## Parts\n\n| part | aws | azure | gcp |\n|---|---|---|---|\n"));
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		buf_printf(x->out, "| %s |", parts[i].part);
		for (size_t p = 0; p < COUNT_OF(providers); p++)
			buf_printf(x->out, " %s |",
				parts[i].everywhere ? parts[i].everywhere
						    : proof_text(best(x, providers[p], parts[i].part)));
		buf_add_char(x->out, '\n');
	}
	buf_add(x->out, S("\nA site's store speaks S3, so the column aws is about its protocol; nobody but its owner "
			  "can run the cases\n"
			  "there. Kubernetes, Slurm, and the providers' own jobs, endpoints and keys have no driver in "
			  "this release.\n"));
}

// ---------------------------------------------------------------- records

static size_t count_verdict(const json_t *record, const char *verdict)
{
	size_t i, n = 0;
	const json_t *one;
	json_array_foreach(json_object_get(record, "cases"), i, one) n +=
		strcmp(json_text(one, "verdict"), verdict) == 0;
	return n;
}

// What this server is known not to do, or what failed.
static void write_named(const struct support *x, const json_t *record, const char *verdict)
{
	size_t i, n = 0;
	const json_t *one;
	json_array_foreach(json_object_get(record, "cases"), i, one)
	{
		if (strcmp(json_text(one, "verdict"), verdict) == 0)
			buf_printf(x->out, "%s%s", n++ ? ", " : "", json_text(one, "name"));
	}
	buf_add(x->out, n ? S(" |") : S("- |"));
}

static void write_records(const struct support *x)
{
	buf_add(x->out, S("\n## Records\n\n| provider | answered by | mark | on | ok | failed | not offered there |\n"
			  "|---|---|---|---|---:|---|---|\n"));
	for (size_t i = 0; i < x->count; i++) {
		const json_t *r = x->records[i];
		buf_printf(x->out, "| %s | %s | %s | %s | %zu | ", json_text(r, "provider"), json_text(r, "server"),
			proof_text(proof_of(r)), json_text(r, "date"), count_verdict(r, "ok"));
		write_named(x, r, "failed");
		buf_add_char(x->out, ' ');
		write_named(x, r, "skipped");
		buf_add_char(x->out, '\n');
	}
}

// ---------------------------------------------------------------- calls

static bool calls(const json_t *record, const char *operation)
{
	size_t i;
	const json_t *one;
	json_array_foreach(json_object_get(record, "calls"), i, one)
	{
		if (strcmp(json_text(one, "operation"), operation) == 0)
			return true;
	}
	return false;
}

static enum proof best_of_call(const struct support *x, const char *provider, const char *operation)
{
	enum proof found = PROOF_NONE;
	for (size_t i = 0; i < x->count; i++) {
		const json_t *record = x->records[i];
		if (strcmp(json_text(record, "provider"), provider) == 0 && proof_of(record) > found &&
			calls(record, operation))
			found = proof_of(record);
	}
	return found;
}

static void write_calls(const struct support *x, const char *provider)
{
	const struct cloud_calls *table = cloud_calls_of(str_of(provider));
	buf_printf(x->out,
		"\n## What the driver of %s calls\n\n| operation | permission | part | changes something | sent again "
		"| "
		"answered so far by |\n|---|---|---|---|---|---|\n",
		provider);
	for (size_t i = 0; table && i < table->count; i++) {
		const struct cloud_call *row = &table->rows[i];
		buf_printf(x->out, "| %s | %s | %s | %s | %s | %s |\n", row->operation,
			row->permissions[0] ? row->permissions : "none", call_part_name(row->part),
			row->reads ? "no" : "yes", call_repeat_text(row->repeat),
			proof_text(best_of_call(x, provider, row->operation)));
	}
}

// ---------------------------------------------------------------- the page

static void write_head(const struct support *x)
{
	size_t accounts = 0;
	for (size_t i = 0; i < x->count; i++)
		accounts += proof_of(x->records[i]) == PROOF_ACCOUNT;
	buf_add(x->out,
		S("# What works where\n\nWritten by `isobar reference --support tests/records`; do not edit.\n\n"
		  "A mark is earned by a record: a run of the drivers' conformance cases (`isobar check --deep`), with "
		  "every\n"
		  "request and answer, without secrets, ids and account numbers. Tests replay each record against its "
		  "driver.\n"
		  "*Real account*: the provider itself answered. *Others' emulator*: a server that others wrote did. "
		  "*Own pocket\n"
		  "cloud only*: nobody but Isobar's own pocket cloud did, which proves that the two agree and no "
		  "more.\n\n"));
	if (!accounts)
		buf_add(x->out, S("**No record of a real account is here yet.** Whoever has one can make it: `isobar "
				  "check --deep CLOUD\n"
				  "--at-most 1EUR --record FILE` (docs/init-and-check.md).\n"));
}

int support_write(const char *folder, struct buf *out, struct err *e)
{
	struct support *x = calloc(1, sizeof(*x));
	if (!x)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	x->out = out;
	int rc = read_all(x, folder, e);
	if (rc == 0) {
		write_head(x);
		write_parts(x);
		write_records(x);
		for (size_t i = 0; i < COUNT_OF(providers); i++)
			write_calls(x, providers[i]);
		rc = buf_check(out, e);
	}
	for (size_t i = 0; i < x->count; i++)
		json_decref(x->records[i]);
	free(x);
	return rc;
}
