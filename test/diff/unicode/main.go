// SPDX-License-Identifier: Apache-2.0
// Prints templates/unicode_tables.c: the categories, scripts, case mappings and case orbits
// of the Unicode version that this Go knows, in the packed form of templates/unicode.h.
//
//	go run ./test/diff/unicode > templates/unicode_tables.c
package main

import (
	"fmt"
	"sort"
	"unicode"
)

var cats = []string{"Cc", "Cf", "Cn", "Co", "Cs", "Ll", "Lm", "Lo", "Lt", "Lu", "Mc", "Me",
	"Mn", "Nd", "Nl", "No", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "Sc", "Sk", "Sm",
	"So", "Zl", "Zp", "Zs"}

func classes(names []string, tables map[string]*unicode.RangeTable, none int) []int {
	of := make([]int, unicode.MaxRune+1)
	for i := range of {
		of[i] = none
	}
	for i, name := range names {
		t := tables[name]
		if t == nil || name == "Cn" {
			continue
		}
		for _, r := range t.R16 {
			for c := int(r.Lo); c <= int(r.Hi); c += int(r.Stride) {
				of[c] = i
			}
		}
		for _, r := range t.R32 {
			for c := int(r.Lo); c <= int(r.Hi); c += int(r.Stride) {
				of[c] = i
			}
		}
	}
	return of
}

// A run is its class and, as a varint, its length less one. Every blockRuns runs an index
// entry tells the first code point and the offset.
const blockRuns = 64

func runs(name string, of []int) {
	var bytes []int
	var index [][2]int
	n, start := 0, 0
	for c := range of {
		if c+1 < len(of) && of[c+1] == of[c] {
			continue
		}
		if n%blockRuns == 0 {
			index = append(index, [2]int{start, len(bytes)})
		}
		bytes = append(bytes, of[c])
		length := c - start
		for ; length >= 128; length >>= 7 {
			bytes = append(bytes, length&127|128)
		}
		bytes = append(bytes, length)
		n++
		start = c + 1
	}
	fmt.Printf("\nstatic const uint8_t %s_runs[] = {", name)
	for i, b := range bytes {
		if i%18 == 0 {
			fmt.Printf("\n\t")
		}
		fmt.Printf("%d,", b)
	}
	fmt.Printf("\n};\nstatic const struct unicode_block %s_blocks[] = {", name)
	for i, e := range index {
		if i%4 == 0 {
			fmt.Printf("\n\t")
		}
		fmt.Printf("{ 0x%x, %d }, ", e[0], e[1])
	}
	fmt.Printf("\n};\nconst struct unicode_table %s = { %s_runs, %s_blocks, %d };\n", name, name, name, len(index))
}

func main() {
	fmt.Println("// SPDX-License-Identifier: Apache-2.0")
	fmt.Printf("// Unicode %s in the packed form that unicode.h describes. Made by\n", unicode.Version)
	fmt.Println("// test/diff/unicode; do not edit.")
	fmt.Println("// clang-format off")
	fmt.Println("#include \"templates/unicode_tables.h\"")
	runs("unicode_cats", classes(cats, unicode.Categories, 2))
	var scripts []string
	for s := range unicode.Scripts {
		scripts = append(scripts, s)
	}
	sort.Strings(scripts)
	runs("unicode_scripts", classes(scripts, unicode.Scripts, len(scripts)))
	fmt.Printf("\n// Each ends with NUL, the last one with two.\nconst char unicode_script_names[] =")
	for _, s := range scripts {
		fmt.Printf("\n\t\"%s\\0\"", s)
	}
	fmt.Printf(";\n")
	fmt.Printf("\nconst struct unicode_case unicode_cases[] = {")
	for i, r := range unicode.CaseRanges {
		if i%2 == 0 {
			fmt.Printf("\n\t")
		}
		fmt.Printf("{ 0x%x, 0x%x, %d, %d, %d }, ", r.Lo, r.Hi, r.Delta[0], r.Delta[1], r.Delta[2])
	}
	fmt.Printf("\n};\nconst size_t unicode_cases_len = %d;\n", len(unicode.CaseRanges))
	// Letters whose folds are not just their upper and lower case.
	fmt.Printf("\nconst uint32_t unicode_orbits[][2] = {")
	n := 0
	for c := rune(0); c <= unicode.MaxRune; c++ {
		plain := unicode.ToLower(c)
		if plain == c {
			plain = unicode.ToUpper(c)
		}
		if f := unicode.SimpleFold(c); f != plain {
			if n%4 == 0 {
				fmt.Printf("\n\t")
			}
			fmt.Printf("{ 0x%x, 0x%x }, ", c, f)
			n++
		}
	}
	fmt.Printf("\n};\nconst size_t unicode_orbits_len = %d;\n", n)
}
