// SPDX-License-Identifier: Apache-2.0
// Workload identity of the clouds: what their own webhooks give the application's containers
// (a token's mount, and variables) the agent needs too, when it logs in with it.
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/str.h"
#include "webhook/patch.h"
#include "webhook/plan.h"

enum { NAMES_MAX = 10, MOUNTS_MAX = 2 };

static const struct cloud {
	const char *type;               // of a store, or a login method
	const char *mounts[MOUNTS_MAX]; // where its webhook puts the token
	const char *names[NAMES_MAX];
} clouds[] = {
	{ "aws",
	  { "/var/run/secrets/eks.amazonaws.com/serviceaccount",
	    "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount" },
	  { "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_DEFAULT_REGION",
	    "AWS_REGION", "AWS_STS_REGIONAL_ENDPOINTS",
	    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
	    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE" } },
	{ "azure",
	  { "/var/run/secrets/azure/tokens" },
	  { "AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_FEDERATED_TOKEN_FILE",
	    "AZURE_AUTHORITY_HOST" } },
};

// Whether a login annotation or one of the chosen stores of the operator is of that cloud.
static bool is_used(const struct plan *p, const struct cloud *c)
{
	const struct asked_entry *named = asked_find(&p->asked, "stores", NULL);
	AUTO_JSON json_t *names = NULL;
	const char *name;
	json_t *body;
	if (strcmp(asked_text(&p->asked, "auth-type", ""), c->type) == 0)
		return true;
	if (named && !asked_value(named, &names, NULL))
		return false;
	json_object_foreach(p->ask->settings->stores, name, body)
	{
		bool chosen = !names;
		const json_t *one;
		POD_EACH (names, i, one)
			chosen |= strcmp(json_string_value(one), name) == 0;
		if (chosen && strcmp(pod_text(body, "type"), c->type) == 0)
			return true;
	}
	return false;
}

static bool is_clouds_mount(const struct cloud *c, const char *path)
{
	for (size_t i = 0; i < MOUNTS_MAX && c->mounts[i]; i++)
		if (strcmp(path, c->mounts[i]) == 0)
			return true;
	return false;
}

static const json_t *first_container(const struct plan *p)
{
	return json_array_get(json_object_get(p->spec, "containers"), 0);
}

void plan_workload_mounts(const struct plan *p, json_t *to)
{
	const json_t *mount;
	for (size_t c = 0; c < ARRAY_LEN(clouds); c++)
		POD_EACH (json_object_get(first_container(p), "volumeMounts"), i, mount) {
			const char *path = pod_text(mount, "mountPath");
			if (is_clouds_mount(&clouds[c], path) && is_used(p, &clouds[c]) &&
			    patch_may_mount(p, to, path))
				json_array_append(to, (json_t *)(uintptr_t)mount);
		}
}

void plan_workload_env(const struct plan *p, json_t *to)
{
	const json_t *env = json_object_get(first_container(p), "env");
	for (size_t c = 0; c < ARRAY_LEN(clouds); c++) {
		const char *const *n = clouds[c].names;
		for (bool used = is_used(p, &clouds[c]); used && *n; n++) {
			json_t *there = pod_find(env, "name", *n);
			if (there)
				json_array_append(to, there);
		}
	}
	const struct asked_entry *region =
		asked_find(&p->asked, "auth-config-<k>", "region");
	if (region && *region->value && is_used(p, &clouds[0]) &&
	    !pod_find(to, "name", "AWS_REGION"))
		json_array_append_new(to, json_pack("{s:s, s:s}", "name", "AWS_REGION",
						    "value", region->value));
}
