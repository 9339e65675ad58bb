// SPDX-License-Identifier: Apache-2.0
// Credentials of Azure's storage: an account and its key, from the operator's file, AZURE_STORAGE_ACCOUNT and
// AZURE_STORAGE_KEY, or AZURE_STORAGE_CONNECTION_STRING. Source: "Configure Azure Storage connection strings".
#include "security/account_impl.h"

static int use_key(struct call *c, struct str account, struct str key, struct account *out)
{
	json_t *j = json_object();
	json_set_str(j, "account", account);
	json_set_str(j, "key", key);
	return account_credentials(c, j, out);
}

int account_azure_file(struct call *c, const struct account_search *s, struct account *out)
{
	const struct operator_credentials *from = &s->entry->credentials;
	struct str key = S("");
	if (!from->storage_account.n || !from->storage_key.name.n)
		return call_fail(c, ERR_INVALID,
			"credentials of clouds.%.*s in %.*s: write storage_account: and storage_key:",
			STR(s->entry->name), STR(s->op->path));
	int rc = account_secret(c, s, &from->storage_key, &key);
	out->source = arena_printf(c->arena, "clouds.%.*s of %.*s", STR(s->entry->name), STR(s->op->path));
	return rc < 0 ? rc : use_key(c, from->storage_account, key, out);
}

// "A=1;B=2==;": values may hold '='.
static struct str connection_part(struct str text, struct str wanted)
{
	struct str part, name, value;
	while (str_next(&text, ';', &part)) {
		if (str_cut(part, '=', &name, &value) && str_eq_nocase(str_trim(name), wanted))
			return value;
	}
	return S("");
}

static int use_connection(struct call *c, struct str text, const struct account_search *s, struct account *out)
{
	struct str account = connection_part(text, S("AccountName")), key = connection_part(text, S("AccountKey"));
	if (!account.n || !key.n)
		return call_fail(c, ERR_UNSUPPORTED,
			"AZURE_STORAGE_CONNECTION_STRING has no AccountName and AccountKey: shared access signatures "
			"are for "
			"a later release");
	if (s->request->environment_addresses)
		out->store_url = connection_part(text, S("BlobEndpoint"));
	out->source = S("AZURE_STORAGE_CONNECTION_STRING");
	return use_key(c, account, key, out);
}

int account_azure_ambient(struct call *c, const struct account_search *s, struct account *out)
{
	struct str account = account_variable("AZURE_STORAGE_ACCOUNT"), key = account_variable("AZURE_STORAGE_KEY"),
		   connection = account_variable("AZURE_STORAGE_CONNECTION_STRING");
	if (account.n && key.n) {
		out->source = S("AZURE_STORAGE_KEY");
		return use_key(c, account, key, out);
	}
	if (connection.n)
		return use_connection(c, connection, s, out);
	if (account_variable("AZURE_CLIENT_ID").n || account_variable("AZURE_FEDERATED_TOKEN_FILE").n)
		return call_fail(c, ERR_UNSUPPORTED,
			"AZURE_CLIENT_ID: identities of Azure are for a later release; this one uses a key of the "
			"storage "
			"account: AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY");
	return call_fail(c, ERR_NOT_FOUND,
		"no credentials of Azure: set AZURE_STORAGE_ACCOUNT and AZURE_STORAGE_KEY, or write "
		"clouds.%.*s.credentials into %.*s/operator.yaml",
		STR(s->request->cloud), STR(s->op->folder));
}
