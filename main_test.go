package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// imports is who may import whom. A line is a package and what it may import of this module and of others, the standard
// library apart; other modules are named by their path or by a beginning of it that ends in a slash. Data flows one way:
// experiment, runner, (zoo, engine, kernels) and (datasets), records, reports. Networks are described without knowing
// kernels, kernels know slices and no graphs, reports read records and run nothing, and the clock knows no model. A package
// without a rule is an error; a rule may wait for its package.
const imports = `
.: bench/cli zoo

bench/cli: bench/choose bench/choose/features bench/experiment bench/gate bench/load bench/record bench/runner bench/stat datasets datasets/preprocess
bench/cli: kernels reports reports/findings reports/text zoo zoo/engine zoo/nn zoo/outline zoo/weights
bench/cli: github.com/olekukonko/tablewriter/ github.com/schollz/progressbar/v3 github.com/spf13/cobra golang.org/x/term
bench/runner: bench/experiment bench/load bench/record bench/stat datasets datasets/decode datasets/preprocess kernels zoo zoo/engine zoo/nn zoo/weights
bench/choose: bench/choose/features bench/choose/heads bench/experiment bench/load bench/record bench/runner bench/stat
bench/choose: datasets datasets/preprocess kernels kernels/par reports/draw reports/text zoo zoo/weights
# Heads are statistics of slices: no file, no network and no image reaches them.
bench/choose/heads: bench/stat kernels kernels/par gonum.org/v1/gonum/
bench/choose/features: bench/runner datasets datasets/preprocess kernels zoo zoo/engine zoo/nn
bench/gate: bench/record bench/stat kernels golang.org/x/perf/ golang.org/x/sys/unix
bench/experiment: bench/load bench/record gopkg.in/yaml.v3
bench/load: bench/stat
bench/record: bench/stat github.com/klauspost/cpuid/v2 golang.org/x/perf/benchfmt golang.org/x/sys/unix
bench/stat: gonum.org/v1/gonum/

zoo: zoo/nn zoo/weights
zoo/nn:
zoo/outline: zoo zoo/nn
zoo/weights: zoo/nn golang.org/x/sys/unix
zoo/interp: zoo/nn kernels/ref
# The engine takes from the oracle only the values of nodes that no image reaches, which it computes once, at load.
zoo/engine: zoo/nn zoo/interp kernels kernels/par

kernels: kernels/internal/f32 kernels/par golang.org/x/sys/unix
kernels/par: kernels/internal/cpu
kernels/ref:
kernels/internal/f32: kernels/internal/cpu
kernels/internal/cpu: golang.org/x/sys/cpu

datasets: datasets/decode datasets/preprocess
datasets/preprocess: datasets/decode
datasets/decode: golang.org/x/image/
datasets/internal/golden: internal/testenv

# What tests share; no package of the program may import it.
internal/testenv:

reports: bench/record bench/stat reports/draw reports/findings reports/text github.com/olekukonko/tablewriter/
# Plots know points and no records.
reports/text:
reports/draw: bench/stat reports/text gonum.org/v1/plot/ golang.org/x/image/
reports/findings: bench/record bench/stat gonum.org/v1/gonum/
`

// rules reads imports.
func rules(t *testing.T) map[string][]string {
	t.Helper()
	allowed := map[string][]string{}
	for line := range strings.Lines(imports) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		pkg, list, ok := strings.Cut(line, ":")
		if !ok {
			t.Fatalf("rule %q: no colon", line)
		}
		allowed[pkg] = append(allowed[pkg], strings.Fields(list)...)
	}
	return allowed
}

// permits says whether a rule's list has an import, as the rules name them.
func permits(list []string, imported string) bool {
	return slices.ContainsFunc(list, func(rule string) bool {
		return imported == rule || strings.HasSuffix(rule, "/") && strings.HasPrefix(imported+"/", rule)
	})
}

// TestImports holds the imports of every file, for whatever platform and tags it is, to the rules. Tests may import what
// they need.
func TestImports(t *testing.T) {
	const module = "zoobench"
	allowed := rules(t)
	err := filepath.WalkDir(".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if base := entry.Name(); entry.IsDir() {
			if name != "." && (strings.HasPrefix(base, "_") || strings.HasPrefix(base, ".") || base == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		pkg := filepath.ToSlash(filepath.Dir(name))
		list, known := allowed[pkg]
		if !known {
			return fmt.Errorf("%s: no rule for package %s", name, pkg)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			own, isOwn := strings.CutPrefix(imported, module+"/")
			if first, _, _ := strings.Cut(imported, "/"); !isOwn && !strings.Contains(first, ".") {
				continue // the standard library
			}
			if !permits(list, own) {
				t.Errorf("%s: imports %s, may import %s", filepath.ToSlash(name), own, strings.Join(list, ", "))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestImportsFlowOneWay follows the rules from package to package: what none of the steps may lead to.
func TestImportsFlowOneWay(t *testing.T) {
	allowed := rules(t)
	for _, test := range []struct{ from, never string }{
		{"zoo", "kernels"}, {"zoo/nn", "kernels"}, {"zoo/weights", "kernels"}, {"zoo/outline", "kernels"},
		{"kernels", "zoo"}, {"datasets", "zoo"}, {"datasets", "bench"}, {"zoo", "bench"},
		{"bench/load", "zoo"}, {"bench/experiment", "zoo"}, {"bench/record", "zoo"},
		{"reports", "zoo"}, {"reports", "kernels"}, {"reports", "datasets"}, {"reports", "bench/runner"},
		{"reports/draw", "bench/record"}, {"reports/draw", "reports/findings"},
		{"bench/runner", "reports"}, {"bench/choose/heads", "zoo"}, {"bench/choose/heads", "datasets"},
		{"bench/choose/heads", "bench/choose/features"}, {"bench/choose/features", "bench/choose/heads"},
	} {
		seen := map[string]bool{}
		var visit func(pkg string, way []string)
		visit = func(pkg string, way []string) {
			if seen[pkg] {
				return
			}
			seen[pkg] = true
			way = append(slices.Clone(way), pkg)
			if pkg == test.never || strings.HasPrefix(pkg, test.never+"/") {
				t.Errorf("%s must not reach %s: %s", test.from, test.never, strings.Join(way, " imports "))
			}
			for _, next := range allowed[pkg] {
				visit(next, way)
			}
		}
		visit(path.Clean(test.from), nil)
	}
}
