// SPDX-License-Identifier: Apache-2.0
// The vault store's token for a successor of this process. A token of somebody else (a token
// file) is his to keep, and one that is wrapped is not ours to use.
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "stores/vault_int.h"

json_t *vault_save(struct store *s)
{
	const struct vault *v = (const struct vault *)s;
	struct store_token t = vault_token_state(v);
	if (!v->token || !v->token_is_ours)
		return NULL;
	return json_pack("{s:o, s:I, s:b}", "token",
			 json_str(secret_bytes(v->token), secret_len(v->token)), "ttl_ms",
			 (json_int_t)t.ttl_ms, "renewable", t.renewable);
}

bool vault_restore(struct store *s, const json_t *saved, int64_t age_ms,
		   struct store_token *ret)
{
	struct vault *v = (struct vault *)s;
	const char *token = NULL;
	struct vault_grant g = { .token = NULL };
	if (!json_get_str(saved, "token", &token, NULL) || !token ||
	    !vault_token_ok(token, strlen(token)) ||
	    !json_get_int(saved, "ttl_ms", &g.ttl_ms, NULL) ||
	    !json_get_bool(saved, "renewable", &g.renewable, NULL))
		return false;
	if (g.ttl_ms < 0 || (g.ttl_ms > 0 && g.ttl_ms <= age_ms))
		return false; // it has ended
	g.ttl_ms -= g.ttl_ms ? age_ms : 0;
	g.token = secret_from_str(token);
	*ret = (struct store_token){ .ttl_ms = g.ttl_ms, .renewable = g.renewable };
	vault_take_token(v, &g, true);
	return true;
}
