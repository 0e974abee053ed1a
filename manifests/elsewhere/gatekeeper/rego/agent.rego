# SPDX-License-Identifier: Apache-2.0
# The rules about the agent: a mark without it, what passes for it, and annotations that are the
# operator's. Whether the agent is field for field what the webhook makes can only the webhook
# tell; this looks at its name, program, image and privilege.
package lib.ampoule.agent

import data.lib.ampoule.obj
import data.lib.ampoule.pod

marks := {
	"vault.hashicorp.com/agent-inject-status", "openbao.openbao.org/agent-inject-status",
	"openbao.org/agent-inject-status", "ampoule.dev/inject-status",
}

forged_mark(f) := {[sprintf("metadata.annotations[%s]", [key]), "the pod says that it is injected, but has no agent; remove the annotation, which the webhook sets itself"] |
	f.state.is == "none"
	some key in marks
	obj.get(f.annotations, key) == "injected"
}

private := {"home-sidecar", "home-init", "vault-agent-cache", "ampoule-token"}

# A container's own folder: its name, with a number behind a dot for further mounts.
own_folder(folder, container) if {
	container != ""
	folder == container
}

own_folder(folder, container) if {
	container != ""
	startswith(folder, container)
	regex.match(`^\.[0-9]+$`, trim_prefix(folder, container))
}

locked(mount) if obj.get(mount, "readOnly") == true

mount_fault(f, mount, container) := "mounts a volume that is the agent's alone" if {
	obj.text(mount, "name") in private
} else := "could change the agent's program" if {
	obj.text(mount, "name") == "ampoule-program"
	not locked(mount)
} else := "mounts more of the secrets' volume than its own folder" if {
	obj.text(mount, "name") == "vault-secrets"
	f.unseen == false
	not own_folder(obj.text(mount, "subPath"), container)
} else := "could write where the agent does" if {
	obj.text(mount, "name") == "vault-secrets"
	f.unseen == false
	not locked(mount)
	f.world.writable == false
}

is_suspect(one, _) if one.list == "ephemeralContainers"

# The kubelet reads for the container what it does not mount.
file_fault(f, ref, container) := "mounts a volume that is the agent's alone" if {
	obj.text(ref, "volumeName") in private
} else := "mounts more of the secrets' volume than its own folder" if {
	obj.text(ref, "volumeName") == "vault-secrets"
	f.unseen == false
	not own_folder(split(obj.text(ref, "path"), "/")[0], container)
}

is_suspect(one, f) if {
	one.list != "ephemeralContainers"
	not first_agent(f, one)
	not named_agent(one.c)
}

first_agent(f, one) if f.agents[0] == one

named_agent(c) if {
	pod.agent_env(c)
	pod.agent_name(obj.text(c, "name"))
}

suspects(f) := [one | some one in f.containers; is_suspect(one, f)]

agent_images(f) := {obj.text(one.c, "image") | some i, one in f.agents; i == 0}

look(f, one) := {[one.field, "it has the agent's name, but is not the agent; rename it"] |
	pod.agent_name(obj.text(one.c, "name"))
	not pod.agent_env(one.c)
} | ({[one.field, "it is a second agent; remove it"] |
	one.list == "ephemeralContainers"
	pod.agent_env(one.c)
} | ({[one.field, "it looks into the agent's processes (targetContainerName); choose another container"] |
	pod.agent_name(obj.text(one.c, "targetContainerName"))
} | ((images(f, one) | {[sprintf("%s.volumeMounts[%s]", [one.field, substring(obj.text(mount, "mountPath"), 0, 150)]), text] |
	some mount in obj.each(one.c, "volumeMounts")
	why := mount_fault(f, mount, obj.text(one.c, "name"))
	text := sprintf("the container %s (%s); remove the mount", [why, substring(obj.text(mount, "name"), 0, 63)])
}) | {[sprintf("%s.env[%s]", [one.field, substring(obj.text(entry, "name"), 0, 150)]), text] |
	some entry in obj.each(one.c, "env")
	why := file_fault(f, obj.get(obj.get(entry, "valueFrom"), "fileKeyRef"), obj.text(one.c, "name"))
	text := sprintf("the container %s (%s); remove the fileKeyRef", [why, substring(obj.text(entry.valueFrom.fileKeyRef, "volumeName"), 0, 63)])
})))

is_agents_image(f, image) if image in agent_images(f)

is_agents_image(f, image) if {
	image != ""
	image == f.world.image
}

images(f, one) := {[one.field, text] |
	is_agents_image(f, obj.text(one.c, "image"))
	not pod.agent_env(one.c)
	f.agents != []
	text := "it runs the agent's image on its own account; leave the agent to the webhook"
} | {[one.field, text] |
	f.agents == []
	is_agents_image(f, obj.text(one.c, "image"))
	text := "it runs the agent's image by hand; ask for injection by annotation"
}

our_volumes := {"vault-secrets", "home-sidecar", "home-init", "vault-agent-cache", "ampoule-program"}

false_volumes(f) := {[sprintf("spec.volumes[%s]", [name]), "it has the name of a volume of the webhook's, but is another one; rename it"] |
	some name in our_volumes
	one := obj.named(obj.each(f.spec, "volumes"), "name", name)[0]
	obj.text(obj.get(one, "emptyDir"), "medium") != "Memory"
}

changed_agent(f) := {[f.state.field, f.state.text] |
	f.state.is == "changed"
} | ({hit | some one in suspects(f); some hit in look(f, one)} | false_volumes(f))

operators := {
	"service", "ca-cert", "ca-key", "tls-skip-verify", "tls-server-name", "tls-secret",
	"proxy-address", "auth-type", "auth-path", "auth-config-token-path",
	"auth-config-token_path", "auth-config-path", "auth-config-ca-cert",
	"auth-config-ca_cert", "agent-image", "agent-configmap",
	"agent-json-patch", "agent-init-json-patch", "agent-extra-secret",
	"agent-service-account-token-volume-name",
}

overrides(f) := {[fact.field, "what it sets is the operator's; remove it, or ask for a store in the webhook's configuration"] |
	some fact in f.uses
	fact.kind == "annotations"
	some name in ({fact.value} | fact.also)
	lower(name) in operators
}
