// SPDX-License-Identifier: Apache-2.0
// Runs one case: the webhook's own code over what the file says.
#include "cmd/policy_case.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/yaml_json.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "webhook/inject.h"
#include "webhook/patch.h"
#include "webhook/validate.h"

enum { ANSWER_MAX = 4 << 20, LEVELS_MAX = 16, REASONS_MAX = 256 * 1024 };

static const char usual_settings[] =
	"image = \"registry.example/ampoule:1\"\n"
	"annotations {\n  service = \"https://vault.example:8200\"\n  role = "
	"\"web\"\n}\n";

static const char *const known_keys[] = {
	"case",      "policies",    "policy",          "settings",
	"now",       "namespace",   "namespaceLabels", "user",
	"operation", "subResource", "inject",          "object",
	"after",     "update",      "oldObject",       "expect",
};

static const char *text_of(const json_t *o, const char *key, const char *usual)
{
	const char *s = json_string_value(json_object_get(o, key));
	return s ? s : usual;
}

// --- reading

static bool check_keys(const json_t *doc, struct err *e)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)(uintptr_t)doc, key, value)
	{
		bool known = false;
		for (size_t i = 0; i < ARRAY_LEN(known_keys); i++)
			known |= strcmp(key, known_keys[i]) == 0;
		const char *near = str_nearest(key, known_keys, ARRAY_LEN(known_keys));
		if (!known)
			return err_set(e, ERR_CONFIG, 0, "there is no key '%.60s'%s%s%s",
				       key, near ? " (did you mean " : "",
				       near ? near : "", near ? "?)" : "");
	}
	if (!json_is_string(json_object_get(doc, "case")))
		return err_set(e, ERR_CONFIG, 0, "case is missing: what is tried");
	if (!json_is_object(json_object_get(doc, "object")))
		return err_set(e, ERR_CONFIG, 0, "object is missing: the manifest");
	return *text_of(json_object_get(doc, "expect"), "decision", "") ||
	       err_set(e, ERR_CONFIG, 0,
		       "expect.decision is missing: deny, warn, audit, exempt or allow");
}

static bool read_case(struct policy_case *c, struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(YAML_TEXT_MAX);
	AUTO_JSON json_t *docs = NULL;
	if (!file_read(c->file, &text, e) ||
	    !yaml_read(c->file, buf_str(&text), text.len, &docs, e))
		return false;
	if (json_array_size(docs) != 1 || !json_is_object(json_array_get(docs, 0)))
		return err_set(e, ERR_CONFIG, 0, "one YAML document is wanted");
	c->document = json_incref(json_array_get(docs, 0));
	c->title = text_of(c->document, "case", "");
	return check_keys(c->document, e);
}

static bool load_policies(const struct policy_case *c, struct settings *s, struct err *e)
{
	const json_t *list = json_object_get(c->document, "policies");
	const char *inline_ = text_of(c->document, "policy", ""),
		   *slash = strrchr(c->file, '/');
	int folder = slash ? (int)(slash - c->file) + 1 : 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *name = json_string_value(json_array_get(list, i));
		if (!name)
			return err_set(e, ERR_CONFIG, 0,
				       "policies: a list of files is wanted");
		AUTO_FREE char *path =
			*name == '/' ? mem_strdup(name)
				     : mem_printf("%.*s%s", folder, c->file, name);
		if (!policies_add_path(s->policies, path, e))
			return false;
	}
	return policies_add(s->policies, c->file, inline_, strlen(inline_), true, e);
}

static bool read_day(const json_t *doc, int64_t *ret, struct err *e)
{
	if (json_is_integer(json_object_get(doc, "nowMs"))) { // not of a file
		*ret = json_integer_value(json_object_get(doc, "nowMs"));
		return true;
	}
	return policy_day(text_of(doc, "now", "2026-06-01"), ret) ||
	       err_set(e, ERR_CONFIG, 0, "now: a day is wanted: 2026-06-01");
}

// --- the pod's way

static bool patch(const json_t *doc, const char *key, json_t **pod, struct err *e)
{
	const json_t *ops = json_object_get(doc, key);
	if (!ops)
		return true;
	json_t *copy = json_deep_copy(*pod);
	json_decref(*pod);
	*pod = copy;
	return patch_apply(ops, pod, e) || err_wrap(e, "%s", key);
}

// *ret is the pod as it comes to /validate; NULL: refused, and `why` says why.
static bool injected(const struct policy_case *c, const struct settings *s, json_t **ret,
		     struct err *why, struct err *e)
{
	const json_t *doc = c->document;
	json_t *pod = json_object_get(doc, "object");
	struct inject_ask ask = { .pod = pod,
				  .namespace_ = text_of(doc, "namespace", "shop"),
				  .settings = s,
				  .namespace_labels =
					  json_object_get(doc, "namespaceLabels") };
	struct inject_result made;
	*ret = NULL;
	if (!read_day(doc, &ask.now_ms, e))
		return false;
	if (json_is_false(json_object_get(doc, "inject"))) {
		*ret = json_incref(pod);
		return patch(doc, "after", ret, e);
	}
	bool ok = inject_pod(&ask, &made, why);
	if (ok)
		*ret = json_incref(made.pod ? made.pod : pod);
	inject_release(&made);
	return !ok || patch(doc, "after", ret, e);
}

static json_t *review_of(const json_t *doc, json_t *object, json_t *old)
{
	const json_t *metadata = json_object_get(object, "metadata");
	const char *usual = old ? "UPDATE" : "CREATE";
	json_t *request = json_pack(
		"{s:s, s:{s:s, s:s, s:s}, s:s, s:s, s:s, s:{s:s}, s:O}", "uid", "case",
		"kind", "group", "", "version", "v1", "kind",
		text_of(object, "kind", "Pod"), "namespace",
		text_of(doc, "namespace", "shop"), "name", text_of(metadata, "name", ""),
		"operation", text_of(doc, "operation", usual), "userInfo", "username",
		text_of(doc, "user", "someone@example.org"), "object", object);
	if (json_object_get(doc, "subResource"))
		json_object_set(request, "subResource",
				json_object_get(doc, "subResource"));
	if (old)
		json_object_set(request, "oldObject", old);
	return json_pack("{s:s, s:s, s:o}", "apiVersion", "admission.k8s.io/v1", "kind",
			 "AdmissionReview", "request", request);
}

static bool make_review(struct policy_case *c, const struct settings *s, struct err *why,
			struct err *e)
{
	const json_t *doc = c->document;
	json_t *object = json_object_get(doc, "object"),
	       *old = json_object_get(doc, "oldObject");
	AUTO_JSON json_t *pod = NULL;
	AUTO_JSON json_t *fresh = NULL;
	if (old || strcmp(text_of(object, "kind", "Pod"), "Pod") != 0) {
		c->review = review_of(doc, object, old);
		return true;
	}
	if (!injected(c, s, &pod, why, e) || !pod)
		return why->kind != ERR_NONE;
	if (!json_object_get(doc, "update")) {
		c->review = review_of(doc, pod, NULL);
		return true;
	}
	fresh = json_incref(pod);
	if (!patch(doc, "update", &fresh, e))
		return false;
	c->review = review_of(doc, fresh, pod);
	return true;
}

// --- what came out

static const char *word_of(const struct policy_finding *f)
{
	static const char *const words[] = { "allow", "audit", "warn", "deny" };
	return f->exempt ? "exempt" : words[f->mode];
}

static bool is_expected(const json_t *expect, const struct policy_finding *f)
{
	const char *policy = text_of(expect, "policy", NULL),
		   *rule = text_of(expect, "rule", NULL),
		   *text = text_of(expect, "text", "");
	AUTO_FREE char *sentence = verdict_sentence(f);
	return strcmp(word_of(f), text_of(expect, "decision", "")) == 0 &&
	       (!policy || strcmp(policy, f->policy) == 0) &&
	       (!rule || strcmp(rule, f->rule) == 0) && strstr(sentence, text);
}

static void differ(struct policy_case *c)
{
	const json_t *expect = json_object_get(c->document, "expect");
	c->difference =
		mem_printf("expected %s of policy '%s', rule '%s'%s%s; it is: %s",
			   text_of(expect, "decision", ""), text_of(expect, "policy", ""),
			   text_of(expect, "rule", ""),
			   json_object_get(expect, "text") ? ", with " : "",
			   text_of(expect, "text", ""), c->decision);
}

static void take_verdict(struct policy_case *c, const struct verdict *v)
{
	const json_t *expect = json_object_get(c->document, "expect");
	AUTO_BUF struct buf reasons = BUF_INIT(REASONS_MAX);
	c->decision = v->decision ? v->decision : "allow";
	c->passed = strcmp(c->decision, text_of(expect, "decision", "")) == 0;
	bool found = v->result.n == 0 || strcmp(c->decision, "allow") == 0;
	for (size_t i = 0; i < v->result.n; i++) {
		AUTO_FREE char *text = verdict_sentence(&v->result.findings[i]);
		buf_printf(&reasons, "%s: %s\n", word_of(&v->result.findings[i]), text);
		found |= is_expected(expect, &v->result.findings[i]);
	}
	c->passed &= found;
	c->reasons = buf_take(&reasons, NULL);
	if (!c->passed)
		differ(c);
}

static bool validate(struct policy_case *c, const struct settings *s, struct err *e)
{
	AUTO_FREE char *body = json_dumps(c->review, JSON_COMPACT);
	AUTO_BUF struct buf to = BUF_INIT(ANSWER_MAX);
	struct validate_world world = { .namespace_labels = json_object_get(
						c->document, "namespaceLabels") };
	struct validate_note note;
	if (!read_day(c->document, &world.now_ms, e))
		return false;
	int status = validate_review(s, &world, body, strlen(body), &to, &note);
	take_verdict(c, &note.verdict);
	verdict_release(&note.verdict);
	return status == 200 ||
	       err_set(e, ERR_CONFIG, 0, "it makes no review: %.200s", buf_str(&to));
}

static void refused_before(struct policy_case *c, const struct err *why)
{
	const json_t *expect = json_object_get(c->document, "expect");
	c->decision = "deny";
	c->reasons = mem_printf("deny: %s\n", why->text);
	c->passed = strcmp(text_of(expect, "decision", ""), "deny") == 0 &&
		    !json_object_get(expect, "policy") &&
		    strstr(why->text, text_of(expect, "text", ""));
	if (!c->passed)
		differ(c);
}

bool policy_case_judge(const struct settings *s, struct policy_case *c, struct err *e)
{
	struct err why = ERR_INIT;
	if (!make_review(c, s, &why, e))
		return false;
	if (c->review)
		return validate(c, s, e);
	refused_before(c, &why);
	return true;
}

bool policy_case_run(const char *file, struct policy_case *ret, struct err *e)
{
	struct settings s = { .listen = NULL };
	*ret = (struct policy_case){ .file = file };
	bool ok = read_case(ret, e);
	const char *text = ok ? text_of(ret->document, "settings", usual_settings) : "";
	ok = ok && settings_parse(file, text, strlen(text), &s, e) &&
	     load_policies(ret, &s, e) && policy_case_judge(&s, ret, e);
	if (s.listen)
		settings_release(&s);
	return ok;
}

void policy_case_release(struct policy_case *c)
{
	json_decref(c->document);
	json_decref(c->review);
	mem_free(c->reasons);
	mem_free(c->difference);
	*c = (struct policy_case){ .file = NULL };
}

// --- folders

static bool is_case(const char *file)
{
	AUTO_BUF struct buf text = BUF_INIT(YAML_TEXT_MAX);
	return file_read(file, &text, NULL) &&
	       (str_starts(buf_str(&text), "case:") || strstr(buf_str(&text), "\ncase:"));
}

static int is_visible(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

static bool each(const char *path, unsigned level, policy_case_fn *fn, void *ctx,
		 struct err *e)
{
	struct stat st;
	struct dirent **names = NULL;
	if (lstat(path, &st) != 0)
		return err_set(e, ERR_CONFIG, 0, "there is no file '%.300s'", path);
	if (!S_ISDIR(st.st_mode)) {
		if (level == 0 || (str_ends(path, ".yaml") && is_case(path)))
			fn(ctx, path);
		return true;
	}
	if (level > LEVELS_MAX)
		return err_set(e, ERR_LIMIT, 0, "'%.300s' is too deep", path);
	int n = scandir(path, &names, is_visible, alphasort);
	bool ok = true;
	for (int i = 0; i < n; i++) {
		AUTO_FREE char *inner = mem_printf("%s/%s", path, names[i]->d_name);
		ok = ok && each(inner, level + 1, fn, ctx, e);
		free(names[i]);
	}
	free(names);
	return ok;
}

bool policy_cases_each(const char *path, policy_case_fn *fn, void *ctx, struct err *e)
{
	size_t len = strlen(path);
	while (len > 1 && path[len - 1] == '/')
		len--;
	AUTO_FREE char *plain = mem_strndup(path, len);
	return each(plain, 0, fn, ctx, e);
}
