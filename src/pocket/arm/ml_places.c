// SPDX-License-Identifier: Apache-2.0
// Where addresses of Azure ML lie in blobs. Source: "Data concepts in Azure Machine Learning: URIs" and "datastore URI
// formats" (Microsoft). The artifact store's container is "azureml"; the default datastore's carries the workspace's id.
#include "pocket/arm/ml_files_impl.h"

struct str ml_datastore_container(const struct arm_state *s, struct arena *a, struct str datastore)
{
	if (str_eq(datastore, S("workspaceartifactstore")))
		return S("azureml");
	struct str name = S("");
	if (str_eq(datastore, S("workspaceblobstore")))
		name = arena_printf(a, "azureml-blobstore-%.*s", STR(s->guid));
	return name.p ? name : S("");
}

// What stands between "/WORD/" and the next '/'; rest is what follows it.
static bool part_behind(struct str text, struct str word, struct str *part, struct str *rest)
{
	struct str before = S(""), piece;
	while (str_next(&text, '/', &piece)) {
		if (str_eq_nocase(before, word)) {
			*part = piece;
			*rest = text.p ? text : S("");
			return piece.n > 0;
		}
		before = piece;
	}
	return false;
}

static int datastore_place(struct arm_state *s, struct arena *a, struct str rest, struct ml_place *out, struct err *e)
{
	struct str name, path, after = S("");
	if (!part_behind(rest, S("datastores"), &name, &path) || !str_starts(path, S("paths")))
		return err_set(e, ERR_INVALID, "azureml://%.*s is not of the form azureml://datastores/NAME/paths/PATH",
			STR(str_clip(rest, 200)));
	after = str_drop(path, sizeof("paths") - 1);
	struct str container = ml_datastore_container(s, a, name);
	if (!container.n)
		return err_set(e, ERR_INVALID, "there is no datastore %.*s", STR(str_clip(name, 100)));
	*out = (struct ml_place){.container = container, .path = str_drop(after, str_starts(after, S("/")) ? 1 : 0)};
	return 0;
}

// https://ACCOUNT.blob.core.windows.net/CONTAINER/PATH, or as a pocket writes it: http://HOST/ACCOUNT/CONTAINER/PATH.
static int blob_place(struct arm_state *s, struct arena *a, struct str uri, struct ml_place *out, struct err *e)
{
	struct str scheme, rest, host, path, query;
	AUTO(buf) plain = {0};
	str_cut(uri, ':', &scheme, &rest);
	str_cut(str_drop(rest, 2), '?', &rest, &query);
	str_cut(rest, '/', &host, &path);
	struct str own = arena_printf(a, "%.*s.", STR(s->account)), below = arena_printf(a, "%.*s/", STR(s->account));
	if (str_starts(uri, s->origin) && str_starts(path, below))
		path = str_drop(path, below.n);
	else if (!str_starts(host, own))
		return err_set(e, ERR_INVALID, "%.*s is no blob of this account: a pocket cloud fetches nothing from elsewhere",
			STR(str_clip(uri, 200)));
	str_cut(path, '/', &out->container, &rest);
	if (sign_uri_decode(rest, false, &plain) < 0)
		return err_set(e, ERR_INVALID, "%.*s has an incomplete escape", STR(str_clip(uri, 200)));
	out->path = arena_str(a, buf_str(&plain));
	return out->path.p ? 0 : err_set(e, ERR_NO_MEMORY, "out of memory");
}

static int asset_place(struct arm_state *s, struct arena *a, struct str id, struct ml_place *out, struct err *e)
{
	static const char *const kinds[][2] = {{"data", "dataUri"}, {"models", "modelUri"}, {"codes", "codeUri"}};
	for (size_t i = 0; i < COUNT_OF(kinds); i++) {
		const json_t *doc = ml_asset_find(s, kinds[i][0], id);
		struct str uri = arm_text(doc, kinds[i][1]);
		bool nested = str_starts(uri, S("azureml:")) && !str_starts(uri, S("azureml://"));
		if (uri.n && !nested && uri.p[0] != '/')
			return ml_place_of(s, a, uri, out, e);
	}
	return err_set(e, ERR_INVALID, "%.*s is neither an address of blobs nor a version of data, models or codes",
		STR(str_clip(id, 200)));
}

int ml_place_of(struct arm_state *s, struct arena *a, struct str uri, struct ml_place *out, struct err *e)
{
	if (str_starts(uri, S("azureml://")))
		return datastore_place(s, a, str_drop(uri, 10), out, e);
	if (str_starts(uri, S("https://")) || str_starts(uri, S("http://")))
		return blob_place(s, a, uri, out, e);
	return asset_place(s, a, uri, out, e);
}
