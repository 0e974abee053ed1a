// SPDX-License-Identifier: Apache-2.0
// links: lib/kube
// Drives lib/kube for the tests against a real API server: commands come as lines on stdin,
// one JSON document each, and each answer is a line of JSON on stdout.
//
//	kube_run SERVER CA TOKEN_FILE
//
//	{"verb": "get", "path": "/api/…", "query": "…", "body": {…}}
//	{"watch": "/api/v1/namespaces", "name": "x", "metadata": true}
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "lib/kube/watch.h"

enum { LINE_MAX_ = 4 << 20, WATCHES = 8 };

static struct loop *loop;
static struct kube *kube;
static struct kube_watch *watches[WATCHES];
static size_t n_watches;
static struct buf lines = BUF_INIT(LINE_MAX_);

static void print(json_t *take)
{
	char *text = json_dumps(take, JSON_COMPACT | JSON_SORT_KEYS);
	puts(text);
	fflush(stdout);
	mem_free(text);
	json_decref(take);
}

static json_t *error_of(const struct err *e)
{
	return json_pack("{s:s, s:i, s:s}", "kind", err_kind_name(e->kind), "cause",
			 e->cause, "error", e->text);
}

static void on_done(void *ctx, const json_t *object, const struct err *e)
{
	(void)ctx;
	print(e ? error_of(e)
		: json_pack("{s:O}", "object", (json_t *)(uintptr_t)object));
}

static void on_listed(void *ctx, const json_t *items, bool first, bool last)
{
	(void)ctx;
	print(json_pack("{s:O, s:b, s:b}", "listed", (json_t *)(uintptr_t)items, "first",
			first, "last", last));
}

static void on_changed(void *ctx, const json_t *object, bool gone)
{
	(void)ctx;
	print(json_pack("{s:O, s:b}", "changed", (json_t *)(uintptr_t)object, "gone",
			gone));
}

static void on_health(void *ctx, const struct err *e)
{
	(void)ctx;
	print(e ? error_of(e) : json_pack("{s:s}", "health", "good"));
}

static enum kube_verb verb_of(const char *word)
{
	static const char *const words[] = {
		[KUBE_GET] = "get",       [KUBE_LIST] = "list",
		[KUBE_CREATE] = "create", [KUBE_UPDATE] = "update",
		[KUBE_MERGE] = "merge",   [KUBE_STRATEGIC] = "strategic",
		[KUBE_JSON] = "json",     [KUBE_APPLY] = "apply",
	};
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (words[i] && strcmp(words[i], word) == 0)
			return (enum kube_verb)i;
	return KUBE_GET;
}

static void command(const char *line, size_t len)
{
	AUTO_JSON json_t *j = NULL;
	struct err e = ERR_INIT;
	const char *verb = "get", *path = "", *query = NULL, *watch = NULL, *name = NULL;
	if (!json_parse(line, len, LINE_MAX_, JSON_PLAIN, &j, &e) ||
	    !json_get_str(j, "verb", &verb, &e) || !json_get_str(j, "path", &path, &e) ||
	    !json_get_str(j, "query", &query, &e) ||
	    !json_get_str(j, "watch", &watch, &e) ||
	    !json_get_str(j, "name", &name, &e)) {
		print(error_of(&e));
		return;
	}
	if (watch && n_watches < WATCHES) {
		struct kube_watch_opts o = { .path = watch,
					     .name = name,
					     .metadata_only = json_is_on(j, "metadata"),
					     .listed = on_listed,
					     .changed = on_changed,
					     .health = on_health };
		watches[n_watches++] = kube_watch_new(kube, &o);
		return;
	}
	struct kube_request r = { .verb = verb_of(verb),
				  .path = path,
				  .query = query,
				  .body = json_object_get(j, "body") };
	if (!kube_send(kube, &r, on_done, NULL, NULL, &e))
		print(error_of(&e));
}

static void on_input(void *ctx, int fd, unsigned events)
{
	(void)ctx;
	(void)events;
	char bytes[65536];
	ssize_t n = read(fd, bytes, sizeof(bytes));
	if (n <= 0) {
		loop_stop(loop);
		return;
	}
	buf_add(&lines, bytes, (size_t)n);
	for (char *end; lines.data && (end = memchr(lines.data, '\n', lines.len));) {
		size_t len = (size_t)(end - lines.data);
		command(lines.data, len);
		memmove(lines.data, end + 1, lines.len - len - 1);
		buf_truncate(&lines, lines.len - len - 1);
	}
}

int main(int argc, char **argv)
{
	struct err e = ERR_INIT;
	struct loop_fd *in = NULL;
	mem_init(false);
	if (argc != 4)
		return 2;
	struct kube_opts o = { .server = argv[1],
			       .ca_file = argv[2],
			       .token_file = argv[3],
			       .user_agent = "kube_run" };
	bool ok = crypto_init(&e) && loop_new(&loop, &e) &&
		  kube_new(loop, &o, &kube, &e) &&
		  loop_fd_add(loop, 0, LOOP_READ, on_input, NULL, &in, &e) &&
		  loop_run(loop, &e);
	while (n_watches > 0)
		kube_watch_free(watches[--n_watches]);
	kube_free(kube);
	loop_fd_remove(in);
	loop_free(loop);
	buf_release(&lines);
	if (!ok)
		fprintf(stderr, "kube_run: %s\n", e.text);
	return ok ? 0 : 1;
}
