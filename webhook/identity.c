// SPDX-License-Identifier: Apache-2.0
// Who the agent is: its user, and the service account token with which it logs in.
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "webhook/notes.h"
#include "webhook/patch.h"
#include "webhook/plan.h"

#define ACCOUNT_FOLDER "/var/run/secrets/kubernetes.io/serviceaccount"
#define PEER_TOKEN_MOUNT "/var/run/secrets/vault.hashicorp.com/serviceaccount"
#define TOKEN_VOLUME_NAME "agent-service-account-token-volume-name"

enum { PEER_UID = 100, PEER_GID = 1000 };

// The first container's own user, as the peer.
static bool same_user(struct plan *p, const struct asked_entry *entry, struct err *e)
{
	const json_t *first = json_array_get(json_object_get(p->spec, "containers"), 0);
	const json_t *uid =
		json_object_get(json_object_get(first, "securityContext"), "runAsUser");
	int64_t pod = json_integer_value(json_object_get(
		json_object_get(p->spec, "securityContext"), "runAsUser"));
	p->uid = json_is_integer(uid) ? json_integer_value(uid) : pod;
	return p->uid > 0 ||
	       asked_wrong(
		       entry, e,
		       "container '%.63s' has no securityContext.runAsUser other than "
		       "0; set it",
		       pod_text(first, "name"));
}

// The user follows the signal: without capabilities only the same user may send it. `said`: an
// annotation has chosen him.
static void user_for_signal(struct plan *p, bool said)
{
	struct plan_target *first = NULL;
	bool chosen = said, named = false;
	for (size_t i = p->n_targets; i-- > 0;) {
		named |= p->targets[i].signalled;
		if (!p->targets[i].init)
			first = &p->targets[i];
	}
	if (!named && first)
		first->signalled = true;
	for (size_t i = 0; i < p->n_targets && !chosen; i++)
		if (p->targets[i].signalled && p->targets[i].uid > 0) {
			p->uid = p->targets[i].uid;
			chosen = true;
		}
	for (size_t i = 0; i < p->n_targets; i++) {
		const struct plan_target *t = &p->targets[i];
		if (t->signalled && t->uid != p->uid && (t->uid >= 0 || !said))
			notes_add(p->warnings,
				  "container '%s' has %s runAsUser: the agent runs as "
				  "user %lld and can signal it only when it has the same",
				  t->name, t->uid < 0 ? "no" : "another",
				  (long long)p->uid);
	}
}

bool plan_user(struct plan *p, struct err *e)
{
	const struct asked_entry *same = asked_find(&p->asked, "agent-run-as-same-user",
						    NULL),
				 *user = asked_find(&p->asked, "agent-run-as-user", NULL);
	bool as_same = false;
	p->uid = PEER_UID;
	p->gid = PEER_GID;
	p->security_context = true;
	if (!asked_bool(&p->asked, "agent-run-as-same-user", &as_same, e) ||
	    !asked_bool(&p->asked, "agent-set-security-context", &p->security_context, e))
		return false;
	if (as_same && !same_user(p, same, e))
		return false;
	if (!asked_number(&p->asked, "agent-run-as-user", &p->uid, e) ||
	    !asked_number(&p->asked, "agent-run-as-group", &p->gid, e))
		return false;
	if (p->uid < 0 || p->uid > INT32_MAX || p->gid < 0 || p->gid > INT32_MAX)
		return err_set(
			e, ERR_CONFIG, 0,
			"agent-run-as-user and agent-run-as-group are numbers from "
			"0 to 2147483647");
	if (p->signals)
		user_for_signal(p, as_same || user);
	return true;
}

// --- the token

static const char *token_file_of(const json_t *volume)
{
	const json_t *source;
	POD_EACH (json_object_get(json_object_get(volume, "projected"), "sources"), i,
		  source) {
		const json_t *token = json_object_get(source, "serviceAccountToken");
		if (token)
			return *pod_text(token, "path") ? pod_text(token, "path")
							: "token";
	}
	return NULL;
}

// Where an application's container has mounted the volume, or NULL.
static const char *mount_of(const struct plan *p, const char *volume)
{
	const json_t *container;
	POD_EACH (json_object_get(p->spec, "containers"), i, container) {
		const json_t *m = pod_find(json_object_get(container, "volumeMounts"),
					   "name", volume);
		if (m)
			return pod_text(m, "mountPath");
	}
	return NULL;
}

static bool named_token(struct plan *p, const struct asked_entry *entry, struct err *e)
{
	const json_t *volume =
		pod_find(json_object_get(p->spec, "volumes"), "name", entry->value);
	const char *file = token_file_of(volume), *mount = mount_of(p, entry->value);
	if (!file)
		return asked_wrong(entry, e,
				   "the pod has no projected volume '%.63s' with a "
				   "serviceAccountToken source",
				   entry->value);
	p->token.volume = entry->value;
	// As the application sees it, unless that would hide something of the agent's.
	AUTO_JSON json_t *ours = json_pack("[{s:s}, {s:s}]", "mountPath", HOME_MOUNT,
					   "mountPath", "/vault");
	p->token.mount =
		mount && patch_may_mount(p, ours, mount) ? mount : PEER_TOKEN_MOUNT;
	p->token.file = pool_printf(&p->pool, "%s/%s", p->token.mount, file);
	return true;
}

static bool is_token(const struct plan *p, const char *volume)
{
	const char *file = token_file_of(
		pod_find(json_object_get(p->spec, "volumes"), "name", volume));
	return file && strcmp(file, "token") == 0;
}

// The API server mounts the account's token before webhooks are called. What else lies at its
// place is none.
static void found_token(struct plan *p)
{
	const json_t *container, *mount;
	POD_EACH (json_object_get(p->spec, "containers"), i, container)
		POD_EACH (json_object_get(container, "volumeMounts"), k, mount)
			if (strcmp(pod_text(mount, "mountPath"), ACCOUNT_FOLDER) == 0 &&
			    is_token(p, pod_text(mount, "name"))) {
				p->token.volume = pod_text(mount, "name");
				p->token.mount = ACCOUNT_FOLDER;
				p->token.file = ACCOUNT_FOLDER "/token";
				return;
			}
}

bool plan_token(struct plan *p, struct err *e)
{
	const struct asked_entry *named = asked_find(&p->asked, TOKEN_VOLUME_NAME, NULL),
				 *audience = asked_find(&p->asked,
							"service-account-audience", NULL);
	if (named && *named->value)
		return named_token(p, named, e);
	if (audience && audience->value[strcspn(audience->value, " \t\r\n")])
		return asked_wrong(audience, e, "an audience has no blanks");
	bool ours = pod_find(json_object_get(p->spec, "volumes"), "name", TOKEN_VOLUME);
	if (audience && *audience->value)
		p->token.audience = audience->value;
	else if (!ours) // of an earlier call
		found_token(p);
	if (!p->token.volume)
		p->token = (struct plan_token){ .volume = TOKEN_VOLUME,
						.mount = TOKEN_MOUNT,
						.file = TOKEN_MOUNT "/token",
						.audience = p->token.audience,
						.make = true };
	return true;
}
