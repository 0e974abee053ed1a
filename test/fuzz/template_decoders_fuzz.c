// SPDX-License-Identifier: Apache-2.0
// links: templates
// The decoders of the functions: JSON, YAML, numbers, literals, the verbs of printf, the layouts
// of times. What JSON and YAML give is written again in each form that takes it.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "templates/emit.h"
#include "templates/format.h"
#include "templates/gotime.h"
#include "templates/literal.h"
#include "templates/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 8192, OUT = 1 << 18 };

static void write_all(struct arena *a, const struct val *v)
{
	struct err e = ERR_INIT;
	AUTO_BUF struct buf out = BUF_INIT(OUT);
	bool ok = emit_json(&out, a, v, (struct emit_json){ .pretty = true }, &e);
	buf_reset(&out);
	ok = emit_yaml(&out, a, v, &e);
	buf_reset(&out);
	ok = emit_toml(&out, a, v, &e);
	(void)ok;
	buf_reset(&out);
	format_action(&out, a, v);
	format_printf(&out, a, str_of("%#v %+v %q %x %d"),
		      (struct val[]){ *v, *v, *v, *v, *v }, 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_init(false);
	if (size > MAX)
		return 0;
	AUTO_FREE char *copy = mem_strndup((const char *)data, size);
	struct str s = { copy, size };
	AUTO_ARENA struct arena a = ARENA_INIT(SIZE_MAX);
	AUTO_BUF struct buf out = BUF_INIT(OUT);
	struct err e = ERR_INIT;
	struct val v;
	struct number n;
	const char *why = NULL;
	if (read_json(&a, s, &v, &e))
		write_all(&a, &v);
	err_clear(&e);
	if (read_yaml(&a, s, &v, &e))
		write_all(&a, &v);
	(void)literal_number(s, &n, &why);
	(void)literal_complex(s, &n);
	(void)literal_rune(s, &n);
	(void)literal_string(s, &out);
	format_printf(&out, &a, s,
		      (struct val[]){ val_int(1), val_strz("x"), val_float(1.5) }, 3);
	struct val now = gotime_now();
	buf_reset(&out);
	gotime_format(&out, &now, s);
	return 0;
}
