// SPDX-License-Identifier: Apache-2.0
// Rows of the option table: annotations that only the webhook obeys. They have no key in the
// agent's configuration. What a peer's suffix means stands in contract with the peer; under
// our own prefix it is valid too, without its "agent-".
#include "lib/conf/options_int.h"

static const char *const mode_words[] = {
	"native", "exec", "first", "pair", "init", NULL
};
static const char *const template_words[] = { "map", "json", NULL };

// POD(type, our name, the peer's name, default, help)
#define POD(kind, ours, theirs, usual, text)                                             \
	{                                                                                \
		.stanza = STANZA_POD, .type = (kind), .annotation = (ours),              \
		.peer = (theirs), .default_ = (usual), .help = (text)                    \
	}
#define PEER(kind, theirs, usual, text) POD(kind, NULL, theirs, usual, text)
#define OURS(kind, ours, usual, text) POD(kind, ours, NULL, usual, text)
#define GUARDED(theirs, text)                                                            \
	{                                                                                \
		.stanza = STANZA_POD, .type = OPTION_STRING, .peer = (theirs),           \
		.help = (text), .guarded = true                                          \
	}
#define WORD(list, ours, theirs, usual, text)                                            \
	{                                                                                \
		.stanza = STANZA_POD, .type = OPTION_WORD, .words = (list),              \
		.annotation = (ours), .peer = (theirs), .default_ = (usual),             \
		.help = (text)                                                           \
	}

static const struct option_row rows[] = {
	// switches and order
	POD(OPTION_BOOL, "inject", "agent-inject", "false", "ask for injection"),
	PEER(OPTION_STRING, "agent-inject-status", NULL,
	     "injected: nothing is done; set when a pod has been injected"),
	WORD(mode_words, "mode", NULL, "native",
	     "native sidecar, init and sidecar pair, init alone, exec, or first: the "
	     "first of the containers"),
	PEER(OPTION_LIST, "agent-inject-containers", NULL,
	     "the application's containers that see the files; without it all"),
	PEER(OPTION_BOOL, "agent-init-first", "false",
	     "the agent's init container comes first"),
	PEER(OPTION_BOOL, "agent-pre-populate", "true",
	     "files are there before the application starts"),
	PEER(OPTION_BOOL, "agent-pre-populate-only", "false",
	     "no sidecar: nothing is renewed"),
	PEER(OPTION_STRING, "agent-copy-volume-mounts", NULL,
	     "a container whose mounts the agent gets too"),
	PEER(OPTION_BOOL, "agent-share-process-namespace", NULL,
	     "the pod's shareProcessNamespace, for signals by name"),
	PEER(OPTION_STRING, "agent-json-patch", NULL,
	     "RFC 6902 patch of the sidecar; its result is checked"),
	PEER(OPTION_STRING, "agent-init-json-patch", NULL,
	     "the same of the init container; the pod gets the pair"),
	PEER(OPTION_STRING, "agent-request-namespace", NULL,
	     "the namespace of the request, for objects without one"),
	OURS(OPTION_STRING, "config", NULL,
	     "written by the webhook when the agent's configuration is over 96 KiB"),
	OURS(OPTION_LIST, "env-containers", NULL,
	     "mode exec: the containers whose environment is set"),
	OURS(OPTION_STRING, "env-<NAME>", NULL,
	     "mode exec: the variable NAME, as secret-<n> with #key"),

	// secrets and templates
	WORD(template_words, NULL, "agent-inject-default-template", "map",
	     "the template of a secret that has none of its own"),
	PEER(OPTION_STRING, "secret-volume-path-<n>", NULL,
	     "another folder for the one file, in the application"),
	PEER(OPTION_BOOL, "preserve-secret-case", "false",
	     "file names keep the letter case of <n>"),
	PEER(OPTION_BOOL, "preserve-secret-case-<n>", "false", "the same for one file"),
	PEER(OPTION_BOOL, "agent-inject-token", "false",
	     "the login's token as the file token"),

	OURS(OPTION_STRING, "volume-size", NULL,
	     "size limit of the volume of the files; without it 64 KiB a file, three "
	     "versions, each container, rounded up to MiB"),

	// who, and with what
	OURS(OPTION_LIST, "stores", NULL, "which of the operator's stores"),
	POD(OPTION_STRING, "role", "role", NULL, "the role of the login"),
	OURS(OPTION_STRING, "service-account-audience", NULL,
	     "the audience of the projected service account token"),
	PEER(OPTION_STRING, "agent-service-account-token-volume-name", NULL,
	     "the projected volume with the token of the login"),
	GUARDED("tls-secret", "a Secret with certificates, at /vault/tls in the agent"),
	PEER(OPTION_STRING, "agent-extra-secret", NULL,
	     "a Secret at /vault/custom in the agent"),
	GUARDED("agent-configmap", "a ConfigMap with config-init.hcl and config.hcl in "
				   "place of annotations"),
	PEER(OPTION_NUMBER, "agent-run-as-user", NULL, "the agent's user"),
	PEER(OPTION_NUMBER, "agent-run-as-group", NULL, "the agent's group"),
	PEER(OPTION_BOOL, "agent-run-as-same-user", "false",
	     "the user of the first application container"),
	PEER(OPTION_BOOL, "agent-set-security-context", "true",
	     "whether the agent's containers get a security context"),
	GUARDED("agent-image", "the agent's image"),

	// the agent's container
	PEER(OPTION_STRING, "agent-requests-cpu", "5m", "CPU request"),
	PEER(OPTION_STRING, "agent-requests-mem", "8Mi", "memory request"),
	PEER(OPTION_STRING, "agent-requests-ephemeral", NULL,
	     "ephemeral storage request"),
	PEER(OPTION_STRING, "agent-limits-cpu", NULL, "CPU limit"),
	PEER(OPTION_STRING, "agent-limits-mem", "64Mi", "memory limit"),
	PEER(OPTION_STRING, "agent-limits-ephemeral", NULL, "ephemeral storage limit"),
	PEER(OPTION_NUMBER, "agent-revoke-grace", "5",
	     "seconds between the pod's end and the token's"),
	PEER(OPTION_BOOL, "agent-cache-enable", "false", "the caching proxy in the pod"),
	PEER(OPTION_BOOL, "agent-enable-quit", "false",
	     "POST /agent/v1/quit ends the agent"),
	{ .stanza = STANZA_POD,
	  .type = OPTION_IGNORED,
	  .peer = "agent-telemetry-<k>",
	  .help = "a key of the telemetry stanza",
	  .ignored = "metrics are Prometheus' own at metrics_address" },
	{ .stanza = STANZA_POD,
	  .type = OPTION_IGNORED,
	  .peer = "go-max-procs",
	  .help = "threads of the Go runtime",
	  .ignored = "the agent has one thread" },
};

const struct option_part options_pod = { rows, ARRAY_LEN(rows) };
