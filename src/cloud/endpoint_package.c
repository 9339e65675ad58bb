// SPDX-License-Identifier: Apache-2.0
// The endpoint's URL, written and read, and its model's files: see endpoint_package.h.
#include "cloud/endpoint_package.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cloud/job_package.h"

static const char *const schemes[] = {"s3://", "gs://", "az://"};

// Names go into commands and paths of URLs.
static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
			    c == '_' || c == '.';
		if (!good)
			return false;
	}
	return s.n > 0 && s.n <= 200 && s.p[0] != '.';
}

static bool is_plain_path(struct str s)
{
	struct str rest = str_take(s, s.n ? s.n - 1 : 0), part;
	bool good = str_ends(s, S("/"));
	while (good && str_next(&rest, '/', &part))
		good = is_plain(part);
	return good;
}

// The last dot parts the name, which may have dots, from the version, which has none.
static bool read_names(struct str fragment, struct endpoint_package *p)
{
	size_t at = fragment.n;
	while (at && fragment.p[at - 1] != '.')
		at--;
	if (at < 2)
		return false;
	p->model = str_take(fragment, at - 1);
	p->version = str_drop(fragment, at);
	return is_plain(p->model) && is_plain(p->version);
}

int endpoint_package_of_url(struct arena *a, struct str url, struct endpoint_package *out, struct err *e)
{
	struct str copy = arena_str(a, url), place, fragment;
	if (!copy.p)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	struct endpoint_package p = {.url = copy, .store = S("")};
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		struct str scheme = str_of(schemes[i]);
		if (str_starts(copy, scheme) && str_cut(str_drop(copy, scheme.n), '#', &place, &fragment) &&
			str_cut(place, '/', &p.bucket, &p.prefix) && is_plain(p.bucket) && is_plain_path(p.prefix) &&
			read_names(fragment, &p)) {
			*out = p;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID, "\"%.*s\" is no URL of an endpoint's model", (int)MIN(url.n, 300), url.p);
}

int endpoint_package_make(struct call *c, const struct cloud *cloud, const struct cloud_config *config,
	const struct endpoint_spec *spec, struct endpoint_package *out)
{
	struct endpoint_package p = {0};
	const struct job_store of = {.cloud = cloud, .config = config, .buckets = &spec->bucket, .bucket_count = 1};
	struct str url = arena_printf(c->arena, "%.*s%.*s/%.*s#%.*s.%.*s", STR(job_url_scheme(cloud->provider)),
		STR(spec->bucket), STR(spec->prefix), STR(spec->model), STR(spec->version));
	if (!url.p)
		return call_no_memory(c);
	if (endpoint_package_of_url(c->arena, url, &p, &c->err) || job_store_write(c, &of, &p.store))
		return call_context(c, "%.*s: the container of endpoint %.*s", STR(cloud->name), STR(spec->name));
	*out = p;
	return 0;
}

int endpoint_package_command(struct call *c, const struct endpoint_package *p, const char *const **argv)
{
	const char **list = arena_new_array(c->arena, 5, const char *);
	if (!list || !(list[3] = arena_cstr(c->arena, p->url)))
		return call_no_memory(c);
	list[0] = "isobar";
	list[1] = "worker";
	list[2] = "--endpoint";
	*argv = list;
	return 0;
}

// ---------------------------------------------------------------- the model's files
static int fetch_file(struct call *c, const struct cloud *cloud, const struct endpoint_package *p,
	const struct object *object, const char *folder)
{
	struct object got = {0};
	struct str relative = str_drop(object->key, p->prefix.n);
	if (file_check_relative(relative, &c->err))
		return call_context(c, "object %.*s", STR(object->key));
	char *path = arena_cstr(c->arena, arena_printf(c->arena, "%s/%.*s", folder, STR(relative)));
	if (!path)
		return call_no_memory(c);
	char *slash = strrchr(path, '/');
	*slash = '\0';
	int code = file_make_dirs(path, 0700, &c->err);
	*slash = '/';
	if (code)
		return code;
	AUTO(fd) fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return call_errno(c, "create %s", path);
	const struct store_get get = {.bucket = p->bucket, .key = object->key};
	return cloud_get_fd(c, cloud, &get, fd, &got) ? call_context(c, "bring %.*s", STR(object->key)) : 0;
}

int endpoint_package_fetch(
	struct call *c, const struct cloud *cloud, const struct endpoint_package *p, const char *folder)
{
	struct store_page page = {0};
	if (file_make_dirs(folder, 0700, &c->err) || cloud_list_all(c, cloud, p->bucket, p->prefix, &page))
		return c->err.code;
	if (!page.count || page.count > ENDPOINT_MODEL_MAX_FILES)
		return call_fail(c, page.count ? ERR_LIMIT : ERR_NOT_FOUND,
			"%.*s: %zu objects below %.*s/%.*s; a model has 1 to %d", STR(cloud->name), page.count,
			STR(p->bucket), STR(p->prefix), ENDPOINT_MODEL_MAX_FILES);
	for (size_t i = 0; i < page.count; i++)
		if (fetch_file(c, cloud, p, &page.objects[i], folder))
			return c->err.code;
	return 0;
}
