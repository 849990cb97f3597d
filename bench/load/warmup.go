package load

import (
	"context"
	"slices"
	"time"

	"zoobench/bench/stat"
)

// Warm-up compares windows of at least windowRuns runs and windowTime; the first run, which pages weights in and
// fills caches, belongs to none. Two windows of five runs and the first make eleven. WindowCap ends a window of a
// system too quick for windowTime.
const (
	windowRuns = 5
	partRuns   = 2 // of a process that is one of several: five runs in all
	windowTime = 50 * time.Millisecond
	windowCap  = 10_000
	agreeShare = 0.02 // medians this close agree
	partShare  = 0.05 // those of a process that is one of several: what is left of its warm-up is among what processes differ by
)

// warmUp runs full batches until two successive windows agree in their medians, and reports whether they did before
// MinDuration was over: warm-up takes no longer than the samples, but eleven runs in any case, five in a process that is one of
// several.
func (r *run) warmUp() (settled bool, err error) {
	start := r.clock.Now()
	defer func() { r.res.WarmupTime = r.clock.Now() - start }()
	call := func() (time.Duration, error) {
		begin := r.clock.Now()
		if err := r.once(r.sys.Batch()); err != nil {
			return 0, err
		}
		r.res.Warmup++
		return r.clock.Now() - begin, nil
	}
	if _, err := call(); err != nil {
		return false, err
	}
	runs, agree := windowRuns, agreeShare
	if r.o.Part {
		runs, agree = partRuns, partShare
	}
	previous, window := int64(-1), make([]int64, 0, windowCap)
	for {
		window = window[:0]
		var total time.Duration
		for len(window) < runs || (total < windowTime && len(window) < windowCap) {
			d, err := call()
			if err != nil {
				return false, err
			}
			window = append(window, int64(d))
			total += d
		}
		slices.Sort(window)
		median := stat.At(window, 0.5)
		r.res.Call = time.Duration(median)
		if previous >= 0 {
			if gap := float64(max(median-previous, previous-median)); gap <= agree*float64(previous) {
				return true, nil
			}
			if r.clock.Now()-start >= r.o.MinDuration {
				return false, nil
			}
		}
		previous = median
	}
}

// null is the system that does nothing.
type null struct{}

func (null) Batch() int    { return 1 }
func (null) Run(int) error { return nil }

// overheadSamples is how many empty queries the harness's own cost rests on.
const overheadSamples = 1001

// overhead returns the median time that the single stream reports for a system that does nothing, by the loop that
// times every other system.
func overhead(clock Clock) time.Duration {
	r := run{ctx: context.Background(), sys: null{}, clock: clock,
		o: Options{MinSamples: overheadSamples, MaxDuration: time.Second}}
	r.res.Samples = make([]int64, 0, overheadSamples)
	if err := r.stream(1); err != nil {
		return 0 // neither the null system nor an endless context has an error to give
	}
	slices.Sort(r.res.Samples)
	return time.Duration(stat.At(r.res.Samples, 0.5))
}
