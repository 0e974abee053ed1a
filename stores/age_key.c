// SPDX-License-Identifier: Apache-2.0
// Reads and makes age's keys.
#include "stores/age_key.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "stores/age_bech32.h"

static const char recipient_hrp[] = "age";
static const char identity_hrp[] = "AGE-SECRET-KEY-";

bool age_recipient_read(struct str text, struct age_recipient *ret, struct err *e)
{
	if (text.len > 4 && memcmp(text.p, "AGE-", 4) == 0)
		return err_set(
			e, ERR_CONFIG, 0,
			"this is a private key; a recipient is the public one (age1…)");
	if (!bech32_read(text, recipient_hrp, ret->key, e))
		return err_wrap(e, "recipient");
	return true;
}

bool age_recipient_write(const struct age_recipient *r, struct buf *to)
{
	return bech32_write(recipient_hrp, r->key, to);
}

struct age_keyring *age_keyring_new(void)
{
	return mem_alloc(sizeof(struct age_keyring));
}

void age_keyring_free(struct age_keyring *k)
{
	mem_free(k);
}

void auto_age_keyring_(struct age_keyring **k)
{
	age_keyring_free(*k);
}

static bool add_identity(struct age_keyring *k, struct str text, struct err *e)
{
	if (k->n == AGE_KEYS_MAX)
		return err_set(e, ERR_LIMIT, 0, "more than %d private keys",
			       AGE_KEYS_MAX);
	struct age_identity *id = &k->ids[k->n];
	if (!bech32_read(text, identity_hrp, id->secret, e))
		return false;
	if (!x25519_public(id->secret, id->recipient.key, e))
		return false;
	k->n++;
	return true;
}

bool age_keyring_parse(struct age_keyring *k, struct str text, const char *name,
		       struct err *e)
{
	struct str rest = text, line;
	for (unsigned number = 1; str_next(&rest, '\n', &line); number++) {
		line = str_trim(line);
		if (line.len == 0 || line.p[0] == '#')
			continue;
		if (!add_identity(k, line, e))
			return err_wrap(e, "key file '%s' line %u", name, number);
	}
	return true;
}

bool age_private_file(const char *path, struct buf *to, struct err *e)
{
	AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_set(e, ERR_CONFIG, errno, "open key file '%s'", path);
	if (st.st_uid == geteuid() && (st.st_mode & 077) != 0)
		return err_set(
			e, ERR_CONFIG, 0,
			"key file '%s' has mode %04o, so others may read the private "
			"key: chmod 600 it (a Secret volume: defaultMode: 0400), and "
			"make a new key if others had access",
			path, (unsigned)st.st_mode & 07777);
	if (!file_read_fd(fd, to, e))
		return err_wrap(e, "key file '%s'", path);
	return true;
}

bool age_keyring_load(struct age_keyring *k, const char *path, struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(AGE_KEY_FILE_MAX);
	if (!age_private_file(path, &text, e))
		return false;
	size_t before = k->n;
	if (!age_keyring_parse(k, (struct str){ buf_str(&text), text.len }, path, e))
		return false;
	return k->n > before ||
	       err_set(e, ERR_CONFIG, 0,
		       "key file '%s' holds no private key (a line AGE-SECRET-KEY-1…); "
		       "'ampoule seal keygen' makes one",
		       path);
}

bool age_keygen(const char *created, struct buf *to, struct age_recipient *ret,
		struct err *e)
{
	unsigned char secret[X25519_LEN];
	bool ok = x25519_generate(secret, e) && x25519_public(secret, ret->key, e);
	if (ok) {
		buf_printf(to, "# created: %s\n# public key: ", created);
		age_recipient_write(ret, to);
		buf_putc(to, '\n');
		bech32_write(identity_hrp, secret, to);
		ok = buf_putc(to, '\n') && !buf_failed(to);
		if (!ok)
			err_set(e, ERR_LIMIT, 0, "no room for the key");
	}
	mem_wipe(secret, sizeof(secret));
	return ok;
}
