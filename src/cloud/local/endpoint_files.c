// SPDX-License-Identifier: Apache-2.0
// status.json of an endpoint: its generation, its replicas' processes and ports, and processes of older generations
// that end soon.
#include "base/file.h"
#include "cloud/job_files.h"
#include "cloud/local/local_impl.h"

static json_t *replica_to_json(const struct replica *r)
{
	json_t *j = job_process_to_json(&r->process);
	json_object_set_new(j, "port", json_integer(r->port));
	json_object_set_new(j, "started_ns", json_integer(r->started_ns));
	json_set_str(j, "url", r->url);
	return j;
}

static struct replica replica_of_json(struct call *c, const json_t *j)
{
	return (struct replica){
		.process = job_process_of_json(j),
		.port = json_int(j, "port", 0),
		.started_ns = json_int(j, "started_ns", 0),
		.url = arena_str(c->arena, json_str(j, "url")),
	};
}

int endpoint_files_read(struct call *c, const char *path, struct endpoint_files *out)
{
	const json_t *j = NULL;
	*out = (struct endpoint_files){0};
	int code = local_read_json(c, path, &j);
	if (code == ERR_NOT_FOUND) {
		err_clear(&c->err);
		return 0;
	}
	if (code)
		return code;
	out->generation = arena_str(c->arena, json_str(j, "generation"));
	const json_t *replicas = json_object_get(j, "replicas"), *retiring = json_object_get(j, "retiring");
	for (size_t i = 0; i < json_array_size(replicas) && i < ENDPOINT_MAX_REPLICAS; i++)
		out->replicas[out->count++] = replica_of_json(c, json_array_get(replicas, i));
	for (size_t i = 0; i < json_array_size(retiring) && i < ENDPOINT_MAX_RETIRING; i++) {
		const json_t *one = json_array_get(retiring, i);
		out->retiring[out->retiring_count++] = (struct retiring){
			.process = job_process_of_json(one), .since_ns = json_int(one, "since_ns", 0)};
	}
	return 0;
}

int endpoint_files_write(struct call *c, const char *path, const struct endpoint_files *f)
{
	AUTO(json) j = json_object();
	json_t *replicas = json_array(), *retiring = json_array(), *pids = json_array();
	for (size_t i = 0; i < f->count; i++) {
		json_array_append_new(replicas, replica_to_json(&f->replicas[i]));
		json_array_append_new(pids, json_integer(f->replicas[i].process.pid));
	}
	for (size_t i = 0; i < f->retiring_count; i++) {
		json_t *one = job_process_to_json(&f->retiring[i].process);
		json_object_set_new(one, "since_ns", json_integer(f->retiring[i].since_ns));
		json_array_append_new(retiring, one);
	}
	json_set_str(j, "generation", f->generation);
	json_set_str(j, "url", f->count ? f->replicas[0].url : S(""));
	json_object_set_new(j, "pids", pids);
	json_object_set_new(j, "replicas", replicas);
	json_object_set_new(j, "retiring", retiring);
	return local_write_json(c, path, j, 0600);
}
