// SPDX-License-Identifier: Apache-2.0
// From rendered contents to visible files: all that changed for one container in one swap,
// ordinary files one by one. A failure concerns its own container or file, leaves the old
// version whole, and is tried again.
#pragma once

#include "agent/observe.h"
#include "agent/output.h"

struct publish_env {
	struct observer *observer;
	struct volume *const *volumes; // NULL-ended
	struct output *const *outputs;
	size_t n_outputs;
};

// Publishes what is changed or removing. Outputs that became visible have notify_due set and
// their state moved. False when something has to be tried again (the outputs' errors and
// *e, the first of them, say what).
MUST_CHECK bool publish_all(const struct publish_env *env, struct err *e);

// Puts the content before the last one in its place again (stores with versions only).
void publish_roll_back(struct output *o);
