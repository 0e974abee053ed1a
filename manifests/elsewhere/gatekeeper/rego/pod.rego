# SPDX-License-Identifier: Apache-2.0
# A pod's containers, and the agent among them: whether it is the operator's as far as the object
# tells (name, program, arguments, image, variables, privilege), and its configuration.
package lib.ampoule.pod

import data.lib.ampoule.obj

lists := ["initContainers", "containers", "ephemeralContainers"]

prefixes := ["vault.hashicorp.com/", "openbao.openbao.org/", "openbao.org/", "ampoule.dev/"]

field(list, container) := sprintf("spec.%s[%s]", [list, substring(obj.text(container, "name"), 0, 63)])

agent_env(container) if {
	some one in obj.each(container, "env")
	obj.text(one, "name") in {"AMPOULE_CONFIG", "AMPOULE_STATUS_SOCKET"}
}

agent_name("vault-agent")

agent_name("vault-agent-init")

is_agent(container) if {
	agent_env(container)
	agent_name(obj.text(container, "name"))
}

is_agent(container) if {
	agent_env(container)
	obj.each(container, "command")[0] == "/ampoule-agent"
}

containers(spec) := [{"list": list, "c": c, "field": field(list, c)} |
	some list in lists
	some c in obj.each(spec, list)
]

agents_of(spec) := [one |
	some one in containers(spec)
	one.list != "ephemeralContainers"
	agent_env(one.c)
]

# --- annotations of ours

# [] or [prefix, what follows it]
annotation(key) := [[prefix, trim_prefix(key, prefix)] |
	some prefix in prefixes
	startswith(key, prefix)
]

asks_injection(annotations) if {
	some key, value in annotations
	some found in annotation(key)
	found[1] in {"inject", "agent-inject"}
	is_string(value)
	lower(value) in {"1", "t", "true"}
}

has_mark(annotations) if {
	some key, value in annotations
	some found in annotation(key)
	endswith(found[1], "inject-status")
	value == "injected"
}

# --- whether the agent is the operator's, as far as the object tells

# An image that an annotation chose is the concern of agent_images and overrides.
foreign_image(world, annotations, c) if {
	world.image != ""
	obj.text(c, "image") != world.image
	chosen := [value |
		some key, value in annotations
		some found in annotation(key)
		found[1] in {"image", "agent-image"}
	]
	not obj.text(c, "image") in chosen
}

by_patch := "its %s is not the webhook's"

members := {
	"name", "image", "command", "args", "env", "resources", "securityContext", "volumeMounts",
	"lifecycle", "startupProbe", "restartPolicy", "imagePullPolicy", "ports", "resizePolicy",
	"terminationMessagePath", "terminationMessagePolicy",
}

program := "/ampoule-agent"

argument := `^(agent|--once|--copy-to=/ampoule/bin|--config=/[^ ]*config[^ ]*\.hcl|-*(log-level|log-format|timeout)=.*)$`

guarded := `(?i)^(VAULT_|BAO_|AMPOULE_|LD_|SSL|OPENSSL_|CURL_)`

own := `(?i)^(AMPOULE_CONFIG$|AMPOULE_STATUS_SOCKET$|(VAULT|BAO|AMPOULE)_LOG_)`

has_config(c) if obj.named(obj.each(c, "env"), "name", "AMPOULE_CONFIG") != []

# What even a JSON patch of the webhook's may not have made of its agent.
strange(c) := sprintf(by_patch, [key]) if {
	more := object.keys(c) - members
	some key in more
	key == min(more)
} else := sprintf(by_patch, ["command"]) if {
	obj.get(c, "command") != [program]
} else := sprintf(by_patch, ["args"]) if {
	some one in obj.each(c, "args")
	not plain_argument(one)
} else := sprintf(by_patch, ["lifecycle"]) if {
	hook := object.get(c, ["lifecycle", "postStart", "exec", "command"], [program])
	not first_is_program(hook)
} else := sprintf(by_patch, ["lifecycle"]) if {
	obj.has(obj.get(c, "lifecycle"), "preStop")
} else := sprintf(by_patch, ["env"]) if {
	has_config(c)
	some one in obj.each(c, "env")
	regex.match(guarded, obj.text(one, "name"))
	not regex.match(own, obj.text(one, "name"))
} else := sprintf(by_patch, ["volumeMounts"]) if {
	has_config(c)
	some one in obj.named(obj.each(c, "volumeMounts"), "name", "vault-secrets")
	obj.text(one, "mountPath") != "/ampoule/secrets"
} else := sprintf(by_patch, ["securityContext"]) if {
	some key in {"privileged", "allowPrivilegeEscalation"}
	obj.get(obj.get(c, "securityContext"), key) == true
}

plain_argument(text) if {
	is_string(text)
	regex.match(argument, text)
}

first_is_program(command) if first_of(command) == program

# A configuration of the webhook's says where the secrets go.
is_foreign_config(c, annotations) if {
	some doc in config(c, annotations)
	not obj.has(doc, "deliver")
}

not_made := "it is an agent that the webhook has not made; remove the container"

by_hand(why) := sprintf("the agent was changed by hand: %s; leave the container to the webhook", [why])

fault(world, annotations, one) := not_made if {
	not is_agent(one.c)
} else := by_hand("its image differs from the operator's") if {
	foreign_image(world, annotations, one.c)
} else := by_hand(why) if {
	why := strange(one.c)
} else := by_hand("its configuration differs from what the webhook makes of the annotations") if {
	is_foreign_config(one.c, annotations)
}

bare_agents(list) := {[one.list, object.remove(one.c, ["resources"])] | some one in list}

# An update that leaves the agents as they were.
untouched(world, agents) if {
	is_object(world.before)
	bare_agents(agents) == bare_agents(agents_of(obj.get(world.before, "spec")))
}

# A workload's template is injected when its pods are made.
state(world, [], annotations) := {"is": "awaited"} if {
	world.kind != "Pod"
	not has_mark(annotations)
	asks_injection(annotations)
} else := {"is": "none"}

state(world, agents, annotations) := {"is": "ours"} if {
	agents != []
	untouched(world, agents)
} else := faults[0] if {
	faults := [{"is": "changed", "field": one.field, "text": text} |
		some one in agents
		text := fault(world, annotations, one)
	]
	count(faults) > 0
} else := {"is": "ours"} if {
	agents != []
}

# --- the agent's configuration

config_text(container) := values[count(values) - 1] if {
	values := [obj.text(one, "value") |
		some one in obj.named(obj.each(container, "env"), "name", "AMPOULE_CONFIG")
	]
} else := ""

is_base64(text) if {
	count(text) % 4 == 0
	regex.match(`^[A-Za-z0-9+/]*={0,2}$`, text)
}

# The agent takes the annotation only as it stands in the digest.
plain_config(text, long) := long if {
	startswith(text, "file:")
	endswith(text, concat("", ["#sha256=", crypto.sha256(long)]))
} else := text if {
	startswith(text, "{")
} else := base64.decode(text) if {
	text != ""
	is_base64(text)
}

# [] when nobody can look at it here.
config(container, annotations) := [json.unmarshal(text)] if {
	text := plain_config(config_text(container), obj.text(annotations, "ampoule.dev/config"))
	json.is_valid(text)
} else := []

first_of(value) := value[0] if {
	is_array(value)
	value != []
} else := null if {
	is_array(value)
} else := value
