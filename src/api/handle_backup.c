// SPDX-License-Identifier: Apache-2.0
// Routes about backups: all that a workspace's state and keys are, into one file, and back.
#include <string.h>

#include "api/backup_files.h"
#include "api/handlers.h"
#include "base/file.h"
#include "base/time.h"
#include "security/operator.h"
#include "security/secret_source.h"

// ---------------------------------------------------------------- passphrases
static int read_passphrase(struct api_request *r, struct str from, struct secret *out)
{
	const struct operator_file *op = NULL;
	int rc = control_operator(r->call, r->control, &op);
	if (rc < 0)
		return rc;
	if (!op)
		return call_fail(r->call, ERR_DENIED, "an untrusted workspace reads no secrets");
	if (str_starts(from, S("secret/"))) // the operator's file says that it may be used for this
		return operator_secret_read(r->call, op, from, S("backup:443"), out);
	const struct secret_places places = {.folder = op->folder, .clouds = &op->clouds_read};
	return secret_source_read(r->call, from, &places, out);
}

static int choose_keys(struct api_request *r, struct str state_folder, enum backup_keys *out)
{
	struct str said = json_str(r->body, "keys");
	bool passphrase = json_str(r->body, "passphrase").n > 0;
	if (str_eq(said, S("plain")) || str_eq(said, S("none")))
		*out = str_eq(said, S("plain")) ? BACKUP_PLAIN : BACKUP_WITHOUT;
	else if (said.n && !str_eq(said, S("sealed")))
		return call_fail(r->call, ERR_INVALID, "keys: sealed, plain or none, not \"%.*s\"", STR(said));
	else
		*out = BACKUP_SEALED;
	if (*out != BACKUP_SEALED || passphrase || !backup_files_have_keys(r->call, state_folder))
		return 0;
	return call_fail(r->call, ERR_INVALID,
		"the workspace's keys (its CA, the secret of API keys, encryption keys) would lie in the backup: say "
		"--passphrase env:NAME, file:PATH or secret/NAME to seal them, --without-keys to leave them out, or "
		"--plain-keys");
}

// ---------------------------------------------------------------- backup
struct backup {
	struct session session;
	enum backup_keys keys;
	struct passphrase_key key;
	struct str folder; // of the state
};

static int open_backup(struct api_request *r, struct backup *b)
{
	struct session *s = &b->session;
	// A workspace with mistakes is backed up all the same; then its name is not known.
	struct api_request quiet = *r;
	quiet.emit = NULL;
	s->request = &quiet;
	if (session_load(s) < 0)
		err_clear(&r->call->err);
	s->request = r;
	int rc = session_read_state(s);
	b->folder = s->binding.state_folder;
	return rc < 0 ? rc : choose_keys(r, b->folder, &b->keys);
}

static int make_key(struct api_request *r, struct backup *b)
{
	AUTO(secret) passphrase = {0};
	struct str from = json_str(r->body, "passphrase");
	if (b->keys != BACKUP_SEALED || !from.n)
		return 0;
	int rc = read_passphrase(r, from, &passphrase);
	return rc < 0 ? rc : passphrase_new(r->call, &passphrase, &b->key);
}

static json_t *head_of(const struct backup *b)
{
	static const char *const words[] = {"sealed", "plain", "none"};
	const struct workspace *w = &b->session.workspace;
	json_t *head = json_pack("{s:s, s:s}", "state", b->session.binding.state->ops->name, "keys", words[b->keys]);
	json_set_str(head, "workspace", b->session.loaded ? w->name : S(""));
	json_set_str(head, "environment", b->session.loaded && w->environment ? w->environment->name : S(""));
	if (head && b->key.key.n)
		json_object_set_new(head, "seal", passphrase_to_json(&b->key));
	return head;
}

static json_t *counts_json(const char *file, const struct archive_counts *counts)
{
	return json_pack("{s:s, s:I, s:I, s:I}", "file", file, "events", (json_int_t)counts->events, "records",
		(json_int_t)counts->records, "files", (json_int_t)counts->files);
}

static int write_backup(struct api_request *r, struct backup *b, const char *file, json_t **result)
{
	struct archive_writer *w;
	struct archive_counts counts;
	AUTO(json) head = head_of(b);
	int rc = head ? archive_create(r->call, file, head, &w) : call_no_memory(r->call);
	if (rc < 0)
		return rc;
	const struct state_sink sink = archive_sink(w);
	rc = backup_files_write(r->call, b->folder, b->keys, &b->key, w);
	if (rc == 0)
		rc = state_dump(r->call, b->session.binding.state, &sink);
	if (rc < 0) {
		archive_abandon(w);
		return rc;
	}
	rc = archive_finish(r->call, w, &counts);
	if (rc == 0)
		*result = counts_json(file, &counts);
	return rc;
}

static int need_file(struct api_request *r, const char **out)
{
	*out = json_text(r->body, "file");
	return **out == '/' ? 0 : call_fail(r->call, ERR_INVALID, "say which file: \"file\", an absolute path");
}

int handle_backup(struct api_request *r, json_t **result)
{
	struct backup b = {.keys = BACKUP_SEALED};
	const char *file;
	session_begin(r, &b.session);
	int rc = need_file(r, &file);
	if (rc == 0)
		rc = open_backup(r, &b);
	if (rc == 0)
		rc = make_key(r, &b);
	if (rc == 0)
		rc = write_backup(r, &b, file, result);
	session_close(&b.session);
	secret_free(&b.key.key);
	return rc;
}

// ---------------------------------------------------------------- restore
struct restore {
	struct api_request *request;
	struct session session;
	struct backup_stage stage;
	struct passphrase_key key;
	struct archive_reader *reader;
	const json_t *head;
	struct state_source source; // the archive
	uint64_t events, revision;
	int told; // how much of what this restore adds was given
};

static int open_key(struct restore *o)
{
	struct api_request *r = o->request;
	AUTO(secret) passphrase = {0};
	struct str from = json_str(r->body, "passphrase");
	const json_t *seal = json_object_get(o->head, "seal");
	if (!seal || str_eq(json_str(r->body, "keys"), S("none")))
		return 0;
	if (!from.n)
		return call_fail(r->call, ERR_INVALID,
			"the keys in this backup are sealed: say --passphrase env:NAME, file:PATH or secret/NAME, or "
			"--without-keys to go without them");
	int rc = read_passphrase(r, from, &passphrase);
	if (rc == 0)
		rc = passphrase_of_json(r->call, seal, &passphrase, &o->key);
	o->stage.key = rc == 0 ? &o->key : NULL;
	return rc;
}

static int check_workspace(struct restore *o)
{
	struct str theirs = json_str(o->head, "workspace"), ours = o->session.workspace.name;
	if (o->stage.replace || !theirs.n || !o->session.loaded || str_eq(theirs, ours))
		return 0;
	return call_fail(o->request->call, ERR_CONFLICT,
		"the backup is of the workspace %.*s, and this is %.*s: --force takes it all the same", STR(theirs),
		STR(ours));
}

static int refuse_while_in_use(struct restore *o)
{
	AUTO(json) planes = NULL;
	const struct binding *b = &o->session.binding;
	struct call *c = o->request->call;
	int rc = b->plane.n ? planes_list(c, b->state, b->plane, &planes) : 0;
	if (rc == 0 && json_array_size(planes))
		rc = call_fail(c, ERR_IN_USE, "the control plane %s (in %s) uses this state: end it first",
			json_text(json_array_get(planes, 0), "plane"), json_text(json_array_get(planes, 0), "folder"));
	return rc;
}

// What a restore itself leaves in the state: an event, and the record by which its files are known.
static int add_own(struct call *c, struct restore *o, struct state_item *out)
{
	json_t *data = json_in_arena(c->arena,
		json_pack("{s:s, s:s}", "made", json_text(o->head, "made"), "program", json_text(o->head, "program")));
	if (!data)
		return call_no_memory(c);
	json_set_str(data, "id", o->stage.id);
	*out = (struct state_item){0};
	if (o->told++ == 0) {
		out->type = STATE_ITEM_EVENT;
		out->event = (struct event){.sequence = o->events + 1, .type = S("state.restored"), .data = data};
	} else {
		out->type = STATE_ITEM_RECORD;
		out->record = (struct record){.key = S("restore/last"), .revision = o->revision + 1, .value = data};
	}
	return 1;
}

static int next_item(struct call *c, void *ctx, struct state_item *out)
{
	struct restore *o = ctx;
	enum { OWN = 2 };
	int rc;
	do
		rc = o->told ? 0 : o->source.next(c, o->source.ctx, out);
	while (rc > 0 && out->type == STATE_ITEM_RECORD && str_eq(out->record.key, S("restore/last")));
	if (rc == 0 && o->told < OWN)
		return add_own(c, o, out);
	if (rc > 0 && out->type == STATE_ITEM_EVENT)
		o->events = out->event.sequence;
	if (rc > 0)
		o->revision = MAX(o->revision, MAX(out->revision, out->record.revision));
	return rc;
}

static int load(struct restore *o, json_t **result)
{
	struct call *c = o->request->call;
	struct str folder = o->session.binding.state_folder;
	const struct state_source source = {.next = next_item, .ctx = o};
	AUTO(fd) lock = backup_lock(c, folder);
	if (lock < 0) {
		int rc = lock;
		lock = -1;
		return rc;
	}
	o->stage.state_folder = folder;
	o->stage.id = planes_holder(c, S("restore"));
	int rc = backup_stage_begin(c, &o->stage);
	o->source = archive_source(o->reader, backup_stage_take, &o->stage);
	if (rc == 0)
		rc = state_load(c, o->session.binding.state, &source, o->stage.replace);
	if (rc < 0) {
		backup_stage_remove(c, folder);
		return rc;
	}
	rc = backup_stage_install(c, folder);
	struct archive_counts counts = archive_read_so_far(o->reader);
	counts.files = o->stage.count;
	if (rc == 0)
		*result = counts_json(json_text(o->request->body, "file"), &counts);
	return rc;
}

int handle_restore(struct api_request *r, json_t **result)
{
	struct restore o = {.request = r, .stage = {.replace = json_flag(r->body, "force", false)}};
	const char *file;
	session_begin(r, &o.session);
	int rc = need_file(r, &file);
	if (rc == 0 && control_get_options(r->control)->serving)
		rc = call_fail(r->call, ERR_IN_USE, "a control plane runs here: end it with isobar down, then restore");
	if (rc == 0)
		rc = archive_open(r->call, file, &o.reader, &o.head);
	if (rc == 0)
		rc = session_load(&o.session);
	if (rc == 0)
		rc = session_move_state(&o.session);
	if (rc == 0)
		rc = session_lock(&o.session);
	if (rc == 0)
		rc = session_read_state(&o.session);
	if (rc == 0)
		rc = refuse_while_in_use(&o);
	if (rc == 0)
		rc = check_workspace(&o);
	if (rc == 0)
		rc = open_key(&o);
	if (rc == 0)
		rc = load(&o, result);
	session_close(&o.session);
	archive_close(o.reader);
	secret_free(&o.key.key);
	return rc;
}
