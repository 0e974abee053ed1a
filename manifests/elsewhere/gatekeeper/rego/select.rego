# SPDX-License-Identifier: Apache-2.0
# Whom a policy is for. The namespace is the request's; an owner counts in favour of a pod only
# when the cluster's own controllers send it.
package lib.ampoule.select

import data.lib.ampoule.obj
import data.lib.ampoule.pattern

account(spec) := name if {
	name := obj.text(spec, "serviceAccountName")
	name != ""
} else := name if {
	name := obj.text(spec, "serviceAccount")
	name != ""
} else := "default"

is_controller(user) if startswith(user, "system:serviceaccount:kube-system:")

is_controller("system:kube-controller-manager")

by_controller(user) if {
	is_controller(user)
} else := false

owner_kinds(metadata) := {kind |
	some one in obj.each(metadata, "ownerReferences")
	obj.get(one, "controller") == true
	kind := obj.text(one, "kind")
}

makers := {"ReplicaSet": "Deployment", "Job": "CronJob"}

# `world` is what ampoule.rego makes of the review.
identity(world) := {
	"namespace": world.namespace,
	"namespace_labels": world.namespace_labels,
	"account": account(obj.get(world.pod, "spec")),
	"kind": world.kind,
	"owners": (owners | {makers[kind] | some kind in owners}),
	"labels": obj.get(metadata, "labels"),
	"by_controller": by_controller(world.user),
} if {
	metadata := obj.get(world.pod, "metadata")
	owners := owner_kinds(metadata)
}

kind_matches(kinds, id, _) if pattern.matches(kinds, id.kind, "")

kind_matches(kinds, id, believed) if {
	true in {believed, id.by_controller}
	some owner in id.owners
	owner != ""
	pattern.matches(kinds, owner, "")
}

account_matches(accounts, id) if {
	some one in accounts
	contains(one, "/")
	pattern.glob(one, sprintf("%s/%s", [id.namespace, id.account]), "/")
}

account_matches(accounts, id) if {
	some one in accounts
	not contains(one, "/")
	pattern.glob(one, id.account, "/")
}

labels_match(rules, labels) if {
	every key, wanted in rules {
		is_string(obj.get(labels, key))
		pattern.glob(wanted, obj.get(labels, key), "")
	}
}

fails(s, id, _) if {
	obj.has(s, "namespaces")
	not pattern.matches(s.namespaces, id.namespace, "")
}

fails(s, id, _) if {
	obj.has(s, "service_accounts")
	not account_matches(s.service_accounts, id)
}

fails(s, id, unknown) if {
	obj.has(s, "kinds")
	not kind_matches(s.kinds, id, unknown)
}

fails(s, id, _) if {
	obj.has(s, "labels")
	not labels_match(s.labels, id.labels)
}

fails(s, id, _) if {
	obj.has(s, "namespace_labels")
	is_object(id.namespace_labels)
	not labels_match(s.namespace_labels, id.namespace_labels)
}

fails(s, id, false) if {
	obj.has(s, "namespace_labels")
	not is_object(id.namespace_labels)
}

# `unknown` is the answer where the namespace's labels would decide and are not known.
selects(s, id, unknown) if not fails(s, id, unknown)

applies(policy, id) if {
	selects(object.get(policy, "match", {}), id, true)
	not excluded(policy, id)
}

excluded(policy, id) if {
	obj.has(policy, "exclude")
	selects(policy.exclude, id, false)
}

day_ns := ((24 * 60) * 60) * 1000000000

# Until the end of its last day, UTC.
exempt(policy, rule, id) if {
	some one in obj.each(policy, "exempt")
	begin := time.parse_rfc3339_ns(sprintf("%sT00:00:00Z", [obj.text(one, "until")]))
	begin + day_ns > time.now_ns()
	covers_rule(one, rule)
	selects(obj.get(one, "who"), id, false)
}

covers_rule(one, _) if not obj.has(one, "rules")

covers_rule(one, rule) if pattern.matches(one.rules, rule, ".")
