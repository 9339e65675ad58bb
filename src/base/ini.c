// SPDX-License-Identifier: Apache-2.0
// A reader of sectioned text, one line at a time: see ini.h.
#include "base/ini.h"

int ini_begin(struct ini *ini, struct str text, struct err *e)
{
	if (text.n > INI_MAX_BYTES)
		return err_set(e, ERR_LIMIT, "the text is larger than %d bytes", INI_MAX_BYTES);
	*ini = (struct ini){.rest = text};
	return 0;
}

static bool is_space(char ch)
{
	return ch == ' ' || ch == '\t';
}

static bool is_clean(struct str line)
{
	for (size_t i = 0; i < line.n; i++) {
		unsigned char ch = (unsigned char)line.p[i];
		if ((ch < ' ' && ch != '\t') || ch == 0x7f)
			return false;
	}
	return true;
}

// "value ; why" -> "value": a comment needs white space before it, since keys may hold both signs.
static struct str without_comment(struct str value)
{
	for (size_t i = 1; i < value.n; i++) {
		if ((value.p[i] == '#' || value.p[i] == ';') && is_space(value.p[i - 1]))
			return str_trim(str_take(value, i));
	}
	return value;
}

static int read_section(struct ini *ini, struct str line, struct ini_entry *out, struct err *e)
{
	struct str name, behind;
	if (!str_cut(str_drop(line, 1), ']', &name, &behind) || !str_trim(name).n)
		return err_set(e, ERR_INVALID, "line %d: a section is written [NAME]", ini->line);
	behind = str_trim(behind);
	if (behind.n && behind.p[0] != '#' && behind.p[0] != ';')
		return err_set(e, ERR_INVALID, "line %d: nothing may stand behind a section's name", ini->line);
	ini->section = str_trim(name);
	ini->nested = false;
	*out = (struct ini_entry){.section = ini->section, .line = ini->line};
	return 1;
}

// 1: an entry; 0: nothing on this line.
static int read_line(struct ini *ini, struct str line, struct ini_entry *out, struct err *e)
{
	struct str name, value, text = str_trim(line);
	if (!text.n || text.p[0] == '#' || text.p[0] == ';')
		return 0;
	if (!is_clean(text)) // and is not repeated: it may be a key
		return err_set(e, ERR_INVALID, "line %d has control characters", ini->line);
	if (is_space(line.p[0]) && ini->nested)
		return 0;
	if (text.p[0] == '[')
		return read_section(ini, text, out, e);
	if (!str_cut(text, '=', &name, &value) || !str_trim(name).n)
		return err_set(e, ERR_INVALID, "line %d is neither [SECTION] nor NAME = VALUE", ini->line);
	if (!ini->section.n)
		return err_set(e, ERR_INVALID, "line %d stands before the first [SECTION]", ini->line);
	value = str_trim(value);
	ini->nested = !value.n;
	*out = (struct ini_entry){
		.section = ini->section, .name = str_trim(name), .value = without_comment(value), .line = ini->line};
	return 1;
}

int ini_next(struct ini *ini, struct ini_entry *out, struct err *e)
{
	struct str line;
	while (str_next(&ini->rest, '\n', &line)) {
		ini->line++;
		int rc = read_line(ini, line, out, e);
		if (rc)
			return rc;
	}
	return 0;
}

int ini_find(struct str text, struct str section, struct str name, struct str *value, bool *has_section, struct err *e)
{
	struct ini ini;
	struct ini_entry entry;
	struct str found = S("");
	bool has = false;
	int rc = ini_begin(&ini, text, e);
	while (rc >= 0 && (rc = ini_next(&ini, &entry, e)) > 0) {
		bool here = str_eq(entry.section, section);
		has = has || here;
		if (here && entry.name.n && str_eq_nocase(entry.name, name))
			found = entry.value;
	}
	if (rc < 0)
		return rc;
	*value = found;
	*has_section = has;
	return 0;
}
