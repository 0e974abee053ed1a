// SPDX-License-Identifier: Apache-2.0
// One client of the API server, and what uses it.
#include "webhook/cluster.h"

#include <inttypes.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/kube/kube.h"
#include "webhook/certs.h"

#ifndef AMPOULE_VERSION
#define AMPOULE_VERSION "unknown"
#endif

struct cluster {
	// The settings may be replaced while we live: what is needed of them stays here.
	json_t *document;
	struct settings_kube settings;
	char *namespace_;
	struct kube *kube;
	struct certs *certs;
	struct namespaces *namespaces;
};

static bool read_namespace(struct cluster *c, struct err *e)
{
	if (c->settings.namespace_) {
		c->namespace_ = mem_strdup(c->settings.namespace_);
		return true;
	}
	return file_read_token(KUBE_ACCOUNT "namespace", &c->namespace_, e) ||
	       err_wrap(
		       e,
		       "the pod's own namespace (kubernetes { namespace = … } names it)");
}

static bool start_certs(struct cluster *c, const struct cluster_opts *o, struct err *e)
{
	const struct settings_kube *s = &c->settings;
	struct certs_opts opts = {
		.loop = o->loop,
		.kube = c->kube,
		.secret = s->secret,
		.service = s->service,
		.registration = s->registration,
		.names = s->names,
		.lifetime_ms = s->lifetime_ms,
		.renew_ms = s->renew_ms,
		.settle_ms = s->settle_ms,
		.serve = o->serve,
		.ctx = o->ctx,
	};
	if (!s->self_signed)
		return true;
	if (!read_namespace(c, e))
		return false;
	opts.namespace_ = c->namespace_;
	return certs_new(&opts, &c->certs, e);
}

bool cluster_new(const struct cluster_opts *o, struct cluster **ret, struct err *e)
{
	const struct settings_kube *s = &o->settings->kube;
	struct kube_opts opts = { .server = s->server,
				  .ca_file = s->ca_file,
				  .token_file = s->token_file,
				  .user_agent = "ampoule-webhook/" AMPOULE_VERSION };
	*ret = NULL;
	if (!s->self_signed && !o->settings->namespace_defaults)
		return true;
	struct cluster *c = *ret = mem_alloc(sizeof(*c));
	c->document = json_incref(o->settings->document);
	c->settings = *s;
	if (!kube_new(o->loop, &opts, &c->kube, e) || !start_certs(c, o, e))
		return false;
	if (o->settings->namespace_defaults)
		c->namespaces = namespaces_new(o->loop, c->kube);
	return true;
}

void cluster_free(struct cluster *c)
{
	if (!c)
		return;
	namespaces_free(c->namespaces);
	certs_free(c->certs);
	kube_free(c->kube);
	json_decref(c->document);
	mem_free(c->namespace_);
	mem_free(c);
}

const char *cluster_not_ready(struct cluster *c)
{
	const char *why = c && c->certs ? certs_not_ready(c->certs) : NULL;
	if (why || !c || !c->namespaces || namespaces_ready(c->namespaces))
		return why;
	return "the namespaces are not known yet";
}

static const json_t *find(void *ctx, const char *name)
{
	return namespaces_find(ctx, name);
}

struct settings_world cluster_world(struct cluster *c)
{
	struct settings_world none = { .find = NULL };
	return c && c->namespaces ? (struct settings_world){ find, c->namespaces } : none;
}

void cluster_ask_namespace(struct cluster *c, const char *name, namespaces_fn *done,
			   void *ctx)
{
	namespaces_ask(c->namespaces, name, done, ctx);
}

static void one(struct buf *to, const char *name, const char *help, uint64_t value)
{
	buf_printf(to,
		   "# HELP ampoule_webhook_%s %s\n# TYPE ampoule_webhook_%s counter\n"
		   "ampoule_webhook_%s %" PRIu64 "\n",
		   name, help, name, name, value);
}

void cluster_metrics(const struct cluster *c, struct buf *to)
{
	if (!c)
		return;
	struct kube_stats s = kube_stats(c->kube);
	one(to, "api_requests_total", "requests to the API server", s.requests);
	one(to, "api_failures_total", "those that failed, and watches that were cut",
	    s.failures);
	if (c->certs)
		one(to, "certificates_made_total",
		    "certificates that this replica has made", certs_made(c->certs));
}
