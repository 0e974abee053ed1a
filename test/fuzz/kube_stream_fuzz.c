// SPDX-License-Identifier: Apache-2.0
// links: lib/kube
// The bytes of a watch, whole and in pieces: the same events either way, and never more than
// its memory allows.
#include <assert.h>
#include <stdint.h>

#include "lib/base/mem.h"
#include "lib/kube/stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// A number for the events, and whether it ended well.
static uint64_t run(const uint8_t *data, size_t size, size_t piece, bool *ret_ok)
{
	struct kube_stream s;
	struct kube_event event = { .object = NULL };
	uint64_t sum = 0;
	bool ok = true;
	kube_stream_init(&s);
	for (size_t at = 0; ok && at < size; at += piece) {
		size_t len = size - at < piece ? size - at : piece;
		ok = kube_stream_add(&s, data + at, len, NULL);
		while (ok && (ok = kube_stream_next(&s, &event, NULL)) && event.object)
			sum = sum * 31 + (uint64_t)event.type + 7 * (uint64_t)event.code +
			      json_object_size(event.object);
	}
	assert(s.taken <= s.scanned && s.scanned <= s.pending.len);
	kube_stream_release(&s);
	*ret_ok = ok;
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool whole_ok, pieces_ok;
	mem_init(false);
	uint64_t whole = run(data, size, size ? size : 1, &whole_ok),
		 pieces = run(data, size, 7, &pieces_ok);
	assert(whole_ok == pieces_ok && whole == pieces);
	return 0;
}
