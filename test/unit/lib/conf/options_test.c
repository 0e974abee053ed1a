// SPDX-License-Identifier: Apache-2.0
// The option table's own rules: names once, fields inside of their structs, defaults that its
// own parsers take, and printing that forgets no row.
#include "lib/conf/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/mem.h"
#include "lib/conf/load.h"

#define EACH(r) (const struct option_row *r = NULL; (r = options_next(r));)

static void test_rows(void **state)
{
	(void)state;
	size_t n = 0;
	for
		EACH(r)
		{
			n++;
			assert_true(r->stanza < STANZA_COUNT);
			assert_true(r->key || r->annotation || r->peer);
			assert_non_null(r->help);
			assert_true(strlen(r->help) > 1);
			assert_int_not_equal(r->help[strlen(r->help) - 1], '.');
			assert_int_equal(r->type == OPTION_IGNORED, r->ignored != NULL);
			assert_int_equal(r->type == OPTION_WORD, r->words != NULL);
			assert_non_null(options_type_name(r));
			size_t size = options_stanza(r->stanza)->size;
			if (size) {
				assert_true(r->offset < size);
				assert_true(r->also < size);
			}
			bool two = r->type == OPTION_NOTIFY ||
				   r->type == OPTION_COMMAND ||
				   r->type == OPTION_UNREAD || r->type == OPTION_WAIT;
			if (two && size)
				assert_true(r->also > 0);
		}
	assert_true(n > 150);
}

static void test_names_once(void **state)
{
	(void)state;
	for
		EACH(r)
		{
			if (r->key)
				assert_ptr_equal(options_find(r->stanza, r->key), r);
			if (r->flag)
				assert_ptr_equal(options_by_flag(r->flag), r);
		for
			EACH(o)
			{
				if (o == r)
					break;
				if (r->env && o->env)
					assert_string_not_equal(r->env, o->env);
				if (r->annotation && o->annotation &&
				    strcmp(r->annotation, o->annotation) == 0)
					fail_msg("annotation %s twice", r->annotation);
				if (r->peer && o->peer && strcmp(r->peer, o->peer) == 0)
					fail_msg("peer annotation %s twice", r->peer);
			}
		}
}

static void test_stanzas(void **state)
{
	(void)state;
	for (enum option_stanza s = 0; s < STANZA_COUNT; s++) {
		assert_non_null(options_stanza(s)->name);
		assert_non_null(options_stanza(s)->help);
	}
	// Keys of the vault stanza are those of a store that say so.
	assert_non_null(options_find(STANZA_VAULT, "address"));
	assert_ptr_equal(options_find(STANZA_VAULT, "address"),
			 options_find(STANZA_STORE, "ADDRESS"));
	assert_null(options_find(STANZA_VAULT, "type"));
	assert_null(options_find(STANZA_STORE, "none"));
	assert_string_equal(options_nearest(STANZA_TEMPLATE, "destnation"),
			    "destination");
	assert_null(options_nearest(STANZA_TEMPLATE, "zzzzzz"));
}

static void test_flags(void **state)
{
	(void)state;
	assert_null(options_by_flag("none"));
	const struct option_row *level = options_by_flag("log-level");
	const struct option_row *verify = options_by_flag("tls-skip-verify");
	assert_false(options_is_switch(level));
	assert_true(options_is_switch(verify));
	AUTO_FREE char *o = options_override(level, "debug");
	assert_string_equal(o, "log-level=debug");
}

static void test_defaults(void **state)
{
	(void)state;
	for (enum option_stanza s = 0; s < STANZA_COUNT; s++) {
		AUTO_POOL struct pool pool = { 0 };
		struct err e = ERR_INIT;
		struct conf_load_opts opts = { .strict = true };
		struct load l = { .pool = &pool, .opts = &opts, .e = &e };
		size_t size = options_stanza(s)->size;
		if (size && !stanza_defaults(&l, s, pool_alloc(&pool, size)))
			fail_msg("%s", e.text);
	}
}

static void test_printing(void **state)
{
	(void)state;
	AUTO_BUF struct buf text = BUF_INIT(1 << 20);
	AUTO_BUF struct buf markdown = BUF_INIT(1 << 20);
	AUTO_BUF struct buf help = BUF_INIT(1 << 20);
	options_text(&text);
	options_markdown(&markdown);
	options_help(&help);
	assert_false(buf_failed(&text) || buf_failed(&markdown) || buf_failed(&help));
	for
		EACH(r)
		{
			assert_non_null(strstr(buf_str(&text), r->help));
			if (r->key)
				assert_non_null(strstr(buf_str(&markdown), r->key));
			if (r->flag && r->type != OPTION_IGNORED)
				assert_non_null(strstr(buf_str(&help), r->flag));
			if (r->annotation)
				assert_non_null(strstr(buf_str(&text), r->annotation));
		}
	// Each line of a table has as many cells as its head.
	size_t cells = 0;
	for (const char *l = buf_str(&markdown); l && *l; l = strchr(l, '\n'), l += !!l) {
		size_t n = 0;
		for (const char *c = l; *c && *c != '\n'; c++)
			n += *c == '|' && (c == l || c[-1] != '\\');
		if (*l != '|')
			cells = 0;
		else if (cells == 0)
			cells = n;
		else
			assert_int_equal(n, cells);
	}
}

// The peer's annotations, all of them; the forms with a name counted apart.
static void test_peer_annotations(void **state)
{
	(void)state;
	static const char *const names[] = {
		"agent-inject",
		"agent-inject-status",
		"agent-inject-containers",
		"agent-init-first",
		"agent-pre-populate",
		"agent-pre-populate-only",
		"agent-copy-volume-mounts",
		"agent-share-process-namespace",
		"agent-json-patch",
		"agent-init-json-patch",
		"agent-request-namespace",
		"agent-inject-secret-<n>",
		"agent-inject-template-<n>",
		"agent-inject-template-file-<n>",
		"agent-inject-default-template",
		"agent-inject-command-<n>",
		"agent-inject-file-<n>",
		"agent-inject-perms-<n>",
		"secret-volume-path",
		"secret-volume-path-<n>",
		"agent-template-left-delim-<n>",
		"agent-template-right-delim-<n>",
		"error-on-missing-key-<n>",
		"preserve-secret-case",
		"preserve-secret-case-<n>",
		"agent-inject-token",
		"service",
		"role",
		"auth-type",
		"auth-path",
		"auth-config-<k>",
		"namespace",
		"ca-cert",
		"client-cert",
		"client-key",
		"ca-key",
		"tls-secret",
		"tls-skip-verify",
		"tls-server-name",
		"proxy-address",
		"client-timeout",
		"client-max-retries",
		"auth-min-backoff",
		"auth-max-backoff",
		"agent-auto-auth-exit-on-err",
		"agent-service-account-token-volume-name",
		"agent-run-as-user",
		"agent-run-as-group",
		"agent-run-as-same-user",
		"agent-set-security-context",
		"agent-extra-secret",
		"agent-configmap",
		"agent-image",
		"agent-limits-cpu",
		"agent-limits-mem",
		"agent-limits-ephemeral",
		"agent-requests-cpu",
		"agent-requests-mem",
		"agent-requests-ephemeral",
		"log-level",
		"log-format",
		"go-max-procs",
		"agent-revoke-on-shutdown",
		"agent-revoke-grace",
		"agent-cache-enable",
		"agent-cache-use-auto-auth-token",
		"agent-cache-listener-port",
		"agent-cache-exit-on-err",
		"agent-enable-quit",
		"template-config-exit-on-retry-failure",
		"template-static-secret-render-interval",
		"template-max-connections-per-host",
		"template-lease-renewal-threshold",
		"agent-disable-idle-connections",
		"agent-disable-keep-alives",
		"agent-telemetry-<k>",
	};
	size_t found = 0, all = 0;
	for
		EACH(r)
	all += r->peer != NULL;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		size_t before = found;
		for
			EACH(r)
		found += r->peer && strcmp(r->peer, names[i]) == 0;
		if (found != before + 1)
			fail_msg("%s has no row", names[i]);
	}
	assert_int_equal(found, all);
}

int main(void)
{
	mem_init(false);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_names_once),
		cmocka_unit_test(test_stanzas),
		cmocka_unit_test(test_flags),
		cmocka_unit_test(test_peer_annotations),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_printing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
