# SPDX-License-Identifier: Apache-2.0
# Patterns of policies: * within a part, ** across parts, ? for one letter, "a/**" is also "a";
# paths of stores in every form in which the same secret is read.
package lib.ampoule.pattern

letter("") := "."

letter(separators) := sprintf("[^%s]", [separators]) if {
	separators != ""
}

inner(pattern, separators) := all if {
	quoted := regex.replace(pattern, `[\\.+^$()|{}\[\]]`, `\${0}`)
	many := replace(quoted, "**", "\u0001")
	one := replace(many, "?", letter(separators))
	some_ := replace(one, "*", concat("", [letter(separators), "*"]))
	all := replace(some_, "\u0001", ".*")
}

expression(pattern, separators) := sprintf(`^(?s:%s(?:/.*)?)$`, [inner(head, separators)]) if {
	endswith(pattern, "/**")
	head := trim_suffix(pattern, "/**")
} else := sprintf(`^(?s:%s)$`, [inner(pattern, separators)])

glob(pattern, s, separators) if {
	regex.match(expression(pattern, separators), s)
}

matches(patterns, s, separators) if {
	some pattern in patterns
	glob(pattern, s, separators)
	not nothing_at_root(pattern, s)
}

nothing_at_root("/**", "")

# --- paths

bare(path) := trim(regex.replace(path, `(?s)[?#].*$`, ""), "/")

# Written so that it hides nothing: no escape, "//", ".", "..", backslash or control letter.
plain(path) if {
	p := bare(path)
	p != ""
	count(p) < 2048
	not regex.match(`[\x00-\x20\x7f%\\]`, p)
	every part in split(p, "/") {
		not part in {"", ".", ".."}
	}
}

# With "/data" at any slash: only the store knows where its mount ends.
with_data(path) := {form |
	some at in indexof_n(path, "/")
	form := concat("", [substring(path, 0, at), "/data", substring(path, at, -1)])
}

arn_names(path) := {name |
	startswith(path, "arn:")
	found := regex.find_all_string_submatch_n(`:(?:secret:|parameter/)(.*)$`, path, 1)
	some name in {found[0][1], regex.replace(found[0][1], `-[^-]{6}$`, "")}
}

# The part that version 2 of a KV engine adds: [] or [where, the part].
kv_part(path) := [indexof(path, found[0]), trim_suffix(found[0], "/")] if {
	found := regex.find_n(`/(?:data|metadata|subkeys)/`, path, 1)
	count(found) == 1
} else := []

without_kv(path, part) := concat("", [
	substring(path, 0, part[0]),
	substring(path, part[0] + count(part[1]), -1),
])

forms(path, false) := {path} | more if {
	part := kv_part(path)
	more := {form |
		part == []
		some form in with_data(path)
	} | {form |
		part[1] == "/data"
		form := without_kv(path, part)
	}
}

forms(path, true) := {path} | more if {
	part := kv_part(path)
	more := {form |
		part == []
		some form in (with_data(path) | arn_names(path))
	} | {form |
		part != []
		short := without_kv(path, part)
		some form in ({short} | with_data(short))
	}
}

# [store pattern, path pattern]
halves(pattern) := [found[0][1], found[0][2]] if {
	found := regex.find_all_string_submatch_n(`(?s)^([A-Za-z0-9_*?-]+):(.*)$`, pattern, 1)
	count(found) == 1
} else := ["**", pattern]

covers_path(patterns, store, path, deny) if {
	some pattern in patterns
	parts := halves(pattern)
	glob(parts[0], store, "")
	some form in forms(path, deny)
	glob(parts[1], form, "/")
}
