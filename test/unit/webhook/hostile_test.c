// SPDX-License-Identifier: Apache-2.0
// Pods as large as the API server takes them, made to be expensive: a review of one costs in
// proportion to its size, whatever its lists hold. CPU time of eight times the size is held to
// half of what a square would cost; only what costs more each time that it is tried is a fault,
// so that neighbours do not matter.
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "webhook/mutate.h"
#include "webhook/validate.h"

// AddressSanitizer's strstr() looks at the whole text each time it is called: there the reviews
// are answered, and not measured.
#ifdef __SANITIZE_ADDRESS__
enum { IS_MEASURED = false };
#else
enum { IS_MEASURED = true };
#endif

enum { SMALL = 60 * 1000, TIMES = 8, SQUARE = 32, TRIES = 3, REVIEW_MAX = 4 << 20 };

static struct settings settings;

static const char settings_text[] =
	"annotations {\n service = \"https://vault.example:8200\"\n role = \"web\"\n}\n"
	"policy \"one\" {\n"
	"  require { inject = true }\n"
	"  allow { paths = [\"kv/data/a/**\"]  images = [\"registry.example/**\"] }\n"
	"  deny { functions = [\"env\"]  annotations = [\"x\"]  stores = [\"other\"] }\n"
	"  limits { max_files = 20  max_ttl = \"1h\" }\n"
	"  forbid { env_secrets = true  env_literals = true  secret_volumes = true\n"
	"    disk_volumes = true  host_paths = true  account_token = true\n"
	"    forged_mark = true  changed_agent = true  overrides = true }\n"
	"}\n"
	"purpose \"two\" {\n namespaces = [\"ci\"]\n paths = [\"kv/data/ci/**\"]\n}\n";

#define ASK "\"ampoule.dev/inject\":\"true\",\"ampoule.dev/secret-db\":\"kv/data/a/b\""
#define HEAD(annotations)                                                                \
	"{\"metadata\":{\"name\":\"web\",\"annotations\":{" annotations "}},\"spec\":{"
#define APP "\"containers\":[{\"name\":\"app\",\"image\":\"x\""
#define AGENT(name)                                                                      \
	"{\"name\":\"" name "\",\"image\":\"x\",\"command\":[\"/ampoule-agent\"],"       \
	"\"env\":[{\"name\":\"AMPOULE_CONFIG\",\"value\":\"{}\"}"
#define AGENTS HEAD(ASK) APP "}],\"initContainers\":["

// What is before the list, an element of it (with its number), what is behind.
static const struct {
	const char *name, *before, *one, *behind;
} pods[] = {
	{ "agents", AGENTS, AGENT("a%zu") "]}", "]}}" },
	{ "agents of one name", AGENTS, AGENT("vault-agent") "]}", "]}}" },
	{ "variables of an agent", AGENTS AGENT("vault-agent"),
	  ",{\"name\":\"V%zu\",\"value\":\"x\"}", "]}]}}" },
	{ "mounts of an agent", AGENTS AGENT("vault-agent") "],\"volumeMounts\":[",
	  "{\"name\":\"x\",\"mountPath\":\"/m%zu\"}", "]}]}}" },
	{ "variables", HEAD("") APP ",\"env\":[",
	  "{\"name\":\"V%zu\",\"valueFrom\":{\"secretKeyRef\":{\"name\":\"a\"}}}",
	  "]}]}}" },
	{ "mounts", HEAD("") APP ",\"volumeMounts\":[",
	  "{\"name\":\"vault-secrets\",\"mountPath\":\"/token%zu\"}", "]}]}}" },
	{ "volumes", HEAD("") APP "}],\"volumes\":[",
	  "{\"name\":\"token%zu\",\"emptyDir\":{}}", "]}}" },
	{ "containers", HEAD("") "\"containers\":[",
	  "{\"name\":\"c%zu\",\"image\":\"docker.io/a/b%zu\"}", "]}}" },
	{ "annotations", "{\"metadata\":{\"name\":\"web\",\"annotations\":{" ASK ",",
	  "\"ampoule.dev/secret-%zu\":\"kv/data/x\"",
	  "}},\"spec\":{\"containers\":[]}}" },
	{ "stores of a configuration",
	  AGENTS "{\"name\":\"vault-agent\",\"env\":[{\"name\":\"AMPOULE_CONFIG\","
		 "\"value\":\"{\\\"store\\\":[",
	  "{\\\"name\\\":\\\"s%zu\\\"}", "],\\\"template\\\":[]}\"}]}]}}" },
	{ "a value", HEAD("") APP ",\"env\":[{\"name\":\"A\",\"value\":\"",
	  " password= AKIA", "\"}]}]}}" },
};

static void make(size_t which, size_t bytes, struct buf *to)
{
	bool text = *pods[which].one == ' ', comma = *pods[which].one == ',';
	buf_printf(to, "%s", pods[which].before);
	for (size_t i = 0, begin = to->len; to->len - begin < bytes; i++) {
		if (i > 0 && !text && !comma)
			buf_putc(to, ',');
		for (const char *c = pods[which].one; *c; c++)
			if (strncmp(c, "%zu", 3) == 0) {
				buf_printf(to, "%zu", i);
				c += 2;
			} else {
				buf_putc(to, *c);
			}
	}
	buf_puts(to, pods[which].behind);
}

static void ask(const struct buf *body, bool validate)
{
	AUTO_BUF struct buf to = BUF_INIT(REVIEW_MAX);
	const char *text = body->data;
	if (validate) {
		struct validate_world world = { .now_ms = 1780000000000 };
		struct validate_note note;
		assert_int_equal(
			validate_review(&settings, &world, text, body->len, &to, &note),
			200);
		verdict_release(&note.verdict);
	} else {
		struct mutate_note note;
		assert_int_equal(mutate_review(&settings, text, body->len, &to, &note),
				 200);
	}
}

// The least of a few, in CPU time.
static double cost(const struct buf *body, bool validate)
{
	double least = 0;
	for (int i = 0; i < TRIES; i++) {
		clock_t begin = clock();
		ask(body, validate);
		double took = (double)(clock() - begin);
		least = i == 0 || took < least ? took : least;
	}
	return least + CLOCKS_PER_SEC / 500.0; // what is short is not measured
}

static void review(size_t which, size_t bytes, const char *operation, struct buf *to)
{
	bool update = strcmp(operation, "UPDATE") == 0;
	buf_printf(to,
		   "{\"request\":{\"uid\":\"u\",\"kind\":{\"kind\":\"Pod\"},"
		   "\"namespace\":\"shop\",\"operation\":\"%s\",\"object\":",
		   operation);
	make(which, bytes, to);
	if (update) { // one letter less is another pod
		buf_puts(to, ",\"oldObject\":");
		make(which, bytes - 200, to);
	}
	buf_puts(to, "}}");
	assert_false(buf_failed(to));
}

static void a_review_costs_what_its_size_costs(void **state)
{
	static const struct {
		const char *operation;
		bool validate;
	} asks[] = { { "CREATE", false }, { "CREATE", true }, { "UPDATE", true } };
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(pods); i++)
		for (size_t k = 0; k < ARRAY_LEN(asks); k++) {
			AUTO_BUF struct buf small = BUF_INIT(REVIEW_MAX);
			AUTO_BUF struct buf large = BUF_INIT(REVIEW_MAX);
			review(i, SMALL, asks[k].operation, &small);
			review(i, TIMES * SMALL, asks[k].operation, &large);
			double times = TIMES * SQUARE;
			if (!IS_MEASURED) {
				ask(&large, asks[k].validate);
				continue;
			}
			for (int try = 0; try < TRIES && times > SQUARE; try++)
				times = cost(&large, asks[k].validate) /
					cost(&small, asks[k].validate);
			if (times > SQUARE)
				fail_msg("%s, %s: %.0f times as much", pods[i].name,
					 asks[k].operation, times);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_review_costs_what_its_size_costs),
	};
	struct err e = ERR_INIT;
	mem_init(false);
	if (!crypto_init(NULL) ||
	    !settings_parse("s", settings_text, strlen(settings_text), &settings, &e)) {
		fprintf(stderr, "%s\n", e.text);
		return 1;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	settings_release(&settings);
	return failed;
}
