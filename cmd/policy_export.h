// SPDX-License-Identifier: Apache-2.0
// Policies as objects of other engines, which hold while the webhook is down. A form is a row of
// the table in policy_export.c: it makes objects, and says of each rule whether it can express
// it. What it cannot express is remarked on, never left out in silence.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "webhook/policy_int.h"

// Of namespaces in which every pod is looked at; so have the webhook's registrations it.
#define ENFORCE_LABEL "ampoule.dev/enforce"

struct export_ask {
	const struct policies *policies;
	const struct settings *settings; // of the webhook, if told; or NULL
	int64_t now_ms;                  // exemptions that have ended are left out
};

enum export_can { EXPORT_NO, EXPORT_PART, EXPORT_WHOLE };

// Of one rule ("forbid.env_secrets", "allow.paths"), or of "match", "exempt", "purpose",
// "update". A rule that has no row cannot be expressed.
struct export_fact {
	const char *rule;
	enum export_can can;
	const char *why; // what is lacking, where it is not whole
};

struct export_form {
	const char *name;  // of --form
	const char *title; // of the table's column
	const char *help;
	// An array of objects, in the order in which they can be applied; the caller's.
	json_t *(*make)(const struct export_ask *ask);
	const struct export_fact *facts;
	size_t n_facts;
};

extern const struct export_form export_vap, export_kyverno, export_gatekeeper;

// ampoule policy export …
int policy_export(int argc, char **argv);
