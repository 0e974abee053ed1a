// SPDX-License-Identifier: Apache-2.0
// Looking at a pod, and laying one document over another.
#include <string.h>

#include "webhook/plan.h"

const char *pod_text(const json_t *o, const char *key)
{
	const char *text = json_string_value(json_object_get(o, key));
	return text ? text : "";
}

const json_t *pod_file_ref(const json_t *variable)
{
	return json_object_get(json_object_get(variable, "valueFrom"), "fileKeyRef");
}

json_t *pod_find(const json_t *list, const char *key, const char *text)
{
	json_t *one;
	POD_EACH (list, i, one)
		if (strcmp(pod_text(one, key), text) == 0)
			return one;
	return NULL;
}

// The member that tells the elements of a list apart, or NULL.
static const char *list_key(const json_t *list)
{
	const json_t *first = json_array_get(list, 0);
	if (json_object_get(first, "mountPath"))
		return "mountPath";
	return json_object_get(first, "name") ? "name" : NULL;
}

static json_t *overlay_list(const json_t *old, const json_t *ours, const char *key)
{
	json_t *list = json_copy((json_t *)(uintptr_t)old), *one;
	POD_EACH (ours, i, one) {
		const char *id = pod_text(one, key);
		json_t *there = pod_find(list, key, id);
		if (!there) {
			json_array_append(list, one);
			continue;
		}
		for (size_t k = 0; k < json_array_size(list); k++)
			if (json_array_get(list, k) == there) {
				json_array_set_new(list, k, pod_overlay(there, one));
				break;
			}
	}
	return list;
}

json_t *pod_overlay(const json_t *old, const json_t *ours)
{
	const char *key;
	json_t *value;
	if (json_is_array(old) && json_is_array(ours) && list_key(ours))
		return overlay_list(old, ours, list_key(ours));
	if (!json_is_object(old) || !json_is_object(ours))
		return json_incref((json_t *)(uintptr_t)ours);
	json_t *to = json_copy((json_t *)(uintptr_t)old);
	json_object_foreach((json_t *)(uintptr_t)ours, key, value)
	{
		const json_t *there = json_object_get(old, key);
		json_object_set_new(
			to, key, there ? pod_overlay(there, value) : json_incref(value));
	}
	return to;
}
