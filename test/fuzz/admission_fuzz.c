// SPDX-License-Identifier: Apache-2.0
// links: webhook
// A review as it comes from the network. Whatever the bytes are, there is an answer; the same
// bytes give the same answer; the patch applies, and injecting its result changes nothing.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "webhook/mutate.h"
#include "webhook/patch.h"
#include "webhook/review.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ANSWER_MAX = 32 << 20 };

static const char configuration[] =
	"annotations { service = \"https://bao:8200\"  role = \"web\" }";

static int ask(const struct settings *s, const char *body, size_t len, struct buf *to)
{
	struct mutate_note note;
	return mutate_review(s, body, len, to, &note);
}

// The pod that the answer makes of the review's; NULL without a patch.
static json_t *patched(const struct review *r, const struct buf *answer)
{
	struct err e = ERR_INIT;
	AUTO_JSON json_t *doc = NULL;
	AUTO_JSON json_t *ops = NULL;
	AUTO_BUF struct buf text = BUF_INIT(ANSWER_MAX);
	if (!json_parse(buf_str(answer), answer->len, ANSWER_MAX, JSON_PLAIN, &doc, &e))
		abort();
	const json_t *response = json_object_get(doc, "response");
	const char *patch = json_string_value(json_object_get(response, "patch"));
	const char *uid = json_string_value(json_object_get(response, "uid"));
	if (!uid || strcmp(uid, r->uid) != 0)
		abort();
	if (!patch)
		return NULL;
	json_t *pod = json_deep_copy(r->object);
	if (!codec_b64_decode(patch, strlen(patch), B64_STD, &text, &e) ||
	    !json_parse(buf_str(&text), text.len, ANSWER_MAX, JSON_PLAIN, &ops, &e) ||
	    !patch_apply(ops, &pod, &e))
		abort();
	return pod;
}

static void again(const struct settings *s, const struct review *r, json_t *pod)
{
	AUTO_JSON json_t *doc = json_deep_copy(r->document);
	AUTO_BUF struct buf answer = BUF_INIT(ANSWER_MAX);
	json_object_set(json_object_get(doc, "request"), "object", pod);
	AUTO_FREE char *body = json_dumps(doc, JSON_COMPACT);
	struct review second;
	struct err e = ERR_INIT;
	if (!body || ask(s, body, strlen(body), &answer) != 200 ||
	    !review_parse(body, strlen(body), &second, &e))
		abort();
	if (patched(&second, &answer))
		abort();
	review_release(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_init(false);
	struct settings s;
	struct review r;
	struct err e = ERR_INIT;
	AUTO_BUF struct buf one = BUF_INIT(ANSWER_MAX);
	AUTO_BUF struct buf two = BUF_INIT(ANSWER_MAX);
	const char *body = (const char *)data;
	if (!settings_parse("s", configuration, strlen(configuration), &s, &e))
		abort();
	int status = ask(&s, body, size, &one);
	if (status != ask(&s, body, size, &two) || !buf_equal(&one, &two))
		abort();
	if (status == 200 && review_parse(body, size, &r, &e)) {
		json_t *pod = patched(&r, &one);
		if (pod)
			again(&s, &r, pod);
		json_decref(pod);
		review_release(&r);
	} else if (status == 200 || one.len == 0) {
		abort();
	}
	settings_release(&s);
	return 0;
}
