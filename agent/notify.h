// SPDX-License-Identifier: Apache-2.0
// Tells the application that its files have changed: signal, HTTP request, restart, command.
//
// Equal notifications of one pass become one. A failing one is tried again until it has
// succeeded or a newer one replaces it, and delays neither another notification nor a file.
#pragma once

#include <stdbool.h>

#include "agent/output.h"

struct notifier;

// A notification of this output has come to its end: e is NULL when it was delivered; a
// failure is told once for each try.
typedef void notifier_done_fn(void *ctx, struct output *o, const struct conf_notify *what,
			      const struct err *e);

struct notifier *notifier_new(struct loop *l, struct volume *const *volumes,
			      notifier_done_fn *done, void *ctx);
// Whether the image has what the configuration's commands want: no shell for a line that needs
// one is an error; another program may still come (it is warned of).
MUST_CHECK bool notifier_check(const struct conf *c, struct err *e);

// How signal:…@child reaches the command of exec mode; fn may be NULL.
void notifier_set_child(struct notifier *n,
			bool (*fn)(void *ctx, int signo, struct err *e), void *ctx);
// Ends commands that are running.
void notifier_free(struct notifier *n);

// Notes that this must happen for this output; starts when the present callback has ended.
void notifier_add(struct notifier *n, struct output *o, const struct conf_notify *what);
// How many have not been delivered yet.
size_t notifier_pending(const struct notifier *n);
// Whether one of this output is among them.
bool notifier_owes(const struct notifier *n, const struct output *o);
// Why the last try of a pending one failed, or NULL.
const struct err *notifier_error(const struct notifier *n);
