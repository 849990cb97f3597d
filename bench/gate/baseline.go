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

// A Reference is a calibration kernel: what a benchmark's time is a ratio to, so that a machine that is slower today as
// a whole shows no change.
type Reference string

// The references: multiply-adds that never leave the registers, and a copy of memory beyond a core's own caches.
const (
	Arithmetic Reference = "arithmetic"
	Memory     Reference = "memory"
)

// Sizes of the calibration kernels. A pass takes around a millisecond.
const (
	arithmeticRounds = 300_000
	copyBytes        = 4 << 20
	referenceRuns    = 7 // the least of so many counts
)

// arithmeticShare is the part of the arithmetic's peak from which a benchmark is taken to follow it and not memory. Layers
// that convolve reach 0.25 or more of it; a linear layer at batch 1, which reads each weight once, less.
const arithmeticShare = 0.25

// A Calibrator times the calibration kernels on one core.
type Calibrator struct {
	cpu      int
	src, dst []byte
}

// NewCalibrator is a calibrator of this core; below 0 for none in particular.
func NewCalibrator(cpu int) *Calibrator {
	c := &Calibrator{cpu: cpu, src: make([]byte, copyBytes), dst: make([]byte, copyBytes)}
	for i := range c.src {
		c.src[i] = byte(i) // a page that was never written has no memory of its own
	}
	return c
}

// Times are the least times of one pass of each reference, in nanoseconds, and the peak in flops a second.
func (c *Calibrator) Times() (ns map[Reference]float64, flopsPerSec float64, err error) {
	ns = map[Reference]float64{Arithmetic: math.Inf(1), Memory: math.Inf(1)}
	var flops int64
	err = onCore(c.cpu, func() error {
		for range referenceRuns {
			start := time.Now()
			flops = kernels.PeakRounds(arithmeticRounds)
			ns[Arithmetic] = min(ns[Arithmetic], float64(time.Since(start).Nanoseconds()))
			start = time.Now()
			copy(c.dst, c.src)
			ns[Memory] = min(ns[Memory], float64(time.Since(start).Nanoseconds()))
		}
		return nil
	})
	return ns, 1e9 * float64(flops) / ns[Arithmetic], err
}

// baselineSchema is the version of the baseline's form.
const baselineSchema = 1

// A Baseline is what a revision's benchmarks take on one class of machine, as ratios to the references.
type Baseline struct {
	Schema  int             `json:"schema"`
	Class   string          `json:"machine_class"`
	Machine record.Machine  `json:"machine"`
	Commit  string          `json:"commit"`
	Suite   string          `json:"suite"`
	Pattern string          `json:"pattern"`
	Time    time.Time       `json:"time"`
	Benches []BaselineBench `json:"benches"`
}

// A BaselineBench is one benchmark of a baseline. Ratio and its reference's time are a sample a round.
type BaselineBench struct {
	Name        string    `json:"name"`
	Reference   Reference `json:"reference"`
	Ratios      []float64 `json:"ratios"` // its time over the reference's, in the same round
	ReferenceNs []float64 `json:"reference_ns"`
	Floor       Floor     `json:"floor"` // of two rounds, one against the next
}

// A Bencher times one revision's benchmarks and the references.
type Bencher interface {
	// Commit is the revision.
	Commit() string
	// List are the benchmarks that a pattern names.
	List(ctx context.Context, pattern string) ([]Bench, error)
	// Sample times one in a process of its own, in nanoseconds a call.
	Sample(ctx context.Context, b Bench) (ns float64, err error)
	// References are the references' times of a pass, in nanoseconds, and the arithmetic's flops a second.
	References() (ns map[Reference]float64, flopsPerSec float64, err error)
}

// NewBencher is a binary's benchmarks on one core; below 0 for none in particular.
func NewBencher(b *Binary, cpu int) Bencher { return &bencher{b, cpu, NewCalibrator(cpu)} }

type bencher struct {
	binary     *Binary
	cpu        int
	calibrator *Calibrator
}

func (b *bencher) Commit() string { return b.binary.Commit }
func (b *bencher) List(ctx context.Context, pattern string) ([]Bench, error) {
	return b.binary.List(ctx, b.cpu, pattern)
}
func (b *bencher) Sample(ctx context.Context, bench Bench) (float64, error) {
	return b.binary.sample(ctx, b.cpu, bench)
}
func (b *bencher) References() (map[Reference]float64, float64, error) { return b.calibrator.Times() }

// A Timed is a revision to be measured against the references.
type Timed struct {
	Bencher
	Seed     uint64
	Progress func(phase string, round, most int)
	peak     float64 // flops a second
}

// rounds times benchmarks in random order, the references right before each, until enough says so.
func (t *Timed) rounds(ctx context.Context, benches []Bench, most int, reference func(Bench) Reference,
	enough func(round int, rows []BaselineBench) []int) ([]BaselineBench, error) {
	order := rand.New(rand.NewPCG(t.Seed, 2))
	rows, active := make([]BaselineBench, len(benches)), make([]int, len(benches))
	for i, b := range benches {
		rows[i], active[i] = BaselineBench{Name: b.Name, Reference: reference(b)}, i
	}
	for round := 1; round <= most && len(active) > 0; round++ {
		if t.Progress != nil {
			t.Progress("benchmarks against calibration kernels", round, most)
		}
		order.Shuffle(len(active), func(a, b int) { active[a], active[b] = active[b], active[a] })
		for _, i := range active {
			times, _, err := t.References()
			if err != nil {
				return nil, fmt.Errorf("gate: calibrate: %w", err)
			}
			ns, err := t.Sample(ctx, benches[i])
			if err != nil {
				return nil, fmt.Errorf("gate: %.12s: %w", t.Commit(), err)
			}
			row := &rows[i]
			row.Ratios = append(row.Ratios, ns/times[row.Reference])
			row.ReferenceNs = append(row.ReferenceNs, times[row.Reference])
		}
		active = enough(round, rows)
	}
	return rows, nil
}

// reference is what a benchmark's time follows.
func (t *Timed) reference(b Bench) Reference {
	if b.BytesPerSec > 0 || b.MACsPerSec > 0 && 2*b.MACsPerSec < arithmeticShare*t.peak {
		return Memory
	}
	return Arithmetic
}

// RecordRounds is how many rounds a baseline has, where no other number is asked for: every later check is as blurred as
// the baseline is.
const RecordRounds = 100

// Record measures a baseline.
func (t *Timed) Record(ctx context.Context, suite, pattern string, rounds int) (*Baseline, error) {
	if rounds == 0 {
		rounds = RecordRounds
	}
	if rounds < 2*MinRounds {
		return nil, fmt.Errorf("gate: record: %d rounds, want at least %d", rounds, 2*MinRounds)
	}
	benches, err := t.list(ctx, pattern)
	if err != nil {
		return nil, err
	}
	var all []int
	for i := range benches {
		all = append(all, i)
	}
	if _, t.peak, err = t.References(); err != nil {
		return nil, fmt.Errorf("gate: calibrate: %w", err)
	}
	rows, err := t.rounds(ctx, benches, rounds, t.reference, func(int, []BaselineBench) []int { return all })
	if err != nil {
		return nil, err
	}
	for i := range rows {
		var d paired
		for k := 1; k < len(rows[i].Ratios); k += 2 {
			d = append(d, math.Log(rows[i].Ratios[k]/rows[i].Ratios[k-1]))
		}
		rows[i].Floor = newFloor(d)
	}
	m := record.ThisMachine()
	m.ISA = kernels.ISA()
	return &Baseline{
		Schema: baselineSchema, Class: m.Class(), Machine: m, Commit: t.Commit(), Suite: suite, Pattern: pattern,
		Time: time.Now().UTC(), Benches: rows,
	}, nil
}

// list are the benchmarks of a pattern that are not comparisons.
func (t *Timed) list(ctx context.Context, pattern string) ([]Bench, error) {
	benches, err := t.List(ctx, pattern)
	if err != nil {
		return nil, fmt.Errorf("gate: %.12s: %w", t.Commit(), err)
	}
	benches = slices.DeleteFunc(benches, func(b Bench) bool { return b.Compares })
	if len(benches) == 0 {
		return nil, fmt.Errorf("gate: %.12s: no benchmark that --bench %s names", t.Commit(), pattern)
	}
	return benches, nil
}

// Check compares the benchmarks with a baseline, look by look as [Compare] does; samples are ratios to the references.
// It is an error where the machine is of another class.
func (t *Timed) Check(ctx context.Context, b *Baseline, o Options) (*Result, error) {
	o.Threshold = cmp.Or(o.Threshold, 0.05)
	m := record.ThisMachine()
	if class := m.Class(); class != b.Class {
		return nil, fmt.Errorf("gate: check: the baseline is of another class of machine and is not compared: have %s, want %s", class, b.Class)
	}
	benches, err := t.list(ctx, b.Pattern)
	if err != nil {
		return nil, err
	}
	start := time.Now()
	before := map[string]*BaselineBench{}
	for i := range b.Benches {
		before[b.Benches[i].Name] = &b.Benches[i]
	}
	var both []Bench
	var names []string
	r := &Result{Threshold: o.Threshold, Seed: t.Seed}
	for _, bench := range benches {
		if before[bench.Name] == nil {
			r.Rows = append(r.Rows, Row{Bench: bench.Name, Verdict: New})
			continue
		}
		both, names = append(both, bench), append(names, bench.Name)
	}
	for _, old := range b.Benches {
		if !slices.Contains(names, old.Name) {
			r.Rows = append(r.Rows, Row{Bench: old.Name, Verdict: Gone})
		}
	}
	if len(both) == 0 {
		return nil, errors.New("gate: check: no benchmark of the baseline is there any more")
	}
	schedule := looks[:]
	if o.Rounds > 0 {
		schedule = []int{o.Rounds}
	}
	j := newJudge(names, o.Threshold, len(schedule), 0)
	active := make([]int, len(both))
	for i := range active {
		active[i] = i
		old := before[names[i]]
		j.rows[i].Floor, j.rows[i].Base = old.Floor, old.Ratios
	}
	j.evidence = func(row *Row) evidence { return unpaired{logs(row.Base), logs(row.Head)} }
	_, err = t.rounds(ctx, both, schedule[len(schedule)-1], func(bench Bench) Reference { return before[bench.Name].Reference },
		func(round int, rows []BaselineBench) []int {
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
		return nil, err
	}
	var sum float64
	for i := range j.rows {
		row := &j.rows[i]
		row.Ratio, row.Lo, row.Hi = ratios(j.evidence(row))
		sum += math.Log(row.Ratio)
	}
	// No interval: its samples were not taken together.
	r.GeoMean = math.Exp(sum / float64(len(j.rows)))
	r.Rows = append(j.rows, r.Rows...)
	r.Elapsed = time.Since(start)
	r.noise()
	return r, nil
}

func logs(v []float64) []float64 {
	l := make([]float64, len(v))
	for i := range v {
		l[i] = math.Log(v[i])
	}
	return l
}

// ReadBaseline reads a baseline and refuses what is none.
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
		if bench.Reference != Arithmetic && bench.Reference != Memory {
			return nil, fmt.Errorf("gate: baseline: %s: %s: reference %q, want %s or %s", path, bench.Name, bench.Reference, Arithmetic, Memory)
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
