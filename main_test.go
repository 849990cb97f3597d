package main

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// floors is who may import whom of this module, from the ground up. `a, b < c, d` is a floor: c and d stand on a and b, and may
// import them and what they stand on. `(a), b < c` keeps a to the floor itself: c may import a and what a stands on, and
// whoever stands on c may not, unless another of its ways leads there. NONE is the ground. A package is on one floor, above all
// that it stands on, so that no two can import each other; each floor has its reason. A package without a floor is an error; a
// floor may wait for its package.
//
// Data flows one way: experiment, runner, (zoo, engine, kernels) and (datasets), records, reports. Networks are described
// without knowing kernels, kernels know slices and no graphs, reports read records and run nothing, and the clock knows no
// model.
const floors = `
# What knows nothing of the rest: figures from samples, the graph of a network, the oracle's loops, the processor's
# abilities, pixels of a file and computed ones, rows of a Parquet file, objects of an HDF5 file, text made harmless, how
# far a word is from another.
NONE < datasets/parquet, datasets/shapes, datasets/decode, zoo/weights/hdf5, zoo/nn, kernels/ref, kernels/internal/cpu
NONE < bench/stat, reports/text, internal/words

# An ONNX file is messages before it is a network.
NONE < zoo/onnx/message

# What tests share; no package of the program may import it.
NONE < internal/testenv < datasets/internal/golden
NONE < internal/schema

# Microkernels and workers wait and choose by what the processor can do.
(kernels/internal/cpu) < kernels/internal/f32, kernels/internal/i8, kernels/par

# A product of pairs of bf16 numbers has the arguments of one of float32, and by blocks those of one of bytes.
(kernels/internal/cpu, kernels/internal/f32, kernels/internal/i8) < kernels/internal/bf16

# Kernels know slices and sizes, those of caches too: no graph, no file, no network. Nobody else calls a microkernel.
(kernels/internal/cpu, kernels/internal/f32, kernels/internal/bf16, kernels/internal/i8, kernels/par) < kernels

# The oracle runs a graph on plain loops, without a kernel, so that no fault can be in both.
zoo/nn, (kernels/ref) < zoo/interp

# Gradients in float64 are the oracle's own loops backward, without a kernel, as the oracle is.
zoo/interp, (kernels/ref) < zoo/train/twin

# Networks of one operation each, for tests of gradients.
zoo/nn < zoo/train/internal/small

# A network becomes operators of an ONNX file on a description alone. The oracle gives the values that no image reaches.
(zoo/interp, kernels/ref), zoo/onnx/message, zoo/nn < zoo/onnx

# The weights that the program contains are files and their index: they know no network.
NONE < zoo/pocket

# A network is its papers' table and its checkpoints: it is described, read and drawn without a kernel.
(zoo/weights/hdf5), zoo/nn < zoo/weights
(internal/words), zoo/weights, zoo/pocket < zoo < zoo/outline

# An ONNX file becomes a network as any other: a graph and a source of its parameters.
zoo/onnx/message, zoo/nn, zoo/weights < zoo/onnx/load

# The engine alone joins graphs to kernels. It takes from the oracle only the values of nodes that no image reaches, which it
# computes once, at load.
(zoo/interp, kernels/par), zoo/nn, kernels < zoo/engine

# Numbers of an int8 network are made by watching an engine, and kept in files as weights are.
zoo/engine, zoo/weights, zoo/nn, kernels < zoo/quantize

# They go into ONNX files and come back from them.
(zoo/engine, zoo/nn, kernels, zoo/onnx, zoo/onnx/load), zoo/quantize < zoo/quantize/qdq

# Images know no network: a recipe says what becomes of them.
(datasets/decode) < datasets/preprocess
(datasets/decode, datasets/parquet, datasets/shapes), datasets/preprocess < datasets
(datasets/decode), datasets/preprocess < datasets/augment

# Corruptions change the bytes of a crop: they know no file and no network.
(datasets/decode), datasets/preprocess < datasets/corrupt

# A recipe of training is data and the arithmetic on slices that follows from it: it knows no network.
datasets/augment < internal/recipe

# What teaches a network knows its graph and its parameters, and no image file. Operations that no kernel takes backward are the
# twin's.
(zoo/train/twin, zoo/interp, kernels/par, kernels/ref), internal/recipe, zoo/nn, kernels < zoo/train

# The clock and the records know no model and nothing that runs one; an experiment is read without running it.
bench/stat < bench/load, bench/record
(internal/words, internal/recipe), bench/load, bench/record < bench/experiment
bench/record < bench/record/recordtest
bench/record, zoo < bench/internal/study

# What the system says of interference goes into records; it knows no job and no network.
bench/record < bench/host

# Scripts for schedulers are text: whoever writes them runs nothing.
NONE < bench/submit

# Who does which task is arithmetic on estimates, before any machine is asked.
NONE < bench/shard

# A worker is where all of it meets once: jobs become records.
(datasets/decode, datasets/corrupt, zoo/engine, zoo/onnx/load, zoo/quantize, zoo/quantize/qdq, bench/shard), bench/experiment, bench/host,
datasets, kernels, zoo < bench/runner

# Shards are put together as a worker would have left them.
(bench/shard), bench/runner < bench/shard/merge

# Training joins images, networks and their gradients, as the runner joins those and the engine.
(datasets/augment, datasets/decode, datasets/preprocess, internal/recipe, zoo/train, zoo/nn, zoo/weights), bench/runner < bench/training

# The gate compares kernels, whatever networks use them.
bench/record, bench/stat, kernels < bench/gate

# Heads are statistics of slices: no file, no network and no image reaches them.
bench/stat, kernels, kernels/par < bench/choose/heads

# Plots know points and no records; findings know records and no plot. Reports run nothing.
bench/stat, reports/text < reports/draw
bench/record < bench/lessons
bench/stat, bench/record, bench/lessons < reports/findings
(reports/draw), reports/findings, reports/text < reports

# Classes of machine are compared from records alone.
(reports/draw), bench/stat, bench/record, reports/text < reports/classes

# The choice sees networks through their features alone, which a tapped engine computes.
(zoo/engine), datasets/corrupt, bench/runner < bench/choose/features
(bench/choose/features, bench/choose/heads, reports/draw, kernels/par), reports/text, bench/training, bench/runner < bench/choose

# Another program's view of an exported file: operators, no network.
kernels, kernels/par, zoo/onnx/message < bench/export/replay

# What leaves as a file is a task's network, whoever asks, with its own classifier or a head.
(bench/choose, bench/choose/features, bench/export/replay, datasets/preprocess, bench/record, zoo/weights, zoo/engine,
	zoo/quantize/qdq),
	zoo/onnx, bench/runner < bench/export

# What the program contains of the study is made of its records and checkpoints, and measured as any checkpoint is.
(bench/experiment, bench/lessons, bench/record, zoo/pocket, zoo/weights), bench/runner < bench/ship

# What networks made of each image is in per-sample files: nothing runs again, and tables and pages are others'.
bench/record, datasets < bench/samples

# Manual pages are a command line's own words.
NONE < bench/cli/manual

# The command line puts flags to calls. It passes nothing on: main is its list of networks.
(bench/choose, bench/choose/features, bench/cli/manual, bench/export, bench/gate, bench/samples, bench/shard,
	bench/shard/merge, bench/ship, bench/submit, bench/training, datasets/corrupt, datasets/shapes, internal/recipe,
	internal/words, reports, reports/classes, zoo/engine, zoo/outline, zoo/quantize) < bench/cli
bench/cli, zoo < .
`

// modules is what a package imports of other modules: a path, or a beginning of one that ends in a slash. The standard
// library is free.
const modules = `
bench/cli: github.com/olekukonko/tablewriter/ github.com/schollz/progressbar/v3 github.com/spf13/cobra github.com/spf13/pflag
bench/cli: golang.org/x/term
bench/cli/manual: github.com/spf13/cobra github.com/spf13/pflag
bench/choose/heads: gonum.org/v1/gonum/
bench/choose/features: gonum.org/v1/gonum/
bench/experiment: gopkg.in/yaml.v3
bench/gate: golang.org/x/perf/ golang.org/x/sys/unix
bench/record: github.com/klauspost/cpuid/v2 golang.org/x/perf/benchfmt golang.org/x/sys/unix
bench/stat: gonum.org/v1/gonum/
datasets/decode: golang.org/x/image/
datasets/parquet: github.com/parquet-go/parquet-go
kernels: golang.org/x/sys/unix
kernels/internal/cpu: github.com/klauspost/cpuid/v2 golang.org/x/sys/cpu golang.org/x/sys/unix
reports: github.com/olekukonko/tablewriter/
reports/draw: gonum.org/v1/plot/ golang.org/x/image/
reports/findings: gonum.org/v1/gonum/
zoo/onnx/message: google.golang.org/protobuf/encoding/protowire
zoo/weights: golang.org/x/sys/unix
`

// rules reads floors and modules: what each package may import.
func rules(t *testing.T) map[string][]string {
	t.Helper()
	allowed, err := readFloors(floors)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(strings.TrimSpace(modules)) {
		pkg, list, _ := strings.Cut(line, ":")
		if _, known := allowed[pkg]; !known {
			t.Fatalf("modules of %s: it has no floor", pkg)
		}
		allowed[pkg] = append(allowed[pkg], strings.Fields(list)...)
	}
	return allowed
}

// readFloors reads a text of floors: what each package may import of this module, sorted. The comment above a group of
// floors is its reason. A floor goes on behind a comma that ends its line.
func readFloors(text string) (map[string][]string, error) {
	allowed, passes := map[string][]string{}, map[string][]string{}
	reason := false
	for line := range strings.Lines(strings.ReplaceAll(text, ",\n", ",")) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			reason = len(line) > len("# ")
			continue
		}
		if !reason {
			return nil, fmt.Errorf("floor %q: no reason above it", line)
		}
		steps := strings.Split(line, "<")
		if len(steps) < 2 {
			return nil, fmt.Errorf("floor %q: want a, b < c, d", line)
		}
		for i, step := range steps[1:] {
			may, passed, err := ground(steps[i], passes)
			if err != nil {
				return nil, fmt.Errorf("floor %q: %w", line, err)
			}
			for pkg := range strings.SplitSeq(step, ",") {
				pkg = strings.TrimSpace(pkg)
				if _, again := allowed[pkg]; again || pkg == "" || strings.ContainsAny(pkg, "() ") {
					return nil, fmt.Errorf("floor %q: %q: want the name of a package that has no floor yet", line, pkg)
				}
				allowed[pkg], passes[pkg] = may, passed
			}
		}
	}
	return allowed, nil
}

// ground reads what a floor stands on: what it may import, and what of that it passes on to whoever stands on it.
func ground(step string, passes map[string][]string) (may, passed []string, err error) {
	kept := false
	for word := range strings.SplitSeq(step, ",") {
		word = strings.TrimSpace(word)
		word, opens := strings.CutPrefix(word, "(")
		word, closes := strings.CutSuffix(word, ")")
		kept = kept || opens
		if word == "NONE" {
			continue
		}
		below, known := passes[word]
		if !known {
			return nil, nil, fmt.Errorf("%q has no floor below", word)
		}
		may = append(append(may, word), below...)
		if !kept {
			passed = append(append(passed, word), below...)
		}
		kept = kept && !closes
	}
	slices.Sort(may)
	slices.Sort(passed)
	return slices.Clip(slices.Compact(may)), slices.Clip(slices.Compact(passed)), nil
}

// TestFloors reads floors that are right, and some that are not.
func TestFloors(t *testing.T) {
	got, err := readFloors("# Why.\nNONE < a, b\n(a), b < c < d\n\n# Why.\nc, (d) < e < f\n")
	want := map[string][]string{"a": nil, "b": nil, "c": {"a", "b"}, "d": {"b", "c"}, "e": {"b", "c", "d"}, "f": {"b", "c", "e"}}
	if err != nil || !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for _, text := range []string{
		"NONE < a", "# Why.\n\nNONE < a", "#\nNONE < a", "# Why.\na", "# Why.\na < b", "# Why.\nNONE < a < a", "# Why.\nNONE < a,",
		"# Why.\nNONE < a\na < b\nb < a", "# Why.\nNONE < a b", "# Why.\nNONE < (a)",
	} {
		if got, err := readFloors(text); err == nil {
			t.Errorf("%q is read as %v, want an error", text, got)
		}
	}
}

// permits reports whether a rule's list has an import, as the rules name them.
func permits(list []string, imported string) bool {
	return slices.ContainsFunc(list, func(rule string) bool {
		return imported == rule || strings.HasSuffix(rule, "/") && strings.HasPrefix(imported+"/", rule)
	})
}

// TestImports compares the imports of every file, for whatever platform and tags it is, with what its package may import. Tests
// may import what they need.
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
			return fmt.Errorf("%s: package %s has no floor", name, pkg)
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
		{"bench/samples", "zoo"}, {"bench/samples", "reports"}, {"bench/samples", "bench/runner"},
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
