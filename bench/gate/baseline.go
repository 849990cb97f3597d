package gate

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"time"

	"zoobench/bench/record"
	"zoobench/kernels"
)

// baselineSchema is the version of the baseline's form.
const baselineSchema = 2

// A Baseline is what a revision's benchmarks take on one class of machine, as ratios to the references.
type Baseline struct {
	Schema  int             `json:"schema"`
	Class   string          `json:"machine_class"`
	Machine record.Machine  `json:"machine"`
	Commit  string          `json:"commit"`
	Suite   string          `json:"suite"`
	Pattern string          `json:"pattern"`
	Time    time.Time       `json:"time"`
	Benches []baselineBench `json:"benches"`
	// Disturbed is what was beyond a limit of the machine while it was recorded: no check against it can decide.
	Disturbed []string `json:"disturbed,omitempty"`
}

// A baselineBench is one benchmark of a baseline. Ratio and its reference's time are a sample a round.
type baselineBench struct {
	Name        string     `json:"name"`
	Reference   reference  `json:"reference"`
	Ratios      []float64  `json:"ratios"` // its time over the reference's, in the same round
	ReferenceNs []float64  `json:"reference_ns"`
	Floor       noiseFloor `json:"floor"` // of two rounds, one against the next
	layouts     []int      // of the samples
}

// A bencher times one revision's benchmarks and the references.
type bencher interface {
	// Commit is the revision.
	Commit() string
	// list are the benchmarks that a pattern names.
	list(ctx context.Context, pattern string) ([]benchmark, error)
	// Layouts is in how many layouts it is built.
	Layouts() int
	// sample times one in one layout and a process of its own, and a reference around its runs: nanoseconds a call and a pass.
	sample(ctx context.Context, layout int, b benchmark, r reference) (ns, referenceNs float64, err error)
	// peak is the core's, in flops a second.
	peak() (float64, error)
}

// onOneCore is a binary's benchmarks on one core, or on any where cpu is below 0.
type onOneCore struct {
	binary *Binary
	cpu    int
}

func (b *onOneCore) Commit() string { return b.binary.Commit }
func (b *onOneCore) list(ctx context.Context, pattern string) ([]benchmark, error) {
	return b.binary.list(ctx, b.cpu, pattern)
}
func (b *onOneCore) Layouts() int { return len(b.binary.Paths) }
func (b *onOneCore) sample(ctx context.Context, layout int, bench benchmark, r reference) (ns, referenceNs float64, err error) {
	return b.binary.sampleBeside(ctx, b.cpu, layout, bench, r)
}
func (b *onOneCore) peak() (float64, error) { return arithmeticRate(b.cpu) }

// A Timed is a revision to be measured against the references.
type Timed struct {
	bencher
	watch    *Watch // nil for none
	seed     uint64
	progress func(phase string, round, most int)
}

// NewTimed is a revision's benchmarks on the core that is watched. The seed is that of their order, and progress is as in
// [Options].
func NewTimed(b *Binary, w *Watch, seed uint64, progress func(phase string, round, most int)) *Timed {
	return &Timed{bencher: &onOneCore{b, w.cpu}, watch: w, seed: seed, progress: progress}
}

// disturbed is what was beyond a limit of the machine since the watch began.
func (t *Timed) disturbed() []string {
	if t.watch == nil {
		return nil
	}
	return t.watch.load().beyond()
}

// rounds times benchmarks in random order, each with its reference. Layouts take turns, in random order. After every round,
// next says by index which benchmarks are timed in the round that follows.
func (t *Timed) rounds(ctx context.Context, benches []benchmark, follow []reference, most int,
	next func(round int, rows []baselineBench) []int) ([]baselineBench, error) {
	order := rand.New(rand.NewPCG(t.seed, 2))
	rows, active, hands := make([]baselineBench, len(benches)), make([]int, len(benches)), make([]hand, len(benches))
	for i, b := range benches {
		rows[i], active[i] = baselineBench{Name: b.Name, Reference: follow[i]}, i
	}
	for round := 1; round <= most && len(active) > 0; round++ {
		if t.progress != nil {
			t.progress("benchmarks against calibration kernels", round, most)
		}
		order.Shuffle(len(active), func(a, b int) { active[a], active[b] = active[b], active[a] })
		for _, i := range active {
			layout := hands[i].draw(Base, t.Layouts(), order)
			ns, referenceNs, err := t.sample(ctx, layout, benches[i], follow[i])
			if err != nil {
				return nil, fmt.Errorf("gate: %.12s: %w", t.Commit(), err)
			}
			row := &rows[i]
			row.Ratios = append(row.Ratios, ns/referenceNs)
			row.ReferenceNs = append(row.ReferenceNs, referenceNs)
			row.layouts = append(row.layouts, layout)
		}
		active = next(round, rows)
	}
	return rows, nil
}

// recordRounds is how many rounds a baseline has, where no other number is asked for: every later check is as blurred as
// the baseline is.
const recordRounds = 100

// Record measures a baseline.
func (t *Timed) Record(ctx context.Context, suite, pattern string, rounds int) (*Baseline, error) {
	if rounds == 0 {
		rounds = recordRounds
	}
	if rounds < 2*MinRounds {
		return nil, fmt.Errorf("gate: record: %d rounds, want at least %d", rounds, 2*MinRounds)
	}
	benches, err := t.kernels(ctx, pattern)
	if err != nil {
		return nil, err
	}
	peak, err := t.peak()
	if err != nil {
		return nil, fmt.Errorf("gate: peak: %w", err)
	}
	all, follow := make([]int, len(benches)), make([]reference, len(benches))
	for i, b := range benches {
		all[i], follow[i] = i, b.follows(peak)
	}
	rows, err := t.rounds(ctx, benches, follow, rounds, func(int, []baselineBench) []int { return all })
	if err != nil {
		return nil, err
	}
	t.floors(rows)
	m := record.ThisMachine()
	m.ISA = kernels.ISA()
	return &Baseline{
		Schema: baselineSchema, Class: m.Class(), Machine: m, Commit: t.Commit(), Suite: suite, Pattern: pattern,
		Time: time.Now().UTC(), Benches: rows, Disturbed: t.disturbed(),
	}, nil
}

// floors sets the benchmarks' noise floors: of two rounds, one against the next.
func (t *Timed) floors(benches []baselineBench) {
	rows := make([]Row, len(benches))
	for i, b := range benches {
		var d paired
		var from [][2]int
		for k := 1; k < len(b.Ratios); k += 2 {
			d, from = append(d, math.Log(b.Ratios[k]/b.Ratios[k-1])), append(from, [2]int{b.layouts[k-1], b.layouts[k]})
		}
		rows[i].Floor = newFloor(d, from, t.Layouts())
	}
	settle(rows)
	for i := range benches {
		benches[i].Floor = rows[i].Floor
	}
}

// kernels are the benchmarks of a pattern that compare no alternatives.
func (t *Timed) kernels(ctx context.Context, pattern string) ([]benchmark, error) {
	benches, err := t.list(ctx, pattern)
	if err != nil {
		return nil, fmt.Errorf("gate: %.12s: %w", t.Commit(), err)
	}
	benches = slices.DeleteFunc(benches, func(b benchmark) bool { return b.Compares })
	if len(benches) == 0 {
		return nil, fmt.Errorf("gate: %.12s: --bench %s matches no benchmark", t.Commit(), pattern)
	}
	return benches, nil
}

// Check compares the benchmarks with a baseline, look by look as [Compare] does; samples are ratios to the references.
// It is an error where the machine is of another class.
func (t *Timed) Check(ctx context.Context, b *Baseline, o Options) (*Result, error) {
	o.Threshold = cmp.Or(o.Threshold, 0.05)
	m := record.ThisMachine()
	if class := m.Class(); class != b.Class {
		return nil, fmt.Errorf("gate: check: the baseline was measured on another class of machine: have %s, want %s", class, b.Class)
	}
	benches, err := t.kernels(ctx, b.Pattern)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	both, before, apart := match(b, benches)
	if len(both) == 0 {
		return nil, errors.New("gate: check: the revision has none of the baseline's benchmarks")
	}
	rows, pace, err := t.judge(ctx, both, before, o)
	if err != nil {
		return nil, err
	}
	disturbed := append(t.disturbed(), pace...)
	for _, d := range b.Disturbed {
		disturbed = append(disturbed, "when the baseline was recorded, "+d)
	}
	var sum float64
	for i := range rows {
		sum += math.Log(rows[i].Ratio)
	}
	r := &Result{
		Threshold: o.Threshold, Seed: t.seed, Rows: append(rows, apart...),
		GeoMean:   math.Exp(sum / float64(len(rows))), // no interval: its samples were not taken together
		Disturbed: disturbed, Elapsed: time.Since(start),
	}
	r.noise()
	return r, nil
}

// match finds the benchmarks that the baseline has too, with what it has of each; what one of the two alone has is a row.
func match(b *Baseline, benches []benchmark) (both []benchmark, before []*baselineBench, apart []Row) {
	for _, bench := range benches {
		i := slices.IndexFunc(b.Benches, func(old baselineBench) bool { return old.Name == bench.Name })
		if i < 0 {
			apart = append(apart, Row{Bench: bench.Name, Verdict: New})
			continue
		}
		both, before = append(both, bench), append(before, &b.Benches[i])
	}
	for _, old := range b.Benches {
		if !slices.ContainsFunc(both, func(bench benchmark) bool { return bench.Name == old.Name }) {
			apart = append(apart, Row{Bench: old.Name, Verdict: Gone})
		}
	}
	return both, before, apart
}

// judge times benchmarks until each is decided against the baseline's, the looks are over or the budget is. It says too
// which references' pace is beyond the limit.
func (t *Timed) judge(ctx context.Context, both []benchmark, before []*baselineBench, o Options) (rows []Row, pace []string, err error) {
	start, schedule := time.Now(), o.schedule()
	names, follow := make([]string, len(both)), make([]reference, len(both))
	active := make([]int, len(both))
	for i := range both {
		names[i], follow[i], active[i] = both[i].Name, before[i].Reference, i
	}
	j := newJudge(names, o.Threshold, len(schedule), 0)
	j.evidence = func(row *Row) evidence { return unpaired{logs(row.Base), logs(row.Head)} }
	for i, old := range before {
		j.rows[i].Floor, j.rows[i].Base = old.Floor, old.Ratios
		j.rows[i].Floor.Layouts = min(old.Floor.Layouts, t.Layouts())
	}
	timed, err := t.rounds(ctx, both, follow, schedule[len(schedule)-1], func(round int, rows []baselineBench) []int {
		over := o.Budget > 0 && time.Since(start) > o.Budget && round >= MinRounds
		if !over && !slices.Contains(schedule, round) {
			return active
		}
		for _, i := range active {
			j.rows[i].Head, j.rows[i].Rounds = rows[i].Ratios, len(rows[i].Ratios)
		}
		j.look(active)
		active = slices.DeleteFunc(active, func(i int) bool { return j.rows[i].Verdict != Undecided })
		if over {
			return nil
		}
		return active
	})
	if err != nil {
		return nil, nil, err
	}
	for i := range j.rows {
		row := &j.rows[i]
		row.Ratio, row.Lo, row.Hi = ratios(j.evidence(row), row.Floor.stray())
	}
	return j.rows, changedPace(before, timed), nil
}

// changedPace names the references that take longer or less long than in the baseline, by more than the limit: then the
// machine is in another state, and a benchmark need not follow its reference.
func changedPace(before []*baselineBench, now []baselineBench) (changed []string) {
	for _, r := range []reference{arithmetic, memory} {
		var old, new []float64
		for i, b := range before {
			if b.Reference == r {
				old, new = append(old, b.ReferenceNs...), append(new, now[i].ReferenceNs...)
			}
		}
		if len(old) == 0 {
			continue
		}
		if pace := median(new) / median(old); math.Abs(math.Log(pace)) > math.Log1p(limitPace) {
			changed = append(changed, fmt.Sprintf("the %s reference took %.2f times as long as in the baseline, a difference of more than %g %%",
				r, pace, 100*limitPace))
		}
	}
	return changed
}

func logs(v []float64) []float64 {
	l := make([]float64, len(v))
	for i := range v {
		l[i] = math.Log(v[i])
	}
	return l
}

// ReadBaseline reads a baseline and refuses a file that is none.
func ReadBaseline(path string) (*Baseline, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("gate: baseline: %w", err)
	}
	var b Baseline
	if err := json.Unmarshal(text, &b); err != nil {
		return nil, fmt.Errorf("gate: baseline: %s: %w", path, err)
	}
	if b.Schema != baselineSchema {
		return nil, fmt.Errorf("gate: baseline: %s: schema %d, want %d", path, b.Schema, baselineSchema)
	}
	if len(b.Benches) == 0 {
		return nil, fmt.Errorf("gate: baseline: %s: no benchmarks", path)
	}
	for _, bench := range b.Benches {
		if len(bench.Ratios) < 2*MinRounds || slices.ContainsFunc(bench.Ratios, func(v float64) bool { return !(v > 0) }) {
			return nil, fmt.Errorf("gate: baseline: %s: %s: want at least %d ratios above 0", path, bench.Name, 2*MinRounds)
		}
		if bench.Reference != arithmetic && bench.Reference != memory {
			return nil, fmt.Errorf("gate: baseline: %s: %s: reference %q, want %s or %s", path, bench.Name, bench.Reference, arithmetic, memory)
		}
	}
	return &b, nil
}

// Write writes the baseline to a file, as a whole or not at all.
func (b *Baseline) Write(path string) error {
	return record.Replace(path, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(b)
	})
}
