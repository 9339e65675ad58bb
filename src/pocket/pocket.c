// SPDX-License-Identifier: Apache-2.0
// A pocket cloud from its folder to its listening port: see pocket.h.
#include "pocket/pocket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/secret.h"
#include "net/url.h"
#include "pocket/admin.h"
#include "pocket/engine/engine.h"
#include "pocket/pocket_impl.h"

static const struct front *const fronts[] = {&s3_front, &gcs_front, &azure_front};

// ---------------------------------------------------------------- the folder

static const char *path_of(const struct pocket *p, const char *file, struct buf *out)
{
	buf_printf(out, "%s/%s", p->root, file);
	return buf_cstr(out);
}

int pocket_read_json(const struct pocket *p, const char *file, json_t **out, struct err *e)
{
	AUTO(buf) path = {0};
	return json_parse_file(path_of(p, file, &path), 1 << 20, out, e);
}

int pocket_write_json(const struct pocket *p, const char *file, const json_t *j, struct err *e)
{
	AUTO(buf) path = {0};
	AUTO(buf) text = {0};
	int rc = json_write_pretty(j, &text, e);
	if (rc == 0)
		rc = file_write_atomic(path_of(p, file, &path), buf_str(&text), 0600, e);
	if (text.p)
		explicit_bzero(text.p, text.n);
	return rc;
}

int pocket_credentials(struct pocket *p, int (*make)(struct pocket *p, struct err *e), json_t **out, struct err *e)
{
	int rc = pocket_read_json(p, "credentials.json", out, e);
	if (rc == ERR_NOT_FOUND) {
		rc = make(p, e);
		if (rc == 0)
			rc = pocket_read_json(p, "credentials.json", out, e);
	}
	return rc < 0 ? err_context(e, "the credentials of the pocket cloud in %s", p->root) : 0;
}

int pocket_random(const struct pocket *p, void *out, size_t n, struct err *e)
{
	if (p->edges->random(p->edges->ctx, out, n) < 0)
		return err_set(e, ERR_IO, "the system gave no random bytes");
	return 0;
}

void pocket_plain_name(const struct pocket *p, bool dash, size_t most, struct buf *out)
{
	for (const char *c = p->name; *c && out->n < most; c++) {
		char lower = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
		bool letter = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9');
		if (letter || (dash && lower == '-' && out->n))
			buf_add_char(out, lower);
	}
	if (out->n < 3)
		buf_add(out, S("pocket"));
}

// ---------------------------------------------------------------- the port

// The port of the last run, 0 when there was none.
static uint16_t read_port(const struct pocket *p)
{
	AUTO(buf) path = {0};
	AUTO(buf) text = {0};
	uint64_t port = 0;
	if (file_read(path_of(p, "port", &path), 16, &text, NULL) < 0 ||
		str_to_u64(str_trim(buf_str(&text)), &port) < 0)
		return 0;
	return port <= UINT16_MAX ? (uint16_t)port : 0;
}

static int write_port(const struct pocket *p, uint16_t port, struct err *e)
{
	AUTO(buf) path = {0};
	char text[16];
	if (read_port(p) == port)
		return 0;
	snprintf(text, sizeof(text), "%u\n", (unsigned)port);
	return file_write_atomic(path_of(p, "port", &path), str_of(text), 0600, e);
}

static int listen_on(struct pocket *p, const struct address *address, struct err *e)
{
	char text[ADDRESS_TEXT_SIZE];
	address_text(address, text);
	struct http_server_options options = {
		.loop = p->loop,
		.service = &front_service,
		.ctx = p,
		.listen = str_of(text),
		.tls = p->tls,
		.limits = {.body_bytes = p->front->body_limit,
			.http1 = {.line_bytes = 16 << 10, .head_bytes = 64 << 10, .header_count = 200}},
	};
	return http_server_new(&options, &p->server, e);
}

static void set_port(struct address *a, uint16_t port)
{
	if (a->any.sa_family == AF_INET6)
		a->v6.sin6_port = htons(port);
	else
		a->v4.sin_port = htons(port);
}

// Where any port will do, the last one, else a free one. One that was asked for by number is that one or none.
static int listen_somewhere(struct pocket *p, struct address *address, struct err *e)
{
	struct err first = {0};
	if (address_port(address))
		return listen_on(p, address, e);
	set_port(address, read_port(p));
	int rc = listen_on(p, address, &first);
	if (rc == ERR_IN_USE) {
		set_port(address, 0);
		return listen_on(p, address, e);
	}
	if (rc < 0)
		*e = first;
	return rc;
}

static int check_address(const struct pocket_config *config, struct address *out, struct err *e)
{
	int rc = address_parse(config->listen, out, e);
	if (rc < 0)
		return err_context(e, "the address to listen on");
	if (address_is_loopback(out) || (config->remote && config->certificate && config->key))
		return 0;
	return err_set(e, ERR_DENIED,
		"refusing to listen on %.*s: a pocket cloud is for this machine; other addresses need --remote, "
		"--certificate and --key",
		STR(config->listen));
}

// ---------------------------------------------------------------- life

static int open_tls(const struct pocket_config *config, struct pocket *p, struct err *e)
{
	struct tls_config tls = {.server = true, .certificate_file = config->certificate, .key_file = config->key};
	if (!config->certificate && !config->key)
		return 0;
	if (!config->certificate || !config->key)
		return err_set(e, ERR_INVALID, "TLS needs both --certificate and --key");
	return tls_new(&tls, &p->tls, e);
}

static int open_store(struct pocket *p, struct err *e)
{
	struct objects_config config = {.root = p->root,
		.edges = p->edges,
		.etag = p->front->etag,
		.upload_lifetime_ns = p->front->upload_lifetime_ns};
	return objects_open(&config, &p->store, e);
}

static int make(const struct pocket_config *config, struct pocket **out, struct err *e)
{
	const struct front *front = NULL;
	for (size_t i = 0; i < COUNT_OF(fronts); i++)
		if (strcmp(fronts[i]->as, config->as) == 0)
			front = fronts[i];
	if (!front)
		return err_set(e, ERR_INVALID, "a pocket cloud is aws, gcp or azure, not \"%s\"", config->as);
	struct pocket *p = calloc(1, sizeof(*p));
	if (p)
		*p = (struct pocket){.front = front,
			.edges = config->edges,
			.loop = config->loop,
			.pace = config->pace ? config->pace : POCKET_PACE,
			.root = strdup(config->root),
			.name = strdup(config->name)};
	if (!p || !p->root || !p->name) {
		pocket_free(p);
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	}
	*out = p;
	return 0;
}

// The front adds to the server's address what belongs to its own: keys_open() may need the URL (a token endpoint), and
// gives the path behind it (Blob Storage's account).
static int set_url(struct pocket *p, struct err *e)
{
	AUTO(buf) url = {0};
	buf_add(&url, str_of(http_server_url(p->server)));
	free(p->url);
	p->url = strdup(buf_cstr(&url));
	int rc = p->url ? p->front->keys_open(p, &p->keys, e) : err_set(e, ERR_NO_MEMORY, "out of memory");
	return rc < 0 ? rc : write_port(p, http_server_port(p->server), e);
}

int pocket_start(const struct pocket_config *config, struct pocket **out, struct err *e)
{
	struct address address;
	int rc = check_address(config, &address, e);
	if (rc < 0)
		return rc;
	struct pocket *p = NULL;
	rc = make(config, &p, e);
	if (rc < 0)
		return rc;
	rc = open_tls(config, p, e);
	if (rc == 0)
		rc = open_store(p, e);
	if (rc == 0)
		rc = docs_open(p->root, &p->docs, e);
	if (rc == 0)
		rc = engine_open(p, &p->engine, e);
	if (rc == 0)
		rc = admin_load_faults(p, config->faults, e);
	if (rc == 0)
		rc = listen_somewhere(p, &address, e);
	if (rc == 0)
		rc = set_url(p, e);
	if (rc == 0)
		rc = admin_open(p, config->certificate, e);
	if (rc == 0)
		rc = services_open(p, e);
	if (rc < 0) {
		pocket_free(p);
		return err_context(e, "starting the pocket cloud %s", config->name);
	}
	*out = p;
	return 0;
}

const char *pocket_url(const struct pocket *p)
{
	return p->url;
}

// Requests end first: some of them go to servers of the engine.
static void requests_ended(void *ctx)
{
	struct pocket *p = ctx;
	engine_end_all(p->engine, p->drain.grace_ns, p->drain.stopped, p->drain.ctx);
}

void pocket_drain(struct pocket *p, int64_t grace_ns, void (*stopped)(void *ctx), void *ctx)
{
	p->drain.grace_ns = grace_ns;
	p->drain.stopped = stopped;
	p->drain.ctx = ctx;
	http_server_drain(p->server, grace_ns, requests_ended, p);
}

void pocket_free(struct pocket *p)
{
	if (!p)
		return;
	http_server_free(p->server);
	services_close(p);
	engine_close(p->engine);
	docs_close(p->docs);
	if (p->front->keys_free)
		p->front->keys_free(p->keys);
	objects_close(p->store);
	tls_free(p->tls);
	faults_free(p->faults);
	secret_wipe(p->admin_token, sizeof(p->admin_token));
	free(p->url);
	free(p->root);
	free(p->name);
	free(p);
}
