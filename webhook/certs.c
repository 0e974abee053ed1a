// SPDX-License-Identifier: Apache-2.0
// The life of the webhook's own certificates: what is seen, what is to be done, what is served.
#include "webhook/certs.h"

#include <stdio.h>
#include <string.h>

#include "lib/base/backoff.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"
#include "lib/kube/watch.h"
#include "webhook/cert_set.h"
#include "webhook/cert_trust.h"

#define REGISTRATIONS "/apis/admissionregistration.k8s.io/v1/"

enum {
	NAMES_MAX = 32,
	PEM_MAX = 64 * 1024,
	TICK_MS = 60000, // the wall clock may be moved meanwhile
	PAUSE_MS = 500,  // between two writes of one object
	RETRY_MAX_MS = 15000,
	JITTER_MAX_MS = 30000,
	FIGHT_MAX = 6, // doublings of the pause, when others write the Secret, too
	MS = 1000,
};

// One object that we follow and write.
struct object {
	struct certs *certs;
	const char *path;
	json_t *seen; // NULL: there is none
	bool listed;  // we know whether there is one
	struct kube_watch *watch;
	struct kube_call *call; // a write under way
	struct backoff backoff;
	int64_t wait_until_ms;
	char *from; // the version that the write under way was made from
};

enum { SECRET, MUTATING, VALIDATING, OBJECTS };

struct certs {
	struct certs_opts o;
	struct object objects[OBJECTS];
	char *paths[2 * OBJECTS];
	const char *names[NAMES_MAX];
	char *own_names[3];
	size_t n_names;
	struct cert_set set;
	bool whole; // the set has a newest generation
	struct cert_gen served;
	bool real;                // what is served comes from the Secret
	int64_t trusted_since_ms; // the newest CA; 0: it is not
	int64_t jitter_ms;
	uint64_t made;
	bool making;        // the write under way is of a generation
	int64_t written_ms; // the last generation of ours
	bool clock_told;
	unsigned fights; // how often in a row it was replaced at once
	struct loop_timer timer;
	struct err trouble;
	char reason[ERR_TEXT_MAX + 64];
};

static void step(struct certs *c);

static int64_t now_s(void)
{
	return clock_wall_ms() / MS;
}

static struct cert_want want_of(const struct certs *c)
{
	return (struct cert_want){ .names = c->names,
				   .n_names = c->n_names,
				   .lifetime_s = c->o.lifetime_ms / MS };
}

// --- what is seen

static void see(struct object *o, const json_t *object)
{
	struct certs *c = o->certs;
	struct err e = ERR_INIT;
	json_decref(o->seen);
	o->seen = json_incref((json_t *)(uintptr_t)object);
	o->listed = true;
	if (o != &c->objects[SECRET])
		return;
	struct cert_set fresh = { .cas = { .n = 0 } };
	bool whole = object && cert_set_read(object, &fresh, &e);
	if (object && !whole && json_object_get(object, "data"))
		log_fail(LOG_WARN, &e, "the certificates' Secret is broken; made anew",
			 LOG_STR("secret", c->o.secret));
	if (!whole || !cert_gen_is(&fresh.newest, &c->set.newest))
		c->trusted_since_ms = 0;
	cert_set_release(&c->set);
	c->set = fresh;
	c->whole = whole;
}

static void on_listed(void *ctx, const json_t *items, bool first, bool last)
{
	struct object *o = ctx;
	if (!last || !first)
		return;
	see(o, json_array_get(items, 0));
	step(o->certs);
}

static void on_changed(void *ctx, const json_t *object, bool gone)
{
	struct object *o = ctx;
	see(o, gone ? NULL : object);
	step(o->certs);
}

static void on_health(void *ctx, const struct err *e)
{
	struct object *o = ctx;
	if (e && o->certs->trouble.kind == ERR_NONE)
		log_fail(LOG_WARN, e, "not followed", LOG_STR("what", o->path));
	err_clear(&o->certs->trouble);
	if (e)
		o->certs->trouble = *e;
}

// --- what is written

// The next generation is made when this one has been taken; later and later while somebody
// else replaces them.
static int64_t pause_after(struct certs *c, const struct object *o, const json_t *object)
{
	int64_t now = clock_mono_ms(), pause = c->o.settle_ms;
	if (o != &c->objects[SECRET])
		return PAUSE_MS;
	if (!c->making)
		return 0;
	c->made++;
	c->fights = c->written_ms && now - c->written_ms < (2 * pause) << c->fights
			    ? c->fights + (c->fights < FIGHT_MAX)
			    : 0;
	c->written_ms = now;
	log_info("certificate made", LOG_STR("version", kube_version(object)));
	if (c->fights > 1)
		log_warn(
			"the certificates are replaced as soon as they are written: does "
			"somebody else write this Secret? (metadata.managedFields)",
			LOG_STR("secret", c->o.secret));
	return pause << c->fights;
}

static void on_written(void *ctx, const json_t *object, const struct err *e)
{
	struct object *o = ctx;
	struct certs *c = o->certs;
	AUTO_FREE char *from = TAKE(o->from);
	o->call = NULL;
	if (!e) {
		backoff_reset(&o->backoff);
		o->wait_until_ms = clock_mono_ms() + pause_after(c, o, object);
		// Else the watch has told of it, or of what came after it.
		if (strcmp(from, kube_version(o->seen)) == 0)
			see(o, object);
		err_clear(&c->trouble);
	} else if (e->cause == KUBE_CONFLICT) {
		o->wait_until_ms =
			clock_mono_ms() + PAUSE_MS; // the watch tells what it is
	} else {
		o->wait_until_ms = clock_mono_ms() + backoff_next(&o->backoff);
		c->trouble = *e;
		log_fail(LOG_WARN, e, "not written", LOG_STR("what", o->path));
	}
	step(c);
}

static bool may_write(const struct object *o)
{
	return o->listed && !o->call && clock_mono_ms() >= o->wait_until_ms;
}

static void write_object(struct object *o, enum kube_verb verb, json_t *take)
{
	AUTO_JSON json_t *body = take;
	struct err e = ERR_INIT;
	struct kube_request r = { .verb = verb,
				  .path = o->path,
				  .query = "fieldManager=ampoule-webhook",
				  .body = body };
	o->from = mem_strdup(kube_version(o->seen));
	if (kube_send(o->certs->o.kube, &r, on_written, o, &o->call, &e))
		return;
	mem_free(TAKE(o->from));
	o->wait_until_ms = clock_mono_ms() + backoff_next(&o->backoff);
	o->certs->trouble = e;
	log_fail(LOG_WARN, &e, "not written", LOG_STR("what", o->path));
}

static int64_t due_s(const struct certs *c)
{
	return cert_gen_made_s(&c->set.newest) + (c->o.renew_ms + c->jitter_ms) / MS;
}

static void renew(struct certs *c)
{
	AUTO_CERT_SET struct cert_set fresh;
	static const struct cert_gen none = { .leaf = NULL };
	struct cert_want want = want_of(c);
	struct err e = ERR_INIT;
	struct object *o = &c->objects[SECRET];
	if (!cert_set_renew(&c->set, c->real ? &c->served : &none, &want, now_s(), &fresh,
			    &e)) {
		log_fail(LOG_ERROR, &e, "no certificate is made",
			 LOG_STR("secret", c->o.secret));
		o->wait_until_ms = clock_mono_ms() + backoff_next(&o->backoff);
		return;
	}
	c->making = true;
	write_object(o, KUBE_UPDATE, cert_set_write(&fresh, o->seen));
}

// One whose clock is wrong would take what is good for ended, and drop it.
static bool clock_good(struct certs *c)
{
	int64_t ahead_s = kube_clock_ahead_ms(c->o.kube) / MS;
	if (ahead_s <= CERT_SKEW_S && ahead_s >= -CERT_SKEW_S) {
		c->clock_told = false;
		return true;
	}
	err_clear(&c->trouble);
	err_set(&c->trouble, ERR_CONFIG, 0,
		"this node's clock is %lld seconds ahead of the API server's; set it",
		(long long)ahead_s);
	if (!c->clock_told)
		log_fail(LOG_ERROR, &c->trouble, "no certificates are written",
			 LOG_STR("secret", c->o.secret));
	c->clock_told = true;
	return false;
}

static void keep_secret(struct certs *c)
{
	struct object *o = &c->objects[SECRET];
	struct cert_want want = want_of(c);
	if (!may_write(o) || !clock_good(c))
		return;
	c->making = false;
	if (!o->seen)
		// An empty one, the same from every replica: what it holds is written by
		// version. A creation by POST could not be limited to this one name.
		write_object(o, KUBE_APPLY,
			     json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind",
				       "Secret", "metadata", "name", c->o.secret));
	else if (!c->whole || now_s() >= due_s(c) ||
		 now_s() < c->set.newest.leaf->not_before ||
		 now_s() >= c->set.newest.leaf->not_after ||
		 !cert_set_names_ok(&c->set, &want))
		renew(c);
}

static void keep_registration(struct certs *c, struct object *o)
{
	if (!c->whole || !o->seen || !may_write(o) || !clock_good(c))
		return;
	json_t *patch = cert_trust_patch(o->seen, &c->set.cas, now_s());
	if (!patch)
		return;
	log_info("caBundle written", LOG_STR("what", o->path));
	write_object(o, KUBE_STRATEGIC, patch);
}

// --- what is served

static bool trusted(const struct certs *c, const struct cert_gen *g)
{
	for (size_t i = MUTATING; i < OBJECTS; i++)
		if (!c->objects[i].listed ||
		    (c->objects[i].seen && !cert_trust_has(c->objects[i].seen, g->ca)))
			return false;
	return true;
}

static bool settled(const struct certs *c)
{
	return c->trusted_since_ms &&
	       (clock_mono_ms() - c->trusted_since_ms >= c->o.settle_ms ||
		now_s() - cert_gen_made_s(&c->set.newest) >= CERT_KNOWN_S);
}

static void serve(struct certs *c, const struct cert_gen *g, bool real)
{
	AUTO_BUF struct buf cert = BUF_INIT(PEM_MAX);
	struct err e = ERR_INIT;
	if (c->real && cert_gen_is(g, &c->served))
		return;
	if (!x509_to_pem(g->leaf, &cert, &e) ||
	    !c->o.serve(c->o.ctx, bytes_of(cert.data, cert.len), bytes_of_str(g->key),
			&e)) {
		c->trouble = e;
		log_fail(LOG_ERROR, &e, "the certificate cannot be served",
			 LOG_STR("serial", g->leaf->serial));
		return;
	}
	struct cert_gen copy = cert_gen_copy(g);
	cert_gen_release(&c->served);
	c->served = copy;
	c->real = real;
	if (real)
		log_info("certificate taken", LOG_STR("serial", g->leaf->serial),
			 LOG_INT("not_after", g->leaf->not_after));
}

static void choose(struct certs *c)
{
	bool good = c->real && cert_gen_usable(&c->served, now_s());
	if (!c->whole)
		return;
	if (!trusted(c, &c->set.newest))
		c->trusted_since_ms = 0;
	else if (!c->trusted_since_ms)
		c->trusted_since_ms = clock_mono_ms();
	if (settled(c) && cert_gen_usable(&c->set.newest, now_s()))
		serve(c, &c->set.newest, true);
	else if (good && trusted(c, &c->served))
		return;
	else if (cert_gen_usable(&c->set.former, now_s()) && trusted(c, &c->set.former))
		serve(c, &c->set.former, true);
	else if (!good)
		serve(c, &c->set.newest, true);
}

// --- life

static void sooner(int64_t *at_ms, int64_t candidate)
{
	if (candidate > clock_mono_ms() && candidate < *at_ms)
		*at_ms = candidate;
}

static void on_timer(void *ctx, struct loop_timer *t)
{
	(void)t;
	step(ctx);
}

static void arm(struct certs *c)
{
	int64_t now = clock_mono_ms(), at = now + TICK_MS;
	for (size_t i = 0; i < OBJECTS; i++)
		sooner(&at, c->objects[i].wait_until_ms);
	if (c->trusted_since_ms)
		sooner(&at, c->trusted_since_ms + c->o.settle_ms);
	if (c->whole)
		sooner(&at, now + (due_s(c) - now_s()) * MS);
	if (c->real)
		sooner(&at, now + (c->served.leaf->not_after - now_s()) * MS);
	loop_timer_at(c->o.loop, &c->timer, at, on_timer, c);
}

static void step(struct certs *c)
{
	keep_secret(c);
	keep_registration(c, &c->objects[MUTATING]);
	keep_registration(c, &c->objects[VALIDATING]);
	choose(c);
	arm(c);
}

const char *certs_not_ready(struct certs *c)
{
	const char *why = !c->real ? "no certificate yet"
			  : !cert_gen_usable(&c->served, now_s())
				  ? "the certificate is not valid now"
			  : !trusted(c, &c->served)
				  ? "the registrations do not trust the certificate yet"
			  : cert_gen_is(&c->served, &c->set.newest) && !settled(c)
				  ? "the API servers may not know the certificate yet"
				  : NULL;
	if (!why || c->trouble.kind == ERR_NONE)
		return why;
	snprintf(c->reason, sizeof(c->reason), "%s: %s", why, c->trouble.text);
	return c->reason;
}

uint64_t certs_made(const struct certs *c)
{
	return c->made;
}

static void follow(struct certs *c, size_t i, char *collection, const char *name)
{
	struct object *o = &c->objects[i];
	c->paths[2 * i] = collection;
	c->paths[2 * i + 1] = mem_printf("%s/%s", collection, name);
	*o = (struct object){
		.certs = c,
		.path = c->paths[2 * i + 1],
		.backoff = { .min_ms = PAUSE_MS, .max_ms = RETRY_MAX_MS },
	};
	struct kube_watch_opts w = { .path = collection,
				     .name = name,
				     .listed = on_listed,
				     .changed = on_changed,
				     .health = on_health,
				     .ctx = o };
	o->watch = kube_watch_new(c->o.kube, &w);
}

static void name_all(struct certs *c)
{
	const struct certs_opts *o = &c->o;
	size_t i;
	const json_t *name;
	c->own_names[0] = mem_printf("%s.%s.svc", o->service, o->namespace_);
	c->own_names[1] = mem_printf("%s.%s", o->service, o->namespace_);
	c->own_names[2] =
		mem_printf("%s.%s.svc.cluster.local", o->service, o->namespace_);
	for (i = 0; i < ARRAY_LEN(c->own_names); i++)
		c->names[c->n_names++] = c->own_names[i];
	json_array_foreach(o->names, i, name)
	{
		if (c->n_names < NAMES_MAX)
			c->names[c->n_names++] = json_string_value(name);
	}
}

bool certs_new(const struct certs_opts *o, struct certs **ret, struct err *e)
{
	struct certs *c = *ret = mem_alloc(sizeof(*c));
	AUTO(cert_gen_release) struct cert_gen first = { .leaf = NULL };
	uint64_t seed = 0;
	int64_t span = o->renew_ms / 20;
	*c = (struct certs){ .o = *o };
	name_all(c);
	c->jitter_ms = (int64_t)backoff_random(
		&seed, (uint64_t)(span < JITTER_MAX_MS ? span : JITTER_MAX_MS) + 1);
	struct cert_want want = want_of(c);
	if (!cert_gen_make(&want, now_s(), &first, e))
		return false;
	serve(c, &first, false);
	follow(c, SECRET, mem_printf("/api/v1/namespaces/%s/secrets", o->namespace_),
	       o->secret);
	follow(c, MUTATING, mem_strdup(REGISTRATIONS "mutatingwebhookconfigurations"),
	       o->registration);
	follow(c, VALIDATING, mem_strdup(REGISTRATIONS "validatingwebhookconfigurations"),
	       o->registration);
	return true;
}

void certs_free(struct certs *c)
{
	if (!c)
		return;
	loop_timer_cancel(&c->timer);
	for (size_t i = 0; i < OBJECTS; i++) {
		kube_watch_free(c->objects[i].watch);
		kube_cancel(c->objects[i].call);
		json_decref(c->objects[i].seen);
		mem_free(c->objects[i].from);
		mem_free(c->paths[2 * i]);
		mem_free(c->paths[2 * i + 1]);
	}
	for (size_t i = 0; i < ARRAY_LEN(c->own_names); i++)
		mem_free(c->own_names[i]);
	cert_set_release(&c->set);
	cert_gen_release(&c->served);
	mem_free(c);
}
