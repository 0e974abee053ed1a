// SPDX-License-Identifier: Apache-2.0
// Checks policies.
#include "cmd/check_policies.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/hcl.h"
#include "lib/conf/options.h"
#include "webhook/policy.h"

// The agent's stanza has keys of its own, and none of a policy's.
static bool is_agents(const struct node *policy)
{
	for (const struct node *n = policy->first; n; n = n->next)
		if (!options_find(STANZA_POLICY, n->key))
			return false;
	return policy->first;
}

static bool holds_policies(const char *file)
{
	AUTO_BUF struct buf b = BUF_INIT(POLICY_FILE_MAX);
	AUTO_POOL struct pool pool = { 0 };
	const struct node *root;
	if (!file_read(file, &b, NULL) ||
	    !hcl_parse(&pool, file, buf_str(&b), b.len, &root, NULL) ||
	    root->kind != NODE_OBJECT || !root->first)
		return false;
	for (const struct node *n = root->first; n; n = n->next)
		if (!node_key_is(n, "purpose") &&
		    (!node_key_is(n, "policy") || is_agents(n)))
			return false;
	return true;
}

static int is_file(const struct dirent *d)
{
	return d->d_name[0] != '.' &&
	       (str_ends(d->d_name, ".hcl") || str_ends(d->d_name, ".json"));
}

bool check_is_policies(const char *path)
{
	struct stat st;
	struct dirent **names = NULL;
	if (stat(path, &st) != 0)
		return false;
	if (!S_ISDIR(st.st_mode))
		return holds_policies(path);
	int n = scandir(path, &names, is_file, alphasort);
	bool found = false;
	for (int i = 0; i < n; i++) {
		AUTO_FREE char *file = mem_printf("%s/%s", path, names[i]->d_name);
		if (i == 0)
			found = holds_policies(file);
		free(names[i]);
	}
	free(names);
	return found;
}

bool check_policies(const char *path, void (*warn)(void *ctx, const char *text),
		    void *ctx, size_t *ret_n, struct err *e)
{
	struct policies *ps = policies_new();
	bool ok = policies_add_path(ps, path, e);
	if (ok)
		policies_remarks(ps, clock_wall_ms(), warn, ctx);
	*ret_n = policies_count(ps);
	policies_free(ps);
	return ok;
}
