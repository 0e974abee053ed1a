// SPDX-License-Identifier: Apache-2.0
package main

import "fmt"

// Expressions that are right for the first data document: these cases compare output, where
// the others mostly compare errors.

func (g *generator) expr(kind string) string {
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > 5 {
		return g.leaf(kind)
	}
	switch kind {
	case "string":
		return g.stringExpr()
	case "int":
		return g.pick(g.leaf("int"), g.leaf("int"), "(len "+g.expr(g.pick("string", "list", "map"))+")")
	case "bool":
		return g.boolExpr()
	case "list":
		return g.pick(".l", ".el", `(split "," `+g.expr("string")+")", "(slice .l 1 3)", "(slice .l)", "(slice .l 2)")
	case "map":
		return g.pick(".m", ".em", "$.m", ".m.c", "(index .l 5)", "(parseJSON `{\"x\":1.50,\"y\":[null,\"z\"]}`)")
	case "any":
		return g.expr(g.pick("string", "string", "int", "bool", "list", "map", "float", "nil"))
	}
	return g.leaf(kind)
}

func (g *generator) leaf(kind string) string {
	switch kind {
	case "string":
		return g.pick(".s", ".e", ".u", ".q", ".p", "$.s", ".m.b", `"lit"`, "`raw\\n`", `"\u00e4\x41\n\"é"`, `(index .m "b")`)
	case "int":
		return g.pick("1", "0", "42", "-7", "0x1F", "'x'", "'é'", "0b11", "017", "1_000")
	case "float":
		return g.pick(".i", ".d", ".big", ".neg", ".z", "1.5", "1e6", "2.5e-7", "1e21", "0x1p-2", "123456.789", "100000.0", "(index .l 0)", ".m.a", "0.1", "1e20", "5e-324", "1.7976931348623157e308")
	case "bool":
		return g.pick("true", "false", ".t", ".f", "$.t")
	case "list":
		return g.pick(".l", ".el")
	case "map":
		return g.pick(".m", ".em")
	case "nil":
		return g.pick(".n", ".m.none", "(index .m \"none\")")
	}
	return ".s"
}

func (g *generator) stringExpr() string {
	switch g.r.Intn(12) {
	case 0:
		s := "(printf " + g.format()
		for n := g.r.Intn(4); n > 0; n-- {
			s += " " + g.expr("any")
		}
		return s + ")"
	case 1:
		return "(" + g.pick("print", "println", "html", "js", "urlquery") + " " + g.expr("any") + " " + g.expr("any") + ")"
	case 2:
		return "(" + g.expr("string") + " | " + g.pick("toUpper", "toLower", "trimSpace", "html", "js", "urlquery", "print", `replaceAll "a" "-"`, `printf "%q"`, `printf "%10s|"`, `printf "%-.3s|"`) + ")"
	case 3:
		return "(toJSON " + g.expr("any") + ")"
	case 4:
		return `(join "+" (split "," ` + g.expr("string") + "))"
	}
	return g.leaf("string")
}

func (g *generator) boolExpr() string {
	switch g.r.Intn(8) {
	case 0:
		k := g.pick("string", "int", "float", "bool")
		return "(" + g.pick("eq", "ne") + " " + g.expr(k) + " " + g.expr(k) + ")"
	case 1:
		k := g.pick("string", "int", "float")
		return "(" + g.pick("lt", "le", "gt", "ge") + " " + g.expr(k) + " " + g.expr(k) + ")"
	case 2:
		return "(not " + g.expr("any") + ")"
	case 3:
		return "(" + g.pick("and", "or") + " " + g.expr("bool") + " " + g.expr("bool") + ")"
	case 4:
		return "(eq .n nil)"
	}
	return g.leaf("bool")
}

func (g *generator) carefulNode() {
	g.depth++
	defer func() { g.depth-- }()
	g.text()
	n := g.r.Intn(20)
	if g.depth > 5 {
		n = g.r.Intn(9)
	}
	switch {
	case n < 9:
		if len(g.vars) > 0 && g.chance(25) {
			g.action(g.vars[g.r.Intn(len(g.vars))] + g.pick("", ` | printf "%v"`, ` | printf "%#v"`, " | print", " | html", " | toJSON"))
			return
		}
		g.action(g.expr("any") + g.pick("", "", ` | printf "%v %T"`, ` | printf "%+v|%6v"`, " | print 1", " | println", " | toJSON"))
	case n < 11:
		v := fmt.Sprintf("$x%d", len(g.vars))
		g.action(v + " := " + g.expr("any"))
		g.vars = append(g.vars, v)
	case n == 11 && len(g.vars) > 0:
		g.action(g.vars[g.r.Intn(len(g.vars))] + " = " + g.expr("any"))
	case n < 14:
		g.carefulControl("if", g.expr("any"))
	case n < 16:
		// Dot changes: only what stands on $ or a literal is right inside.
		mark := len(g.vars)
		g.action("with " + g.expr(g.pick("string", "map", "list", "nil")))
		g.b.WriteString(g.pick("[{{.}}]", "{{. | printf \"%v\"}}", "{{$.s}}", "{{len .}}", "{{$ | len}}"))
		if g.chance(40) {
			g.action("else with $." + g.pick("s", "e", "m"))
			g.b.WriteString("{{.}}")
		}
		if g.chance(40) {
			g.action("else")
			g.carefulNode()
		}
		g.vars = g.vars[:mark]
		g.action("end")
	case n < 19:
		g.carefulRange()
	default:
		g.action(`template "` + g.pick("one", "two") + `" .`)
	}
}

func (g *generator) carefulControl(word, head string) {
	mark := len(g.vars)
	g.action(word + " " + head)
	g.carefulNode()
	g.vars = g.vars[:mark]
	for g.chance(25) {
		g.action("else if " + g.expr("any"))
		g.carefulNode()
		g.vars = g.vars[:mark]
	}
	if g.chance(40) {
		g.action("else")
		g.carefulNode()
	}
	g.vars = g.vars[:mark]
	g.action("end")
}

func (g *generator) carefulRange() {
	mark := len(g.vars)
	head := g.pick(".l", ".m", ".el", ".n", ".em", "$.m", g.expr("list"))
	k, v := fmt.Sprintf("$k%d", mark), fmt.Sprintf("$v%d", mark)
	switch g.r.Intn(4) {
	case 0:
		g.action("range " + k + ", " + v + " := " + head)
		g.vars = append(g.vars, k, v)
	case 1:
		g.action("range " + v + " := " + g.pick(head, "loop 4", "5", "0", "loop 0"))
		g.vars = append(g.vars, v)
	default:
		g.action("range " + g.pick(head, "loop 3", "2"))
	}
	g.b.WriteString(g.pick("{{.}}", "{{.}},", "{{$.s}} ", "{{print .}}", "{{printf \"%v|%T\" . .}}"))
	if len(g.vars) > mark {
		g.b.WriteString("{{" + g.vars[len(g.vars)-1] + "}}{{" + g.vars[mark] + "}}")
	}
	switch g.r.Intn(6) {
	case 0:
		g.b.WriteString("{{if $.t}}{{continue}}{{end}}never")
	case 1:
		g.b.WriteString("{{if not $.f}}{{break}}{{end}}never")
	case 2:
		g.b.WriteString("{{range $i, $e := $.l}}{{if eq $i 2}}{{break}}{{end}}{{$i}}{{end}}")
	}
	g.vars = g.vars[:mark]
	if g.chance(50) {
		g.action("else")
		g.carefulNode()
		g.vars = g.vars[:mark]
	}
	g.action("end")
}

func (g *generator) carefulTemplate() string {
	for _, name := range []string{"one", "two"} {
		g.vars = nil
		g.action(`define "` + name + `"`)
		g.b.WriteString("<" + name + " {{.s}} ")
		g.action(g.expr("any"))
		g.b.WriteString(">")
		g.action("end")
	}
	for n := 2 + g.r.Intn(6); n > 0; n-- {
		g.carefulNode()
	}
	return g.b.String()
}
