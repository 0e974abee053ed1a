// SPDX-License-Identifier: Apache-2.0
// The folder of the state: its key, and its one file, which is replaced atomically.
#pragma once

#include "agent/state_seal.h"
#include "lib/conf/conf.h"

struct state_file;

// Makes the folder (0700) and the key when there is none. A key that others may read, or a
// folder that others may write, is refused.
MUST_CHECK bool state_file_open(const struct conf_state *conf, struct state_file **ret,
				struct err *e);
void state_file_free(struct state_file *f);
// The kernel's name of this boot, "" when it tells none or f is NULL.
const char *state_file_boot(const struct state_file *f);

// Appends the opened document. ERR_MISSING: there is no file.
MUST_CHECK bool state_file_read(const struct state_file *f, struct buf *to,
				struct err *e);
MUST_CHECK bool state_file_write(const struct state_file *f, const struct buf *plain,
				 struct err *e);
void state_file_remove(const struct state_file *f);
