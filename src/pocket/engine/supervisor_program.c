// SPDX-License-Identifier: Apache-2.0
// What a supervisor starts: the program, its environment, its folder, whose rights it has.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/process_tree.h"
#include "base/time.h"
#include "pocket/engine/supervisor_impl.h"

enum { MAX_ARGUMENTS = 10000, MAX_VARIABLES = 10000, NOT_FOUND = 127, NOT_EXECUTABLE = 126, DESCRIPTORS = 4096 };

static int no_memory(struct err *e)
{
	return err_set(e, ERR_NO_MEMORY, "out of memory");
}

// ---------------------------------------------------------------- once

// ROOT/engine/ID: the root is two above.
static int enter_namespace(struct supervisor *s, struct err *e)
{
	struct str path = str_of(s->folder);
	size_t at = path.n, slashes = 0;
	while (at && slashes < 2)
		slashes += path.p[--at] == '/';
	char *root = arena_cstr(&s->arena, str_take(path, at));
	return root ? sandbox_enter(root, s->folder + at + 1, e) : no_memory(e);
}

static int take_uid(struct supervisor *s, struct err *e)
{
	int rc = sandbox_uid_claim(s->place.work, &s->uid, e);
	if (rc < 0)
		return rc;
	s->report.uid = s->uid.uid;
	process_kill_uid(s->uid.uid); // left by a job that ended: the uid is this one's alone now
	if (lchown(s->place.work, s->uid.uid, s->uid.gid) < 0)
		return err_errno(e, "give %s to the program", s->place.work);
	return sandbox_give(&s->uid, s->place.work, e);
}

int supervisor_prepare(struct supervisor *s, struct err *e)
{
	int rc = engine_place_make(&s->arena, s->folder, &s->place, e);
	if (rc < 0)
		return rc;
	switch (sandbox_kind()) {
	case SANDBOX_OWN_UID:
		return take_uid(s, e);
	case SANDBOX_NAMESPACE:
		return enter_namespace(s, e);
	case SANDBOX_SAME_USER:
		break;
	}
	return 0;
}

// ---------------------------------------------------------------- the command

// "registry/isobar:1.0@sha256:..." has "isobar" as its last part.
static bool is_isobar(struct str image)
{
	struct str name = image;
	str_cut(image, '@', &name, &image);
	for (size_t i = name.n; i-- > 0;) {
		if (name.p[i] == '/') {
			name = str_drop(name, i + 1);
			break;
		}
	}
	str_cut(name, ':', &name, &image);
	return str_eq(name, S("isobar"));
}

static const char *search_path(struct supervisor *s, const char *program)
{
	const char *path = getenv("PATH");
	struct str rest = str_of(path ? path : "/usr/local/bin:/usr/bin:/bin"), folder;
	if (program[0] == '/')
		return program;
	while (!strchr(program, '/') && str_next(&rest, ':', &folder)) {
		const char *full = folder.n ? arena_printf(&s->arena, "%.*s/%s", STR(folder), program).p : NULL;
		if (full && folder.p[0] == '/' && access(full, X_OK) == 0)
			return full;
	}
	return NULL;
}

// The program cannot run, which is the user's affair: as a shell or a container would say it.
static int refuse(struct supervisor *s, int exit_code, const char *why)
{
	s->ended = true;
	s->report.exit_code = exit_code;
	(void)str_copy(s->report.reason, sizeof(s->report.reason), str_clip(str_of(why), ENGINE_REASON_SIZE - 1));
	engine_writer_line(&s->log, true, str_of(s->report.reason));
	return 0;
}

static int make_argv(struct supervisor *s, const char ***out, struct err *e)
{
	const json_t *texts = json_object_get(s->spec, "argv");
	size_t n = json_array_size(texts), at = 0;
	const char **argv = n <= MAX_ARGUMENTS ? arena_new_array(&s->arena, n + 2, const char *) : NULL;
	struct str image = json_str(s->spec, "image");
	if (!argv)
		return no_memory(e);
	if (is_isobar(image))
		argv[at++] = "self";
	for (size_t i = 0; i < n; i++) {
		argv[at] = json_string_value(json_array_get(texts, i));
		if (argv[at])
			at++;
	}
	if (at && !is_isobar(image)) {
		const char *program = search_path(s, argv[0]);
		if (!program)
			return refuse(s, NOT_FOUND,
				arena_printf(&s->arena, "program \"%s\" is in no folder of PATH: a pocket cloud runs the "
							"command of image \"%.*s\" on this machine",
					argv[0], STR(image))
					.p);
		argv[0] = program;
	}
	*out = argv;
	return at ? 0
		  : refuse(s, NOT_FOUND,
			    arena_printf(&s->arena,
				    "image \"%.*s\" comes without a command: a pocket cloud has no container "
				    "runtime, and only runs commands that are given",
				    STR(image))
				    .p);
}

// ---------------------------------------------------------------- environment

struct environment {
	struct supervisor *s;
	const char **all;
	size_t count;
	bool failed;
};

// The last value of a name counts; "K=V".
static void set(struct environment *env, const char *name, const char *value)
{
	struct str text = arena_printf(&env->s->arena, "%s=%s", name, value);
	size_t n = strlen(name) + 1, at = 0;
	while (at < env->count && strncmp(env->all[at], text.p ? text.p : "", n) != 0)
		at++;
	if (!text.p || at == MAX_VARIABLES) {
		env->failed = true;
		return;
	}
	env->all[at] = text.p;
	env->count += at == env->count;
}

static void set_passed(struct environment *env)
{
	static const char *const passed[] = {"PATH", "LANG", "TZ", "SSL_CERT_FILE", "SSL_CERT_DIR", "ASAN_OPTIONS",
		"UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"};
	for (size_t i = 0; i < COUNT_OF(passed); i++)
		if (getenv(passed[i]))
			set(env, passed[i], getenv(passed[i]));
}

static void set_threads(struct environment *env)
{
	char text[16];
	double cpu = json_num(env->s->spec, "cpu", 0);
	if (cpu <= 0 || cpu > 1024)
		return;
	snprintf(text, sizeof(text), "%d", (int)cpu + ((double)(int)cpu < cpu));
	set(env, "OMP_NUM_THREADS", text);
	set(env, "OPENBLAS_NUM_THREADS", text);
}

static void set_port(struct environment *env)
{
	char text[16];
	const json_t *names = json_object_get(env->s->spec, "port_variables");
	snprintf(text, sizeof(text), "%d", env->s->report.port);
	for (size_t i = 0; i < json_array_size(names); i++)
		set(env, json_string_value(json_array_get(names, i)), text);
	if (json_array_size(names))
		set(env, "ISOBAR_BIND", "127.0.0.1"); // there is no network of its own around it: nobody else's business
}

// Nothing of ours but what programs need to find their files; above all no credential.
static int make_environment(struct supervisor *s, const char ***out, struct err *e)
{
	struct environment env = {.s = s, .all = arena_new_array(&s->arena, MAX_VARIABLES + 1, const char *)};
	const char *name;
	json_t *value;
	if (!env.all)
		return no_memory(e);
	set_passed(&env);
	set(&env, "HOME", s->place.work);
	set(&env, "TMPDIR", s->place.tmp);
	set_threads(&env);
	json_t *given = json_object_get(s->spec, "environment");
	json_object_foreach (given, name, value)
		if (json_string_value(value) && name[0] && !strchr(name, '='))
			set(&env, name, json_string_value(value));
	set_port(&env);
	*out = env.all;
	return env.failed ? no_memory(e) : 0;
}

// A port of loopback that nobody has right now. Should somebody take it first, the server ends and gets another one.
static int pick_port(int *port, struct err *e)
{
	struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(any);
	AUTO(fd) fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&any, size) < 0 ||
		getsockname(fd, (struct sockaddr *)&any, &size) < 0)
		return err_errno(e, "find a free port");
	*port = ntohs(any.sin_port);
	return 0;
}

// ---------------------------------------------------------------- start

struct ends {
	int read, write;
};

static int make_pipe(struct ends *out, struct err *e)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_errno(e, "make a pipe");
	*out = (struct ends){.read = fds[0], .write = fds[1]};
	return fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 ? err_errno(e, "set up a pipe") : 0;
}

static int launch(struct supervisor *s, struct process_spec *spec, struct err *e)
{
	struct ends out = {-1, -1}, error = {-1, -1};
	int rc = make_pipe(&out, e);
	if (rc == 0)
		rc = make_pipe(&error, e);
	spec->out = out.write;
	spec->error = error.write;
	if (rc == 0)
		rc = process_start(spec, &s->report.program, e);
	fd_close(&out.write);
	fd_close(&error.write);
	if (rc < 0) {
		fd_close(&out.read);
		fd_close(&error.read);
		return rc;
	}
	s->out = (struct engine_stream){.fd = out.read};
	s->error = (struct engine_stream){.fd = error.read, .error = true};
	return 0;
}

int supervisor_start(struct supervisor *s, struct err *e)
{
	const char **argv = NULL, **environment = NULL;
	bool server = str_eq(json_str(s->spec, "kind"), S("server"));
	int rc = server ? pick_port(&s->report.port, e) : 0;
	if (rc == 0)
		rc = make_argv(s, &argv, e);
	if (rc < 0 || s->ended)
		return rc;
	rc = make_environment(s, &environment, e);
	if (rc < 0)
		return rc;
	struct process_spec spec = {.argv = argv,
		.environment = environment,
		.directory = s->place.work,
		.in = -1,
		.die_with_parent = true,
		.max_memory = sandbox_address_limit(s->memory),
		.max_descriptors = DESCRIPTORS,
		.uid = s->uid.uid,
		.gid = s->uid.gid};
	rc = launch(s, &spec, e);
	if (rc == ERR_NOT_FOUND || rc == ERR_DENIED || rc == ERR_INVALID)
		return refuse(s, rc == ERR_NOT_FOUND ? NOT_FOUND : NOT_EXECUTABLE, e->message);
	return rc;
}
