# SPDX-License-Identifier: Apache-2.0
# Runs the interpreter over many cases in one evaluation: input.cases is a list of {"review",
# "constraints": [parameters], "inventory", "now": nanoseconds}; each gets its findings.
package cases

violations(one) := {v |
	some parameters in one.constraints
	some v in data.ampoule.violation with input as {"parameters": parameters, "review": one.review}
		with data.inventory as one.inventory
		with time.now_ns as one.now
}

# The same without asking each of the constraints that differ in their action alone: "actions"
# says which a policy has.
findings(one) := {{"details": v, "msg": msg} |
	some parameters in one.policies
	some v in data.ampoule.judged with input as {"parameters": parameters, "review": one.review}
		with data.inventory as one.inventory
		with time.now_ns as one.now
	v.action in parameters.actions
	msg := sprintf("policy '%s' (%s): %s: %s", [v.policy, v.rule, v.field, v.text])
}

at_once := [answer |
	some one in input.cases
	answer := findings(one)
]

answers := [answer |
	some one in input.cases
	answer := violations(one)
]
