// SPDX-License-Identifier: Apache-2.0
// What the rows of the functions say to a reader. Apart from func.c, so that a program that
// shows no help links none of it.
#include <assert.h>
#include <string.h>

#include "templates/func.h"

static const char *behind(const char *s)
{
	return s + strlen(s) + 1;
}

const char *func_help(const struct func *f)
{
	const char *const *text = func_texts;
	while (*text && strcmp(*text, f->name) != 0)
		text++;
	assert(*text);
	return behind(*text);
}

const char *func_example(const struct func *f)
{
	return behind(func_help(f));
}

const char *func_result(const struct func *f)
{
	return behind(func_example(f));
}
