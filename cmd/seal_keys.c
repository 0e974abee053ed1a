// SPDX-License-Identifier: Apache-2.0
// Keys on the command line: keygen, private keys, recipients, writers.
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/seal_int.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

enum { KEY_TEXT_MAX = 1024, RECIPIENTS_TEXT_MAX = 64 * 1024 };

bool seal_keygen(const struct seal_args *a, struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(KEY_TEXT_MAX),
			    public = BUF_INIT(KEY_TEXT_MAX);
	char now[SEALED_TIME_LEN + 1];
	seal_now(now);
	struct age_recipient r;
	struct sealed_writer w;
	if (a->writer_key ? !sealed_signer_make(now, &text, &w, e)
			  : !age_keygen(now, &text, &r, e))
		return false;
	bool written = a->writer_key ? sealed_writer_write(&w, &public)
				     : age_recipient_write(&r, &public);
	if (!written)
		return err_set(e, ERR_BUG, 0, "no room for the public key");
	if (!a->out)
		return file_write_all(STDOUT_FILENO, text.data, text.len, e);
	struct file_attr attr = { 0600, (uid_t)-1, (gid_t)-1 };
	if (access(a->out, F_OK) == 0)
		return err_set(
			e, ERR_CONFIG, 0,
			"'%s' exists: a key is not overwritten, as what it seals would "
			"be lost",
			a->out);
	if (!file_create_at(AT_FDCWD, a->out, text.data, text.len, attr, e))
		return false;
	printf("%s\n", public.data);
	return true;
}

bool seal_ring(const struct seal_args *a, struct age_keyring **ret, struct err *e)
{
	AUTO_AGE_KEYRING struct age_keyring *ring = age_keyring_new();
	if (a->identities.n == 0)
		return err_set(e, ERR_CONFIG, 0,
			       "a private key is needed: -i FILE, or its file's name in "
			       "$AMPOULE_IDENTITY");
	for (size_t i = 0; i < a->identities.n; i++)
		if (!age_keyring_load(ring, a->identities.items[i], e))
			return false;
	*ret = TAKE(ring);
	return true;
}

static bool add_recipient(struct sealed_file *to, struct str key, struct str name,
			  struct err *e)
{
	struct age_recipient r;
	AUTO_BUF struct buf escaped = BUF_INIT(2 * SEALED_AUTHOR_MAX);
	AUTO_FREE char *text = mem_strndup(name.len ? name.p : "", name.len);
	sealed_author_escape(text, &escaped);
	return age_recipient_read(key, &r, e) &&
	       sealed_file_add_recipient(to, &r, escaped.len ? buf_str(&escaped) : NULL,
					 e);
}

// "age1… name" a line, as Git and age know such files; '#' comments.
static bool read_recipients_file(const char *path, struct sealed_file *to, struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(RECIPIENTS_TEXT_MAX);
	if (!file_read(path, &text, e))
		return false;
	struct str rest = { buf_str(&text), text.len }, line;
	for (unsigned number = 1; str_next(&rest, '\n', &line); number++) {
		line = str_trim(line);
		if (line.len == 0 || line.p[0] == '#')
			continue;
		struct str key;
		str_next(&line, ' ', &key);
		if (!add_recipient(to, key, str_trim(line), e))
			return err_wrap(e, "%s line %u", path, number);
	}
	return true;
}

static bool same_recipients(const struct sealed_file *a, const struct sealed_file *b)
{
	bool same = a->n_recipients == b->n_recipients;
	for (size_t i = 0; same && i < a->n_recipients; i++)
		same = memcmp(&a->recipients[i].key, &b->recipients[i].key,
			      sizeof(a->recipients[i].key)) == 0;
	return same;
}

// A recipient that cannot be read would silently be left out.
static bool check_recipient_lines(const struct sealed_file *f, struct err *e)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->lines[i].damage && str_starts(f->lines[i].text, "recipient"))
			return sealed_line_check(f, &f->lines[i], e);
	return true;
}

bool seal_recipients(const struct seal_args *a, struct sealed_file *to, struct err *e)
{
	AUTO_SEALED_FILE struct sealed_file asked;
	sealed_file_init(&asked, a->file);
	for (size_t i = 0; i < a->recipients.n; i++)
		if (!add_recipient(&asked, str_of(a->recipients.items[i]), str_of(""), e))
			return err_wrap(e, "--recipient '%s'", a->recipients.items[i]);
	for (size_t i = 0; i < a->recipient_files.n; i++)
		if (!read_recipients_file(a->recipient_files.items[i], &asked, e))
			return err_wrap(e, "--recipients-file");
	if (!check_recipient_lines(to, e))
		return false;
	if (asked.n_recipients > 0 && to->n_recipients > 0 &&
	    !same_recipients(&asked, to))
		return err_set(
			e, ERR_CONFIG, 0,
			"%s is sealed for other recipients than the ones given: 'ampoule "
			"seal rekey' changes the set",
			a->file);
	for (size_t i = 0; to->n_recipients < asked.n_recipients; i++)
		if (!sealed_file_add_recipient(to, &asked.recipients[i].key,
					       asked.recipients[i].name, e))
			return false;
	return to->n_recipients > 0 ||
	       err_set(e, ERR_CONFIG, 0,
		       "%s has no recipient yet: name the public keys that shall open it "
		       "with "
		       "--recipient age1… ('ampoule seal keygen' prints one)",
		       a->file);
}

bool seal_writers(const struct seal_args *a, struct sealed_writers *ret, struct err *e)
{
	*ret = (struct sealed_writers){ 0 };
	for (size_t i = 0; i < a->writers.n; i++)
		if (!sealed_writers_add(ret, str_of(a->writers.items[i]), e))
			return err_wrap(e, "--writer");
	return true;
}

struct age_to seal_to(const struct sealed_file *f, struct age_recipient *ret)
{
	for (size_t i = 0; i < f->n_recipients; i++)
		ret[i] = f->recipients[i].key;
	return (struct age_to){ ret, f->n_recipients };
}
