// SPDX-License-Identifier: Apache-2.0
// links: agent
// What goes through the proxy: a client's request becomes one for the store, an answer is
// kept and looked at, a body says what to forget. The first byte chooses the rule and how the
// rest is parted: a request's head, then the answer or order behind an empty line.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "agent/proxy_cache.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char own[] = "the-agents-own-token";

static void expect(bool ok)
{
	if (!ok)
		abort();
}

// Nothing of the connection travels on, and the token is the one that the rule names.
static void look_at_request(const struct proxy_request *r, enum proxy_token use)
{
	unsigned tokens = 0;
	for (size_t i = 0; i < r->n_headers; i++) {
		const struct http_header *h = &r->headers[i];
		expect(strcasecmp(h->name, "Connection") != 0);
		expect(strcasecmp(h->name, "Content-Length") != 0);
		expect(strcasecmp(h->name, "Transfer-Encoding") != 0);
		expect(strcasecmp(h->name, "Host") != 0);
		if (strcasecmp(h->name, "X-Vault-Token") != 0)
			continue;
		tokens++;
		expect(r->own_token == (strcmp(h->value, own) == 0));
	}
	expect(tokens <= 1 && (tokens == 1 || !r->own_token));
	expect(use != PROXY_TOKEN_FORCE || r->own_token);
	expect(use != PROXY_TOKEN_CLIENT || !r->own_token);
	expect(strncmp(r->url, "http://store/", 13) == 0 || strcmp(r->path, "*") == 0);
}

static void look_at_answer(const struct proxy_request *r, const char *text, size_t len,
			   const struct secret *token)
{
	struct proxy_cache cache = { .n = 0 };
	AUTO_BUF struct buf body = BUF_INIT(len), shown = BUF_INIT(1 << 20);
	buf_add(&body, text, len);
	struct proxy_kept *k = proxy_cache_put(&cache, r, "application/json", &body);
	expect((k != NULL) == (cache.n == 1) && (!k || k->lease_ms > 0));
	expect(proxy_cache_get(&cache, r->key) == k);
	if (proxy_hide_token(token, &body, &shown))
		expect(shown.len > 0);
	(void)!proxy_cache_order(&cache, (struct str){ text, len }, token, NULL);
	proxy_cache_after(&cache, r->path, (struct str){ text, len });
	proxy_cache_after(&cache, "/v1/sys/leases/revoke", (struct str){ text, len });
	proxy_cache_drop_all(&cache);
	expect(cache.n == 0 && cache.bytes == 0 && !cache.first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool begun;
	if (!begun && (begun = true)) {
		mem_init(false);
		expect(crypto_init(NULL));
	}
	if (size == 0)
		return 0;
	char *text = mem_strndup((const char *)data + 1, size - 1);
	size_t scanned = 0, end = http_head_end(text, size - 1, &scanned);
	struct http_incoming in = { .body = text + end, .body_len = size - 1 - end };
	AUTO_SECRET struct secret *token = secret_from_str(own);
	const struct proxy_rule rule = { .use = (enum proxy_token)(data[0] % 3),
					 .token = token,
					 .base = "http://store",
					 .namespace_ = data[0] & 4 ? "team" : NULL };
	struct proxy_request r;
	const char *reason;
	if (end && http_head_parse(text, end, &in.head, &reason) == 0) {
		expect(proxy_request_make(&in, &rule, &r, NULL));
		// A client that knows our token by heart is no finding.
		if (!memmem(text, end, own, sizeof(own) - 1))
			look_at_request(&r, rule.use);
		look_at_answer(&r, in.body, in.body_len, token);
		proxy_request_release(&r);
	}
	mem_free(text);
	return 0;
}
