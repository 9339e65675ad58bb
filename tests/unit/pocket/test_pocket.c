// SPDX-License-Identifier: Apache-2.0
// Starting and ending a pocket cloud: ports, addresses, credentials, folders, the command itself as a process.
#include "pocket_fixture.h"

#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"

static int setup(UNUSED void **state)
{
	struct err e = {0};
	snprintf(cloud.folder, sizeof(cloud.folder), "/tmp/isobar-test-pocket-XXXXXX");
	return mkdtemp(cloud.folder) && guard_new_loopback(&cloud.guard, &e) == 0 ? 0 : -1;
}

static int teardown(UNUSED void **state)
{
	guard_free(cloud.guard);
	arena_free(&cloud.arena);
	return file_remove_tree(cloud.folder, NULL);
}

static int start(const char *listen, struct pocket **out, struct err *e)
{
	struct pocket_config config = {.as = "aws",
		.name = "x",
		.root = cloud.folder,
		.listen = str_of(listen),
		.loop = cloud.loop,
		.edges = edges_real()};
	return pocket_start(&config, out, e);
}

static int open_loop(void **state)
{
	struct err e = {0};
	int rc = setup(state);
	return rc < 0 ? rc : loop_new(&cloud.loop, &e);
}

static int close_loop(void **state)
{
	loop_free(cloud.loop);
	return teardown(state);
}

static void test_addresses(UNUSED void **state)
{
	static const struct {
		const char *listen;
		int code;
	} wrong[] = {{"0.0.0.0:0", ERR_DENIED}, {"[::]:0", ERR_DENIED}, {"192.0.2.1:80", ERR_DENIED},
		{"nonsense", ERR_INVALID}, {"127.0.0.1:99999", ERR_INVALID}};
	for (size_t i = 0; i < COUNT_OF(wrong); i++) {
		struct err e = {0};
		struct pocket *p = NULL;
		assert_int_equal(start(wrong[i].listen, &p, &e), wrong[i].code);
		assert_null(p);
	}
	struct err e = {0};
	struct pocket *p = NULL;
	struct pocket_config config = {.as = "aws",
		.name = "x",
		.root = cloud.folder,
		.listen = S("0.0.0.0:0"),
		.remote = true,
		.loop = cloud.loop,
		.edges = edges_real()};
	assert_int_equal(pocket_start(&config, &p, &e), ERR_DENIED); // the flag alone is not enough
	config.as = "ibm";
	config.listen = S("127.0.0.1:0");
	assert_int_equal(pocket_start(&config, &p, &e), ERR_INVALID);
	config.as = "aws";
	config.certificate = "/nowhere.pem";
	assert_int_equal(pocket_start(&config, &p, &e), ERR_INVALID);
	assert_non_null(strstr(e.message, "--key"));
}

static void test_port_is_remembered_or_another(UNUSED void **state)
{
	struct err e = {0};
	struct pocket *p = NULL;
	assert_int_equal(start("127.0.0.1:0", &p, &e), 0);
	struct str first = arena_str(&cloud.arena, str_of(pocket_url(p)));
	pocket_free(p);
	assert_int_equal(start("127.0.0.1:0", &p, &e), 0);
	assert_str(str_of(pocket_url(p)), first);
	pocket_free(p);
	// Somebody else has it now.
	struct address taken, bound;
	assert_int_equal(address_parse(str_drop(first, 7), &taken, &e), 0);
	AUTO(fd) fd = address_listen(&taken, false, &bound, &e);
	assert_true(fd >= 0);
	assert_int_equal(start("127.0.0.1:0", &p, &e), 0);
	struct str second = arena_str(&cloud.arena, str_of(pocket_url(p)));
	assert_false(str_eq(first, second));
	pocket_free(p);
	p = NULL;
	assert_int_equal(start(arena_cstr(&cloud.arena, str_drop(first, 7)), &p, &e), ERR_IN_USE); // this one or none
	assert_null(p);
}

static void test_one_process_a_folder(UNUSED void **state)
{
	struct err e = {0};
	struct pocket *p = NULL, *second = NULL;
	assert_int_equal(start("127.0.0.1:0", &p, &e), 0);
	assert_int_equal(start("127.0.0.1:0", &second, &e), ERR_IN_USE);
	assert_null(second);
	pocket_free(p);
}

static void test_files_are_private(UNUSED void **state)
{
	struct err e = {0};
	for (size_t i = 0; i < 3; i++) {
		static const char *const as[] = {"aws", "gcp", "azure"};
		struct pocket *p = NULL;
		struct stat st;
		char root[128], file[192];
		snprintf(root, sizeof(root), "%s/%s", cloud.folder, as[i]);
		snprintf(file, sizeof(file), "%s/credentials.json", root);
		struct pocket_config config = {.as = as[i],
			.name = "n",
			.root = root,
			.listen = S("127.0.0.1:0"),
			.loop = cloud.loop,
			.edges = edges_real()};
		assert_int_equal(pocket_start(&config, &p, &e), 0);
		assert_int_equal(stat(file, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		assert_int_equal(stat(root, &st), 0);
		assert_int_equal(st.st_mode & 0777, 0700);
		pocket_free(p);
		assert_int_equal(truncate(file, 3), 0); // spoilt credentials are never replaced silently
		assert_true(pocket_start(&config, &p, &e) < 0);
		assert_non_null(strstr(e.message, "credentials"));
	}
}

// ---------------------------------------------------------------- TLS

// A certificate for 127.0.0.1 that signs itself, and its key, in the test's folder.
static void make_certificate(const char *certificate_file, const char *key_file)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *certificate = X509_new();
	X509_set_version(certificate, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
	X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
	X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
	X509_NAME_add_entry_by_txt(
		X509_get_subject_name(certificate), "CN", MBSTRING_ASC, (const unsigned char *)"pocket", -1, -1, 0);
	X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
	X509_set_pubkey(certificate, key);
	X509_EXTENSION *name = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "IP:127.0.0.1");
	assert_true(name && X509_add_ext(certificate, name, -1) && X509_sign(certificate, key, EVP_sha256()));
	X509_EXTENSION_free(name);
	FILE *out = fopen(certificate_file, "w");
	assert_true(out && PEM_write_X509(out, certificate) && fclose(out) == 0);
	out = fopen(key_file, "w");
	assert_true(out && PEM_write_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL) && fclose(out) == 0);
	X509_free(certificate);
	EVP_PKEY_free(key);
}

static void test_tls(UNUSED void **state)
{
	struct err e = {0};
	struct pocket *p = NULL;
	char certificate[128], key[128], root[128];
	pthread_t thread;
	void *failed = NULL;
	snprintf(certificate, sizeof(certificate), "%s/cert.pem", cloud.folder);
	snprintf(key, sizeof(key), "%s/key.pem", cloud.folder);
	snprintf(root, sizeof(root), "%s/root", cloud.folder);
	make_certificate(certificate, key);
	struct pocket_config config = {.as = "aws",
		.name = "x",
		.root = root,
		.listen = S("0.0.0.0:0"),
		.certificate = certificate,
		.key = key,
		.remote = true,
		.loop = cloud.loop,
		.edges = edges_real()};
	if (pocket_start(&config, &p, &e) < 0) // asked for in full: allowed
		fail_msg("%s", e.message);
	pocket_free(p);
	config.listen = S("127.0.0.1:0");
	config.remote = false;
	assert_int_equal(pocket_start(&config, &p, &e), 0);
	assert_true(str_starts(str_of(pocket_url(p)), S("https://127.0.0.1:")));
	assert_int_equal(pthread_create(&thread, NULL, cloud_run, cloud.loop), 0);
	struct http_call_response response = {0};
	struct http_call_request request = {.url = str_of(pocket_url(p)), .guard = cloud.guard, .ca_file = certificate};
	call_init(&cloud.call, &cloud.arena, edges_real(), S("test"));
	if (http_call(&cloud.call, &request, &response) < 0)
		fail_msg("%s", cloud.call.err.message);
	assert_int_equal(response.status, 403);
	assert_contains(response.body, S("<Code>AccessDenied</Code>"));
	loop_stop(cloud.loop);
	pthread_join(thread, &failed);
	assert_null(failed);
	pocket_free(p);
}

// ---------------------------------------------------------------- the process

static pid_t run_command(const char *announce)
{
	pid_t child = fork();
	if (child == 0) {
		const struct command *const commands[] = {&pocket_command};
		char program[] = "isobar", name[] = "pocket";
		char *arguments[] = {program, name, (char[]){"--as=aws"}, (char[]){"--name=p"}, (char[]){"--root"},
			cloud.folder, (char[]){"--announce"}, (char *)(uintptr_t)announce, NULL};
		_exit(command_main(commands, 1, COUNT_OF(arguments) - 1, arguments, NULL));
	}
	return child;
}

static void wait_for(const char *path)
{
	for (int i = 0; i < 200 && !file_exists(path); i++)
		usleep(10000);
	assert_true(file_exists(path));
}

static void test_command(UNUSED void **state)
{
	char announce[128];
	struct err e = {0};
	AUTO(json) j = NULL;
	snprintf(announce, sizeof(announce), "%s/announce.json", cloud.folder);
	pid_t child = run_command(announce);
	wait_for(announce);
	assert_int_equal(json_parse_file(announce, 4096, &j, &e), 0);
	assert_int_equal(json_int(j, "pid", 0), child);
	assert_str(json_str(j, "as"), S("aws"));
	assert_true(str_starts(json_str(j, "url"), S("http://127.0.0.1:")));
	int status = 0;
	assert_int_equal(kill(child, SIGTERM), 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_command_refuses(UNUSED void **state)
{
	struct arguments a = {.error = fopen("/dev/null", "w"), .out = stdout};
	const void *none = calloc(1, pocket_command.options_size);
	a.options = none;
	assert_int_equal(pocket_command.run(&a), 2);
	fclose(a.error);
	free((void *)(uintptr_t)none);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_addresses, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(test_port_is_remembered_or_another, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(test_one_process_a_folder, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(test_files_are_private, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(test_tls, open_loop, close_loop),
		cmocka_unit_test_setup_teardown(test_command, setup, teardown),
		cmocka_unit_test_setup_teardown(test_command_refuses, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
