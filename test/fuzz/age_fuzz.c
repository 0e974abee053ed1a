// SPDX-License-Identifier: Apache-2.0
// links: stores
// age messages: any bytes as a file; any bytes as payload behind a good header; and every
// message that we seal opens again, until a byte of it is changed.
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "stores/age.h"
#include "stores/age_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char key[] =
	"AGE-SECRET-KEY-1NREKL9A9V3PDCAYRD833ESWHKDHPXRNALPT99P5V865NWKAFFFVSNLZF2H\n";

static struct age_keyring *ring;
static struct buf header = BUF_INIT(4096); // of a message to that key

static void start(void)
{
	mem_init(false);
	ring = age_keyring_new();
	if (!crypto_init(NULL) || !age_keyring_parse(ring, str_of(key), "key", NULL))
		abort();
	AUTO_BUF struct buf sealed = BUF_INIT(4096);
	AUTO_FREE struct age_header *h = mem_alloc(sizeof(*h));
	struct age_to to = { &ring->ids[0].recipient, 1 };
	if (!age_seal(to, BYTES_NONE, &sealed, NULL) ||
	    !age_header_parse(bytes_of(sealed.data, sealed.len), h, NULL))
		abort();
	buf_add(&header, sealed.data, h->len);
}

static void open_payload(struct bytes payload)
{
	AUTO_BUF struct buf file = BUF_INIT(1 << 20), plain = BUF_INIT(1 << 20);
	buf_add(&file, header.data, header.len);
	buf_add(&file, payload.p, payload.len);
	assert(!age_open(ring, bytes_of(file.data, file.len), &plain, NULL));
	assert(plain.len == 0);
}

static void round_trip(struct bytes plain)
{
	AUTO_BUF struct buf sealed = BUF_INIT(1 << 20), opened = BUF_INIT(1 << 20);
	struct age_to to = { &ring->ids[0].recipient, 1 };
	assert(age_seal(to, plain, &sealed, NULL));
	assert(age_open(ring, bytes_of(sealed.data, sealed.len), &opened, NULL));
	assert(opened.len == plain.len);
	assert(plain.len == 0 || memcmp(opened.data, plain.p, plain.len) == 0);
	size_t at = 0;
	for (size_t i = 0; i < plain.len && i < sizeof(at); i++)
		at = at << 8 | plain.p[i];
	sealed.data[at % sealed.len] ^= 1;
	buf_reset(&opened);
	assert(!age_open(ring, bytes_of(sealed.data, sealed.len), &opened, NULL));
	assert(opened.len == 0);
}

static void open_file(struct bytes file)
{
	AUTO_BUF struct buf plain = BUF_INIT(1 << 20);
	struct err e = ERR_INIT;
	if (!age_open(ring, file, &plain, &e))
		assert(e.kind != ERR_NONE && e.kind != ERR_BUG && plain.len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!ring)
		start();
	if (size > 0 && data[0] == 1)
		open_payload(bytes_of(data + 1, size - 1));
	else if (size > 0 && data[0] == 2)
		round_trip(bytes_of(data + 1, size - 1));
	else
		open_file(bytes_of(data, size));
	return 0;
}
