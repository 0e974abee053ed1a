// SPDX-License-Identifier: Apache-2.0
// Policies asked about pods that are too large for a case file.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "webhook/policy_int.h"

// The findings about a pod that is not injected, or whose agent was made just now. They live
// no longer than the policies.
static struct policies *ask(const char *policy, const json_t *pod,
			    struct policy_result *ret)
{
	struct err e = ERR_INIT;
	struct settings settings = { .image = "registry.example/ampoule:1" };
	struct policies *ps = policies_new();
	struct policy_ask about = { .settings = &settings,
				    .pod = pod,
				    .namespace_ = "shop",
				    .kind = "Pod",
				    .fresh = true };
	assert_true(policies_add(ps, "test", policy, strlen(policy), true, &e));
	policies_judge(ps, &about, ret);
	return ps;
}

static json_t *pod_of(json_t *container, json_t *volumes)
{
	return json_pack("{s:{s:s}, s:{s:[o], s:o}}", "metadata", "name", "web", "spec",
			 "containers", container, "volumes", volumes);
}

// A pod whose agent has a template for each of n paths.
static json_t *pod_with_paths(size_t n, const char *last)
{
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++) {
		char path[32];
		snprintf(path, sizeof(path), "kv/data/a%zu", i);
		json_array_append_new(list, json_pack("{s:s}", "secret", path));
	}
	json_array_append_new(list, json_pack("{s:s}", "secret", last));
	AUTO_JSON json_t *doc = json_pack("{s:{s:s}, s:o}", "vault", "address",
					  "https://vault.example", "template", list);
	char *text = json_dumps(doc, JSON_COMPACT);
	json_t *container = json_pack("{s:s, s:[{s:s, s:s}]}", "name", "vault-agent",
				      "env", "name", "AMPOULE_CONFIG", "value", text);
	mem_free(text);
	return pod_of(container, json_array());
}

static void test_more_paths_than_are_looked_at(void **state)
{
	(void)state;
	static const char policy[] =
		"policy \"p\" { deny { paths = [\"kv/data/pay\"] } }";
	struct policy_result r;
	AUTO_JSON json_t *few = pod_with_paths(100, "kv/data/b");
	AUTO_JSON json_t *many = pod_with_paths(3000, "kv/data/pay");
	struct policies *ps = ask(policy, few, &r);
	assert_int_equal(r.n, 0);
	policy_result_release(&r);
	policies_free(ps);
	ps = ask(policy, many, &r);
	assert_int_equal(policy_result_mode(&r), POLICY_ENFORCE);
	assert_string_equal(r.findings[0].rule, "deny.paths");
	assert_non_null(strstr(r.findings[0].text, "no rule can be asked"));
	policy_result_release(&r);
	policies_free(ps);
}

static void test_more_paths_of_purposes(void **state)
{
	(void)state;
	static const char purpose[] =
		"purpose \"pay\" { namespaces = [\"pay\"] paths = [\"kv/data/pay\"] }";
	struct policy_result r;
	AUTO_JSON json_t *many = pod_with_paths(3000, "kv/data/pay");
	struct policies *ps = ask(purpose, many, &r);
	assert_int_equal(policy_result_mode(&r), POLICY_ENFORCE);
	assert_string_equal(r.findings[0].policy, "pay");
	policy_result_release(&r);
	policies_free(ps);
}

// A quadratic look at volumes takes minutes here, on any machine; the limit is CPU time.
static void test_many_volumes(void **state)
{
	(void)state;
	enum { VOLUMES = 60000, SECONDS = 30 };
	static const char policy[] =
		"policy \"p\" { forbid { disk_volumes = true secret_volumes = true } }";
	struct policy_result r;
	json_t *volumes = json_array(), *mounts = json_array();
	for (size_t i = 0; i < VOLUMES; i++) {
		char name[32];
		snprintf(name, sizeof(name), "v%zu", i);
		json_array_append_new(volumes,
				      json_pack("{s:s, s:{}}", "name", name, "emptyDir"));
		json_array_append_new(mounts,
				      json_pack("{s:s, s:s}", "name", name, "mountPath",
						i ? "/m" : "/run/secrets"));
	}
	AUTO_JSON json_t *pod = pod_of(
		json_pack("{s:s, s:o}", "name", "app", "volumeMounts", mounts), volumes);
	clock_t begin = clock();
	struct policies *ps = ask(policy, pod, &r);
	assert_true((clock() - begin) / CLOCKS_PER_SEC < SECONDS);
	assert_int_equal(r.n, 1);
	assert_string_equal(r.findings[0].field, "spec.volumes[v0]");
	policy_result_release(&r);
	policies_free(ps);
}

static void test_known_form_at_any_length(void **state)
{
	(void)state;
	enum { LEN = 20000 };
	static const char *const forms[] = {
		"-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----",
		"AKIA AKIAABCDEFGHIJKLMNOP",
		"postgres://u:hunter2hunter2@db/x",
	};
	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		AUTO_FREE char *text = mem_printf("%s\n%*s", forms[i], LEN, "#");
		assert_non_null(literal_credential("K", text));
	}
	AUTO_FREE char *plain = mem_printf("plain\n%*s", LEN, "#");
	assert_null(literal_credential("K", plain));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_more_paths_than_are_looked_at),
		cmocka_unit_test(test_more_paths_of_purposes),
		cmocka_unit_test(test_many_volumes),
		cmocka_unit_test(test_known_form_at_any_length),
	};
	mem_init(false);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
