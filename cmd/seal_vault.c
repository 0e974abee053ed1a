// SPDX-License-Identifier: Apache-2.0
// Reads a Vault or OpenBao for `ampoule seal import`, through the same store as the agent.
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cmd/seal_import.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/store.h"

enum { LIMIT_MS = 60 * 1000, DEPTH_MAX = 16 };

struct session {
	const struct seal_args *args;
	struct seal_import_list *to;
	struct conf_store conf;
	char *token_path;
	int token_fd; // of a token that came by the environment
	struct loop *loop;
	const struct store_ops *ops;
	struct store *store;
	// The one answer under way.
	bool done;
	struct err err;
	json_t *body;
};

static void session_release(struct session *s)
{
	if (s->store)
		s->ops->close(s->store);
	loop_free(s->loop);
	json_decref(s->conf.auth.config);
	json_decref(s->conf.options);
	json_decref(s->body);
	mem_free(s->token_path);
	if (s->token_fd >= 0)
		close(s->token_fd);
}

// --token-file, $VAULT_TOKEN (through memory that has a file's name), ~/.vault-token.
static bool find_token(struct session *s, struct err *e)
{
	const char *token = getenv("VAULT_TOKEN"), *home = getenv("HOME");
	if (s->args->token_file) {
		s->token_path = mem_strdup(s->args->token_file);
		return true;
	}
	if (!token || !token[0]) {
		s->token_path = mem_printf("%s/.vault-token", home ? home : "");
		return true;
	}
	s->token_fd = memfd_create("token", MFD_CLOEXEC);
	if (s->token_fd < 0)
		return err_set(e, ERR_CONFIG, errno, "make room for the token");
	s->token_path = mem_printf("/proc/self/fd/%d", s->token_fd);
	return file_write_all(s->token_fd, token, strlen(token), e);
}

static void on_login(void *ctx, const struct store_token *t, const struct err *e)
{
	(void)t;
	struct session *s = ctx;
	s->done = true;
	if (e)
		s->err = *e;
}

static void on_answer(void *ctx, const struct store_answer *a, const struct err *e)
{
	struct session *s = ctx;
	s->done = true;
	if (e)
		s->err = *e;
	else
		s->body = json_incref(a->body);
}

static bool wait_done(struct session *s, struct err *e)
{
	int64_t end = clock_mono_ms() + LIMIT_MS;
	while (!s->done && clock_mono_ms() < end)
		if (!loop_once(s->loop, 1000, e))
			return false;
	if (!s->done)
		return err_set(e, ERR_RETRY, 0, "no answer within %d s", LIMIT_MS / 1000);
	return s->err.kind == ERR_NONE || err_set(e, s->err.kind, 0, "%s", s->err.text);
}

static bool ask(struct session *s, enum store_verb verb, const char *path, json_t **ret,
		struct err *e)
{
	struct store_ask a = { .verb = verb, .path = path };
	s->done = false;
	err_clear(&s->err);
	s->ops->fetch(s->store, &a, on_answer, s);
	if (!wait_done(s, e))
		return err_wrap(e, "%s", path);
	*ret = TAKE(s->body);
	return true;
}

static bool open_session(struct session *s, struct err *e)
{
	const char *address = s->args->address ? s->args->address : getenv("VAULT_ADDR");
	if (!address)
		return err_set(e, ERR_CONFIG, 0,
			       "--address URL (or $VAULT_ADDR) names the Vault");
	if (!find_token(s, e) || !loop_new(&s->loop, e))
		return false;
	s->conf = (struct conf_store){
		.name = "vault",
		.type = "vault",
		.address = address,
		.namespace_ = getenv("VAULT_NAMESPACE"),
		.tls = { .ca_file = getenv("VAULT_CACERT") },
		.auth = { .method = "token_file",
			  .min_backoff_ms = 1000,
			  .max_backoff_ms = 1000,
			  .config =
				  json_pack("{s:s}", "token_file_path", s->token_path) },
		.timeout_ms = 30000,
		.max_connections = 2,
		.options = json_object(),
	};
	struct store_env env = { .loop = s->loop, .conf = &s->conf };
	s->ops = store_find("vault");
	if (!s->ops->open(&env, &s->store, e))
		return false;
	s->ops->login(s->store, on_login, s);
	return wait_done(s, e) || err_wrap(e, "login");
}

// KV 2 wraps the data once more.
static const json_t *data_of(const json_t *body)
{
	const json_t *data = json_object_get(body, "data");
	const json_t *inner = json_object_get(data, "data");
	return json_is_object(inner) && json_object_get(data, "metadata") ? inner : data;
}

static bool read_one(struct session *s, const char *path, struct err *e)
{
	AUTO_JSON json_t *body = NULL;
	if (!ask(s, STORE_READ, path, &body, e))
		return false;
	const char *lease = NULL;
	if (!json_get_str(body, "lease_id", &lease, e))
		return false;
	if (lease && lease[0])
		return err_set(
			e, ERR_CONFIG, 0,
			"%s is a dynamic secret with a lease: let the agent read it",
			path);
	if (!json_is_object(data_of(body)))
		return err_set(e, ERR_MISSING, 0, "%s has no data", path);
	return seal_import_add(s->to, s->args->prefix, path, data_of(body), e);
}

static bool read_tree(struct session *s, const char *path, unsigned depth, struct err *e)
{
	size_t len = strlen(path);
	if (len == 0 || path[len - 1] != '/')
		return read_one(s, path, e);
	AUTO_JSON json_t *names = NULL;
	if (depth == DEPTH_MAX)
		return err_set(e, ERR_LIMIT, 0, "%s: more than %d folders deep", path,
			       DEPTH_MAX);
	if (!ask(s, STORE_LIST, path, &names, e))
		return false;
	for (size_t i = 0; i < json_array_size(names); i++) {
		AUTO_FREE char *below = mem_printf(
			"%s%s", path, json_string_value(json_array_get(names, i)));
		if (!read_tree(s, below, depth + 1, e))
			return false;
	}
	return true;
}

bool seal_vault_read(const struct seal_args *a, const char *path,
		     struct seal_import_list *to, struct err *e)
{
	AUTO(session_release) struct session s = { .args = a, .to = to, .token_fd = -1 };
	return open_session(&s, e) && read_tree(&s, path, 0, e);
}
