// SPDX-License-Identifier: Apache-2.0
// Admission warnings.
#include "webhook/notes.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/str.h"

enum { LETTER_MAX = 4 };

void notes_tidy(char *text)
{
	for (char *c = text; *c;) {
		size_t rest = strnlen(c, LETTER_MAX), n = 1;
		while (n <= rest && !str_valid_utf8(c, n))
			n++;
		if (n > rest && rest < LETTER_MAX) // the text ends inside of a letter
			*c = '\0';
		else if (n > rest)
			*c++ = '?';
		else if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c++ = ' ';
		else
			c += n;
	}
}

void notes_add(json_t *notes, const char *fmt, ...)
{
	char text[NOTE_MAX + 1];
	size_t i;
	json_t *other;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	notes_tidy(text);
	json_array_foreach(notes, i, other)
	{
		if (strcmp(json_string_value(other), text) == 0)
			return;
	}
	if (json_array_size(notes) < NOTES_MAX)
		json_array_append_new(notes, json_str(text, strlen(text)));
	else
		json_array_set_new(notes, NOTES_MAX - 1,
				   json_string("there are more warnings; these are the "
					       "first"));
}
