// SPDX-License-Identifier: Apache-2.0
// A job as a process: its command, and the environment that SageMaker and its images give a container, with the paths
// below /opt/ml those of the work folder. Sources: "How Amazon SageMaker runs your training image", "SageMaker Training
// Toolkit: environment variables", "Build your own processing container".
#include <ctype.h>
#include <string.h>

#include "base/time.h"
#include "pocket/aws/sagemaker_impl.h"

static bool is_own_image(struct str image)
{
	struct str rest = image, last = image;
	while (str_cut(rest, '/', &last, &rest))
		;
	str_cut(last, '@', &last, &rest);
	str_cut(last, ':', &last, &rest);
	return str_eq(last, S("isobar"));
}

// With our own image the entry point is the program itself: what follows its name.
static json_t *argv_of(const json_t *program, struct str image, const char *otherwise)
{
	const json_t *entry = json_object_get(program, "ContainerEntrypoint");
	const json_t *arguments = json_object_get(program, "ContainerArguments");
	json_t *argv = json_array();
	size_t own = is_own_image(image) && str_eq(json_value_str(json_array_get(entry, 0)), S("isobar")) ? 1 : 0;
	for (size_t i = own; i < json_array_size(entry); i++)
		json_array_append(argv, json_array_get(entry, i));
	for (size_t i = 0; i < json_array_size(arguments); i++)
		json_array_append(argv, json_array_get(arguments, i));
	if (!json_array_size(argv) && otherwise)
		json_array_append_new(argv, json_string(otherwise));
	return argv;
}

static void set_path(struct arena *a, json_t *environment, const char *name, const char *folder, const char *below)
{
	json_set_str(environment, name, arena_printf(a, "%s%s%s", folder, below[0] ? "/" : "", below));
}

static void set_json(json_t *environment, const char *name, const json_t *value)
{
	AUTO(buf) text = {0};
	if (value && json_write(value, &text, NULL) == 0)
		json_set_str(environment, name, buf_str(&text));
}

// SM_CHANNEL_TRAIN and the like: upper case, and '_' for what a variable's name cannot have.
static void set_named(struct arena *a, json_t *environment, const char *before, const char *name, struct str value)
{
	char *variable = arena_cstr(a, arena_printf(a, "%s%s", before, name));
	for (char *p = variable; p && *p; p++)
		*p = (char)(isalnum((unsigned char)*p) ? toupper((unsigned char)*p) : '_');
	if (variable)
		json_set_str(environment, variable, value);
}

static void training_environment(
	struct arena *a, const json_t *in, const struct engine_place *place, json_t *environment)
{
	json_t *channels = json_array(), *hosts = json_pack("[s]", "algo-1");
	const json_t *channel, *value;
	const char *key;
	size_t i;
	json_array_foreach(json_object_get(in, "InputDataConfig"), i, channel)
	{
		const char *name = json_text(channel, "ChannelName");
		json_array_append_new(channels, json_string(name));
		set_named(a, environment, "SM_CHANNEL_", name, arena_printf(a, "%s/data/%s", place->input, name));
	}
	json_object_foreach((json_t *)(uintptr_t)json_object_get(in, "HyperParameters"), key, value)
		set_named(a, environment, "SM_HP_", key, json_value_str(value));
	set_json(environment, "SM_CHANNELS", channels);
	set_json(environment, "SM_HPS", json_object_get(in, "HyperParameters"));
	set_json(environment, "SM_HOSTS", hosts);
	json_set_str(environment, "SM_CURRENT_HOST", S("algo-1"));
	set_path(a, environment, "SM_MODEL_DIR", place->model, "");
	set_path(a, environment, "SM_INPUT_DIR", place->input, "");
	set_path(a, environment, "SM_INPUT_CONFIG_DIR", place->input, "config");
	set_path(a, environment, "SM_OUTPUT_DIR", place->output, "");
	set_path(a, environment, "SM_OUTPUT_DATA_DIR", place->output, "data");
	json_decref(channels);
	json_decref(hosts);
}

static void set_region(json_t *environment, const json_t *doc)
{
	json_set_str(environment, "AWS_REGION", json_str(doc, "region"));
	json_set_str(environment, "AWS_DEFAULT_REGION", json_str(doc, "region"));
}

static json_t *environment_of(
	struct arena *a, enum sm_type type, const json_t *doc, const struct engine_place *place)
{
	const json_t *in = json_object_get(doc, "in"), *own = json_object_get(in, "Environment");
	json_t *environment = json_object();
	set_region(environment, doc);
	if (type == SM_TRAINING) {
		training_environment(a, in, place, environment);
		json_set_str(environment, "TRAINING_JOB_NAME", json_str(doc, "name"));
		json_set_str(environment, "TRAINING_JOB_ARN", json_str(doc, "arn"));
	} else {
		set_path(a, environment, "SM_PROCESSING_DIR", place->work, "processing");
		json_set_str(environment, "PROCESSING_JOB_NAME", json_str(doc, "name"));
		json_set_str(environment, "PROCESSING_JOB_ARN", json_str(doc, "arn"));
	}
	if (own)
		json_object_update(environment, (json_t *)(uintptr_t)own);
	return environment;
}

int sm_job_spec(struct arena *a, enum sm_type type, const json_t *doc, const struct engine_place *place,
	struct engine_spec *out)
{
	bool trains = type == SM_TRAINING;
	const json_t *in = json_object_get(doc, "in");
	const json_t *program = json_object_get(in, trains ? "AlgorithmSpecification" : "AppSpecification");
	const json_t *cluster = trains ? json_object_get(in, "ResourceConfig")
				       : json_object_get(json_object_get(in, "ProcessingResources"), "ClusterConfig");
	const json_t *stopping = json_object_get(in, "StoppingCondition");
	struct str image = json_str(program, trains ? "TrainingImage" : "ImageUri");
	struct str instance = json_str(cluster, "InstanceType");
	json_t *environment = json_in_arena(a, environment_of(a, type, doc, place));
	*out = (struct engine_spec){.kind = ENGINE_JOB,
		.image = image,
		.argv = json_in_arena(a, argv_of(program, image, trains ? "train" : NULL)),
		.environment = environment,
		.memory = sm_shape_memory(instance),
		.cpu = sm_shape_cpu(instance),
		.deadline_ns = json_int(stopping, "MaxRuntimeInSeconds", 86400) * NS_PER_S,
		.spot = json_flag(in, "EnableManagedSpotTraining", false)};
	return out->argv && environment ? 0 : ERR_NO_MEMORY;
}

// ---------------------------------------------------------------- servers
int sm_server_spec(struct arena *a, const json_t *model, const json_t *variant, const struct engine_place *place,
	struct engine_spec *out)
{
	static const char *const ports[] = {"SAGEMAKER_BIND_TO_PORT", NULL};
	const json_t *container = json_object_get(model, "PrimaryContainer");
	if (!container)
		container = json_array_get(json_object_get(model, "Containers"), 0);
	const json_t *own = json_object_get(container, "Environment");
	struct str instance = json_str(variant, "instance");
	json_t *environment = json_object();
	set_region(environment, variant);
	set_path(a, environment, "SM_MODEL_DIR", place->model, "");
	if (own)
		json_object_update(environment, (json_t *)(uintptr_t)own);
	*out = (struct engine_spec){.kind = ENGINE_SERVER,
		.image = json_str(container, "Image"),
		.argv = json_in_arena(a, json_pack("[s]", "serve")),
		.environment = json_in_arena(a, environment),
		.memory = sm_shape_memory(instance),
		.cpu = sm_shape_cpu(instance),
		.port_variables = ports,
		.health_path = "/ping"};
	return out->argv && out->environment ? 0 : ERR_NO_MEMORY;
}
