// SPDX-License-Identifier: Apache-2.0
// The client of the Kubernetes API against a server on the same loop that answers by a
// script: what is asked, what errors say, and how a watch lives on.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/http/server.h"
#include "lib/kube/watch.h"
#include "test/support/clock_fake.h"

enum { ASKED_MAX = 16 };

// One answer; a stream stays open after its body until the test ends it.
struct say {
	int status;
	const char *body;
	bool stream;
};

static struct {
	struct loop *loop;
	struct http_server *server;
	struct kube *kube;
	struct err e;
	char token_file[64];
	const struct say *script;
	unsigned asked;
	char lines[ASKED_MAX][512]; // "METHOD PATH?QUERY token type"
	struct http_exchange *open;
	// what the owner was told
	unsigned done, listed, changed, health;
	struct err why;
	char text[4096]; // everything, in order
} t;

static void tell(const char *fmt, ...) PRINTF_LIKE(1, 2);
static void tell(const char *fmt, ...)
{
	size_t n = strlen(t.text);
	va_list args;
	va_start(args, fmt);
	vsnprintf(t.text + n, sizeof(t.text) - n, fmt, args);
	va_end(args);
}

static void field(const struct http_incoming *in, const char *name, char *to, size_t max)
{
	struct str v = http_head_field(&in->head, name);
	snprintf(to, max, "%.*s", (int)v.len, v.p ? v.p : "");
}

static void on_request(void *ctx, struct http_exchange *x)
{
	(void)ctx;
	const struct http_incoming *in = http_exchange_incoming(x);
	const struct say *say = &t.script[t.asked];
	char token[128], type[128];
	field(in, "authorization", token, sizeof(token));
	field(in, "content-type", type, sizeof(type));
	assert_true(t.asked < ASKED_MAX);
	snprintf(t.lines[t.asked++], sizeof(t.lines[0]), "%.*s %.*s?%.*s %s %s",
		 (int)in->head.method.len, in->head.method.p, (int)in->head.path.len,
		 in->head.path.p, (int)in->head.query.len,
		 in->head.query.p ? in->head.query.p : "", token, type);
	struct http_answer a = { .status = say->status ? say->status : 500,
				 .type = "application/json",
				 .body = say->body,
				 .len = say->body ? strlen(say->body) : 0 };
	if (!say->stream) {
		http_answer(x, &a);
		return;
	}
	t.open = x;
	http_stream_begin(x, &a);
	http_stream_send(x, say->body, strlen(say->body), NULL);
}

static const struct http_route routes[] = { { NULL, "/*", 1 << 20, on_request },
					    { .path = NULL } };

static void put_token(const char *text)
{
	FILE *f = fopen(t.token_file, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	snprintf(t.token_file, sizeof(t.token_file), "/tmp/kube_test.%d", (int)getpid());
	put_token("first\n");
	clock_fake_set(5000000, 1700000000000);
	struct http_server_opts o = { .routes = routes };
	assert_true(loop_new(&t.loop, &t.e));
	assert_true(http_server_new(t.loop, &o, &t.server, &t.e));
	assert_true(http_server_listen(t.server, "127.0.0.1:0", NULL, &t.e));
	char url[64];
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", http_server_port(t.server));
	struct kube_opts k = { .server = url, .token_file = t.token_file };
	assert_true(kube_new(t.loop, &k, &t.kube, &t.e));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kube_free(t.kube);
	if (t.open)
		http_stream_abort(TAKE(t.open));
	http_server_free(t.server);
	loop_free(t.loop);
	unlink(t.token_file);
	clock_fake_release();
	return 0;
}

static void until(const unsigned *n, unsigned want)
{
	struct timespec from, now;
	clock_gettime(CLOCK_MONOTONIC, &from);
	while (*n < want) {
		assert_true(loop_once(t.loop, 5, &t.e));
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec - from.tv_sec >= 20)
			fail_msg("it did not come to pass: %s", t.text);
	}
}

static void on_done(void *ctx, const json_t *object, const struct err *e)
{
	(void)ctx;
	assert_true(!object != !e);
	t.done++;
	if (e)
		t.why = *e;
	else
		tell("[%s %s]", kube_name(object), kube_version(object));
}

static void send_one(enum kube_verb verb, const char *path, const char *query)
{
	AUTO_JSON json_t *body = verb == KUBE_GET ? NULL : json_pack("{s:s}", "a", "b");
	struct kube_request r = {
		.verb = verb, .path = path, .query = query, .body = body
	};
	unsigned before = t.done;
	assert_true(kube_send(t.kube, &r, on_done, NULL, NULL, &t.e));
	assert_int_equal(t.done, before);
	until(&t.done, before + 1);
}

#define OBJECT "{\"metadata\":{\"name\":\"x\",\"resourceVersion\":\"7\"}}"

static void test_verbs(void **state)
{
	static const struct say script[] = { { 200, OBJECT, 0 }, { 201, OBJECT, 0 },
					     { 200, OBJECT, 0 }, { 200, OBJECT, 0 },
					     { 200, OBJECT, 0 }, { 200, OBJECT, 0 },
					     { 200, OBJECT, 0 } };
	(void)state;
	t.script = script;
	send_one(KUBE_GET, "/api/v1/namespaces/x", NULL);
	put_token("second"); // the kubelet replaces it
	send_one(KUBE_CREATE, "/api/v1/namespaces/x/secrets", NULL);
	send_one(KUBE_UPDATE, "/api/v1/namespaces/x/secrets/s", NULL);
	send_one(KUBE_MERGE, "/a", NULL);
	send_one(KUBE_STRATEGIC, "/a", NULL);
	send_one(KUBE_JSON, "/a", NULL);
	send_one(KUBE_APPLY, "/a", "fieldManager=m");
	assert_string_equal(t.lines[0], "GET /api/v1/namespaces/x? Bearer first ");
	assert_string_equal(t.lines[1],
			    "POST /api/v1/namespaces/x/secrets? Bearer second "
			    "application/json");
	assert_string_equal(t.lines[2], "PUT /api/v1/namespaces/x/secrets/s? Bearer "
					"second application/json");
	assert_non_null(
		strstr(t.lines[3], "PATCH /a? Bearer second application/merge-p"));
	assert_non_null(strstr(t.lines[4], "application/strategic-merge-patch+json"));
	assert_non_null(strstr(t.lines[5], "application/json-patch+json"));
	assert_non_null(strstr(t.lines[6], "PATCH /a?fieldManager=m"));
	assert_string_equal(t.text, "[x 7][x 7][x 7][x 7][x 7][x 7][x 7]");
}

#define LEAK "{\"message\":\"token hunter2\"}"

static void test_errors_name_the_remedy(void **state)
{
	static const struct {
		struct say say;
		enum err_kind kind;
		const char *text;
	} rows[] = {
		{ { 403, LEAK, 0 },
		  ERR_DENIED,
		  "it needs a Role with apiGroups [\"\"], resources [\"secrets\"], "
		  "resourceNames [\"s\"], verbs [update]" },
		{ { 401, LEAK, 0 }, ERR_AUTH, "token" },
		{ { 404, LEAK, 0 }, ERR_MISSING, "no secrets s in the namespace x" },
		{ { 409, LEAK, 0 }, ERR_RETRY, "changed by somebody else" },
		{ { 410, LEAK, 0 }, ERR_RETRY, "forgotten" },
		{ { 422, LEAK, 0 }, ERR_CONFIG, "422" },
		{ { 503, LEAK, 0 }, ERR_RETRY, "503" },
		{ { 302, LEAK, 0 }, ERR_CONFIG, "302" },
		{ { 200, "no json hunter2", 0 }, ERR_CONFIG, "answer" },
		{ { 200, "[]", 0 }, ERR_RETRY, "no object" },
	};
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		t.script = &rows[i].say - t.asked;
		send_one(KUBE_UPDATE, "/api/v1/namespaces/x/secrets/s", NULL);
		assert_int_equal(t.why.kind, rows[i].kind);
		if (!strstr(t.why.text, rows[i].text))
			fail_msg("'%s' is not in: %s", rows[i].text, t.why.text);
		assert_null(strstr(t.why.text, "hunter2"));
	}
	static const struct say denied = { 403, LEAK, 0 };
	t.script = &denied - t.asked;
	send_one(KUBE_STRATEGIC,
		 "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/a",
		 NULL);
	assert_non_null(strstr(t.why.text,
			       "a ClusterRole with apiGroups "
			       "[\"admissionregistration.k8s.io\"], resources "
			       "[\"mutatingwebhookconfigurations\"], resourceNames "
			       "[\"a\"], verbs [patch]"));
}

static void test_where_there_is_no_kubernetes(void **state)
{
	(void)state;
	struct kube *k = NULL;
	unsetenv("KUBERNETES_SERVICE_HOST");
	assert_false(kube_new(t.loop, &(struct kube_opts){ 0 }, &k, &t.e));
	assert_non_null(strstr(t.e.text, "KUBERNETES_SERVICE_HOST"));
	err_clear(&t.e);
	struct kube_opts plain = { .server = "http://10.0.0.1:80" };
	assert_false(kube_new(t.loop, &plain, &k, &t.e));
	assert_non_null(strstr(t.e.text, "https://"));
}

// --- watches

static void on_listed(void *ctx, const json_t *items, bool first, bool last)
{
	size_t i;
	const json_t *item;
	(void)ctx;
	tell("%slist", first ? "(" : "");
	json_array_foreach(items, i, item) tell(" %s", kube_name(item));
	tell("%s", last ? ")" : "+");
	t.listed++;
}

static void on_changed(void *ctx, const json_t *object, bool gone)
{
	(void)ctx;
	tell("%c%s", gone ? '-' : '+', kube_name(object));
	t.changed++;
}

static void on_health(void *ctx, const struct err *e)
{
	(void)ctx;
	tell("{%s}", e ? err_kind_name(e->kind) : "good");
	t.health++;
	if (e)
		t.why = *e;
}

static struct kube_watch *watch(const struct say *script, const char *name)
{
	struct kube_watch_opts o = { .path = "/api/v1/namespaces",
				     .name = name,
				     .listed = on_listed,
				     .changed = on_changed,
				     .health = on_health };
	t.script = script;
	return kube_watch_new(t.kube, &o);
}

// A call that waits, libcurl's timers run on the clock: moves it on until *n is reached.
static void later(const unsigned *n, unsigned want)
{
	unsigned tries = 0;
	while (*n < want) {
		clock_fake_advance(100);
		assert_true(loop_once(t.loop, 5, &t.e));
		if (++tries > 4000)
			fail_msg("it did not come to pass: %s", t.text);
	}
}

#define NS(name, version)                                                                \
	"{\"metadata\":{\"name\":\"" name "\",\"resourceVersion\":\"" version "\"}}"
#define EVENT(type, name, version)                                                       \
	"{\"type\":\"" type "\",\"object\":" NS(name, version) "}\n"
#define LIST(version, more, items)                                                       \
	"{\"metadata\":{\"resourceVersion\":\"" version "\",\"continue\":\"" more        \
	"\"},\"items\":[" items "]}"

static void test_pages_then_events(void **state)
{
	static const struct say script[] = {
		{ 200, LIST("5", "to&ken", NS("a", "1")), 0 },
		{ 200, LIST("5", "", NS("b", "2") "," NS("c", "3")), 0 },
		{ 200,
		  EVENT("ADDED", "d", "6") EVENT("BOOKMARK", "", "8")
			  EVENT("DELETED", "a", "9"),
		  true },
	};
	(void)state;
	struct kube_watch *w = watch(script, "a b");
	until(&t.changed, 2);
	assert_string_equal(t.text, "(list a+list b c)+d-a");
	assert_non_null(
		strstr(t.lines[0], "?limit=500&fieldSelector=metadata.name%3Da%20b"));
	assert_non_null(strstr(t.lines[1], "&continue=to%26ken"));
	assert_non_null(strstr(t.lines[2], "watch=1&allowWatchBookmarks=true&"));
	assert_non_null(strstr(t.lines[2], "&resourceVersion=5&"));
	http_stream_abort(TAKE(t.open)); // cut: goes on from the last version
	static const struct say rest[] = { { 200, EVENT("MODIFIED", "b", "11"), true } };
	t.script = rest - t.asked;
	later(&t.changed, 3);
	assert_non_null(strstr(t.lines[3], "&resourceVersion=9&"));
	assert_string_equal(t.text, "(list a+list b c)+d-a{retry}{good}+b");
	kube_watch_free(w);
}

static void test_too_old_means_a_new_list(void **state)
{
	static const struct say script[] = {
		{ 200, LIST("5", "", ""), 0 },
		{ 200, "{\"type\":\"ERROR\",\"object\":{\"code\":410}}\n", 0 },
		{ 200, LIST("20", "", NS("z", "12")), 0 },
		{ 410, "{\"kind\":\"Status\",\"code\":410}\n", 0 },
		{ 500, "", 0 },
		{ 200, LIST("30", "", NS("y", "22")), 0 },
		{ 200, "", true },
	};
	(void)state;
	struct kube_watch *w = watch(script, NULL);
	later(&t.asked, 7);
	assert_string_equal(t.text,
			    "(list){retry}{good}(list z){retry}{retry}{good}(list y)");
	assert_non_null(strstr(t.lines[6], "&resourceVersion=30"));
	kube_watch_free(w);
}

static void test_a_refusal_names_the_right(void **state)
{
	static const struct say script[] = {
		{ 403, "{}", 0 },
		{ 200, LIST("1", "", ""), 0 },
		{ 403, "{\"kind\":\"Status\",\"code\":403}\n", 0 }
	};
	(void)state;
	struct kube_watch *w = watch(script, NULL);
	later(&t.health, 1);
	assert_non_null(strstr(t.why.text, "resources [\"namespaces\"], verbs [list]"));
	later(&t.health, 3);
	assert_non_null(strstr(t.why.text, "verbs [watch]"));
	kube_watch_free(w);
	t.script = script - t.asked; // of one object: no more than the right to that
	w = watch(t.script, "web");
	later(&t.health, 4);
	assert_non_null(strstr(t.why.text, "resources [\"namespaces\"], resourceNames "
					   "[\"web\"], verbs [list]"));
	kube_watch_free(w);
}

static void test_garbage_is_given_up(void **state)
{
	static const struct say script[] = { { 200, LIST("1", "", ""), 0 },
					     { 200, "no json\n", true },
					     { 200, EVENT("ADDED", "a", "2"), false },
					     { 200, EVENT("ADDED", "b", "3"), true } };
	(void)state;
	struct kube_watch *w = watch(script, NULL);
	until(&t.health, 1);
	http_stream_abort(TAKE(t.open)); // the client has left already
	later(&t.changed, 2);
	assert_string_equal(t.text, "(list){config}{good}+a+b");
	kube_watch_free(w);
}

// A stream that was cut after a while is begun again at once, the tenth time, too.
static void test_idle_streams_are_cut(void **state)
{
	static const struct say script[] = { { 200, LIST("1", "", ""), 0 },
					     { 200, "", true },
					     { 200, "", true },
					     { 200, "", true },
					     { 200, "", true },
					     { 200, "", true },
					     { 200, "", true },
					     { 200, "", true },
					     { 200, "", true },
					     { 200, "", true },
					     { 200, "", true } };
	(void)state;
	struct kube_watch *w = watch(script, NULL);
	for (unsigned i = 2; i <= 11; i++) {
		int64_t from = clock_mono_ms();
		later(&t.asked, i);
		assert_true(clock_mono_ms() - from < 4 * KUBE_RETRY_MIN_MS);
		if (i == 11)
			break;
		clock_fake_advance(6000);
		http_stream_abort(TAKE(t.open));
	}
	kube_watch_free(w);
}

// A connection that somebody forgets in silence is found out: the kernel's timer of its
// keepalive ("02", proc(5)) runs.
static void test_a_stream_is_kept_alive(void **state)
{
	static const struct say script[] = { { 200, LIST("1", "", ""), 0 },
					     { 200, EVENT("ADDED", "a", "2"), true } };
	char line[512], from[32], to[32], want[16], timer[32];
	unsigned found = 0, alive = 0;
	(void)state;
	struct kube_watch *w = watch(script, NULL);
	until(&t.changed, 1);
	snprintf(want, sizeof(want), ":%04X", http_server_port(t.server));
	FILE *f = fopen("/proc/self/net/tcp", "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " %*s %31s %31s 01 %*s %31s", from, to, timer) == 3 &&
		    strstr(to, want)) {
			found++;
			alive += strncmp(timer, "02:", 3) == 0;
		}
	fclose(f);
	assert_true(found > 0);
	assert_int_equal(alive, found);
	kube_watch_free(w);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_verbs),
		CASE(test_errors_name_the_remedy),
		CASE(test_where_there_is_no_kubernetes),
		CASE(test_pages_then_events),
		CASE(test_too_old_means_a_new_list),
		CASE(test_a_refusal_names_the_right),
		CASE(test_garbage_is_given_up),
		CASE(test_idle_streams_are_cut),
		CASE(test_a_stream_is_kept_alive),
	};
	mem_init(false);
	return cmocka_run_group_tests_name("kube", tests, NULL, NULL);
}
