// SPDX-License-Identifier: Apache-2.0
// links: stores
// Addresses and paths of the vault store, as people write them: what is accepted names one
// thing, and it is below the mount that a policy sees.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "stores/vault_url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void path(const char *text)
{
	static const struct vault_addr addr = { .base = "https://h" };
	struct vault_path p = { .path = NULL };
	struct err e = ERR_INIT;
	if (!vault_path_parse(text, &p, &e)) {
		check(e.kind == ERR_CONFIG || e.kind == ERR_LIMIT);
		return;
	}
	AUTO_BUF struct buf url = BUF_INIT(64 * 1024);
	AUTO_FREE char *data = vault_path_kv2(p.path, "kv/", "data");
	check(*p.path && p.path[0] != '/' && !strstr(p.path, "//"));
	check(!str_starts(p.path, "../") && !strstr(p.path, "/../") &&
	      !str_ends(p.path, "/.."));
	check(!vault_path_below(p.path, "kv/") || vault_path_below(data, "kv/"));
	if (vault_url(&addr, p.path, p.query, &url, &e))
		for (size_t i = 0; i < url.len; i++)
			check(url.data[i] > ' ' && url.data[i] < 0x7f &&
			      url.data[i] != '#');
	vault_path_release(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_init(false);
	AUTO_FREE char *text = mem_strndup((const char *)data, size);
	struct vault_addr a = { .base = NULL };
	if (vault_addr_parse(text, &a, NULL))
		check(a.base && !str_ends(a.base, "/"));
	vault_addr_release(&a);
	path(text);
	return 0;
}
