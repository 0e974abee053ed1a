// SPDX-License-Identifier: Apache-2.0
// What the unit tests of the store "sealed" share: a folder with a key, a file under
// construction, a store on it, and asking it. Functions are static; one program a file.
#pragma once

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "stores/sealed_read.h"
#include "stores/sealed_update.h"
#include "stores/store.h"

extern const struct store_ops store_sealed;

// A folder with a key, a file under construction, and a store on it.
struct fixture {
	char *dir, *file_path, *key_path, *writer_path;
	struct sealed_file file;
	struct age_recipient recipient;
	struct sealed_signer *signer;
	struct loop *loop;
	struct conf_store conf;
	struct store *store;
	unsigned changes;
};

static UNUSED void check(bool ok, const struct err *e)
{
	if (!ok)
		fail_msg("%s", e->text);
}

static UNUSED int setup(void **state)
{
	struct fixture *f = mem_alloc(sizeof(*f));
	struct err e = ERR_INIT;
	const char *tmp = getenv("TMPDIR");
	f->dir = mem_printf("%s/sealed.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(f->dir))
		return -1;
	f->file_path = mem_printf("%s/s.sealed", f->dir);
	f->key_path = mem_printf("%s/key", f->dir);
	f->writer_path = mem_printf("%s/writer", f->dir);
	struct file_attr attr = { 0600, (uid_t)-1, (gid_t)-1 };
	AUTO_BUF struct buf key = BUF_INIT(1000), writer = BUF_INIT(1000);
	struct sealed_writer w;
	check(age_keygen("now", &key, &f->recipient, &e), &e);
	check(file_replace(f->key_path, key.data, key.len, attr, &e), &e);
	check(sealed_signer_make("now", &writer, &w, &e), &e);
	check(file_replace(f->writer_path, writer.data, writer.len, attr, &e), &e);
	check(sealed_signer_load(f->writer_path, &f->signer, &e), &e);
	check(loop_new(&f->loop, &e), &e);
	sealed_file_init(&f->file, f->file_path);
	check(sealed_file_add_recipient(&f->file, &f->recipient, NULL, &e), &e);
	f->conf = (struct conf_store){ .name = "sealed", .type = "sealed" };
	f->conf.options =
		json_pack("{s:s, s:s, s:s, s:s}", "file", f->file_path, "key_file",
			  f->key_path, "namespace", "shop", "service_account", "web");
	*state = f;
	return 0;
}

static UNUSED int teardown(void **state)
{
	struct fixture *f = *state;
	if (f->store)
		store_sealed.close(f->store);
	loop_free(f->loop);
	json_decref(f->conf.options);
	sealed_file_release(&f->file);
	auto_sealed_signer_(&f->signer);
	struct err e = ERR_INIT;
	bool removed = file_remove_tree(AT_FDCWD, f->dir, &e);
	mem_free(f->dir);
	mem_free(f->file_path);
	mem_free(f->key_path);
	mem_free(f->writer_path);
	mem_free(f);
	return removed ? 0 : -1;
}

// --- writing

struct put {
	const char *path, *value, *scope;
	uint64_t version, source;
	enum sealed_action action;
	bool sign;
};

static UNUSED void put(struct fixture *f, struct put p)
{
	struct err e = ERR_INIT;
	struct sealed_line line = { 0 };
	struct sealed_entry entry = { .path = (char *)p.path,
				      .version = p.version,
				      .action = p.action,
				      .source = p.source,
				      .scope = (char *)(p.scope ? p.scope : "*"),
				      .time = "2026-11-21T05:00:00Z",
				      .author = (char *)"test" };
	check(sealed_seal(&entry, (struct age_to){ &f->recipient, 1 },
			  bytes_of_str(p.value ? p.value : ""), &line, &e),
	      &e);
	if (p.sign)
		check(sealed_sign(f->signer, &line, &e), &e);
	sealed_file_add(&f->file, &line);
}

static UNUSED void write_file(struct fixture *f)
{
	struct err e = ERR_INIT;
	AUTO_BUF struct buf text = BUF_INIT(1 << 20);
	check(sealed_file_write(&f->file, &text, &e), &e);
	check(file_replace(f->file_path, text.data, text.len,
			   (struct file_attr){ 0644, (uid_t)-1, (gid_t)-1 }, &e),
	      &e);
}

// --- asking

struct reply {
	bool done;
	json_t *body;
	char version[24];
	struct err err;
};

static UNUSED void on_done(void *ctx, const struct store_answer *a, const struct err *e)
{
	struct reply *r = ctx;
	assert_false(r->done);
	assert_true((a == NULL) != (e == NULL));
	r->done = true;
	if (e) {
		r->err = *e;
		return;
	}
	assert_int_equal(a->life, LIFE_WATCH);
	r->body = json_incref(a->body);
	snprintf(r->version, sizeof(r->version), "%s", a->version);
}

static UNUSED void on_changed(void *ctx, const char *path)
{
	struct fixture *f = ctx;
	assert_null(path);
	f->changes++;
}

static UNUSED void open_store(struct fixture *f)
{
	struct err e = ERR_INIT;
	struct store_env env = { f->loop, &f->conf, on_changed, f };
	check(store_sealed.open(&env, &f->store, &e), &e);
}

static UNUSED void ask(struct fixture *f, enum store_verb verb, const char *path,
		       struct reply *r)
{
	struct err e = ERR_INIT;
	struct store_ask a = { .verb = verb, .path = path };
	*r = (struct reply){ 0 };
	if (!f->store)
		open_store(f);
	store_sealed.fetch(f->store, &a, on_done, r);
	assert_false(r->done); // never from inside the call
	for (unsigned i = 0; i < 10 && !r->done; i++)
		check(loop_once(f->loop, 0, &e), &e);
	assert_true(r->done);
}

// The answer's data as JSON text, or the error's.
static UNUSED void expect(struct fixture *f, const char *path, const char *data,
			  const char *version)
{
	struct reply r;
	struct err e = ERR_INIT;
	AUTO_BUF struct buf text = BUF_INIT(1 << 20);
	ask(f, STORE_READ, path, &r);
	if (!r.body)
		fail_msg("%s: %s", path, r.err.text);
	check(json_write(json_object_get(r.body, "data"), &text, &e), &e);
	assert_string_equal(buf_str(&text), data);
	assert_string_equal(r.version, version);
	json_decref(r.body);
}

static UNUSED void expect_error(struct fixture *f, const char *path, enum err_kind kind,
				const char *text)
{
	struct reply r;
	ask(f, STORE_READ, path, &r);
	if (r.body)
		fail_msg("'%s' opens, though it should not", path);
	if (!strstr(r.err.text, text))
		fail_msg("'%s' is not in '%s'", text, r.err.text);
	assert_int_equal(r.err.kind, kind);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
