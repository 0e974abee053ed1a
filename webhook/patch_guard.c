// SPDX-License-Identifier: Apache-2.0
// What a user may change of the agent's container: by a JSON patch, or by a container of its
// name that stands in the pod already. What is not named here stays as the webhook wants it.
#include <string.h>
#include <strings.h>

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "webhook/notes.h"
#include "webhook/patch.h"
#include "webhook/plan.h"

static bool is_in(const char *word, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(word, list[i]) == 0)
			return true;
	return false;
}
#define IS_IN(word, list) is_in(word, list, ARRAY_LEN(list))

// Members that are the user's own affair.
static bool is_free(const char *member)
{
	static const char *const names[] = {
		"name",  "resources",    "imagePullPolicy",
		"ports", "resizePolicy", "terminationMessagePolicy"
	};
	return IS_IN(member, names);
}

// What the API server fills in where the webhook leaves it open.
static bool is_default(const char *member, const json_t *value)
{
	return strcmp(member, "terminationMessagePath") == 0 && json_is_string(value) &&
	       strcmp(json_string_value(value), "/dev/termination-log") == 0;
}

static bool is_argument(const char *text)
{
	static const char *const flags[] = { "log-level=", "log-format=", "timeout=" };
	text += strspn(text, "-");
	for (size_t i = 0; i < ARRAY_LEN(flags); i++)
		if (str_starts(text, flags[i]))
			return true;
	return false;
}

static bool starts_with_any(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strncasecmp(text, list[i], strlen(list[i])) == 0)
			return true;
	return false;
}

// Variables that say nothing of the store, the login, trust or the program.
static bool is_variable(const struct plan *p, const char *name)
{
	static const char *const logs[] = { "VAULT_LOG_", "BAO_LOG_", "AMPOULE_LOG_" };
	static const char *const guarded[] = { "VAULT_",
					       "BAO_",
					       "AMPOULE_",
					       "LD_",
					       "SSL",
					       "OPENSSL_",
					       "CURL_",
					       "AWS_ENDPOINT_URL",
					       "AZURE_AUTHORITY_",
					       "GCE_METADATA_",
					       "GOOGLE_",
					       "CONJUR_",
					       "KUBERNETES_",
					       "HOME" };
	size_t len = strlen(name);
	if (len >= 6 && strcasecmp(name + len - 6, "_proxy") == 0)
		return plan_may_override(p, "proxy-address");
	return starts_with_any(name, logs, ARRAY_LEN(logs)) ||
	       !starts_with_any(name, guarded, ARRAY_LEN(guarded));
}

// --- mounts

static bool is_clean(const char *path)
{
	if (path[0] != '/')
		return false;
	struct str rest = str_of(path + 1), part;
	while (str_next(&rest, '/', &part))
		if (str_eq(part, ".") || str_eq(part, "..") ||
		    (part.len == 0 && rest.len > 0))
			return false;
	return true;
}

// Whether one path lies in the other, or is it.
static bool overlap(const char *a, const char *b)
{
	size_t n = strlen(a), m = strlen(b), len;
	while (n > 0 && a[n - 1] == '/')
		n--;
	while (m > 0 && b[m - 1] == '/')
		m--;
	len = n < m ? n : m;
	return memcmp(a, b, len) == 0 && (n == m || (n < m ? b[len] : a[len]) == '/');
}

bool patch_may_mount(const struct plan *p, const json_t *ours, const char *path)
{
	static const char *const trust[] = { "/etc/ssl", "/etc/pki", "/usr" };
	const json_t *one;
	if (!is_clean(path) || overlap(path, AGENT_PATH) || overlap(path, "/ampoule") ||
	    overlap(path, "/proc") || overlap(path, "/dev"))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(trust); i++)
		if (overlap(path, trust[i]) && !plan_may_override(p, "ca-cert"))
			return false;
	POD_EACH (ours, i, one)
		if (overlap(path, pod_text(one, "mountPath")))
			return false;
	return true;
}

// --- security context

// Values that close the container further, or as far as it is.
static bool is_tight(const char *member, const json_t *value)
{
	static const struct {
		const char *member, *value;
	} tight[] = {
		{ "allowPrivilegeEscalation", "false" },
		{ "privileged", "false" },
		{ "readOnlyRootFilesystem", "true" },
		{ "runAsNonRoot", "true" },
		{ "procMount", "\"Default\"" },
		{ "seccompProfile", "{\"type\":\"RuntimeDefault\"}" },
		{ "appArmorProfile", "{\"type\":\"RuntimeDefault\"}" },
		{ "capabilities", "{\"drop\":[\"ALL\"]}" },
	};
	if (strcmp(member, "runAsUser") == 0 || strcmp(member, "runAsGroup") == 0)
		return json_is_integer(value) && json_integer_value(value) > 0;
	for (size_t i = 0; i < ARRAY_LEN(tight); i++) {
		AUTO_JSON json_t *want = NULL;
		if (strcmp(tight[i].member, member) == 0)
			return json_parse(tight[i].value, strlen(tight[i].value), 64,
					  JSON_PLAIN, &want, NULL) &&
			       json_equal(want, value);
	}
	return false;
}

static bool same_member(const json_t *a, const json_t *b, const char *key)
{
	const json_t *one = json_object_get(a, key), *two = json_object_get(b, key);
	return (!one && !two) || (one && two && json_equal(one, two));
}

static bool loosens(const char *member, struct err *e)
{
	return strcmp(member, "runAsUser") == 0 || strcmp(member, "runAsGroup") == 0
		       ? err_set(e, ERR_DENIED, 0,
				 "it makes the agent run as root; use agent-run-as-user")
		       : err_set(e, ERR_DENIED, 0,
				 "it changes securityContext.%.60s; a patch may not "
				 "loosen it",
				 member);
}

// A context may be tightened, and its user and group chosen anew (not 0).
static bool keeps_context(const json_t *before, const json_t *after, struct err *e)
{
	json_t *old = json_object_get(before, "securityContext"),
	       *new = json_object_get(after, "securityContext"), *value;
	const char *key;
	json_object_foreach(old, key, value)
	{
		if (!json_object_get(new, key))
			return loosens(key, e);
	}
	json_object_foreach(new, key, value)
	{
		if (!same_member(old, new, key) && !is_tight(key, value))
			return loosens(key, e);
	}
	return true;
}

// --- a patch

// What the API server refuses by the number of the mount alone: a place that is taken, a volume
// that the pod will not have.
static bool may_add_mount(const struct plan *p, const json_t *container,
			  const json_t *mount, struct err *e)
{
	const char *path = pod_text(mount, "mountPath"),
		   *volume = pod_text(mount, "name"), *name = pod_text(container, "name");
	if (pod_find(json_object_get(container, "volumeMounts"), "mountPath", path) !=
	    mount)
		return err_set(e, ERR_CONFIG, 0,
			       "it mounts twice at %.100s in container '%.63s'; give "
			       "each mount a mountPath of its own",
			       path, name);
	if (pod_find(json_object_get(p->spec, "volumes"), "name", volume))
		return true;
	AUTO_JSON json_t *ours = plan_volumes(p);
	return pod_find(ours, "name", volume) ||
	       err_set(e, ERR_CONFIG, 0,
		       "its mount %.100s in container '%.63s' is of the volume '%.63s', "
		       "which the pod does not have; add that to spec.volumes",
		       path, name, volume);
}

// Every mount of before is there, as it was, and none hides another.
static bool keeps_mounts(const struct plan *p, const json_t *before, const json_t *after,
			 struct err *e)
{
	const json_t *one, *list = json_object_get(after, "volumeMounts"),
			   *old = json_object_get(before, "volumeMounts");
	POD_EACH (old, i, one) {
		const json_t *now =
			pod_find(list, "mountPath", pod_text(one, "mountPath"));
		if (!now || !json_equal(now, one))
			return err_set(e, ERR_DENIED, 0,
				       "it changes the mount %.100s, without which the "
				       "agent cannot work",
				       pod_text(one, "mountPath"));
	}
	POD_EACH (list, i, one) {
		const char *path = pod_text(one, "mountPath");
		const json_t *was = pod_find(old, "mountPath", path);
		if (was ? !json_equal(was, one) : !patch_may_mount(p, old, path))
			return err_set(e, ERR_DENIED, 0,
				       "its mount %.100s would hide what the agent "
				       "needs; mount it elsewhere",
				       path);
		if (!(was && pod_find(list, "mountPath", path) == one) &&
		    !may_add_mount(p, after, one, e))
			return false;
	}
	return true;
}

static bool keeps_variables(const struct plan *p, const json_t *before,
			    const json_t *after, struct err *e)
{
	const json_t *one, *list = json_object_get(after, "env"),
			   *old = json_object_get(before, "env");
	POD_EACH (old, i, one)
		if (!pod_find(list, "name", pod_text(one, "name")))
			return err_set(e, ERR_DENIED, 0, "it removes the variable %.60s",
				       pod_text(one, "name"));
	POD_EACH (list, i, one) {
		const char *name = pod_text(one, "name");
		const json_t *was = pod_find(old, "name", name);
		if (was ? !json_equal(was, one) : !is_variable(p, name))
			return err_set(e, ERR_DENIED, 0,
				       "it changes the variable %.60s; use annotations",
				       name);
	}
	return true;
}

static bool has_word(const json_t *list, const char *text)
{
	const json_t *one;
	POD_EACH (list, i, one)
		if (strcmp(json_string_value(one) ? json_string_value(one) : "", text) ==
		    0)
			return true;
	return false;
}

static bool keeps_arguments(const json_t *before, const json_t *after, struct err *e)
{
	const json_t *one, *list = json_object_get(after, "args"),
			   *old = json_object_get(before, "args");
	POD_EACH (old, i, one)
		if (!has_word(list, json_string_value(one)))
			return err_set(e, ERR_DENIED, 0, "it removes the argument %.60s",
				       json_string_value(one));
	one = json_array_get(old, 0);
	if (one && !json_equal(json_array_get(list, 0), one))
		return err_set(e, ERR_DENIED, 0,
			       "it adds an argument before '%.60s'; add it at the end "
			       "(/args/-)",
			       json_string_value(one));
	POD_EACH (list, i, one) {
		const char *text = json_string_value(one);
		if (!text || (!has_word(old, text) && !is_argument(text)))
			return err_set(e, ERR_DENIED, 0,
				       "it adds an argument other than --log-level=, "
				       "--log-format= and --timeout=; use annotations");
	}
	return true;
}

static bool is_judged(const char *member)
{
	static const char *const names[] = { "args", "env", "volumeMounts",
					     "securityContext" };
	return IS_IN(member, names);
}

static bool keeps_members(json_t *before, json_t *after, struct err *e)
{
	json_t *const both[] = { before, after };
	const char *key;
	json_t *value;
	for (size_t i = 0; i < ARRAY_LEN(both); i++)
		json_object_foreach(both[i], key, value)
		{
			if (!is_free(key) && !is_judged(key) &&
			    !same_member(before, after, key))
				return err_set(e, ERR_DENIED, 0,
					       "it changes %.60s, which is the "
					       "operator's",
					       key);
		}
	return true;
}

bool patch_is_empty(const char *text)
{
	struct str s = str_trim(str_of(text));
	if (s.len > 1 && s.p[0] == '[' && s.p[s.len - 1] == ']')
		s = str_trim((struct str){ s.p + 1, s.len - 2 });
	return s.len == 0 || str_eq(s, "null");
}

bool patch_container(const struct plan *p, const char *text, json_t **container,
		     struct err *e)
{
	AUTO_JSON json_t *patch = NULL;
	AUTO_JSON json_t *before = json_incref(*container);
	if (patch_is_empty(text))
		return true;
	return json_parse(text, strlen(text), PATCH_TEXT_MAX, JSON_PLAIN, &patch, e) &&
	       patch_apply(patch, container, e) && patch_fits(*container, e) &&
	       keeps_members(before, *container, e) &&
	       keeps_arguments(before, *container, e) &&
	       keeps_mounts(p, before, *container, e) &&
	       keeps_variables(p, before, *container, e) &&
	       keeps_context(before, *container, e);
}

// --- a container that is there already

static void left_out(const struct plan *p, const json_t *ours, const char *what)
{
	notes_add(p->warnings, "%s of container '%.63s' is not the webhook's: left out",
		  what, pod_text(ours, "name"));
}

// The API server fills in what ours leaves open (fieldRef.apiVersion).
static json_t *keep_variable(const json_t *there, const json_t *ours)
{
	return json_object_get(there, "valueFrom") && json_object_get(ours, "valueFrom")
		       ? pod_overlay(there, ours)
		       : json_incref((json_t *)(uintptr_t)ours);
}

// In the order of `there`; what is ours alone comes last.
static json_t *keep_list(const struct plan *p, const json_t *there, const json_t *ours,
			 const char *member)
{
	bool mounts = strcmp(member, "volumeMounts") == 0;
	const char *key = mounts ? "mountPath" : "name";
	const json_t *old = json_object_get(there, member),
		     *own = json_object_get(ours, member), *one;
	json_t *list = json_array();
	POD_EACH (old, i, one) {
		const char *id = pod_text(one, key);
		const json_t *mine = pod_find(own, key, id);
		if (pod_find(list, key, id))
			continue;
		if (mine)
			json_array_append_new(
				list, mounts ? json_incref((json_t *)(uintptr_t)mine)
					     : keep_variable(one, mine));
		else if (mounts ? patch_may_mount(p, own, id) : is_variable(p, id))
			json_array_append(list, (json_t *)(uintptr_t)one);
		else
			left_out(p, ours, id);
	}
	POD_EACH (own, i, one)
		if (!pod_find(list, key, pod_text(one, key)))
			json_array_append(list, (json_t *)(uintptr_t)one);
	return list;
}

static json_t *keep_context(const struct plan *p, const json_t *there, const json_t *ours)
{
	json_t *old = json_object_get(there, "securityContext"),
	       *own = json_object_get(ours, "securityContext"), *value;
	json_t *to = own ? json_copy(own) : json_object();
	const char *key;
	json_object_foreach(old, key, value)
	{
		if (!json_object_get(to, key) && is_tight(key, value))
			json_object_set(to, key, value);
		else if (!json_object_get(to, key))
			left_out(p, ours, key);
	}
	return to;
}

json_t *patch_keep(const struct plan *p, const json_t *there, const json_t *ours)
{
	json_t *to = json_copy((json_t *)(uintptr_t)ours), *value;
	const char *key;
	json_object_foreach((json_t *)(uintptr_t)there, key, value)
	{
		const json_t *own = json_object_get(ours, key);
		if (strcmp(key, "env") == 0 || strcmp(key, "volumeMounts") == 0)
			json_object_set_new(to, key, keep_list(p, there, ours, key));
		else if (strcmp(key, "securityContext") == 0)
			json_object_set_new(to, key, keep_context(p, there, ours));
		else if (own && strcmp(key, "startupProbe") == 0)
			json_object_set_new(to, key, pod_overlay(value, own));
		else if (is_free(key) || (!own && is_default(key, value)))
			json_object_set(to, key, value);
		else if (!own || !json_equal(value, own))
			left_out(p, ours, key);
	}
	return to;
}
