// SPDX-License-Identifier: Apache-2.0
// The registry: versions of models and the aliases that point to them, as records in state ("model-version/...",
// "model-alias/...") and events (model.registered, model.promoted). A version never changes; its files lie on each of its clouds
// under models/NAME/VERSION/ with the same bytes. Results live in c->arena. Errors: state's, ERR_NOT_FOUND.
#ifndef ISOBAR_MODELS_REGISTRY_H
#define ISOBAR_MODELS_REGISTRY_H

#include "state/state.h"

struct model_version {
	struct str model, version; // "classifier", "3"
	struct str sha256;         // of weights.safetensors, hex
	struct str bucket;         // resource name of the bucket that holds it on each cloud: "lake"
	const json_t *metrics;     // measured so far: {"accuracy on prepared/test": 0.88}
	const json_t *lineage;     // {training, run, rounds, dataset, transform, sites}
	struct str *clouds;
	size_t cloud_count;
	int64_t created_ns;
};
struct model_alias_record {
	struct str model, alias, version;
	const json_t *needs; // [{need, measured}]
	int64_t at_ns;
};
struct str model_prefix(struct arena *a, struct str model, struct str version); // "models/classifier/3/"

MUST_CHECK int model_version_get(struct call *c, const struct state *s, struct str model, struct str version, struct model_version *out);
MUST_CHECK int model_version_list(struct call *c, const struct state *s, struct str model, struct model_version **out, size_t *count); // ascending
MUST_CHECK int model_alias_get(struct call *c, const struct state *s, struct str model, struct str alias, struct model_alias_record *out);

// The version that a run's weights have or will have: the one with the same training, run and digest, else the next number.
MUST_CHECK int model_version_of_run(struct call *c, const struct state *s, const struct model_version *wanted, struct str *version);
// Records v (version given) once; the same again is 0, another under that number ERR_EXISTS.
MUST_CHECK int model_register(struct call *c, const struct state *s, const struct model_version *v);
MUST_CHECK int model_record_metrics(struct call *c, const struct state *s, struct str model, struct str version, const json_t *metrics); // merged
// Points the alias to a version whose needs were measured and hold; the caller has checked them. The same again changes nothing.
MUST_CHECK int model_promote(struct call *c, const struct state *s, const struct model_alias_record *r);

#endif
