package gate

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// A moved machine has recorded noise and programs whose speed depends on where their code lies: each benchmark has a shift
// of its own in each layout of each side.
type moved struct {
	*replay
	layouts int
	sd      float64 // of the log ratio of two layouts
	seed    uint64
}

func (m *moved) Layouts() int { return m.layouts }

func (m *moved) Sample(ctx context.Context, side Side, layout int, bench string) (float64, error) {
	ns, err := m.replay.Sample(ctx, side, layout, bench)
	rng := rand.New(rand.NewPCG(m.seed, uint64(1000*slices.Index(m.benches(), bench)+10*layout+int(side))))
	return ns * math.Exp(m.sd/math.Sqrt2*rng.NormFloat64()), err
}

// newMoved is a moved machine with 49 benchmarks, as the kernels have.
func newMoved(t *testing.T, seed uint64, layouts int, sd float64, slower func(string) float64) *moved {
	m := &moved{newReplay(t, seed, slower), layouts, sd, seed}
	for i, name := range m.benches() {
		if i < 49-27 {
			m.noise[name+" again"] = m.noise[name]
		}
	}
	return m
}

// TestLayouts counts verdicts on benchmarks whose times hang on where the code lies. What is only moved raises no alarm, as
// it does in 15 % of comparisons of one layout with another; and what is slower besides is caught. ZOO_LONG=1 takes ten
// times as many.
func TestLayouts(t *testing.T) {
	runs := 40
	if os.Getenv("ZOO_LONG") != "" {
		runs = 400
	}
	for _, test := range []struct {
		sd, share float64
		atLeast   float64 // of runs in which the slower benchmark is caught
	}{
		{sd: 0.015},
		{sd: 0.025},
		{sd: 0.015, share: 0.05, atLeast: 0.9},
		{sd: 0.015, share: 0.10, atLeast: 1},
		{sd: 0.025, share: 0.10, atLeast: 1},
	} {
		t.Run(fmt.Sprintf("layouts by %g %%, one slower by %g %%", 100*test.sd, 100*test.share), func(t *testing.T) {
			caught, alarms, undecided, rounds, outside := 0, 0, 0, 0, 0
			for seed := range uint64(runs) {
				one := ""
				m := newMoved(t, seed, DefaultLayouts, test.sd, func(b string) float64 {
					if b == one {
						return test.share
					}
					return 0
				})
				benches := m.benches()
				one = benches[seed%uint64(len(benches))]
				result, err := Compare(context.Background(), benches, m, Options{Seed: seed})
				if err != nil {
					t.Fatal(err)
				}
				alarm := false
				for _, row := range result.Rows {
					rounds += row.Rounds
					is := test.share > 0 && row.Bench == one
					switch {
					case row.Verdict == Slower && is:
						caught++
					case row.Verdict == Slower:
						alarm = true
					case row.Verdict == Undecided:
						undecided++
					}
					if !is && (row.Lo > 1 || row.Hi < 1) {
						outside++
					}
				}
				if alarm {
					alarms++
				}
			}
			n := runs * len(newMoved(t, 0, 1, 0, nil).benches())
			t.Logf("%d runs: caught %d, alarms in %d, undecided %d of %d, %.1f rounds a benchmark, %.1f %% of intervals without it",
				runs, caught, alarms, undecided, n, float64(rounds)/float64(n), 100*float64(outside)/float64(n))
			if float64(caught) < test.atLeast*float64(runs) {
				t.Errorf("caught %d of %d, want at least %v", caught, runs, test.atLeast)
			}
			if float64(outside) > 0.08*float64(n) {
				t.Errorf("%d of %d intervals without the ratio, want at most 8 %%", outside, n)
			}
			if float64(alarms) > 0.05*float64(runs) {
				t.Errorf("alarms in %d of %d runs, want at most one in twenty", alarms, runs)
			}
		})
	}
}
