// SPDX-License-Identifier: Apache-2.0
// Generations, their making, and the Secret that holds them.
#include "webhook/cert_set.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/codec.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"

#define CA_NAME "ampoule-webhook CA"

enum { PEM_MAX = 256 * 1024, NAME_MAX_ = 64 };

// --- generations

void cert_gen_release(struct cert_gen *g)
{
	x509_free(g->leaf);
	x509_free(g->ca);
	mem_free(g->key);
	*g = (struct cert_gen){ .leaf = NULL };
}

static struct x509 *copy(const struct x509 *c)
{
	struct x509 *ret = NULL;
	// What was read once is read again.
	if (c && !x509_from_der(bytes_of(c->der.data, c->der.len), &ret, NULL))
		ret = NULL;
	return ret;
}

struct cert_gen cert_gen_copy(const struct cert_gen *g)
{
	return (struct cert_gen){ .leaf = copy(g->leaf),
				  .ca = copy(g->ca),
				  .key = mem_strdup(g->key) };
}

static bool same(const struct x509 *a, const struct x509 *b)
{
	return a && b && buf_equal(&a->der, &b->der);
}

bool cert_gen_is(const struct cert_gen *a, const struct cert_gen *b)
{
	return same(a->leaf, b->leaf);
}

bool cert_gen_usable(const struct cert_gen *g, int64_t now_s)
{
	return g->leaf && g->leaf->not_before <= now_s && now_s < g->leaf->not_after;
}

int64_t cert_gen_made_s(const struct cert_gen *g)
{
	return g->leaf->not_before + CERT_SKEW_S;
}

bool cert_gen_make(const struct cert_want *want, int64_t now_s, struct cert_gen *ret,
		   struct err *e)
{
	AUTO_PKEY struct pkey *ca_key = NULL;
	AUTO_PKEY struct pkey *key = NULL;
	AUTO_BUF struct buf pem = BUF_INIT(PEM_MAX);
	char name[NAME_MAX_];
	snprintf(name, sizeof(name), CA_NAME " %lld", (long long)now_s);
	struct x509_spec spec = { .common_name = name,
				  .not_before = now_s - CERT_SKEW_S,
				  .not_after = now_s + want->lifetime_s };
	*ret = (struct cert_gen){ .leaf = NULL };
	if (!pkey_generate_p256(&ca_key, e) || !pkey_generate_p256(&key, e) ||
	    !x509_make_ca(&spec, ca_key, &ret->ca, e))
		return err_wrap(e, "certificate");
	spec.common_name = "ampoule-webhook";
	spec.names = want->names;
	spec.n_names = want->n_names;
	struct x509_issuer issuer = { .cert = ret->ca, .key = ca_key };
	if (!x509_make_leaf(&spec, key, &issuer, &ret->leaf, e) ||
	    !pkey_to_pem(key, &pem, e)) {
		cert_gen_release(ret);
		return err_wrap(e, "certificate");
	}
	ret->key = mem_strdup(buf_str(&pem));
	return true;
}

// --- CAs

void cert_cas_release(struct cert_cas *c)
{
	while (c->n > 0)
		x509_free(c->list[--c->n]);
}

bool cert_cas_has(const struct cert_cas *c, const struct x509 *ca)
{
	for (size_t i = 0; i < c->n; i++)
		if (same(c->list[i], ca))
			return true;
	return false;
}

bool cert_cas_equal(const struct cert_cas *a, const struct cert_cas *b)
{
	for (size_t i = 0; i < a->n; i++)
		if (!cert_cas_has(b, a->list[i]))
			return false;
	return a->n == b->n;
}

// Newest first; of one second the greater fingerprint, so that every replica drops the same.
static bool before(const struct x509 *a, const struct x509 *b)
{
	return a->not_before != b->not_before
		       ? a->not_before > b->not_before
		       : memcmp(a->sha256, b->sha256, sizeof(a->sha256)) > 0;
}

void cert_cas_add(struct cert_cas *c, const struct x509 *ca)
{
	size_t at = 0;
	if (!ca || cert_cas_has(c, ca))
		return;
	while (at < c->n && before(c->list[at], ca))
		at++;
	if (at == CERT_CAS_MAX)
		return;
	if (c->n == CERT_CAS_MAX)
		x509_free(c->list[--c->n]);
	memmove(&c->list[at + 1], &c->list[at], (c->n - at) * sizeof(c->list[0]));
	c->list[at] = copy(ca);
	c->n++;
}

bool cert_is_own_ca(const struct x509 *c)
{
	return c->is_ca && str_starts(c->subject, "CN=" CA_NAME);
}

void cert_cas_read(struct bytes pem, struct cert_cas *to, bool *ret_others,
		   struct buf *foreign)
{
	AUTO_X509_CHAIN struct x509_chain chain = { 0 };
	*ret_others = !x509_chain_from_pem(pem, &chain, NULL) && pem.len > 0;
	for (size_t i = 0; i < chain.n; i++) {
		const struct x509 *one = chain.certs[i];
		if (cert_is_own_ca(one)) {
			cert_cas_add(to, one);
			continue;
		}
		*ret_others = true;
		if (foreign && one->is_ca)
			(void)!x509_to_pem(one, foreign, NULL);
	}
}

void cert_cas_write(const struct cert_cas *c, struct buf *to)
{
	for (size_t i = 0; i < c->n; i++)
		if (!x509_to_pem(c->list[i], to, NULL))
			return;
}

void cert_cas_drop_ended(struct cert_cas *c, int64_t now_s)
{
	size_t kept = 0;
	for (size_t i = 0; i < c->n; i++)
		if (c->list[i]->not_after + CERT_SKEW_S > now_s)
			c->list[kept++] = c->list[i];
		else
			x509_free(c->list[i]);
	c->n = kept;
}

// --- the Secret

void cert_set_release(struct cert_set *s)
{
	cert_gen_release(&s->newest);
	cert_gen_release(&s->former);
	cert_cas_release(&s->cas);
}

static bool get(const json_t *data, const char *key, struct buf *to, struct err *e)
{
	const json_t *value = json_object_get(data, key);
	if (!json_is_string(value))
		return err_set(e, ERR_MISSING, 0, "the key %s is missing", key);
	return codec_b64_decode(json_string_value(value), json_string_length(value),
				B64_STD, to, e) ||
	       err_wrap(e, "%s", key);
}

static void put(json_t *data, const char *key, const struct buf *value)
{
	AUTO_BUF struct buf text = BUF_INIT(2 * PEM_MAX);
	codec_b64_encode(value->data, value->len, B64_STD, &text);
	json_object_set_new(data, key, json_string(buf_str(&text)));
}

static bool sound(const struct cert_gen *g, struct err *e)
{
	AUTO_PKEY struct pkey *key = NULL;
	return pkey_from_pem(bytes_of_str(g->key), &key, e) &&
	       x509_matches_key(g->leaf, key, e) && x509_issued_by(g->leaf, g->ca, e);
}

static bool read_gen(const json_t *data, const char *const keys[2],
		     const struct cert_cas *cas, struct cert_gen *ret, struct err *e)
{
	AUTO_BUF struct buf cert = BUF_INIT(PEM_MAX);
	AUTO_BUF struct buf key = BUF_INIT(PEM_MAX);
	if (!get(data, keys[0], &cert, e) || !get(data, keys[1], &key, e) ||
	    !x509_from_pem(bytes_of(cert.data, cert.len), &ret->leaf, e))
		return err_wrap(e, "%s", keys[0]);
	ret->key = mem_strdup(buf_str(&key));
	for (size_t i = 0; i < cas->n && !ret->ca; i++)
		if (x509_issued_by(ret->leaf, cas->list[i], NULL))
			ret->ca = copy(cas->list[i]);
	if (!ret->ca)
		err_set(e, ERR_CONFIG, 0, "no CA in ca.crt has signed it");
	if (ret->ca && sound(ret, e))
		return true;
	cert_gen_release(ret);
	return err_wrap(e, "%s", keys[0]);
}

static const char *const newest_keys[] = { "tls.crt", "tls.key" };
static const char *const former_keys[] = { "former.crt", "former.key" };

bool cert_set_read(const json_t *secret, struct cert_set *ret, struct err *e)
{
	const json_t *data = json_object_get(secret, "data");
	AUTO_BUF struct buf cas = BUF_INIT(PEM_MAX);
	bool others;
	*ret = (struct cert_set){ .cas = { .n = 0 } };
	if (get(data, "ca.crt", &cas, NULL))
		cert_cas_read(bytes_of(cas.data, cas.len), &ret->cas, &others, NULL);
	(void)!read_gen(data, former_keys, &ret->cas, &ret->former, NULL);
	return read_gen(data, newest_keys, &ret->cas, &ret->newest, e);
}

static void put_gen(json_t *data, const char *const keys[2], const struct cert_gen *g)
{
	AUTO_BUF struct buf cert = BUF_INIT(PEM_MAX);
	AUTO_BUF struct buf key = BUF_INIT(PEM_MAX);
	if (!g->leaf || !x509_to_pem(g->leaf, &cert, NULL))
		return;
	buf_puts(&key, g->key);
	put(data, keys[0], &cert);
	put(data, keys[1], &key);
}

json_t *cert_set_write(const struct cert_set *s, const json_t *secret)
{
	json_t *ret = json_copy((json_t *)(uintptr_t)secret), *data = json_object();
	AUTO_BUF struct buf cas = BUF_INIT(PEM_MAX);
	cert_cas_write(&s->cas, &cas);
	put(data, "ca.crt", &cas);
	put_gen(data, newest_keys, &s->newest);
	put_gen(data, former_keys, &s->former);
	json_object_set_new(ret, "data", data);
	return ret;
}

bool cert_set_renew(const struct cert_set *old, const struct cert_gen *served,
		    const struct cert_want *want, int64_t now_s, struct cert_set *ret,
		    struct err *e)
{
	const struct cert_gen *former = old->newest.leaf ? &old->newest : served;
	*ret = (struct cert_set){ .cas = { .n = 0 } };
	if (!cert_gen_make(want, now_s, &ret->newest, e))
		return false;
	if (former->ca && cert_gen_usable(former, now_s))
		ret->former = cert_gen_copy(former);
	for (size_t i = 0; i < old->cas.n; i++)
		cert_cas_add(&ret->cas, old->cas.list[i]);
	cert_cas_add(&ret->cas, served->ca);
	cert_cas_drop_ended(&ret->cas, now_s);
	cert_cas_add(&ret->cas, ret->newest.ca);
	return true;
}

bool cert_set_names_ok(const struct cert_set *s, const struct cert_want *want)
{
	for (size_t i = 0; i < want->n_names; i++)
		if (!x509_names_host(s->newest.leaf, want->names[i]))
			return false;
	return true;
}
