// SPDX-License-Identifier: Apache-2.0
package main

import (
	"fmt"
	"regexp"
	"sort"
)

// What a run must have covered: each row of the language, and each kind of mistake. A row
// is met by its own pieces below, or by a template that its expression finds.
type row struct {
	name   string
	find   string   // in the template of a case that renders
	pieces []string // templates for the first document, right or wrong
}

var rows = []row{
	// lexing
	{"text", `^[^{]+$`, []string{"only text", "a } b }} c", "ä😀\n", "{ { not open", "a{b", "}}"}},
	{"delimiters", ``, []string{"{{.s}}", "{{print \"{{\" \"}}\"}}", "{{- .s -}}", "a {{/* x */}} b"}},
	{"comment", `\{\{-? ?/\*`, []string{"a{{/* c */}}b", "a {{- /* c\nd */ -}} b", "{{/**/}}", "{{ /* c */}}", "{{/* c */ }}", "{{/* c", "{{/* {{ }} */}}", "{{/* */ .s}}"}},
	{"trim marks", `\{\{- `, []string{" \n\t{{- .s -}}\r\n x", "\u00a0{{- .s -}}\u00a0", "{{-3}}", "{{- 3}}", "{{3 -}} x", "{{3-}}", "{{-}}", "{{- -}}", "a {{-}} b", "\v{{- .s}}", "a {{- -3 -}} b", "\u2028{{- 1}}"}},
	{"newline inside an action", `\{\{[^}]*\n`, []string{"{{print\n1\n2}}", "{{if\n.t\n}}y{{\nend\n}}", "{{.s\n|\nprint}}", "{{\n}}"}},
	{"strings", `"`, []string{`{{"\a\b\f\n\r\t\v\\\"\x41\101\u00e4\U0001F600"}}`, `{{"\q"}}`, `{{"\u12"}}`, `{{"\ud800"}}`, `{{"\400"}}`, `{{"a` + "\n" + `b"}}`, `{{"\'"}}`, `{{"a"b}}`, `{{""}}`, `{{"unclosed}}`, `{{"\x4"}}`}},
	{"raw strings", "`", []string{"{{`a\n\\n\"`}}", "{{``}}", "{{`unclosed}}", "{{`a\r\nb`}}", "{{print `a` `b`}}"}},
	{"runes", `'`, []string{"{{'a'}}", `{{'\n'}}`, `{{'\''}}`, "{{'😀'}}", "{{''}}", "{{'ab'}}", `{{'\u00e4'}}`, `{{'\"'}}`, "{{'a", `{{'\377'}}`, `{{printf "%c%q" 'x' 'y'}}`}},
	{"integers", `\{\{[-+]?\d`, []string{"{{0}} {{-0}} {{+7}}", "{{0x1F}} {{0X_1f}}", "{{0b101}} {{0B1}}", "{{0o17}} {{017}}", "{{1_000_000}}", "{{9223372036854775807}}", "{{9223372036854775808}}", "{{-9223372036854775808}}", "{{18446744073709551615 | printf \"%d\"}}", "{{089}}", "{{0x}}", "{{1_}}", "{{1__0}}", "{{0b2}}", "{{12a}}", "{{0xFFFFFFFFFFFFFFFF}}"}},
	{"floats", `\d[.e]|p-`, []string{"{{1.5}} {{.5}} {{1.}}", "{{1e3}} {{1E-3}} {{1e+2}}", "{{0x1p-2}} {{0x1.8p1}}", "{{1e400}}", "{{1e}}", "{{1.2.3}}", "{{1e6}} {{999999.0}} {{1000000.0}}", "{{0.0001}} {{0.00001}}", "{{5e-324}}", "{{-0.0}}", "{{1e20}} {{1e21}} {{1e22}}", "{{2097152.0}}", "{{0x1.8}}", "{{1_0.5}}", "{{.1e1}}"}},
	{"complex numbers", `\di\b`, []string{"{{1i}} {{1+2i}}", "{{printf \"%v %.1f\" 1i 2i}}", "{{1+2}}", "{{1i | print}}", "{{eq 1i 1i}}", "{{lt 1i 2i}}", "{{1+2j}}"}},
	{"words", `true|false|nil`, []string{"{{true}} {{false}}", "{{nil}}", "{{print nil}}", "{{eq .n nil}}", "{{nil | print}}", "{{.s | nil}}", "{{if true}}x{{end}}", "{{true.x}}", "{{not nil}}", "{{$x := nil}}", "{{(nil)}}"}},
	// operands
	{"dot and root", `\{\{(\.|\$)\}\}`, []string{"{{with .s}}{{.}}{{$.e}}{{$.s}}{{end}}", "{{$}}", "{{. | len}}", "{{range .l}}{{.}}{{$.s}}{{end}}", "{{$.m.a}}", "{{..s}}", "{{.s.}}", "{{$ .s}}", "{{$.}}"}},
	{"chains of fields", `\.m\.c\.d`, []string{"{{.m.c.d}}", "{{.m.c.none}}", "{{.m.c.none.x}}", "{{$x := .m}}{{$x.c.d}}", "{{.s.x}}", "{{.n.x}}", "{{.m .a}}", "{{.m.a.b}}", "{{$x := .m.c}}{{$x.d}}{{$x.e}}"}},
	{"chain of a parenthesis", `\)\.`, []string{"{{(.m).c.d}}", "{{(index .l 5).k}}", "{{(.m.c).none}}", "{{(print .s).x}}", "{{(.m).none.x}}", "{{(1).x}}", "{{(.s | print).y}}", "{{((.m)).b}}", "{{(parseJSON `{\"x\":{\"y\":1}}`).x.y}}"}},
	{"Unicode names", `\.ä|\$ä`, []string{"{{.ä}}", "{{$ä := 1}}{{$ä}}", "{{.m.ключ}}", "{{range $名, $v := .m}}{{$名}}{{end}}", "{{.ä.x}}", "{{.€}}", "{{ä}}", "{{.a-b}}"}},
	{"functions by name", `\b(print|len|toUpper) `, []string{"{{print}}", "{{len \"äb\"}}", "{{toUpper .s}}", "{{nosuch 1}}", "{{toUpper}}", "{{toUpper .s .s}}", "{{len}}", "{{toUpper 1}}", "{{toUpper nil}}", "{{toUpper .n}}", "{{print print}}", "{{len.x}}"}},
	// pipelines
	{"pipelines", `\| `, []string{"{{.s | print 1}}", "{{.s | toUpper | toLower | printf \"%s-%s\" \"a\"}}", "{{.s | .e}}", "{{.s | 1}}", "{{.s | \"x\"}}", "{{.s | .}}", "{{.s |}}", "{{| .s}}", "{{.s || print}}", "{{1 | print | len}}", "{{.s | $}}", "{{(.s | print)}}", "{{.m.c | index .l}}", "{{\"a\" | print \"b\" | print \"c\"}}"}},
	{"parentheses", `\(`, []string{"{{(((.s)))}}", "{{print (len .s) (print 1 (not .t))}}", "{{(.s}}", "{{.s)}}", "{{()}}", "{{(print) .s}}", "{{print(.s)}}", "{{(.s)(.e)}}"}},
	// variables
	{"variables", `\$\w+ ?:=`, []string{"{{$a := 1}}{{$a}}{{$a = 2}}{{$a}}", "{{if .t}}{{$b := 1}}{{end}}{{$b}}", "{{$c = 1}}", "{{$d := 1}}{{$d := \"x\"}}{{$d}}", "{{$e:=.s}}{{if .t}}{{$e = 3}}{{end}}{{$e}}", "{{$f, $g := .m}}", "{{$h}}", "{{define \"v\"}}{{$i}}{{end}}{{$i := 1}}{{template \"v\"}}", "{{$j := .m}}{{$j.a}} {{$j.b | len}}", "{{$k := }}", "{{$l := 1 | print}}{{$l}}", "{{with $m := .s}}{{$m}}{{end}}{{$m}}", "{{$n :=1}}{{range .l}}{{$n = .}}{{end}}{{$n}}", "{{$ := 1}}", "{{$o}} := 1", "{{1 := $p}}", "{{.x := 1}}"}},
	// actions
	{"if", `\{\{-? ?if `, []string{"{{if .t}}a{{else}}b{{end}}", "{{if .f}}a{{else if .t}}b{{else}}c{{end}}", "{{if .f}}a{{else if .e}}b{{else if .n}}c{{else}}d{{end}}", "{{if}}a{{end}}", "{{if .t}}a", "{{else}}", "{{end}}", "{{if .t}}a{{else}}b{{else}}c{{end}}", "{{if $x := .s}}{{$x}}{{else}}{{$x}}{{end}}", "{{if .t}}a{{else if}}b{{end}}", "{{if .t}}a{{end x}}", "{{if .t}}a{{else x}}b{{end}}", "{{if .f}}a{{else with .s}}b{{end}}", "{{ifx}}"}},
	{"with", `\{\{-? ?with `, []string{"{{with .m}}{{.a}}{{else}}no{{end}}", "{{with .n}}a{{else}}{{.s}}{{end}}", "{{with .n}}a{{else with .m}}{{.b}}{{else}}c{{end}}", "{{with $x := .m}}{{$x.a}}{{.b}}{{end}}", "{{with}}{{end}}", "{{with .n}}{{else with .e}}{{else with .s}}{{.}}{{end}}", "{{with .s}}{{else if .t}}{{end}}", "{{with 1 2}}{{end}}"}},
	{"range over lists and maps", `range [^}]*\.(l|m)\b`, []string{"{{range .l}}<{{.}}>{{else}}none{{end}}", "{{range $i, $v := .l}}{{$i}}={{$v}};{{end}}", "{{range $k, $v := .m}}{{$k}}={{$v}};{{end}}", "{{range $v := .m}}{{$v}}{{.}}{{end}}", "{{range .el}}a{{else}}{{.s}}{{end}}", "{{range .n}}a{{else}}b{{end}}", "{{range .s}}a{{end}}", "{{range .t}}a{{end}}", "{{range .d}}a{{end}}", "{{range}}a{{end}}", "{{range $a, $b, $c := .l}}{{end}}", "{{range $a, .b := .l}}{{end}}", "{{range .l}}{{else if .t}}{{end}}", "{{$a := 0}}{{$b := 0}}{{range $a, $b = .l}}{{end}}{{$a}}{{$b}}", "{{$a := 0}}{{range $a = .m}}{{end}}{{$a}}", "{{range $a := .l}}{{$a}}{{end}}{{$a}}"}},
	{"range over integers and channels", `range [^}]*(loop|[0-9])`, []string{"{{range 3}}{{.}}{{end}}", "{{range $i := 3}}{{$i}}{{end}}", "{{range $i, $j := 3}}{{$i}}{{end}}", "{{range 0}}a{{else}}b{{end}}", "{{range -1}}a{{else}}b{{end}}", "{{range loop 3}}{{.}}{{end}}", "{{range $i := loop 2}}{{printf \"%T\" $i}}{{end}}", "{{range $i, $v := loop 2}}{{$i}}{{$v}}{{end}}", "{{range loop 0}}a{{else}}b{{end}}", "{{range 1.5}}{{end}}", "{{range len .s}}{{.}}{{end}}", "{{range 'a'}}{{break}}{{end}}", "{{loop 3 | print | len | not}}", "{{range $x := 2}}{{printf \"%T\" $x}}{{end}}"}},
	{"break and continue", `\{\{-? ?(break|continue)`, []string{"{{range .l}}{{if eq (print .) \"a\"}}{{break}}{{end}}{{.}}{{end}}", "{{range 5}}{{if eq . 2}}{{continue}}{{end}}{{.}}{{end}}", "{{break}}", "{{continue}}", "{{range .l}}{{else}}{{break}}{{end}}", "{{range .l}}{{define \"b\"}}{{break}}{{end}}{{end}}", "{{define \"b\"}}{{break}}{{end}}", "{{range 3}}{{with 1}}{{break}}{{end}}{{end}}", "{{range 2}}{{range 3}}{{break}}x{{end}}y{{end}}", "{{range .l}}{{break 1}}{{end}}", "{{range 3}}{{$x := .}}{{continue}}{{end}}"}},
	{"define and template", `define|template "`, []string{"{{define \"d\"}}<{{.}}>{{end}}{{template \"d\" .s}}{{template \"d\"}}", "{{define `e`}}x{{end}}{{template `e`}}", "{{template \"none\"}}", "{{define \"f\"}}{{end}}{{define \"f\"}}x{{end}}{{template \"f\"}}", "{{define \"g\"}}x{{end}}{{define \"g\"}}y{{end}}", "{{define \"h\"}}x{{end}}{{define \"h\"}} {{end}}{{template \"h\"}}", "{{if .t}}{{define \"i\"}}x{{end}}{{end}}", "{{define \"j\"}}", "{{define j}}{{end}}", "{{define}}{{end}}", "{{template}}", "{{template .s}}", "{{template \"a\" .s .e}}", "{{define \"k\"}}{{$.x}}{{end}}{{template \"k\" .m.c}}", "{{template \"t\"}}", "{{define \"l\" .}}{{end}}", "{{define \"m\"}}{{if .}}{{.}}{{template \"m\" (slice . 1)}}{{end}}{{end}}{{template \"m\" .l}}", "{{define 1}}{{end}}"}},
	{"block", `block "`, []string{"{{block \"a\" .s}}<{{.}}>{{end}}", "{{block \"b\" .m}}{{.a}}{{end}}{{template \"b\" .m}}", "{{block \"c\"}}{{end}}", "{{block \"d\" .}}a{{end}}{{define \"d\"}}b{{end}}", "{{define \"e\"}}b{{end}}{{block \"e\" .}}a{{end}}", "{{block .s .s}}{{end}}", "{{block \"f\" .s}}"}},
	// truth and builtins
	{"truth", `if \.`, []string{"{{range $k, $v := .}}{{if $v}}{{$k}} {{end}}{{end}}", "{{if 0}}a{{else}}b{{end}}{{if 0.0}}a{{else}}b{{end}}{{if \"\"}}a{{else}}b{{end}}", "{{if .el}}a{{else}}b{{end}}{{if .em}}a{{else}}b{{end}}{{if .n}}a{{else}}b{{end}}", "{{if loop 0}}a{{else}}b{{end}}", "{{if 0i}}a{{else}}b{{end}}", "{{if 'a'}}a{{end}}", "{{if .none}}a{{else}}b{{end}}", "{{if .none.x}}a{{end}}"}},
	{"and, or, not", `\b(and|or|not) `, []string{"{{and .t .s}} {{and .f .s}} {{and 1 0 2}}", "{{or .f .s}} {{or .e .n}} {{or 0 \"x\"}}", "{{and .f (index .l 99)}}", "{{or .t (index .l 99)}}", "{{or .f (index .l 99)}}", "{{and}}", "{{or}}", "{{not}}", "{{not 1 2}}", "{{.t | and .s}}", "{{.f | or .e}}", "{{not .n}}", "{{or nil nil}}", "{{and .n nil}}"}},
	{"eq and ne", `\b(eq|ne) `, []string{"{{eq 1 1}}{{eq 1 2 3 1}}{{eq \"a\" \"b\"}}", "{{eq 1 1.0}}", "{{eq 1 \"1\"}}", "{{eq .t true}}{{eq .n nil}}", "{{eq .l .l}}", "{{eq .m .m}}", "{{eq 1}}", "{{eq}}", "{{ne 1 2}}{{ne \"a\" \"a\"}}", "{{ne 1 2 3}}", "{{eq 'a' 97}}", "{{eq .d 2.5}}", "{{eq .none nil}}", "{{eq .none 1}}", "{{eq 1 nil}}", "{{eq (len .s) 3}}", "{{eq .i 42.0}}", "{{eq .i 42}}", "{{eq \"a\" .n}}"}},
	{"lt, le, gt, ge", `\b(lt|le|gt|ge) `, []string{"{{lt 1 2}}{{le 2 2}}{{gt 3 2}}{{ge 2 3}}", "{{lt \"a\" \"b\"}}{{ge \"ä\" \"z\"}}", "{{lt 1 2.0}}", "{{lt 1.5 2.5}}", "{{lt true false}}", "{{lt .n 1}}", "{{lt .l .l}}", "{{lt 1}}", "{{eq .s}}", "{{gt .i 3}}", "{{gt .d 2.0}}", "{{le \"\" .s}}", "{{lt -1 18446744073709551615}}"}},
	{"len", `\blen `, []string{"{{len .s}} {{len .u}} {{len .l}} {{len .m}}", "{{len 3}}", "{{len .n}}", "{{len nil}}", "{{len true}}", "{{len (loop 3)}}"}},
	{"index", `\bindex `, []string{"{{index .l 1}} {{index .m \"a\"}} {{index .m \"c\" \"d\" 0}}", "{{index .l 9}}", "{{index .l -1}}", "{{index .m 1}}", "{{index .l \"a\"}}", "{{index .s 0}}", "{{index .n 0}}", "{{index .m \"none\"}}", "{{index .m \"none\" \"x\"}}", "{{index .m}}", "{{index}}", "{{index .l 1.0}}", "{{index 1 1}}", "{{index .l nil}}", "{{index .m nil}}", "{{1 | index .l}}"}},
	{"slice", `\bslice `, []string{"{{slice .s 1}} {{slice .s 1 2}} {{slice .s}}", "{{slice .l 1 3}} {{slice .l 1 2 4}}", "{{slice .s 1 2 3}}", "{{slice .s 2 1}}", "{{slice .l 0 99}}", "{{slice .s 9}}", "{{slice .m 1}}", "{{slice 1 1}}", "{{slice .u 0 1 | printf \"%q\"}}", "{{slice .l 1 2 3 4}}", "{{slice .n 0}}", "{{slice .s -1}}", "{{slice .s \"1\"}}", "{{slice .l 2 1 3}}"}},
	{"print and println", `\bprint(ln)? `, []string{"{{print 1 2}}{{print \"a\" \"b\"}}{{print 1 \"a\" 2 3}}", "{{print nil .n .none}}", "{{println 1 \"a\" .l}}{{println}}", "{{print .l .m}}", "{{print 1.0 2.5 1e9}}", "{{print true false}}", "{{print .m.c nil}}", "{{print 'a' \"b\" 1i}}"}},
	{"printf", `\bprintf `, []string{"{{printf \"%v %+v %#v %T\" .m .l .s .d}}", "{{printf \"%s|%10s|%-10s|%.2s|%q|%x|%X|% x\" .s .s .s .u .q .u .u .u}}", "{{printf \"%d|%5d|%-5d|%05d|%+d|%x|%X|%o|%#o|%O|%b|%c|%U|%#U\" 7 7 7 7 7 255 255 8 8 8 5 228 228 228}}", "{{printf \"%f|%.1f|%8.2f|%e|%g|%G|%+.3g\" 1.5 1.25 3.14159 1e6 1e21 1e-7 2.0}}", "{{printf \"%t|%v|%q\" .t .f 'x'}}", "{{printf \"%d\" \"x\"}}", "{{printf \"%s\" 1}}", "{{printf \"%!\"}}", "{{printf \"%\"}}", "{{printf \"%z\" 1}}", "{{printf \"%d %d\" 1}}", "{{printf \"x\" 1 2}}", "{{printf \"%[2]d %[1]d\" 1 2}}", "{{printf \"%[3]d\" 1}}", "{{printf \"%*d|%-*d|%.*f\" 5 1 5 1 2 1.5}}", "{{printf \"%*d\" \"x\" 1}}", "{{printf 1}}", "{{printf}}", "{{printf \"%v %s %d\" nil nil nil}}", "{{printf \"%5t|%-7v|\" .t .f}}", "{{printf \"%08.3f|%+d|% d\" -1.5 0 7}}", "{{printf \"%x %X\" \"hi\" .l}}", "{{printf \"%#x %#q %+q\" \"hi\" \"a`b\" \"ä\"}}", "{{printf \"%s %v\" .l .m}}", "{{printf \"%d\" .l}}", "{{printf \"%6.2f%%\" 99.5}}", "{{printf \"%p\" 1}}", "{{printf \"%w\" .s}}"}},
	{"html, js, urlquery", `\b(html|js|urlquery) `, []string{"{{html .q}} {{js .q}} {{urlquery .q}}", "{{html 1 .s nil}}", "{{js .u .n}}", "{{.q | urlquery | html}}", "{{html \"\\x00\"}}", "{{js \"\\u2028\\u0001\"}}", "{{html}}", "{{urlquery .l}}"}},
	{"call", `\bcall `, []string{"{{call .s}}", "{{call nil}}", "{{call}}", "{{call .none}}", "{{call print 1}}"}},
	// values
	{"no value and nil", `\.n(one)?\b`, []string{"{{.n}}|{{print .n}}|{{.none}}|{{.m.none}}", "{{.none.x}}", "{{.m.none.x.y}}", "{{print .none}}", "{{.n | print}}", "{{.n | printf \"%v\"}}", "{{index .l 2}}", "{{.l}}", "{{range .l}}{{.}}{{end}}", "{{.n | toUpper}}", "{{len .none}}"}},
	{"numbers of JSON", `\.(i|big|neg|z|d)\b`, []string{"{{.i}} {{.big}} {{.d}} {{.z}} {{.neg}}", "{{.big | toJSON}}", "{{if .z}}a{{else}}b{{end}}", "{{eq .i 42}}", "{{printf \"%d\" .i}}", "{{printf \"%q\" .i}}", "{{printf \"%s\" .big}}", "{{len .i}}", "{{eq .i \"42\"}}", "{{.l}} {{.m}}", "{{print .i .d}}", "{{printf \"%v %T\" .i .i}}", "{{.i | toUpper}}", "{{html .d}}", "{{lt .i \"5\"}}", "{{index .l .z}}", "{{printf \"%5v|%-5v|%x\" .i .i .i}}", "{{index .m .i}}"}},
	{"parseJSON and toJSON", `parseJSON|toJSON`, []string{"{{parseJSON `[1,2.50,12345678,null]`}}", "{{(parseJSON `{\"a\":{\"b\":[true]}}`).a.b}}", "{{parseJSON `{`}}", "{{parseJSON `1 2`}}", "{{. | toJSON}}", "{{\"<&>\\u2028\" | toJSON}}", "{{parseJSON `1e400`}}", "{{12345678 | toJSON}} {{1e21 | toJSON}} {{1e-7 | toJSON}}", "{{loop 2 | toJSON}}", "{{parseJSON .s}}", "{{parseJSON `\"\\ud83d\\ude00\\ud800\"` | printf \"%q\"}}"}},
}

// Kinds of mistakes, by what Go says of them.
var mistakes = []string{
	"unclosed action", "unclosed comment", "comment ends before closing delimiter",
	"unterminated quoted string", "unterminated raw quoted string", "unterminated character constant",
	"malformed character constant|invalid syntax", "bad number syntax", "illegal number syntax", "bad character",
	"unexpected EOF", `unexpected \{\{end\}\}`, `unexpected \{\{else\}\}`,
	`unexpected "[^"]+" in`, `unexpected <.+> in`, "missing value for", "undefined variable", `function "[^"]*" not defined`,
	"non executable command in pipeline", "too many declarations", "can only be used as|unexpected . after term", `multiple definition of template`,
	`outside \{\{range\}\}`, "in if|in with|in range", "template \"[^\"]*\" not defined", "wrong number of args",
	"wrong type for value|expected string", "can't evaluate field", "nil pointer evaluating", "map has no entry for key",
	"incompatible types for comparison", "invalid type for comparison|non-comparable", "missing argument for comparison", "index out of range|out of range", "cannot index|can't index",
	"range can't iterate over", "can't give argument to non-function", "can't use|range over", "nil is not a command",
	"can't slice|cannot slice|can't be sliced|item of type", "len of", "call of", "unexpected right paren|unclosed left paren", "nil data; no entry for key",
	"error calling parseJSON", "integer overflow",
}

type covered struct {
	found          []*regexp.Regexp
	kinds          []*regexp.Regexp
	good, bad, err []int
}

func newCovered() *covered {
	c := &covered{good: make([]int, len(rows)), bad: make([]int, len(rows)), err: make([]int, len(mistakes))}
	for _, r := range rows {
		c.found = append(c.found, regexp.MustCompile(r.find))
	}
	for _, m := range mistakes {
		c.kinds = append(c.kinds, regexp.MustCompile(m))
	}
	return c
}

// of is the row that the template was made for, or -1.
func (c *covered) count(of int, tmpl string, ok bool, text string) {
	for i, f := range c.found {
		if i == of || (rows[i].find != "" && f.MatchString(tmpl)) {
			if ok {
				c.good[i]++
			} else {
				c.bad[i]++
			}
		}
	}
	for i, k := range c.kinds {
		if !ok && k.MatchString(text) {
			c.err[i]++
		}
	}
}

// Prints the table, and tells whether every row and kind has been met.
func (c *covered) report(print bool) bool {
	whole := true
	for i, r := range rows {
		if print {
			fmt.Printf("  %-34s %6d render %6d fail\n", r.name, c.good[i], c.bad[i])
		}
		if c.good[i] == 0 && r.name != "call" { // data holds no functions to call
			fmt.Printf("row not covered: %s\n", r.name)
			whole = false
		}
	}
	kinds := make([]int, len(mistakes))
	for i := range kinds {
		kinds[i] = i
	}
	sort.Slice(kinds, func(a, b int) bool { return c.err[kinds[a]] < c.err[kinds[b]] })
	for _, i := range kinds {
		if print {
			fmt.Printf("  %-60s %6d\n", mistakes[i], c.err[i])
		}
		if c.err[i] == 0 {
			fmt.Printf("mistake not covered: %s\n", mistakes[i])
			whole = false
		}
	}
	return whole
}

// A template of a few pieces of one row, with text and other nodes around.
func (g *generator) rowTemplate(n int) string {
	r := rows[n]
	for {
		g.text()
		if g.chance(30) {
			g.carefulNode()
		}
		g.b.WriteString(g.pick(r.pieces...))
		g.text()
		if !g.chance(25) {
			break
		}
	}
	return g.b.String()
}

// The same template with other delimiters; what its texts and strings hold changes too, as
// for both sides.
func (g *generator) delimiters(tmpl string) (string, string, string) {
	pairs := [][2]string{{"<<", ">>"}, {"[[", "]]"}, {"<%", "%>"}, {"{%", "%}"}, {"((", "))"}, {"«", "»"}, {"$$", "$$"}, {"{", "}"}, {"//", "//"}, {"|", "|"}, {"=", "="}, {"<!--", "-->"}}
	p := pairs[g.r.Intn(len(pairs))]
	return regexp.MustCompile(`\{\{`).ReplaceAllLiteralString(regexp.MustCompile(`\}\}`).ReplaceAllLiteralString(tmpl, p[1]), p[0]), p[0], p[1]
}
