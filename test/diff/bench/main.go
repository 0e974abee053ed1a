// SPDX-License-Identifier: Apache-2.0
// Renders one template over and over with Go's text/template, beside
// test/support/prog/tmpl_bench.c and with the same arguments and output.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/template"
	"time"
)

var funcs = template.FuncMap{
	"toUpper":    strings.ToUpper,
	"split":      func(sep, s string) []string { return strings.Split(strings.TrimSpace(s), sep) },
	"join":       func(sep string, l []string) string { return strings.Join(l, sep) },
	"toJSON":     func(v any) (string, error) { b, err := json.Marshal(v); return string(b), err },
	"replaceAll": func(from, to, s string) string { return strings.ReplaceAll(s, from, to) },
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func peakKiB() string {
	status, err := os.ReadFile("/proc/self/status")
	check(err)
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	return strings.Fields(after)[0]
}

func main() {
	text, err := os.ReadFile(os.Args[1])
	check(err)
	data, err := os.ReadFile(os.Args[2])
	check(err)
	ms, err := strconv.Atoi(os.Args[3])
	check(err)
	var v any
	check(json.Unmarshal(data, &v))
	t, err := template.New("t").Funcs(funcs).Option("missingkey=zero").Parse(string(text))
	check(err)
	var out bytes.Buffer
	start := time.Now()
	end := start.Add(time.Duration(ms) * time.Millisecond)
	n := int64(0)
	for last := start; last.Before(end); n++ {
		out.Reset()
		if len(os.Args) > 4 {
			t, err = template.New("t").Funcs(funcs).Option("missingkey=zero").Parse(string(text))
			check(err)
		}
		check(t.Execute(&out, v))
		if n%16 == 0 {
			last = time.Now()
		}
	}
	fmt.Println(n, int64(time.Since(start))/n, peakKiB(), out.Len())
}
