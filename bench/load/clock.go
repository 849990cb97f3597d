package load

import (
	"slices"
	"time"

	"zoobench/bench/stat"
)

// A Clock is monotonic time from an origin of its own.
type Clock interface {
	// Now returns the time since the origin.
	Now() time.Duration
	// WaitUntil returns once Now has reached t.
	WaitUntil(t time.Duration)
}

// monotonic is the system's monotonic clock.
type monotonic struct{ origin time.Time }

func newMonotonic() Clock { return monotonic{time.Now()} }

func (m monotonic) Now() time.Duration { return time.Since(m.origin) }

// spinBefore is how long before its time a wait stops sleeping and watches the clock: a sleep overshoots by up to the
// scheduler's tick.
const spinBefore = time.Millisecond

func (m monotonic) WaitUntil(t time.Duration) {
	if d := t - m.Now() - spinBefore; d > 0 {
		time.Sleep(d)
	}
	for m.Now() < t {
	}
}

// A Timer describes the clock that measurements rest on.
type Timer struct {
	Step time.Duration // least difference seen between two different readings
	Cost time.Duration // mean time of one reading
}

// MeasureTimer reads clock, nil for the system's, often enough to describe it.
func MeasureTimer(clock Clock) Timer {
	if clock == nil {
		clock = newMonotonic()
	}
	const readings = 100_000
	t := Timer{}
	start := clock.Now()
	last := start
	for range readings {
		now := clock.Now()
		if d := now - last; d > 0 && (t.Step == 0 || d < t.Step) {
			t.Step = d
		}
		last = now
	}
	t.Cost = (last - start) / readings
	return t
}

// A Calibration is the time that a fixed piece of work took, over and over: a chain of integer operations that never
// leaves the registers, so that nothing but the machine's clock frequency and other work on the host moves it.
type Calibration struct {
	Samples []int64 // ns, in order of measurement
	Median  int64   // ns
	// Sum is the chain's result, kept so that no compiler may leave the work out.
	Sum uint64
}

// The chain's length makes a sample about a third of a millisecond at 3 GHz, long against a clock reading and short
// against a scheduler's tick.
const (
	chainLength        = 1 << 18
	calibrationSamples = 301
)

// Calibrate times the fixed work, about 0.1 s in all, by clock, nil for the system's.
func Calibrate(clock Clock) Calibration {
	if clock == nil {
		clock = newMonotonic()
	}
	c := Calibration{Samples: make([]int64, 0, calibrationSamples)}
	for range calibrationSamples {
		begin := clock.Now()
		c.Sum = chain(c.Sum, chainLength)
		c.Samples = append(c.Samples, int64(clock.Now()-begin))
	}
	c.Median = stat.At(slices.Sorted(slices.Values(c.Samples)), 0.5)
	return c
}

// chain runs n steps of a linear congruential generator (Knuth's MMIX), each of which waits for the one before.
//
//go:noinline
func chain(x uint64, n int) uint64 {
	for range n {
		x = x*6364136223846793005 + 1442695040888963407
	}
	return x
}

// Noise returns the spread of the calibration's samples from the 10th to the 90th percentile as a share of the
// median: what of a difference in latency may be the host's.
func (c Calibration) Noise() float64 {
	if len(c.Samples) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(c.Samples))
	return share(stat.At(sorted, 0.9)-stat.At(sorted, 0.1), c.Median)
}

// AA returns by how much the median of the calibration's odd samples differs from that of its even ones, as a share
// of the whole's: two measurements of the same thing, taken side by side.
func (c Calibration) AA() float64 {
	var side [2][]int64
	for i, v := range c.Samples {
		side[i%2] = append(side[i%2], v)
	}
	if len(side[1]) == 0 {
		return 0
	}
	slices.Sort(side[0])
	slices.Sort(side[1])
	a, b := stat.At(side[0], 0.5), stat.At(side[1], 0.5)
	return share(max(a-b, b-a), c.Median)
}

// Drift returns by how much the machine was slower, or quicker if negative, in after than in before, as a share.
func Drift(before, after Calibration) float64 {
	return share(after.Median-before.Median, before.Median)
}
