// SPDX-License-Identifier: Apache-2.0
// What a patched container must look like to be one: the API server answers the other forms with
// a fault that names no annotation.
#include <ctype.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"
#include "lib/base/str.h"
#include "lib/conf/load.h"
#include "webhook/patch.h"
#include "webhook/plan.h"

// {name:form,…} (* is each name), [form, (word|word), and letters of `kinds`; a capital where
// it may not be missing.
static const char form[] =
	"{name:N,imagePullPolicy:(Always|IfNotPresent|Never),"
	"terminationMessagePolicy:(File|FallbackToLogsOnError),"
	"ports:[{containerPort:P,hostPort:p,name:s,hostIP:s,protocol:(TCP|UDP|SCTP)},"
	"resources:{limits:{*:q},requests:{*:q},claims:[{name:S,request:s}},"
	"resizePolicy:[{resourceName:S,restartPolicy:S},"
	"env:[{name:S,value:s,valueFrom:{*:{name:s,key:s,fieldPath:s,resource:s,optional:"
	"b}}}"
	","
	"volumeMounts:[{name:S,mountPath:S,subPath:s,subPathExpr:s,readOnly:b,"
	"mountPropagation:s},"
	"securityContext:{runAsUser:u,runAsGroup:u}}";

static const struct {
	char letter;
	const char *wanted;
} kinds[] = {
	{ 's', "a text" },
	{ 'b', "true or false" },
	{ 'p', "a port" },
	{ 'u', "a number up to 2147483647" },
	{ 'q', "a quantity as 250m or 64Mi" },
	{ 'n', "a name as app-1" },
	{ '{', "an object" },
	{ '[', "a list" },
};

struct misfit {
	struct str of, name; // the container's member, and what is wrong in it
	const char *form;    // what is wanted
};

static bool is_word(const json_t *v, const char *words, const char *end)
{
	const char *text = json_string_value(v);
	struct str rest = { words, (size_t)(end - words) }, word;
	while (text && str_next(&rest, '|', &word))
		if (str_eq(word, text))
			return true;
	return false;
}

static bool is_kind(const json_t *v, int kind)
{
	double amount;
	const char *text = json_string_value(v);
	switch (kind) {
	case 'b':
		return json_is_boolean(v);
	case 'p':
		return json_integer_value(v) > 0 && json_integer_value(v) <= UINT16_MAX;
	case 'u':
		return json_is_integer(v) && json_integer_value(v) >= 0 &&
		       json_integer_value(v) <= INT32_MAX;
	case 'q':
		return json_is_number(v) || (text && plan_quantity(text, &amount));
	case 'n':
		return text && notify_is_container(text);
	case 'S':
		return text && *text;
	default:
		return text;
	}
}

// The end of the form at f. v is NULL where nothing stands, which a capital refuses if the whole
// around it stands; *wrong becomes the first name that does not fit.
static const char *fit(struct str name, const json_t *v, const char *f, bool whole,
		       struct misfit *wrong)
{
	const char *end = f + 1, *key;
	json_t *one;
	v = json_is_null(v) ? NULL : v;
	bool ok = !v && !(whole && isupper((unsigned char)*f));
	if (*f == '[') {
		ok |= json_is_array(v);
		POD_EACH (v, i, one)
			fit(name, json_is_null(one) ? json_true() : one, end, true,
			    wrong); // no list holds nothing
		end = fit(name, NULL, end, false, wrong);
	} else if (*f == '(') {
		end = strchr(f, ')');
		ok |= is_word(v, f + 1, end++);
	} else if (*f == '{') {
		ok |= json_is_object(v);
		while (*end != '}') {
			struct str member = { end, strcspn(end, ":") };
			AUTO_FREE char *text = mem_strndup(end, member.len);
			end += member.len + 1;
			json_object_foreach((json_t *)(uintptr_t)v, key, one)
			{
				if (*member.p == '*')
					fit(str_of(key), one, end, true, wrong);
			}
			end = fit(member, json_object_get(v, text), end, v, wrong);
			if (f == form && wrong->form && !wrong->of.p)
				wrong->of = member;
			end += *end == ',';
		}
		end++;
	} else {
		ok |= v && is_kind(v, *f == 'S' ? *f : tolower((unsigned char)*f));
	}
	if (!ok && !wrong->form)
		*wrong = (struct misfit){ .name = name, .form = f };
	return end;
}

// No request above its limit.
static const char *above(const json_t *resources)
{
	const char *key;
	json_t *one;
	double least, most;
	json_object_foreach(json_object_get(resources, "requests"), key, one)
	{
		const char *limit = pod_text(json_object_get(resources, "limits"), key);
		if (json_is_string(one) && *limit &&
		    plan_quantity(json_string_value(one), &least) &&
		    plan_quantity(limit, &most) && least > most)
			return key;
	}
	return NULL;
}

bool patch_fits(const json_t *container, struct err *e)
{
	struct misfit wrong = { .form = NULL };
	struct str words = { NULL, 0 };
	fit(str_of("container"), container, form, true, &wrong);
	if (wrong.form) {
		words = (struct str){ wrong.form, strcspn(wrong.form, ")") + 1 };
		for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
			if (tolower((unsigned char)*wrong.form) == kinds[i].letter)
				words = str_of(kinds[i].wanted);
		return err_set(e, ERR_CONFIG, 0,
			       "its result is no container: %.*s: %.*s: %.*s is wanted",
			       (int)wrong.of.len, wrong.of.p ? wrong.of.p : "",
			       (int)(wrong.name.len < 63 ? wrong.name.len : 63),
			       wrong.name.p, (int)words.len, words.p);
	}
	const char *key = above(json_object_get(container, "resources"));
	return !key ||
	       err_set(e, ERR_CONFIG, 0,
		       "its request of %.63s is above the limit; change both", key);
}
