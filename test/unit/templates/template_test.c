// SPDX-License-Identifier: Apache-2.0
// The face: what a run wants, when it is complete, what it may do, and where it stops.
#include "templates/template.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"

// A source that answers from a document and notes what is not there.
struct world {
	json_t *have;
	char wanted[512];
	char written[512];
	bool fail;
};

static enum tmpl_answer look(void *ctx, const struct tmpl_want *w, const json_t **ret,
			     struct err *e)
{
	static const char *const kinds[] = { "secret", "list", "pki", "file" };
	struct world *x = ctx;
	*ret = json_object_get(x->have, w->path);
	if (*ret)
		return TMPL_FOUND;
	if (x->fail) {
		err_set(e, ERR_DENIED, 403, "permission denied");
		return TMPL_FAILED;
	}
	strncat(x->wanted, kinds[w->kind], sizeof(x->wanted) - strlen(x->wanted) - 1);
	strncat(x->wanted, ":", sizeof(x->wanted) - strlen(x->wanted) - 1);
	strncat(x->wanted, w->path, sizeof(x->wanted) - strlen(x->wanted) - 1);
	for (size_t i = 0; i < w->n_args; i++) {
		strncat(x->wanted, "+", sizeof(x->wanted) - strlen(x->wanted) - 1);
		strncat(x->wanted, w->args[i], sizeof(x->wanted) - strlen(x->wanted) - 1);
	}
	strncat(x->wanted, " ", sizeof(x->wanted) - strlen(x->wanted) - 1);
	return TMPL_WANTED;
}

static bool write_file(void *ctx, const struct tmpl_file *f, struct err *e)
{
	struct world *x = ctx;
	(void)e;
	AUTO_FREE char *line = mem_printf(
		"%s(%s,%s,%s%s%s)=%.*s ", f->path, f->user, f->group, f->perms,
		f->append ? ",a" : "", f->newline ? ",n" : "", (int)f->len, f->content);
	strncat(x->written, line, sizeof(x->written) - strlen(x->written) - 1);
	return true;
}

static bool run_with(const char *text, struct world *x, const struct tmpl_opts *opts,
		     struct buf *out, bool *ret_complete, struct err *e)
{
	struct tmpl *t = NULL;
	struct tmpl_source source = { look, write_file, x };
	x->wanted[0] = x->written[0] = '\0';
	bool ok = tmpl_parse(text, strlen(text), opts, &t, e) &&
		  tmpl_run(t, &source, NULL, out, ret_complete, e);
	tmpl_free(t);
	return ok;
}

static bool run(const char *text, struct world *x, struct buf *out, bool *ret_complete,
		struct err *e)
{
	struct tmpl_opts opts = { .name = "t" };
	return run_with(text, x, &opts, out, ret_complete, e);
}

static json_t *parsed(const char *text)
{
	struct err e = ERR_INIT;
	json_t *j = NULL;
	assert_true(
		json_parse(text, strlen(text), strlen(text), JSON_KEEP_NUMBERS, &j, &e));
	return j;
}

static void test_wants_all_that_it_can_reach(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	bool complete = true;
	struct world x = { .have = json_object() };
	AUTO_BUF struct buf out = BUF_INIT(1024);
	buf_puts(&out, "before");
	static const char text[] =
		"{{with secret \"a\"}}{{.Data.x}}{{end}}{{(secret \"b\").Data.y}}"
		"{{range secrets \"l/\"}}{{.}}{{end}}{{with pkiCert \"pki\" \"cn= x \" "
		"\"\"}}{{.Cert}}"
		"{{end}}{{secret \"w\" \"k=v\" \" a = b\" | print}}";
	assert_true(run(text, &x, &out, &complete, &e));
	assert_false(complete);
	assert_string_equal(buf_str(&out), "before");
	assert_string_equal(x.wanted,
			    "secret:a secret:b list:l/ pki:pki+cn=x secret:w+k=v+a=b ");
	json_decref(x.have);
}

static void test_nested_look_ups_take_a_pass_each(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	bool complete = true;
	struct world x = { .have = json_object() };
	AUTO_BUF struct buf out = BUF_INIT(1024);
	static const char text[] =
		"{{range secrets \"l\"}}{{with secret (printf \"l/%s\" .)}}"
		"{{.Data.v}};{{end}}{{end}}";
	assert_true(run(text, &x, &out, &complete, &e) && !complete);
	assert_string_equal(x.wanted, "list:l ");
	json_object_set_new(x.have, "l", parsed("[\"one\",\"two\"]"));
	assert_true(run(text, &x, &out, &complete, &e) && !complete);
	assert_string_equal(x.wanted, "secret:l/one secret:l/two ");
	json_object_set_new(x.have, "l/one", parsed("{\"data\":{\"v\":1}}"));
	json_object_set_new(x.have, "l/two", parsed("{\"data\":{\"v\":2.50}}"));
	assert_true(run(text, &x, &out, &complete, &e) && complete);
	assert_string_equal(buf_str(&out), "1;2.50;");
	json_decref(x.have);
}

static void test_an_error_waits_for_what_is_wanted(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	bool complete = true;
	struct world x = { .have = json_object() };
	AUTO_BUF struct buf out = BUF_INIT(1024);
	static const char text[] = "{{$s := secret \"a\"}}{{index (parseJSON \"[]\") 3}}";
	assert_true(run(text, &x, &out, &complete, &e));
	assert_false(complete);
	json_object_set_new(x.have, "a", parsed("{\"data\":{}}"));
	assert_false(run(text, &x, &out, &complete, &e));
	assert_string_equal(e.text, "t:1:22: index: index out of range");
	json_decref(x.have);
}

static void test_a_refusal_of_the_source_keeps_its_kind(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	bool complete = true;
	struct world x = { .have = json_object(), .fail = true };
	AUTO_BUF struct buf out = BUF_INIT(1024);
	assert_false(run("a\n{{secret \"a\"}}", &x, &out, &complete, &e));
	assert_int_equal(e.kind, ERR_DENIED);
	assert_int_equal(e.cause, 403);
	assert_string_equal(e.text, "t:2:2: secret: permission denied");
	json_decref(x.have);
}

static void test_files_are_written_once_and_at_the_end(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	bool complete = true;
	struct world x = { .have = json_object() };
	AUTO_BUF struct buf out = BUF_INIT(1024);
	static const char text[] =
		"{{\"c\" | writeToFile \"/v/f\" \"u\" \"g\" \"0644\"}}"
		"{{writeToFile \"/v/g\" \"\" \"\" \"600\" \"append,newline\" \"d\"}}"
		"{{with secret \"a\"}}x{{end}}";
	assert_true(run(text, &x, &out, &complete, &e) && !complete);
	assert_string_equal(x.written, "");
	json_object_set_new(x.have, "a", parsed("{\"data\":{}}"));
	assert_true(run(text, &x, &out, &complete, &e) && complete);
	assert_string_equal(x.written, "/v/f(u,g,0644)=c /v/g(,,600,a,n)=d ");
	assert_string_equal(buf_str(&out), "x");
	// A run that fails writes nothing.
	assert_false(run("{{writeToFile \"/v/f\" \"\" \"\" \"0644\" \"c\"}}{{nil}}", &x,
			 &out, &complete, &e));
	assert_string_equal(x.written, "");
	err_clear(&e);
	assert_false(run("{{writeToFile \"/f\" \"\" \"\" \"x\" \"c\"}}", &x, &out,
			 &complete, &e));
	json_decref(x.have);
}

static void test_grants(void **state)
{
	(void)state;
	static const char *const dirs[] = { "/granted/", "/other", NULL };
	static const char *const denied[] = { "sprig_*", "toUpper", NULL };
	struct world x = { .have = parsed("{\"/granted/f\":\"text\"}") };
	struct tmpl_opts opts = {
		.name = "t",
		.grants = { .env = true, .read_dirs = dirs, .denied = denied }
	};
	static const struct {
		const char *text, *out, *error;
	} cases[] = {
		{ "{{env \"AMPOULE_TEST_NONE\"}}{{envOrDefault \"AMPOULE_TEST_NONE\" "
		  "\"d\"}}",
		  "d", NULL },
		{ "{{file \"/granted/f\"}}", "text", NULL },
		{ "{{file \"/granted/../etc/passwd\"}}", NULL, "is in no folder" },
		{ "{{file \"/grantedx/f\"}}", NULL, "is in no folder" },
		{ "{{file \"relative\"}}", NULL, "is in no folder" },
		{ "{{file \"/granted/..\"}}", NULL, "is in no folder" },
		{ "{{toUpper \"x\"}}", NULL, "refused by policy" },
		{ "{{sprig_list 1}}", NULL, "refused by policy" },
		{ "{{if false}}{{toUpper \"x\"}}{{end}}ok", "ok", NULL },
		{ "{{mustEnv \"AMPOULE_TEST_NONE\"}}", NULL, "is empty" },
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = ERR_INIT;
		bool complete = false;
		AUTO_BUF struct buf out = BUF_INIT(1024);
		bool ok = run_with(cases[i].text, &x, &opts, &out, &complete, &e);
		assert_int_equal(ok, cases[i].error == NULL);
		if (ok)
			assert_string_equal(buf_str(&out), cases[i].out);
		else
			assert_non_null(strstr(e.text, cases[i].error));
	}
	json_decref(x.have);
}

static void test_errors_hold_no_value(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"{{with secret \"a\"}}{{add .Data.p 1}}{{end}}",
		"{{with secret \"a\"}}{{.Data.p.x}}{{end}}",
		"{{with secret \"a\"}}{{range .Data.p}}{{end}}{{end}}",
		"{{with secret \"a\"}}{{index .Data.p \"x\"}}{{end}}",
		"{{with secret \"a\"}}{{parseJSON .Data.p}}{{end}}",
		"{{with secret \"a\"}}{{parseYAML (print \"[\" .Data.p)}}{{end}}",
		"{{with secret \"a\"}}{{base64Decode .Data.p}}{{end}}",
		"{{with secret \"a\"}}{{parseInt .Data.p}}{{end}}",
		"{{with secret \"a\"}}{{regexMatch .Data.p \"x\"}}{{end}}",
		"{{with secret \"a\"}}{{sprig_fail .Data.p}}{{end}}",
		"{{with secret \"a\"}}{{eq .Data .Data.p}}{{end}}",
		"{{with secret \"a\"}}{{loop .Data.p}}{{end}}",
		"{{with secret \"a\"}}{{executeTemplate .Data.q}}{{end}}",
		"{{with secret \"a\"}}{{writeToFile \"/f\" \"\" \"\" .Data.p "
		"\"x\"}}{{end}}",
	};
	struct world x = {
		.have = parsed(
			"{\"a\":{\"data\":{\"p\":\"(hunter2\",\"q\":\"hunter2\"}}}")
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct err e = ERR_INIT;
		bool complete = false;
		AUTO_BUF struct buf out = BUF_INIT(1024);
		assert_false(run(texts[i], &x, &out, &complete, &e));
		if (strstr(e.text, "hunter2"))
			fail_msg("%s: %s", texts[i], e.text);
		assert_memory_equal(e.text, "t:1:", 4);
	}
	json_decref(x.have);
}

static void test_limits(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"{{range loop 1000000000}}{{end}}",
		"{{range 1000000000}}x{{end}}",
		"{{define \"a\"}}{{template \"b\"}}{{end}}{{define \"b\"}}{{template "
		"\"a\"}}{{end}}"
		"{{template \"a\"}}",
		"{{define \"a\"}}{{executeTemplate \"a\"}}{{end}}{{template \"a\"}}",
		"{{sprig_repeat 1000000000 \"xxxxxxxxxxxxxxxx\"}}",
		"{{printf \"%1000000d%1000000d\" 1 2}}",
		"{{$s := \"x\"}}{{range 40}}{{$s = print $s $s}}{{end}}",
		"{{sprig_until 1000000000}}",
		"{{$l := sprig_list}}{{range 30}}{{$l = sprig_append $l "
		"$l}}{{end}}{{toJSON $l}}",
		"{{regexMatch \"(x{500}){2}y|(.*){100}z\" (sprig_repeat 900000 \"x\")}}",
		"{{$d := sprig_dict}}{{$_ := sprig_set $d \"d\" $d}}{{sprig_deepEqual $d "
		"$d}}",
		"{{$d := sprig_dict}}{{$_ := sprig_set $d \"d\" $d}}{{toYAML $d}}",
		"{{$d := sprig_dict}}{{$_ := sprig_set $d \"d\" $d}}{{toTOML $d}}",
		"{{$d := sprig_dict}}{{$_ := sprig_set $d \"d\" $d}}{{spew_sdump $d}}",
		"{{$d := sprig_dict}}{{$_ := sprig_set $d \"d\" $d}}{{printf \"%#v\" "
		"$d}}",
		"{{regexReplaceAll \"\" (sprig_repeat 100000 \"xxxxxxxxxx\") "
		"\"abcdefghijk\"}}",
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct world x = { .have = json_object() };
		struct err e = ERR_INIT;
		bool complete = false;
		AUTO_BUF struct buf out = BUF_INIT(4 << 20);
		if (run(texts[i], &x, &out, &complete, &e))
			fail_msg("%s was not stopped", texts[i]);
		if (e.kind != ERR_LIMIT)
			fail_msg("%s: %s", texts[i], e.text);
		assert_int_equal(out.len, 0);
		json_decref(x.have);
	}
}

static void test_hostile_syntax(void **state)
{
	(void)state;
	enum { MANY = 100000 };
	static const char *const pieces[] = { "{{if 1}}",
					      "{{(",
					      "{{",
					      "(",
					      "{{range 1}}",
					      "{{with 1}}",
					      "{{/*",
					      "{{`",
					      "{{block \"a\" .}}",
					      "{{define \"a\"}}",
					      "{{else}}",
					      "{{print (" };
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		AUTO_BUF struct buf text = BUF_INIT(4 << 20);
		struct err e = ERR_INIT;
		struct tmpl *t = NULL;
		struct tmpl_opts opts = { .name = "t" };
		for (int k = 0; k < MANY; k++)
			buf_puts(&text, pieces[i]);
		bool ok = tmpl_parse(buf_str(&text), text.len, &opts, &t, &e);
		assert_int_equal(ok, strcmp(pieces[i], "(") == 0);
		tmpl_free(t);
	}
}

static void test_a_deadline_ends_the_run(void **state)
{
	(void)state;
	struct err e = ERR_INIT;
	bool complete = false;
	struct world x = { .have = json_object() };
	struct tmpl_opts opts = { .name = "t", .max_ms = 1, .max_steps = 1UL << 40 };
	AUTO_BUF struct buf out = BUF_INIT(1024);
	bool ok = run_with("{{range 100000000}}{{end}}", &x, &opts, &out, &complete, &e);
	assert_false(ok);
	assert_non_null(strstr(e.text, "takes too long"));
	json_decref(x.have);
}

static void test_stock(void **state)
{
	(void)state;
	size_t n = 0;
	for (const char *name; (name = tmpl_stock_name(n)); n++) {
		struct err e = ERR_INIT;
		struct tmpl *t = NULL;
		struct tmpl_opts opts = { .name = name };
		const char *text = tmpl_stock(name);
		assert_non_null(text);
		if (!tmpl_parse(text, strlen(text), &opts, &t, &e))
			fail_msg("%s", e.text);
		tmpl_free(t);
	}
	assert_true(n >= 17);
	assert_null(tmpl_stock("none"));
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wants_all_that_it_can_reach),
		cmocka_unit_test(test_nested_look_ups_take_a_pass_each),
		cmocka_unit_test(test_an_error_waits_for_what_is_wanted),
		cmocka_unit_test(test_a_refusal_of_the_source_keeps_its_kind),
		cmocka_unit_test(test_files_are_written_once_and_at_the_end),
		cmocka_unit_test(test_grants),
		cmocka_unit_test(test_errors_hold_no_value),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_hostile_syntax),
		cmocka_unit_test(test_a_deadline_ends_the_run),
		cmocka_unit_test(test_stock),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
