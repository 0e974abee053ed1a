# SPDX-License-Identifier: Apache-2.0
# The rules of `forbid` that look at the pod's own part: environment, volumes, identity. Each is a
# set of [field, text]; `f` is what facts.read() makes of a pod.
package lib.ampoule.forbid

import data.lib.ampoule.literal
import data.lib.ampoule.names
import data.lib.ampoule.obj

others(f) := [one |
	some one in f.containers
	not names.is_ours(one, f.state)
]

env_field(one, entry) := sprintf("%s.env[%s]", [one.field, substring(obj.text(entry, "name"), 0, 100)])

hits("env_secrets", f) := {[env_field(one, entry), "a Kubernetes Secret in an environment variable (secretKeyRef); take it as a file: annotation ampoule.dev/secret-<n>"] |
	some one in others(f)
	some entry in obj.each(one.c, "env")
	obj.has(obj.get(entry, "valueFrom"), "secretKeyRef")
} | ({[env_field(one, entry), "a file of a volume for secrets in an environment variable (fileKeyRef); let the application read the file"] |
	some one in others(f)
	some entry in obj.each(one.c, "env")
	volume := obj.text(obj.get(obj.get(entry, "valueFrom"), "fileKeyRef"), "volumeName")
	volume != ""
	is_for_secrets(f, volume)
} | {[sprintf("%s.envFrom[%d]", [one.field, i]), "a whole Kubernetes Secret in the environment (secretRef); take it as a file: annotation ampoule.dev/secret-<n>"] |
	some one in others(f)
	some i, entry in obj.each(one.c, "envFrom")
	obj.has(entry, "secretRef")
})

hits("env_literals", f) := {[env_field(one, entry), text] |
	some one in others(f)
	some entry in obj.each(one.c, "env")
	what := literal.credential(obj.text(entry, "name"), obj.text(entry, "value"))
	text := sprintf("its value looks like %s; put it into a store and take it as a file: annotation ampoule.dev/secret-<n>", [what])
}

# --- volumes

secret_words := {
	"secret", "secrets", "credential", "credentials", "creds", "password", "passwords", "token",
	"tokens", "vault", "keys", "private",
}

speaks_of_secrets(text) if {
	some word in regex.find_n("[A-Za-z0-9]+", text, -1)
	lower(word) in secret_words
}

is_mounted(f, volume) if {
	some one in others(f)
	some mount in obj.each(one.c, "volumeMounts")
	obj.text(mount, "name") == volume
}

is_for_secrets(_, volume) if speaks_of_secrets(volume)

is_for_secrets(f, volume) if {
	some one in f.containers
	some mount in obj.each(one.c, "volumeMounts")
	obj.text(mount, "name") == volume
	speaks_of_secrets(obj.text(mount, "mountPath"))
}

volumes(f) := obj.each(f.spec, "volumes")

volume_field(volume) := sprintf("spec.volumes[%s]", [substring(obj.text(volume, "name"), 0, 63)])

projects(volume, what) if {
	some source in obj.each(obj.get(volume, "projected"), "sources")
	obj.has(source, what)
}

holds_secret(volume) if obj.has(volume, "secret")

holds_secret(volume) if projects(volume, "secret")

hits("secret_volumes", f) := {[volume_field(one), "a Kubernetes Secret as a volume, which lies unencrypted in the API; take it from a store: annotation ampoule.dev/secret-<n>"] |
	some one in volumes(f)
	holds_secret(one)
	is_mounted(f, obj.text(one, "name"))
}

disk_of(volume) := "an emptyDir without medium: Memory" if {
	is_object(obj.get(volume, "emptyDir"))
	obj.text(volume.emptyDir, "medium") != "Memory"
} else := "a folder of the node" if {
	not is_object(obj.get(volume, "emptyDir"))
	obj.has(volume, "hostPath")
} else := "a persistent volume" if {
	not is_object(obj.get(volume, "emptyDir"))
	some key in {"persistentVolumeClaim", "ephemeral"}
	obj.has(volume, key)
}

hits("disk_volumes", f) := {[volume_field(one), text] |
	some one in volumes(f)
	disk := disk_of(one)
	is_for_secrets(f, obj.text(one, "name"))
	text := sprintf("a volume for secrets lies on a disk: it is %s; use the agent's memory volume", [disk])
}

guarded := {
	"/var/lib/kubelet", "/proc", "/run", "/var/run", "/var/lib/containerd",
	"/var/lib/containers", "/var/lib/docker", "/var/lib/etcd", "/etc/kubernetes", "/dev",
}

plain_folder(path) := concat("", [concat("", ["/", part]) |
	some part in split(path, "/")
	not part in {"", "."}
])

# Whether one path is the other or lies below it.
overlaps(path, folder) if startswith(concat("", [folder, "/"]), concat("", [path, "/"]))

overlaps(path, folder) if startswith(concat("", [path, "/"]), concat("", [folder, "/"]))

is_bad_folder(path) if not startswith(path, "/")

is_bad_folder(path) if ".." in split(path, "/")

is_bad_folder(path) if {
	some folder in guarded
	overlaps(plain_folder(path), folder)
}

hits("host_paths", f) := {[volume_field(one), text] |
	some one in volumes(f)
	obj.has(one, "hostPath")
	path := obj.text(one.hostPath, "path")
	is_bad_folder(path)
	text := sprintf("a folder of the node from which other pods' secrets can be read (hostPath %s); use another volume", [substring(path, 0, 100)])
}

# --- identity

hits("default_account", f) := {["spec.serviceAccountName", "the default service account is shared by all pods of the namespace; give the pod an account of its own"] |
	f.id.account == "default"
}

automounts(f) if not obj.get(f.spec, "automountServiceAccountToken") == false

hits("account_token", f) := {["spec.automountServiceAccountToken", "the application gets a token for the Kubernetes API; set it to false (the agent gets its own token)"] |
	automounts(f)
} | {[volume_field(one), "a projected service account token is mounted into the application; remove the mount (the agent gets its own token)"] |
	not automounts(f)
	some one in volumes(f)
	projects(one, "serviceAccountToken")
	is_mounted(f, obj.text(one, "name"))
}

hits("shared_processes", f) := {["spec.hostPID", "the pod sees the processes of the node; remove it"] |
	obj.get(f.spec, "hostPID") == true
} | {["spec.shareProcessNamespace", "containers can look into each other's processes; remove it (the webhook sets it where the agent must signal)"] |
	obj.get(f.spec, "shareProcessNamespace") == true
	not f.state.is == "ours"
}
