// SPDX-License-Identifier: Apache-2.0
// The pocket's own route and the file of faults: see admin.h.
#include "pocket/admin.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/log.h"
#include "pocket/engine/engine.h"
#include "pocket/pocket_impl.h"

// ---------------------------------------------------------------- the folder

static const char *faults_path(const struct pocket *p, struct buf *out)
{
	buf_printf(out, "%s/faults", p->root);
	return buf_cstr(out);
}

int admin_read_spec(const char *spec, struct buf *out, struct err *e)
{
	if (file_exists(spec))
		return file_read(spec, FAULTS_MAX_TEXT, out, e);
	buf_add(out, str_of(spec));
	return buf_check(out, e);
}

static void put_faults(struct pocket *p, struct faults *f)
{
	faults_free(p->faults);
	p->faults = f;
	p->faults_changed++;
}

int admin_load_faults(struct pocket *p, const char *spec, struct err *e)
{
	AUTO(buf) path = {0};
	AUTO(buf) text = {0};
	struct faults *f = NULL;
	if (!spec && !file_exists(faults_path(p, &path)))
		return 0;
	int rc = admin_read_spec(spec ? spec : buf_cstr(&path), &text, e);
	if (rc == 0)
		rc = faults_parse(buf_str(&text), &f, e);
	if (rc < 0)
		return rc;
	log_line(LOG_WARNING, "pocket cloud %s has faults, as it was told to", p->name);
	put_faults(p, f);
	return 0;
}

int admin_open(struct pocket *p, const char *certificate, struct err *e)
{
	unsigned char bits[(ADMIN_TOKEN_SIZE - 1) / 2];
	int rc = pocket_random(p, bits, sizeof(bits), e);
	if (rc < 0)
		return rc;
	hex_encode(str_bytes(bits, sizeof(bits)), p->admin_token);
	AUTO(json) j = json_object();
	json_object_set_new(j, "url", json_string(http_server_url(p->server)));
	json_object_set_new(j, "token", json_string(p->admin_token));
	if (certificate)
		json_object_set_new(j, "certificate", json_string(certificate));
	return pocket_write_json(p, "admin.json", j, e);
}

// ---------------------------------------------------------------- the route

static bool may(const struct front_request *r)
{
	struct str given = front_header(r, "authorization"), word, token;
	const char *wanted = r->pocket->admin_token;
	return address_is_loopback(&r->x->peer) && str_cut(given, ' ', &word, &token) &&
	       str_eq(word, S("Bearer")) && token.n == strlen(wanted) && hash_equal(token.p, wanted, token.n);
}

static void answer(struct front_request *r, json_t *made)
{
	AUTO(json) j = made;
	AUTO(buf) text = {0};
	if (json_write_pretty(j, &text, NULL) < 0) {
		http_reply_error(r->x, 503, "out of memory");
		return;
	}
	front_add(r, "content-type", S("application/json"));
	front_reply_buf(r, 200, &text);
}

static void tell(struct front_request *r)
{
	answer(r, faults_json(r->pocket->faults));
}

static void tell_status(struct front_request *r)
{
	const struct pocket *p = r->pocket;
	json_t *services = json_array();
	for (size_t i = 0; i < p->service_count; i++)
		json_array_append_new(services, json_string(p->front->services[i]->name));
	answer(r, json_pack("{s:s, s:s, s:s, s:I, s:o, s:o}", "name", p->name, "as", p->front->as, "url", p->url, "pace",
			  (json_int_t)p->pace, "services", services, "engine", engine_json(p->engine)));
}

static void set(struct front_request *r, struct str body)
{
	AUTO(buf) path = {0};
	struct faults *f = NULL;
	int rc = faults_parse(body, &f, &r->err);
	if (rc == 0)
		rc = file_write_atomic(faults_path(r->pocket, &path), body, 0600, &r->err);
	if (rc < 0) {
		faults_free(f);
		http_reply_error(r->x, err_http_status(rc), "%s", r->err.message);
		return;
	}
	put_faults(r->pocket, f);
	tell(r);
}

static void clear(struct front_request *r)
{
	AUTO(buf) path = {0};
	(void)unlink(faults_path(r->pocket, &path)); // absent is as good
	put_faults(r->pocket, NULL);
	tell(r);
}

// Errors of collecting the body are answered in the provider's form, which needs a state that this route has not.
static void collected(struct http_exchange *x, struct str body)
{
	struct front_request *r = x->data;
	set(r, body);
}

bool admin_takes(struct front_request *r)
{
	const struct http_request *q = &r->x->request;
	bool status = str_eq(q->path, S(ADMIN_STATUS_PATH));
	if (!status && !str_eq(q->path, S(ADMIN_FAULTS_PATH)))
		return false;
	if (!may(r))
		http_reply_error(r->x, 403, "this needs the token of admin.json in the pocket cloud's folder");
	else if (status && q->method == HTTP_GET)
		tell_status(r);
	else if (status)
		http_reply_error(r->x, 405, "GET");
	else if (q->method == HTTP_GET)
		tell(r);
	else if (q->method == HTTP_PUT)
		http_body_collect(r->x, FAULTS_MAX_TEXT, collected);
	else if (q->method == HTTP_DELETE)
		clear(r);
	else
		http_reply_error(r->x, 405, "GET, PUT or DELETE");
	return true;
}
