package gate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// recordedNoise is what 27 benchmarks of convolutions showed against themselves on a shared machine of two cores, with
// other programs at work: a pair of log times a round, each from its benchmark's median.
func recordedNoise(t testing.TB) map[string][][2]float64 {
	t.Helper()
	text, err := os.ReadFile("testdata/noise.json")
	if err != nil {
		t.Fatal(err)
	}
	var noise map[string][][2]float64
	if err := json.Unmarshal(text, &noise); err != nil {
		t.Fatal(err)
	}
	return noise
}

// A replay is a sampler of recorded noise: both times of a pair come from one recorded round, drawn by chance, to which
// the head's share is added.
type replay struct {
	noise  map[string][][2]float64
	slower func(bench string) float64 // head's change, as a share
	rng    *rand.Rand
	pair   map[string][2]float64
	second map[string]bool
}

func newReplay(t testing.TB, seed uint64, slower func(string) float64) *replay {
	return &replay{recordedNoise(t), slower, rand.New(rand.NewPCG(seed, 9)), map[string][2]float64{}, map[string]bool{}}
}

func (r *replay) Layouts() int { return 1 }

func (r *replay) Sample(_ context.Context, side Side, _ int, bench string) (float64, error) {
	if !r.second[bench] {
		rounds := r.noise[bench]
		r.pair[bench] = rounds[r.rng.IntN(len(rounds))]
		if r.rng.IntN(2) == 0 {
			r.pair[bench] = [2]float64{r.pair[bench][1], r.pair[bench][0]}
		}
	}
	log := r.pair[bench][0]
	if r.second[bench] {
		log = r.pair[bench][1]
	}
	r.second[bench] = !r.second[bench]
	ns := 1e6 * math.Exp(log)
	if side == Head {
		ns *= 1 + r.slower(bench)
	}
	return ns, nil
}

func (r *replay) benches() []string {
	var names []string
	for name := range r.noise {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// TestRates replays recorded noise: how often an unchanged family raises an alarm, how often a slow-down of one benchmark
// is caught, and how often one that is slower by the threshold is called the same. ZOO_LONG=1 takes ten times as many.
func TestRates(t *testing.T) {
	runs := 40
	if os.Getenv("ZOO_LONG") != "" {
		runs = 400
	}
	for _, test := range []struct {
		name     string
		share    float64
		all      bool // every benchmark has the share, not one
		atLeast  float64
		alarms   float64 // highest share of runs with an alarm where none should be
		wantSame float64 // highest share of the changed benchmarks that are called the same
	}{
		{name: "unchanged", alarms: 0.05, wantSame: 1},
		{name: "one slower by 3 %", share: 0.03, alarms: 0.05, wantSame: 1},
		{name: "one slower by 5 %", share: 0.05, atLeast: 0.9, alarms: 0.05, wantSame: 0.05},
		{name: "one slower by 10 %", share: 0.10, atLeast: 1, alarms: 0.05},
		{name: "all at the margin", share: 0.025, all: true, alarms: 0.07, wantSame: 1},
		{name: "all faster by 10 %", share: -0.0909, all: true, alarms: 0.05},
	} {
		t.Run(test.name, func(t *testing.T) {
			caught, alarms, same, changed, undecided, rounds := 0, 0, 0, 0, 0, 0
			for seed := range uint64(runs) {
				one := ""
				r := newReplay(t, seed, func(b string) float64 {
					if test.all || b == one {
						return test.share
					}
					return 0
				})
				benches := r.benches()
				one = benches[seed%uint64(len(benches))]
				result, err := Compare(context.Background(), benches, r, Options{Seed: seed})
				if err != nil {
					t.Fatal(err)
				}
				alarm := false
				for _, row := range result.Rows {
					rounds += row.Rounds
					if row.Verdict == Undecided {
						undecided++
					}
					is := test.share != 0 && (test.all || row.Bench == one)
					if is {
						changed++
					}
					if is && row.Verdict == Same {
						same++
					}
					if row.Verdict == Slower {
						if is && test.share > 0.026 {
							caught++
						} else {
							alarm = true
						}
					}
				}
				if alarm {
					alarms++
				}
			}
			n := len(recordedNoise(t)) * runs
			t.Logf("%d runs: caught %d, alarms in %d, called the same %d of %d, undecided %d of %d, %.1f rounds a benchmark",
				runs, caught, alarms, same, changed, undecided, n, float64(rounds)/float64(n))
			if float64(caught) < test.atLeast*float64(runs) {
				t.Errorf("caught %d of %d, want at least %v", caught, runs, test.atLeast)
			}
			if float64(alarms) > test.alarms*float64(runs) {
				t.Errorf("alarms in %d of %d runs, want at most %v", alarms, runs, test.alarms)
			}
			if float64(same) > test.wantSame*float64(changed) {
				t.Errorf("called the same %d of %d, want at most %v", same, changed, test.wantSame)
			}
		})
	}
}

// TestLooksKeepTheRate counts alarms where nothing is known but that both sides are alike, at a margin of nearly nothing:
// looking again and again must not raise their number above the rate.
func TestLooksKeepTheRate(t *testing.T) {
	const runs, members = 200, 6
	alarms := 0
	for seed := range uint64(runs) {
		rng := rand.New(rand.NewPCG(seed, 4))
		names := make([]string, members)
		for i := range names {
			names[i] = fmt.Sprint(i)
		}
		j := newJudge(names, 1e-12, len(looks), 0)
		active := []int{0, 1, 2, 3, 4, 5}
		for round := 1; round <= looks[len(looks)-1]; round++ {
			for i := range j.rows {
				row := &j.rows[i]
				row.Base, row.Head = append(row.Base, 1), append(row.Head, math.Exp(0.1*rng.NormFloat64()))
				row.Rounds++
			}
			if slices.Contains(looks[:], round) {
				j.look(active)
			}
			if slices.ContainsFunc(j.rows, func(r Row) bool { return r.Verdict == Slower }) {
				alarms++
				break
			}
		}
	}
	// Three standard deviations above 2.5 % of 200.
	if alarms > 11 {
		t.Errorf("alarms in %d of %d runs, want at most 11", alarms, runs)
	}
	t.Logf("alarms in %d of %d runs", alarms, runs)
}

// steady is a sampler without noise but for the last digits.
type steady struct {
	rng   *rand.Rand
	heads map[string]float64
	fail  error
}

func (s *steady) Layouts() int { return 1 }

func (s *steady) Sample(_ context.Context, side Side, _ int, bench string) (float64, error) {
	ns := 1000 * (1 + 0.001*s.rng.Float64())
	if side == Head {
		ns *= s.heads[bench]
	}
	return ns, s.fail
}

func TestCompareVerdicts(t *testing.T) {
	s := &steady{rng: rand.New(rand.NewPCG(1, 5)), heads: map[string]float64{"as before": 1, "slow": 1.06, "fast": 0.9}}
	r, err := Compare(context.Background(), []string{"as before", "slow", "fast"}, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []Verdict{Same, Slower, Faster} {
		row := r.Rows[i]
		if row.Verdict != want || row.Rounds != looks[0] {
			t.Errorf("%s: %s after %d rounds, want %s after %d", row.Bench, row.Verdict, row.Rounds, want, looks[0])
		}
		if want := s.heads[row.Bench]; math.Abs(row.Ratio-want) > 0.001 || row.Lo > want || row.Hi < want {
			t.Errorf("%s: ratio %v [%v, %v], want %v", row.Bench, row.Ratio, row.Lo, row.Hi, want)
		}
	}
	if got := r.Verdict(); got != Slower {
		t.Errorf("verdict %s, want %s", got, Slower)
	}
	if want := math.Cbrt(1.06 * 0.9); math.Abs(r.GeoMean-want) > 0.001 || r.GeoLo > want || r.GeoHi < want {
		t.Errorf("geometric mean %v [%v, %v], want %v", r.GeoMean, r.GeoLo, r.GeoHi, want)
	}
}

func TestVerdictOfTheWhole(t *testing.T) {
	for _, test := range []struct {
		name     string
		rows     []Verdict
		unsteady bool
		want     Verdict
	}{
		{"all the same", []Verdict{Same, Same}, false, Same},
		{"faster and new ones", []Verdict{Same, Faster, New}, false, Same},
		{"one slower, one undecided", []Verdict{Undecided, Slower}, false, Slower},
		{"one undecided", []Verdict{Same, Undecided}, false, Undecided},
		{"one the same or faster", []Verdict{Same, "calm"}, false, Same},
		{"one gone", []Verdict{Same, Gone}, false, Undecided},
		{"base differs from itself", []Verdict{Slower}, true, Undecided},
	} {
		t.Run(test.name, func(t *testing.T) {
			var r Result
			for _, v := range test.rows {
				row := Row{Verdict: v}
				if v == "calm" {
					row = Row{Verdict: Undecided, NotSlower: true}
				}
				r.Rows = append(r.Rows, row)
			}
			if test.unsteady {
				r.Unsteady = []string{"x"}
			}
			if got := r.Verdict(); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// drifting is a sampler whose first side is always the slower: base cannot agree with itself.
type drifting struct{ calls int }

func (d *drifting) Layouts() int { return 1 }

func (d *drifting) Sample(context.Context, Side, int, string) (float64, error) {
	d.calls++
	return 1000 + float64(d.calls%7)*300, nil
}

func TestNoisyHostIsUndecided(t *testing.T) {
	r, err := Compare(context.Background(), []string{"x"}, &drifting{}, Options{Rounds: 16})
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Verdict(); got != Undecided {
		t.Errorf("verdict %s, want %s", got, Undecided)
	}
	if len(r.Notes) == 0 || !strings.Contains(r.Notes[0], "too noisy") {
		t.Errorf("notes %q, want one of a noisy host", r.Notes)
	}
}

func TestCompareBadInput(t *testing.T) {
	good := func() *steady {
		return &steady{rng: rand.New(rand.NewPCG(1, 6)), heads: map[string]float64{"x": 1}}
	}
	broken := good()
	broken.fail = errors.New("exploded")
	still := good()
	still.heads = nil
	for _, test := range []struct {
		name    string
		benches []string
		sampler Sampler
		o       Options
		want    string
	}{
		{"no benchmarks", nil, good(), Options{}, "no benchmarks"},
		{"threshold", []string{"x"}, good(), Options{Threshold: 1.5}, "threshold 1.5"},
		{"rounds", []string{"x"}, good(), Options{Rounds: 3}, "3 rounds"},
		{"a benchmark that fails", []string{"x"}, broken, Options{}, "round 1: exploded"},
		{"a time of nothing", []string{"x"}, still, Options{}, "0 ns a call"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Compare(context.Background(), test.benches, test.sampler, test.o)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestBudgetEndsRounds(t *testing.T) {
	r, err := Compare(context.Background(), []string{"x"}, newFaint(), Options{Budget: time.Nanosecond})
	if err != nil {
		t.Fatal(err)
	}
	if row := r.Rows[0]; row.Rounds != MinRounds || row.Verdict != Undecided {
		t.Errorf("%s after %d rounds, want undecided after %d", row.Verdict, row.Rounds, MinRounds)
	}
	if len(r.Notes) == 0 || !strings.Contains(r.Notes[0], "budget") {
		t.Errorf("notes %q, want one of the budget", r.Notes)
	}
}

// newFaint has noise that eight rounds cannot see through.
func newFaint() Sampler { return &faint{rand.New(rand.NewPCG(8, 8))} }

type faint struct{ rng *rand.Rand }

func (f *faint) Layouts() int { return 1 }

func (f *faint) Sample(context.Context, Side, int, string) (float64, error) {
	return 1000 * math.Exp(0.3*f.rng.NormFloat64()), nil
}

func TestReportForms(t *testing.T) {
	s := &steady{rng: rand.New(rand.NewPCG(1, 7)), heads: map[string]float64{"Conv/k=3": 1.1, "Conv/k=1": 1}}
	result, err := Compare(context.Background(), []string{"Conv/k=1", "Conv/k=3"}, s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	result.Rows = append(result.Rows, Row{Bench: "Pool", Verdict: Gone})
	r := &Report{Result: result, Outcome: result.Verdict(), Suite: "kernels", Base: "aaaa", Head: "bbbb", Unit: Nanoseconds}
	var md, text, js bytes.Buffer
	if err := errors.Join(r.WriteMarkdown(&md), r.WriteGoBench(&text, Base, Head), r.WriteJSON(&js)); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(md.String(), "\n")
	if !strings.HasPrefix(lines[0], "**Speed of kernels: slower: 1 slower, 1 same, 1 gone; geometric mean +4.9 %") {
		t.Errorf("title %q", lines[0])
	}
	if !strings.HasPrefix(lines[4], "| Conv/k=3 |") || !strings.HasSuffix(lines[4], "| slower |") {
		t.Errorf("first row %q, want the slower benchmark", lines[4])
	}
	for _, line := range lines[2:7] {
		if n := strings.Count(line, "|"); n != len(Columns())+1 {
			t.Errorf("%q has %d bars, want %d", line, n, len(Columns())+1)
		}
	}
	if n := strings.Count(text.String(), "BenchmarkConv/k=3 "); n != 2*looks[0] {
		t.Errorf("%d lines of Conv/k=3, want %d:\n%s", n, 2*looks[0], text.String())
	}
	if text := text.String(); !strings.Contains(text, "side: base") || !strings.Contains(text, "side: head") {
		t.Errorf("no sides in:\n%s", text)
	}
	// benchstat compares two files where their configurations are equal.
	heads := make([]string, 2)
	for side := range heads {
		var one bytes.Buffer
		if err := r.WriteGoBench(&one, Side(side)); err != nil {
			t.Fatal(err)
		}
		heads[side], _, _ = strings.Cut(one.String(), "Benchmark")
	}
	if heads[0] != heads[1] {
		t.Errorf("configurations differ: %q and %q", heads[0], heads[1])
	}
	var back Report
	if err := json.Unmarshal(js.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.Outcome != Slower || len(back.Rows) != 3 || len(back.Rows[0].Head) != looks[0] {
		t.Errorf("JSON gives %s, %d rows", back.Outcome, len(back.Rows))
	}
}

// ExampleCompare compares two programs that a sampler stands for.
func ExampleCompare() {
	s := &steady{rng: rand.New(rand.NewPCG(1, 5)), heads: map[string]float64{"Conv": 1.07, "Pool": 1}}
	r, err := Compare(context.Background(), []string{"Conv", "Pool"}, s, Options{Threshold: 0.05})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, row := range r.Rows {
		fmt.Printf("%s %.2f %s\n", row.Bench, row.Ratio, row.Verdict)
	}
	fmt.Println(r.Verdict())
	// Output:
	// Conv 1.07 slower
	// Pool 1.00 same
	// slower
}

// A replayed machine has recorded noise in its benchmarks and in its calibration kernels, and a speed.
type replayed struct {
	*replay
	ns    float64 // a call of any benchmark and a pass of any reference, were there no noise
	share func(bench string) float64
}

func (r *replayed) Commit() string { return "replayed" }
func (r *replayed) list(context.Context, string) ([]benchmark, error) {
	var list []benchmark
	for _, name := range r.benches() {
		list = append(list, benchmark{Name: name, NsPerOp: r.ns})
	}
	return list, nil
}

func (r *replayed) peak() (float64, error) { return 1e11 / r.ns, nil }

// sample draws a pair of times that were measured one right after the other.
func (r *replayed) sample(_ context.Context, _ int, b benchmark, _ reference) (ns, referenceNs float64, err error) {
	names := r.benches()
	rounds := r.noise[names[r.rng.IntN(len(names))]]
	pair := rounds[r.rng.IntN(len(rounds))]
	return r.ns * math.Exp(pair[1]) * (1 + r.share(b.Name)), r.ns * math.Exp(pair[0]), nil
}

// TestCheckRates records baselines on a replayed machine and checks them on it when it is a fifth slower.
func TestCheckRates(t *testing.T) {
	const runs = 20
	for _, test := range []struct {
		share         float64
		least, alarms int
	}{{0, 0, 0}, {0.05, 18, 0}, {0.10, 20, 0}} {
		t.Run(fmt.Sprintf("one slower by %g %%", 100*test.share), func(t *testing.T) {
			caught, alarms := 0, 0
			for seed := range uint64(runs) {
				ctx := context.Background()
				one := ""
				before := &replayed{replay: newReplay(t, 2*seed, nil), ns: 1e6, share: func(string) float64 { return 0 }}
				after := &replayed{replay: newReplay(t, 2*seed+1, nil), ns: 1.2e6, share: func(b string) float64 {
					if b == one {
						return test.share
					}
					return 0
				}}
				baseline, err := (&Timed{bencher: before, seed: seed}).Record(ctx, "kernels", ".", 0)
				if err != nil {
					t.Fatal(err)
				}
				one = baseline.Benches[int(seed)%len(baseline.Benches)].Name
				r, err := (&Timed{bencher: after, seed: seed}).Check(ctx, baseline, Options{})
				if err != nil {
					t.Fatal(err)
				}
				for _, row := range r.Rows {
					if row.Verdict != Slower {
						continue
					}
					if row.Bench == one && test.share > 0 {
						caught++
					} else {
						alarms++
					}
				}
			}
			t.Logf("caught %d of %d, %d alarms of %d", caught, runs, alarms, runs*len(recordedNoise(t)))
			if caught < test.least || alarms > test.alarms {
				t.Errorf("caught %d, %d alarms; want at least %d, at most %d", caught, alarms, test.least, test.alarms)
			}
		})
	}
}
