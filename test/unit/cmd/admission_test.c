// SPDX-License-Identifier: Apache-2.0
// test/cases/admission: NAME.yaml is a pod (or a whole AdmissionReview), NAME.out the pod that
// is stored after the webhook's patch, with warnings as comments before it and the agent's
// configuration readable, or NAME.err the refusal. The first lines of a case may hold a
// configuration of the webhook: "#: image = \"x\"".
//
// Each case goes the whole way: review → answer → patch applied. Then once more with what came
// out, which must change nothing, and the answer must be the same bytes each time.
// AMPOULE_UPDATE_CASES=1 writes what comes out instead of comparing it.
#include "webhook/mutate.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/yaml_json.h"
#include "lib/base/codec.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/annotation.h"
#include "test/support/expect.h"
#include "webhook/patch.h"

static const char dir[] = "test/cases/admission";
static const char usual[] = "annotations { service = \"https://bao.example:8200\" }";

enum { TEXT = 4 << 20 };

static char *read_whole(const char *path)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT);
	if (access(path, R_OK) != 0 || !file_read(path, &b, NULL))
		return NULL;
	return buf_take(&b, NULL);
}

// The lines behind "#:", else the usual configuration.
static void read_settings(const char *text, struct settings *s)
{
	AUTO_BUF struct buf b = BUF_INIT(TEXT);
	struct str rest = str_of(text), line;
	bool own = false;
	while (str_next(&rest, '\n', &line) && line.len > 1 && line.p[0] == '#')
		if (line.p[1] == ':') {
			buf_add(&b, line.p + 2, line.len - 2);
			buf_putc(&b, '\n');
			own = true;
		}
	if (!own)
		buf_puts(&b, usual);
	EXPECT_OK(settings_parse("settings", buf_str(&b), b.len, s, &err));
}

static json_t *review_of(const json_t *input)
{
	const char *kind = json_string_value(json_object_get(input, "kind"));
	if (kind && strcmp(kind, "AdmissionReview") == 0)
		return json_incref((json_t *)(uintptr_t)input);
	const char *ns = json_string_value(
		json_object_get(json_object_get(input, "metadata"), "namespace"));
	return json_pack("{s:s, s:s, s:{s:s, s:{s:s, s:s, s:s}, s:s, s:s, s:O}}",
			 "apiVersion", "admission.k8s.io/v1", "kind", "AdmissionReview",
			 "request", "uid", "u-1", "kind", "group", "", "version", "v1",
			 "kind", "Pod", "namespace", ns ? ns : "shop", "operation",
			 "CREATE", "object", input);
}

// The answer's response; the whole text, too, for comparing.
static json_t *ask(const struct settings *s, const json_t *review, char **ret_text)
{
	AUTO_FREE char *body = json_dumps(review, JSON_COMPACT);
	AUTO_BUF struct buf to = BUF_INIT(TEXT);
	struct mutate_note note;
	int status = mutate_review(s, body, strlen(body), &to, &note);
	json_t *doc = NULL;
	if (status != 200)
		doc = json_pack("{s:{s:s}}", "status", "message", buf_str(&to));
	else
		EXPECT_OK(json_parse(buf_str(&to), to.len, TEXT, JSON_PLAIN, &doc, &err));
	json_t *response = json_object_get(doc, "response");
	response = json_incref(response ? response : doc);
	json_decref(doc);
	*ret_text = mem_strdup(buf_str(&to));
	return response;
}

static json_t *apply(const json_t *response, const json_t *object)
{
	const char *patch = json_string_value(json_object_get(response, "patch"));
	json_t *pod = json_deep_copy(object);
	AUTO_BUF struct buf text = BUF_INIT(TEXT);
	AUTO_JSON json_t *ops = NULL;
	if (!patch)
		return pod;
	EXPECT_OK(codec_b64_decode(patch, strlen(patch), B64_STD, &text, &err));
	EXPECT_OK(json_parse(buf_str(&text), text.len, TEXT, JSON_PLAIN, &ops, &err));
	EXPECT_OK(patch_apply(ops, &pod, &err));
	return pod;
}

// AMPOULE_CONFIG as what it holds.
static void unfold(json_t *pod)
{
	static const char *const lists[] = { "initContainers", "containers" };
	for (size_t l = 0; l < ARRAY_LEN(lists); l++) {
		json_t *c, *v;
		size_t i, k;
		json_array_foreach(
			json_object_get(json_object_get(pod, "spec"), lists[l]), i, c)
			json_array_foreach(json_object_get(c, "env"), k, v)
		{
			const char *name = json_string_value(json_object_get(v, "name"));
			const char *b64 = json_string_value(json_object_get(v, "value"));
			AUTO_BUF struct buf text = BUF_INIT(TEXT);
			json_t *doc = NULL;
			if (!name || strcmp(name, "AMPOULE_CONFIG") != 0)
				continue;
			EXPECT_OK(
				codec_b64_decode(b64, strlen(b64), B64_STD, &text, &err));
			EXPECT_OK(json_parse(buf_str(&text), text.len, TEXT, JSON_PLAIN,
					     &doc, &err));
			json_object_set_new(v, "value", doc);
		}
	}
}

static void check_again(const struct settings *s, const json_t *review, const json_t *pod,
			const char *name)
{
	AUTO_JSON json_t *again = json_deep_copy(review);
	AUTO_FREE char *text = NULL;
	json_object_set(json_object_get(again, "request"), "object",
			(json_t *)(uintptr_t)pod);
	AUTO_JSON json_t *response = ask(s, again, &text);
	AUTO_JSON json_t *same = apply(response, pod);
	if (!json_is_true(json_object_get(response, "allowed")) ||
	    json_object_get(response, "patch") || !json_equal(same, pod))
		fail_msg("%s: injecting twice changes the pod: %s", name, text);
}

static void put_result(const json_t *response, const json_t *pod, struct buf *to)
{
	json_t *warning;
	size_t i;
	json_array_foreach(json_object_get(response, "warnings"), i, warning)
		buf_printf(to, "# warning: %s\n", json_string_value(warning));
	AUTO_JSON json_t *shown = json_deep_copy(pod);
	unfold(shown);
	EXPECT_OK(yaml_write(shown, to, &err));
}

static bool run_case(const char *path, const char *stem, struct buf *to)
{
	AUTO_FREE char *text = read_whole(path);
	AUTO_JSON json_t *docs = NULL;
	AUTO_FREE char *first = NULL;
	AUTO_FREE char *second = NULL;
	struct settings s;
	read_settings(text, &s);
	EXPECT_OK(yaml_read(path, text, strlen(text), &docs, &err));
	AUTO_JSON json_t *review = review_of(json_array_get(docs, 0));
	AUTO_JSON json_t *response = ask(&s, review, &first);
	json_decref(ask(&s, review, &second));
	if (strcmp(first, second) != 0)
		fail_msg("%s: two answers to the same review differ", stem);
	const char *refusal = json_string_value(
		json_object_get(json_object_get(response, "status"), "message"));
	const json_t *object =
		json_object_get(json_object_get(review, "request"), "object");
	bool good = !refusal;
	if (good) {
		AUTO_JSON json_t *pod = apply(response, object);
		put_result(response, pod, to);
		check_again(&s, review, pod, stem);
	} else {
		buf_printf(to, "%s%s", refusal, str_ends(refusal, "\n") ? "" : "\n");
	}
	settings_release(&s);
	return good;
}

static void compare(const char *stem, bool good, const struct buf *got, unsigned *bad)
{
	AUTO_FREE char *out = mem_printf("%s.out", stem);
	AUTO_FREE char *refusal = mem_printf("%s.err", stem);
	const char *path = good ? out : refusal;
	if (getenv("AMPOULE_UPDATE_CASES")) {
		struct file_attr attr = { 0644, (uid_t)-1, (gid_t)-1 };
		unlink(good ? refusal : out);
		EXPECT_OK(file_replace(path, buf_str(got), got->len, attr, &err));
		return;
	}
	AUTO_FREE char *want = read_whole(path);
	if (want && strcmp(want, buf_str(got)) == 0)
		return;
	fprintf(stderr, "%s %s\n--- got\n%s", path, want ? "differs" : "is missing",
		buf_str(got));
	++*bad;
}

static int is_case(const struct dirent *d)
{
	return str_ends(d->d_name, ".yaml");
}

static void test_cases(void **state)
{
	struct dirent **entries = NULL;
	unsigned bad = 0;
	int n = scandir(dir, &entries, is_case, alphasort);
	(void)state;
	assert_true(n > 0);
	for (int i = 0; i < n; i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", dir, entries[i]->d_name);
		AUTO_FREE char *stem = mem_strndup(path, strlen(path) - 5);
		AUTO_BUF struct buf got = BUF_INIT(TEXT);
		bool good = run_case(path, stem, &got);
		compare(stem, good, &got, &bad);
		free(entries[i]);
	}
	free(entries);
	assert_int_equal(bad, 0);
}

// --- each annotation has at least two cases

struct tally {
	char *texts[4096];
	size_t n;
};

// Whether a case says the name, with anything for <n>.
static unsigned count(const struct tally *t, const char *name)
{
	unsigned found = 0;
	size_t stem = strcspn(name, "<");
	AUTO_FREE char *wanted =
		mem_printf("/%.*s%s", (int)stem, name, name[stem] ? "" : ":");
	for (size_t i = 0; i < t->n; i++)
		found += strstr(t->texts[i], wanted) != NULL;
	return found;
}

static void test_every_annotation_has_two(void **state)
{
	struct dirent **entries = NULL;
	static struct tally t;
	unsigned missing = 0;
	int n = scandir(dir, &entries, is_case, alphasort);
	(void)state;
	for (int i = 0; i < n; i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", dir, entries[i]->d_name);
		if (t.n < ARRAY_LEN(t.texts))
			t.texts[t.n++] = read_whole(path);
		free(entries[i]);
	}
	free(entries);
	for (const struct option_row *r = NULL; (r = options_next(r));) {
		const char *names[] = { r->peer, r->annotation };
		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			if (names[k] && count(&t, names[k]) < 2) {
				fprintf(stderr, "fewer than two cases: %s\n", names[k]);
				missing++;
			}
	}
	for (size_t i = 0; i < t.n; i++)
		mem_free(t.texts[i]);
	assert_int_equal(missing, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_every_annotation_has_two),
	};
	mem_init(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
