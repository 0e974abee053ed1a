// SPDX-License-Identifier: Apache-2.0
// Look-up of the ready-made templates.
#include "templates/stock.h"

#include <string.h>

#include "templates/template.h"

const char *tmpl_stock(const char *name)
{
	for (const struct tmpl_stock_text *t = tmpl_stock_texts; t->name; t++)
		if (strcmp(t->name, name) == 0)
			return t->text;
	return NULL;
}

const char *tmpl_stock_name(size_t i)
{
	for (const struct tmpl_stock_text *t = tmpl_stock_texts; t->name; t++)
		if (i-- == 0)
			return t->name;
	return NULL;
}
