// SPDX-License-Identifier: Apache-2.0
// Runs random templates through Go's text/template and through ours (test/support/prog/
// tmpl_batch.c), and compares output, or the place of the error.
//
//	go run ./language -n 5000 -seconds 60 -seed 1 PROGRAM
//
// Ends with one line of counts, and status 1 when an output differs, when one fails where
// the other does not, or when fewer than 95 % of the errors name the same place.
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

func (o *ours) render(tmpl, data, missing string) (ok bool, text string, err error) {
	if _, err = fmt.Fprintf(o.in, "render %d %d %s\n%s%s", len(tmpl), len(data), missing, tmpl, data); err != nil {
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

func theirs(tmpl, data, missing string) (ok bool, text string) {
	t, err := template.New("t").Funcs(funcs).Option("missingkey=" + strings.TrimSuffix(missing, "n")).Parse(tmpl)
	if err != nil {
		return false, err.Error()
	}
	var v any
	d := json.NewDecoder(strings.NewReader(data))
	if strings.HasSuffix(missing, "n") {
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

func main() {
	n := flag.Int("n", 5000, "cases")
	seconds := flag.Int("seconds", 60, "stop after this time")
	seed := flag.Int64("seed", time.Now().UnixNano(), "of the generator")
	show := flag.Int("show", 10, "differences to show")
	dump := flag.Bool("dump", false, "print the cases")
	flag.Parse()
	our, err := start(flag.Arg(0))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	end := time.Now().Add(time.Duration(*seconds) * time.Second)
	r := rand.New(rand.NewSource(*seed))
	cases, errors, placed, different := 0, 0, 0, 0
	for ; cases < *n && time.Now().Before(end); cases++ {
		g := &generator{r: r}
		tmpl, data, missing := "", "", []string{"zero", "zero", "default", "error", "zeron", "errorn"}[r.Intn(6)]
		if r.Intn(100) < 60 {
			tmpl, data = g.carefulTemplate(), documents[0]
			missing = []string{"zero", "default", "zero", "zeron"}[r.Intn(4)]
		} else {
			tmpl, data = g.template(), g.data()
		}
		if *dump {
			fmt.Printf("%s\n%q\n%s\n", missing, tmpl, data)
		}
		gok, gtext := theirs(tmpl, data, missing)
		ook, otext, err := our.render(tmpl, data, missing)
		if err != nil {
			fmt.Printf("died on seed %d: %v\n%q\n%s\n", *seed, err, tmpl, data)
			os.Exit(1)
		}
		if onlyOurs.MatchString(gtext) {
			continue // a mistake has made a function of it that Go does not have
		}
		same := gok == ook && (!gok || gtext == otext)
		if !gok && !ook {
			errors++
			if samePlace(gtext, otext) {
				placed++
			} else if *show > 0 {
				*show--
				fmt.Printf("place: %q\n data  %s\n go    %s\n ours  %s\n", tmpl, data, gtext, otext)
			}
		}
		if !same {
			different++
			if *show > 0 {
				*show--
				fmt.Printf("differs (%s): %q\n data  %s\n go    %v %q\n ours  %v %q\n", missing, tmpl, data, gok, gtext, ook, otext)
			}
		}
	}
	fmt.Printf("language: %d cases, %d differ; %d errors, %d at the same place (%.2f %%); seed %d\n",
		cases, different, errors, placed, 100*float64(placed)/float64(max(errors, 1)), *seed)
	if different > 0 || placed*100 < errors*95 {
		os.Exit(1)
	}
}
