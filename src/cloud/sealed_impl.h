// SPDX-License-Identifier: Apache-2.0
// Private to cloud: the sealed store's buckets and data keys, and the two streams it puts around a source and a sink.
#ifndef ISOBAR_CLOUD_SEALED_IMPL_H
#define ISOBAR_CLOUD_SEALED_IMPL_H

#include <pthread.h>

#include "cloud/frames.h"
#include "cloud/sealed.h"

#define SEALED_HIDDEN S(".isobar/")
#define SEALED_JOBS S(".isobar/jobs/") // cloud/job_package.h; hidden also in buckets that are not sealed
#define SEALED_KEY_OBJECT S(".isobar/data-key.json")

struct sealed_bucket {
	struct str name, key;
	pthread_mutex_t lock; // of what follows, and while the data key is made or fetched
	bool known;
	unsigned char data_key[FRAMES_KEY_SIZE];
};
struct sealed {
	struct sealed_below below;
	struct arena arena;
	struct sealed_bucket *buckets;
	size_t count;
	struct sealed *inside; // the same, showing the packages of jobs; NULL: this is that one
};

// The bucket's data key; make: one is made when there is none, else ERR_NOT_FOUND.
MUST_CHECK int sealed_data_key(
	struct call *c, struct sealed *s, struct sealed_bucket *b, bool make, unsigned char out[FRAMES_KEY_SIZE]);
void sealed_forget_key(struct sealed_bucket *b);
// Writes the known data key's wrapped form back; for a bucket_delete that turned out not to be possible.
MUST_CHECK int sealed_restore_key(struct call *c, struct sealed *s, struct sealed_bucket *b);

// A source that gives the encrypted form of another one.
struct sealing {
	struct call *c;
	struct frames_object object;
	struct source *from;
	struct frames *frames; // owned
	unsigned char *plain;  // owned: a frame and one byte of the next
	size_t plain_size;
	unsigned char *out; // owned: header or frame that is being given
	size_t out_size, out_given;
	uint64_t number, total;
	bool ended, done; // source; last frame
	uint32_t crc;     // of the plaintext
};
MUST_CHECK int sealing_start(struct sealing *s, struct source *as);
void sealing_finish(struct sealing *s);

// A sink that opens encrypted bytes, from the header on or from a frame on, and passes the wanted range of plaintext.
struct opening {
	struct call *c;
	struct frames_object object;
	struct sink *to;
	struct frames *frames;  // owned; NULL until the header came
	unsigned char *pending; // owned: header or frame that is not complete, or may be the last
	size_t pending_size;
	unsigned char *plain; // owned
	uint64_t first;       // number of the first frame that comes
	uint64_t number;      // of the pending frame
	uint64_t offset, end; // range of plaintext
	uint64_t given;
};
MUST_CHECK int opening_start(struct opening *o, struct sink *as);
// The header, when the frames come without it.
MUST_CHECK int opening_header(struct opening *o, const unsigned char header[FRAMES_HEADER_SIZE]);
// After the last byte: opens what is pending. sealed_size is the whole object's.
MUST_CHECK int opening_end(struct opening *o, uint64_t sealed_size);
void opening_finish(struct opening *o);

#endif
