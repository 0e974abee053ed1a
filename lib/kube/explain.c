// SPDX-License-Identifier: Apache-2.0
// What the API server's refusals mean, and which right would help.
#include <stdio.h>
#include <string.h>

#include "lib/base/str.h"
#include "lib/kube/kube_int.h"

enum { PARTS = 8 };

// The verbs of RBAC.
static const char *const words[] = {
	[KUBE_GET] = "get",
	[KUBE_LIST] = "list",
	[KUBE_WATCH] = "watch",
	[KUBE_CREATE] = "create",
	[KUBE_UPDATE] = "update",
	[KUBE_MERGE] = "patch",
	[KUBE_STRATEGIC] = "patch",
	[KUBE_JSON] = "patch",
	[KUBE_APPLY] = "patch and create",
};

struct place {
	struct str group, namespace_, resource, name;
};

// /api/v1/… and /apis/GROUP/VERSION/…, then [namespaces/NS/]RESOURCE[/NAME].
static void read_path(const char *path, struct place *ret)
{
	struct str rest = str_of(path), part[PARTS];
	size_t n = 0, i;
	*ret = (struct place){ .group = str_of("") };
	while (n < PARTS && str_next(&rest, '/', &part[n]))
		n += part[n].len > 0;
	i = n > 0 && str_eq(part[0], "apis") ? 3 : 2;
	if (i == 3 && n > 1)
		ret->group = part[1];
	if (n > i + 2 && str_eq(part[i], "namespaces")) {
		ret->namespace_ = part[i + 1];
		i += 2;
	}
	if (n > i)
		ret->resource = part[i];
	if (n > i + 1)
		ret->name = part[i + 1];
}

static void describe(const struct place *p, char *to, size_t max)
{
	snprintf(to, max, "%.*s%s%.*s%s%.*s", (int)p->resource.len, p->resource.p,
		 p->name.len ? " " : "", (int)p->name.len, p->name.p ? p->name.p : "",
		 p->namespace_.len ? " in the namespace " : "", (int)p->namespace_.len,
		 p->namespace_.p ? p->namespace_.p : "");
}

static bool denied(enum kube_verb verb, const struct place *p, const char *what,
		   struct err *e)
{
	return err_set(e, ERR_DENIED, 403,
		       "the service account may not %s %s: it needs a %s with apiGroups "
		       "[\"%.*s\"], resources [\"%.*s\"]%s%.*s%s, verbs [%s]",
		       words[verb], what, p->namespace_.len ? "Role" : "ClusterRole",
		       (int)p->group.len, p->group.p ? p->group.p : "",
		       (int)p->resource.len, p->resource.p,
		       p->name.len ? ", resourceNames [\"" : "", (int)p->name.len,
		       p->name.p ? p->name.p : "", p->name.len ? "\"]" : "", words[verb]);
}

bool kube_explain(enum kube_verb verb, const char *path, int status, struct err *e)
{
	struct place p;
	char what[256];
	read_path(path, &p);
	describe(&p, what, sizeof(what));
	switch (status) {
	case 401:
		return err_set(e, ERR_AUTH, status,
			       "the API server does not know the service account's token "
			       "(%s %s)",
			       words[verb], what);
	case 403:
		return denied(verb, &p, what, e);
	case 404:
		return err_set(e, ERR_MISSING, status, "there is no %s", what);
	case KUBE_CONFLICT:
		return err_set(e, ERR_RETRY, status, "%s was changed by somebody else",
			       what);
	case KUBE_GONE:
		return err_set(e, ERR_RETRY, status,
			       "the API server has forgotten the version from which %s "
			       "was followed",
			       what);
	default:
		return err_set(e, status == 429 || status >= 500 ? ERR_RETRY : ERR_CONFIG,
			       status, "%s %s: the API server answers with status %d",
			       words[verb], what, status);
	}
}
