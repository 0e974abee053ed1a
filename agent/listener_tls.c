// SPDX-License-Identifier: Apache-2.0
// A listener's certificate: read, watched, handed to the server.
#include "agent/listener_tls.h"

#include <jansson.h>

#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/tls/tls.h"

enum { CERT, KEY, CLIENT_CA, FILES, PEM_MAX = 1 << 20 };

struct listener_tls {
	const char *paths[FILES]; // of the stanza
	bool required;
	struct tls_server *server;
	struct loop_watch *watches[FILES];
};

static bool load(struct listener_tls *t, struct err *e)
{
	AUTO_BUF struct buf cert = BUF_INIT(PEM_MAX);
	AUTO_BUF struct buf key = BUF_INIT(PEM_MAX);
	AUTO_BUF struct buf ca = BUF_INIT(PEM_MAX);
	struct buf *to[FILES] = { &cert, &key, &ca };
	for (int i = 0; i < FILES; i++)
		if (t->paths[i] && !file_read(t->paths[i], to[i], e))
			return false;
	const struct tls_server_opts o = { .cert_pem = bytes_of(cert.data, cert.len),
					   .key_pem = bytes_of(key.data, key.len),
					   .client_ca_pem = bytes_of(ca.data, ca.len),
					   .client_required = t->required };
	return t->server ? tls_server_reload(t->server, &o, e)
			 : tls_server_new(&o, &t->server, e);
}

static void on_changed(void *ctx, const char *path)
{
	struct err e = ERR_INIT;
	if (load(ctx, &e))
		log_info("listener's certificate taken", LOG_STR("file", path));
	else // between the two renames of a pair, say: the next event mends it
		log_fail(LOG_WARN, &e, "listener keeps its certificate",
			 LOG_STR("file", path));
}

bool listener_tls_new(struct loop *l, const json_t *stanza, struct http_server *s,
		      struct listener_tls **ret, struct err *e)
{
	static const char *const keys[FILES] = { "tls_cert_file", "tls_key_file",
						 "tls_client_ca_file" };
	struct listener_tls *t = mem_alloc(sizeof(*t));
	*ret = t;
	for (int i = 0; i < FILES; i++)
		t->paths[i] = json_string_value(json_object_get(stanza, keys[i]));
	t->required = json_is_on(stanza, "tls_require_and_verify_client_cert");
	if (!t->paths[CERT] || !t->paths[KEY])
		return err_set(
			e, ERR_CONFIG, 0,
			"tls_cert_file and tls_key_file are needed, or tls_disable "
			"= true");
	if (!load(t, e))
		return false;
	for (int i = 0; i < FILES; i++)
		if (t->paths[i] &&
		    !loop_watch_add(l, t->paths[i], on_changed, t, &t->watches[i], e))
			return false;
	http_server_use_tls(s, t->server);
	return true;
}

void listener_tls_free(struct listener_tls *t)
{
	if (!t)
		return;
	for (int i = 0; i < FILES; i++)
		loop_watch_remove(t->watches[i]);
	tls_server_free(t->server);
	mem_free(t);
}
