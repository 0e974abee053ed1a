// SPDX-License-Identifier: Apache-2.0
// Policies from files and folders, and their end.
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "webhook/policy_int.h"

static int is_policy_file(const struct dirent *d)
{
	const char *n = d->d_name;
	return (str_ends(n, ".hcl") || str_ends(n, ".json")) && n[0] != '.' &&
	       n[0] != '#';
}

static bool add_file(struct policies *ps, const char *path, struct err *e)
{
	AUTO_BUF struct buf b = BUF_INIT(POLICY_FILE_MAX);
	return file_read(path, &b, e) &&
	       policies_add(ps, path, buf_str(&b), b.len, true, e);
}

bool policies_add_path(struct policies *ps, const char *path, struct err *e)
{
	struct stat st;
	struct dirent **entries = NULL;
	if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
		return add_file(ps, path, e);
	int n = scandir(path, &entries, is_policy_file, alphasort);
	bool ok = n > 0 || err_set(e, ERR_CONFIG, 0,
				   "folder '%s' holds no *.hcl or *.json file", path);
	for (int i = 0; i < n; i++) {
		AUTO_FREE char *file = mem_printf("%s/%s", path, entries[i]->d_name);
		if (ok && !(stat(file, &st) == 0 && S_ISDIR(st.st_mode)))
			ok = add_file(ps, file, e);
		free(entries[i]);
	}
	free(entries);
	return ok;
}

struct policies *policies_new(void)
{
	struct policies *ps = mem_calloc(1, sizeof(*ps));
	*ps = (struct policies){ .n_policies = 0 };
	return ps;
}

void policies_free(struct policies *ps)
{
	if (!ps)
		return;
	pool_release(&ps->pool);
	mem_free(ps);
}

size_t policies_count(const struct policies *ps)
{
	return ps ? ps->n_policies + ps->n_purposes : 0;
}

void policies_remarks(const struct policies *ps, int64_t now_ms,
		      void (*tell)(void *ctx, const char *text), void *ctx)
{
	for (size_t i = 0; i < ps->n_policies; i++)
		for (size_t k = 0; k < ps->policies[i].n_exempt; k++) {
			const struct policy *p = &ps->policies[i];
			const struct exemption *x = &p->exempt[k];
			AUTO_FREE char *text = mem_printf(
				"%s: policy '%s': the exemption '%s' has ended and no "
				"longer counts; its owner is %s",
				p->file, p->name, x->name, x->owner);
			if (x->until_ms <= now_ms)
				tell(ctx, text);
		}
}

static void remark(const char *what, const char *name, const char *effect,
		   void (*tell)(void *ctx, const char *text), void *ctx)
{
	AUTO_FREE char *text =
		mem_printf("%s '%s': namespace_labels are not known without "
			   "namespace_defaults = true: %s",
			   what, name, effect);
	tell(ctx, text);
}

void policies_remark_namespaces(const struct policies *ps,
				void (*tell)(void *ctx, const char *text), void *ctx)
{
	for (size_t i = 0; i < ps->n_policies; i++) {
		const struct policy *p = &ps->policies[i];
		if (p->match.n_namespace_labels > 0)
			remark("policy", p->name,
			       "its match counts as met in every namespace", tell, ctx);
		if (p->has_exclude && p->exclude.n_namespace_labels > 0)
			remark("policy", p->name, "its exclude never counts", tell, ctx);
		for (size_t k = 0; k < p->n_exempt; k++)
			if (p->exempt[k].who.n_namespace_labels > 0)
				remark("exemption", p->exempt[k].name, "it never counts",
				       tell, ctx);
	}
	for (size_t i = 0; i < ps->n_purposes; i++)
		if (ps->purposes[i].who.n_namespace_labels > 0)
			remark("purpose", ps->purposes[i].name,
			       "nobody belongs to it, so that what it binds is refused "
			       "to all",
			       tell, ctx);
}
