// SPDX-License-Identifier: Apache-2.0
// The webhook's only peer is the API server: no proxy stands between (lib/kube says so to
// libcurl), and no request is signed for AWS. libcurl's parts for both are not linked into
// the release's webhook; these stand for them, and refuse. Nothing of libcurl's types is used
// here.
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/mem.h"

// libc takes its memory from the one heap, too: no second allocator of 8 KB, and what libc has
// held is wiped. (The agent keeps libc's: its children would find their environment wiped.)
void *malloc(size_t n);
void *calloc(size_t n, size_t size);
void *realloc(void *p, size_t n);
void free(void *p);

void *malloc(size_t n)
{
	return mem_alloc(n);
}

void *calloc(size_t n, size_t size)
{
	return mem_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
	return mem_realloc(p, n);
}

void free(void *p)
{
	mem_free(p);
}

enum { NOT_BUILT_IN = 4 }; // CURLE_NOT_BUILT_IN

// Types of connection filters, whose addresses alone are compared.
extern const char Curl_cft_h1_proxy[], Curl_cft_http_proxy[], Curl_cft_socks_proxy[];
const char Curl_cft_h1_proxy[128], Curl_cft_http_proxy[128], Curl_cft_socks_proxy[128];

int Curl_cf_h1_proxy_insert_after(void *at, void *data);
int Curl_cf_http_proxy_insert_after(void *at, void *data);
int Curl_cf_socks_proxy_insert_after(void *at, void *data);
void Curl_cf_http_proxy_get_host(void *cf, void *data, const char **host,
				 const char **shown, int *port);
int Curl_http_proxy_get_destination(void *cf, const char **host, int *port, bool *ipv6);
int Curl_http_proxy_create_CONNECT(void **request, void *cf, void *data, int major,
				   int minor);
bool Curl_check_noproxy(const char *name, const char *list);
int Curl_output_aws_sigv4(void *data);

int Curl_cf_h1_proxy_insert_after(void *at, void *data)
{
	(void)at;
	(void)data;
	return NOT_BUILT_IN;
}

int Curl_cf_http_proxy_insert_after(void *at, void *data)
{
	(void)at;
	(void)data;
	return NOT_BUILT_IN;
}

int Curl_cf_socks_proxy_insert_after(void *at, void *data)
{
	(void)at;
	(void)data;
	return NOT_BUILT_IN;
}

void Curl_cf_http_proxy_get_host(void *cf, void *data, const char **host,
				 const char **shown, int *port)
{
	(void)cf;
	(void)data;
	*host = *shown = "";
	*port = 0;
}

int Curl_http_proxy_get_destination(void *cf, const char **host, int *port, bool *ipv6)
{
	(void)cf;
	*host = "";
	*port = 0;
	*ipv6 = false;
	return NOT_BUILT_IN;
}

int Curl_http_proxy_create_CONNECT(void **request, void *cf, void *data, int major,
				   int minor)
{
	(void)cf;
	(void)data;
	(void)major;
	(void)minor;
	*request = NULL;
	return NOT_BUILT_IN;
}

bool Curl_check_noproxy(const char *name, const char *list)
{
	(void)name;
	(void)list;
	return true;
}

int Curl_output_aws_sigv4(void *data)
{
	(void)data;
	return NOT_BUILT_IN;
}

enum { FEATURE_UNAVAILABLE = -0x7080 };

// Private keys behind a password: there is nobody to ask.
int mbedtls_pkcs5_pbes2_ext(void);
int mbedtls_pkcs5_pbes2_ext(void)
{
	return FEATURE_UNAVAILABLE;
}

int mbedtls_pkcs5_pbkdf2_hmac_ext(void);
int mbedtls_pkcs5_pbkdf2_hmac_ext(void)
{
	return FEATURE_UNAVAILABLE;
}

// SHA-1 and MD5: no certificate, cipher or annotation needs them.

#define NO_DIGEST(name)                                                                  \
	void mbedtls_##name##_init(void *c);                                             \
	void mbedtls_##name##_init(void *c)                                              \
	{                                                                                \
		(void)c;                                                                 \
	}                                                                                \
	void mbedtls_##name##_free(void *c);                                             \
	void mbedtls_##name##_free(void *c)                                              \
	{                                                                                \
		(void)c;                                                                 \
	}                                                                                \
	void mbedtls_##name##_clone(void *to, const void *from);                         \
	void mbedtls_##name##_clone(void *to, const void *from)                          \
	{                                                                                \
		(void)to;                                                                \
		(void)from;                                                              \
	}                                                                                \
	int mbedtls_##name##_starts(void *c);                                            \
	int mbedtls_##name##_starts(void *c)                                             \
	{                                                                                \
		(void)c;                                                                 \
		return FEATURE_UNAVAILABLE;                                              \
	}                                                                                \
	int mbedtls_##name##_update(void *c, const void *in, size_t len);                \
	int mbedtls_##name##_update(void *c, const void *in, size_t len)                 \
	{                                                                                \
		(void)c;                                                                 \
		(void)in;                                                                \
		(void)len;                                                               \
		return FEATURE_UNAVAILABLE;                                              \
	}                                                                                \
	int mbedtls_##name##_finish(void *c, void *out);                                 \
	int mbedtls_##name##_finish(void *c, void *out)                                  \
	{                                                                                \
		(void)c;                                                                 \
		(void)out;                                                               \
		return FEATURE_UNAVAILABLE;                                              \
	}                                                                                \
	int mbedtls_internal_##name##_process(void *c, const void *block);               \
	int mbedtls_internal_##name##_process(void *c, const void *block)                \
	{                                                                                \
		(void)c;                                                                 \
		(void)block;                                                             \
		return FEATURE_UNAVAILABLE;                                              \
	}                                                                                \
	int mbedtls_##name(const void *in, size_t len, void *out);                       \
	int mbedtls_##name(const void *in, size_t len, void *out)                        \
	{                                                                                \
		(void)in;                                                                \
		(void)len;                                                               \
		(void)out;                                                               \
		return FEATURE_UNAVAILABLE;                                              \
	}

NO_DIGEST(sha1)
NO_DIGEST(md5)

// TLS sessions are never resumed (lib/http turns that off): their cache is not needed.
int Curl_ssl_peer_key_make(void *cf, const void *peer, const char *tls, char **key);
int Curl_ssl_scache_create(size_t peers, size_t sessions, void **cache);
void Curl_ssl_scache_destroy(void *cache);
void Curl_ssl_scache_lock(void *data);
void Curl_ssl_scache_unlock(void *data);
void *Curl_ssl_scache_get_obj(void *cf, void *data, const char *key);
int Curl_ssl_scache_add_obj(void *cf, void *data, const char *key, void *o,
			    void (*end)(void *));
int Curl_ssl_session_create(void *bytes, size_t len, int tls, const char *alpn,
			    long long until, size_t early, void **session);
void Curl_ssl_session_destroy(void *session);
int Curl_ssl_scache_put(void *cf, void *data, const char *key, void *session);
int Curl_ssl_scache_take(void *cf, void *data, const char *key, void **session);
void Curl_ssl_scache_return(void *cf, void *data, const char *key, void *session);
void Curl_ssl_scache_remove_all(void *cf, void *data, const char *key);

int Curl_ssl_peer_key_make(void *cf, const void *peer, const char *tls, char **key)
{
	(void)cf;
	(void)peer;
	(void)tls;
	*key = NULL;
	return 0;
}

int Curl_ssl_scache_create(size_t peers, size_t sessions, void **cache)
{
	(void)peers;
	(void)sessions;
	*cache = NULL;
	return 0;
}

void Curl_ssl_scache_destroy(void *cache)
{
	(void)cache;
}

void Curl_ssl_scache_lock(void *data)
{
	(void)data;
}

void Curl_ssl_scache_unlock(void *data)
{
	(void)data;
}

void *Curl_ssl_scache_get_obj(void *cf, void *data, const char *key)
{
	(void)cf;
	(void)data;
	(void)key;
	return NULL;
}

int Curl_ssl_scache_add_obj(void *cf, void *data, const char *key, void *o,
			    void (*end)(void *))
{
	(void)cf;
	(void)data;
	(void)key;
	(void)o;
	(void)end;
	return NOT_BUILT_IN;
}

int Curl_ssl_session_create(void *bytes, size_t len, int tls, const char *alpn,
			    long long until, size_t early, void **session)
{
	(void)bytes;
	(void)len;
	(void)tls;
	(void)alpn;
	(void)until;
	(void)early;
	*session = NULL;
	return NOT_BUILT_IN;
}

void Curl_ssl_session_destroy(void *session)
{
	(void)session;
}

int Curl_ssl_scache_put(void *cf, void *data, const char *key, void *session)
{
	(void)cf;
	(void)data;
	(void)key;
	(void)session;
	return NOT_BUILT_IN;
}

int Curl_ssl_scache_take(void *cf, void *data, const char *key, void **session)
{
	(void)cf;
	(void)data;
	(void)key;
	*session = NULL;
	return 0;
}

void Curl_ssl_scache_return(void *cf, void *data, const char *key, void *session)
{
	(void)cf;
	(void)data;
	(void)key;
	(void)session;
}

void Curl_ssl_scache_remove_all(void *cf, void *data, const char *key)
{
	(void)cf;
	(void)data;
	(void)key;
}

// The API server says in seconds when to come again (Retry-After), never by a date.
bool http_date_parse(const char *s, long long now_ms, long long *ret_wall_ms);

bool http_date_parse(const char *s, long long now_ms, long long *ret_wall_ms)
{
	(void)s;
	(void)now_ms;
	(void)ret_wall_ms;
	return false;
}

// Choosing between versions of HTTP: 1.1 is the only one, and libcurl's plain way is taken.
extern const char Curl_cft_http_connect[];
const char Curl_cft_http_connect[128];
int Curl_cf_https_setup(void *data, void *connection, int index);

int Curl_cf_https_setup(void *data, void *connection, int index)
{
	(void)data;
	(void)connection;
	(void)index;
	return 0;
}

// Host names are ASCII (libc looks whether one is valid letters of the locale).
size_t mbstowcs(int *to, const char *from, size_t n);
size_t mbstowcs(int *to, const char *from, size_t n)
{
	(void)to;
	(void)from;
	(void)n;
	return 0;
}
