// SPDX-License-Identifier: Apache-2.0
// The sidecar's side of exec mode in a pod: each container with an env_socket has a socket of its
// own, which nobody else mounts; its wrapped command asks there for the variables that are
// meant for it (exec_frame.h), without a login of its own.
//
// Who asks is checked too: with deliver.uid, only that user (and root) gets an answer.
#pragma once

#include "agent/agent.h"

struct exec_serve;

// Listens. NULL is fine for the others when no container has an env_socket.
MUST_CHECK bool exec_serve_new(struct loop *l, const struct conf *c,
			       const struct agent *a, struct exec_serve **ret,
			       struct err *e);
void exec_serve_free(struct exec_serve *s);
// The agent has changed: answers who waits, tells who stays.
void exec_serve_look(struct exec_serve *s);
// signal:…@child: to every command whose wrapper stays.
MUST_CHECK bool exec_serve_signal(struct exec_serve *s, int signo, struct err *e);
