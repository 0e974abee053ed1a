// SPDX-License-Identifier: Apache-2.0
// links: stores
// Drives one store for the system tests: commands come as lines on stdin, or as arguments,
// and each answer is one line of JSON on stdout. Values are shown as a SHA-256 of the data's
// JSON text (sorted keys, no blanks), so that tests can compare them.
//
//	store_get CONFIG.json [COMMAND…]
//
//	login, renew-login, check, logout      the credential
//	token FILE, wrap-token TTL FILE        writes it down
//	get PATH…, list PATH…                  several at once
//	write PATH KEY=VALUE…
//	renew [LEASE], revoke [LEASE]          of the last answer when none is named
//	wait                                   for the next change that the store tells of
//
// CONFIG.json: {"type", "address", "namespace", "tls": {…}, "auth": {"method", "mount_path",
// "namespace", "config": {…}}, "timeout_ms", "options": {…}}. At the end of stdin the store
// is closed at once, and what is under way is dropped.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/codec.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/secret.h"
#include "lib/base/str.h"
#include "lib/crypto/crypto.h"
#include "lib/crypto/digest.h"
#include "stores/store.h"

enum { TEXT_MAX = 16 << 20, WORDS_MAX = 64 };

struct driver {
	struct loop *loop;
	const struct store_ops *ops;
	struct store *store;
	json_t *json; // the configuration
	struct conf_store conf;
	struct loop_fd *input;
	struct buf lines;
	char **commands; // of argv, NULL-ended; NULL: stdin
	bool ended;      // no more commands
	unsigned under_way;
	bool waiting, changed;
	char *lease_id;
	struct pending *pending; // asks that are under way
};

static void next_command(struct driver *d);

// --- output -------------------------------------------------------------------------------

static void print(json_t *take)
{
	AUTO_JSON json_t *j = take;
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	struct err e = ERR_INIT;
	if (!json_write(j, &b, &e))
		fprintf(stderr, "store_get: %s\n", e.text);
	puts(buf_str(&b));
	fflush(stdout);
}

static json_t *answer_line(const char *what, const char *path, const struct err *e)
{
	json_t *j = json_object();
	json_object_set_new(j, "do", json_string(what));
	if (path)
		json_object_set_new(j, "path", json_string(path));
	json_object_set_new(j, "ok", json_boolean(!e));
	if (!e)
		return j;
	json_object_set_new(j, "kind", json_string(err_kind_name(e->kind)));
	json_object_set_new(j, "cause", json_integer(e->cause));
	json_object_set_new(j, "retry_ms", json_integer(e->retry_ms));
	json_object_set_new(j, "error", json_string(e->text));
	return j;
}

static void put_digest(json_t *line, const char *key, const json_t *value)
{
	AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX);
	AUTO_BUF struct buf hex = BUF_INIT(2 * DIGEST_SHA256_LEN);
	unsigned char sum[DIGEST_SHA256_LEN];
	struct err e = ERR_INIT;
	if (!value || !json_write(value, &text, &e) ||
	    !digest_of(DIGEST_SHA256, bytes_of(buf_str(&text), text.len), sum, &e))
		return;
	codec_hex_encode(sum, sizeof(sum), &hex);
	json_object_set_new(line, key, json_string(buf_str(&hex)));
}

static void done_one(struct driver *d)
{
	d->under_way--;
	next_command(d);
}

// --- answers ------------------------------------------------------------------------------

struct pending {
	struct pending *next;
	struct driver *driver;
	const char *what;
	char *path;
};

static struct pending *pending_new(struct driver *d, const char *what, const char *path)
{
	struct pending *p = mem_alloc(sizeof(*p));
	p->driver = d;
	p->what = what;
	p->path = mem_strdup(path);
	p->next = d->pending;
	d->pending = p;
	d->under_way++;
	return p;
}

static void pending_free(struct pending *p)
{
	struct pending **at = &p->driver->pending;
	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
	mem_free(p->path);
	mem_free(p);
}

static void pending_end(struct pending *p, json_t *take)
{
	struct driver *d = p->driver;
	print(take);
	pending_free(p);
	done_one(d);
}

static void on_answer(void *ctx, const struct store_answer *a, const struct err *e)
{
	static const char *const lives[] = { [LIFE_STATIC] = "static",
					     [LIFE_LEASE] = "lease",
					     [LIFE_UNTIL] = "until",
					     [LIFE_WATCH] = "watch" };
	struct pending *p = ctx;
	json_t *line = answer_line(p->what, p->path, e);
	if (a) {
		json_object_set_new(line, "life", json_string(lives[a->life]));
		json_object_set_new(line, "version", json_string(a->version));
		json_object_set_new(line, "lease_id", json_string(a->lease_id));
		json_object_set_new(line, "lease_ms", json_integer(a->lease_ms));
		json_object_set_new(line, "renewable", json_boolean(a->renewable));
		json_object_set_new(line, "next_ms", json_integer(a->next_ms));
		put_digest(line, "body", a->body);
		put_digest(line, "data", json_object_get(a->body, "data"));
	}
	if (a && *a->lease_id) {
		mem_free(p->driver->lease_id);
		p->driver->lease_id = mem_strdup(a->lease_id);
	}
	pending_end(p, line);
}

static void on_login(void *ctx, const struct store_token *t, const struct err *e)
{
	struct pending *p = ctx;
	struct driver *d = p->driver;
	json_t *line = answer_line(p->what, NULL, e);
	if (t) {
		json_object_set_new(line, "ttl_ms", json_integer(t->ttl_ms));
		json_object_set_new(line, "renewable", json_boolean(t->renewable));
	}
	const struct secret *token = d->ops->token ? d->ops->token(d->store) : NULL;
	json_object_set_new(line, "has_token", json_boolean(token != NULL));
	pending_end(p, line);
}

static void on_changed(void *ctx, const char *path)
{
	struct driver *d = ctx;
	d->changed = true;
	if (!d->waiting)
		return;
	d->waiting = d->changed = false;
	print(answer_line("wait", path, NULL));
	done_one(d);
}

// --- commands -----------------------------------------------------------------------------

static void fetch(struct driver *d, char **words, size_t n)
{
	struct store_ask ask = { .verb = strcmp(words[0], "list") == 0    ? STORE_LIST
					 : strcmp(words[0], "write") == 0 ? STORE_WRITE
									  : STORE_READ };
	static const char *const names[] = {
		[STORE_READ] = "get", [STORE_LIST] = "list", [STORE_WRITE] = "write"
	};
	AUTO_JSON json_t *params = json_object();
	for (size_t i = 2; ask.verb == STORE_WRITE && i < n; i++) {
		char *eq = strchr(words[i], '=');
		if (eq)
			*eq++ = '\0';
		json_object_set_new(params, words[i], json_string(eq ? eq : ""));
	}
	if (ask.verb == STORE_WRITE) {
		ask.params = params;
		n = n < 2 ? n : 2;
	}
	for (size_t i = 1; i < n; i++) {
		ask.path = words[i];
		d->ops->fetch(d->store, &ask, on_answer,
			      pending_new(d, names[ask.verb], words[i]));
	}
}

static void credential(struct driver *d, const char *word)
{
	if (strcmp(word, "login") == 0)
		d->ops->login(d->store, on_login, pending_new(d, "login", NULL));
	else if (strcmp(word, "renew-login") == 0)
		d->ops->renew_login(d->store, on_login,
				    pending_new(d, "renew-login", NULL));
	else if (strcmp(word, "check") == 0)
		d->ops->check_login(d->store, on_login, pending_new(d, "check", NULL));
	else if (strcmp(word, "logout") == 0)
		d->ops->logout(d->store, on_login, pending_new(d, "logout", NULL));
	else
		fprintf(stderr, "store_get: what is '%s'?\n", word);
}

static void lease(struct driver *d, char **words, size_t n)
{
	AUTO_FREE char *id = mem_strdup(n > 1         ? words[1]
					: d->lease_id ? d->lease_id
						      : "none");
	if (strcmp(words[0], "renew") == 0)
		d->ops->renew(d->store, id, 0, on_answer, pending_new(d, "renew", id));
	else
		d->ops->revoke(d->store, id, on_answer, pending_new(d, "revoke", id));
}

static void write_token(struct driver *d, const char *path)
{
	const struct secret *t = d->ops->token(d->store);
	struct file_attr attr = { 0600, (uid_t)-1, (gid_t)-1 };
	struct err e = ERR_INIT;
	bool ok = file_replace(path, t ? secret_bytes(t) : "", secret_len(t), attr, &e);
	print(answer_line("token", path, ok ? NULL : &e));
}

static void on_wrapped(void *ctx, const struct store_answer *a, const struct err *e)
{
	struct pending *p = ctx;
	struct file_attr attr = { 0600, (uid_t)-1, (gid_t)-1 };
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	struct err why = ERR_INIT;
	if (a && (!json_write(a->body, &b, &why) ||
		  !file_replace(p->path, buf_str(&b), b.len, attr, &why)))
		e = &why;
	pending_end(p, answer_line(p->what, p->path, e));
}

static void run(struct driver *d, char *line)
{
	char *words[WORDS_MAX];
	size_t n = 0;
	for (char *save, *w = strtok_r(line, " \n", &save); w && n < WORDS_MAX;
	     w = strtok_r(NULL, " \n", &save))
		words[n++] = w;
	if (n == 0)
		return;
	if (strcmp(words[0], "get") == 0 || strcmp(words[0], "list") == 0 ||
	    strcmp(words[0], "write") == 0) {
		fetch(d, words, n);
	} else if (strcmp(words[0], "renew") == 0 || strcmp(words[0], "revoke") == 0) {
		lease(d, words, n);
	} else if (strcmp(words[0], "wait") == 0) {
		d->under_way++;
		d->waiting = true;
		if (d->changed)
			on_changed(d, NULL);
	} else if (strcmp(words[0], "token") == 0 && n > 1) {
		write_token(d, words[1]);
	} else if (strcmp(words[0], "wrap-token") == 0 && n > 2) {
		d->ops->wrap_token(d->store, words[1], on_wrapped,
				   pending_new(d, "wrap-token", words[2]));
	} else {
		credential(d, words[0]);
	}
}

// The next line of stdin or argument, or NULL. The caller frees.
static char *take_line(struct driver *d)
{
	if (d->commands)
		return *d->commands ? mem_strdup(*d->commands++) : NULL;
	const char *end = d->lines.len ? memchr(d->lines.data, '\n', d->lines.len) : NULL;
	if (!end)
		return NULL;
	size_t len = (size_t)(end - d->lines.data) + 1;
	char *line = mem_strndup(d->lines.data, len);
	memmove(d->lines.data, d->lines.data + len, d->lines.len - len);
	buf_truncate(&d->lines, d->lines.len - len);
	return line;
}

static void next_command(struct driver *d)
{
	while (d->under_way == 0) {
		AUTO_FREE char *line = take_line(d);
		if (!line) {
			if (d->ended)
				loop_stop(d->loop);
			return;
		}
		run(d, line);
	}
}

static void on_input(void *ctx, int fd, unsigned events)
{
	struct driver *d = ctx;
	(void)events;
	char *room = buf_room(&d->lines, 4096);
	ssize_t n = room ? read(fd, room, 4096) : 0;
	if (n > 0) {
		d->lines.len += (size_t)n;
		buf_end(&d->lines);
	} else {
		loop_fd_remove(d->input);
		d->input = NULL;
		loop_stop(d->loop);
		return;
	}
	next_command(d);
}

// --- start --------------------------------------------------------------------------------

static bool read_conf(struct driver *d, const char *path, struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX);
	struct conf_store *c = &d->conf;
	json_t *tls = NULL, *auth = NULL;
	c->name = "test";
	return file_read(path, &text, e) &&
	       json_parse(buf_str(&text), text.len, text.max, JSON_PLAIN, &d->json, e) &&
	       json_get_str(d->json, "type", &c->type, e) &&
	       json_get_str(d->json, "address", &c->address, e) &&
	       json_get_str(d->json, "namespace", &c->namespace_, e) &&
	       json_get_int(d->json, "timeout_ms", &c->timeout_ms, e) &&
	       json_get_obj(d->json, "options", &c->options, e) &&
	       json_get_obj(d->json, "tls", &tls, e) &&
	       json_get_str(tls, "ca_file", &c->tls.ca_file, e) &&
	       json_get_str(tls, "client_cert", &c->tls.client_cert, e) &&
	       json_get_str(tls, "client_key", &c->tls.client_key, e) &&
	       json_get_bool(tls, "skip_verify", &c->tls.skip_verify, e) &&
	       json_get_obj(d->json, "auth", &auth, e) &&
	       json_get_str(auth, "method", &c->auth.method, e) &&
	       json_get_str(auth, "mount_path", &c->auth.mount_path, e) &&
	       json_get_str(auth, "namespace", &c->auth.namespace_, e) &&
	       json_get_str(auth, "wrap_ttl", &c->auth.wrap_ttl, e) &&
	       json_get_obj(auth, "config", &c->auth.config, e);
}

static bool start(struct driver *d, const char *path, struct err *e)
{
	struct store_env env = { .changed = on_changed, .changed_ctx = d };
	if (!crypto_init(e) || !read_conf(d, path, e) || !loop_new(&d->loop, e))
		return false;
	d->ops = store_find(d->conf.type);
	if (!d->ops)
		return err_set(e, ERR_CONFIG, 0, "no such type of store");
	env.loop = d->loop;
	env.conf = &d->conf;
	if (!d->ops->open(&env, &d->store, e))
		return false;
	if (d->commands) {
		d->ended = true;
		return true;
	}
	return loop_fd_add(d->loop, 0, LOOP_READ, on_input, d, &d->input, e);
}

int main(int argc, char **argv)
{
	static struct driver d = { .lines = BUF_INIT(TEXT_MAX) };
	struct err e = ERR_INIT;
	mem_init(false);
	if (argc < 2) {
		fputs("usage: store_get CONFIG.json [COMMAND...]\n", stderr);
		return 2;
	}
	d.commands = argc > 2 ? argv + 2 : NULL;
	bool ok = start(&d, argv[1], &e);
	if (ok) {
		next_command(&d);
		ok = loop_run(d.loop, &e);
	}
	if (!ok)
		print(answer_line("start", NULL, &e));
	if (d.input)
		loop_fd_remove(d.input);
	if (d.store)
		d.ops->close(d.store);
	while (d.pending)
		pending_free(d.pending);
	loop_free(d.loop);
	mem_free(d.lease_id);
	buf_release(&d.lines);
	json_decref(d.json);
	return !ok;
}
