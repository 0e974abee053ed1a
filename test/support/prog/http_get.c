// SPDX-License-Identifier: Apache-2.0
// links: lib/http
// A small command line over lib/http/client.h for the system tests. Each answer is one
// line of JSON on stdout: {"status", "body", "type", "reused", "retry_after_ms", "ms"} or
// {"error", "kind", "cause", "ms"}.
//
//	http_get [OPTION=VALUE…] URL
//
// Options: ca_file ca_dir cert key server_name skip_verify=1 tls12_max=1 proxy close_idle=1
// connections | method unix header="Name: value" (several) body timeout max_body sigv4 user
// no_redirect=1 password show=HEADER chunk=1 | count=N (at once, 1) stdin=1 (then each line
// is one more URL; "-" is the first one again, "drop" forgets connections) quiet=1 (the
// body's length in place of the body, for who looks into our memory).
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/http/client.h"

enum { HEADERS_MAX = 16, LINE_MAX_BYTES = 64 * 1024, OUT_MAX = 64 << 20 };

struct shot {
	struct program *p;
	int64_t from_ms;
};

struct program {
	struct loop *loop;
	struct http_client *client;
	struct http_client_opts opts;
	struct http_request req;
	struct http_header headers[HEADERS_MAX];
	const char *show;
	int64_t count;
	bool by_stdin, quiet;
	struct loop_fd *input;
	struct buf line;
	unsigned under_way;
};

static void die(const struct err *e)
{
	fprintf(stderr, "http_get: %s\n", e->text);
	_exit(2);
}

static void print(json_t *line)
{
	struct err e = ERR_INIT;
	AUTO_BUF struct buf b = BUF_INIT(OUT_MAX);
	if (!json_write(line, &b, &e))
		die(&e);
	printf("%s\n", buf_str(&b));
	fflush(stdout);
}

static void next(struct program *p)
{
	if (p->under_way == 0 && !p->by_stdin)
		loop_stop(p->loop);
}

static void on_chunk(void *ctx, const void *bytes, size_t len)
{
	(void)ctx;
	AUTO_JSON json_t *line = json_object();
	json_object_set_new(line, "chunk", json_str(bytes, len));
	print(line);
}

static void on_done(void *ctx, const struct http_response *r, const struct err *e)
{
	struct shot *s = ctx;
	struct program *p = s->p;
	AUTO_JSON json_t *line = json_object();
	json_object_set_new(line, "ms", json_integer(clock_mono_ms() - s->from_ms));
	if (e) {
		json_object_set_new(line, "error", json_string(e->text));
		json_object_set_new(line, "kind", json_string(err_kind_name(e->kind)));
		json_object_set_new(line, "cause", json_integer(e->cause));
	} else {
		const char *shown = p->show ? http_response_header(r, p->show) : NULL;
		json_object_set_new(line, "status", json_integer(r->status));
		if (p->quiet)
			json_object_set_new(line, "length",
					    json_integer((json_int_t)r->body->len));
		else
			json_object_set_new(line, "body",
					    json_str(buf_str(r->body), r->body->len));
		json_object_set_new(line, "type", json_string(r->content_type));
		json_object_set_new(line, "reused", json_boolean(r->reused));
		json_object_set_new(line, "retry_after_ms",
				    json_integer(r->retry_after_ms));
		if (shown)
			json_object_set_new(line, "shown", json_string(shown));
	}
	print(line);
	mem_free(s);
	p->under_way--;
	next(p);
}

static void send_one(struct program *p, const char *url)
{
	struct err e = ERR_INIT;
	struct shot *s = mem_alloc(sizeof(*s));
	struct http_request req = p->req;
	req.url = url;
	*s = (struct shot){ .p = p, .from_ms = clock_mono_ms() };
	p->under_way++;
	if (!http_send(p->client, &req, on_done, s, NULL, &e))
		on_done(s, NULL, &e);
}

static void take_line(struct program *p, const char *line)
{
	if (strcmp(line, "drop") == 0)
		http_client_drop_idle(p->client);
	else
		send_one(p, strcmp(line, "-") == 0 ? p->req.url : line);
}

static void on_input(void *ctx, int fd, unsigned events)
{
	(void)events;
	struct program *p = ctx;
	char c;
	if (read(fd, &c, 1) != 1) {
		loop_fd_remove(TAKE(p->input));
		p->by_stdin = false;
		next(p);
	} else if (c != '\n') {
		buf_putc(&p->line, c);
	} else {
		take_line(p, buf_str(&p->line));
		buf_reset(&p->line);
	}
}

static void add_header(struct program *p, char *value)
{
	char *colon = strstr(value, ": ");
	if (!colon || p->req.n_headers == HEADERS_MAX)
		return;
	*colon = '\0';
	p->headers[p->req.n_headers++] = (struct http_header){ value, colon + 2 };
}

static void take_option(struct program *p, const char *name, char *value)
{
	struct {
		const char *name;
		const char **to;
	} texts[] = {
		{ "ca_file", &p->opts.ca_file },  { "ca_dir", &p->opts.ca_dir },
		{ "cert", &p->opts.client_cert }, { "key", &p->opts.client_key },
		{ "proxy", &p->opts.proxy },      { "server_name", &p->opts.server_name },
		{ "method", &p->req.method },     { "unix", &p->req.unix_socket },
		{ "sigv4", &p->req.aws_sigv4 },   { "user", &p->req.user },
		{ "password", &p->req.password }, { "show", &p->show },
	};
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		if (strcmp(name, texts[i].name) == 0) {
			*texts[i].to = value;
			return;
		}
	}
	if (strcmp(name, "header") == 0) {
		add_header(p, value);
		return;
	}
	if (strcmp(name, "body") == 0) {
		p->req.body = value;
		p->req.body_len = strlen(value);
		return;
	}
	int64_t n = 0;
	struct err e = ERR_INIT;
	if (!str_int64(value, &n, &e))
		die(&e);
	if (strcmp(name, "skip_verify") == 0)
		p->opts.skip_verify = n;
	else if (strcmp(name, "tls12_max") == 0)
		p->opts.tls12_max = n;
	else if (strcmp(name, "close_idle") == 0)
		p->opts.close_idle = n;
	else if (strcmp(name, "connections") == 0)
		p->opts.max_connections = (unsigned)n;
	else if (strcmp(name, "timeout") == 0)
		p->req.timeout_ms = n;
	else if (strcmp(name, "max_body") == 0)
		p->req.max_body = (size_t)n;
	else if (strcmp(name, "no_redirect") == 0)
		p->req.no_redirect = n;
	else if (strcmp(name, "chunk") == 0)
		p->req.chunk = n ? on_chunk : NULL;
	else if (strcmp(name, "count") == 0)
		p->count = n;
	else if (strcmp(name, "quiet") == 0)
		p->quiet = n;
	else if (strcmp(name, "stdin") == 0)
		p->by_stdin = n;
}

int main(int argc, char **argv)
{
	mem_init(false);
	struct err e = ERR_INIT;
	struct program p = { .req = { .method = "GET" }, .count = 1 };
	p.line.max = LINE_MAX_BYTES;
	p.req.headers = p.headers;
	for (int i = 1; i + 1 < argc; i++) {
		char *equals = strchr(argv[i], '=');
		if (!equals)
			continue;
		*equals = '\0';
		take_option(&p, argv[i], equals + 1);
	}
	if (argc < 2 || !loop_new(&p.loop, &e) ||
	    !http_client_new(p.loop, &p.opts, &p.client, &e) ||
	    (p.by_stdin &&
	     !loop_fd_add(p.loop, STDIN_FILENO, LOOP_READ, on_input, &p, &p.input, &e)))
		die(&e);
	p.req.url = argv[argc - 1];
	for (int64_t i = 0; i < p.count; i++)
		send_one(&p, p.req.url);
	next(&p);
	if (!loop_run(p.loop, &e))
		die(&e);
	loop_fd_remove(p.input);
	http_client_free(p.client);
	loop_free(p.loop);
	buf_release(&p.line);
	return 0;
}
