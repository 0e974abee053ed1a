// SPDX-License-Identifier: Apache-2.0
// A review and its answer.
#include "webhook/mutate.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/json.h"
#include "webhook/diff.h"
#include "webhook/inject.h"
#include "webhook/review.h"

enum { GOOD = 200, BAD_REQUEST = 400 };

static const char *text_of(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : "";
}

// A pod of a controller has a generateName and no name yet.
static void name_pod(const struct review *r, struct mutate_note *note)
{
	const json_t *metadata = json_object_get(r->object, "metadata");
	const char *name = *r->name ? r->name : text_of(metadata, "name");
	bool whole = *name;
	if (!whole)
		name = text_of(metadata, "generateName");
	snprintf(note->pod, sizeof(note->pod), "%.63s/%.253s%s", r->namespace_, name,
		 whole ? "" : "*");
}

// A word why the review is no business of ours, or NULL.
static const char *pass_by(const struct review *r)
{
	if (strcmp(r->operation, "CREATE") != 0 && *r->operation)
		return "no creation";
	if (*r->sub_resource)
		return "sub-resource";
	return r->object ? NULL : "no object";
}

static void answer_pod(const struct settings *s, const struct review *r, struct buf *to,
		       struct mutate_note *note)
{
	struct inject_ask ask = { .pod = r->object,
				  .namespace_ = r->namespace_,
				  .settings = s };
	struct inject_result result;
	struct err e = ERR_INIT;
	AUTO_JSON json_t *patch = NULL;
	bool ok = inject_pod(&ask, &result, &e);
	note->what = ok ? result.why : "refused";
	note->warnings = json_array_size(result.warnings);
	if (!ok)
		snprintf(note->reason, sizeof(note->reason), "%s", e.text);
	if (ok && result.pod)
		patch = diff_make(r->object, result.pod);
	struct review_answer answer = { .allowed = ok,
					.message = ok ? NULL : e.text,
					.patch = patch,
					.warnings = result.warnings };
	review_write(r, &answer, to);
	inject_release(&result);
}

static void answer_kind(const struct review *r, struct buf *to, struct mutate_note *note)
{
	struct review_answer answer = { .allowed = false, .message = note->reason };
	note->what = "refused";
	snprintf(note->reason, sizeof(note->reason),
		 "only pods are injected, not '%.63s': the webhook's registration is "
		 "wrong",
		 r->kind);
	review_write(r, &answer, to);
}

int mutate_review(const struct settings *s, const char *body, size_t len, struct buf *to,
		  struct mutate_note *note)
{
	struct review r;
	struct err e = ERR_INIT;
	*note = (struct mutate_note){ .what = "bad review" };
	if (!review_parse(body, len, &r, &e)) {
		snprintf(note->reason, sizeof(note->reason), "%s", e.text);
		buf_printf(to, "%s\n", e.text);
		review_release(&r);
		return BAD_REQUEST;
	}
	note->dry_run = r.dry_run;
	name_pod(&r, note);
	const char *kind = *r.kind ? r.kind : text_of(r.object, "kind");
	if (pass_by(&r)) {
		struct review_answer answer = { .allowed = true };
		note->what = pass_by(&r);
		review_write(&r, &answer, to);
	} else if (strcmp(kind, "Pod") != 0) {
		answer_kind(&r, to, note);
	} else {
		answer_pod(s, &r, to, note);
	}
	review_release(&r);
	return GOOD;
}
