// SPDX-License-Identifier: Apache-2.0
// Runs random regular expressions through Go's regexp and through ours, and compares
// whether they compile, the leftmost match with its groups, and the replacement of all.
//
//	go run ./regexps -n 20000 -seconds 30 -seed 1 PROGRAM
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

type generator struct {
	r     *rand.Rand
	depth int
}

func (g *generator) pick(of ...string) string { return of[g.r.Intn(len(of))] }
func (g *generator) chance(percent int) bool  { return g.r.Intn(100) < percent }

func (g *generator) atom() string {
	switch n := g.r.Intn(30); {
	case n < 12:
		return g.pick("a", "b", "c", "A", "ä", "x", "1", " ", "k", "s", "é", "-", "_", "]", "}", "{", "ß", "\n")
	case n < 14:
		return "."
	case n < 16:
		return g.pick("^", "$", `\A`, `\z`, `\b`, `\B`)
	case n < 19:
		return g.pick(`\d`, `\D`, `\w`, `\W`, `\s`, `\S`, `\pL`, `\PL`, `\p{Lu}`, `\p{Greek}`, `\P{Greek}`, `\p{^Lu}`, `\pN`, `\p{Nope}`, `\p{Any}`, `\pZ`)
	case n < 21:
		return g.pick(`\.`, `\n`, `\t`, `\x41`, `\x{e4}`, `\101`, `\07`, `\-`, `\[`, `\a`, `\8`, `\C`, `\q`, `\x4`, `\Qa*b\E`, `\Q`, `\\`, `\E`, `\1`)
	case n < 25:
		return g.set()
	}
	g.depth++
	defer func() { g.depth-- }()
	if g.depth > 4 {
		return "z"
	}
	open := g.pick("(", "(", "(?:", "(?i)", "(?i:", "(?s:", "(?m:", "(?U:", "(?P<n>", "(?<m>", "(?-i:", "(?is-m:", "(?mi)", "(?=", "(?P<", "(?x:", "(?i-:")
	if strings.HasSuffix(open, ")") {
		return open
	}
	return open + g.alternation() + g.pick(")", ")", ")", ")", ")", ")", ")", ")", ")", ")", ")", "")
}

func (g *generator) set() string {
	s := "[" + g.pick("", "", "^")
	for n := 1 + g.r.Intn(3); n > 0; n-- {
		s += g.pick("a", "b", "a-c", "A-Z", "0-9", "ä-ü", `\d`, `\W`, `\pL`, "[:alpha:]", "[:^digit:]", "[:nope:]", "-", "]", "^", `\]`, `\x41`, "z-a", "k", "s", `\n`, " ", "[", "é", `\P{Lu}`, "_-", `\b`)
	}
	return s + g.pick("]", "]", "]", "]", "]", "]", "]", "]", "")
}

func (g *generator) repeat() string {
	s := g.atom()
	for g.chance(30) {
		s += g.pick("*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}?", "{2,}", "{,2}", "{3,1}", "{1001}", "{a}", "{0}", "{0,}", "{02}", "{1")
		if !g.chance(3) {
			break
		}
	}
	return s
}

func (g *generator) alternation() string {
	s := ""
	for {
		for n := g.r.Intn(4); n >= 0; n-- {
			s += g.repeat()
		}
		if !g.chance(20) {
			return s
		}
		s += "|"
		if g.chance(10) {
			s += "|"
		}
	}
}

func (g *generator) text() string {
	s := ""
	for n := g.r.Intn(14); n > 0; n-- {
		s += g.pick("a", "b", "c", "A", "B", "ä", "Ä", "x", "1", "2", " ", "k", "K", "\u212a", "s", "ſ", "\n", "-", "_", "é", "α", "\xff", "ß", "ab", "abc", "}", "z", ".")
	}
	return s
}

func (g *generator) with() string {
	return g.pick("", "x", "$1", "${1}", "$0", "<$0>", "$n", "${n}a", "$1a", "${1}a", "$$", "$", "$2$1", "${", "$9", "a$", "${m}|", "$01", "${x y}")
}

func main() {
	n := flag.Int("n", 20000, "cases")
	seconds := flag.Int("seconds", 30, "stop after this time")
	seed := flag.Int64("seed", time.Now().UnixNano(), "of the generator")
	show := flag.Int("show", 10, "differences to show")
	flag.Parse()
	cmd := exec.Command(flag.Arg(0))
	in, _ := cmd.StdinPipe()
	pipe, _ := cmd.StdoutPipe()
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	out := bufio.NewReader(pipe)
	end := time.Now().Add(time.Duration(*seconds) * time.Second)
	g := &generator{r: rand.New(rand.NewSource(*seed))}
	cases, different, valid := 0, 0, 0
	for ; cases < *n && time.Now().Before(end); cases++ {
		g.depth = 0
		expr, text, with := g.alternation(), g.text(), g.with()
		theirs := "refused"
		if re, err := regexp.Compile(expr); err == nil {
			valid++
			var b strings.Builder
			match := re.FindStringSubmatchIndex(text)
			fmt.Fprintf(&b, "%d", map[bool]int{true: 1}[match != nil])
			for _, at := range match {
				fmt.Fprintf(&b, " %d", at)
			}
			theirs = b.String() + "|" + re.ReplaceAllString(text, with)
		}
		data := text + "\x00" + with
		fmt.Fprintf(in, "regexp %d %d -\n%s%s", len(expr), len(data), expr, data)
		line, err := out.ReadString('\n')
		word, count, _ := strings.Cut(strings.TrimSpace(line), " ")
		size, _ := strconv.Atoi(count)
		b := make([]byte, size)
		if _, err2 := io.ReadFull(out, b); err != nil || err2 != nil {
			fmt.Printf("died on seed %d: %q %q\n", *seed, expr, text)
			os.Exit(1)
		}
		ours := string(b)
		if word == "err" {
			ours = "refused"
		}
		if ours != theirs {
			different++
			if *show > 0 {
				*show--
				fmt.Printf("differs: %q on %q with %q\n go   %q\n ours %q %s\n", expr, text, with, theirs, ours, b)
			}
		}
	}
	fmt.Printf("regexps: %d cases, %d of them valid, %d differ; seed %d\n", cases, valid, different, *seed)
	if different > 0 || cases < *n {
		os.Exit(1)
	}
}
