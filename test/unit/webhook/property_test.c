// SPDX-License-Identifier: Apache-2.0
// Ten thousand pods, made from numbers: injecting is deterministic, twice is once, and no
// field of the pod is touched but by adding to it.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "test/support/expect.h"
#include "webhook/diff.h"
#include "webhook/inject.h"
#include "webhook/patch.h"

enum { PODS = 10000 };

// --- numbers (splitmix64)

struct dice {
	uint64_t state;
};

static unsigned roll(struct dice *d, unsigned sides)
{
	uint64_t z = (d->state += 0x9e3779b97f4a7c15u);
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return (unsigned)((z ^ (z >> 31)) % sides);
}

// --- a pod

static const char *const peer[][2] = {
	{ "agent-inject-secret-a", "kv/data/a" },
	{ "agent-inject-secret-B", "kv/data/b" },
	{ "agent-inject-template-c", "{{ with secret \"x\" }}y{{ end }}" },
	{ "agent-inject-template-file-d", "/t/d" },
	{ "agent-inject-file-a", "dir/a.txt" },
	{ "agent-inject-perms-a", "0440" },
	{ "agent-inject-command-a", "pkill -HUP x" },
	{ "secret-volume-path", "/s" },
	{ "secret-volume-path-a", "/other" },
	{ "agent-inject-containers", "c0,c2" },
	{ "agent-init-first", "true" },
	{ "agent-pre-populate", "false" },
	{ "agent-pre-populate-only", "true" },
	{ "agent-init-json-patch", "[]" },
	{ "agent-json-patch", "[{\"op\":\"add\",\"path\":\"/env/-\",\"value\":{\"name\":"
			      "\"A\",\"value\":\"b\"}}]" },
	{ "agent-inject-token", "true" },
	{ "agent-run-as-user", "77" },
	{ "agent-set-security-context", "false" },
	{ "tls-secret", "tls" },
	{ "agent-extra-secret", "more" },
	{ "agent-copy-volume-mounts", "c0" },
	{ "agent-limits-mem", "" },
	{ "agent-cache-enable", "true" },
	{ "log-level", "debug" },
	{ "auth-path", "auth/x" },
	{ "agent-injct", "typo" },
};

static const char *const ours[][2] = {
	{ "secret-e", "kv/data/e#k" },
	{ "notify-e", "signal:HUP@c0" },
	{ "containers-e", "c0" },
	{ "interval-e", "30s" },
	{ "mode", "pair" },
	{ "mode", "init" },
	{ "service-account-audience", "a" },
	{ "unread-after", "1m:alarm" },
};

static json_t *annotations_of(struct dice *d)
{
	json_t *a = json_object();
	json_object_set_new(a, "example.org/other", json_string("stays"));
	json_object_set_new(a, "vault.hashicorp.com/agent-inject", json_string("true"));
	json_object_set_new(a, "vault.hashicorp.com/role", json_string("web"));
	for (unsigned n = roll(d, 7); n > 0; n--) {
		char key[80];
		size_t i = roll(d, ARRAY_LEN(peer));
		snprintf(key, sizeof(key), "vault.hashicorp.com/%s", peer[i][0]);
		json_object_set_new(a, key, json_string(peer[i][1]));
	}
	for (unsigned n = roll(d, 3); n > 0; n--) {
		char key[80];
		size_t i = roll(d, ARRAY_LEN(ours));
		snprintf(key, sizeof(key), "ampoule.dev/%s", ours[i][0]);
		json_object_set_new(a, key, json_string(ours[i][1]));
	}
	return a;
}

static json_t *container(struct dice *d, const char *stem, unsigned i)
{
	AUTO_FREE char *name = mem_printf("%s%u", stem, i);
	json_t *c = json_pack("{s:s, s:s}", "name", name, "image", "x:1");
	if (roll(d, 2))
		json_object_set_new(c, "env",
				    json_pack("[{s:s, s:s}]", "name", "A", "value", "1"));
	if (roll(d, 2))
		json_object_set_new(c, "securityContext",
				    json_pack("{s:i}", "runAsUser", (int)roll(d, 3000)));
	if (roll(d, 3) == 0)
		json_object_set_new(c, "volumeMounts", json_array());
	if (roll(d, 3) == 0)
		json_object_set_new(
			c, "volumeMounts",
			json_pack("[{s:s, s:s}, {s:s, s:s, s:b}]", "name", "data",
				  "mountPath", "/data", "name", "acc", "mountPath",
				  "/var/run/secrets/kubernetes.io/serviceaccount",
				  "readOnly", 1));
	return c;
}

static json_t *containers(struct dice *d, const char *stem, unsigned n)
{
	json_t *list = json_array();
	for (unsigned i = 0; i < n; i++)
		json_array_append_new(list, container(d, stem, i));
	return list;
}

static json_t *pod_of(struct dice *d)
{
	json_t *spec = json_object(), *pod;
	json_object_set_new(spec, "containers", containers(d, "c", 1 + roll(d, 4)));
	if (roll(d, 2))
		json_object_set_new(spec, "initContainers",
				    containers(d, "i", roll(d, 3)));
	if (roll(d, 2))
		json_object_set_new(spec, "volumes",
				    json_pack("[{s:s, s:{}}, {s:s, s:{}}]", "name",
					      "data", "emptyDir", "name", "acc",
					      "projected"));
	if (roll(d, 4) == 0)
		json_object_set_new(spec, "hostNetwork", json_true());
	if (roll(d, 4) == 0)
		json_object_set_new(spec, "shareProcessNamespace", json_true());
	pod = json_pack("{s:s, s:{s:s, s:o}, s:o}", "kind", "Pod", "metadata",
			"generateName", "p-", "annotations", annotations_of(d), "spec",
			spec);
	return pod;
}

// --- what must hold

// Whether the place that an "add" names is free: a member that is not there yet, or an
// element of a list.
static bool only_adds(const json_t *before, const json_t *ops)
{
	AUTO_JSON json_t *doc = json_deep_copy(before);
	size_t i;
	json_t *op;
	json_array_foreach(ops, i, op)
	{
		AUTO_JSON json_t *one = json_pack("[O]", op);
		AUTO_JSON json_t *probe = json_deep_copy(doc);
		const char *path = json_string_value(json_object_get(op, "path"));
		const char *last = strrchr(path, '/') + 1;
		bool element = *last == '-' || (*last >= '0' && *last <= '9');
		AUTO_JSON json_t *look =
			json_pack("[{s:s, s:s}]", "op", "remove", "path", path);
		if (strcmp(json_string_value(json_object_get(op, "op")), "add") != 0)
			return false;
		if (!element && patch_apply(look, &probe, NULL))
			return false;
		EXPECT_OK(patch_apply(one, &doc, &err));
	}
	return true;
}

static bool inject(const struct settings *s, const json_t *pod,
		   struct inject_result *result)
{
	struct inject_ask ask = { .pod = pod, .namespace_ = "shop", .settings = s };
	err_clear(&err);
	return inject_pod(&ask, result, &err);
}

static char *text_of(const json_t *j)
{
	return j ? json_dumps(j, JSON_COMPACT) : mem_strdup("none");
}

// Returns whether the pod was injected.
static bool check_pod(const struct settings *s, const json_t *pod, unsigned number)
{
	struct inject_result one, two, again;
	AUTO_FREE char *before = text_of(pod);
	bool ok = inject(s, pod, &one);
	assert_int_equal(ok, inject(s, pod, &two));
	AUTO_FREE char *a = text_of(one.pod);
	AUTO_FREE char *b = text_of(two.pod);
	AUTO_FREE char *after = text_of(pod);
	if (strcmp(a, b) != 0 || strcmp(before, after) != 0)
		fail_msg("pod %u: not deterministic, or the pod was changed", number);
	bool injected = ok && one.pod;
	if (injected) {
		AUTO_JSON json_t *ops = diff_make(pod, one.pod);
		AUTO_FREE char *patch = text_of(ops);
		if (!only_adds(pod, ops))
			fail_msg("pod %u: more than additions: %s", number, patch);
		assert_true(inject(s, one.pod, &again));
		// Without an agent the mark alone says that it is done.
		AUTO_JSON json_t *more =
			diff_make(one.pod, again.pod ? again.pod : one.pod);
		AUTO_FREE char *rest = text_of(more);
		if (json_array_size(more))
			fail_msg("pod %u: twice is not once: %s\n%s", number, rest,
				 before);
		inject_release(&again);
	}
	inject_release(&one);
	inject_release(&two);
	return injected;
}

static void test_pods(void **state)
{
	static const char text[] = "annotations { service = \"https://b:8200\" }";
	struct settings s;
	struct dice d = { .state = 20261121 };
	unsigned injected = 0;
	(void)state;
	EXPECT_OK(settings_parse("s", text, strlen(text), &s, &err));
	for (unsigned i = 0; i < PODS; i++) {
		AUTO_JSON json_t *pod = pod_of(&d);
		injected += check_pod(&s, pod, i);
	}
	settings_release(&s);
	// Most are: the rest has an annotation without its file, or other faults.
	assert_in_range(injected, PODS / 2, PODS);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_pods) };
	mem_init(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
