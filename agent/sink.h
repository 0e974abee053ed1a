// SPDX-License-Identifier: Apache-2.0
// Token sinks: the login's token in files, plain, wrapped (`wrap_ttl`) or encrypted to a
// reader's key (`dh_type`, envelope.h); mode and owner set before the file can be seen.
//
// Each sink is written by itself: one whose folder is missing, or whose reader's key is not
// there yet, is tried again (2 s, doubling up to a minute) and holds up no other.
#pragma once

#include "agent/source.h"
#include "agent/volume.h"

struct sinks;

struct sinks_setup {
	struct loop *loop;
	const struct conf *conf;
	struct volume *const *volumes; // NULL-ended; a sink below one joins its next swap
	void (*changed)(void *ctx);    // one was written or staged, or has failed
	void *ctx;
};

struct sinks *sinks_new(const struct sinks_setup *setup);
void sinks_free(struct sinks *s);

// A login has given a token: when it is the one that sinks are for (of the first store that
// logs in), each gets it.
void sinks_write(struct sinks *s, struct source *from);
// Whether every sink holds the newest token.
bool sinks_done(const struct sinks *s);
// Why one does not, or NULL.
const struct err *sinks_error(const struct sinks *s);
