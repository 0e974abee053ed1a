// SPDX-License-Identifier: Apache-2.0
// RFC 6902 patches that users write into annotations, applied to the agent's container.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "lib/base/err.h"

// PATCH_COPY_MAX: of all values that are copied, together.
enum {
	PATCH_OPS_MAX = 256,
	PATCH_TEXT_MAX = 64 * 1024,
	PATCH_COPY_MAX = 64 * 1024,
	PATCH_DEPTH_MAX = 64,
};

// Applies the operations of `patch` (an array) to *doc, all or none. Errors name the
// operation by its number from 0 and its path.
MUST_CHECK bool patch_apply(const json_t *patch, json_t **doc, struct err *e);

// The text of agent-json-patch applied to a container, and the result judged: it stays a
// container of ours (image, command, configuration, mounts of secrets and tokens), and its
// security context is not loosened. Empty, "null" and "[]" change nothing.
struct plan;
MUST_CHECK bool patch_container(const struct plan *p, const char *text,
				json_t **container, struct err *e);
// Whether the API server can take the container; the fault names the member.
MUST_CHECK bool patch_fits(const json_t *container, struct err *e);
bool patch_is_empty(const char *text);
// Whether a mount at `path` hides nothing that the agent needs, beside the mounts `ours`.
bool patch_may_mount(const struct plan *p, const json_t *ours, const char *path);
// What others have written into a container of ours that stands in the pod already, as far as
// a patch might have written it too, laid under `ours`; the rest is left out with a warning.
// A new document.
json_t *patch_keep(const struct plan *p, const json_t *there, const json_t *ours);
