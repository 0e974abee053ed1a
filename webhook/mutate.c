// SPDX-License-Identifier: Apache-2.0
// A review and its answer.
#include "webhook/mutate.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"
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
	snprintf(note->namespace_, sizeof(note->namespace_), "%.63s", r->namespace_);
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

// The policies, asked about the pod as it will be stored.
static void judge(const struct inject_ask *ask, const json_t *ns,
		  const struct inject_result *result, struct verdict *verdict)
{
	const json_t *spec = json_object_get(ask->pod, "spec");
	struct policy_ask about = {
		.settings = ask->settings,
		.pod = result->pod ? result->pod : ask->pod,
		.namespace_ = ask->namespace_,
		.namespace_annotations = ask->namespace_annotations,
		.namespace_labels = json_object_get(ns, "labels"),
		.kind = "Pod",
		.fresh = result->pod && !inject_has_agent(spec),
		.now_ms = ask->now_ms,
	};
	about.config = about.fresh ? result->config : NULL;
	policy_ask_user(&about, ask->user);
	verdict_make(ask->settings->policies, &about, result->warnings, verdict);
}

// `about` is what is known of the namespace.
static void answer_pod(const struct settings *s, const struct review *r,
		       const json_t *about, struct buf *to, struct mutate_note *note,
		       struct verdict *verdict)
{
	struct inject_ask ask = { .pod = r->object,
				  .namespace_ = r->namespace_,
				  .namespace_annotations =
					  json_object_get(about, "annotations"),
				  .namespace_labels = json_object_get(about, "labels"),
				  .settings = s,
				  .user = r->user,
				  .now_ms = clock_wall_ms() };
	struct inject_result result;
	struct err e = ERR_INIT;
	AUTO_JSON json_t *patch = NULL;
	bool ok = inject_pod(&ask, &result, &e);
	note->what = ok ? result.why : "refused";
	if (ok)
		judge(&ask, about, &result, verdict);
	const char *message = ok ? verdict->message : e.text;
	ok = !message;
	note->warnings = json_array_size(result.warnings);
	if (!ok) {
		note->what = "refused";
		snprintf(note->reason, sizeof(note->reason), "%s", message);
	}
	if (ok && result.pod)
		patch = diff_make(r->object, result.pod);
	struct review_answer answer = { .allowed = ok,
					.message = message,
					.patch = patch,
					.warnings = result.warnings,
					.audit = verdict->audit };
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
	struct verdict verdict;
	int status = mutate_judged(s, body, len, to, note, &verdict);
	verdict_release(&verdict);
	return status;
}

int mutate_judged(const struct settings *s, const char *body, size_t len, struct buf *to,
		  struct mutate_note *note, struct verdict *verdict)
{
	struct review r;
	struct err e = ERR_INIT;
	*note = (struct mutate_note){ .what = "bad review" };
	*verdict = (struct verdict){ .message = NULL };
	if (!review_parse(body, len, &r, &e)) {
		snprintf(note->reason, sizeof(note->reason), "%s", e.text);
		buf_printf(to, "%s\n", e.text);
		review_release(&r);
		return BAD_REQUEST;
	}
	note->dry_run = r.dry_run;
	name_pod(&r, note);
	const json_t *about;
	if (!settings_namespace(s, r.namespace_, &about)) {
		review_release(&r);
		return MUTATE_ASK_NAMESPACE;
	}
	const char *kind = *r.kind ? r.kind : text_of(r.object, "kind");
	if (pass_by(&r)) {
		struct review_answer answer = { .allowed = true };
		note->what = pass_by(&r);
		review_write(&r, &answer, to);
	} else if (strcmp(kind, "Pod") != 0) {
		answer_kind(&r, to, note);
	} else {
		answer_pod(s, &r, about, to, note, verdict);
	}
	review_release(&r);
	return GOOD;
}
