package f32

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// assembly is the files of this package, and of those whose kernels the same generator writes, that have such names.
func assembly(t *testing.T, pattern string) (files []string) {
	t.Helper()
	for _, dir := range []string{".", "../bf16", "../i8"} {
		some, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil || len(some) == 0 {
			t.Fatalf("no assembly in %s: %v", dir, err)
		}
		files = append(files, some...)
	}
	return files
}

// TestRegisters holds that AVX2's assembly keeps to the sixteen registers that AVX2 has: the generator's allocator
// would hand out AVX-512's others as well, and only a machine without them would notice.
func TestRegisters(t *testing.T) {
	files := assembly(t, "*_avx2_amd64.s")
	beyond := regexp.MustCompile(`\b([XY](1[6-9]|[23]\d)|Z\d+|K[0-7])\b`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if r := beyond.Find(text); r != nil {
			t.Errorf("%s uses %s", file, r)
		}
	}
}

// TestAligned holds that code that grows before a kernel moves none of its instructions within a line of the cache: a loop
// that begins on one aligns the function too. And no constant is longer than what the linker aligns.
func TestAligned(t *testing.T) {
	files := assembly(t, "*_a[mr][dm]64.s")
	aligned := regexp.MustCompile(`PCALIGN +\$(64|0x40)\b|(EACH_ROW|TILES16)\(`)
	long := regexp.MustCompile(`GLOBL .*\$(3[3-9]|[4-9]\d|\d{3,})\n`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		functions := strings.Split(string(text), "\nTEXT ·")[1:]
		if strings.HasSuffix(file, "_arm64.s") {
			functions = []string{string(text)} // their loops are macros
		} else if c := long.FindString(string(text)); c != "" {
			t.Errorf("%s: more than 32 bytes: %s", file, c)
		}
		for _, f := range functions {
			if name, _, _ := strings.Cut(f, "("); !aligned.MatchString(f) {
				t.Errorf("%s: %s: no loop is aligned", file, name)
			}
		}
	}
}
