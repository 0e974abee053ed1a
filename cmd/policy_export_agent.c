// SPDX-License-Identifier: Apache-2.0
// The rules about the agent in CEL: whether it is there, what passes for it, and what an update
// may not do to a pod that has it. Whether it is field for field what the webhook would make of
// the annotations is the webhook's to say.
#include "cmd/policy_export_cel.h"
#include "lib/base/str.h"
#include "lib/conf/annotation.h"
#include "webhook/plan.h"
#include "webhook/settings.h"

enum { TEXT_MAX = 64 * 1024 };

// "['vault.hashicorp.com/agent-inject-status', …]"
static const char *keys(struct cel *c, const char *suffix)
{
	const char *list[PREFIX_COUNT];
	size_t n = 0;
	for (enum annotation_prefix p = PREFIX_NONE + 1; p < PREFIX_COUNT; p++)
		list[n++] = pool_printf(&c->pool, "%s%s%s", annotation_prefix_text(p),
					p == PREFIX_OURS ? "" : "agent-", suffix);
	return cel_list(&c->pool, list, n);
}

// Whether the pod or its namespace asks for injection.
static const char *asks(struct cel *c)
{
	const char *list = keys(c, "inject");
	return pool_printf(&c->pool,
			   "(%s.exists(k, k in variables.annotations && "
			   "!(variables.annotations[k].lowerAscii() in ['', 'false', "
			   "'0', 'f', 'no', "
			   "'off'])) || %s.exists(k, k in "
			   "namespaceObject.?metadata.?annotations.orValue({})))",
			   list, list);
}

const char *cel_require_inject(struct cel *c)
{
	return pool_printf(&c->pool,
			   "(variables.is_pod ? variables.ours.size() > 0 : %s) ? [] : "
			   "['metadata.annotations']",
			   asks(c));
}

const char *cel_forged_mark(struct cel *c)
{
	return pool_printf(
		&c->pool,
		"variables.agents.size() > 0 ? [] : %s.filter(k, k in "
		"variables.annotations && variables.annotations[k] == 'injected')"
		".map(k, 'metadata.annotations[' + k + ']')",
		keys(c, "inject-status"));
}

const char *cel_overrides(struct cel *c)
{
	size_t n;
	const char *const *names = policy_override_names(&n);
	AUTO_BUF struct buf b = BUF_INIT(TEXT_MAX);
	buf_puts(&b, "(?i)^(?:");
	for (size_t i = 0; i < n; i++) {
		const char *plain =
			str_starts(names[i], "agent-") ? names[i] + 6 : names[i];
		buf_printf(&b, "%s(?:agent-)?%s", i ? "|" : "", plain);
	}
	buf_puts(&b, ")$");
	return pool_printf(&c->pool,
			   "variables.notes.filter(n, n.suffix.matches(%s)).map(n, n.at)",
			   cel_quote(&c->pool, buf_str(&b)));
}

// --- what passes for the agent

static const char *mount_faults(struct cel *c)
{
	const struct settings *s = c->ask->settings;
	return pool_printf(
		&c->pool,
		"variables.apps.map(x, x.at + '.volumeMounts[' + "
		"x.c.?volumeMounts.orValue([]).filter(m, m.name in ['" HOME_VOLUME
		"', '" HOME_INIT_VOLUME "', '" STATE_VOLUME "', '" TOKEN_VOLUME
		"'] || (m.name == '" PROGRAM_VOLUME
		"' && !m.?readOnly.orValue(false)) || "
		"(m.name == '" SECRETS_VOLUME "' && !variables.config_map && "
		"(!(m.?subPath.orValue('') == x.c.name || "
		"(m.?subPath.orValue('').startsWith(x.c.name + '.') && "
		"m.?subPath.orValue('').substring(x.c.name.size() + 1)"
		".matches('^[0-9]+$')))%s)))"
		".map(m, string(m.mountPath)).join(', ') + ']')"
		".filter(t, !t.endsWith('[]')).map(t, t + ' is the agent\\'s, or more "
		"than "
		"the container\\'s own folder') + "
		"variables.apps.filter(x, x.c.?env.orValue([]).exists(e, "
		"e.?valueFrom.?fileKeyRef.?volumeName.orValue('') in ['" HOME_VOLUME
		"', '" HOME_INIT_VOLUME "', '" STATE_VOLUME "']))"
		".map(x, x.at + '.env reads what is the agent\\'s')",
		s && !s->writable ? " || !m.?readOnly.orValue(false)" : "");
}

static const char *image_faults(struct cel *c)
{
	const struct settings *s = c->ask->settings;
	const char *image = s && s->image ? cel_quote(&c->pool, s->image) : "''";
	return pool_printf(&c->pool,
			   "variables.apps.filter(x, x.c.?image.orValue('') != '' && "
			   "!variables.agents.exists(a, a.at == x.at) && "
			   "(x.c.image == %s || variables.ours.exists(o, o.c.image == "
			   "x.c.image))).map(x, x.at + ' runs the agent\\'s image')",
			   image);
}

const char *cel_changed_agent(struct cel *c)
{
	static const char names[] = "['" AGENT_NAME "', '" AGENT_INIT_NAME "']";
	return pool_printf(
		&c->pool,
		"variables.apps.filter(x, x.c.name in %s && !variables.agents.exists(a, "
		"a.at == x.at)).map(x, x.at + ' has the agent\\'s name') + "
		"variables.apps.filter(x, x.c.?targetContainerName.orValue('') in %s)"
		".map(x, x.at + ' looks into the agent\\'s processes') + "
		"variables.apps.filter(x, x.c.?env.orValue([]).exists(e, e.name in "
		"['" CONFIG_ENV "', '" SOCKET_ENV
		"'])).map(x, x.at + ' is an agent that the webhook has "
		"not made') + "
		"(variables.fresh ? variables.ours.filter(x, "
		"x.c.?securityContext.?privileged.orValue(false) || "
		"x.c.?tty.orValue(false) || x.c.?stdin.orValue(false) || "
		"x.c.?env.orValue([]).exists_one(e, e.name == '" CONFIG_ENV
		"') == x.c.?env.orValue([]).exists_one(e, e.name == '" SOCKET_ENV
		"') || x.c.?env.orValue([]).exists(e, "
		"e.?valueFrom.?secretKeyRef.hasValue()))"
		".map(x, x.at + ' was changed by hand') + "
		"(variables.agents.size() > 0 && !%s ? ['metadata.annotations: nothing "
		"asks "
		"the webhook for an agent'] : []) + variables.volumes.filter(v, v.name "
		"in ['" SECRETS_VOLUME "', '" HOME_VOLUME "', '" HOME_INIT_VOLUME
		"', '" STATE_VOLUME "', '" PROGRAM_VOLUME
		"'] && v.?emptyDir.?medium.orValue('') != 'Memory')"
		".map(v, 'spec.volumes[' + v.name + '] has the name of the webhook\\'s') "
		": "
		"[]) + %s + %s",
		names, names, asks(c), image_faults(c), mount_faults(c));
}

// --- updates of a pod that has the agent, whatever the policies say

static const char *kept_annotations(struct cel *c)
{
	const char *marks = keys(c, "inject-status");
	return pool_printf(
		&c->pool,
		"(variables.annotations.filter(k, k.matches(%s) && (!(k in "
		"variables.old_annotations) || variables.old_annotations[k] != "
		"variables.annotations[k])) + variables.old_annotations.filter(k, "
		"k.matches(%s) && !(k in variables.annotations)))"
		".filter(k, k in %s || variables.injected)"
		".map(k, 'metadata.annotations[' + k + ']')",
		cel_prefixes(c), cel_prefixes(c), marks);
}

// A Binding gives its annotations to the pod; it has nothing else that the variables could read.
static const char *bound_annotations(struct cel *c)
{
	return pool_printf(&c->pool,
			   "object.metadata.?annotations.orValue({}).filter(k, "
			   "k.matches(%s)).map(k, 'metadata.annotations[' + k + ']')",
			   cel_prefixes(c));
}

void cel_update_rules(struct cel *c, struct cel_set *set)
{
	static const char remedy[] =
		"cannot be changed on a pod that exists; change the template of its "
		"controller, so that a new pod is made";
	const struct cel_check checks[] = {
		{ "update.annotations", POLICY_ENFORCE, kept_annotations(c), remedy,
		  "!variables.fresh" },
		{ "update.agent", POLICY_ENFORCE,
		  "variables.old_agents.filter(o, !variables.every.exists(x, x.c.name == "
		  "o.name && x.c.image == o.image))"
		  ".map(o, 'container ' + string(o.name))",
		  remedy, "!variables.fresh" },
		{ "forbid.changed_agent", POLICY_ENFORCE, cel_changed_agent(c),
		  "leave the agent to the webhook",
		  "!variables.fresh && variables.injected" },
		{ "update.annotations", POLICY_ENFORCE, bound_annotations(c),
		  "a Binding would give it to a pod that exists; remove it",
		  "request.kind.kind == 'Binding'" },
	};
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		cel_add_check(c, set, &checks[i]);
}
