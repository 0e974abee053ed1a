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

answers := [answer |
	some one in input.cases
	answer := violations(one)
]
