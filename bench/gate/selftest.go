package gate

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"zoobench/bench/stat"
)

// SelfTestOptions are how the gate is tried on this machine.
type SelfTestOptions struct {
	Options
	Suite    Suite
	Pattern  string
	Plant    string    // the method that is slowed down, as Type.Method; "" for the suite's
	Shares   []float64 // by how much; nil for 3, 5 and 10 %
	Nulls    int       // comparisons of base with itself; 0 for 20
	Plants   int       // comparisons for each share; 0 for 10
	Layouts  int       // in how many layouts each side is built; 0 for DefaultLayouts
	CPU      int
	Progress func(what string)
}

// A SelfTest is what the gate finds in comparisons whose right answer is known.
type SelfTest struct {
	Commit    string        `json:"commit"`
	Threshold float64       `json:"threshold"`
	Benches   []string      `json:"benches"`
	Planted   []string      `json:"planted_benches"` // those whose kernel is slowed down
	Plant     string        `json:"plant"`
	Nulls     []trial       `json:"nulls"` // base against itself in other layouts
	Plants    []plantTrials `json:"plants"`
	Elapsed   time.Duration `json:"elapsed_ns"`
	Notes     []string      `json:"notes,omitempty"`
	Stopped   string        `json:"stopped,omitempty"` // what ended it before all comparisons were made
}

// A trial is one comparison.
type trial struct {
	Slower    []string      `json:"slower,omitempty"`
	Faster    []string      `json:"faster,omitempty"`
	Undecided []string      `json:"undecided,omitempty"`
	Elapsed   time.Duration `json:"elapsed_ns"`
}

// plantTrials are the comparisons with one slow-down.
type plantTrials struct {
	Share  float64 `json:"share"`
	Caught int     `json:"caught"` // in how many trials a planted benchmark was called slower
	// Benches is how many times, over trials and planted benchmarks, one was; of as many as Timed says.
	Benches int     `json:"benches_caught"`
	Timed   int     `json:"benches_timed"`
	Trials  []trial `json:"trials"`
}

// obviousShare is a slow-down that shows in the quickest of obviousSamples which benchmarks a plant touches, and obviousRatio
// where it does: whatever else runs only makes a sample longer.
const (
	obviousShare   = 2.0
	obviousRatio   = 1.8
	obviousSamples = 3
)

// RunSelfTest compares a revision with itself and with itself slowed down. Only the benchmarks that a plant touches are
// timed against it; the rest count in the correction all the same. With an error it returns the comparisons that were
// made before, nil where there are none.
func RunSelfTest(ctx context.Context, repo *Repo, commit string, o SelfTestOptions) (*SelfTest, error) {
	if o.Plant == "" {
		o.Plant = o.Suite.Plant
	}
	if o.Shares == nil {
		o.Shares = []float64{0.03, 0.05, 0.10}
	}
	if o.Nulls == 0 {
		o.Nulls = 20
	}
	if o.Plants == 0 {
		o.Plants = 10
	}
	o.Layouts = cmp.Or(o.Layouts, DefaultLayouts)
	o.Threshold = cmp.Or(o.Threshold, 0.05)
	start, watch := time.Now(), StartWatch(o.CPU)
	tell := func(format string, args ...any) {
		watch.Look()
		if o.Progress != nil {
			o.Progress(fmt.Sprintf(format, args...))
		}
	}
	tell("build")
	base, err := repo.Build(ctx, commit, o.Suite, Plant{}, 2*o.Layouts)
	if err != nil {
		return nil, err
	}
	obvious, err := repo.Build(ctx, commit, o.Suite, Plant{o.Plant, obviousShare}, 1)
	if err != nil {
		return nil, err
	}
	t := &SelfTest{Commit: commit, Threshold: o.Threshold, Plant: o.Plant}
	pair := &Pair{Binaries: [2]*Binary{base, base}, CPU: o.CPU}
	if t.Benches, _, _, _, err = pair.Benches(ctx, o.Pattern); err != nil {
		return nil, err
	}
	tell("find the benchmarks of %s", o.Plant)
	if t.Planted, err = touched(ctx, pair, obvious, t.Benches); err != nil {
		return nil, err
	}
	if len(t.Planted) == 0 {
		return nil, fmt.Errorf("gate: self-test: no benchmark that --bench %s matches calls %s", o.Pattern, o.Plant)
	}

	err = t.compare(ctx, repo, pair, o, tell)
	t.Elapsed, t.Notes = time.Since(start), watch.Notes()
	if err != nil {
		if len(t.Nulls) == 0 {
			return nil, err
		}
		t.Stopped = err.Error()
	}
	return t, err
}

// compare makes the comparisons, one after the other.
func (t *SelfTest) compare(ctx context.Context, repo *Repo, pair *Pair, o SelfTestOptions, tell func(format string, args ...any)) error {
	options, base := o.Options, pair.Binaries[Base]
	for n := range o.Nulls {
		tell("base against itself, %d of %d", n+1, o.Nulls)
		options.Seed = o.Seed + uint64(n)
		// Each side gets half of the layouts, as it would if a change had moved the code.
		all := rand.New(rand.NewPCG(options.Seed, 3)).Perm(len(base.Paths))
		halves := &Pair{Binaries: [2]*Binary{base.only(all[:o.Layouts]), base.only(all[o.Layouts:])}, CPU: o.CPU, benches: pair.benches}
		result, err := Compare(ctx, t.Benches, halves, options)
		if err != nil {
			return err
		}
		options.floors = result.floors
		t.Nulls = append(t.Nulls, newTrial(result))
	}
	options.others = len(t.Benches) - len(t.Planted)
	for _, share := range o.Shares {
		slowed, err := repo.Build(ctx, t.Commit, o.Suite, Plant{o.Plant, share}, o.Layouts)
		if err != nil {
			return err
		}
		against := &Pair{Binaries: [2]*Binary{base, slowed}, CPU: o.CPU, benches: pair.benches}
		for n := range o.Plants {
			tell("%g %% slower, %d of %d", 100*share, n+1, o.Plants)
			options.Seed = o.Seed + uint64(1000+n)
			result, err := Compare(ctx, t.Planted, against, options)
			if err != nil {
				return err
			}
			if n == 0 {
				t.Plants = append(t.Plants, plantTrials{Share: share})
			}
			trials, trial := &t.Plants[len(t.Plants)-1], newTrial(result)
			trials.Trials = append(trials.Trials, trial)
			trials.Benches += len(trial.Slower)
			trials.Timed += len(t.Planted)
			if len(trial.Slower) > 0 {
				trials.Caught++
			}
		}
	}
	return nil
}

// touched are the benchmarks that an obvious plant slows down.
func touched(ctx context.Context, pair *Pair, obvious *Binary, benches []string) ([]string, error) {
	both := &Pair{Binaries: [2]*Binary{pair.Binaries[Base], obvious}, CPU: pair.CPU, benches: pair.benches}
	var found []string
	for _, b := range benches {
		var ns [2]float64
		for _, side := range []Side{Base, Head} {
			ns[side] = math.Inf(1)
			for range obviousSamples {
				sample, err := both.Sample(ctx, side, 0, b)
				if err != nil {
					return nil, fmt.Errorf("gate: self-test: %w", err)
				}
				ns[side] = min(ns[side], sample)
			}
		}
		if ns[Head] > obviousRatio*ns[Base] {
			found = append(found, b)
		}
	}
	return found, nil
}

func newTrial(r *Result) trial {
	t := trial{Elapsed: r.Elapsed}
	for i := range r.Rows {
		row := &r.Rows[i]
		switch row.Verdict {
		case Slower:
			t.Slower = append(t.Slower, row.Bench)
		case Faster:
			t.Faster = append(t.Faster, row.Bench)
		case Undecided:
			t.Undecided = append(t.Undecided, row.Bench)
		}
	}
	return t
}

// falseAlarms is how many comparisons of base with itself called a benchmark slower.
func (t *SelfTest) falseAlarms() int {
	n := 0
	for i := range t.Nulls {
		if len(t.Nulls[i].Slower) > 0 {
			n++
		}
	}
	return n
}

// Passed reports whether the gate met its error rates: at most one alarm over all comparisons of base with itself, at least
// nine tenths of the slow-downs by the threshold caught, and all of twice the threshold or more. One that was stopped has not.
func (t *SelfTest) Passed() bool {
	if t.Stopped != "" || t.falseAlarms() > 1 {
		return false
	}
	for _, p := range t.Plants {
		n := len(p.Trials)
		if p.Share >= 2*t.Threshold && p.Caught < n || p.Share >= t.Threshold && 10*p.Caught < 9*n {
			return false
		}
	}
	return true
}

// String is the self-test's outcome in a few lines.
func (t *SelfTest) String() string {
	var b strings.Builder
	undecided, elapsed := 0, time.Duration(0)
	for _, trial := range t.Nulls {
		undecided += len(trial.Undecided)
		elapsed += trial.Elapsed
	}
	lo, hi := stat.Wilson(t.falseAlarms(), len(t.Nulls))
	fmt.Fprintf(&b, "base against itself: %d false alarms in %d comparisons of %d benchmarks (95 %%: %.0f to %.0f %%), %d verdicts "+
		"undecided; %v a comparison\n",
		t.falseAlarms(), len(t.Nulls), len(t.Benches), 100*lo, 100*hi, undecided, mean(elapsed, len(t.Nulls)))
	for _, p := range t.Plants {
		elapsed = 0
		for _, trial := range p.Trials {
			elapsed += trial.Elapsed
		}
		lo, hi := stat.Wilson(p.Caught, len(p.Trials))
		fmt.Fprintf(&b, "%s %g %% slower: caught in %d of %d comparisons (95 %%: %.0f to %.0f %%), %d of %d benchmarks; %v a comparison\n",
			t.Plant, 100*p.Share, p.Caught, len(p.Trials), 100*lo, 100*hi, p.Benches, p.Timed, mean(elapsed, len(p.Trials)))
	}
	fmt.Fprintf(&b, "threshold %g %%, %v in all\n", 100*t.Threshold, t.Elapsed.Round(time.Second))
	if t.Stopped != "" {
		fmt.Fprintf(&b, "stopped before all comparisons were made: %s\n", t.Stopped)
	}
	for _, note := range slices.Sorted(slices.Values(t.Notes)) {
		fmt.Fprintln(&b, note)
	}
	return b.String()
}

func mean(total time.Duration, n int) time.Duration {
	return (total / time.Duration(max(1, n))).Round(100 * time.Millisecond)
}
