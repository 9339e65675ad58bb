// SPDX-License-Identifier: Apache-2.0
// The real transport, on libcurl: see transport.h. A pool of easy handles, each used by one call at a time; a handle
// keeps the connections it opened, so that calls to one provider reuse them. Everything a call sets is set anew for
// each request.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/secret.h"
#include "base/time.h"
#include "cloud/http/curl_impl.h"
#include "cloud/http/transport.h"
#include "net/guard.h"

enum { POOL_SIZE = 16 }; // idle handles kept; a burst of more calls makes more and closes them after

struct idle {
	void *handle;
	int fd; // of the connection that it used last, libcurl's; -1: closed
};

struct curl_transport {
	struct curl_library curl;
	struct guard *guard;
	char *ca_file;               // NULL: libcurl's own
	char *ca_folder;             // NULL: libcurl's own
	bool only_ca;                // nothing but ca_file is trusted
	struct proxy_settings proxy; // texts owned
	int64_t head_ns, kept_ns;
	pthread_mutex_t lock;
	struct idle idle[POOL_SIZE];
	size_t idle_count;
};

// What the callbacks of one request share.
struct running {
	struct call *c;
	const struct transport_request *request;
	const struct curl_transport *transport;
	struct url url;
	struct proxy via;
	struct guard *via_guard; // owned; NULL: called directly
	int64_t sent_ns;         // when the request was out, on the monotonic clock; 0: not yet
	struct transport_response *out;
	struct sign_header headers[TRANSPORT_MAX_HEADERS]; // of *out, until they move into the arena
	struct str body_left;
	struct buf kept;
	size_t header_bytes;
	bool head_given;
	bool head_ended;   // the empty line after it came
	struct err failed; // by a callback; code 0: none
};

// Between two requests nothing may come. What does is a second answer to the last one (a broken server, or something
// between that repeats itself), and libcurl would take it for the answer to the next.
static bool is_spoilt(int fd)
{
	char byte;
	return fd >= 0 && recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0;
}

static void *take_handle(struct curl_transport *t)
{
	struct idle idle = {.fd = -1};
	pthread_mutex_lock(&t->lock);
	if (t->idle_count)
		idle = t->idle[--t->idle_count];
	pthread_mutex_unlock(&t->lock);
	if (idle.handle && is_spoilt(idle.fd)) {
		t->curl.easy_cleanup(idle.handle);
		idle.handle = NULL;
	}
	return idle.handle ? idle.handle : t->curl.easy_init();
}

static void give_handle(struct curl_transport *t, void *handle)
{
	int fd = -1;
	if (t->curl.easy_getinfo(handle, CURLINFO_ACTIVESOCKET, &fd) != CURLE_OK)
		fd = -1;
	t->curl.easy_reset(handle);
	pthread_mutex_lock(&t->lock);
	if (t->idle_count < POOL_SIZE) {
		t->idle[t->idle_count++] = (struct idle){.handle = handle, .fd = fd};
		handle = NULL;
	}
	pthread_mutex_unlock(&t->lock);
	if (handle)
		t->curl.easy_cleanup(handle);
}

// ---------------------------------------------------------------- callbacks

static size_t on_read(char *out, size_t size, size_t n, void *ctx)
{
	struct running *r = ctx;
	struct str piece = str_take(r->body_left, size * n);
	if (piece.n)
		memcpy(out, piece.p, piece.n);
	r->body_left = str_drop(r->body_left, piece.n);
	return piece.n;
}

static void add_header(struct running *r, struct str line)
{
	struct str name, value;
	struct transport_response *out = r->out;
	r->header_bytes += line.n;
	if (out->header_count == TRANSPORT_MAX_HEADERS || r->header_bytes > TRANSPORT_MAX_HEADER_BYTES) {
		err_set(&r->failed, ERR_LIMIT, "the answer has more than %d headers or %d bytes of them",
			TRANSPORT_MAX_HEADERS, TRANSPORT_MAX_HEADER_BYTES);
		return;
	}
	if (!str_cut(line, ':', &name, &value))
		return;
	struct sign_header *at = &out->headers[out->header_count++];
	at->name = arena_str(r->c->arena, str_trim(name));
	at->value = arena_str(r->c->arena, str_trim(value));
	if (!at->name.p || !at->value.p)
		err_set(&r->failed, ERR_NO_MEMORY, "out of memory");
}

// "HTTP/1.1 206 Partial Content": also of an interim answer, which the final one replaces.
static void start_answer(struct running *r, struct str line)
{
	struct str version, rest, status;
	uint64_t number = 0;
	str_cut(line, ' ', &version, &rest);
	str_cut(rest, ' ', &status, &rest);
	if (str_to_u64(status, &number) || number < 100 || number > 599)
		err_set(&r->failed, ERR_PROTOCOL, "the answer has no valid status");
	r->out->status = (int)number;
	r->out->header_count = 0;
	r->head_ended = false;
}

static size_t on_header(char *text, size_t size, size_t n, void *ctx)
{
	struct running *r = ctx;
	struct str line = str_trim((struct str){text, size * n});
	if (str_starts(line, S("HTTP/")))
		start_answer(r, line);
	else if (line.n)
		add_header(r, line);
	else
		r->head_ended = true;
	return r->failed.code ? 0 : size * n;
}

static bool is_streamed(const struct running *r)
{
	return r->request->data && (r->out->status == 200 || r->out->status == 206);
}

// Tells who wanted the body that it comes, once.
static int give_head(struct running *r)
{
	if (r->head_given || !is_streamed(r) || !r->request->head)
		return 0;
	r->head_given = true;
	return r->request->head(r->request->ctx, r->out);
}

static void keep_callback_error(struct running *r, int code)
{
	if (r->failed.code)
		return;
	// The callback may have told the call why; else the code speaks for itself.
	if (r->c->err.code == code)
		r->failed = r->c->err;
	else
		err_set(&r->failed, code, "the bytes that came could not be taken: %s", err_word(code));
}

static size_t on_write(char *bytes, size_t size, size_t n, void *ctx)
{
	struct running *r = ctx;
	struct str piece = {bytes, size * n};
	int code = give_head(r);
	if (!code && is_streamed(r))
		code = r->request->data(r->request->ctx, piece);
	if (code) {
		keep_callback_error(r, code);
		return 0;
	}
	if (!is_streamed(r))
		buf_add(&r->kept, piece);
	if (r->kept.failed)
		err_set(&r->failed, ERR_LIMIT, "the answer's body is larger than %d bytes", TRANSPORT_MAX_KEPT_BODY);
	return r->failed.code ? 0 : piece.n;
}

// A server that keeps the connection and says nothing, or a byte now and then, is told from one that works: the head
// has to come in time, and so has a body that is kept. A body that is streamed may take as long as it moves.
static bool is_too_slow(struct running *r, int64_t up)
{
	const struct curl_transport *t = r->transport;
	int64_t now_ns = call_mono_ns(r->c);
	if ((uint64_t)up < r->request->body.n || !r->sent_ns)
		r->sent_ns = now_ns;
	int64_t waited_ns = now_ns - r->sent_ns;
	bool late = !r->head_ended ? waited_ns > t->head_ns : !is_streamed(r) && waited_ns > t->kept_ns;
	if (late && !r->failed.code)
		err_set(&r->failed, ERR_UNAVAILABLE, "%.*s:%u does not answer: %s for %lld s",
			STR(r->url.authority.host), r->url.port, r->head_ended ? "its answer has no end" : "no answer",
			(long long)(waited_ns / NS_PER_S));
	return late;
}

static int on_progress(void *ctx, int64_t down_all, int64_t down, int64_t up_all, int64_t up)
{
	(void)down_all, (void)down, (void)up_all;
	struct running *r = ctx;
	return (r->c->cancel && atomic_load(r->c->cancel)) || is_too_slow(r, up);
}

// The address a name resolved to is asked about before it is connected to, and it is this very one that is used.
static int on_socket(void *ctx, int purpose, struct curl_address *at)
{
	struct running *r = ctx;
	struct address address = {0};
	(void)purpose;
	if (at->size > sizeof(address.v6)) {
		err_set(&r->failed, ERR_UNSUPPORTED, "an address of family %d", at->family);
		return -1;
	}
	memcpy(&address.any, &at->address, at->size);
	address.size = at->size;
	if (r->via_guard ? proxy_check_address(r->via_guard, &r->via, &address, &r->failed)
			 : guard_check_address(r->transport->guard, &r->url, &address, &r->failed))
		return -1;
	return socket(at->family, at->socktype | SOCK_CLOEXEC, at->protocol);
}

// ---------------------------------------------------------------- one request

static struct curl_slist *add_line(
	const struct curl_library *curl, struct curl_slist *list, const char *line, bool *failed)
{
	struct curl_slist *longer = curl->slist_append(list, line);
	if (!longer)
		*failed = true;
	return longer ? longer : list;
}

// libcurl's own Expect and Accept are left out: providers need neither, and a signature must not meet surprises.
static struct curl_slist *make_headers(
	const struct curl_library *curl, const struct transport_request *request, bool *failed)
{
	struct curl_slist *list = add_line(curl, NULL, "Expect:", failed);
	list = add_line(curl, list, "Accept:", failed);
	for (size_t i = 0; i < request->header_count; i++) {
		AUTO(buf) line = {0};
		struct str name = request->headers[i].name, value = request->headers[i].value;
		// "Name;" is how libcurl is told of a header without a value.
		buf_printf(&line, value.n ? "%.*s: %.*s" : "%.*s;%.*s", STR(name), STR(value));
		if (line.failed || str_find_char(buf_str(&line), '\n') >= 0 || str_find_char(buf_str(&line), '\r') >= 0)
			*failed = true;
		else
			list = add_line(curl, list, buf_cstr(&line), failed);
	}
	return list;
}

static int64_t timeout_ms(const struct call *c)
{
	int64_t left = call_left_ns(c);
	return left == INT64_MAX ? 0 : left / NS_PER_MS + 1; // when it fires, the deadline has passed
}

// No function to seek by: libcurl would use it to send a body again by itself when a kept connection turns out to be
// closed, and whoever sent a condition must know that it went out twice.
static void set_callbacks(const struct curl_library *curl, void *handle, struct running *r)
{
	curl->easy_setopt(handle, CURLOPT_WRITEFUNCTION, on_write);
	curl->easy_setopt(handle, CURLOPT_WRITEDATA, r);
	curl->easy_setopt(handle, CURLOPT_READFUNCTION, on_read);
	curl->easy_setopt(handle, CURLOPT_READDATA, r);
	curl->easy_setopt(handle, CURLOPT_HEADERFUNCTION, on_header);
	curl->easy_setopt(handle, CURLOPT_HEADERDATA, r);
	curl->easy_setopt(handle, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl->easy_setopt(handle, CURLOPT_OPENSOCKETDATA, r);
	curl->easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl->easy_setopt(handle, CURLOPT_XFERINFODATA, r);
	curl->easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
}

static void set_limits(const struct curl_library *curl, void *handle, const struct running *r)
{
	curl->easy_setopt(handle, CURLOPT_TIMEOUT_MS, (long)timeout_ms(r->c));
	curl->easy_setopt(handle, CURLOPT_CONNECTTIMEOUT_MS, (long)TRANSPORT_CONNECT_MS);
	curl->easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl->easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, (long)TRANSPORT_STALL_S);
	curl->easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
	curl->easy_setopt(handle, CURLOPT_BUFFERSIZE, 256L << 10);
	curl->easy_setopt(handle, CURLOPT_PROTOCOLS, (long)CURL_PROTO_HTTP_HTTPS);
	curl->easy_setopt(handle, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_1_1);
	curl->easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 0L);
	curl->easy_setopt(handle, CURLOPT_PATH_AS_IS, 1L);
}

// libcurl reads proxies and certificates from the environment in ways of its own: it is told everything.
static void set_way(const struct curl_library *curl, void *handle, const struct running *r, const char *proxy)
{
	const struct curl_transport *t = r->transport;
	curl->easy_setopt(handle, CURLOPT_PROXY, proxy); // "": none
	curl->easy_setopt(handle, CURLOPT_NOPROXY, "");
	if (*proxy) {
		curl->easy_setopt(handle, CURLOPT_PROXYTYPE, 0L); // http
		curl->easy_setopt(handle, CURLOPT_HTTPPROXYTUNNEL, 1L);
		curl->easy_setopt(handle, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
	}
	if (t->ca_file)
		curl->easy_setopt(handle, CURLOPT_CAINFO, t->ca_file);
	if (t->ca_folder || t->only_ca)
		curl->easy_setopt(handle, CURLOPT_CAPATH, t->only_ca ? NULL : t->ca_folder);
}

static void set_method(const struct curl_library *curl, void *handle, const struct transport_request *request)
{
	if (strcmp(request->method, "HEAD") == 0) {
		curl->easy_setopt(handle, CURLOPT_NOBODY, 1L);
		return;
	}
	bool body = request->body.n || strcmp(request->method, "PUT") == 0 || strcmp(request->method, "POST") == 0;
	if (body) {
		curl->easy_setopt(handle, CURLOPT_UPLOAD, 1L);
		curl->easy_setopt(handle, CURLOPT_INFILESIZE_LARGE, (int64_t)request->body.n);
		// On a kept connection that ends without an answer libcurl sends a request without a body again by itself.
		curl->easy_setopt(handle, CURLOPT_FRESH_CONNECT, request->body.n ? 0L : 1L);
	}
	curl->easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request->method);
}

static int fail(struct running *r, int code, const char *text)
{
	int rc = call_check(r->c);
	if (rc)
		return rc;
	if (r->failed.code) {
		r->c->err = r->failed;
		return r->failed.code;
	}
	if (r->via.used && strstr(text, "CONNECT tunnel failed")) {
		bool denied = strstr(text, "response 403") || strstr(text, "response 407");
		return call_fail(r->c, denied ? ERR_DENIED : ERR_UNAVAILABLE,
			"the proxy %.*s:%u opens no tunnel to %.*s:%u: %s", STR(r->via.url.authority.host),
			r->via.url.port, STR(r->url.authority.host), r->url.port, text);
	}
	switch (code) {
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CACERT_BADFILE:
		return call_fail(r->c, ERR_DENIED, "the certificate of %.*s is not trusted: %s",
			STR(r->url.authority.host), text);
	case CURLE_OPERATION_TIMEDOUT:
		return call_fail(r->c, ERR_UNAVAILABLE, "%.*s:%u does not answer: %s", STR(r->url.authority.host),
			r->url.port, text);
	case CURLE_WEIRD_SERVER_REPLY:
		return call_fail(r->c, ERR_PROTOCOL, "%.*s:%u does not speak HTTP: %s", STR(r->url.authority.host),
			r->url.port, text);
	case CURLE_OUT_OF_MEMORY:
		return call_no_memory(r->c);
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
		return call_fail(r->c, ERR_UNAVAILABLE, "%.*s:%u cannot be reached: %s", STR(r->url.authority.host),
			r->url.port, text);
	default:
		return call_fail(r->c, ERR_UNAVAILABLE, "the exchange with %.*s:%u was cut: %s",
			STR(r->url.authority.host), r->url.port, text);
	}
}

// With its user and password, for libcurl; "" when the call goes directly. NULL without memory.
static const char *proxy_text(const struct running *r)
{
	return r->via.used ? arena_cstr(r->c->arena, r->via.text) : "";
}

static int run(struct running *r, void *handle, const char *url)
{
	const char *proxy = proxy_text(r);
	const struct curl_library *curl = &r->transport->curl;
	char text[CURL_ERROR_TEXT] = "";
	bool failed = false;
	struct curl_slist *headers = make_headers(curl, r->request, &failed);
	if (failed || !proxy) {
		curl->slist_free_all(headers);
		return call_fail(r->c, ERR_INVALID, "a header of the request has a line end in it, or memory ended");
	}
	curl->easy_setopt(handle, CURLOPT_URL, url);
	curl->easy_setopt(handle, CURLOPT_ERRORBUFFER, text);
	curl->easy_setopt(handle, CURLOPT_HTTPHEADER, headers);
	set_limits(curl, handle, r);
	set_way(curl, handle, r, proxy);
	set_callbacks(curl, handle, r);
	set_method(curl, handle, r->request);
	int code = curl->easy_perform(handle);
	curl->slist_free_all(headers);
	if (code != CURLE_OK)
		return fail(r, code, text[0] ? text : curl->easy_strerror(code));
	if (!r->head_ended) // libcurl takes a connection that ends within the head for the end of an answer
		return call_fail(r->c, ERR_UNAVAILABLE,
			"the exchange with %.*s:%u was cut: the answer's head has no end", STR(r->url.authority.host),
			r->url.port);
	if ((code = give_head(r))) {
		keep_callback_error(r, code);
		r->c->err = r->failed;
	}
	return code;
}

// What lived beside the request goes where it outlives it.
static int move_answer(struct running *r)
{
	struct transport_response *out = r->out;
	struct sign_header *headers = arena_new_array(r->c->arena, out->header_count + 1, struct sign_header);
	out->body = arena_str(r->c->arena, buf_str(&r->kept));
	if (!headers || !out->body.p)
		return call_no_memory(r->c);
	memcpy(headers, out->headers, out->header_count * sizeof(*headers));
	out->headers = headers;
	return 0;
}

static int perform(struct call *c, void *ctx, const struct transport_request *request, struct transport_response *out)
{
	struct curl_transport *t = ctx;
	struct transport_response answer = {0};
	struct running r = {.c = c, .request = request, .transport = t, .out = &answer, .body_left = request->body};
	answer.headers = r.headers;
	char *url = arena_cstr(c->arena, request->url);
	if (!url)
		return call_no_memory(c);
	int code = call_check(c);
	if (!code)
		code = url_parse(request->url, &r.url, &c->err);
	if (!code)
		code = guard_check_url(t->guard, &r.url, &c->err);
	if (!code)
		code = proxy_for(&t->proxy, &r.url, &r.via, &c->err);
	if (!code && r.via.used)
		code = proxy_guard(&r.via, &r.via_guard, &c->err);
	void *handle = code ? NULL : take_handle(t);
	if (!code && !handle)
		code = call_no_memory(c);
	if (code) {
		guard_free(r.via_guard);
		return code;
	}
	r.kept.limit = TRANSPORT_MAX_KEPT_BODY;
	code = run(&r, handle, url);
	give_handle(t, handle);
	guard_free(r.via_guard);
	if (!code)
		code = move_answer(&r);
	buf_free(&r.kept);
	if (!code)
		*out = answer;
	return code;
}

static void free_text(struct str text)
{
	if (text.n) // a proxy's password may be in it
		secret_wipe((char *)(uintptr_t)text.p, text.n);
	free((char *)(uintptr_t)text.p);
}

static void close_transport(void *ctx)
{
	struct curl_transport *t = ctx;
	for (size_t i = 0; i < t->idle_count; i++)
		t->curl.easy_cleanup(t->idle[i].handle);
	pthread_mutex_destroy(&t->lock);
	guard_free(t->guard);
	free(t->ca_file);
	free(t->ca_folder);
	free_text(t->proxy.https);
	free_text(t->proxy.http);
	free_text(t->proxy.no);
	free(t);
}

// ---------------------------------------------------------------- whom it trusts, and the way

static bool copy_text(struct str from, char **to)
{
	*to = from.n ? strndup(from.p, from.n) : NULL;
	return !from.n || *to;
}

// One file is all that libcurl takes. CAs beside the system's are that file, and the system's come from its folder,
// which the distributions fill with the same certificates.
static bool copy_trust(struct curl_transport *t, const struct transport_options *o)
{
	struct str file = str_of(getenv("SSL_CERT_FILE")), folder = str_of(getenv("SSL_CERT_DIR"));
	t->only_ca = o->ca_file.n > 0;
	if (t->only_ca)
		return copy_text(o->ca_file, &t->ca_file);
	if (o->trust_file.n && !folder.n)
		folder = S("/etc/ssl/certs");
	return copy_text(o->trust_file.n ? o->trust_file : file, &t->ca_file) && copy_text(folder, &t->ca_folder);
}

static bool copy_setting(struct str from, struct str *to)
{
	char *copy = NULL;
	bool fine = copy_text(from, &copy);
	*to = str_of(copy);
	if (!copy)
		to->p = NULL; // str_of gives a literal, which nobody may free
	return fine;
}

static bool copy_proxy(struct curl_transport *t, const struct transport_options *o)
{
	struct proxy_settings from;
	proxy_of_environment(&from);
	if (o->proxy)
		from = *o->proxy;
	return copy_setting(from.https, &t->proxy.https) && copy_setting(from.http, &t->proxy.http) &&
	       copy_setting(from.no, &t->proxy.no);
}

int curl_transport_open(const struct transport_options *o, struct http_transport *out, struct err *e)
{
	struct curl_transport *t = calloc(1, sizeof(*t));
	if (!t)
		return err_set(e, ERR_NO_MEMORY, "out of memory");
	pthread_mutex_init(&t->lock, NULL);
	int code = curl_library_load(&t->curl, e);
	if (!code)
		code = guard_new(o->hosts, o->host_count, &t->guard, e);
	if (!code && (!copy_trust(t, o) || !copy_proxy(t, o)))
		code = err_set(e, ERR_NO_MEMORY, "out of memory");
	t->head_ns = o->head_ns ? o->head_ns : TRANSPORT_HEAD_S * NS_PER_S;
	t->kept_ns = o->kept_ns ? o->kept_ns : TRANSPORT_KEPT_S * NS_PER_S;
	if (code) {
		close_transport(t);
		return code;
	}
	*out = (struct http_transport){.ctx = t, .perform = perform, .close = close_transport};
	return 0;
}
