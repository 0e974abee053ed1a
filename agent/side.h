// SPDX-License-Identifier: Apache-2.0
// Files that a template writes beside its own (writeToFile): each is an output of its own,
// without a template, which the run of its parent fills. So it is published in the same
// swap, compared, watched and removed as any other file.
#pragma once

#include "agent/output.h"

struct sides {
	const struct conf *conf;
	struct volume *const *volumes; // NULL-ended
	struct output ***outputs;      // the agent's, which grow
	size_t *n_outputs;
};

// Takes one write of a complete run. The path lies under a container's mount, in a folder of
// policy { write_dirs }, or, where there is no `deliver` and no write_dirs, below a folder
// that a template's destination lies in; else it is refused. Errors hold no path: it may be
// made of a secret.
MUST_CHECK bool side_write(const struct sides *s, struct output *parent,
			   const struct tmpl_file *file, struct err *e);
// Before and after a run of the parent: what it wrote becomes the sides' content.
void side_begin(const struct sides *s, struct output *parent);
void side_end(const struct sides *s, struct output *parent,
	      void (*take)(struct output *o, struct buf *fresh));
// The parent's secret is gone, and its file is removed.
void side_remove(const struct sides *s, const struct output *parent);
