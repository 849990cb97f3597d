// Package gate checks whether a change made kernels slower: it runs the benchmarks of two revisions in turn and judges
// each by intervals and tests that keep their error rates.
//
// The contract: a threshold T is the slow-down that must not land unseen. A benchmark is slower where its times are shown
// to be more than T/2 above the base's, and more than what the base shows against itself (its noise floor); it is the
// same where a change of T or more is ruled out either way; the two leave no true ratio for which no verdict can be
// reached. Where rounds end with a slow-down by T ruled out and no more, that does not count against the whole.
//
// One round runs both sides of every benchmark once, each in a process of its own, in random order. Tests are signed-rank
// tests of the rounds' log ratios, which assume no distribution; the chance of one false alarm or more over all benchmarks
// and all looks at the data is at most 2.5 % (Holm 1979 over the benchmarks that are not decided yet, and an equal share
// of the rate for each look), and that of calling a benchmark the same that is slower by T at most 5 %. Times are
// nanoseconds a call, ratios are head over base.
//
// Code that only moves changes times as well: an init function that did nothing made two kernels 4 to 7 % faster. So each
// revision is built in eight layouts, which differ in the size of what the linker puts before its functions and data, and
// the rounds take them in turn. What a layout does is then noise from round to round, which the floor shows, and 1/√8 of it
// stays however many rounds there are. How much that is follows from rounds that have a layout in common; the floor and
// the intervals contain it. A slow-down must be above what one benchmark or more of all reaches by that alone in 2.5 % of
// comparisons, and what is the same must be below T by 1.645 times its standard deviation.
//
// A stored baseline is compared with samples of another day. Its samples are ratios to a reference kernel, which runs in the
// benchmark's process before and after each of its runs. That bears another speed of the machine, not other work on it:
// there is no verdict where other processes used more than 0.4 cores, the hypervisor gave away 0.05, the core's arithmetic
// lost half its speed at times, or a reference takes a quarter more or less than in the baseline.
//
// It leaves the benchmarks to the packages that have them, and exit codes and flags to bench/cli.
package gate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// A Verdict says what the rounds show of one benchmark.
type Verdict string

// The verdicts. Gone and New are benchmarks that one side alone has; what is gone can hide a slow-down and leaves the
// whole undecided.
const (
	Slower    Verdict = "slower"
	Faster    Verdict = "faster"
	Same      Verdict = "same"
	Undecided Verdict = "undecided"
	Gone      Verdict = "gone"
	New       Verdict = "new"
)

// A Side is one of the two programs that are compared.
type Side int

// The sides.
const (
	Base Side = iota
	Head
)

// String is the side's name.
func (s Side) String() string { return [...]string{"base", "head"}[s] }

// A Sampler times benchmarks.
type Sampler interface {
	// Layouts is in how many layouts each side is built.
	Layouts() int
	// Sample runs one side's benchmark once, in one layout and a process of its own, and returns its time of a call in nanoseconds.
	Sample(ctx context.Context, side Side, layout int, bench string) (ns float64, err error)
}

// Options are how two sides are compared.
type Options struct {
	Threshold float64       // the slow-down that must be seen, as a share; 0 for 0.05
	Rounds    int           // exactly so many; 0 to add rounds until all is decided, 130 at most
	Budget    time.Duration // time limit for all rounds, calibration included; 0 for no limit
	Seed      uint64        // of the order
	// floors are the noise floors of an earlier calibration; nil to calibrate now.
	floors map[string]noiseFloor
	// others is how many benchmarks that are not timed here count in Holm's correction.
	others int
	// Progress, which may be nil, is called when a round begins; most is the largest number of rounds that there can be.
	Progress func(phase string, round, most int)
}

// A Row is one benchmark's outcome.
type Row struct {
	Bench   string  `json:"bench"`
	Verdict Verdict `json:"verdict"`
	// NotSlower says that a slow-down by the threshold is ruled out, also where it is undecided whether the benchmark
	// is the same or faster.
	NotSlower bool       `json:"not_slower"`
	Ratio     float64    `json:"ratio"`    // head over base: the median of the pairwise means of log ratios
	Lo        float64    `json:"ratio_lo"` // and its 95 % interval; 0 to 0 where there are too few rounds
	Hi        float64    `json:"ratio_hi"`
	P         float64    `json:"p_slower"` // that it is slower by more than the margin, after Holm's correction, at the last look
	Floor     noiseFloor `json:"floor"`
	Rounds    int        `json:"rounds"`
	Base      []float64  `json:"base_ns"` // a sample a round
	Head      []float64  `json:"head_ns"`
	from      [][2]int   // the layouts of each round's samples, by numbers that no two sides share
}

// A Result is the outcome of a comparison.
type Result struct {
	Threshold float64 `json:"threshold"`
	Seed      uint64  `json:"seed"`
	Rows      []Row   `json:"rows"`
	GeoMean   float64 `json:"geomean_ratio"` // over all benchmarks, of the rounds in which all were timed
	GeoLo     float64 `json:"geomean_lo"`
	GeoHi     float64 `json:"geomean_hi"`
	floors    map[string]noiseFloor
	// Unsteady names the benchmarks that base against itself calls slower or faster: a host on which no verdict can
	// be trusted.
	Unsteady []string `json:"unsteady,omitempty"`
	// Disturbed says what of the machine was beyond a limit, where that leaves no verdict: in a comparison with a baseline.
	Disturbed []string      `json:"disturbed,omitempty"`
	Elapsed   time.Duration `json:"elapsed_ns"`
	Notes     []string      `json:"notes,omitempty"` // what a reader should know of the host and the benchmarks
}

// Verdict is that of all benchmarks together. It is undecided if base differs from itself or the machine was disturbed.
// Else it is slower if one benchmark is, undecided if one is gone or may still be slower, and otherwise same.
func (r *Result) Verdict() Verdict {
	if len(r.Unsteady) > 0 || len(r.Disturbed) > 0 {
		return Undecided
	}
	whole := Same
	for i := range r.Rows {
		switch row := &r.Rows[i]; {
		case row.Verdict == Slower:
			return Slower
		case row.Verdict == Gone, row.Verdict == Undecided && !row.NotSlower:
			whole = Undecided
		}
	}
	return whole
}

// count is how many rows have a verdict.
func (r *Result) count(v Verdict) int {
	n := 0
	for i := range r.Rows {
		if r.Rows[i].Verdict == v {
			n++
		}
	}
	return n
}

// looks are the numbers of rounds after which all benchmarks are judged. Each has an equal share of the error rates,
// so they are few; the first is the least at which a signed-rank test can reach that share over some 60 benchmarks.
var looks = [...]int{14, 20, 28, 40, 60, 90, 130}

// MinRounds is the least number of rounds that can be asked for.
const MinRounds = 8

// Compare times the benchmarks on both sides and judges them. Without floors of an earlier calibration, it first
// compares base with itself. An error is the sampler's or the context's.
func Compare(ctx context.Context, benches []string, s Sampler, o Options) (*Result, error) {
	if len(benches) == 0 {
		return nil, errors.New("gate: no benchmarks to compare")
	}
	o.Threshold = cmp.Or(o.Threshold, 0.05)
	if !(o.Threshold > 0 && o.Threshold < 1) {
		return nil, fmt.Errorf("gate: threshold %v, want more than 0 and less than 1", o.Threshold)
	}
	if o.Rounds != 0 && o.Rounds < MinRounds {
		return nil, fmt.Errorf("gate: %d rounds, want at least %d", o.Rounds, MinRounds)
	}
	c := &comparison{Options: o, sampler: s, start: time.Now(), order: rand.New(rand.NewPCG(o.Seed, 1))}
	result := &Result{Threshold: o.Threshold, Seed: o.Seed, floors: o.floors}
	if o.floors == nil {
		if err := c.calibrate(ctx, benches, result); err != nil {
			return nil, err
		}
	}
	rows, err := c.rounds(ctx, "base against head", benches, [2]Side{Base, Head}, result.floors, c.schedule())
	if err != nil {
		return nil, err
	}
	result.Rows = rows
	result.GeoMean, result.GeoLo, result.GeoHi = geoMean(rows)
	result.Elapsed = time.Since(c.start)
	if c.spent() {
		result.Notes = append(result.Notes, fmt.Sprintf("the budget of %v ended before every benchmark had a verdict", o.Budget))
	}
	result.noise()
	return result, nil
}

// A comparison is one Compare at work.
type comparison struct {
	Options
	sampler Sampler
	start   time.Time
	order   *rand.Rand
}

func (c *comparison) spent() bool { return c.Budget > 0 && time.Since(c.start) > c.Budget }

// schedule is after how many rounds there are looks.
func (o Options) schedule() []int {
	if o.Rounds > 0 {
		return []int{o.Rounds}
	}
	return looks[:]
}

// calibrate compares base with itself, at one look, and sets the floors.
func (c *comparison) calibrate(ctx context.Context, benches []string, result *Result) error {
	n := looks[0]
	if c.Rounds > 0 {
		n = min(n, c.Rounds)
	}
	rows, err := c.rounds(ctx, "base against itself", benches, [2]Side{Base, Base}, nil, []int{n})
	if err != nil {
		return err
	}
	result.floors = map[string]noiseFloor{}
	for i := range rows {
		row := &rows[i]
		result.floors[row.Bench] = newFloor(row.logs(), row.from, c.sampler.Layouts())
		if row.Verdict == Slower || row.Verdict == Faster {
			result.Unsteady = append(result.Unsteady, row.Bench)
		}
	}
	return nil
}

// rounds runs rounds until every benchmark is decided, the looks are over or the budget is. The benchmarks of a round
// come in random order and each benchmark's sides too, one right after the other, so that what disturbs the machine
// for longer than that disturbs both. Each side's layouts take turns, in random order.
func (c *comparison) rounds(ctx context.Context, phase string, benches []string, sides [2]Side, floors map[string]noiseFloor,
	looks []int) ([]Row, error) {
	j := newJudge(benches, c.Threshold, len(looks), c.others)
	active := make([]int, len(benches))
	for i := range active {
		active[i] = i
		j.rows[i].Floor = floors[benches[i]]
	}
	hands := make([]hand, len(benches))
	most := looks[len(looks)-1]
	for round := 1; round <= most && len(active) > 0; round++ {
		if c.Progress != nil {
			c.Progress(phase, round, most)
		}
		c.order.Shuffle(len(active), func(a, b int) { active[a], active[b] = active[b], active[a] })
		for _, i := range active {
			row := &j.rows[i]
			var ns [2]float64
			var layouts, from [2]int
			for k, side := range sides {
				layouts[k] = hands[i].draw(side, c.sampler.Layouts(), c.order)
				from[k] = 2*layouts[k] + int(side)
			}
			first := c.order.IntN(2)
			for _, k := range []int{first, 1 - first} {
				t, err := c.sampler.Sample(ctx, sides[k], layouts[k], row.Bench)
				if err == nil {
					err = ctx.Err()
				}
				if err != nil {
					return nil, fmt.Errorf("gate: %s, round %d: %w", phase, round, err)
				}
				if !(t > 0) || math.IsInf(t, 0) {
					return nil, fmt.Errorf("gate: %s: %v: %v ns a call, want more than 0", row.Bench, sides[k], t)
				}
				ns[k] = t
			}
			row.Base, row.Head = append(row.Base, ns[0]), append(row.Head, ns[1])
			row.from = append(row.from, from)
			row.Rounds++
		}
		// A budget depends on the clock, not on the data: what it ends takes the place of the next look.
		over := c.spent() && round >= MinRounds
		if over || slices.Contains(looks, round) {
			j.look(active)
			active = slices.DeleteFunc(active, func(i int) bool { return j.rows[i].Verdict != Undecided })
		}
		if over {
			break
		}
	}
	for i := range j.rows {
		row := &j.rows[i]
		row.Ratio, row.Lo, row.Hi = ratios(row.logs(), row.Floor.stray())
	}
	return j.rows, nil
}

// logs are the log ratios of a row's rounds.
func (r *Row) logs() paired {
	d := make(paired, len(r.Base))
	for i := range d {
		d[i] = math.Log(r.Head[i] / r.Base[i])
	}
	return d
}

// ratios are an estimate and its 95 % interval as ratios; an interval that the samples do not carry is 0 to 0.
func ratios(e evidence, stray float64) (ratio, lo, hi float64) {
	centre := e.centre()
	if l, h := e.interval(0.95); !math.IsInf(l, 0) {
		l, h = widened(centre, l, h, stray)
		lo, hi = math.Exp(l), math.Exp(h)
	}
	return math.Exp(centre), lo, hi
}

// geoMean is the geometric mean over benchmarks, estimated from the rounds that all of them have: each round's mean log
// ratio is one sample, so that what moves all benchmarks of a round at once counts once.
func geoMean(rows []Row) (ratio, lo, hi float64) {
	n := math.MaxInt
	for i := range rows {
		n = min(n, rows[i].Rounds)
	}
	mean, stray := make(paired, n), 0.0
	for i := range rows {
		stray = math.Hypot(stray, rows[i].Floor.stray()/float64(len(rows)))
		for k, d := range rows[i].logs()[:n] {
			mean[k] += d / float64(len(rows))
		}
	}
	return ratios(mean, stray)
}

// noise notes the benchmarks that base against itself could not keep within the threshold.
func (r *Result) noise() {
	var loud []string
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Verdict == Undecided && row.Floor.at(row.Rounds) > math.Log1p(r.Threshold)/2 {
			loud = append(loud, fmt.Sprintf("%s (±%.1f %%)", row.Bench, 100*row.Floor.at(row.Rounds)))
		}
	}
	if len(loud) > 0 {
		r.Notes = append(r.Notes, "the machine is too noisy to decide on "+strings.Join(loud, ", "))
	}
	for _, d := range r.Disturbed {
		r.Notes = append(r.Notes, "no verdict: "+d)
	}
	if len(r.Unsteady) > 0 {
		r.Notes = append(r.Notes, "no verdict can be trusted: base differs from itself by more than half the threshold in "+
			strings.Join(r.Unsteady, ", "))
	}
}
