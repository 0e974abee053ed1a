// SPDX-License-Identifier: Apache-2.0
// What the operator says: the webhook's configuration file, in HCL or JSON. Everything has a
// default, so that an empty file (and none at all, for `ampoule inject`) works.
//
//	listen        = "[::]:8443"
//	tls_cert_file = "/tls/tls.crt"        # read again when they change
//	tls_key_file  = "/tls/tls.key"
//	image         = "registry.example/ampoule:1.0"
//	openshift     = true                  # no fixed user and group: the platform chooses
//	gate_by_probe = true                  # instead of a postStart hook
//	writable      = true                  # mounts that the application may write to
//	unlimited     = true                  # no sizeLimit
//	annotations {                         # defaults of any annotation, by its name under
//	  service = "https://bao:8200"        # ampoule.dev/, or whole
//	  role    = "web"
//	}
//	allow_override = ["service"]          # what is the operator's, but pods may say
//	store "aws" { type = "aws" }          # as in the agent's configuration
//	policies = "/etc/ampoule/policies"    # a file or folder; policy blocks here count too
//	template "pg" { contents = "{{ … }}" } # for secret-<n>: "path | pg"
//	self_signed {                          # the webhook makes its certificate (certs.h)
//	  lifetime = "2160h"                   # and renew_after, settle, names, service, …
//	}
//	namespace_defaults = true              # annotations of namespaces count (namespaces.h)
//	kubernetes { server = "https://…" }    # nothing is needed in a pod
//
// One struct settings never changes: a reload makes another.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/base/err.h"

struct policies; // policy.h

enum { SETTINGS_MAX = 1024 * 1024 };

// What needs the API server. Read at the start only.
struct settings_kube {
	const char *server, *ca_file, *token_file; // NULL: as every pod finds it
	const char *namespace_;                    // NULL: the service account's
	bool self_signed;
	const char *secret, *service, *registration;
	const json_t *names; // of the certificate, beside the service's; or NULL
	int64_t lifetime_ms, renew_ms, settle_ms;
};

// What namespaces say (namespaces.h), where it is known; set by the server, not read from the
// file.
struct settings_world {
	// {"annotations": {…}, "labels": {…}}; NULL: it must be asked for first.
	const json_t *(*find)(void *ctx, const char *namespace_);
	void *ctx;
};

struct settings {
	json_t *document;           // owns the strings below
	const char *listen;         // "[::]:8443"
	const char *metrics_listen; // NULL: /metrics is served beside /mutate
	const char *cert_file, *key_file;
	const char *image;      // the agent's
	json_t *annotations;    // defaults, whole names; never NULL
	json_t *allow_override; // the peer's names of annotations (override.c); never NULL
	json_t *stores;         // name → body of a store block; never NULL
	json_t *templates;      // name → text; never NULL
	const char *policy_path;   // file or folder of policies; NULL: none
	struct policies *policies; // those, and the ones of this file; never NULL
	bool openshift;            // no fixed user and group: the platform chooses
	bool gate_by_probe; // a startup probe holds the application back, not a postStart hook
	bool writable;  // the application may write into its folder, as with the peers
	bool unlimited; // the volumes have no sizeLimit, as with the peers
	bool namespace_defaults; // annotations of namespaces are defaults
	struct settings_kube kube;
	// What held before a reload, and until when agents that it made are taken: a pod may
	// have met another replica. Owned.
	struct settings *before;
	int64_t before_until_ms;
	struct settings_world world; // find == NULL: namespaces are not looked at
};

void settings_init(struct settings *s); // the defaults
// Reads a document over the defaults; errors name line, key and remedy. *ret is released by
// the caller in either case.
MUST_CHECK bool settings_parse(const char *file, const char *text, size_t len,
			       struct settings *ret, struct err *e);
MUST_CHECK bool settings_load(const char *file, struct settings *ret, struct err *e);
void settings_release(struct settings *s);
enum { SETTINGS_KEPT_MS = 5 * 60 * 1000, SETTINGS_KEPT = 2 };
// Takes `old` over into `fresh`, which replaces it, for SETTINGS_KEPT_MS; the last SETTINGS_KEPT
// are kept.
void settings_replace(struct settings *fresh, struct settings *old, int64_t now_ms);

// Tells of each key that has changed, but counts from the start on: ports, namespace_defaults,
// and what needs the API server.
typedef void settings_tell(const char *key);
void settings_fixed(const struct settings *begun, const struct settings *now,
		    settings_tell *tell);

// What is known of a namespace; *ret is NULL when nothing is looked at. False: it must be asked
// for first.
bool settings_namespace(const struct settings *s, const char *name, const json_t **ret);
