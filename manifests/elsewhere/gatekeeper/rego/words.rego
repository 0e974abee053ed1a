# SPDX-License-Identifier: Apache-2.0
# A look at a template's text: which functions its actions call, with which literal first
# argument, and which lifetimes they ask for. What it does not understand counts as computed.
package lib.ampoule.words

import data.lib.ampoule.obj

keywords := {
	"if", "else", "end", "range", "with", "define", "block", "break", "continue", "template",
	"nil", "true", "false",
}

or_usual(text, _) := text if text != ""

or_usual("", usual) := usual

quote(text) := regex.replace(text, `[^A-Za-z0-9]`, `\${0}`)

# Each action without its delimiters; comments are left out, and a delimiter inside of quotes ends
# nothing.
actions(text, left, right) := [found[1] |
	l := quote(or_usual(left, "{{"))
	r := quote(or_usual(right, "}}"))
	comment := `(?:-[ \t\r\n])?/\*.*?(?:\*/|\z)`
	quoted := "\"(?:[^\"\\\\]|\\\\.)*\"?|'(?:[^'\\\\]|\\\\.)*'?|`[^`]*`?"
	expression := sprintf(`(?s)%s(?:%s|((?:%s|.)*?)(?:%s|\z))`, [l, comment, quoted, r])
	some found in regex.find_all_string_submatch_n(expression, text, -1)
]

tokens(action) := [found |
	quoted := "\"((?:[^\"\\\\]|\\\\.)*)\"?|`([^`]*)`?|('(?:[^'\\\\]|\\\\.)*'?)"
	expression := concat("", ["(?s)", quoted, `|([A-Za-z_][A-Za-z0-9_]*)|([.$0-9][A-Za-z0-9_.$]*)|([^\s])`])
	some found in regex.find_all_string_submatch_n(expression, action, -1)
]

begins_call(list, 0) if list[0]

begins_call(list, i) if list[i - 1][6] in {"(", "|", "=", "-"}

begins_call(list, i) if list[i - 1][4] in keywords

kind(list, i) := "head" if {
	list[i][4] != ""
	not list[i][4] in keywords
	begins_call(list, i)
} else := "name" if {
	list[i][4] != ""
	not list[i][4] in keywords
} else := "keyword" if {
	list[i][4] != ""
} else := "literal" if {
	regex.match("^[\"`]", list[i][0])
} else := "open" if {
	list[i][6] == "("
} else := "mark" if {
	list[i][6] != ""
} else := "other"

# The tokens that count, in order.
parts(action) := [{"kind": k, "text": text} |
	list := tokens(action)
	some i, found in list
	k := kind(list, i)
	not k in {"mark", "keyword"}
	text := concat("", [found[1], found[2], found[4]])
]

# Calls of a template: {"function", "literal"}, where the literal is null when it is computed.
calls(text, left, right) := {call |
	some action in actions(text, left, right)
	list := parts(action)
	some i, one in list
	one.kind in {"head", "name"}
	call := {"function": one.text, "literal": first_literal(list, i)}
}

first_literal(list, i) := list[i + 1].text if {
	list[i].kind == "head"
	list[i + 1].kind == "literal"
} else := null

# Literals of calls behind the first argument.
options(text, left, right) := {one.text |
	some action in actions(text, left, right)
	list := parts(action)
	some j, one in list
	one.kind == "literal"
	contains(one.text, "=")
	before := [i | some i, p in list; i < j; p.kind in {"head", "open"}]
	last := before[count(before) - 1]
	list[last].kind == "head"
	j > last + 1
}

# --- durations, in milliseconds; undefined when it is none

duration(text) := to_number(text) * 1000 if {
	regex.match(`^[0-9]{1,15}$`, text)
} else := ceil(time.parse_duration_ns(text) / 1000000) if {
	regex.match(`^([0-9]*\.?[0-9]*(ns|us|µs|μs|ms|s|m|h))+$`, text)
}

duration_of(value) := value * 1000 if {
	is_number(value)
	value == round(value)
} else := duration(value) if {
	is_string(value)
}

# --- lifetimes that are asked for, as arguments or behind the path's question mark

lifetime_names := {"ttl", "max_ttl", "explicit_max_ttl", "period", "increment", "not_after", "lease"}

# What cannot be compared: a date, or a name or value that is hidden.
endless := 9223372036854775807

value_of(option) := regex.find_n(`^[^&#]*`, substring(option, at + 1, -1), 1)[0] if {
	at := indexof(option, "=")
	at >= 0
} else := ""

lifetime(option) := duration(value_of(option)) if {
	lower(split(option, "=")[0]) in lifetime_names
} else := endless if {
	lower(split(option, "=")[0]) in lifetime_names
} else := endless if {
	contains(split(option, "=")[0], "%")
}

lifetimes(t) := {lifetime(option) |
	some option in options(obj.text(t, "contents"), obj.text(t, "left_delimiter"), obj.text(t, "right_delimiter"))
}

path_lifetimes(path) := {lifetime(option) |
	at := indexof(path, "?")
	at >= 0
	some option in split(substring(path, at + 1, -1), "&")
}
