// SPDX-License-Identifier: Apache-2.0
// Signs and verifies sealed lines.
#include "stores/sealed_sign.h"

#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/mem.h"
#include "stores/age_bech32.h"
#include "stores/age_key.h"

static const char public_hrp[] = "ampoule-writer";
static const char private_hrp[] = "AMPOULE-WRITER-KEY-";
// In front of the line, so that a signature means this and nothing else.
static const char domain[] = "ampoule-sealed v1 signature\n";

enum {
	PAIR_LEN = ED25519_KEY_LEN + ED25519_SIG_LEN,
	MESSAGE_MAX = SEALED_CLEAR_MAX + SEALED_BODY_MAX + 256,
};

bool sealed_writer_read(struct str text, struct sealed_writer *ret, struct err *e)
{
	if (!bech32_read(text, public_hrp, ret->key, e))
		return err_wrap(e, "writer's public key");
	return true;
}

bool sealed_writer_write(const struct sealed_writer *w, struct buf *to)
{
	return bech32_write(public_hrp, w->key, to);
}

bool sealed_writers_add(struct sealed_writers *all, struct str text, struct err *e)
{
	struct sealed_writer w;
	if (!sealed_writer_read(text, &w, e))
		return false;
	for (size_t i = 0; i < all->n; i++)
		if (memcmp(all->keys[i].key, w.key, sizeof(w.key)) == 0)
			return true;
	if (all->n == SEALED_WRITERS_MAX)
		return err_set(e, ERR_LIMIT, 0, "more than %d writers",
			       SEALED_WRITERS_MAX);
	all->keys[all->n++] = w;
	return true;
}

void auto_sealed_signer_(struct sealed_signer **s)
{
	mem_free(*s);
}

static bool signer_parse(struct str text, struct sealed_signer *s, struct err *e)
{
	struct str rest = text, line;
	for (unsigned number = 1; str_next(&rest, '\n', &line); number++) {
		line = str_trim(line);
		if (line.len == 0 || line.p[0] == '#')
			continue;
		if (!bech32_read(line, private_hrp, s->secret, e))
			return err_wrap(e, "line %u", number);
		return ed25519_public(s->secret, s->writer.key, e);
	}
	return err_set(
		e, ERR_CONFIG, 0,
		"it holds no writer's key; 'ampoule seal keygen --signing' makes one");
}

bool sealed_signer_load(const char *path, struct sealed_signer **ret, struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(AGE_KEY_FILE_MAX);
	AUTO_SEALED_SIGNER struct sealed_signer *s = mem_alloc(sizeof(*s));
	if (!age_private_file(path, &text, e))
		return false;
	if (!signer_parse((struct str){ buf_str(&text), text.len }, s, e))
		return err_wrap(e, "key file '%s'", path);
	*ret = TAKE(s);
	return true;
}

bool sealed_signer_make(const char *created, struct buf *to, struct sealed_writer *ret,
			struct err *e)
{
	unsigned char secret[ED25519_KEY_LEN];
	bool ok = ed25519_generate(secret, e) && ed25519_public(secret, ret->key, e);
	if (ok) {
		buf_printf(to, "# created: %s\n# public key: ", created);
		sealed_writer_write(ret, to);
		buf_putc(to, '\n');
		bech32_write(private_hrp, secret, to);
		ok = buf_putc(to, '\n') && !buf_failed(to);
		if (!ok)
			err_set(e, ERR_LIMIT, 0, "no room for the key");
	}
	mem_wipe(secret, sizeof(secret));
	return ok;
}

// What is signed: the domain and the line up to the end of SEALED.
static void message_of(const struct sealed_line *l, struct buf *to)
{
	buf_puts(to, domain);
	buf_add(to, l->text, (size_t)(l->sealed.p - l->text) + l->sealed.len);
}

bool sealed_sign(const struct sealed_signer *s, struct sealed_line *l, struct err *e)
{
	unsigned char pair[PAIR_LEN];
	AUTO_BUF struct buf message = BUF_INIT(MESSAGE_MAX);
	AUTO_BUF struct buf letters = BUF_INIT(SEALED_SIG_LETTERS);
	message_of(l, &message);
	memcpy(pair, s->writer.key, ED25519_KEY_LEN);
	if (!ed25519_sign(s->secret, bytes_of(message.data, message.len),
			  pair + ED25519_KEY_LEN, e))
		return false;
	codec_b64_encode(pair, sizeof(pair), B64_STD, &letters);
	struct sealed_line signed_line;
	sealed_line_sign(l, buf_str(&letters), &signed_line);
	sealed_line_release(l);
	*l = signed_line;
	return true;
}

static bool is_allowed(const struct sealed_writers *allowed, const unsigned char *key)
{
	for (size_t i = 0; i < allowed->n; i++)
		if (memcmp(allowed->keys[i].key, key, ED25519_KEY_LEN) == 0)
			return true;
	return false;
}

bool sealed_verify(const struct sealed_line *l, const struct sealed_writers *allowed,
		   struct sealed_writer *ret_writer, struct err *e)
{
	if (l->signature.len == 0)
		return err_set(
			e, ERR_DENIED, 0,
			"it has no writer's signature: 'ampoule seal sign' adds one");
	AUTO_BUF struct buf pair = BUF_INIT(PAIR_LEN);
	if (!codec_b64_decode(l->signature.p, l->signature.len, B64_STD, &pair, e) ||
	    pair.len != PAIR_LEN) {
		err_clear(e);
		return err_set(e, ERR_DENIED, 0, "its signature is no Base64 of %d bytes",
			       PAIR_LEN);
	}
	const unsigned char *key = (const unsigned char *)pair.data;
	if (allowed && !is_allowed(allowed, key))
		return err_set(
			e, ERR_DENIED, 0,
			"it is signed by a writer who is not among the demanded ones");
	AUTO_BUF struct buf message = BUF_INIT(MESSAGE_MAX);
	message_of(l, &message);
	if (!ed25519_verify(key, bytes_of(message.data, message.len),
			    key + ED25519_KEY_LEN, e)) {
		err_clear(e);
		return err_set(e, ERR_DENIED, 0,
			       "its signature does not fit: the line was changed");
	}
	memcpy(ret_writer->key, key, ED25519_KEY_LEN);
	return true;
}
