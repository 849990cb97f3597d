package gate

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCheckOnAnotherMachine holds that a baseline is no measure where the machine is in another state than when it was
// recorded: it has no verdict, however large the slow-down that it seems to see.
func TestCheckOnAnotherMachine(t *testing.T) {
	still := func(string) float64 { return 0 }
	one := "" // a tenth slower
	slow := func(bench string) float64 {
		if bench == one {
			return 0.1
		}
		return 0
	}
	before := &replayed{replay: newReplay(t, 1, nil), ns: 1e6, share: still}
	baseline, err := (&Timed{bencher: before, seed: 1}).Record(t.Context(), "kernels", ".", 0)
	if err != nil {
		t.Fatal(err)
	}
	one = baseline.Benches[0].Name
	for _, test := range []struct {
		name     string
		ns       float64
		recorded []string
		want     Verdict
		note     string
	}{
		{"as it was", 1e6, nil, Slower, ""},
		{"a fifth slower", 1.2e6, nil, Slower, ""},
		{"half as fast", 2e6, nil, Undecided, "arithmetic reference took 2.0"},
		{"twice as fast", 0.5e6, nil, Undecided, "arithmetic reference took 0.5"},
		{"recorded under load", 1e6, []string{"other processes used 1 core"}, Undecided, "when the baseline was recorded, other processes"},
	} {
		t.Run(test.name, func(t *testing.T) {
			baseline.Disturbed = test.recorded
			now := &replayed{replay: newReplay(t, 2, nil), ns: test.ns, share: slow}
			r, err := (&Timed{bencher: now, seed: 2}).Check(t.Context(), baseline, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := r.Verdict(); got != test.want || r.Rows[0].Verdict != Slower {
				t.Errorf("verdict %s, want %s; of the slower benchmark %s", got, test.want, r.Rows[0].Verdict)
			}
			notes := strings.Join(r.Notes, "\n")
			if !strings.Contains(notes, test.note) || (test.note != "") != strings.Contains(notes, "no verdict: ") {
				t.Errorf("notes %q, want %q", notes, test.note)
			}
		})
	}
}

// A movedRevision is a replayed machine's with layouts that have shifts of their own.
type movedRevision struct {
	*replayed
	seed uint64
}

func (m *movedRevision) Layouts() int { return DefaultLayouts }

func (m *movedRevision) sample(ctx context.Context, layout int, b benchmark, r reference) (ns, referenceNs float64, err error) {
	ns, referenceNs, err = m.replayed.sample(ctx, layout, b, r)
	rng := rand.New(rand.NewPCG(m.seed, uint64(100*slices.Index(m.benches(), b.Name)+layout)))
	return ns * math.Exp(0.015/math.Sqrt2*rng.NormFloat64()), referenceNs, err
}

// TestCheckLayouts holds that code that only moved since the baseline raises no alarm.
func TestCheckLayouts(t *testing.T) {
	const runs = 20
	alarms := 0
	for seed := range uint64(runs) {
		revision := func(n uint64) *Timed {
			r := &replayed{replay: newReplay(t, n, nil), ns: 1e6, share: func(string) float64 { return 0 }}
			return &Timed{bencher: &movedRevision{r, n}, seed: n}
		}
		baseline, err := revision(2*seed).Record(t.Context(), "kernels", ".", 0)
		if err != nil {
			t.Fatal(err)
		}
		r, err := revision(2*seed+1).Check(t.Context(), baseline, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if r.Verdict() == Slower {
			alarms++
		}
	}
	if alarms > runs/20 {
		t.Errorf("alarms in %d of %d checks, want at most one in twenty", alarms, runs)
	}
}

func TestLimits(t *testing.T) {
	for _, test := range []struct {
		name string
		load load
		want []string
	}{
		{"at rest", load{}, nil},
		{"a browser, a clock that moves", load{others: 0.3, stolen: 0.01, low: 120e9, high: 200e9}, nil},
		{"a busy loop beside", load{others: 0.98, low: 150e9, high: 200e9}, []string{"other processes used 0.98 cores, more than 0.4"}},
		{"a busy loop on the same core", load{others: 0.49}, []string{"other processes used 0.49 cores"}},
		{"another machine", load{stolen: 0.2, low: 50e9, high: 200e9}, []string{"gave 0.20 cores", "varied between 50.0 and 200.0 GFLOP/s"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := test.load.beyond()
			if !slices.EqualFunc(got, test.want, strings.Contains) {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestRefer adds references to a package that can have them.
func TestRefer(t *testing.T) {
	for _, test := range []struct {
		name, tests string
		want        bool
	}{
		{"benchmarks", "package p\n", true},
		{"a TestMain of its own", "package p\n\nfunc TestMain(m *testing.M) {}\n", false},
		{"no tests", "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if test.tests != "" {
				if err := os.WriteFile(filepath.Join(dir, "p_test.go"), []byte(test.tests), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			if err := refer(dir, "p"); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(filepath.Join(dir, "zoobench_reference_test.go"))
			if (err == nil) != test.want || test.want && !strings.HasPrefix(string(text), "package p\n") {
				t.Errorf("%v, %.20q; want a file %t", err, text, test.want)
			}
		})
	}
}
