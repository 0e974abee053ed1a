// SPDX-License-Identifier: Apache-2.0
// The functions of conf.h that no case file can show: look-up of stores, comparison, single
// notifications, strictness, merged files, lifetimes.
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/conf/conf.h"

static struct conf *load(const char *text)
{
	struct conf_load_opts opts = { .text = text };
	struct conf *c = NULL;
	struct err e = ERR_INIT;
	if (!conf_load(&opts, &c, &e))
		fail_msg("%s", e.text);
	return c;
}

#define T "template { contents = \"x\" destination = \"/s/x\" }\n"

static void test_store_of(void **state)
{
	(void)state;
	static const struct {
		const char *path, *store, *rest;
	} cases[] = {
		{ "kv/db", "main", "kv/db" },
		{ "aws:prod/db", "aws", "prod/db" },
		{ "aws:arn:aws:secretsmanager:eu:1:secret:x", "aws",
		  "arn:aws:secretsmanager:eu:1:secret:x" },
		{ "arn:aws:secretsmanager:eu:1:secret:x", "main",
		  "arn:aws:secretsmanager:eu:1:secret:x" },
		{ "aw:x", "main", "aw:x" },
		{ "awss:x", "main", "awss:x" },
		{ ":x", "main", ":x" },
		{ "aws:", "aws", "" },
		{ "", "main", "" },
	};
	struct conf *c = load("store \"main\" { type = \"file\" default = true }\n"
			      "store \"aws\" { type = \"aws\" }\n" T);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *rest;
		const struct conf_store *s = conf_store_of(c, cases[i].path, &rest, NULL);
		assert_non_null(s);
		assert_string_equal(s->name, cases[i].store);
		assert_string_equal(rest, cases[i].rest);
	}
	conf_free(c);
	c = load(T);
	struct err e = ERR_INIT;
	const char *rest;
	assert_null(conf_store_of(c, "kv/db", &rest, &e));
	assert_int_equal(e.kind, ERR_CONFIG);
	conf_free(c);
}

static void test_defaults(void **state)
{
	(void)state;
	struct conf *c =
		load("vault {}\nauto_auth { method \"cert\" {} sink \"file\" { config { "
		     "path = \"/t\" } } }\ndeliver \"a\" { folder = \"/v\" }\n"
		     "template { contents = \"x\" destination = \"/vault/secrets/x\" }");
	assert_int_equal(c->log_level, LOG_INFO);
	assert_int_equal(c->log_format, LOG_FORMAT_TEXT);
	assert_int_equal(c->start_timeout_ms, 300000);
	assert_true(c->revoke_on_exit);
	assert_int_equal(c->on_revoked, REVOKED_KEEP);
	const struct conf_store *s = &c->stores[0];
	assert_int_equal(s->timeout_ms, 60000);
	assert_int_equal(s->max_connections, 10);
	assert_int_equal(s->num_retries, 12);
	assert_string_equal(s->address, "https://127.0.0.1:8200");
	assert_int_equal(s->auth.min_backoff_ms, 1000);
	assert_int_equal(s->auth.max_backoff_ms, 300000);
	assert_true(json_is_object(s->options) && json_is_object(s->auth.config));
	assert_int_equal(c->sinks[0].mode, 0640);
	assert_int_equal(c->sinks[0].uid, -1);
	const struct conf_template *t = &c->templates[0];
	assert_true(t->create_dest_dirs && t->error_fatal && !t->error_on_missing_key);
	assert_string_equal(t->left_delimiter, "{{");
	assert_string_equal(t->name, "/vault/secrets/x");
	assert_false(t->has_mode);
	assert_int_equal(c->deliver[0].uid, -1);
	assert_string_equal(c->deliver[0].mount, "/vault/secrets");
	assert_true(c->observe.enabled);
	assert_int_equal(c->observe.grace_ms, 10000);
	assert_true(c->policy.allow_env && !c->policy.allow_disk);
	assert_int_equal(c->template_config.static_interval_ms, 300000);
	assert_true(c->template_config.lease_renewal_threshold == 0.9);
	conf_free(c);
	conf_free(NULL);
}

static void test_equal(void **state)
{
	(void)state;
	struct conf *a = load("log_level = \"debug\"\n" T),
		    *b = load(T "log_level = \"DEBUG\"");
	struct conf *d = load(T);
	assert_true(conf_equal(a, b));
	assert_false(conf_equal(a, d));
	conf_free(a);
	conf_free(b);
	conf_free(d);
}

static void test_notify_parse(void **state)
{
	(void)state;
	struct conf_notify n;
	struct err e = ERR_INIT;
	assert_true(conf_notify_parse(" signal:SIGHUP@app ", &n, &e));
	assert_int_equal(n.kind, NOTIFY_SIGNAL);
	assert_int_equal(n.signal, SIGHUP);
	assert_int_equal(n.target, TARGET_CONTAINER);
	assert_string_equal(n.name, "app");
	assert_string_equal(n.text, "signal:SIGHUP@app");
	assert_int_equal(n.timeout_ms, 30000);
	conf_notify_release(&n);
	assert_true(conf_notify_parse("http:8080/-/reload", &n, &e));
	assert_int_equal(n.port, 8080);
	assert_string_equal(n.path, "/-/reload");
	conf_notify_release(&n);
	assert_true(conf_notify_parse("restart@app", &n, &e));
	assert_int_equal(n.kind, NOTIFY_RESTART);
	assert_int_equal(n.signal, SIGTERM);
	conf_notify_release(&n);
	assert_true(conf_notify_parse("command:[\"/bin/r\", \"-q\"]", &n, &e));
	assert_string_equal(n.argv[0], "/bin/r");
	assert_string_equal(n.argv[1], "-q");
	assert_null(n.argv[2]);
	conf_notify_release(&n);
	conf_notify_release(&n);
	assert_false(conf_notify_parse("restart@a,restart@b", &n, &e));
	assert_string_equal(e.text, "one notification is wanted, not 2");
}

static size_t warned;

static void on_warning(void *ctx, const char *text)
{
	(void)ctx;
	assert_string_equal(text, "name:1: zzz: no such key or block");
	warned++;
}

static void test_strict(void **state)
{
	(void)state;
	struct conf_load_opts opts = { .text = "zzz = 1\n" T,
				       .text_name = "name",
				       .warn = on_warning };
	struct conf *c = NULL;
	struct err e = ERR_INIT;
	assert_true(conf_load(&opts, &c, &e));
	assert_int_equal(warned, 1);
	conf_free(c);
	opts.strict = true;
	assert_false(conf_load(&opts, &c, &e));
	assert_int_equal(warned, 1);
	assert_string_equal(e.text, "name:1: zzz: no such key or block");
	assert_false(conf_load(&opts, &c, NULL));
}

static void test_no_configuration(void **state)
{
	(void)state;
	struct conf_load_opts opts = { .text = NULL };
	const char *paths[] = { "/none/such.hcl", NULL };
	struct conf *c = NULL;
	struct err e = ERR_INIT;
	assert_false(conf_load(&opts, &c, &e));
	err_clear(&e);
	opts.paths = paths;
	assert_false(conf_load(&opts, &c, &e));
	assert_int_equal(e.kind, ERR_MISSING);
	assert_non_null(strstr(e.text, "/none/such.hcl"));
	assert_null(c);
}

// Several files: scalars and single stanzas of the last one, templates of all.
static void test_files_merge(void **state)
{
	(void)state;
	char a[] = "/tmp/conf_a.XXXXXX", b[] = "/tmp/conf_b.XXXXXX";
	static const char one[] =
		"log_level = \"debug\"\nvault { address = \"http://one\" ca_cert = "
		"\"/c\" }\n" T;
	static const char two[] =
		"{\"vault\": {\"address\": \"http://two\"}, \"template\": "
		"{\"contents\": \"y\", \"destination\": \"/s/y\"}}";
	AUTO_CLOSE int fa = mkstemp(a);
	AUTO_CLOSE int fb = mkstemp(b);
	assert_true(file_write_all(fa, one, strlen(one), NULL));
	assert_true(file_write_all(fb, two, strlen(two), NULL));
	const char *paths[] = { a, b, NULL };
	struct conf_load_opts opts = { .paths = paths };
	struct conf *c = NULL;
	struct err e = ERR_INIT;
	if (!conf_load(&opts, &c, &e))
		fail_msg("%s", e.text);
	unlink(a);
	unlink(b);
	assert_int_equal(c->n_stores, 1);
	assert_string_equal(c->stores[0].address, "http://two");
	assert_null(c->stores[0].tls.ca_file);
	assert_int_equal(c->n_templates, 2);
	assert_int_equal(c->log_level, LOG_DEBUG);
	conf_free(c);
}

// Strings live on in the configuration when the document is gone.
static void test_strings_are_kept(void **state)
{
	(void)state;
	char *text = mem_strdup("vault { address = \"http://kept\" }\n" T);
	struct conf *c = load(text);
	memset(text, 'x', strlen(text));
	mem_free(text);
	assert_string_equal(c->stores[0].address, "http://kept");
	assert_string_equal(c->templates[0].contents, "x");
	conf_free(c);
}

static void test_many_templates(void **state)
{
	(void)state;
	AUTO_BUF struct buf b = BUF_INIT(1 << 20);
	for (int i = 0; i < 10001; i++) {
		if (i == 2000) {
			struct conf *c = load(buf_str(&b));
			assert_int_equal(c->n_templates, 2000);
			assert_string_equal(c->templates[1999].destination, "/s/1999");
			conf_free(c);
		}
		buf_printf(&b, "template{contents=\"x\" destination=\"/s/%d\"}\n", i);
	}
	struct conf_load_opts opts = { .text = buf_str(&b) };
	struct conf *c = NULL;
	struct err e = ERR_INIT;
	assert_false(conf_load(&opts, &c, &e));
	assert_non_null(strstr(e.text, "10001: template: more than 10000 templates"));
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_store_of),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_notify_parse),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_no_configuration),
		cmocka_unit_test(test_files_merge),
		cmocka_unit_test(test_strings_are_kept),
		cmocka_unit_test(test_many_templates),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
