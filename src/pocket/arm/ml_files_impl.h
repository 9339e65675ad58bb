// SPDX-License-Identifier: Apache-2.0
// Files of jobs between the blobs of the workspace and the folders where processes run. Copies go in steps, a few
// mebibytes each, so that the pocket answers meanwhile. A transfer is owned by who began it; it starts from the
// beginning when the pocket was killed.
#ifndef ISOBAR_POCKET_ARM_ML_FILES_IMPL_H
#define ISOBAR_POCKET_ARM_ML_FILES_IMPL_H

#include "pocket/arm/arm_impl.h"

enum { ML_MAX_FILES = 100000, ML_STEP_BYTES = 8 << 20 };

struct ml_place { // in blobs
	struct str container, path;
};
// The container of a datastore; "" when there is no such datastore.
struct str ml_datastore_container(const struct arm_state *s, struct arena *a, struct str datastore);
// What an address means: azureml://datastores/D/paths/P (also in its long form with subscription, group and workspace), an
// https address of a blob of this account, azureml:DATA:VERSION and ids of data, model and code versions. ERR_INVALID says
// what is not understood.
MUST_CHECK int ml_place_of(struct arm_state *s, struct arena *a, struct str uri, struct ml_place *out, struct err *e);

struct ml_transfer;
// All blobs below place.path as files below folder, or the one blob of that name as folder/NAME. ERR_NOT_FOUND.
MUST_CHECK int ml_fetch_begin(
	struct arm_state *s, const struct ml_place *from, const char *folder, struct ml_transfer **out, struct err *e);
// All files below a folder as blobs below the place; an absent folder has none. Links are not followed.
MUST_CHECK int ml_send_begin(
	struct arm_state *s, const char *folder, const struct ml_place *to, struct ml_transfer **out, struct err *e);
// One step: *done when all is copied.
MUST_CHECK int ml_transfer_step(struct ml_transfer *t, bool *done, struct err *e);
void ml_transfer_free(struct ml_transfer *t); // NULL is allowed
// A small blob, in place of the one before; the container is made when it is not there.
MUST_CHECK int ml_put_blob(
	struct arm_state *s, const struct ml_place *at, struct str bytes, struct str content_type, struct err *e);

#endif
