// SPDX-License-Identifier: Apache-2.0
// The server above the seam: certificates and keys are read and checked here, once for both
// TLS libraries.
#include "lib/tls/tls.h"

#include <errno.h>

#include "lib/base/mem.h"
#include "lib/crypto/pem.h"
#include "lib/crypto/pkey.h"
#include "lib/tls/seam.h"

struct tls_server {
	struct tls_context *context;
};

static void material_release(struct tls_material *m)
{
	x509_chain_release(&m->client_cas);
	x509_chain_release(&m->chain);
}

// Parses; `key` keeps the bytes to which m->key_der points.
static bool material_read(const struct tls_server_opts *o, struct tls_material *m,
			  struct pem_block *key, struct err *e)
{
	AUTO_PKEY struct pkey *k = NULL;
	if (!x509_chain_from_pem(o->cert_pem, &m->chain, e))
		return err_wrap(e, "TLS certificate");
	if (!pkey_from_pem(o->key_pem, &k, e) ||
	    !pem_find(o->key_pem, "*PRIVATE KEY", key, e))
		return err_wrap(e, "TLS key");
	m->key_der = bytes_of(key->der.data, key->der.len);
	if (!x509_matches_key(m->chain.certs[0], k, e))
		return err_wrap(e, "TLS key");
	if (o->client_ca_pem.len &&
	    !x509_chain_from_pem(o->client_ca_pem, &m->client_cas, e))
		return err_wrap(e, "TLS client CA");
	if (o->client_required && m->client_cas.n == 0)
		return err_set(e, ERR_CONFIG, 0,
			       "TLS client certificates need a client CA");
	m->client_required = o->client_required;
	return true;
}

static bool context_from_opts(const struct tls_server_opts *o, struct tls_context **ret,
			      struct err *e)
{
	AUTO(material_release) struct tls_material m = { 0 };
	AUTO_PEM struct pem_block key = PEM_BLOCK_INIT;
	return material_read(o, &m, &key, e) && tls_context_new(&m, ret, e);
}

bool tls_server_new(const struct tls_server_opts *opts, struct tls_server **ret,
		    struct err *e)
{
	AUTO_TLS_SERVER struct tls_server *s = mem_alloc(sizeof(*s));
	if (!context_from_opts(opts, &s->context, e))
		return false;
	*ret = TAKE(s);
	return true;
}

bool tls_server_reload(struct tls_server *s, const struct tls_server_opts *opts,
		       struct err *e)
{
	struct tls_context *fresh = NULL;
	if (!context_from_opts(opts, &fresh, e))
		return false;
	tls_context_unref(s->context);
	s->context = fresh;
	return true;
}

void tls_server_free(struct tls_server *s)
{
	if (!s)
		return;
	tls_context_unref(s->context);
	mem_free(s);
}

void auto_tls_server_(struct tls_server **s)
{
	tls_server_free(*s);
	*s = NULL;
}

bool tls_accept(struct tls_server *s, int fd, struct tls_conn **ret, struct err *e)
{
	return tls_conn_new(s->context, fd, ret, e);
}

void auto_tls_conn_(struct tls_conn **c)
{
	tls_conn_free(*c);
	*c = NULL;
}

bool tls_errno_is_close(int error)
{
	return error == ECONNRESET || error == EPIPE || error == ECONNABORTED ||
	       error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH;
}
