# SPDX-License-Identifier: Apache-2.0
# Ampoule's policies for OPA Gatekeeper: an interpreter of the policy language, so that one
# template serves every policy. The policy is the constraint's parameters, as
# `ampoule policy export --form gatekeeper` writes them:
#
#	policy:   the policy; or purposes: all of them; or injected: true, what holds for every
#	          update of an injected pod, and for Bindings
#	action:   deny, warn or dryrun: which findings are this constraint's
#	image:    the agent's, as the webhook's configuration has it; without it no image is the
#	          operator's or another's
#	writable: the webhook's configuration says so
package ampoule

import data.lib.ampoule.agent
import data.lib.ampoule.facts
import data.lib.ampoule.forbid
import data.lib.ampoule.obj
import data.lib.ampoule.pattern
import data.lib.ampoule.pod
import data.lib.ampoule.select

violation contains {"msg": msg, "details": one} if {
	some one in found
	msg := sprintf("policy '%s' (%s): %s: %s", [one.policy, one.rule, one.field, one.text])
}

# --- the review

parameters := obj.get(input, "parameters")

review := obj.get(input, "review")

action := object.get(parameters, "action", "deny")

object_ := obj.get(review, "object")

old := obj.get(review, "oldObject")

kind := obj.text(obj.get(review, "kind"), "kind") if {
	obj.text(obj.get(review, "kind"), "kind") != ""
} else := obj.text(object_, "kind")

operation := obj.text(review, "operation")

sub_resource := obj.text(review, "subResource")

user := obj.text(obj.get(review, "userInfo"), "username")

default concerns_us := false

concerns_us if {
	is_object(object_)
	operation in {"", "CREATE", "UPDATE"}
	sub_resource == ""
}

concerns_us if {
	is_object(object_)
	operation in {"", "CREATE", "UPDATE"}
	sub_resource in {"ephemeralcontainers", "resize", "status"}
	kind == "Pod"
}

is_update if {
	operation == "UPDATE"
	is_object(old)
}

template_of(o) := places[0] if {
	spec := obj.get(o, "spec")
	job := obj.get(obj.get(spec, "jobTemplate"), "spec")
	places := [place |
		some place in [obj.get(spec, "template"), obj.get(job, "template"), obj.get(o, "template")]
		is_object(obj.get(place, "spec"))
	]
}

# A newer Gatekeeper tells the namespace; an older one knows it where its Config or a SyncSet
# replicates Namespaces.
namespace_labels := object.get(obj.get(space, "metadata"), "labels", {}) if {
	space := obj.get(review, "namespaceObject")
	is_object(obj.get(space, "metadata"))
} else := object.get(metadata, "labels", {}) if {
	metadata := data.inventory.cluster.v1.Namespace[obj.text(review, "namespace")].metadata
} else := null

world(one) := {
	"pod": one,
	"namespace": obj.text(review, "namespace"),
	"namespace_labels": namespace_labels,
	"kind": kind,
	"user": user,
	"image": obj.text(parameters, "image"),
	"writable": obj.get(parameters, "writable") == true,
	"before": earlier,
}

# What is looked at; undefined: nothing.
subject := object_ if {
	concerns_us
	kind == "Pod"
	not mirror
	not is_update
}

subject := object_ if {
	concerns_us
	kind == "Pod"
	not mirror
	is_update
	is_changed
	not obj.has(obj.get(object_, "metadata"), "deletionTimestamp")
}

subject := template_of(object_) if {
	concerns_us
	kind != "Pod"
	not same_template
}

same_template if template_of(object_) == template_of(old)

# A node announces its own static pod, which nobody can refuse.
mirror if {
	obj.has(obj.get(obj.get(object_, "metadata"), "annotations"), "kubernetes.io/config.mirror")
	startswith(user, "system:node:")
}

is_changed if obj.member(object_, "spec") != obj.member(old, "spec")

is_changed if {
	some key in {"annotations", "labels"}
	obj.member(obj.get(object_, "metadata"), key) != obj.member(obj.get(old, "metadata"), key)
}

earlier := before if {
	is_update
	kind == "Pod"
} else := null

# Of an update only what it brings.
before := old if {
	is_update
	kind == "Pod"
}

found := {one |
	some one in judged
	one.action == action
}

judged := (now - known) | bound

default now := set()

now := judge(facts.read(world(subject))) if is_asked

# Whether the constraint has anything to say of such a request.
is_asked if is_object(policy)

is_asked if purposes != []

is_asked if guards

default known := set()

known := judge(facts.read(world(before))) if is_asked

judge(f) := ({one |
	some hit in policy_hits(f)
	one := finding(policy.name, hit, obj.text(policy, "help"), object.get(policy, "workloads", "warn"))
} | {one |
	some hit in purpose_hits(f)
	one := finding(hit.purpose, hit, "", "warn")
}) | {one |
	some hit in injected_hits(f)
	one := finding("injected-pods", hit, "", "warn")
}

# --- findings; a hit is {"rule", "mode", "at": [field, text]}

rank := {"audit": 1, "warn": 2, "enforce": 3}

actions := {1: "dryrun", 2: "warn", 3: "deny"}

# A workload is refused only when the policy says so.
action_of(mode, workloads) := actions[min({rank[mode], most(workloads)})]

most(workloads) := rank[workloads] if {
	kind != "Pod"
} else := 3

helped(text, "") := text

helped(text, help) := sprintf("%s (%s)", [text, help]) if help != ""

finding(name, hit, help, workloads) := {
	"policy": name,
	"rule": hit.rule,
	"field": hit.at[0],
	"text": helped(regex.replace(hit.at[1], `[\x00-\x1f\x7f]`, "?"), help),
	"action": action_of(hit.mode, workloads),
}

# --- a policy

policy := obj.get(parameters, "policy")

mode := object.get(policy, "mode", "enforce")

policy_hits(f) := {hit |
	select.applies(policy, f.id)
	some hit in ((required(f) | forbidden(f)) | (listed(f) | limited(f)))
	not select.exempt(policy, hit.rule, f.id)
} if {
	is_object(policy)
} else := set()

required(f) := {{"rule": "require.inject", "mode": policy.require.inject, "at": at} |
	some at in bare(f)
}

bare(f) := {["metadata.annotations", "pods here must be injected; add the annotation ampoule.dev/inject: \"true\" and the secrets that the pod needs"]} if {
	f.state.is == "none"
} else := {[f.state.field, sprintf("pods here must be injected: %s", [f.state.text])]} if {
	f.state.is == "changed"
} else := set()

forbidden(f) := {{"rule": sprintf("forbid.%s", [word]), "mode": how, "at": at} |
	some word, how in obj.get(policy, "forbid")
	some at in forbid_hits(word, f)
}

forbid_hits("forged_mark", f) := agent.forged_mark(f)

forbid_hits("changed_agent", f) := agent.changed_agent(f)

forbid_hits("overrides", f) := agent.overrides(f)

forbid_hits(word, f) := forbid.hits(word, f) if not word in {"forged_mark", "changed_agent", "overrides"}

# --- allow and deny

separators := {
	"stores": "", "store_namespaces": "/", "addresses": "/:", "roles": "", "paths": "/",
	"functions": "", "images": "/", "agent_images": "/", "annotations": "",
}

nouns := {
	"stores": "the store", "store_namespaces": "the store's namespace",
	"addresses": "the address", "roles": "the role", "paths": "the path",
	"functions": "the function", "images": "the image", "agent_images": "the agent's image",
	"annotations": "the annotation",
}

remedies := {
	"stores": "name another store by the annotation ampoule.dev/stores",
	"store_namespaces": "remove the annotation that sets the namespace",
	"addresses": "remove the annotation that sets the address",
	"roles": "choose another role",
	"paths": "choose another path, or ask the policy's owner",
	"functions": "write the template without it",
	"images": "use another image",
	"agent_images": "remove the annotation agent-image",
	"annotations": "remove it",
}

of_agent := {"stores", "store_namespaces", "addresses", "roles", "paths", "functions"}

unseen := "the agent takes its configuration from where nobody can look at it here; use annotations in place of agent-configmap"

covered(patterns, fact, deny) if {
	fact.kind == "paths"
	pattern.covers_path(patterns, fact.store, fact.value, deny)
}

covered(patterns, fact, _) if {
	fact.kind != "paths"
	some name in ({fact.value} | fact.also)
	pattern.matches(patterns, name, separators[fact.kind])
}

not_plain(fact) := sprintf("%s '%s' is not written plainly (no %%, //, .., user or query), so that no rule can be asked about it; write it plainly", [nouns[fact.kind], substring(fact.value, 0, 100)])

not_listed("allow", fact, patterns) := "not allowed" if not covered(patterns, fact, false)

not_listed("deny", fact, patterns) := "denied" if covered(patterns, fact, true)

fact_text(_, fact, _) := not_plain(fact) if fact.odd

fact_text(list, fact, patterns) := sprintf("%s '%s' is %s; %s", [nouns[fact.kind], substring(fact.value, 0, 150), why, remedies[fact.kind]]) if {
	not fact.odd
	why := not_listed(list, fact, patterns)
}

list_hits(list, what, patterns, f) := {[fact.field, fact_text(list, fact, patterns)] |
	some fact in f.uses
	fact.kind == what
} | ({["metadata.annotations", way_around(f)] |
	what == "paths"
} | {["metadata.annotations", unseen] |
	what in of_agent
	f.unseen
})

# How the application reaches paths that nobody has named; undefined: it does not.
way_around(f) := "with the agent's token the application could read any path; remove the annotation agent-inject-token" if {
	f.sink
} else := "the agent's proxy would pass any path on; remove the annotation agent-cache-enable" if {
	f.proxy
}

listed(f) := {{"rule": sprintf("%s.%s", [list, what]), "mode": mode, "at": at} |
	some list in {"allow", "deny"}
	some what, patterns in obj.get(policy, list)
	some at in list_hits(list, what, patterns, f)
}

# --- limits, in milliseconds and bytes

limited(f) := {{"rule": sprintf("limits.%s", [word]), "mode": mode, "at": at} |
	some word, limit in obj.get(policy, "limits")
	some at in (limit_hits(word, limit, f) | {["metadata.annotations", unseen] | f.unseen})
}

seconds(ms) := floor(ms / 1000)

limit_hits("min_interval", limit, f) := {[least[1], sprintf("it is read each %d s, which is too often; an interval of %d s or more is wanted", [seconds(least[0]), seconds(limit)])] |
	least := min({one | some one in f.intervals})
	least[0] < limit
}

limit_hits("max_files", limit, f) := {["metadata.annotations", sprintf("%d files and variables are asked for; at most %d are allowed", [f.n_files, limit])] |
	f.n_files > limit
}

limit_hits("max_template", limit, f) := {[most_[1], sprintf("its template has %d bytes; at most %d are allowed", [most_[0], limit])] |
	most_ := max({one | some one in f.sizes})
	most_[0] > limit
}

limit_hits("max_ttl", limit, f) := {[most_[1], sprintf("it asks for a lifetime of %d s; at most %d s are allowed", [seconds(most_[0]), seconds(limit)])] |
	most_ := max({one | some one in f.lifetimes})
	most_[0] > limit
}

# --- purposes: what one binds is only for those whom it, or another that binds it, is for

purposes := obj.each(parameters, "purposes")

belongs(purpose, f) if select.selects(obj.get(purpose, "who"), f.id, false)

binds(purpose, fact) if {
	obj.has(purpose.binds, fact.kind)
	fact.odd
}

binds(purpose, fact) if {
	not fact.odd
	covered(object.get(purpose.binds, fact.kind, []), fact, true)
}

is_free(fact, f) if {
	not fact.odd
	some purpose in purposes
	binds(purpose, fact)
	belongs(purpose, f)
}

purpose_text(_, fact, _) := not_plain(fact) if fact.odd

purpose_text(purpose, fact, f) := sprintf("%s '%s' is for the purpose '%s' alone, and neither namespace '%s' nor service account '%s' belongs to it", [nouns[fact.kind], substring(fact.value, 0, 150), purpose.name, f.id.namespace, f.id.account]) if not fact.odd

purpose_hits(f) := {purpose_hit(bound, [fact.field, purpose_text(bound, fact, f)]) |
	some fact in f.uses
	list := [purpose | some purpose in purposes; binds(purpose, fact)]
	bound := list[count(list) - 1]
	not is_free(fact, f)
} | {purpose_hit(purpose, ["metadata.annotations", beyond(purpose, f)]) |
	some purpose in purposes
	not belongs(purpose, f)
}

# What the pod's agent may read, and nobody can look at.
beyond(purpose, f) := unseen if {
	f.unseen
} else := way_around(f) if {
	f.sink
	object.get(purpose.binds, "paths", []) != []
}

purpose_hit(purpose, at) := {
	"rule": "purpose",
	"mode": object.get(purpose, "mode", "enforce"),
	"purpose": purpose.name,
	"at": at,
}

# --- updates: what holds whatever the policies say

guards if {
	obj.get(parameters, "injected") == true
	kind == "Pod"
	is_update
}

injected_hits(f) := {{"rule": "forbid.changed_agent", "mode": "enforce", "at": at} |
	was_injected
	some at in agent.changed_agent(f)
} | ({{"rule": "forbid.forged_mark", "mode": "enforce", "at": at} |
	was_injected
	some at in agent.forged_mark(f)
} | {{"rule": hit[0], "mode": "enforce", "at": [hit[1], hit[2]]} |
	f.world.pod == object_
	some hit in kept
}) if {
	guards
} else := set()

# A Binding gives its annotations to a pod that exists.
bound := {finding("injected-pods", hit, "", "enforce") |
	obj.get(parameters, "injected") == true
	kind == "Binding"
	some key in object.keys(object_or_none(annotations(object_)))
	pod.annotation(key) != []
	at := [sprintf("metadata.annotations[%s]", [substring(key, 0, 150)]), "a Binding would give it to a pod that exists; remove it"]
	hit := {"rule": "update.annotations", "mode": "enforce", "at": at}
}

was_injected if pod.agents_of(obj.get(old, "spec")) != []

annotations(o) := obj.get(obj.get(o, "metadata"), "annotations")

changed_annotations := {key |
	some key in object.keys(both)
	pod.annotation(key) != []
	obj.member(annotations(old), key) != obj.member(annotations(object_), key)
} if {
	both := object.union(object_or_none(annotations(old)), object_or_none(annotations(object_)))
}

object_or_none(o) := o if {
	is_object(o)
} else := {}

guarded_key(key) if endswith(key, "inject-status")

guarded_key(_) if was_injected

kept := {["update.annotations", sprintf("metadata.annotations[%s]", [substring(key, 0, 150)]), "it cannot be changed on a pod that exists; change the template of its controller, so that a new pod is made"] |
	some key in changed_annotations
	guarded_key(key)
} | {["update.agent", sprintf("container '%s'", [obj.text(one.c, "name")]), "the agent of a pod that exists cannot be changed; change the template of its controller, so that a new pod is made"] |
	some one in pod.agents_of(obj.get(old, "spec"))
	same := [other |
		some other in obj.named(obj.each(obj.get(object_, "spec"), one.list), "name", obj.text(one.c, "name"))
		object.remove(other, ["resources"]) == object.remove(one.c, ["resources"])
	]
	same == []
}
