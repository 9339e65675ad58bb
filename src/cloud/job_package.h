// SPDX-License-Identifier: Apache-2.0
// The package of a job that a provider's job service runs: what its container, which is this very program, finds in the
// output's bucket, below ".isobar/jobs/NAME/" (NAME: the job's, with '+' for '/'):
//     spec.json        {"version", "spec" (cloud/job_files.h), "code": {"name", "sha256", "size"} or null}
//     code-DIGEST.tar  the user's code, a POSIX ustar without times and owners: the same code gives the same bytes
//     attempt          how often the provider was asked to run it: its jobs' names can be used once
//     stop             a mark: the job is to end, and is not to start again
//     status.json      what the worker in the container says, with the attempt that it says it of
//     checkpoint/...   what the command left in $ISOBAR_CHECKPOINT when its machine was taken away
// All of it is encrypted as the bucket is, and hidden from lists, heads and reads of users (cloud/sealed.h). The URL of
// a package names the digest of its spec.json, and that the digest of the code, so that the container runs what was
// submitted or nothing. No credential is in it, nor in the container's environment: the container has the job's own
// (cloud/credentials.h). Results live in c->arena. Thread-safe; what two submitters do at once has one outcome.
#ifndef ISOBAR_CLOUD_JOB_PACKAGE_H
#define ISOBAR_CLOUD_JOB_PACKAGE_H

#include "cloud/cloud.h"
#include "cloud/config.h"

enum {
	JOB_ATTEMPTS_MAX = 1000,
	JOB_EXIT_LOST = 75, // of the container: what it needs was not there; the same job may be tried again (EX_TEMPFAIL)
};
#define JOB_PACKAGE_FOLDER ".isobar/jobs/"
#define JOB_STORE_VARIABLE "ISOBAR_STORE" // of the container: how its program opens the cloud; JSON, no credential

struct job_package {
	struct str job;            // name of the job: "transform/prepared/0f3a/aws-us"
	struct str bucket, prefix; // "fashion-lake", ".isobar/jobs/transform+prepared+0f3a+aws-us/"
	struct str digest;         // of spec.json, hex
	uint32_t attempt;          // from 1
	struct str url;            // "s3://BUCKET/PREFIX#DIGEST.ATTEMPT": letters, digits and "._@+-/:#"
	struct str store;          // value of ISOBAR_STORE; "" of a package that was read from its URL
};

// Writes the package of a job; writing it again finds the first. config is that of the cloud; of it only texts are read
// (which buckets are encrypted, the cloud itself knows). ERR_CONFLICT when the name was used for another specification; ERR_UNSUPPORTED when a bucket of the job is encrypted with a key that its
// container could not reach (the local engine's).
MUST_CHECK int job_package_put(struct call *c, const struct cloud *cloud, const struct cloud_config *config,
	const struct job_spec *spec, struct job_package *out);
// The package that a URL names: as the provider tells it back from a container's arguments. Makes no call; the result
// borrows from the URL but for what lives in the arena.
MUST_CHECK int job_package_of_url(struct arena *a, struct str url, struct job_package *out, struct err *e);
// The container: argv is NULL-ended {"isobar", "worker", "--package", URL}.
MUST_CHECK int job_package_command(struct call *c, const struct job_package *p, const char *const **argv);

// The next attempt, after one that was lost: *p gets its number and URL. Two that ask at once get the same one.
// ERR_LIMIT after JOB_ATTEMPTS_MAX.
MUST_CHECK int job_package_next_attempt(struct call *c, const struct cloud *cloud, struct job_package *p);
// Before the provider is told to stop; and whether that was done.
MUST_CHECK int job_package_stop(struct call *c, const struct cloud *cloud, const struct job_package *p);
// What the worker of this attempt said last, and whether the job was told to stop. *known is false when it said
// nothing yet (*out is then zero).
MUST_CHECK int job_package_status(struct call *c, const struct cloud *cloud, const struct job_package *p, bool *known,
	struct job_status *out, bool *stop_asked);
MUST_CHECK int job_package_remove(struct call *c, const struct cloud *cloud, const struct job_package *p);
// All packages of a bucket that holds nothing else, before the bucket is deleted; does nothing to another.
MUST_CHECK int job_packages_sweep(struct call *c, const struct cloud *cloud, struct str bucket);

// What to tell of a job: the provider's view (state, reason, times and id, with JOB_LOST for what the provider says it
// took away or could not start and will not start again; exit_code where the provider tells it) and the worker's, NULL
// when it said nothing. The worker knows exit code and usage and why; who ended it, only the provider and the stop mark
// know.
void job_status_merge(const struct job_status *provider, const struct job_status *worker, bool stop_asked,
	struct job_status *out);

// A name for the provider: a readable part, '-', ten hex digits of a digest of all three; lower-case letters, digits
// and single '-', starting with a letter, at most max (24 to 255) bytes. The same for the same; "" without memory.
struct str job_provider_name(
	struct arena *a, struct str workspace, struct str job, uint32_t attempt, size_t max);

// What a container is told of its store: the cloud's config without credentials and what belongs to this machine, with
// the encrypted ones of these buckets. ERR_UNSUPPORTED as job_package_put.
struct job_store {
	const struct cloud *cloud;
	const struct cloud_config *config;
	const struct str *buckets;
	size_t bucket_count;
};
MUST_CHECK int job_store_write(struct call *c, const struct job_store *of, struct str *out);
// "s3://", "gs://" or "az://"
struct str job_url_scheme(struct str provider);

// ---------------------------------------------------------------- the worker's side
// Opens what a container was given: config from ISOBAR_STORE with the chain of credentials of where it runs.
MUST_CHECK int job_store_read(struct call *c, struct str text, struct cloud_config *out);
// The spec, its digest checked; the code is unpacked below `folder` (made) and spec->code_directory names it.
MUST_CHECK int job_package_fetch(struct call *c, const struct cloud *cloud, const struct job_package *p,
	const char *folder, struct job_spec *spec);
MUST_CHECK int job_package_tell(
	struct call *c, const struct cloud *cloud, const struct job_package *p, const struct job_status *status);
// The folder $ISOBAR_CHECKPOINT goes to the package, and comes back for the next attempt (nothing there: nothing comes).
MUST_CHECK int job_package_save(
	struct call *c, const struct cloud *cloud, const struct job_package *p, const char *folder);
MUST_CHECK int job_package_restore(
	struct call *c, const struct cloud *cloud, const struct job_package *p, const char *folder);

#endif
