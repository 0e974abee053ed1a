// SPDX-License-Identifier: Apache-2.0
// What a user's JSON patch of the agent's container may not do.
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "webhook/patch.h"
#include "webhook/plan.h"

static bool same_member(const json_t *a, const json_t *b, const char *key)
{
	const json_t *one = json_object_get(a, key), *two = json_object_get(b, key);
	return (!one && !two) || (one && two && json_equal(one, two));
}

static bool keeps(const json_t *before, const json_t *after, const char *key,
		  struct err *e)
{
	return same_member(before, after, key) ||
	       err_set(e, ERR_DENIED, 0, "it changes %s, which is the operator's", key);
}

// Every mount of before is there, as it was.
static bool keeps_mounts(const json_t *before, const json_t *after, struct err *e)
{
	const json_t *one, *list = json_object_get(after, "volumeMounts");
	POD_EACH (json_object_get(before, "volumeMounts"), i, one) {
		const json_t *now =
			pod_find(list, "mountPath", pod_text(one, "mountPath"));
		if (!now || !json_equal(now, one))
			return err_set(e, ERR_DENIED, 0,
				       "it changes the mount %.100s, without which the "
				       "agent cannot work",
				       pod_text(one, "mountPath"));
	}
	return true;
}

static bool keeps_config(const json_t *before, const json_t *after, struct err *e)
{
	const json_t *one = pod_find(json_object_get(before, "env"), "name", CONFIG_ENV);
	const json_t *now = pod_find(json_object_get(after, "env"), "name", CONFIG_ENV);
	return (!one && !now) || (one && now && json_equal(one, now)) ||
	       err_set(e, ERR_DENIED, 0,
		       "it changes the variable " CONFIG_ENV "; use annotations");
}

// A context may be tightened, and its user and group chosen anew (not 0).
static bool keeps_context(const json_t *before, const json_t *after, struct err *e)
{
	static const char *const fixed[] = { "allowPrivilegeEscalation",
					     "capabilities",
					     "readOnlyRootFilesystem",
					     "runAsNonRoot",
					     "seccompProfile",
					     "privileged",
					     "procMount" };
	const json_t *old = json_object_get(before, "securityContext"),
		     *new = json_object_get(after, "securityContext");
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (!same_member(old, new, fixed[i]))
			return err_set(e, ERR_DENIED, 0,
				       "it changes securityContext.%s; a patch may not "
				       "loosen it",
				       fixed[i]);
	const json_t *uid = json_object_get(new, "runAsUser");
	bool root = uid ? json_integer_value(uid) == 0
			: json_object_get(old, "runAsUser") != NULL;
	bool was = json_object_get(old, "runAsUser") &&
		   json_integer_value(json_object_get(old, "runAsUser")) == 0;
	return !root || was ||
	       err_set(e, ERR_DENIED, 0,
		       "it makes the agent run as root; use agent-run-as-user");
}

bool patch_container(const char *text, json_t **container, struct err *e)
{
	static const char *const fixed[] = { "image", "command", "lifecycle",
					     "startupProbe", "restartPolicy" };
	AUTO_JSON json_t *patch = NULL;
	AUTO_JSON json_t *before = json_incref(*container);
	if (str_trim(str_of(text)).len == 0 || strcmp(text, "null") == 0)
		return true;
	if (!json_parse(text, strlen(text), PATCH_TEXT_MAX, JSON_PLAIN, &patch, e) ||
	    !patch_apply(patch, container, e))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (!keeps(before, *container, fixed[i], e))
			return false;
	if (!*pod_text(*container, "name"))
		return err_set(e, ERR_CONFIG, 0,
			       "it leaves the container without a name");
	return keeps_mounts(before, *container, e) &&
	       keeps_config(before, *container, e) &&
	       keeps_context(before, *container, e);
}
