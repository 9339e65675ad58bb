// SPDX-License-Identifier: Apache-2.0
// Sets of countries: one bit a code of two letters.
#include "data/places.h"

#include <string.h>

// ISO 3166-1 alpha-2, all officially assigned codes, in order.
static const char countries[] =
	"ADAEAFAGAIALAMAOAQARASATAUAWAXAZBABBBDBEBFBGBHBIBJBLBMBNBOBQBRBSBTBVBWBYBZCACCCDCFCGCHCICKCLCMCNCOCRCUCVCWCXCYCZ"
	"DEDJDKDMDODZECEEEGEHERESETFIFJFKFMFOFRGAGBGDGEGFGGGHGIGLGMGNGPGQGRGSGTGUGWGYHKHMHNHRHTHUIDIEILIMINIOIQIRISITJEJM"
	"JOJPKEKGKHKIKMKNKPKRKWKYKZLALBLCLILKLRLSLTLULVLYMAMCMDMEMFMGMHMKMLMMMNMOMPMQMRMSMTMUMVMWMXMYMZNANCNENFNGNINLNONP"
	"NRNUNZOMPAPEPFPGPHPKPLPMPNPRPSPTPWPYQARERORSRURWSASBSCSDSESGSHSISJSKSLSMSNSOSRSSSTSVSXSYSZTCTDTFTGTHTJTKTLTM"
	"TNTOTRTTTVTWTZUAUGUMUSUYUZVAVCVEVGVIVNVUWFWSYEYTZAZMZW";
// The members of the European Union since 2020-02-01.
static const char members[] = "ATBEBGCYCZDEDKEEESFIFRGRHRHUIEITLTLULVMTNLPLPTROSESISK";

static bool is_in(const char *list, size_t size, struct str code)
{
	for (size_t i = 0; i + 1 < size; i += 2)
		if (list[i] == code.p[0] && list[i + 1] == code.p[1])
			return true;
	return false;
}

static bool is_shaped(struct str code)
{
	return code.n == 2 && code.p[0] >= 'A' && code.p[0] <= 'Z' && code.p[1] >= 'A' && code.p[1] <= 'Z';
}

static bool is_union(struct str code)
{
	return str_eq(code, S("EU"));
}

int places_check(struct str code, struct str *suggestion)
{
	static const char *const meant[][2] = {{"UK", "GB"}, {"EL", "GR"}, {"USA", "US"}, {"GER", "DE"}, {"EEA", "EU"}, {"UE", "EU"}};
	if (is_shaped(code) && (is_union(code) || is_in(countries, sizeof(countries), code)))
		return 0;
	struct str better = S("");
	for (size_t i = 0; i < COUNT_OF(meant); i++)
		if (str_eq_nocase(code, str_of(meant[i][0])))
			better = str_of(meant[i][1]);
	if (suggestion)
		*suggestion = better;
	return ERR_INVALID;
}

// ---------------------------------------------------------------- bits
static unsigned bit_of(struct str code)
{
	return (unsigned)(code.p[0] - 'A') * 26 + (unsigned)(code.p[1] - 'A');
}

static void set_bit(struct places *p, struct str code)
{
	unsigned bit = bit_of(code);
	p->bits[bit / 64] |= UINT64_C(1) << bit % 64;
}

static bool get_bit(const struct places *p, struct str code)
{
	unsigned bit = bit_of(code);
	return p->bits[bit / 64] >> bit % 64 & 1;
}

void places_add(struct places *p, struct str code)
{
	if (places_check(code, NULL))
		return;
	set_bit(p, code);
	for (size_t i = 0; is_union(code) && i + 1 < sizeof(members); i += 2)
		set_bit(p, str_bytes(members + i, 2));
}

bool places_hold(const struct places *p, struct str code)
{
	return p->any || (is_shaped(code) && get_bit(p, code));
}

bool places_empty(const struct places *p)
{
	uint64_t all = 0;
	for (size_t i = 0; i < PLACES_WORDS; i++)
		all |= p->bits[i];
	return !p->any && !all;
}

bool places_within(const struct places *inner, const struct places *outer)
{
	if (outer->any || inner->any)
		return outer->any;
	for (size_t i = 0; i < PLACES_WORDS; i++)
		if (inner->bits[i] & ~outer->bits[i])
			return false;
	return true;
}

struct places places_meet(const struct places *a, const struct places *b)
{
	if (a->any || b->any)
		return a->any ? *b : *a;
	struct places both = {0};
	for (size_t i = 0; i < PLACES_WORDS; i++)
		both.bits[i] = a->bits[i] & b->bits[i];
	return both;
}

// ---------------------------------------------------------------- forms
json_t *places_to_json(const struct places *p)
{
	if (p->any)
		return json_string("anywhere");
	json_t *list = json_array();
	bool whole_union = places_hold(p, S("EU"));
	for (unsigned bit = 0; bit < 26 * 26; bit++) {
		const char code[2] = {(char)('A' + bit / 26), (char)('A' + bit % 26)};
		struct str text = str_bytes(code, 2);
		if (!get_bit(p, text) || (whole_union && !is_union(text) && is_in(members, sizeof(members), text)))
			continue;
		json_array_append_new(list, json_of_str(text));
	}
	return list;
}

int places_of_json(const json_t *j, struct places *out, struct err *e)
{
	struct places p = {0};
	size_t i;
	const json_t *one;
	if (!j || json_is_null(j) || str_eq(json_value_str(j), S("anywhere"))) {
		*out = (struct places){.any = true};
		return 0;
	}
	if (!json_is_array(j))
		return err_set(e, ERR_CORRUPT, "places: neither \"anywhere\" nor a list");
	json_array_foreach(j, i, one) {
		if (places_check(json_value_str(one), NULL))
			return err_set(e, ERR_CORRUPT, "places: \"%.*s\" is no country", STR(str_clip(json_value_str(one), 20)));
		places_add(&p, json_value_str(one));
	}
	*out = p;
	return 0;
}

struct str places_text(const struct places *p, struct arena *a)
{
	if (p->any)
		return S("anywhere");
	if (places_empty(p))
		return S("nowhere");
	AUTO(json) list = places_to_json(p);
	AUTO(buf) text = {0};
	for (size_t i = 0; i < json_array_size(list); i++)
		buf_printf(&text, "%s%s", i ? ", " : "[", json_string_value(json_array_get(list, i)));
	buf_printf(&text, "]");
	return arena_str(a, buf_str(&text));
}
