// SPDX-License-Identifier: Apache-2.0
// What a sidecar tells a wrapped command over its socket: lines, and behind one of them the
// variables. The wrapper says "env 1\n" first, and nothing else.
//
//	wait REASON\n                      not everything is there yet
//	no REASON\n                        refused; the socket is closed
//	env MODE SIGNAL MS LENGTH\n BYTES  the variables, "K=V" each with its NUL; MODE:
//	                                   become (execute in place) or stay (start, and restart
//	                                   by SIGNAL, after MS by SIGKILL, when another comes)
//	signal N\n                         to a command whose wrapper stays
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/buf.h"
#include "lib/base/err.h"

enum exec_frame_kind {
	FRAME_PART, // more bytes are wanted
	FRAME_WAIT,
	FRAME_NO,
	FRAME_ENV,
	FRAME_SIGNAL
};

struct exec_frame {
	enum exec_frame_kind kind;
	const char *bytes; // the reason, or the variables; borrowed
	size_t len;
	bool stay;
	int signo;
	int64_t stop_ms;
	size_t taken; // bytes of the input
};

// Lines have at most 1 KiB, variables at most 8 MiB, which is more than the kernel takes.
enum { FRAME_LINE_MAX = 1024, FRAME_ENV_MAX = 8 << 20 };

// The first frame of the input; ERR_BUG when it is none.
MUST_CHECK bool exec_frame_read(const char *data, size_t len, struct exec_frame *ret,
				struct err *e);
// Appends one. A reason is cut, and its line ends become blanks.
void exec_frame_write(struct buf *to, const struct exec_frame *f);
// The next "K=V" of FRAME_ENV behind `after` (NULL: the first); NULL at the end.
const char *exec_frame_pair(const struct exec_frame *f, const char *after);
