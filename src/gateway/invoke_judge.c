// SPDX-License-Identifier: Apache-2.0
// What an error of a provider means: see invoke.h. A model's own refusal is the client's business and reaches it in the
// model's words; what a provider says to us (accounts, roles, quotas) reaches only the record.
#include "gateway/invoke.h"

#include "base/time.h"

enum { MESSAGE_MAX = 1024 };
#define RETRY_AFTER_MAX_NS (10 * NS_PER_S)

// ---- the head

static int64_t seconds_of(struct str digits)
{
	int64_t value = 0;
	for (size_t i = 0; i < digits.n; i++) {
		if (digits.p[i] < '0' || digits.p[i] > '9' || i >= 6)
			return 0;
		value = value * 10 + (digits.p[i] - '0');
	}
	return value;
}

void invoke_error_head(
	enum upstream_service service, const struct http_response *answer, struct arena *a, struct invoke_error *out)
{
	struct str type = http_header_get(&answer->headers, "x-amzn-errortype"), rest;
	*out = (struct invoke_error){.service = service, .status = answer->status};
	str_cut(type, ':', &type, &rest); // "ValidationError:http://internal.amazon.com/..."
	out->type = arena_str(a, type);
	out->original = arena_str(a, http_header_get(&answer->headers, "ms-azureml-model-error-statuscode"));
	if (time_parse_http_date(http_header_get(&answer->headers, "date"), &out->date_ns))
		out->date_ns = 0;
	out->retry_after_ns = MIN(
		seconds_of(http_header_get(&answer->headers, "retry-after")) * NS_PER_S, RETRY_AFTER_MAX_NS);
}

// ---- what it says

struct said { // of a provider's error
	struct str code, message;
	struct str model; // what the model's server answered, when the provider quotes it; .p NULL: it does not
	int original;     // its status; 0: not told
	bool of_provider; // in the provider's own form: not the model's words
};

static int status_number(struct str digits)
{
	int64_t value = digits.n == 3 ? seconds_of(digits) : 0;
	return value >= 100 ? (int)value : 0;
}

static void read_sagemaker(const struct invoke_error *error, const json_t *json, struct said *out)
{
	struct str type = json_str(json, "__type");
	out->of_provider = true;
	out->code = error->type.n ? error->type : type.n ? type : json_str(json, "ErrorCode");
	out->message = json_str(json, "Message");
	if (out->message.n == 0)
		out->message = json_str(json, "message");
	if (!str_eq(out->code, S("ModelError")) && error->status != 424)
		return;
	int64_t original = json_int(json, "OriginalStatusCode", 0);
	out->original = original >= 100 && original <= 599 ? (int)original : 0;
	out->model = json_str(json, "OriginalMessage");
	out->of_provider = false;
}

static void read_vertex(const json_t *json, struct said *out)
{
	const json_t *error = json_object_get(json, "error");
	out->of_provider = json_is_object(error);
	out->code = json_str(error, "status");
	out->message = json_str(error, "message");
}

static void read_azureml(const struct invoke_error *error, const json_t *json, struct said *out)
{
	const json_t *inner = json_object_get(json, "error");
	out->original = status_number(error->original);
	out->of_provider = json_is_object(inner);
	out->code = json_str(inner, "code");
	out->message = json_str(inner, "message");
}

static void read_said(const struct invoke_error *error, const json_t *json, struct said *out)
{
	*out = (struct said){0};
	if (error->service == UPSTREAM_SAGEMAKER)
		read_sagemaker(error, json, out);
	else if (error->service == UPSTREAM_VERTEX)
		read_vertex(json, out);
	else
		read_azureml(error, json, out);
	if (!out->of_provider && !out->model.p)
		out->model = error->body;
}

// ---- the verdict

static bool has(struct str text, const char *word)
{
	return str_find(text, str_of(word)) >= 0;
}

static bool is_about_credentials(struct str code)
{
	static const char *const codes[] = {"ExpiredToken", "InvalidSignature", "SignatureDoesNotMatch", "AccessDenied",
		"UnrecognizedClient", "IncompleteSignature", "MissingAuthenticationToken", "InvalidClientTokenId",
		"RequestTimeTooSkewed"};
	for (size_t i = 0; i < COUNT_OF(codes); i++)
		if (has(code, codes[i]))
			return true;
	return false;
}

// A 400 in the provider's own words is either about the endpoint or about the request.
static enum invoke_verdict verdict_of_400(const struct said *said)
{
	if (has(said->code, "Throttl") || has(said->code, "TooManyRequests"))
		return INVOKE_BUSY;
	if (is_about_credentials(said->code) || str_eq(said->code, S("FAILED_PRECONDITION")) ||
		has(said->message, "not found") || has(said->message, "InService") || has(said->message, "in service"))
		return INVOKE_UNUSABLE;
	if (has(said->message, "too large") || has(said->message, "exceeds") || has(said->message, "payload size"))
		return INVOKE_TOO_LARGE;
	return INVOKE_REFUSED;
}

static enum invoke_verdict verdict_of_model(int status)
{
	if (status == 429)
		return INVOKE_BUSY;
	if (status == 408 || status == 504)
		return INVOKE_SLOW;
	return status >= 400 && status < 500 ? INVOKE_REFUSED : INVOKE_FAILED;
}

static enum invoke_verdict verdict_of(const struct invoke_error *error, const struct said *said)
{
	bool of_model = error->status == 424 || (error->service == UPSTREAM_SAGEMAKER && str_eq(said->code, S("ModelError")));
	if (of_model)
		return verdict_of_model(said->original);
	switch (error->status) {
	case 400:
		return said->of_provider ? verdict_of_400(said) : INVOKE_REFUSED;
	case 401:
	case 403:
	case 404:
		return INVOKE_UNUSABLE;
	case 413:
		return INVOKE_TOO_LARGE;
	case 408:
	case 504:
		return INVOKE_SLOW;
	case 429:
		return INVOKE_BUSY;
	default:
		// Vertex hands a container's statuses on as they are.
		return error->status < 500 && !said->of_provider && error->status >= 400 ? INVOKE_REFUSED : INVOKE_FAILED;
	}
}

static int status_of(const struct invoke_error *error, const struct said *said, enum invoke_verdict verdict)
{
	switch (verdict) {
	case INVOKE_REFUSED:
		return said->original ? said->original : error->status;
	case INVOKE_TOO_LARGE:
		return 413;
	case INVOKE_BUSY:
		return 429;
	case INVOKE_SLOW:
		return 504;
	case INVOKE_FAILED:
		if (said->original >= 500)
			return said->original;
		return error->status == 503 ? 503 : !said->of_provider && error->status == 500 ? 500 : 502;
	case INVOKE_UNUSABLE:
		break;
	}
	return 502;
}

// ---- words

// {"error": "..."} of a model's server, or its plain words.
static struct str words_of_model(struct str text, struct arena *a)
{
	AUTO(json) json = NULL;
	if (json_parse(text, &json, NULL) == 0) {
		struct str inner = json_str(json, "error");
		return inner.n ? arena_str(a, str_take(inner, MESSAGE_MAX)) : S("");
	}
	return str_starts(str_trim(text), S("<")) || str_starts(str_trim(text), S("{")) ? S("")
										 : str_take(str_trim(text), MESSAGE_MAX);
}

// Vertex may wrap the words of a model's server into its own form.
static struct str quoted(const struct said *said, enum upstream_service service)
{
	if (!said->of_provider)
		return said->model;
	return service == UPSTREAM_VERTEX ? said->message : S("");
}

static struct str words_for_client(
	const struct said *said, const struct invoke_judgement *judged, enum upstream_service service, struct arena *a)
{
	static const char *const plain[] = {
		[INVOKE_REFUSED] = "the model does not take this request",
		[INVOKE_TOO_LARGE] = "the request is larger than the endpoint's cloud takes",
		[INVOKE_BUSY] = "the endpoint has more requests than it can take; try again in a moment",
		[INVOKE_UNUSABLE] = "the endpoint cannot be used by the gateway at present",
		[INVOKE_FAILED] = "the endpoint failed",
		[INVOKE_SLOW] = "the endpoint did not answer in time",
	};
	struct str words = S("");
	if (judged->verdict == INVOKE_REFUSED || (judged->verdict == INVOKE_FAILED && !said->of_provider))
		words = words_of_model(quoted(said, service), a);
	return words.n ? words : str_of(plain[judged->verdict]);
}

static struct str error_json(struct str words, struct arena *a)
{
	AUTO(json) json = json_object();
	AUTO(buf) text = {0};
	json_set_str(json, "error", words);
	if (!json || json_write(json, &text, NULL))
		return (struct str){0};
	buf_add_char(&text, '\n');
	return text.failed ? (struct str){0} : arena_str(a, buf_str(&text));
}

void invoke_judge(const struct invoke_error *error, struct arena *a, struct invoke_judgement *out)
{
	AUTO(json) json = NULL;
	struct said said;
	if (error->body.n && json_parse(error->body, &json, NULL))
		json = NULL;
	read_said(error, json, &said);
	enum invoke_verdict verdict = verdict_of(error, &said);
	int status = status_of(error, &said, verdict);
	bool of_model = !said.of_provider && verdict == INVOKE_FAILED;
	*out = (struct invoke_judgement){
		.verdict = verdict,
		// As from an open endpoint: a model's 500 is an answer, and would be the same elsewhere.
		.elsewhere = verdict != INVOKE_REFUSED && !(of_model && status == 500),
		.carried_out = verdict == INVOKE_FAILED || verdict == INVOKE_SLOW || verdict == INVOKE_REFUSED,
		.status = status,
		.credentials = verdict == INVOKE_UNUSABLE &&
			       (error->status == 401 || error->status == 403 || is_about_credentials(said.code)),
	};
	out->body = error_json(words_for_client(&said, out, error->service, a), a);
	struct str message = said.message.n ? said.message : words_of_model(said.model, a);
	out->reason = arena_printf(a, "%s answered %d%s%.*s%s%.*s", upstream_service_word(error->service), error->status,
		said.code.n ? " " : "", STR(str_take(said.code, 64)), message.n ? ": " : "",
		STR(str_take(message, INVOKE_REASON_MAX)));
	if (!out->reason.p)
		out->reason = S("the endpoint's cloud answered an error");
}
