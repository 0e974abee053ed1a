# SPDX-License-Identifier: Apache-2.0
# Members of any JSON value. None of these is ever undefined: what is missing or of another type
# reads as empty, so that no strange pod makes a rule fall silent.
package lib.ampoule.obj

get(o, key) := object.get(o, key, null) if {
	is_object(o)
} else := null

has(o, key) if {
	is_object(o)
	key in object.keys(o)
}

# [] without the member, else a list of it: tells null from nothing.
member(o, key) := [get(o, key)] if {
	has(o, key)
} else := []

text(o, key) := value if {
	value := get(o, key)
	is_string(value)
} else := ""

# The elements of a list.
each(o, key) := value if {
	value := get(o, key)
	is_array(value)
} else := []

# Those of a list of objects whose `key` is `name`.
named(list, key, name) := [one | some one in list; text(one, key) == name]

bytes(text) := count(hex.encode(text)) / 2
