// SPDX-License-Identifier: Apache-2.0
// links: webhook
// Annotations, a line each ("key: value", \n for a newline), on a pod with two containers:
// what is accepted is a configuration that the agent accepts, and injecting twice changes
// nothing.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "webhook/diff.h"
#include "webhook/inject.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char configuration[] =
	"annotations { service = \"https://bao:8200\"  role = \"web\" }\n"
	"store \"aws\" { type = \"aws\" }\n"
	"template \"pg\" { contents = \"x\" }";

static json_t *pod_of(const char *text, size_t len)
{
	json_t *annotations = json_object();
	struct str rest = { text, len }, line;
	json_object_set_new(annotations, "ampoule.dev/inject", json_string("true"));
	while (str_next(&rest, '\n', &line)) {
		const char *colon = memchr(line.p, ':', line.len);
		size_t at = colon ? (size_t)(colon - line.p) : line.len;
		if (!str_valid_utf8(line.p, line.len) || memchr(line.p, 0, line.len) ||
		    at == 0)
			continue;
		AUTO_FREE char *key = mem_strndup(line.p, at);
		struct str value = { line.p + at, line.len - at };
		if (colon)
			value = str_trim((struct str){ value.p + 1, value.len - 1 });
		AUTO_FREE char *copy = mem_strndup(value.p, value.len);
		for (char *c = copy; *c; c++)
			if (c[0] == '\\' && c[1] == 'n')
				c[0] = c[1] = '\n';
		json_object_set_new(annotations, key, json_str(copy, strlen(copy)));
	}
	return json_pack("{s:{s:s, s:o}, s:{s:[{s:s, s:s}, {s:s, s:s, s:{s:i}}]}}",
			 "metadata", "name", "web", "annotations", annotations, "spec",
			 "containers", "name", "app", "image", "a:1", "name", "side",
			 "image", "b:1", "securityContext", "runAsUser", 2000);
}

static json_t *inject(const struct settings *s, const json_t *pod)
{
	struct inject_ask ask = { .pod = pod, .namespace_ = "shop", .settings = s };
	struct inject_result result;
	struct err e = ERR_INIT;
	bool ok = inject_pod(&ask, &result, &e);
	if (ok == (e.kind != ERR_NONE) || (!ok && !e.text[0]))
		abort();
	json_t *ret = ok ? json_incref(result.pod) : NULL;
	inject_release(&result);
	return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_init(false);
	struct settings s;
	struct err e = ERR_INIT;
	if (!settings_parse("s", configuration, strlen(configuration), &s, &e))
		abort();
	json_t *pod = pod_of((const char *)data, size), *once = inject(&s, pod);
	json_t *twice = once ? inject(&s, once) : NULL;
	if (once && (!twice || !json_equal(once, twice)))
		abort();
	json_t *ops = once ? diff_make(once, twice) : NULL;
	if (json_array_size(ops) > 0)
		abort();
	json_decref(ops);
	json_decref(pod);
	json_decref(once);
	json_decref(twice);
	settings_release(&s);
	return 0;
}
