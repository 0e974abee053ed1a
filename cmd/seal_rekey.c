// SPDX-License-Identifier: Apache-2.0
// The words that go over every line: rekey and sign.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/seal_int.h"
#include "lib/base/mem.h"

struct rekey {
	const struct seal_args *args;
	struct age_keyring *ring;
	struct sealed_signer *signer; // NULL: the new lines are not signed
	struct sealed_writers writers;
	size_t n, unsigned_now, n_recipients;
};

// Nobody's signature may be lost silently, nor a line be signed that was not trusted.
static bool check_signature(const struct rekey *r, const struct sealed_line *l,
			    struct err *e)
{
	struct sealed_writer w;
	if (r->writers.n > 0)
		return sealed_verify(l, &r->writers, &w, e);
	return l->signature.len == 0 || sealed_verify(l, NULL, &w, e);
}

static bool rekey_line(struct rekey *r, const struct sealed_file *f, struct age_to to,
		       struct sealed_line *l, struct err *e)
{
	AUTO_BUF struct buf value = BUF_INIT(SEALED_VALUE_MAX);
	struct sealed_reader reader = { .file = f, .ring = r->ring };
	struct sealed_line fresh;
	if (!check_signature(r, l, e) || !sealed_read_line(&reader, l, &value, e) ||
	    !sealed_seal(&l->entry, to, bytes_of(buf_str(&value), value.len), &fresh, e))
		return false;
	r->unsigned_now += l->signature.len > 0 && !r->signer;
	sealed_line_release(l);
	*l = fresh;
	r->n++;
	return !r->signer || sealed_sign(r->signer, l, e);
}

// The new set, with the names that its keys had.
static bool change_recipients(const struct seal_args *a, struct sealed_file *f,
			      struct err *e)
{
	AUTO_SEALED_FILE struct sealed_file old = { 0 };
	if (a->recipients.n + a->recipient_files.n > 0) {
		memcpy(old.recipients, f->recipients, sizeof(old.recipients));
		old.n_recipients = f->n_recipients;
		f->n_recipients = 0;
	}
	if (!seal_recipients(a, f, e))
		return false;
	for (size_t i = 0; i < f->n_recipients; i++)
		for (size_t k = 0; k < old.n_recipients; k++)
			if (!f->recipients[i].name &&
			    memcmp(&f->recipients[i].key, &old.recipients[k].key,
				   sizeof(struct age_recipient)) == 0)
				f->recipients[i].name =
					mem_strdup(old.recipients[k].name);
	return true;
}

static bool rekey_change(void *ctx, struct sealed_file *f, struct err *e)
{
	struct rekey *r = ctx;
	AUTO_FREE struct age_recipient *keys = mem_calloc(AGE_KEYS_MAX, sizeof(*keys));
	r->n = r->unsigned_now = 0;
	if (!change_recipients(r->args, f, e))
		return false;
	struct age_to to = seal_to(f, keys);
	r->n_recipients = to.n;
	for (size_t i = 0; i < f->n; i++)
		if (!sealed_line_check(f, &f->lines[i], e) ||
		    !rekey_line(r, f, to, &f->lines[i], e))
			return err_wrap(e, "nothing was changed");
	return true;
}

bool seal_rekey(const struct seal_args *a, struct err *e)
{
	AUTO_AGE_KEYRING struct age_keyring *ring = NULL;
	AUTO_SEALED_SIGNER struct sealed_signer *signer = NULL;
	if (!seal_ring(a, &ring, e) ||
	    (a->sign_key && !sealed_signer_load(a->sign_key, &signer, e)))
		return false;
	struct rekey r = { .args = a, .ring = ring, .signer = signer };
	struct sealed_update u = { a->file, false, rekey_change, &r };
	size_t size;
	if (!seal_writers(a, &r.writers, e) || !sealed_update(&u, &size, e))
		return false;
	fprintf(stderr, "%s: %zu versions sealed anew for %zu recipient%s\n", a->file,
		r.n, r.n_recipients, r.n_recipients == 1 ? "" : "s");
	if (r.unsigned_now > 0)
		seal_note("%zu versions were signed and are not any more: 'ampoule seal "
			  "sign'",
			  r.unsigned_now);
	seal_note("whoever had an old key can still open the old file (Git keeps it): to "
		  "take a "
		  "reader away, change the secrets themselves too");
	return true;
}

// --- sign

struct sign {
	const struct seal_args *args;
	struct sealed_signer *signer;
	struct age_keyring *ring; // NULL: not opened before
	size_t n;
};

static bool is_wanted(const struct seal_args *a, const struct sealed_line *l)
{
	for (size_t i = 0; i < a->operands.n; i++)
		if (strcmp(a->operands.items[i], l->entry.path) == 0)
			return true;
	return a->operands.n == 0;
}

static bool sign_change(void *ctx, struct sealed_file *f, struct err *e)
{
	struct sign *s = ctx;
	struct sealed_reader reader = { .file = f, .ring = s->ring };
	s->n = 0;
	for (size_t i = 0; i < f->n; i++) {
		struct sealed_line *l = &f->lines[i];
		AUTO_BUF struct buf value = BUF_INIT(SEALED_VALUE_MAX);
		if (l->damage || l->signature.len > 0 || !is_wanted(s->args, l))
			continue;
		if (s->ring && !sealed_read_line(&reader, l, &value, e))
			return err_wrap(e, "'%s'; nothing was signed", l->entry.path);
		if (!sealed_sign(s->signer, l, e))
			return false;
		fprintf(stderr, "signed: '%s' version %" PRIu64 " (%s, %s)\n",
			l->entry.path, l->entry.version, l->entry.author, l->entry.time);
		s->n++;
	}
	return true;
}

bool seal_sign(const struct seal_args *a, struct err *e)
{
	AUTO_AGE_KEYRING struct age_keyring *ring = NULL;
	AUTO_SEALED_SIGNER struct sealed_signer *signer = NULL;
	if (!a->sign_key)
		return err_set(e, ERR_CONFIG, 0,
			       "--sign FILE names the writer's key ('ampoule seal keygen "
			       "--signing' makes one)");
	if (!sealed_signer_load(a->sign_key, &signer, e) ||
	    (a->identities.n > 0 && !seal_ring(a, &ring, e)))
		return false;
	struct sign s = { .args = a, .signer = signer, .ring = ring };
	struct sealed_update u = { a->file, false, sign_change, &s };
	size_t size;
	if (!sealed_update(&u, &size, e))
		return false;
	fprintf(stderr, "%s: %zu versions signed\n", a->file, s.n);
	return true;
}
