// SPDX-License-Identifier: Apache-2.0
// Writing token sinks.
#include "agent/sink.h"

#include <stdlib.h>
#include <string.h>

#include "agent/envelope.h"
#include "lib/base/backoff.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/base/secret.h"

enum { RETRY_MIN_MS = 2000, RETRY_MAX_MS = 60 * 1000, SINK_MAX = 256 * 1024 };

struct sink {
	struct sinks *all;
	const struct conf_sink *conf;
	bool done, asking,
		again;        // `again`: a newer token came while one was being wrapped
	struct secret *bytes; // what was staged in a volume, which borrows it
	struct loop_timer timer;
	struct backoff backoff;
	struct err error;
};

struct sinks {
	struct sinks_setup setup;
	struct source *from;
	struct sink list[];
};

static bool put_in_place(struct sink *s, struct secret **bytes, struct err *e)
{
	const struct conf_sink *c = s->conf;
	struct file_attr attr = { .mode = c->mode,
				  .uid = (uid_t)c->uid,
				  .gid = (gid_t)c->gid };
	for (struct volume *const *v = s->all->setup.volumes; *v; v++) {
		const char *path = volume_path_of(*v, c->path);
		if (!path)
			continue;
		struct volume_file f = { .path = path,
					 .bytes = secret_bytes(*bytes),
					 .len = secret_len(*bytes),
					 .attr = attr };
		if (!volume_put(*v, &f, volume_same(*v, &f), e))
			return false;
		secret_free(s->bytes); // no longer borrowed
		s->bytes = TAKE(*bytes);
		return true;
	}
	return file_make_parents(c->path, e) &&
	       file_replace(c->path, secret_bytes(*bytes), secret_len(*bytes), attr, e);
}

static bool encrypt(const struct conf_sink *c, struct secret **bytes, struct err *e)
{
	AUTO_BUF struct buf file = BUF_INIT(ENVELOPE_KEY_FILE_MAX);
	AUTO_BUF struct buf out = BUF_INIT(SINK_MAX);
	unsigned char reader[X25519_LEN];
	const char *aad = c->aad_env_var ? getenv(c->aad_env_var) : c->aad;
	struct envelope how = { reader, c->derive_key, bytes_of_str(aad) };
	if (!file_read(c->dh_path, &file, e))
		return err_wrap(e, "dh_path");
	if (!envelope_key(buf_str(&file), file.len, reader, e))
		return err_wrap(e, "dh_path '%s'", c->dh_path);
	if (c->aad_env_var && !aad)
		return err_set(
			e, ERR_CONFIG, 0,
			"aad_env_var: there is no variable '%s' in the environment",
			c->aad_env_var);
	if (!envelope_seal(&how, bytes_of(secret_bytes(*bytes), secret_len(*bytes)), &out,
			   e))
		return false;
	secret_free(*bytes);
	*bytes = secret_new(buf_str(&out), out.len);
	return true;
}

static void write_sink(struct sink *s);

static void on_timer(void *ctx, struct loop_timer *t)
{
	(void)t;
	write_sink(ctx);
}

static void failed(struct sink *s, const struct err *e)
{
	int64_t delay = backoff_next(&s->backoff);
	s->error = *e;
	err_wrap(&s->error, "sink '%s'", s->conf->path);
	if (s->error.retry_ms > delay)
		delay = s->error.retry_ms;
	log_fail(LOG_ERROR, &s->error, "token not written", LOG_INT("retry_ms", delay));
	loop_timer_in(s->all->setup.loop, &s->timer, delay, on_timer, s);
	s->all->setup.changed(s->all->setup.ctx);
}

// The last steps of every sink: encrypt, write.
static void finish(struct sink *s, struct secret *plain)
{
	AUTO_SECRET struct secret *bytes = plain;
	struct err e = ERR_INIT;
	if ((s->conf->dh_type && !encrypt(s->conf, &bytes, &e)) ||
	    !put_in_place(s, &bytes, &e)) {
		failed(s, &e);
		return;
	}
	s->done = true;
	backoff_reset(&s->backoff);
	err_clear(&s->error);
	s->all->setup.changed(s->all->setup.ctx);
}

static void on_wrapped(void *ctx, const struct store_answer *a, const struct err *e)
{
	struct sink *s = ctx;
	struct err why = ERR_INIT;
	AUTO_BUF struct buf text = BUF_INIT(SINK_MAX);
	s->asking = false;
	if (s->again)
		write_sink(s);
	else if (e || !json_write(a->body, &text, &why))
		failed(s, e ? e : &why);
	else if (buf_putc(&text, '\n')) // as the peers end it
		finish(s, secret_new(buf_str(&text), text.len));
}

static void write_sink(struct sink *s)
{
	const struct secret *token = source_token(s->all->from);
	loop_timer_cancel(&s->timer);
	s->done = false;
	s->again = s->asking;
	if (s->asking)
		return;
	if (!token) {
		struct err e = ERR_INIT;
		err_set(&e, ERR_CONFIG, 0,
			"the login gives no token (inline_auth): take one of the two "
			"out");
		failed(s, &e);
		return;
	}
	if (s->conf->wrap_ttl) {
		s->asking = true;
		source_wrap_token(s->all->from, s->conf->wrap_ttl, on_wrapped, s);
		return;
	}
	finish(s, secret_new(secret_bytes(token), secret_len(token)));
}

void sinks_write(struct sinks *s, struct source *from)
{
	const struct conf *c = s->setup.conf;
	size_t first = 0;
	while (first < c->n_stores && !c->stores[first].auth.method)
		first++;
	if (first == c->n_stores || source_conf(from) != &c->stores[first])
		return;
	s->from = from;
	for (size_t i = 0; i < c->n_sinks; i++)
		write_sink(&s->list[i]);
}

bool sinks_done(const struct sinks *s)
{
	for (size_t i = 0; i < s->setup.conf->n_sinks; i++)
		if (!s->list[i].done)
			return false;
	return true;
}

const struct err *sinks_error(const struct sinks *s)
{
	for (size_t i = 0; i < s->setup.conf->n_sinks; i++)
		if (s->list[i].error.kind != ERR_NONE)
			return &s->list[i].error;
	return NULL;
}

struct sinks *sinks_new(const struct sinks_setup *setup)
{
	size_t n = setup->conf->n_sinks;
	struct sinks *s = mem_alloc(sizeof(*s) + n * sizeof(s->list[0]));
	s->setup = *setup;
	for (size_t i = 0; i < n; i++) {
		s->list[i].all = s;
		s->list[i].conf = &setup->conf->sinks[i];
		s->list[i].backoff.min_ms = RETRY_MIN_MS;
		s->list[i].backoff.max_ms = RETRY_MAX_MS;
	}
	return s;
}

void sinks_free(struct sinks *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->setup.conf->n_sinks; i++) {
		loop_timer_cancel(&s->list[i].timer);
		secret_free(s->list[i].bytes);
	}
	mem_free(s);
}
