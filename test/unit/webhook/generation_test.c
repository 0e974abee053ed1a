// SPDX-License-Identifier: Apache-2.0
// Two replicas while the webhook's configuration is replaced: a pod that one has injected by
// the settings before is taken by the other, which has read the new ones, for a while. Nothing
// else is.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "lib/base/buf.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/crypto/crypto.h"
#include "webhook/inject.h"
#include "webhook/policy.h"

enum { REPLACED = 1000 * 1000 };

static const char pod_text[] =
	"{\"metadata\":{\"name\":\"web\",\"annotations\":{\"ampoule.dev/"
	"inject\":\"true\","
	"\"ampoule.dev/secret-db\":\"kv/data/a/b\"}},"
	"\"spec\":{\"containers\":[{\"name\":\"app\",\"image\":\"x\"}]}}";

static void load(struct settings *s, const char *address, const char *rules)
{
	struct err e = ERR_INIT;
	AUTO_BUF struct buf b = BUF_INIT(4096);
	buf_printf(&b,
		   "annotations {\n service = \"https://%s:8200\"\n role = \"web\"\n}\n"
		   "policy \"p\" {\n require { inject = true }\n"
		   " forbid { changed_agent = true }\n%s\n}\n",
		   address, rules);
	if (!settings_parse("s", buf_str(&b), b.len, s, &e))
		fail_msg("%s", e.text);
}

static json_t *injected(const struct settings *s)
{
	AUTO_JSON json_t *pod = NULL;
	struct err e = ERR_INIT;
	struct inject_result made;
	assert_true(json_parse(pod_text, strlen(pod_text), 4096, JSON_PLAIN, &pod, NULL));
	struct inject_ask ask = { .pod = pod, .namespace_ = "shop", .settings = s };
	assert_true(inject_pod(&ask, &made, &e));
	json_t *ret = json_deep_copy(made.pod);
	inject_release(&made);
	return ret;
}

static bool is_taken(const struct settings *s, const json_t *pod, int64_t now_ms)
{
	struct policy_result r;
	struct policy_ask ask = { .settings = s,
				  .pod = pod,
				  .namespace_ = "shop",
				  .kind = "Pod",
				  .now_ms = now_ms };
	policies_judge(s->policies, &ask, &r);
	bool taken = policy_result_mode(&r) != POLICY_ENFORCE;
	policy_result_release(&r);
	return taken;
}

static void replaced(struct settings *s, const char *address, const char *rules)
{
	struct settings old = *s;
	load(s, address, rules);
	settings_replace(s, &old, REPLACED);
}

static void a_pod_of_the_settings_before_is_taken_for_a_while(void **state)
{
	struct settings s, other;
	(void)state;
	load(&other, "one", "");
	AUTO_JSON json_t *pod = injected(&other);
	load(&s, "one", "");
	assert_true(is_taken(&s, pod, REPLACED));
	replaced(&s, "two", "");
	assert_true(is_taken(&s, pod, REPLACED));
	assert_true(is_taken(&s, pod, REPLACED + SETTINGS_KEPT_MS - 1));
	assert_false(is_taken(&s, pod, REPLACED + SETTINGS_KEPT_MS));
	replaced(&s, "three", "");
	assert_true(is_taken(&s, pod, REPLACED)); // two reloads behind each other
	replaced(&s, "four", "");
	assert_false(is_taken(&s, pod, REPLACED));
	settings_release(&s);
	settings_release(&other);
}

static void the_policies_are_the_present_ones(void **state)
{
	struct settings s, other;
	(void)state;
	load(&other, "one", "");
	AUTO_JSON json_t *pod = injected(&other);
	load(&s, "one", "");
	replaced(&s, "two", " deny { paths = [\"kv/data/a/**\"] }");
	assert_false(is_taken(&s, pod, REPLACED));
	settings_release(&s);
	settings_release(&other);
}

static void no_other_agent_is(void **state)
{
	struct settings s, stranger;
	(void)state;
	load(&stranger, "evil", "");
	AUTO_JSON json_t *pod = injected(&stranger);
	load(&s, "one", "");
	replaced(&s, "two", "");
	assert_false(is_taken(&s, pod, REPLACED));
	AUTO_JSON json_t *bent = injected(s.before);
	json_t *agent = json_array_get(
		json_object_get(json_object_get(bent, "spec"), "initContainers"), 0);
	assert_true(is_taken(&s, bent, REPLACED));
	json_object_set_new(agent, "image", json_string("evil"));
	assert_false(is_taken(&s, bent, REPLACED));
	settings_release(&s);
	settings_release(&stranger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_pod_of_the_settings_before_is_taken_for_a_while),
		cmocka_unit_test(the_policies_are_the_present_ones),
		cmocka_unit_test(no_other_agent_is),
	};
	mem_init(false);
	if (!crypto_init(NULL))
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
