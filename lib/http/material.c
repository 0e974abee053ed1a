// SPDX-License-Identifier: Apache-2.0
// TLS files: read whole, handed to libcurl as blobs, and looked at before each request.
// The kubelet and cert-manager replace them while we run.
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/crypto/pkey.h"
#include "lib/crypto/x509.h"
#include "lib/http/client_int.h"

enum { CA_MAX = 2 << 20, CERT_MAX = 256 << 10, KEY_MAX = 64 << 10, DIR_FILES_MAX = 4096 };

struct http_stamp {
	char *path;
	struct stat st; // all zero: there was nothing
};

static const char *const system_files[] = {
	"/etc/ssl/certs/ca-certificates.crt", // Debian, Alpine
	"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora
	"/etc/ssl/ca-bundle.pem",             // SUSE
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/cert.pem",
};

struct http_tls *http_tls_ref(struct http_tls *t)
{
	if (t)
		t->refs++;
	return t;
}

void http_tls_unref(struct http_tls *t)
{
	if (!t || --t->refs > 0)
		return;
	for (size_t i = 0; i < t->n_stamps; i++)
		mem_free(t->stamps[i].path);
	mem_free(t->stamps);
	mem_free(t->system_ca);
	buf_release(&t->ca);
	buf_release(&t->cert);
	buf_release(&t->key);
	mem_free(t);
}

static void unref(struct http_tls **t)
{
	http_tls_unref(*t);
}

static void look_at(const char *path, struct stat *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (stat(path, ret) != 0)
		memset(ret, 0, sizeof(*ret));
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	       a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

// Taken before the file is read: a change meanwhile is seen the next time.
static void stamp(struct http_tls *t, const char *path)
{
	t->stamps = mem_realloc(t->stamps, (t->n_stamps + 1) * sizeof(struct http_stamp));
	struct http_stamp *s = &t->stamps[t->n_stamps++];
	s->path = mem_strdup(path);
	look_at(path, &s->st);
}

static bool untouched(const struct http_tls *t)
{
	struct stat now;
	for (size_t i = 0; i < t->n_stamps; i++) {
		look_at(t->stamps[i].path, &now);
		if (!same(&now, &t->stamps[i].st))
			return false;
	}
	return true;
}

static bool holds(const struct buf *pem, const char *word)
{
	return pem->len && memmem(pem->data, pem->len, word, strlen(word));
}

static bool read_pem(struct http_tls *t, const char *what, const char *path,
		     struct buf *to, struct err *e)
{
	stamp(t, path);
	if (!file_read(path, to, e)) {
		if (e && e->kind != ERR_LIMIT)
			e->kind = ERR_CONFIG;
		return err_wrap(e, "%s", what);
	}
	const char *word =
		to == &t->key ? "PRIVATE KEY-----" : "-----BEGIN CERTIFICATE-----";
	if (!holds(to, word))
		return err_set(e, ERR_CONFIG, 0, "%s: '%s' holds no PEM %s", what, path,
			       to == &t->key ? "key" : "certificate");
	if (to == &t->key && holds(to, "ENCRYPTED"))
		return err_set(e, ERR_CONFIG, 0,
			       "%s: '%s' is encrypted; store it without", what, path);
	return true;
}

// libcurl on mbedTLS would notice only when the server does.
static bool key_fits(struct http_tls *t, const struct http_client_opts *o, struct err *e)
{
	AUTO_X509 struct x509 *cert = NULL;
	AUTO_PKEY struct pkey *key = NULL;
	const char *key_file = o->client_key ? o->client_key : o->client_cert;
	if (!x509_from_pem(bytes_of(t->cert.data, t->cert.len), &cert, e))
		return err_wrap(e, "client certificate '%s'", o->client_cert);
	if (!pkey_from_pem(bytes_of(t->key.data, t->key.len), &key, e))
		return err_wrap(e, "client key '%s'", key_file);
	if (x509_matches_key(cert, key, NULL))
		return true;
	return err_set(e, ERR_CONFIG, 0,
		       "client key '%s' does not belong to the certificate '%s'",
		       key_file, o->client_cert);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int no_dot(const struct dirent *d)
{
	return d->d_name[0] != '.';
}

// Certificates of one file of a folder; what is none is passed over, as the peers do.
// Links that OpenSSL's rehash made name files a second time.
static bool add_dir_file(struct http_tls *t, const char *path, struct err *e)
{
	struct stat st;
	AUTO_BUF struct buf pem = BUF_INIT(CA_MAX);
	look_at(path, &st);
	for (size_t i = 1; i < t->n_stamps; i++)
		if (t->stamps[i].st.st_dev == st.st_dev &&
		    t->stamps[i].st.st_ino == st.st_ino)
			return true;
	if (!S_ISREG(st.st_mode) || st.st_size > CA_MAX)
		return true;
	stamp(t, path);
	struct err ignored = ERR_INIT;
	if (!file_read(path, &pem, &ignored) ||
	    !holds(&pem, "-----BEGIN CERTIFICATE-----"))
		return true;
	if (buf_add(&t->ca, pem.data, pem.len) && buf_putc(&t->ca, '\n'))
		return true;
	return err_set(e, ERR_LIMIT, 0, "CA folder: more than %d bytes of certificates",
		       CA_MAX);
}

static bool read_dir(struct http_tls *t, const char *dir, struct err *e)
{
	struct dirent **names = NULL;
	stamp(t, dir);
	int n = scandir(dir, &names, no_dot, by_name);
	if (n < 0)
		return err_set(e, ERR_CONFIG, errno, "CA folder '%s'", dir);
	bool ok = n <= DIR_FILES_MAX ||
		  err_set(e, ERR_LIMIT, 0, "CA folder '%s': more than %d files", dir,
			  DIR_FILES_MAX);
	for (int i = 0; i < n; i++) {
		AUTO_FREE char *path = mem_printf("%s/%s", dir, names[i]->d_name);
		ok = ok && add_dir_file(t, path, e);
		free(names[i]); // scandir's own
	}
	free(names);
	if (ok && t->ca.len == 0)
		return err_set(e, ERR_CONFIG, 0, "CA folder '%s' holds no certificate",
			       dir);
	return ok;
}

// The system's bundle is large: libcurl gets its name, not a copy for each connection.
static bool find_system_ca(struct http_tls *t, struct err *e)
{
	struct stat st;
	const char *named = getenv("SSL_CERT_FILE");
	const char *dir = getenv("SSL_CERT_DIR");
	if (named && *named) {
		t->system_ca = mem_strdup(named);
	} else if (dir && *dir) {
		return read_dir(t, dir, e);
	} else {
		for (size_t i = 0; i < ARRAY_LEN(system_files) && !t->system_ca; i++)
			if (stat(system_files[i], &st) == 0 && st.st_size > 0)
				t->system_ca = mem_strdup(system_files[i]);
	}
	if (!t->system_ca)
		return err_set(e, ERR_CONFIG, 0,
			       "no CA is configured, and this system brings none: set a "
			       "CA file");
	stamp(t, t->system_ca);
	if (stat(t->system_ca, &st) != 0)
		return err_set(e, ERR_CONFIG, errno, "CA file '%s'", t->system_ca);
	return true;
}

static bool load_own(const struct http_client_opts *o, struct http_tls *t, struct err *e)
{
	const char *key = o->client_key ? o->client_key : o->client_cert;
	return read_pem(t, "client certificate", o->client_cert, &t->cert, e) &&
	       read_pem(t, "client key", key, &t->key, e) && key_fits(t, o, e);
}

static bool load(const struct http_client_opts *o, struct http_tls *t, struct err *e)
{
	if (o->client_cert && !load_own(o, t, e))
		return false;
	if (o->skip_verify)
		return true;
	if (o->ca_file)
		return read_pem(t, "CA file", o->ca_file, &t->ca, e);
	return o->ca_dir ? read_dir(t, o->ca_dir, e) : find_system_ca(t, e);
}

static bool equal_material(const struct http_tls *a, const struct http_tls *b)
{
	// A bundle that is only named is as new as its stamp.
	return !a->system_ca && !b->system_ca && buf_equal(&a->ca, &b->ca) &&
	       buf_equal(&a->cert, &b->cert) && buf_equal(&a->key, &b->key);
}

bool http_tls_refresh(const struct http_client_opts *opts, struct http_tls **material,
		      bool *ret_changed, struct err *e)
{
	struct http_tls *old = *material;
	*ret_changed = false;
	if (old && untouched(old))
		return true;
	AUTO(unref) struct http_tls *t = mem_alloc(sizeof(*t));
	t->refs = 1;
	t->ca.max = CA_MAX;
	t->cert.max = CERT_MAX;
	t->key.max = KEY_MAX;
	if (!load(opts, t, e))
		return false;
	*ret_changed = old && !equal_material(old, t);
	http_tls_unref(old);
	*material = TAKE(t);
	return true;
}
