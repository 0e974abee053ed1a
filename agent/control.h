// SPDX-License-Identifier: Apache-2.0
// The agent's own socket: probes for an image without a shell, and the status document.
// A unix socket with mode 0600. One question a connection, a line; one answer, then the end:
//
//	status                  a JSON document
//	probe startup [wait]    "ok", or "no: REASON"; wait: held until it is ok
//	probe ready             "
//	probe live              " (an answer at all is what counts)
#pragma once

#include "agent/agent.h"
#include "lib/base/buf.h"

struct control;

// Replaces a socket that a killed agent left.
MUST_CHECK bool control_new(struct loop *l, const char *path, struct agent *a,
			    struct control **ret, struct err *e);
// Removes the socket.
void control_free(struct control *c);
// The agent's state has changed: whoever waits may be answered.
void control_poke(struct control *c);

// The client's side: asks and reads the whole answer, within timeout_ms. Waits for a socket
// that is not there yet when `patient`. Without a limit the agent's own one counts
// (start_timeout): it hangs up when it ends; only to come up it has five minutes.
struct control_question {
	const char *socket;
	const char *line;   // without newline
	int64_t timeout_ms; // 0: no limit
	bool patient;
};
MUST_CHECK bool control_ask(const struct control_question *q, struct buf *to,
			    struct err *e);
