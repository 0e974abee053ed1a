// SPDX-License-Identifier: Apache-2.0
// What will be done to one pod, decided before anything is changed. For webhook/*.c only.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/conf/pool.h"
#include "webhook/asked.h"
#include "webhook/inject.h"

// Names that dashboards, policies and JSON patches refer to are the peer's.
#define AGENT_NAME "vault-agent"
#define AGENT_INIT_NAME "vault-agent-init"
#define SECRETS_VOLUME "vault-secrets"
#define HOME_VOLUME "home-sidecar"
#define HOME_INIT_VOLUME "home-init"
#define STATE_VOLUME "vault-agent-cache"
#define TOKEN_VOLUME "ampoule-token"
// Where the agent sees them.
#define SECRETS_MOUNT "/ampoule/secrets"
#define HOME_MOUNT "/home/vault"
#define STATE_MOUNT "/vault/agent-cache"
#define TOKEN_MOUNT "/var/run/secrets/ampoule.dev/serviceaccount"
#define AGENT_SOCKET HOME_MOUNT "/ampoule.sock"
#define AGENT_PATH "/ampoule-agent"
#define PROGRAM_VOLUME "ampoule-program" // mode exec: the agent's executable
#define PROGRAM_MOUNT "/ampoule/bin"
#define ENV_SOCKET ".env.sock" // in a container's folder
#define CONFIG_ENV "AMPOULE_CONFIG"
// Above 96 KiB the configuration is an annotation, and CONFIG_ENV says where it is seen.
#define LONG_CONFIG "ampoule.dev/config"
#define LONG_CONFIG_VOLUME "ampoule-config"
#define LONG_CONFIG_MOUNT "/ampoule/config"
#define DEFAULT_CONTAINER "kubectl.kubernetes.io/default-container"
#define SOCKET_ENV "AMPOULE_STATUS_SOCKET" // in place of it with a ConfigMap

// As the words of lib/conf/options_pod.c. Those up to MODE_EXEC are native sidecars, those up
// to MODE_FIRST hold the application back themselves.
enum plan_mode { MODE_NATIVE, MODE_EXEC, MODE_FIRST, MODE_PAIR, MODE_INIT };

// A container that gets files.
struct plan_target {
	const char *name;
	bool init;      // it ends before the application starts
	int64_t uid;    // -1: unknown
	bool env;       // its command is wrapped
	bool signalled; // by its name
};

// A folder of the applications: the main one first, then those of secret-volume-path-<n>.
struct plan_mount {
	const char *path;
	bool used;
};

// The service account token of the login.
struct plan_token {
	const char *volume; // NULL: there is none
	const char *mount;  // the agent's
	const char *file;   // whole path
	bool make;          // the volume is ours
	const char *audience;
};

struct plan {
	const struct inject_ask *ask;
	struct pool pool;
	struct asked asked;
	json_t *warnings; // borrowed
	const json_t *spec, *metadata;
	const char *namespace_;
	enum annotation_prefix prefix; // of the annotation that asked for injection
	enum plan_mode mode;
	bool config_map; // the peer's agent-configmap takes the annotations' place
	bool populate;   // files are there before the application starts
	bool nothing;    // there is nothing to deliver
	bool no_agent;   // the peer's pre-populate off and only on
	bool first;      // before other init containers
	struct plan_target *targets;
	size_t n_targets;
	struct plan_mount *mounts;
	size_t n_mounts;
	json_t *templates;       // of the agent's configuration
	json_t *variables;       // of mode exec
	bool signals;            // something is signalled
	json_t *share_processes; // NULL: leave
	struct plan_token token;
	int64_t uid, gid;
	bool security_context;
	const json_t *agents[2]; // that were placed in the pod
	size_t n_agents;
	json_t *document; // the agent's configuration
	char *config;     // its text
	size_t config_len;
};

// --- plan.c
MUST_CHECK bool plan_make(const struct inject_ask *ask, json_t *warnings, struct plan *p,
			  struct err *e);
void plan_release(struct plan *p);
// Whether a volume of this name is the agent's alone (its home, token, state).
bool plan_is_private(const char *volume);
// Whether the container is one of ours, from an earlier call.
bool plan_is_agent(const json_t *container);
// Whether it has the variables of one, whatever it is.
bool plan_has_config(const json_t *container);
const char *plan_folder(struct plan *p, const struct plan_target *t, size_t mount);

// --- files.c: templates, mounts
MUST_CHECK bool plan_files(struct plan *p, struct err *e);
// Index of the mount in p->mounts that is the folder `path` or holds it, added when new; and
// the folder, as it is written plainly.
MUST_CHECK bool plan_mount(struct plan *p, const struct asked_entry *from,
			   const char *path, size_t *ret, const char **ret_folder,
			   struct err *e);
// What of a path, however it is written, lies below `folder`, which is written plainly; "" for
// the folder itself, NULL for another place.
const char *plan_below(struct plan *p, const char *path, const char *folder);
// "[store:]path[#key] [| template]" as keys of a template.
MUST_CHECK bool plan_secret(const struct plan *p, const struct asked_entry *entry,
			    json_t *to, struct err *e);
// --- exec.c: p->variables, targets' env
MUST_CHECK bool plan_exec(struct plan *p, struct err *e);
const char *plan_env_socket(struct plan *p, const struct plan_target *t,
			    bool agents_view);
void plan_wrap(struct plan *p, const struct plan_target *t, json_t *container);
// --- identity.c: the login's token; the user, who may depend on what is signalled
MUST_CHECK bool plan_token(struct plan *p, struct err *e);
MUST_CHECK bool plan_user(struct plan *p, struct err *e);
// --- override.c: what is the operator's. `name` is the peer's ("service"); a policy may widen it.
bool plan_may_override(const struct plan *p, const char *name);
MUST_CHECK bool plan_overrides(struct plan *p, struct err *e);
// --- agent_conf.c: p->config
MUST_CHECK bool plan_config(struct plan *p, struct err *e);
void plan_warn_init(const struct plan *p); // of what mode init does not do
// --- agent_stores.c: stores and logins, into the agent's configuration
MUST_CHECK bool plan_stores(struct plan *p, json_t *doc, struct err *e);
json_t *plan_stanza(json_t *o, const char *key); // the object of o, made when missing
json_t *plan_method(json_t *doc); // the peer's one login, made when missing
// --- agent_check.c: p->config as the agent reads it; p->signals, targets' signalled
MUST_CHECK bool plan_check(struct plan *p, struct err *e);
// --- long_config.c: a configuration that is too long for the environment
bool plan_is_long(const struct plan *p);
MUST_CHECK bool plan_fits(const struct plan *p, struct err *e);
MUST_CHECK bool plan_long_value(const struct plan *p, struct buf *to, struct err *e);
json_t *plan_long_volume(void);
// --- container.c: the agent's containers, with JSON patches applied
MUST_CHECK bool plan_container(const struct plan *p, bool init, json_t **ret,
			       struct err *e);
json_t *plan_volumes(const struct plan *p);
// Kubernetes' quantities, not negative: 5m, 8Mi, 0.5, 1e3. False: it is none.
bool plan_quantity(const char *s, double *ret);
// --- workload.c: what the clouds' identity needs in the agent's container
void plan_workload_mounts(const struct plan *p, json_t *to);
void plan_workload_env(const struct plan *p, json_t *to);
// --- weave.c: the pod with all of it
MUST_CHECK bool plan_weave(struct plan *p, json_t **ret, struct err *e);

// --- pod.c: looking at a pod
#define POD_EACH(list, i, value)                                                         \
	for (size_t i = 0;                                                               \
	     i < json_array_size(list) && ((value) = json_array_get(list, i)); i++)
const char *pod_text(const json_t *o, const char *key); // "" when there is none
// The fileKeyRef of a variable, with which the kubelet reads a volume that no container needs to
// mount; NULL: it has none.
const json_t *pod_file_ref(const json_t *variable);
// The object of a list whose `key` is `text`, or NULL.
json_t *pod_find(const json_t *list, const char *key, const char *text);
// `ours` into `old`: objects member by member, lists of named elements by their names; what
// only `old` has stays. A new document.
json_t *pod_overlay(const json_t *old, const json_t *ours);
