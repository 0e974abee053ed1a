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

func runs(name string, of []int) {
	fmt.Printf("\nconst uint32_t %s[] = {", name)
	n := 0
	for c := range of {
		if c > 0 && of[c] == of[c-1] {
			continue
		}
		if n%8 == 0 {
			fmt.Printf("\n\t")
		}
		fmt.Printf("0x%07x,", c<<8|of[c])
		n++
	}
	fmt.Printf("\n};\nconst size_t %s_len = %d;\n", name, n)
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
	fmt.Printf("\nconst char *const unicode_script_names[] = {")
	for i, s := range scripts {
		if i%5 == 0 {
			fmt.Printf("\n\t")
		}
		fmt.Printf("%q, ", s)
	}
	fmt.Printf("\n};\nconst size_t unicode_script_names_len = %d;\n", len(scripts))
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
