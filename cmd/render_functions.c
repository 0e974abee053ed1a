// SPDX-License-Identifier: Apache-2.0
// ampoule render --functions: the page of the README, printed from the table that the
// language itself runs on.
#include <stdio.h>
#include <string.h>

#include "cmd/render.h"
#include "lib/base/auto.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
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

// Examples that need a store, a file or the environment: test/cases/functions holds those
// that they are run with. Without a result they fail, as they should.
static const struct example {
	const char *name, *text, *result;
} examples[] = {
	{ "secret", "{{with secret \"kv/db\"}}{{.Data.user}}{{end}}", "app" },
	{ "secrets", "{{range secrets \"kv/app\"}}{{.}} {{end}}", "one two " },
	{ "pkiCert",
	  "{{with pkiCert \"pki/issue/web\" \"common_name=a.example\"}}{{.Cert}}{{end}}",
	  "CERT\n" },
	{ "file", "{{file \"files/greeting\"}}", "hello" },
	{ "writeToFile", "{{\"text\" | writeToFile \"key.pem\" \"\" \"\" \"0400\"}}",
	  "" },
	{ "env", "{{env \"POD_NAME\"}}", "web-0" },
	{ "mustEnv", "{{mustEnv \"POD_NAME\"}}", "web-0" },
	{ "envOrDefault", "{{envOrDefault \"NOT_SET\" \"x\"}}", "x" },
	{ "call", "{{call .handler}}", NULL },
	{ "plugin", "{{plugin \"date\" \"-u\"}}", NULL },
	{ "sockaddr", "{{sockaddr \"GetPrivateIP\"}}", NULL },
	{ "sprig_fail", "{{sprig_fail \"no password\"}}", NULL },
};

static void row(const struct func *f)
{
	const char *text = func_example(f), *result = func_result(f);
	AUTO_FREE char *made = NULL;
	for (size_t i = 0; i < ARRAY_LEN(examples); i++)
		if (strcmp(examples[i].name, f->name) == 0) {
			text = examples[i].text;
			result = examples[i].result;
		}
	if (!*text) { // those of stores that there are not
		text = made = mem_printf("{{%s \"name\"}}", f->name);
		result = NULL;
	}
	printf("| `%s` | %s | ", f->name, func_help(f));
	code(text);
	fputs(" | ", stdout);
	if (result)
		code(result);
	else
		fputs("*an error*", stdout);
	fputs(" |\n", stdout);
}

void render_functions(void)
{
	for (const struct func_group *g = func_groups; g->title; g++) {
		printf("%s**%s**\n\n| function | what it gives | example | renders |\n"
		       "|---|---|---|---|\n",
		       g == func_groups ? "" : "\n", g->title);
		for (const struct func *f = g->funcs; f->name; f++)
			row(f);
	}
}
