# SPDX-License-Identifier: Apache-2.0
# Images and annotations as facts: by every name of the same thing.
package lib.ampoule.names

import data.lib.ampoule.facts
import data.lib.ampoule.obj
import data.lib.ampoule.pod

# --- images

is_registry(head) if regex.match(`[A-Z.:]`, head)

is_registry("localhost")

aliases := {"index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"}

plain_registry(head) := "docker.io" if {
	trim_suffix(lower(head), ":443") in aliases
} else := trim_suffix(lower(head), ":443")

# [registry, the rest, was it named]
image_parts(image) := [plain_registry(head), substring(image, count(head) + 1, -1), true] if {
	contains(image, "/")
	head := split(image, "/")[0]
	is_registry(head)
} else := ["docker.io", image, false]

library(registry, rest) := "library/" if {
	registry == "docker.io"
	not contains(rest, "/")
} else := ""

tagged(text, rest) := text if {
	parts := split(rest, "/")
	regex.match("[:@]", parts[count(parts) - 1])
} else := concat("", [text, ":latest"])

# docker.io/library/nginx:latest for nginx; also without the tag, and as it is written.
image_fact(kind, image, at) := object.union(facts.fact(kind, tagged(text, parts[1]), at), {"also": also}) if {
	parts := image_parts(image)
	text := sprintf("%s/%s%s", [parts[0], library(parts[0], parts[1]), parts[1]])
	also := {text} | {image | parts[2]}
}

is_ours(one, state_) if {
	state_.is == "ours"
	one.list != "ephemeralContainers"
	pod.is_agent(one.c)
}

image_facts(world, spec, state_) := ({image_fact("images", obj.text(one.c, "image"), sprintf("%s.image", [one.field])) |
	some one in pod.containers(spec)
	not is_ours(one, state_)
} | {image_fact("images", reference, sprintf("spec.volumes[%s].image", [substring(obj.text(one, "name"), 0, 63)])) |
	some one in obj.each(spec, "volumes")
	reference := obj.text(obj.get(one, "image"), "reference")
	reference != ""
}) | {image_fact("agent_images", obj.text(one.c, "image"), sprintf("%s.image", [one.field])) |
	world.image != ""
	some one in pod.agents_of(spec)
	obj.text(one.c, "image") != world.image
}

# --- annotations, by any of their names

# Those whose name under the peers' prefixes is the same with "agent-" before it.
agent_names := {
	"auto-auth-exit-on-err", "cache-enable", "cache-exit-on-err", "cache-listener-port",
	"cache-use-auto-auth-token", "configmap", "copy-volume-mounts", "disable-idle-connections",
	"disable-keep-alives", "enable-quit", "extra-secret", "image", "init-first",
	"init-json-patch", "inject", "inject-containers", "inject-default-template", "inject-status",
	"inject-token", "json-patch", "limits-cpu", "limits-ephemeral", "limits-mem", "pre-populate",
	"pre-populate-only", "request-namespace", "requests-cpu", "requests-ephemeral",
	"requests-mem", "revoke-grace", "revoke-on-shutdown", "run-as-group", "run-as-same-user",
	"run-as-user", "service-account-token-volume-name", "set-security-context",
	"share-process-namespace",
}

agent_numbered := `^(inject-command|telemetry|template-left-delim|template-right-delim)-.`

not_numbered := `^(secret-volume-path(-.*)?|template-(config-exit-on-retry-failure|lease-renewal-threshold|max-connections-per-host|static-secret-render-interval))$`

inject_numbered := `^(template-file|template|secret|file|perms)-.`

other_name("ampoule.dev/", name) := concat("", ["agent-", name]) if {
	name in agent_names
} else := concat("", ["agent-", name]) if {
	regex.match(agent_numbered, name)
} else := concat("", ["agent-inject-", name]) if {
	regex.match(inject_numbered, name)
	not regex.match(not_numbered, name)
}

other_name(prefix, name) := short if {
	prefix != "ampoule.dev/"
	short := trim_prefix(name, "agent-")
	short != name
	known_name(short)
} else := trim_prefix(name, "agent-inject-") if {
	prefix != "ampoule.dev/"
	startswith(name, "agent-inject-")
	regex.match(inject_numbered, trim_prefix(name, "agent-inject-"))
}

known_name(name) if name in agent_names

known_name(name) if regex.match(agent_numbered, name)

# Names of a login's settings count in either case.
plain_annotation(name) := lower(name) if {
	startswith(name, "auth-config-")
} else := name

annotation_facts(annotations) := {one |
	some key, _ in annotations
	some found in pod.annotation(key)
	not endswith(found[1], "inject-status")
	key != "ampoule.dev/config"
	also := {key} | {name | name := other_name(found[0], found[1])}
	at := sprintf("metadata.annotations[%s]", [substring(key, 0, 150)])
	one := object.union(facts.fact("annotations", plain_annotation(found[1]), at), {"also": also})
}
