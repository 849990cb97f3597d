package gate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/perf/benchfmt"
)

// How a benchmark is sampled. A sample is the least of several short runs within one process: interruptions only add
// time, and what differs from process to process, such as where its memory lies, is drawn anew each round.
const (
	runLength    = 2 * time.Millisecond // or leastCalls, where that is longer
	sampleLength = 12 * time.Millisecond
	leastCalls   = 3 // the first of a run finds no data in the caches
	leastRuns    = 3
)

// What takes longer hangs.
const (
	sampleLimit = 5 * time.Minute
	listLimit   = time.Hour
)

// A benchmark is one benchmark of a binary.
type benchmark struct {
	Name        string // without "Benchmark"
	NsPerOp     float64
	MACsPerSec  float64 // what it reports as macs/s; 0 where it does not
	BytesPerSec float64 // and as MB/s, which kernels without multiply-adds do
	// Compares says that the benchmark times alternatives in turn and reports their ratio: no kernel's own time.
	Compares bool
}

// iterations are how many calls a run has and how many runs a sample.
func (b benchmark) iterations() (calls, runs int) {
	calls = max(leastCalls, int(float64(runLength)/b.NsPerOp))
	runs = max(leastRuns, int(float64(sampleLength)/(b.NsPerOp*float64(calls))))
	return calls, runs
}

// A Binary is a revision's built benchmarks, one program for each layout.
type Binary struct {
	Paths  []string
	Commit string
}

// only is the binary with some of its layouts.
func (b *Binary) only(layouts []int) *Binary {
	some := &Binary{Commit: b.Commit}
	for _, n := range layouts {
		some.Paths = append(some.Paths, b.Paths[n])
	}
	return some
}

// A BenchError is a benchmark that failed; Output is the end of what it printed.
type BenchError struct {
	Bench  string
	Output string
	Err    error
}

func (e *BenchError) Error() string {
	return fmt.Sprintf("%s: %v\n%s", e.Bench, e.Err, e.Output)
}

func (e *BenchError) Unwrap() error { return e.Err }

// run runs benchmarks on one core, in one layout, and returns their results in order. The settings are added to the environment.
func (b *Binary) run(ctx context.Context, cpu, layout int, limit time.Duration, settings []string, args ...string) (
	[]*benchfmt.Result, error) {
	path := b.Paths[layout]
	limited, stop := context.WithTimeout(ctx, limit)
	defer stop()
	c := exec.CommandContext(limited, path, append([]string{"-test.run=^$"}, args...)...)
	c.Dir = filepath.Dir(path)
	// Two processors for Go's scheduler would be two names for one core.
	c.Env = append(append(os.Environ(), "GOMAXPROCS=1"), settings...)
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	if err := startPinned(c, cpu); err != nil {
		return nil, fmt.Errorf("start %s: %w", path, err)
	}
	err := c.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case limited.Err() != nil:
		err = fmt.Errorf("took longer than %v", limit)
	}
	if err != nil {
		return nil, &BenchError{Bench: path, Output: lastLines(out.String()+errs.String(), 12), Err: err}
	}
	var results []*benchfmt.Result
	reader := benchfmt.NewReader(&out, path)
	for reader.Scan() {
		switch r := reader.Result().(type) {
		case *benchfmt.Result:
			results = append(results, r.Clone())
		case *benchfmt.SyntaxError:
			return nil, fmt.Errorf("%s: %w", path, r)
		}
	}
	return results, reader.Err()
}

// list runs the benchmarks that a pattern, as go test -bench has it, names, once each, and returns them in order.
func (b *Binary) list(ctx context.Context, cpu int, pattern string) ([]benchmark, error) {
	results, err := b.run(ctx, cpu, 0, listLimit, nil, "-test.bench="+pattern, "-test.benchtime="+runLength.String())
	if err != nil {
		return nil, err
	}
	var benches []benchmark
	for _, r := range results {
		bench := newBench(r)
		if bench.NsPerOp > 0 && !slices.ContainsFunc(benches, func(o benchmark) bool { return o.Name == bench.Name }) {
			benches = append(benches, bench)
		}
	}
	return benches, nil
}

// newBench is what a line of benchmark text says.
func newBench(r *benchfmt.Result) benchmark {
	bench := benchmark{Name: string(r.Name)}
	for _, v := range r.Values {
		left, right, _ := strings.Cut(v.Unit, "/")
		switch {
		case v.Unit == "sec/op":
			bench.NsPerOp = 1e9 * v.Value
		case v.Unit == "macs/s":
			bench.MACsPerSec = v.Value
		case v.Unit == "B/s":
			bench.BytesPerSec = v.Value
		case right != "" && right != "s" && right != "op" && left != "":
			bench.Compares = true
		}
	}
	return bench
}

// sample times one benchmark in a process of its own and returns the least time of a call, in nanoseconds.
func (b *Binary) sample(ctx context.Context, cpu, layout int, bench benchmark) (float64, error) {
	calls, runs := bench.iterations()
	results, err := b.runOne(ctx, cpu, layout, bench, nil, calls, runs)
	if err != nil {
		return 0, err
	}
	if ns := least(results, bench.Name); ns > 0 {
		return ns, nil
	}
	return 0, &BenchError{Bench: bench.Name, Err: errors.New("printed no time")}
}

// sampleBeside is sample with a reference before and after each run, and the least time of a pass of it.
func (b *Binary) sampleBeside(ctx context.Context, cpu, layout int, bench benchmark, r reference) (ns, referenceNs float64, err error) {
	calls, _ := bench.iterations()
	results, err := b.runOne(ctx, cpu, layout, bench, []string{r.beside(bench)}, calls, 1)
	if err != nil {
		return 0, 0, err
	}
	ns, referenceNs = least(results, bench.Name), least(results, referenceName)
	switch {
	case ns == 0:
		err = errors.New("printed no time")
	case referenceNs == 0:
		err = errors.New("printed no time of its reference: its package has a TestMain of its own")
	default:
		return ns, referenceNs, nil
	}
	return 0, 0, &BenchError{Bench: bench.Name, Err: err}
}

// runOne runs one benchmark so many times.
func (b *Binary) runOne(ctx context.Context, cpu, layout int, bench benchmark, settings []string, calls, runs int) (
	[]*benchfmt.Result, error) {
	results, err := b.run(ctx, cpu, layout, sampleLimit, settings, "-test.bench="+exactly(bench.Name),
		fmt.Sprintf("-test.benchtime=%dx", calls), fmt.Sprintf("-test.count=%d", runs))
	var failed *BenchError
	if errors.As(err, &failed) {
		failed.Bench = bench.Name
	}
	return results, err
}

// least is the least time of a call in one benchmark's results, in nanoseconds; 0 where there is none.
func least(results []*benchfmt.Result, name string) float64 {
	least := 0.0
	for _, r := range results {
		if v, ok := r.Value("sec/op"); ok && string(r.Name) == name && (least == 0 || 1e9*v < least) {
			least = 1e9 * v
		}
	}
	return least
}

// exactly is the pattern that names one benchmark.
func exactly(name string) string {
	parts := strings.Split("Benchmark"+name, "/")
	for i := range parts {
		parts[i] = "^" + regexp.QuoteMeta(parts[i]) + "$"
	}
	return strings.Join(parts, "/")
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// A Pair is two binaries on one core, as a [Sampler].
type Pair struct {
	Binaries [2]*Binary
	CPU      int // the core; below 0 for none in particular
	benches  map[string]benchmark
}

// Layouts is Sampler's.
func (p *Pair) Layouts() int { return min(len(p.Binaries[Base].Paths), len(p.Binaries[Head].Paths)) }

// Sample is Sampler's.
func (p *Pair) Sample(ctx context.Context, side Side, layout int, name string) (float64, error) {
	ns, err := p.Binaries[side].sample(ctx, p.CPU, layout, p.benches[name])
	if err != nil {
		return 0, fmt.Errorf("%v %.12s: %w", side, p.Binaries[side].Commit, err)
	}
	return ns, nil
}

// Benches are the names of a pattern's benchmarks: on both sides, on the base's alone and on the head's alone, and
// those left out because they compare alternatives with one another. Both sides make the calls that the base's speed
// asks for.
func (p *Pair) Benches(ctx context.Context, pattern string) (both, gone, added, left []string, err error) {
	if _, err := regexp.Compile(pattern); err != nil {
		return nil, nil, nil, nil, fmt.Errorf("gate: --bench: %w", err)
	}
	var sides [2][]benchmark
	for side, b := range p.Binaries {
		if side == int(Head) && b.Paths[0] == p.Binaries[Base].Paths[0] {
			sides[side] = sides[Base]
			continue
		}
		if sides[side], err = b.list(ctx, p.CPU, pattern); err != nil {
			return nil, nil, nil, nil, fmt.Errorf("gate: %v %.12s: %w", Side(side), b.Commit, err)
		}
	}
	p.benches = map[string]benchmark{}
	has := func(list []benchmark, name string) bool {
		return slices.ContainsFunc(list, func(b benchmark) bool { return b.Name == name })
	}
	for _, b := range sides[Base] {
		switch {
		case b.Compares:
			left = append(left, b.Name)
		case has(sides[Head], b.Name):
			p.benches[b.Name] = b
			both = append(both, b.Name)
		default:
			gone = append(gone, b.Name)
		}
	}
	for _, b := range sides[Head] {
		if !b.Compares && !has(sides[Base], b.Name) {
			added = append(added, b.Name)
		}
	}
	if len(both) == 0 {
		return nil, nil, nil, nil, fmt.Errorf("gate: --bench %s matches no benchmark that both revisions have: base has %d, head has %d",
			pattern, len(sides[Base]), len(sides[Head]))
	}
	return both, gone, added, left, nil
}
