// SPDX-License-Identifier: Apache-2.0
// What the annotations ask for: each one as a row of the option table, layers and prefixes
// already weighed. Nothing is interpreted here but names.
//
// Layers, later wins: the webhook's configuration, the namespace's annotations, the pod's.
// Within a layer ampoule.dev/ wins over the peers' prefixes.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/conf/annotation.h"
#include "lib/conf/pool.h"

// More annotations of ours than any pod has use for are refused by asked.n > ASKED_MAX.
enum { ASKED_MAX = 1000, ASKED_BYTES_MAX = 256 * 1024 };

enum asked_layer { LAYER_SETTINGS, LAYER_NAMESPACE, LAYER_POD, LAYER_COUNT };

struct asked_entry {
	const struct option_row *row;
	const char *n;     // what stands for <n>; NULL for a fixed name
	const char *value; // borrowed from the annotations
	const char *key;   // the whole annotation, for messages
	enum annotation_prefix prefix;
	enum asked_layer layer;
	const char
		*beside; // the pod's other annotations for the same: "KEY, KEY"; or NULL
	bool differs;    // and not all have this value
};

struct asked {
	struct pool pool;
	struct asked_entry *entries; // sorted by n, then as they stand in the table
	size_t n;
	size_t bytes; // of the pod's own
};

// The annotations of each layer, an object or NULL; they outlive *ret. Unknown names under
// our prefixes become warnings, and so do a pod's annotations that say the same differently.
void asked_read(const json_t *const layers[LAYER_COUNT], struct asked *ret,
		json_t *warnings);
void asked_release(struct asked *a);

// The entry of a name, which is the peer's where there is one ("agent-inject-containers"),
// else ours ("mode"). `n` is NULL for fixed names.
const struct asked_entry *asked_find(const struct asked *a, const char *name,
				     const char *n);
// The same by value: *ret stays as it is when the annotation is not there. Errors name the
// annotation.
const char *asked_text(const struct asked *a, const char *name, const char *usual);
MUST_CHECK bool asked_bool(const struct asked *a, const char *name, bool *ret,
			   struct err *e);
MUST_CHECK bool asked_number(const struct asked *a, const char *name, int64_t *ret,
			     struct err *e);
// A new array of trimmed words, or *ret is NULL.
MUST_CHECK bool asked_list(const struct asked *a, const char *name, json_t **ret,
			   struct err *e);
// The entry's value as the configuration wants it (annotation_value()).
MUST_CHECK bool asked_value(const struct asked_entry *entry, json_t **ret, struct err *e);
// "annotation KEY: reason; remedy". Always false.
bool asked_wrong(const struct asked_entry *entry, struct err *e, const char *fmt, ...)
	PRINTF_LIKE(3, 4);
// Warns that of annotations for the same thing only one counts; others: "KEY, KEY".
void asked_warn_beside(const struct asked_entry *counts, const char *others,
		       json_t *warnings);
// The name by which asked_find() knows a row.
const char *asked_name(const struct option_row *row);
