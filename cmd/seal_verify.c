// SPDX-License-Identifier: Apache-2.0
// `ampoule seal verify`: everything that can be said about a file, for a person and for CI.
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/seal_int.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

struct report {
	const struct seal_args *args;
	const struct sealed_file *file;
	const struct age_keyring *ring; // NULL: nothing is opened
	const struct sealed_writers
		*writers; // NULL: signatures are checked, not demanded
	size_t problems, versions, entries, signed_;
};

static void problem(struct report *r, const struct err *why)
{
	fprintf(stderr, "%s\n", why->text);
	r->problems++;
}

static void check_line(struct report *r, const struct sealed_line *l)
{
	struct err e = ERR_INIT;
	struct sealed_writer w;
	struct sealed_reader reader = { .file = r->file, .ring = r->ring };
	AUTO_BUF struct buf value = BUF_INIT(SEALED_VALUE_MAX);
	if (!sealed_line_check(r->file, l, &e)) {
		problem(r, &e);
		return;
	}
	r->versions++;
	bool ok = (!r->writers && l->signature.len == 0) ||
		  sealed_verify(l, r->writers, &w, &e);
	if (!ok)
		err_wrap(&e, "%s line %u, '%s' version %" PRIu64, r->file->name,
			 l->number, l->entry.path, l->entry.version);
	r->signed_ += ok && l->signature.len > 0;
	ok = ok && (!r->ring || sealed_read_line(&reader, l, &value, &e));
	if (!ok)
		problem(r, &e);
}

// A rollback's source may be pruned by hand.
static void check_source(struct report *r, const struct sealed_line *l)
{
	struct err e = ERR_INIT;
	if (l->damage || l->entry.action != SEALED_ROLLBACK)
		return;
	const struct sealed_line *source =
		sealed_file_find(r->file, l->entry.path, l->entry.source);
	if (source && (source->damage || source->entry.action == SEALED_PUT))
		return;
	err_set(&e, ERR_CONFIG, 0,
		"%s line %u: '%s' version %" PRIu64 " returns to version %" PRIu64
		", which holds no value",
		r->file->name, l->number, l->entry.path, l->entry.version,
		l->entry.source);
	problem(r, &e);
}

static bool counts(void *ctx, const struct sealed_line *l)
{
	const struct report *r = ctx;
	struct sealed_writer w;
	return !r->writers || sealed_verify(l, r->writers, &w, NULL);
}

static void check_text(struct report *r, struct sealed_file *f, const struct buf *text)
{
	AUTO_BUF struct buf canonical = BUF_INIT(SEALED_FILE_MAX);
	struct err e = ERR_INIT;
	if (!sealed_file_write(f, &canonical, &e))
		problem(r, &e);
	else if (!buf_equal(&canonical, text))
		seal_note("%s is not in its canonical order (a merge?): the next write "
			  "sorts it",
			  f->name);
	if (text->len >= SEALED_CONFIGMAP_NEAR)
		seal_note("%s has %zu bytes; a ConfigMap may hold %d in all", f->name,
			  text->len, SEALED_CONFIGMAP_MAX);
	if (f->n_recipients == 0) {
		err_set(&e, ERR_CONFIG, 0, "%s has no recipient: nobody can write it",
			f->name);
		problem(r, &e);
	}
}

static void print(const struct report *r, uint64_t generation)
{
	if (r->args->json)
		printf("{\"entries\":%zu,\"versions\":%zu,\"signed\":%zu,\"recipients\":%"
		       "zu,"
		       "\"generation\":%" PRIu64 ",\"problems\":%zu}\n",
		       r->entries, r->versions, r->signed_, r->file->n_recipients,
		       generation, r->problems);
	else
		printf("%s: %zu entries, %zu versions (%zu signed%s), %zu recipients, "
		       "generation "
		       "%" PRIu64 ", %zu problem%s\n",
		       r->file->name, r->entries, r->versions, r->signed_,
		       r->ring && r->problems == 0 ? ", all opened" : "",
		       r->file->n_recipients, generation, r->problems,
		       r->problems == 1 ? "" : "s");
}

static void check_all(struct report *r, uint64_t *ret_generation)
{
	for (size_t i = 0; i < r->file->n; i++) {
		check_line(r, &r->file->lines[i]);
		check_source(r, &r->file->lines[i]);
		r->entries += sealed_file_is_newest(r->file, i);
	}
	*ret_generation = sealed_file_generation(r->file, counts, r);
	if (*ret_generation >= r->args->min_generation)
		return;
	struct err e = ERR_INIT;
	err_set(&e, ERR_DENIED, 0,
		"%s has generation %" PRIu64 ", below the demanded %" PRIu64,
		r->file->name, *ret_generation, r->args->min_generation);
	problem(r, &e);
}

bool seal_verify(const struct seal_args *a, struct err *e)
{
	AUTO_BUF struct buf text = BUF_INIT(SEALED_FILE_MAX);
	AUTO_SEALED_FILE struct sealed_file f = { 0 };
	AUTO_AGE_KEYRING struct age_keyring *ring = NULL;
	struct sealed_writers writers;
	if (!file_read(a->file, &text, e) ||
	    !sealed_file_parse((struct str){ buf_str(&text), text.len }, a->file, &f,
			       e) ||
	    !seal_writers(a, &writers, e) ||
	    (a->identities.n > 0 && !seal_ring(a, &ring, e)))
		return false;
	struct report r = { .args = a,
			    .file = &f,
			    .ring = ring,
			    .writers = writers.n ? &writers : NULL };
	uint64_t generation;
	check_all(&r, &generation);
	check_text(&r, &f, &text);
	print(&r, generation);
	return r.problems == 0 ||
	       err_set(e, ERR_CONFIG, 0, "%s has %zu problem%s", a->file, r.problems,
		       r.problems == 1 ? "" : "s");
}
