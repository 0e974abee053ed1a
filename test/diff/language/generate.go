// SPDX-License-Identifier: Apache-2.0
package main

import (
	"fmt"
	"math/rand"
	"strings"
)

// A generator of templates: most are right, many have a mistake of type or of syntax.
type generator struct {
	r     *rand.Rand
	b     strings.Builder
	vars  []string
	depth int
	loops int
}

func (g *generator) pick(of ...string) string { return of[g.r.Intn(len(of))] }
func (g *generator) chance(percent int) bool  { return g.r.Intn(100) < percent }

var documents = []string{
	`{"s":"str","e":"","u":"äβ😀 x","t":true,"f":false,"n":null,"i":42,"z":0,"d":2.5,"big":12345678,"neg":-7,"l":[1,"a",null,true,[2],{"k":"v"}],"el":[],"m":{"a":1,"b":"two","c":{"d":[3]}},"em":{},"q":"a'b\"<&>\\\n\t","p":"%d","ä":"uml"}`,
	`{"s":"x","u":"é","t":false,"i":1e21,"d":0.000001,"big":9007199254740993,"l":["b","a"],"m":{"a":{"b":{"c":"deep"}}},"neg":-0.0,"q":"=\u0001\u2028","e":""}`,
	`{"i":3,"l":[3,2,1],"m":{"z":1,"y":[{"a":1},{"a":2}]},"s":"a,b,c","t":true,"d":1e-7,"big":123456789012345678901234567890}`,
	`[1,2,3]`, `"text"`, `null`, `7`, `true`,
}

// Mostly the first document, for which most expressions are right.
func (g *generator) data() string {
	if g.chance(70) {
		return documents[0]
	}
	return documents[g.r.Intn(len(documents))]
}

func (g *generator) field() string {
	return g.pick(".s", ".s", ".e", ".u", ".t", ".f", ".n", ".i", ".z", ".d", ".big", ".neg",
		".l", ".el", ".m", ".em", ".q", ".p", ".m.a", ".m.b", ".m.c", ".m.c.d", ".none", ".m.none",
		".s.x", ".n.x", ".none.x", ".m.a.b", ".", ".l.x", ".m.y")
}

func (g *generator) literal() string {
	return g.pick(`"a"`, `"b\n\"q\" \u00e4 \x41\101"`, "`raw\\n`", `'x'`, `'\n'`, `'\u00e9'`, "1", "0", "-3",
		"+2", "42", "0x1F", "0b101", "0o17", "017", "1_000", "1.5", "-2.5e3", "1e3", ".5", "0x1p-2", "1e6",
		"123456789.0", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e400", "089",
		"true", "false", "nil", `""`, "1i", "1+2i", "'ab'", `"%d %s"`, "0x", "1_", "3.0", "1e21", "1e-7")
}

func (g *generator) variable() string {
	if len(g.vars) == 0 || g.chance(4) {
		return g.pick("$", "$.s", "$.m.a", "$undefined", "$.none")
	}
	v := g.vars[g.r.Intn(len(g.vars))]
	if g.chance(15) {
		v += g.pick(".a", ".b", ".s", ".none")
	}
	return v
}

func (g *generator) operand() string {
	g.depth++
	defer func() { g.depth-- }()
	switch n := g.r.Intn(20); {
	case n < 7:
		return g.field()
	case n < 12:
		return g.literal()
	case n < 15:
		return g.variable()
	case n < 18 && g.depth < 4:
		s := "(" + g.pipeline() + ")"
		if g.chance(15) {
			s += g.pick(".a", ".s", ".m.b", ".x")
		}
		return s
	case n == 18:
		return g.pick("toUpper", "print", "len", "unknownFunc", "break", "not")
	}
	return g.field()
}

func (g *generator) operands(least, most int) string {
	var b strings.Builder
	for n := least + g.r.Intn(most-least+1); n > 0; n-- {
		b.WriteString(g.pick(" ", " ", " ", "  ", "\n", "\t"))
		b.WriteString(g.operand())
	}
	return b.String()
}

func (g *generator) format() string {
	var b strings.Builder
	b.WriteByte('"')
	for n := 1 + g.r.Intn(3); n > 0; n-- {
		b.WriteString(g.pick("", "x ", "=", "ä"))
		b.WriteString("%")
		for g.chance(30) {
			b.WriteString(g.pick("+", "-", "#", "0", " "))
		}
		if g.chance(8) {
			b.WriteString(g.pick("[1]", "[2]", "[3]", "[0]", "[x]", "["))
		}
		if g.chance(30) {
			b.WriteString(g.pick("5", "10", "1", "*", "0", "20"))
		}
		if g.chance(25) {
			b.WriteString(g.pick(".2", ".", ".0", ".10", ".*", ".1", ".20"))
		}
		b.WriteString(g.pick("v", "v", "v", "s", "s", "d", "d", "q", "x", "X", "t", "f", "e", "g", "G", "E", "F", "c", "U", "b", "o", "O", "T", "z", "%", "w", "!", "ä"))
	}
	b.WriteByte('"')
	return b.String()
}

func (g *generator) call() string {
	switch g.r.Intn(24) {
	case 0, 1:
		return "printf " + g.format() + g.operands(0, 3)
	case 2:
		return g.pick("print", "println") + g.operands(0, 4)
	case 3, 4:
		return g.pick("eq", "ne", "lt", "le", "gt", "ge") + g.operands(2, 2)
	case 5:
		return "eq" + g.operands(0, 4)
	case 6, 7:
		return g.pick("and", "or") + g.operands(1, 3)
	case 8:
		return "not" + g.operands(1, 1)
	case 9:
		return "len" + g.operands(1, 1)
	case 10, 11:
		return "index" + g.pick(" .l", " .m", " .s", " .") + g.operands(0, 3)
	case 12:
		return "slice" + g.pick(" .l", " .s", " .u", " .m") + g.operands(0, 3)
	case 13:
		return "index " + g.pick(`.m "a"`, `.m "none"`, ".l 0", ".l 9", `.l "a"`, ".m.c.d 0", ".l -1", ".s 1", ".n 1", ".m nil", ".l 5 \"k\"")
	case 14:
		return g.pick("html", "js", "urlquery") + g.operands(1, 2)
	case 15:
		return "call" + g.operands(1, 2)
	case 16:
		return g.pick("toUpper", "toLower", "trimSpace", "parseInt") + g.operands(1, 1)
	case 17:
		return `split ","` + g.operands(1, 1)
	case 18:
		return `join "-" ` + g.pick(`(split "," "a,b")`, ".l", ".s")
	case 19:
		return `replaceAll "a" "bb"` + g.operands(1, 1)
	case 20:
		return "toJSON" + g.operands(1, 1)
	case 21:
		return "parseJSON " + g.pick("`{\"a\":[1,2.50,null]}`", "`[1,`", ".s", "`12345678`", "``")
	}
	return g.operand() + g.operands(0, 1)
}

func (g *generator) stage() string {
	return g.pick("toUpper", "print", "println", "len", "not", `printf "%v|"`, `printf "%q"`, "html", "js",
		"toJSON", "index .m", "eq 1", `and ""`, "or 1", "urlquery", "toLower", ".s", "1", `"x"`, "unknown", "$", "(len)")
}

func (g *generator) pipeline() string {
	g.depth++
	defer func() { g.depth-- }()
	s := ""
	if g.chance(60) {
		s = g.operand()
	} else {
		s = g.call()
	}
	for g.chance(25) {
		s += g.pick(" | ", "|", " |\n") + g.stage()
	}
	if g.chance(1) {
		s += " |"
	}
	return s
}

func (g *generator) open() string {
	if g.chance(15) {
		return "{{- "
	}
	return "{{"
}

func (g *generator) close() string {
	if g.chance(15) {
		return g.pick(" -}}", "  -}}", "\n-}}")
	}
	return g.pick("}}", "}}", " }}")
}

func (g *generator) action(s string) { g.b.WriteString(g.open() + s + g.close()) }

func (g *generator) text() {
	g.b.WriteString(g.pick("", " ", "\n", "text", " a b ", "x\n\n  y", "}}", "{ {", "ä", "\t"))
}

func (g *generator) block(n int) {
	mark := len(g.vars)
	for i := 0; i < n; i++ {
		g.node()
	}
	g.vars = g.vars[:mark]
}

func (g *generator) control(word string) {
	mark := len(g.vars)
	head := g.pipeline()
	if word == "range" {
		head = g.pick(".l", ".m", ".l", ".m", "loop 3", "3", ".el", ".n", ".i", ".s", `split "," .s`, "$", g.pipeline())
		switch g.r.Intn(4) {
		case 0:
			v := fmt.Sprintf("$r%d", len(g.vars))
			head = v + g.pick(" := ", ":=", " = ") + head
			g.vars = append(g.vars, v)
		case 1:
			a, b := fmt.Sprintf("$k%d", len(g.vars)), fmt.Sprintf("$v%d", len(g.vars))
			head = a + g.pick(", ", ",", " , ") + b + g.pick(" := ", " = ") + head
			g.vars = append(g.vars, a, b)
		}
		g.loops++
	} else if g.chance(15) {
		v := fmt.Sprintf("$c%d", len(g.vars))
		head = v + " := " + head
		g.vars = append(g.vars, v)
	}
	g.action(word + " " + head)
	g.block(1 + g.r.Intn(3))
	if word == "range" {
		g.loops--
	}
	for word != "range" && g.chance(15) {
		g.action("else " + word + " " + g.pipeline())
		g.block(1)
	}
	if g.chance(30) {
		g.action("else")
		g.block(1)
	}
	g.vars = g.vars[:mark]
	if !g.chance(1) {
		g.action("end")
	}
}

func (g *generator) node() {
	g.depth++
	defer func() { g.depth-- }()
	g.text()
	n := g.r.Intn(30)
	if g.depth > 5 && n > 16 && n < 24 {
		n = 0
	}
	switch {
	case n < 13:
		g.action(g.pipeline())
	case n < 16:
		v := fmt.Sprintf("$x%d", len(g.vars))
		g.action(v + " := " + g.pipeline())
		g.vars = append(g.vars, v)
	case n == 16:
		g.action(g.variable() + " = " + g.pipeline())
	case n < 19:
		g.control("if")
	case n < 21:
		g.control("with")
	case n < 24:
		g.control("range")
	case n == 24:
		if g.loops > 0 || g.chance(5) {
			g.action(g.pick("break", "continue", " break "))
		}
	case n == 25:
		g.b.WriteString(g.pick("{{/* note */}}", "{{- /* a\nb */ -}}", "{{/* x */ }}", "{{ /* y */}}", "{{/**/}}"))
	case n == 26:
		g.action(`template "` + g.pick("one", "two", "three") + `"` + g.pick("", " .", " .m", " .s"))
	case n == 27:
		g.action(`block "` + g.pick("four", "five") + `" ` + g.operand())
		g.block(1)
		g.action("end")
	case n == 28 && g.depth < 3:
		g.define(g.pick("one", "two", "nested"))
	default:
		g.action(g.call())
	}
}

func (g *generator) define(name string) {
	vars, loops := g.vars, g.loops
	g.vars, g.loops = nil, 0
	g.action(`define "` + name + `"`)
	g.block(2)
	g.action("end")
	g.vars, g.loops = vars, loops
}

func (g *generator) template() string {
	if g.chance(60) {
		g.define("one")
		g.define("two")
	}
	for n := 1 + g.r.Intn(5); n > 0; n-- {
		g.node()
	}
	s := g.b.String()
	for g.chance(12) && len(s) > 0 {
		at := g.r.Intn(len(s))
		switch g.r.Intn(4) {
		case 0:
			s = s[:at] + s[at+1:]
		case 1:
			s = s[:at] + g.pick("{{", "}}", "(", ")", "|", "$", ".", "\"", "`", "'", " ", "\n", "-", ",", ":=", "=", "\x00", "\xff", "end", "{{end}}", "{{else}}", "#", "&") + s[at:]
		case 2:
			s = s[:at]
		default:
			end := min(len(s), at+1+g.r.Intn(6))
			s = s[:at] + s[end:]
		}
	}
	return s
}
