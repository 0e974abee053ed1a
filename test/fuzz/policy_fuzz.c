// SPDX-License-Identifier: Apache-2.0
// links: webhook
// A policy file, before a NUL, and a pod behind it: read, then asked about the pod, through the
// whole of /validate. The template of an annotation and the names of an environment are outside
// bytes, too.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "webhook/policy_int.h"
#include "webhook/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char settings_text[] =
	"image = \"registry.example/ampoule:1\"\n"
	"annotations {\n service = \"https://vault.example:8200\"\n role = \"web\"\n}\n";

enum { ANSWER = 4 << 20 };

static void on_word(void *ctx, const struct template_word *w)
{
	size_t *sum = ctx;
	*sum += strlen(w->function) + (w->literal ? strlen(w->literal) : 0) +
		(w->option ? strlen(w->option) : 0);
}

static void ask(const struct settings *s, const char *pod, size_t len)
{
	AUTO_BUF struct buf to = BUF_INIT(ANSWER);
	AUTO_JSON json_t *object = NULL;
	struct validate_world world = { .now_ms = 1780000000000 };
	struct validate_note note;
	if (!json_parse(pod, len, ANSWER, JSON_PLAIN, &object, NULL))
		return;
	AUTO_JSON json_t *review =
		json_pack("{s:s, s:{s:s, s:s, s:s, s:{s:s}, s:O}}", "kind",
			  "AdmissionReview", "request", "uid", "u", "namespace", "shop",
			  "operation", "CREATE", "kind", "kind", "Pod", "object", object);
	AUTO_FREE char *body = json_dumps(review, JSON_COMPACT);
	if (!body)
		return;
	if (validate_review(s, &world, body, strlen(body), &to, &note) == 200 &&
	    (note.verdict.message == NULL) != (strcmp(note.what, "refused") != 0))
		abort();
	verdict_release(&note.verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_init(false);
	const char *text = (const char *)data;
	const char *nul = memchr(text, 0, size);
	size_t len = nul ? (size_t)(nul - text) : size;
	struct settings s;
	struct err e = ERR_INIT;
	AUTO_POOL struct pool pool = { 0 };
	if (!settings_parse("s", settings_text, strlen(settings_text), &s, &e))
		abort();
	if (!policies_add(s.policies, "f", text, len, true, &e) && e.text[0] == '\0')
		abort();
	if (nul && e.kind == ERR_NONE)
		ask(&s, nul + 1, size - len - 1);
	AUTO_FREE char *rest =
		nul ? mem_strndup(nul + 1, size - len - 1) : mem_strdup("");
	size_t sum = 0;
	template_words(&pool, rest, "{{", "}}", on_word, &sum);
	(void)literal_credential("DB_PASSWORD", rest);
	settings_release(&s);
	return 0;
}
