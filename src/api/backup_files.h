// SPDX-License-Identifier: Apache-2.0
// The files that belong to a workspace beside its state: its CA, the secret of API keys, the keys of the local engine.
// In a backup the secret ones are sealed under a passphrase, or written plainly when that was asked for. Restored, they
// are first written into the folder `restoring` of the state folder, and moved to their places when the state is there:
// the record "restore/last" tells, after a crash between the two, which of both it was.
#ifndef ISOBAR_API_BACKUP_FILES_H
#define ISOBAR_API_BACKUP_FILES_H

#include "security/passphrase.h"
#include "state/archive.h"

enum backup_keys { BACKUP_SEALED, BACKUP_PLAIN, BACKUP_WITHOUT };

// Writes them; with BACKUP_WITHOUT only those that are public. key: of BACKUP_SEALED.
MUST_CHECK int backup_files_write(struct call *c, struct str state_folder, enum backup_keys keys,
	const struct passphrase_key *key, struct archive_writer *w);
// Whether any secret file is there to be backed up.
bool backup_files_have_keys(struct call *c, struct str state_folder);

struct backup_stage {
	struct str state_folder;          // borrowed
	const struct passphrase_key *key; // NULL: sealed files are passed over
	bool replace;                     // files that are there may be replaced by others
	size_t count;
	struct str id; // of this restore
};
// Begins an empty folder `restoring` for id.
MUST_CHECK int backup_stage_begin(struct call *c, struct backup_stage *s);
// One {file} of an archive; ctx is the stage. ERR_EXISTS: another file is in its place.
MUST_CHECK int backup_stage_take(struct call *c, void *ctx, const json_t *file);
// Moves what was staged to its places, and removes the folder.
MUST_CHECK int backup_stage_install(struct call *c, struct str state_folder);
void backup_stage_remove(struct call *c, struct str state_folder);

// The lock of a restore of this folder: a descriptor, or ERR_IN_USE.
MUST_CHECK int backup_lock(struct call *c, struct str state_folder);
// After a crash: files of a restore whose state is there are moved to their places, those of one that did not come to
// its end are removed. Does nothing while a restore is under way.
MUST_CHECK int backup_settle(struct call *c, struct str state_folder, const struct state *s);

#endif
