// SPDX-License-Identifier: Apache-2.0
// Packages as whoever submits a job sees them: see job_package.h. spec.json is written once and never again; what
// changes while a job lives are small objects beside it, each replaced only by whom its name says.
#include "cloud/job_package.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cloud/code_archive.h"
#include "cloud/job_files.h"
#include "cloud/job_package_impl.h"

enum { PACKAGE_VERSION = 1, NAME_DIGEST_HEX = 10 };

static const struct {
	const char *provider, *scheme;
} schemes[] = {{"aws", "s3://"}, {"gcp", "gs://"}, {"azure", "az://"}, {"site", "s3://"}};

// ---------------------------------------------------------------- names
struct str job_provider_name(struct arena *a, struct str workspace, struct str job, uint32_t attempt, size_t max)
{
	char hex[HEX_SHA256_SIZE];
	size_t n = 0, room = max - NAME_DIGEST_HEX - 1;
	struct str all = arena_printf(a, "%.*s\n%.*s\n%u", STR(workspace), STR(job), (unsigned)attempt);
	char *out = arena_alloc(a, max + 1);
	if (!all.p || !out)
		return S("");
	struct sha256 sum = sha256_of(all);
	hex_encode(str_bytes(sum.bytes, sizeof(sum.bytes)), hex);
	for (size_t i = 0; i < job.n && n < room; i++) {
		char c = job.p[i];
		bool upper = c >= 'A' && c <= 'Z', letter = (c >= 'a' && c <= 'z') || upper;
		bool digit = c >= '0' && c <= '9';
		if (letter || (digit && n))
			out[n++] = (char)(upper ? c - 'A' + 'a' : c);
		else if (n && out[n - 1] != '-')
			out[n++] = '-';
	}
	while (n && out[n - 1] == '-')
		n--;
	if (!n)
		out[n++] = 'j';
	out[n++] = '-';
	memcpy(out + n, hex, NAME_DIGEST_HEX);
	return (struct str){.p = out, .n = n + NAME_DIGEST_HEX};
}

struct str job_url_scheme(struct str provider)
{
	for (size_t i = 0; i < COUNT_OF(schemes); i++)
		if (str_is(provider, schemes[i].provider))
			return str_of(schemes[i].scheme);
	return str_of(schemes[0].scheme);
}

static int set_url(struct call *c, struct str scheme, struct job_package *p)
{
	p->url = arena_printf(c->arena, "%.*s%.*s/%.*s#%.*s.%u", STR(scheme), STR(p->bucket), STR(p->prefix),
		STR(p->digest), (unsigned)p->attempt);
	return p->url.p ? 0 : call_no_memory(c);
}

static bool read_place(struct arena *a, struct str place, struct job_package *p)
{
	struct str folder = S(JOB_PACKAGE_FOLDER), name;
	if (!str_cut(place, '/', &p->bucket, &p->prefix) || !p->bucket.n || !str_starts(p->prefix, folder) ||
		!str_ends(p->prefix, S("/")))
		return false;
	name = str_drop(p->prefix, folder.n);
	return !job_name_of_folder(a, str_take(name, name.n - 1), &p->job, NULL);
}

static bool read_fragment(struct str fragment, struct job_package *p)
{
	uint64_t attempt;
	struct str number;
	unsigned char bytes[SHA256_SIZE];
	bool good = str_cut(fragment, '.', &p->digest, &number) && p->digest.n == sizeof(bytes) * 2 &&
		    !hex_decode(p->digest, bytes) && !str_to_u64(number, &attempt) && attempt >= 1 &&
		    attempt <= JOB_ATTEMPTS_MAX;
	if (good)
		p->attempt = (uint32_t)attempt;
	return good;
}

int job_package_of_url(struct arena *a, struct str url, struct job_package *out, struct err *e)
{
	struct job_package p = {.url = url, .store = S("")};
	struct str place, fragment;
	for (size_t i = 0; i < COUNT_OF(schemes); i++) {
		struct str scheme = str_of(schemes[i].scheme);
		if (str_starts(url, scheme) && str_cut(str_drop(url, scheme.n), '#', &place, &fragment) &&
			read_place(a, place, &p) && read_fragment(fragment, &p)) {
			*out = p;
			return 0;
		}
	}
	return err_set(e, ERR_INVALID, "\"%.*s\" is no URL of a job's package", (int)MIN(url.n, 300), url.p);
}

int job_package_command(struct call *c, const struct job_package *p, const char *const **argv)
{
	const char **list = arena_new_array(c->arena, 5, const char *);
	if (!list || !(list[3] = arena_cstr(c->arena, p->url)))
		return call_no_memory(c);
	list[0] = "isobar";
	list[1] = "worker";
	list[2] = "--package";
	*argv = list;
	return 0;
}

struct str job_package_key(struct call *c, const struct job_package *p, const char *name)
{
	struct str key = arena_printf(c->arena, "%.*s%s", STR(p->prefix), name);
	if (!key.p)
		(void)call_no_memory(c);
	return key;
}

// ---------------------------------------------------------------- small objects
int job_package_put_text(
	struct call *c, const struct cloud *inside, const struct store_put *put, struct str text, struct object *out)
{
	struct object made = {0};
	int r = put->key.p ? cloud_put_bytes(c, inside, put, text, &made) : c->err.code;
	if (!r && out)
		*out = made;
	return r;
}

static int find_text(struct call *c, const struct cloud *inside, const struct job_package *p, const char *name, struct str *out)
{
	struct str key = job_package_key(c, p, name);
	if (!key.p)
		return c->err.code;
	int r = cloud_get_bytes(c, inside, p->bucket, key, JOB_FILE_LIMIT, out);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		*out = (struct str){0};
		return 0;
	}
	return r;
}

// ---------------------------------------------------------------- the code
static int open_scratch(struct call *c, const struct cloud_config *config)
{
	struct str folder = config->local_root.n ? config->local_root : S("/tmp");
	char *path = arena_cstr(c->arena, arena_printf(c->arena, "%.*s/.code-XXXXXX", STR(folder)));
	if (!path || (config->local_root.n && file_make_dirs(arena_cstr(c->arena, folder), 0700, &c->err))) {
		if (!path)
			(void)call_no_memory(c);
		return -1;
	}
	int fd = mkostemp(path, O_CLOEXEC);
	if (fd < 0)
		(void)call_errno(c, "make a file in %.*s", STR(folder));
	else
		(void)unlink(path);
	return fd;
}

static int put_code(struct call *c, const struct cloud *inside, const struct job_package *p,
	const struct cloud_config *config, const struct job_spec *spec, json_t **described)
{
	struct code_archive archive = {0};
	struct object made = {0};
	*described = json_null();
	if (!spec->code_directory.n)
		return 0;
	AUTO(fd) fd = open_scratch(c, config);
	if (fd < 0 || code_archive_write(c, arena_cstr(c->arena, spec->code_directory), fd, &archive))
		return c->err.code;
	const char *name = arena_printf(c->arena, "code-%.12s.tar", archive.sha256).p;
	if (!name)
		return call_no_memory(c);
	if (lseek(fd, 0, SEEK_SET) < 0)
		return call_errno(c, "read the archive of the code");
	const struct store_put put = {
		.bucket = p->bucket, .key = job_package_key(c, p, name), .content_type = S("application/x-tar")};
	if (!put.key.p || cloud_put_fd(c, inside, &put, fd, &made))
		return c->err.code;
	*described = json_pack("{s:s, s:s, s:I}", "name", name, "sha256", archive.sha256, "size", (json_int_t)archive.size);
	return *described ? 0 : call_no_memory(c);
}

// ---------------------------------------------------------------- the container's store
static bool is_listed(const struct cloud_config *own, struct str bucket)
{
	for (size_t i = 0; i < own->sealed_count; i++)
		if (str_eq(own->sealed[i].bucket, bucket))
			return true;
	return false;
}

// As little as opens the cloud: providers bound the environment of a container (SageMaker: 512 bytes a value).
static int describe_store(struct call *c, const struct job_store *of, struct cloud_config *own)
{
	*own = *of->config;
	if (!own->account.n) // of Azure's stores it stands beside the key
		own->account = json_str(own->credentials, "account");
	own->credentials = NULL;
	own->local_root = own->ca_file = own->trust_file = own->job_role = own->image = S("");
	own->jobs_engine = own->endpoints_engine = S("");
	own->proxy = (struct proxy_settings){0};
	own->hosts = NULL;
	own->host_count = own->sealed_count = 0;
	own->sealed = arena_new_array(c->arena, of->bucket_count + 1, struct cloud_sealed);
	if (!own->sealed)
		return call_no_memory(c);
	for (size_t i = 0; i < of->bucket_count; i++) {
		struct str key = sealed_key_of(of->cloud, of->buckets[i]);
		if (key.n && !is_listed(own, of->buckets[i]))
			own->sealed[own->sealed_count++] = (struct cloud_sealed){of->buckets[i], key};
	}
	return 0;
}

int job_store_write(struct call *c, const struct job_store *of, struct str *out)
{
	struct cloud_config own;
	const struct cloud *cloud = of->cloud;
	if (describe_store(c, of, &own))
		return c->err.code;
	if (own.sealed_count && cloud->keys && strcmp(cloud->keys->name, "local") == 0)
		return call_fail(c, ERR_UNSUPPORTED,
			"bucket %.*s is encrypted with a key of this machine (keys: engine local), which work that "
			"%.*s runs cannot reach: use the cloud's own keys, or the local engine for jobs and endpoints too",
			STR(own.sealed[0].bucket), STR(cloud->name));
	AUTO(json) j = cloud_config_to_json(&own);
	AUTO(buf) text = {0};
	if (!j || json_write(j, &text, &c->err))
		return j ? c->err.code : call_no_memory(c);
	struct str written = arena_str(c->arena, buf_str(&text));
	if (!written.p)
		return call_no_memory(c);
	*out = written;
	return 0;
}

// ---------------------------------------------------------------- put
static int set_store(struct call *c, const struct cloud *cloud, const struct cloud_config *config,
	const struct job_spec *spec, struct job_package *p)
{
	struct str *buckets = arena_new_array(c->arena, spec->input_count + 1, struct str);
	const struct job_store of = {.cloud = cloud, .config = config, .buckets = buckets, .bucket_count = spec->input_count + 1};
	if (!buckets)
		return call_no_memory(c);
	buckets[0] = spec->output.bucket;
	for (size_t i = 0; i < spec->input_count; i++)
		buckets[i + 1] = spec->inputs[i].bucket;
	return job_store_write(c, &of, &p->store);
}

static int write_spec(struct call *c, const struct job_spec *spec, json_t *code, struct str *out)
{
	struct job_spec own = *spec;
	own.code_directory = S(""); // a folder of this machine
	AUTO(json) j = json_pack("{s:i, s:o, s:O}", "version", PACKAGE_VERSION, "spec", job_spec_to_json(&own), "code", code);
	AUTO(buf) text = {0};
	if (!j || json_write(j, &text, &c->err))
		return j ? c->err.code : call_no_memory(c);
	*out = arena_str(c->arena, buf_str(&text));
	return out->p ? 0 : call_no_memory(c);
}

// Once: whoever comes second must have said the same.
static int put_spec(struct call *c, const struct cloud *inside, struct job_package *p, struct str text)
{
	char hex[HEX_SHA256_SIZE];
	struct str there = {0};
	const struct store_put put = {.bucket = p->bucket,
		.key = job_package_key(c, p, JOB_SPEC_FILE),
		.content_type = S("application/json"),
		.condition = {.if_absent = true}};
	int r = job_package_put_text(c, inside, &put, text, NULL);
	if (r == ERR_CONFLICT) {
		err_clear(&c->err);
		r = cloud_get_bytes(c, inside, p->bucket, put.key, JOB_FILE_LIMIT, &there);
		if (!r && !str_eq(there, text))
			return call_fail(c, ERR_CONFLICT, "job %.*s was submitted before with another specification (%.*s/%.*s)",
				STR(p->job), STR(p->bucket), STR(put.key));
	}
	if (r)
		return r;
	struct sha256 sum = sha256_of(text);
	hex_encode(str_bytes(sum.bytes, sizeof(sum.bytes)), hex);
	p->digest = arena_str(c->arena, str_of(hex));
	return p->digest.p ? 0 : call_no_memory(c);
}

static int read_attempt(struct call *c, const struct cloud *inside, struct job_package *p)
{
	struct str text;
	uint64_t attempt = 1;
	if (find_text(c, inside, p, "attempt", &text))
		return c->err.code;
	if (text.p && (str_to_u64(text, &attempt) || attempt < 1 || attempt > JOB_ATTEMPTS_MAX))
		return call_fail(c, ERR_CORRUPT, "%.*s/%.*sattempt is no number of an attempt", STR(p->bucket), STR(p->prefix));
	p->attempt = (uint32_t)attempt;
	return 0;
}

static int put_all(struct call *c, const struct cloud *inside, const struct cloud_config *config,
	const struct job_spec *spec, struct job_package *p)
{
	AUTO(json) code = NULL;
	struct str text;
	if (put_code(c, inside, p, config, spec, &code) || write_spec(c, spec, code, &text) ||
		put_spec(c, inside, p, text) || read_attempt(c, inside, p))
		return c->err.code;
	return set_url(c, job_url_scheme(inside->provider), p);
}

int job_package_put(struct call *c, const struct cloud *cloud, const struct cloud_config *config,
	const struct job_spec *spec, struct job_package *out)
{
	struct str folder;
	const struct cloud inside = sealed_inside(cloud);
	struct job_package p = {.job = arena_str(c->arena, spec->name), .bucket = arena_str(c->arena, spec->output.bucket)};
	if (job_folder_name(c->arena, spec->name, &folder, &c->err))
		return c->err.code;
	p.prefix = arena_printf(c->arena, JOB_PACKAGE_FOLDER "%.*s/", STR(folder));
	if (!p.job.p || !p.bucket.p || !p.prefix.p)
		return call_no_memory(c);
	if (set_store(c, cloud, config, spec, &p) || put_all(c, &inside, config, spec, &p))
		return call_context(c, "%.*s: the package of job %.*s", STR(cloud->name), STR(spec->name));
	*out = p;
	return 0;
}

// ---------------------------------------------------------------- attempts, stop
int job_package_next_attempt(struct call *c, const struct cloud *cloud, struct job_package *p)
{
	const struct cloud inside = sealed_inside(cloud);
	struct job_package next = *p;
	struct object there = {0};
	struct str text, scheme = job_url_scheme(cloud->provider), key = job_package_key(c, p, "attempt");
	if (p->attempt >= JOB_ATTEMPTS_MAX)
		return call_fail(c, ERR_LIMIT, "job %.*s was lost %d times", STR(p->job), JOB_ATTEMPTS_MAX);
	next.attempt = p->attempt + 1;
	int r = key.p ? CLOUD_CALL(c, &inside, store, head, p->bucket, key, &there) : c->err.code;
	if (r && r != ERR_NOT_FOUND)
		return r;
	struct store_put put = {.bucket = p->bucket, .key = key, .content_type = S("text/plain")};
	if (r)
		put.condition.if_absent = true;
	else
		put.condition.if_match = there.etag;
	err_clear(&c->err);
	text = arena_printf(c->arena, "%u", (unsigned)next.attempt);
	r = text.p ? job_package_put_text(c, &inside, &put, text, NULL) : call_no_memory(c);
	if (r == ERR_CONFLICT) // somebody else asked for it at the same time
		err_clear(&c->err);
	else if (r)
		return r;
	if (read_attempt(c, &inside, &next) || set_url(c, scheme, &next))
		return c->err.code;
	*p = next;
	return 0;
}

int job_package_stop(struct call *c, const struct cloud *cloud, const struct job_package *p)
{
	const struct cloud inside = sealed_inside(cloud);
	const struct store_put put = {
		.bucket = p->bucket, .key = job_package_key(c, p, JOB_STOP_FILE), .content_type = S("text/plain")};
	return job_package_put_text(c, &inside, &put, S(""), NULL);
}

int job_package_status(struct call *c, const struct cloud *cloud, const struct job_package *p, bool *known,
	struct job_status *out, bool *stop_asked)
{
	const struct cloud inside = sealed_inside(cloud);
	struct str text, mark;
	struct job_status status = {0};
	AUTO(json) j = NULL;
	if (find_text(c, &inside, p, JOB_STATUS_FILE, &text) || find_text(c, &inside, p, JOB_STOP_FILE, &mark))
		return c->err.code;
	bool told = false;
	if (text.p) {
		if (json_parse(text, &j, &c->err) || job_status_of_json(c->arena, j, &status, &c->err))
			return call_context(c, "%.*s/%.*s" JOB_STATUS_FILE, STR(p->bucket), STR(p->prefix));
		told = json_int(j, "attempt", 0) == (int64_t)p->attempt;
	}
	*known = told;
	*out = told ? status : (struct job_status){0};
	*stop_asked = mark.p != NULL;
	return 0;
}

// The worker's word counts where it ended; where it did not, its machine was taken from it, or it never began.
void job_status_merge(
	const struct job_status *provider, const struct job_status *worker, bool stop_asked, struct job_status *out)
{
	struct job_status s = worker ? *worker : *provider;
	s.id = provider->id;
	s.billed_s = provider->billed_s;
	s.interrupted = MAX(provider->interrupted, s.interrupted);
	s.started_ns = s.started_ns ? s.started_ns : provider->started_ns;
	s.ended_ns = s.ended_ns ? s.ended_ns : provider->ended_ns;
	bool ended = worker && job_state_ended(worker->state);
	bool over = job_state_ended(provider->state) || provider->state == JOB_LOST;
	if (!ended) {
		s.state = provider->state;
		s.reason = provider->reason.n ? provider->reason : s.reason;
		s.ended_ns = over ? s.ended_ns : 0;
	}
	if (!ended && provider->state == JOB_QUEUED && worker)
		s.state = JOB_RUNNING;
	bool unsaid = provider->state == JOB_SUCCEEDED ||
		      (provider->state == JOB_FAILED && (worker || provider->exit_code == JOB_EXIT_LOST));
	if (!ended && unsaid) {
		s.state = JOB_LOST;
		s.reason = worker && worker->reason.n ? worker->reason
			   : provider->reason.n	      ? provider->reason
						      : S("its worker ended without saying how");
	}
	if (!ended && over && (provider->state == JOB_STOPPED || stop_asked)) {
		s.state = stop_asked ? JOB_STOPPED : JOB_LOST;
		s.reason = stop_asked ? S("stopped") : s.reason.n ? s.reason : S("the provider took its machine away");
	}
	*out = s;
}

// ---------------------------------------------------------------- remove, sweep
static int remove_below(struct call *c, const struct cloud *inside, struct str bucket, struct str prefix)
{
	struct store_page page = {0};
	if (cloud_list_all(c, inside, bucket, prefix, &page))
		return c->err.code;
	for (size_t i = 0; i < page.count; i++)
		if (CLOUD_CALL(c, inside, store, delete, bucket, page.objects[i].key))
			return c->err.code;
	return 0;
}

int job_package_remove(struct call *c, const struct cloud *cloud, const struct job_package *p)
{
	const struct cloud inside = sealed_inside(cloud);
	int r = remove_below(c, &inside, p->bucket, p->prefix);
	if (r == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	return r ? call_context(c, "remove the package of job %.*s", STR(p->job)) : 0;
}

int job_packages_sweep(struct call *c, const struct cloud *cloud, struct str bucket)
{
	const struct cloud inside = sealed_inside(cloud);
	struct store_list list = {.bucket = bucket, .prefix = S(""), .delimiter = S("/"), .token = S("")};
	do {
		struct store_page page = {0};
		int r = CLOUD_CALL(c, &inside, store, list, &list, &page);
		if (r == ERR_NOT_FOUND) {
			err_clear(&c->err);
			return 0;
		}
		if (r)
			return r;
		for (size_t i = 0; i < page.prefix_count; i++)
			if (!str_eq(page.prefixes[i], S(".isobar/")))
				return 0;
		if (page.count)
			return 0;
		list.token = page.next;
	} while (list.token.n);
	return remove_below(c, &inside, bucket, S(JOB_PACKAGE_FOLDER));
}
