// SPDX-License-Identifier: Apache-2.0
// ampoule render --functions: the page of the README, printed from the table that the
// language itself runs on.
#include <stdio.h>
#include <string.h>

#include "cmd/render.h"
#include "templates/func.h"

// Code in a Markdown table: a bar would end the cell, a newline the row.
static void code(const char *s)
{
	const char *ticks = strchr(s, '`') ? "``" : "`";
	if (!*s)
		return;
	fputs(ticks, stdout);
	for (; *s; s++) {
		if (*s == '|')
			fputs("\\|", stdout);
		else if (*s == '\n')
			fputs("\\n", stdout);
		else
			putchar(*s);
	}
	fputs(ticks, stdout);
}

void render_functions(void)
{
	for (const struct func_group *g = func_groups; g->title; g++) {
		printf("%s### %s\n\n| function | what it gives | example | renders |\n"
		       "|---|---|---|---|\n",
		       g == func_groups ? "" : "\n", g->title);
		for (const struct func *f = g->funcs; f->name; f++) {
			printf("| `%s` | %s | ", f->name, func_help(f));
			code(func_example(f));
			fputs(" | ", stdout);
			code(func_result(f));
			fputs(" |\n", stdout);
		}
	}
}
