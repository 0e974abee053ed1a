// SPDX-License-Identifier: Apache-2.0
// Text to values and values to documents.
#include <math.h>
#include <string.h>

#include "lib/base/json.h"
#include "templates/emit.h"
#include "templates/funcs.h"
#include "templates/funcs_shared.h"
#include "templates/read.h"
#include "templates/run.h"
#include "templates/text.h"

static bool fn_bool(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	bool b = false;
	struct val v = args[0];
	const char *s = arena_dup(&r->arena, v.s.p, v.s.len);
	if (v.s.len && (strlen(s) != v.s.len || !str_bool(s, &b, NULL)))
		return func_fail(r, "the text is no boolean");
	*ret = val_bool(b);
	return true;
}

static bool fn_int(struct run *r, const struct val *args, size_t n UNUSED,
		   struct val *ret)
{
	int64_t i = 0;
	if (args[0].s.len && !literal_int(val_text(&args[0]), 10, &i))
		return func_fail(r, "the text is no integer of 64 bits");
	*ret = val_int64(i);
	return true;
}

static bool fn_uint(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	uint64_t u = 0;
	if (args[0].s.len && !literal_uint(val_text(&args[0]), 10, &u))
		return func_fail(r, "the text is no unsigned integer of 64 bits");
	*ret = (struct val){ .kind = VAL_INT, .sub = INT_UINT64, .u = u };
	return true;
}

static bool fn_float(struct run *r, const struct val *args, size_t n UNUSED,
		     struct val *ret)
{
	double f = 0;
	bool range = false;
	if (args[0].s.len && !literal_float(val_text(&args[0]), &f, &range))
		return func_fail(r, range ? "the number is too large"
					  : "the text is no number");
	*ret = val_float(f);
	return true;
}

typedef bool read_fn(struct arena *, struct str, struct val *, struct err *);

static bool parsed(struct run *r, const struct val *text, read_fn *read, struct val *ret)
{
	struct err e = ERR_INIT;
	*ret = val_map(map_new(&r->arena, MAP_ANY)); // of an empty text
	return !text->s.len || read(&r->arena, val_text(text), ret, &e) ||
	       func_fail(r, "%s", e.text);
}

static bool fn_json(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	return parsed(r, &args[0], read_json, ret);
}

static bool fn_yaml(struct run *r, const struct val *args, size_t n UNUSED,
		    struct val *ret)
{
	return parsed(r, &args[0], read_yaml, ret);
}

static bool json(struct run *r, const struct val *v, struct emit_json how,
		 struct val *ret)
{
	struct err e = ERR_INIT;
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	if (!emit_json(&out, &r->arena, v, how, &e))
		return func_fail_kind(r, e.kind, "%s", e.text);
	return run_take(r, &out, ret);
}

bool fn_to_json(struct run *r, const struct val *args, size_t n UNUSED, struct val *ret)
{
	return json(r, &args[0], (struct emit_json){ .pretty = false }, ret);
}

bool fn_to_pretty(struct run *r, const struct val *args, size_t n UNUSED, struct val *ret)
{
	return json(r, &args[0], (struct emit_json){ .pretty = true }, ret);
}

bool fn_to_raw(struct run *r, const struct val *args, size_t n UNUSED, struct val *ret)
{
	return json(r, &args[0], (struct emit_json){ .unescaped = true }, ret);
}

static bool fn_to_raw_pretty(struct run *r, const struct val *args, size_t n UNUSED,
			     struct val *ret)
{
	return json(r, &args[0], (struct emit_json){ .pretty = true, .unescaped = true },
		    ret);
}

typedef bool emit_fn(struct buf *, struct arena *, const struct val *, struct err *);

static bool document(struct run *r, const struct val *v, emit_fn *emit, struct val *ret)
{
	struct err e = ERR_INIT;
	AUTO_BUF struct buf out = BUF_INIT(r->max_output);
	if (!emit(&out, &r->arena, v, &e))
		return func_fail_kind(r, e.kind, "%s", e.text);
	if (!run_take(r, &out, ret))
		return false;
	struct str s = text_trim_space(val_text(ret));
	*ret = val_str(s.p, s.len);
	return true;
}

static bool fn_to_yaml(struct run *r, const struct val *args, size_t n UNUSED,
		       struct val *ret)
{
	return document(r, &args[0], emit_yaml, ret);
}

static bool fn_to_toml(struct run *r, const struct val *args, size_t n UNUSED,
		       struct val *ret)
{
	return document(r, &args[0], emit_toml, ret);
}

const struct func funcs_data[] = {
	FUNC("parseBool", "s", fn_bool, "a boolean of its text", "{{parseBool \"T\"}}",
	     "true", 0),
	FUNC("parseInt", "s", fn_int, "an integer of its decimal text",
	     "{{parseInt \"-7\"}}", "-7", 0),
	FUNC("parseUint", "s", fn_uint, "the same without sign", "{{parseUint \"7\"}}",
	     "7", 0),
	FUNC("parseFloat", "s", fn_float, "a float of its text",
	     "{{parseFloat \"2.50\"}}", "2.5", 0),
	FUNC("parseJSON", "s", fn_json, "the value of a JSON text (numbers are floats)",
	     "{{(parseJSON \"{\\\"a\\\":[1,2]}\").a}}", "[1 2]", 0),
	FUNC("parseYAML", "s", fn_yaml, "the value of a YAML text",
	     "{{(parseYAML \"a: yes\").a}}", "true", 0),
	FUNC("toJSON", "a", fn_to_json, "JSON on one line, with <, > and & escaped",
	     "{{split \",\" \"a,b\" | toJSON}}", "[\"a\",\"b\"]", 0),
	FUNC("toJSONPretty", "a", fn_to_pretty,
	     "the same with lines and two blanks a level",
	     "{{split \",\" \"a\" | toJSONPretty}}", "[\n  \"a\"\n]", 0),
	FUNC("toUnescapedJSON", "a", fn_to_raw, "JSON with <, > and & as they are",
	     "{{toUnescapedJSON \"a&b\"}}", "\"a&b\"", 0),
	FUNC("toUnescapedJSONPretty", "a", fn_to_raw_pretty, "both",
	     "{{split \",\" \"<\" | toUnescapedJSONPretty}}", "[\n  \"<\"\n]", 0),
	FUNC("toYAML", "a", fn_to_yaml, "YAML without the last newline",
	     "{{sprig_dict \"a\" \"yes\" | toYAML}}", "a: \"yes\"", 0),
	FUNC("toTOML", "a", fn_to_toml, "TOML of a map",
	     "{{sprig_dict \"a\" 1 | toTOML}}", "a = 1", 0),
	{ .name = NULL },
};
