// SPDX-License-Identifier: Apache-2.0
// Reads and answers AdmissionReviews.
#include "webhook/review.h"

#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "webhook/notes.h"

#define V1 "admission.k8s.io/v1"
#define V1BETA1 "admission.k8s.io/v1beta1"

enum {
	UID_MAX = 253,
	NAMESPACE_MAX = 63, // of any that Kubernetes has
	FORBIDDEN = 403,
	PATCH_MAX = 3 * REVIEW_MAX, // in base64 it fits into the answer
	PATCH_USUAL = 8 * 1024 - 1, // two pages with the NUL
};

static bool read_text(const json_t *o, const char *key, const char **ret, struct err *e)
{
	*ret = "";
	const json_t *v = json_object_get(o, key);
	return !v || json_is_null(v) || json_get_str(o, key, ret, e);
}

static bool read_request(const json_t *request, struct review *r, struct err *e)
{
	const json_t *kind = json_object_get(request, "kind"),
		     *object = json_object_get(request, "object");
	if (!read_text(request, "uid", &r->uid, e) ||
	    !read_text(request, "namespace", &r->namespace_, e) ||
	    !read_text(request, "name", &r->name, e) ||
	    !read_text(request, "operation", &r->operation, e) ||
	    !read_text(request, "subResource", &r->sub_resource, e) ||
	    !read_text(kind, "kind", &r->kind, e) ||
	    !read_text(json_object_get(request, "userInfo"), "username", &r->user, e) ||
	    !json_get_bool(request, "dryRun", &r->dry_run, e))
		return err_wrap(e, "request");
	if (!*r->uid || strlen(r->uid) > UID_MAX)
		return err_set(e, ERR_CONFIG, 0, "request.uid is missing or too long");
	if (strlen(r->namespace_) > NAMESPACE_MAX)
		return err_set(e, ERR_CONFIG, 0, "request.namespace is too long");
	if (object && !json_is_null(object) && !json_is_object(object))
		return err_set(e, ERR_CONFIG, 0, "request.object is no object");
	r->object = json_is_object(object) ? object : NULL;
	object = json_object_get(request, "oldObject");
	r->old_object = json_is_object(object) ? object : NULL;
	return true;
}

bool review_parse(const char *text, size_t len, struct review *ret, struct err *e)
{
	const char *kind;
	*ret = (struct review){ .document = NULL };
	if (!json_parse_few(text, len, REVIEW_MAX, REVIEW_VALUES_MAX, &ret->document, e))
		return err_wrap(e, "the body is no JSON");
	if (!json_is_object(ret->document))
		return err_set(e, ERR_CONFIG, 0, "the body is no AdmissionReview");
	if (!read_text(ret->document, "apiVersion", &ret->api_version, e) ||
	    !read_text(ret->document, "kind", &kind, e))
		return false;
	if (!*ret->api_version)
		ret->api_version = V1; // as the peer has it
	if ((*kind && strcmp(kind, "AdmissionReview") != 0) ||
	    (strcmp(ret->api_version, V1) != 0 && strcmp(ret->api_version, V1BETA1) != 0))
		return err_set(e, ERR_CONFIG, 0,
			       "an AdmissionReview of " V1 " or " V1BETA1 " is wanted");
	const json_t *request = json_object_get(ret->document, "request");
	if (!json_is_object(request))
		return err_set(e, ERR_CONFIG, 0, "the review has no request");
	return read_request(request, ret, e);
}

void review_release(struct review *r)
{
	json_decref(r->document);
	*r = (struct review){ .document = NULL };
}

// Written by hand, as it is nearly the whole answer and needs no escapes.
static void put_patch(const json_t *patch, struct buf *to)
{
	AUTO_BUF struct buf text = BUF_INIT(PATCH_MAX);
	(void)buf_room(&text, PATCH_USUAL);
	buf_puts(to, ",\"patchType\":\"JSONPatch\",\"patch\":\"");
	if (!json_put(patch, &text) ||
	    !codec_b64_encode(text.data, text.len, B64_STD, to) || !buf_putc(to, '"'))
		buf_truncate(to, 0);
}

void review_write(const struct review *r, const struct review_answer *a, struct buf *to)
{
	AUTO_JSON json_t *response =
		json_pack("{s:s, s:b}", "uid", r->uid, "allowed", a->allowed);
	AUTO_FREE char *message = mem_strdup(a->message ? a->message : "");
	notes_tidy(message); // it may have been cut inside of a letter
	if (a->message)
		json_object_set_new(response, "status",
				    json_pack("{s:i, s:s, s:s}", "code", FORBIDDEN,
					      "reason", "Forbidden", "message", message));
	if (json_array_size(a->warnings) > 0)
		json_object_set(response, "warnings", (json_t *)(uintptr_t)a->warnings);
	if (a->audit)
		json_object_set(response, "auditAnnotations",
				(json_t *)(uintptr_t)a->audit);
	buf_printf(to,
		   "{\"apiVersion\":\"%s\",\"kind\":\"AdmissionReview\",\"response\":",
		   r->api_version); // one of two
	if (!json_put(response, to))
		buf_truncate(to, 0);
	else
		buf_truncate(to, to->len - 1); // its '}'
	if (json_array_size(a->patch) > 0)
		put_patch(a->patch, to);
	buf_puts(to, "}}");
}
