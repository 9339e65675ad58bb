// SPDX-License-Identifier: Apache-2.0
// Manual pages: see roff.h.
#include "base/roff.h"

void roff_words(struct str text, FILE *out)
{
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];
		bool first = i == 0 || text.p[i - 1] == '\n';
		if (c == '\\')
			fputs("\\e", out);
		else if (c == '-')
			fputs("\\-", out); // else a soft hyphen, which nobody can search for or paste
		else if ((c == '.' || c == '\'') && first)
			fprintf(out, "\\&%c", c);
		else
			fputc(c, out);
	}
}

void roff_text(struct str text, FILE *out)
{
	roff_words(text, out);
	fputc('\n', out);
}

void roff_title(const char *name, int section, FILE *out)
{
	fprintf(out, ".TH \"");
	for (; *name; name++)
		fputc(*name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name, out);
	fprintf(out, "\" %d \"\" \"isobar " ISOBAR_VERSION "\" \"Isobar\"\n", section);
}

void roff_section(const char *title, FILE *out)
{
	fprintf(out, ".SH %s\n", title);
}

void roff_example(struct str lines, FILE *out)
{
	fputs(".RS 4\n.nf\n", out);
	roff_text(str_trim(lines), out);
	fputs(".fi\n.RE\n", out);
}
