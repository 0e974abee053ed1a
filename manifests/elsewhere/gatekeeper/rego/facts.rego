# SPDX-License-Identifier: Apache-2.0
# What a pod uses: read from the pod and from the agent's configuration in it.
package lib.ampoule.facts

import data.lib.ampoule.names
import data.lib.ampoule.obj
import data.lib.ampoule.pattern
import data.lib.ampoule.pod
import data.lib.ampoule.select
import data.lib.ampoule.words

# --- what it says: facts {"kind", "value", "also", "field", "store", "odd"}

fact(kind, value, field_) := {
	"kind": kind, "value": value, "also": set(), "field": field_, "store": "", "odd": false,
}

# Lower case, without the scheme's own port and a slash at the end.
plain_address(address) := regex.replace(
	regex.replace(trim_right(lower(address), "/"), "^(https://.*):443$", "${1}"),
	"^(http://.*):80$", "${1}",
)

address_fact(address, field_) := object.union(fact("addresses", plain_address(address), field_), {"odd": odd}) if {
	odd := regex.match(`[@?#\\% \t\n]`, address)
}

store_facts(name, store, auth) := ({fact("stores", name, at)} | addresses) | (roles | spaces) if {
	at := sprintf("store '%s'", [substring(name, 0, 63)])
	address := obj.text(store, "address")
	addresses := {address_fact(address, at) | address != ""}
	role := obj.text(obj.get(auth, "config"), "role")
	roles := {fact("roles", role, at) | role != ""}
	spaces := {fact("store_namespaces", space, at) |
		some space in {obj.text(store, "namespace"), obj.text(auth, "namespace")}
		space != ""
	}
}

has_vault(doc) if obj.has(doc, "vault")

has_vault(doc) if obj.has(doc, "auto_auth")

stores(doc) := {one |
	has_vault(doc)
	auth := pod.first_of(obj.get(obj.get(doc, "auto_auth"), "method"))
	some one in store_facts("vault", obj.get(doc, "vault"), auth)
} | {one |
	some store in obj.each(doc, "store")
	some one in store_facts(obj.text(store, "name"), store, obj.get(store, "auth"))
}

default_store(doc) := defaults[0] if {
	defaults := [obj.text(one, "name") |
		some one in obj.each(doc, "store")
		obj.get(one, "default") == true
	]
	count(defaults) > 0
} else := "vault" if {
	has_vault(doc)
} else := obj.text(obj.each(doc, "store")[0], "name") if {
	obj.each(doc, "store") != []
} else := ""

is_store(_, "vault")

is_store(doc, name) if {
	some one in obj.each(doc, "store")
	obj.text(one, "name") == name
}

# [store, path]
place(doc, path) := [found[0][1], found[0][2]] if {
	found := regex.find_all_string_submatch_n(`(?s)^([^:/]*):(.*)$`, path, 1)
	is_store(doc, found[0][1])
} else := [default_store(doc), path]

path_fact(doc, path, at) := object.union(
	fact("paths", pattern.bare(where[1]), at),
	{"store": where[0]},
) if {
	where := place(doc, path)
	pattern.plain(where[1])
} else := object.union(
	fact("paths", where[1], at),
	{"store": where[0], "odd": true},
) if {
	where := place(doc, path)
}

template_field(kind, t) := sprintf("%s '%s'", [kind, substring(obj.text(t, "name"), 0, 100)])

templates(doc) := [{"kind": "file", "t": t} | some t in obj.each(doc, "template")]

variables(doc) := [{"kind": "variable", "t": t} | some t in obj.each(doc, "env_template")]

all_templates(configs) := [{"doc": doc, "t": one.t, "kind": one.kind, "field": template_field(one.kind, one.t)} |
	some doc in configs
	some one in array.concat(templates(doc), variables(doc))
]

calls(one) := words.calls(
	obj.text(one.t, "contents"),
	obj.text(one.t, "left_delimiter"),
	obj.text(one.t, "right_delimiter"),
)

reading := {"secret", "secrets", "pkiCert", "write"}

template_facts(list) := ({path_fact(one.doc, obj.text(one.t, "secret"), one.field) |
	some one in list
	obj.text(one.t, "secret") != ""
} | {path_fact(one.doc, call.literal, one.field) |
	some one in list
	some call in calls(one)
	call.function in reading
	is_string(call.literal)
}) | {fact("functions", call.function, one.field) |
	some one in list
	some call in calls(one)
}

paths_of(one) := {obj.text(one.t, "secret")} | {call.literal |
	some call in calls(one)
	call.function in reading
	is_string(call.literal)
}

lifetimes(one) := words.lifetimes(one.t) | {ms |
	some path in paths_of(one)
	some ms in words.path_lifetimes(path)
}

# --- numbers that limits speak of: [[number, field], …]

plain_template(t) := object.remove(t, ["containers", "unread_after"]) if {
	is_object(t)
} else := t

count_files(list) := count({[one.kind, plain_template(one.t)] | some one in list})

intervals(list) := [[ms, one.field] |
	some one in list
	ms := words.duration_of(obj.get(one.t, "interval"))
]

usual_intervals(configs) := [[ms, "static_secret_render_interval"] |
	some doc in configs
	ms := words.duration_of(obj.get(obj.get(doc, "template_config"), "static_secret_render_interval"))
]

config_of(i, c, annotations) := pod.config(c, annotations) if {
	i < 2
} else := []

# --- the whole

read(world) := {
	"world": world,
	"id": select.identity(world),
	"spec": spec,
	"annotations": annotations,
	"containers": pod.containers(spec),
	"agents": agents,
	"state": state_,
	"unseen": [] in configs,
	"proxy": proxy(docs),
	"sink": sink(docs),
	"uses": uses,
	"n_files": count_files(list),
	"intervals": array.concat(intervals(list), usual_intervals(docs)),
	"sizes": [[obj.bytes(obj.text(one.t, "contents")), one.field] | some one in list],
	"lifetimes": [[ms, one.field] | some one in list; some ms in lifetimes(one)],
} if {
	spec := obj.get(world.pod, "spec")
	annotations := obj.get(obj.get(world.pod, "metadata"), "annotations")
	agents := pod.agents_of(spec)
	state_ := pod.state(world, agents, annotations)

	# A pair has two agents; what a third one does is not looked at.
	configs := [config_of(i, one.c, annotations) | some i, one in agents]
	docs := [found[0] | some found in configs]
	list := all_templates(docs)
	uses := ({one | some doc in docs; some one in stores(doc)} | template_facts(list)) | (names.image_facts(world, spec, state_) | names.annotation_facts(annotations))
}

proxy(docs) if {
	some doc in docs
	some key in {"cache", "api_proxy"}
	obj.has(doc, key)
} else := false

# The application gets the agent's token.
sink(docs) if {
	some doc in docs
	some place in [doc, obj.get(doc, "auto_auth")]
	obj.has(place, "sink")
} else := false
