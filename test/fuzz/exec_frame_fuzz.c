// SPDX-License-Identifier: Apache-2.0
// links: agent
// What a sidecar says to a wrapped command. A frame lies within the input, its pairs are strings
// within it, and what was read is written again as it was.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "agent/exec_frame.h"
#include "lib/base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_pairs(const struct exec_frame *f)
{
	const char *end = f->bytes + f->len;
	size_t sum = 0;
	for (const char *p = NULL; (p = exec_frame_pair(f, p));) {
		if (p < f->bytes || p >= end)
			abort();
		sum += strlen(p) + 1;
	}
	if (sum != f->len)
		abort();
}

static void check_written(const struct exec_frame *f)
{
	AUTO_BUF struct buf b = BUF_INIT(FRAME_ENV_MAX + FRAME_LINE_MAX);
	struct exec_frame again;
	exec_frame_write(&b, f);
	if (buf_failed(&b) || !exec_frame_read(b.data, b.len, &again, NULL) ||
	    again.kind != f->kind || again.taken != b.len || again.stay != f->stay ||
	    again.signo != f->signo || again.stop_ms != f->stop_ms)
		abort();
	if (f->kind == FRAME_ENV &&
	    (again.len != f->len || memcmp(again.bytes, f->bytes, f->len) != 0))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO_FREE char *text = mem_dup(data, size);
	size_t at = 0;
	for (;;) {
		struct exec_frame f;
		struct err e = ERR_INIT;
		bool ok = exec_frame_read(text + at, size - at, &f, &e);
		if (ok == (e.kind != ERR_NONE))
			abort();
		if (!ok || f.kind == FRAME_PART)
			return 0;
		if (f.taken == 0 || f.taken > size - at)
			abort();
		if (f.kind == FRAME_ENV)
			check_pairs(&f);
		check_written(&f);
		at += f.taken;
	}
}
