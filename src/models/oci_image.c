// SPDX-License-Identifier: Apache-2.0
// An OCI image from a folder: see oci_image.h.
#include "models/oci_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "base/file.h"
#include "base/json.h"
#include "base/time.h"
#include "models/tar_archive.h"

#define MEDIA "application/vnd.oci.image."
struct blob { // of the layout
	char digest[HEX_SHA256_SIZE];
	uint64_t size;
};

static void digest_text(struct digest *d, char out[HEX_SHA256_SIZE])
{
	unsigned char bytes[SHA256_SIZE];
	hex_encode(str_bytes(bytes, digest_final(d, bytes)), out);
}

// ---------------------------------------------------------------- the layer: tar -> gzip -> temporary file
struct layer {
	z_stream z;
	int fd;
	const char *path;
	struct digest *plain, *packed;
	uint64_t size;
};

static int layer_deflate(struct layer *l, struct str data, int flush, struct err *e)
{
	unsigned char out[1 << 15];
	l->z.next_in = (unsigned char *)(uintptr_t)data.p; // zlib only reads
	l->z.avail_in = (unsigned)data.n;
	do {
		l->z.next_out = out;
		l->z.avail_out = sizeof(out);
		if (deflate(&l->z, flush) == Z_STREAM_ERROR)
			return err_set(e, ERR_INTERNAL, "zlib: stream error");
		struct str packed = str_bytes(out, sizeof(out) - l->z.avail_out);
		digest_update(l->packed, packed);
		l->size += packed.n;
		int rc = file_write_all(l->fd, packed, l->path, e);
		if (rc < 0)
			return rc;
	} while (l->z.avail_out == 0);
	return 0;
}

static int layer_write(void *ctx, struct str data, struct err *e)
{
	struct layer *l = ctx;
	digest_update(l->plain, data);
	return layer_deflate(l, data, Z_NO_FLUSH, e);
}

static int layer_fill(const struct oci_image *image, struct layer *l, struct err *e)
{
	AUTO(tar) tar = NULL;
	const struct tar_target to = {.ctx = l, .write = layer_write};
	int rc = tar_begin(&to, image->seconds, &tar, e);
	if (rc == 0)
		rc = tar_add_tree(tar, image->root, e);
	if (rc == 0)
		rc = tar_end(tar, e);
	return rc == 0 ? layer_deflate(l, S(""), Z_FINISH, e) : rc;
}

// Writes path; *blob is the packed layer, plain the digest before packing.
static int layer_make(const struct oci_image *image, const char *path, struct blob *blob, char plain[HEX_SHA256_SIZE],
	struct err *e)
{
	enum { GZIP = 15 + 16, MEMORY = 8 };
	AUTO(fd) fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	AUTO(digest) plain_digest = digest_new(DIGEST_SHA256);
	AUTO(digest) packed_digest = digest_new(DIGEST_SHA256);
	struct layer l = {.fd = fd, .path = path, .plain = plain_digest, .packed = packed_digest};
	if (fd < 0)
		return err_set(e, err_code_of_errno(errno), "%s: %s", path, strerror(errno));
	if (!plain_digest || !packed_digest ||
		deflateInit2(&l.z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP, MEMORY, Z_DEFAULT_STRATEGY) != Z_OK)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	int rc = layer_fill(image, &l, e);
	deflateEnd(&l.z);
	if (rc < 0)
		return rc;
	digest_text(plain_digest, plain);
	digest_text(packed_digest, blob->digest);
	blob->size = l.size;
	return 0;
}

// ---------------------------------------------------------------- configuration, manifest, index
static json_t *texts(const char *const *items)
{
	json_t *list = json_array();
	for (; items && *items; items++)
		json_array_append_new(list, json_string(*items));
	return list;
}

static json_t *descriptor(const char *type, const struct blob *blob)
{
	return json_pack("{s:s, s:o, s:I}", "mediaType", type, "digest", json_sprintf("sha256:%s", blob->digest), "size",
		(json_int_t)blob->size);
}

static json_t *configuration(const struct oci_image *image, const char *plain)
{
	char created[TIME_TEXT_SIZE];
	time_rfc3339(image->seconds * NS_PER_S, 0, created);
	json_t *config = json_pack("{s:o, s:o}", "Entrypoint", texts(image->entrypoint), "Env", texts(image->env));
	if (image->user)
		json_object_set_new(config, "User", json_string(image->user));
	return json_pack("{s:s, s:s, s:s, s:o, s:{s:s, s:[o]}, s:[{s:s, s:s}]}", "created", created, "architecture",
		image->architecture, "os", "linux", "config", config, "rootfs", "type", "layers", "diff_ids",
		json_sprintf("sha256:%s", plain), "history", "created", created, "created_by", "isobar image");
}

static json_t *manifest(const struct blob *config, const struct blob *layer)
{
	return json_pack("{s:i, s:s, s:o, s:[o]}", "schemaVersion", 2, "mediaType", MEDIA "manifest.v1+json", "config",
		descriptor(MEDIA "config.v1+json", config), "layers", descriptor(MEDIA "layer.v1.tar+gzip", layer));
}

static json_t *index_of(const struct oci_image *image, const struct blob *manifest_blob)
{
	json_t *entry = descriptor(MEDIA "manifest.v1+json", manifest_blob);
	json_object_set_new(entry, "platform",
		json_pack("{s:s, s:s}", "architecture", image->architecture, "os", "linux"));
	if (image->name)
		json_object_set_new(entry, "annotations",
			json_pack("{s:s}", "org.opencontainers.image.ref.name", image->name));
	return json_pack("{s:i, s:s, s:[o]}", "schemaVersion", 2, "mediaType", MEDIA "index.v1+json", "manifests", entry);
}

// ---------------------------------------------------------------- the file
static int to_fd(void *ctx, struct str data, struct err *e)
{
	return file_write_all(*(const int *)ctx, data, "the image", e);
}

// Steals the document; adds it under its digest, or under a name of its own.
static int add_json(struct tar_archive *tar, const char *name, json_t *document, struct blob *blob, struct err *e)
{
	AUTO(json) owned = document;
	AUTO(buf) text = {0};
	char path[96];
	int rc = owned ? json_write(owned, &text, e) : err_set(e, ERR_NO_MEMORY, "out of memory");
	if (rc < 0)
		return rc;
	struct sha256 hash = sha256_of(buf_str(&text));
	hex_encode(str_bytes(hash.bytes, SHA256_SIZE), blob->digest);
	blob->size = text.n;
	snprintf(path, sizeof(path), "blobs/sha256/%s", blob->digest);
	return tar_add_data(tar, name ? name : path, buf_str(&text), e);
}

static int add_all(const struct oci_image *image, struct tar_archive *tar, const char *layer_path, char *digest,
	struct err *e)
{
	struct blob layer, config, manifest_blob, index;
	char plain[HEX_SHA256_SIZE], path[96];
	int rc = layer_make(image, layer_path, &layer, plain, e);
	if (rc < 0)
		return rc;
	snprintf(path, sizeof(path), "blobs/sha256/%s", layer.digest);
	rc = tar_add_data(tar, "oci-layout", S("{\"imageLayoutVersion\":\"1.0.0\"}"), e);
	if (rc == 0)
		rc = tar_add_file(tar, path, layer_path, e);
	if (rc == 0)
		rc = add_json(tar, NULL, configuration(image, plain), &config, e);
	if (rc == 0)
		rc = add_json(tar, NULL, manifest(&config, &layer), &manifest_blob, e);
	if (rc == 0)
		rc = add_json(tar, "index.json", index_of(image, &manifest_blob), &index, e);
	if (rc == 0)
		rc = tar_end(tar, e);
	if (rc == 0)
		memcpy(digest, manifest_blob.digest, HEX_SHA256_SIZE);
	return rc;
}

int oci_image_write(const struct oci_image *image, char digest[HEX_SHA256_SIZE], struct err *e)
{
	AUTO(buf) part = {0};
	AUTO(buf) layer = {0};
	AUTO(tar) tar = NULL;
	buf_printf(&part, "%s.part", image->out);
	buf_printf(&layer, "%s.layer", image->out);
	if (buf_check(&part, e) < 0 || buf_check(&layer, e) < 0)
		return e->code;
	(void)unlink(buf_cstr(&layer)); // of a run that was killed
	AUTO(fd) fd = open(buf_cstr(&part), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_set(e, err_code_of_errno(errno), "%s: %s", buf_cstr(&part), strerror(errno));
	const struct tar_target to = {.ctx = &fd, .write = to_fd};
	int rc = tar_begin(&to, image->seconds, &tar, e);
	if (rc == 0)
		rc = add_all(image, tar, buf_cstr(&layer), digest, e);
	if (rc == 0 && (fsync(fd) < 0 || rename(buf_cstr(&part), image->out) < 0))
		rc = err_set(e, err_code_of_errno(errno), "%s: %s", image->out, strerror(errno));
	(void)unlink(buf_cstr(&layer));
	if (rc < 0)
		(void)unlink(buf_cstr(&part));
	return rc;
}
