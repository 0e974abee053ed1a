// SPDX-License-Identifier: Apache-2.0
// Runs random templates through Go's text/template and through ours (test/support/prog/
// tmpl_batch.c), and compares output, or the place of the error.
//
//	go run ./language -n 5000 -seconds 60 -seed 1 -rows PROGRAM
//
// Ends with one line of counts, and status 1 when an output differs, when one fails where
// the other does not, when fewer than 95 % of the errors name the same place, or when a row
// of the language (rows.go) was not met or time was up before.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"text/template"
	"time"
)

var place = regexp.MustCompile(`^template: t:(\d+)(?::(\d+))?: `)
var ourPlace = regexp.MustCompile(`^t:(\d+):(\d+): `)

var onlyOurs = regexp.MustCompile(`function "(in|ls|key|env|trim|file|node|tree)" not defined`)

type ours struct {
	in  io.Writer
	out *bufio.Reader
}

func start(program string) (*ours, error) {
	cmd := exec.Command(program)
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	return &ours{in, bufio.NewReader(out)}, cmd.Start()
}

func (o *ours) render(c *testCase) (ok bool, text string, err error) {
	delims := ""
	if c.left != "" {
		delims = " " + c.left + " " + c.right
	}
	if _, err = fmt.Fprintf(o.in, "render %d %d %s%s\n%s%s", len(c.tmpl), len(c.data), c.missing, delims, c.tmpl, c.data); err != nil {
		return
	}
	line, err := o.out.ReadString('\n')
	if err != nil {
		return
	}
	word, count, _ := strings.Cut(strings.TrimSpace(line), " ")
	n, err := strconv.Atoi(count)
	if err != nil {
		return
	}
	b := make([]byte, n)
	_, err = io.ReadFull(o.out, b)
	return word == "ok", string(b), err
}

// What consul-template adds and both sides can have alike.
var funcs = template.FuncMap{
	"toUpper":   strings.ToUpper,
	"toLower":   strings.ToLower,
	"trimSpace": strings.TrimSpace,
	"split": func(sep, s string) []string {
		if s = strings.TrimSpace(s); s == "" {
			return []string{}
		}
		return strings.Split(s, sep)
	},
	"join":       func(sep string, l []string) string { return strings.Join(l, sep) },
	"replaceAll": func(from, to, s string) string { return strings.ReplaceAll(s, from, to) },
	"toJSON": func(v any) (string, error) {
		b, err := json.Marshal(v)
		return string(b), err
	},
	"parseJSON": func(s string) (v any, err error) {
		if s == "" {
			return map[string]any{}, nil
		}
		err = json.Unmarshal([]byte(s), &v)
		return
	},
	"parseInt": func(s string) (int64, error) {
		if s == "" {
			return 0, nil
		}
		return strconv.ParseInt(s, 10, 64)
	},
	"loop": func(n int) <-chan int64 {
		c := make(chan int64, max(n, 0))
		for i := 0; i < n; i++ {
			c <- int64(i)
		}
		close(c)
		return c
	},
}

// A template, its data, and how both are read: missing ends with "n" when numbers keep
// their text, as those of a store do.
type testCase struct {
	tmpl, data, missing, left, right string
	row                              int
}

func theirs(c *testCase) (ok bool, text string) {
	t, err := template.New("t").Funcs(funcs).Delims(c.left, c.right).Option("missingkey=" + strings.TrimSuffix(c.missing, "n")).Parse(c.tmpl)
	if err != nil {
		return false, err.Error()
	}
	var v any
	d := json.NewDecoder(strings.NewReader(c.data))
	if strings.HasSuffix(c.missing, "n") {
		d.UseNumber()
	}
	if err := d.Decode(&v); err != nil {
		return false, "data: " + err.Error()
	}
	var b bytes.Buffer
	if err := t.Execute(&b, v); err != nil {
		return false, err.Error()
	}
	return true, b.String()
}

// Line and, for errors of a run, column.
func samePlace(go_, our string) bool {
	g, o := place.FindStringSubmatch(go_), ourPlace.FindStringSubmatch(our)
	if g == nil || o == nil {
		return false
	}
	return g[1] == o[1] && (g[2] == "" || g[2] == o[2])
}

// A third each: right for its data, wild, and made for one row of the language.
func next(r *rand.Rand, number int) *testCase {
	g := &generator{r: r}
	c := &testCase{row: -1, data: documents[0], missing: g.pick("zero", "default", "zero", "zeron")}
	switch number % 3 {
	case 0:
		c.tmpl = g.carefulTemplate()
	case 1:
		c.missing = g.pick("zero", "zero", "default", "error", "zeron", "errorn")
		c.tmpl, c.data = g.template(), g.data()
	default:
		c.row = number / 3 % len(rows)
		c.missing = g.pick("zero", "zero", "default", "error", "zeron", "errorn")
		c.tmpl = g.rowTemplate(c.row)
	}
	if g.chance(8) || (c.row >= 0 && rows[c.row].name == "delimiters") {
		c.tmpl, c.left, c.right = g.delimiters(c.tmpl)
	}
	return c
}

type counts struct{ cases, errors, placed, different, show int }

func (n *counts) compare(c *testCase, gok bool, gtext string, ook bool, otext string) {
	if !gok && !ook {
		n.errors++
		if samePlace(gtext, otext) {
			n.placed++
		} else if n.show > 0 {
			n.show--
			fmt.Printf("place: %q\n data  %s\n go    %s\n ours  %s\n", c.tmpl, c.data, gtext, otext)
		}
	}
	if gok != ook || (gok && gtext != otext) {
		n.different++
		if n.show > 0 {
			n.show--
			fmt.Printf("differs (%s %s %s): %q\n data  %s\n go    %v %q\n ours  %v %q\n", c.missing, c.left, c.right, c.tmpl, c.data, gok, gtext, ook, otext)
		}
	}
}

func main() {
	count := flag.Int("n", 5000, "cases")
	seconds := flag.Int("seconds", 60, "stop after this time")
	seed := flag.Int64("seed", time.Now().UnixNano(), "of the generator")
	show := flag.Int("show", 10, "differences to show")
	table := flag.Bool("rows", false, "print how often each row of the language was met")
	flag.Parse()
	our, err := start(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	end := time.Now().Add(time.Duration(*seconds) * time.Second)
	r := rand.New(rand.NewSource(*seed))
	met, n := newCovered(), &counts{show: *show}
	for number := 0; n.cases < *count && time.Now().Before(end); number++ {
		c := next(r, number)
		gok, gtext := theirs(c)
		ook, otext, err := our.render(c)
		if err != nil {
			fmt.Printf("died on seed %d: %v\n%q\n%s\n", *seed, err, c.tmpl, c.data)
			os.Exit(1)
		}
		if onlyOurs.MatchString(gtext) {
			continue // a mistake has made a function of it that Go does not have
		}
		n.cases++
		met.count(c.row, c.tmpl, gok, gtext)
		n.compare(c, gok, gtext, ook, otext)
	}
	whole := met.report(*table)
	fmt.Printf("language: %d cases, %d differ; %d rows, %d kinds of mistakes; %d errors, %d at the same place (%.2f %%); seed %d\n",
		n.cases, n.different, len(rows), len(mistakes), n.errors, n.placed, 100*float64(n.placed)/float64(max(n.errors, 1)), *seed)
	if n.different > 0 || n.placed*100 < n.errors*95 || n.cases < *count || (!whole && n.cases >= 20000) {
		os.Exit(1)
	}
}
