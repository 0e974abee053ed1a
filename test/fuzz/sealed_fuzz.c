// SPDX-License-Identifier: Apache-2.0
// links: stores
// The sealed file: any text parses or is refused; what parses is written in one way only; and
// a line opens only as it was sealed.
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "stores/sealed_answer.h"
#include "stores/sealed_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

// The key of FORMAT.md's vectors: the corpus holds lines for it.
static const char key[] =
	"AGE-SECRET-KEY-1NREKL9A9V3PDCAYRD833ESWHKDHPXRNALPT99P5V865NWKAFFFVSNLZF2H\n";
enum { OPENED_MAX = 2 };

static struct age_keyring *ring;

static void start(void)
{
	mem_init(false);
	ring = age_keyring_new();
	if (!crypto_init(NULL) || !age_keyring_parse(ring, str_of(key), "key", NULL))
		abort();
}

// One canonical text: writing what was read from it gives the same bytes.
static void check_text(struct sealed_file *f)
{
	AUTO_BUF struct buf once = BUF_INIT(SEALED_FILE_MAX),
			    twice = BUF_INIT(SEALED_FILE_MAX);
	AUTO_SEALED_FILE struct sealed_file again = { 0 };
	struct err e = ERR_INIT;
	if (!sealed_file_write(f, &once, &e))
		return;
	assert(sealed_file_parse((struct str){ once.data, once.len }, "again", &again,
				 &e));
	assert(sealed_file_write(&again, &twice, &e));
	assert(buf_equal(&once, &twice));
	assert(sealed_file_generation(f, NULL, NULL) ==
	       sealed_file_generation(&again, NULL, NULL));
}

static void check_line(const struct sealed_file *f, const struct sealed_line *l)
{
	struct err e = ERR_INIT;
	struct sealed_value value = SEALED_VALUE_INIT;
	struct sealed_reader r = { .file = f, .ring = ring };
	AUTO_BUF struct buf author = BUF_INIT(1000);
	struct sealed_writer w;
	const char *path = l->entry.path;
	if (!path)
		return;
	assert(sealed_file_find(f, path, 0));
	assert(sealed_file_find(f, path, l->entry.version));
	if (!l->damage) {
		sealed_author_show(l->entry.author, &author);
		bool ok = sealed_verify(l, NULL, &w, &e);
		assert(ok == (e.kind == ERR_NONE));
	}
	err_clear(&e);
	bool ok = sealed_read(&r, path, 0, &value, &e);
	assert(ok == (e.kind == ERR_NONE) && e.kind != ERR_BUG);
	if (ok)
		json_decref(sealed_answer_body(&value));
	sealed_value_release(&value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!ring)
		start();
	AUTO_SEALED_FILE struct sealed_file f = { 0 };
	struct err e = ERR_INIT;
	if (!sealed_file_parse((struct str){ (const char *)data, size }, "f", &f, &e)) {
		assert(e.kind != ERR_NONE && e.kind != ERR_BUG);
		return 0;
	}
	check_text(&f);
	unsigned opened = 0;
	for (size_t i = 0; i < f.n && opened < OPENED_MAX; i++, opened++)
		check_line(&f, &f.lines[i]);
	return 0;
}
