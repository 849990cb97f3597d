package record

import (
	"math"
	"slices"
	"testing"
	"time"
)

// process is a record of one process with eleven samples about a median in nanoseconds.
func process(round int, p50 int64, warnings ...string) *Record {
	samples := make([]int64, 11)
	for i := range samples {
		samples[i] = p50 + int64(i-5)*1000
	}
	r := sample()
	r.Timing = NewTiming(samples, time.Duration(11*p50))
	r.Processes[0].Round = round
	r.ImagesPerSec = 1e9 / float64(p50)
	r.Footprint = &Footprint{WeightsBytes: 1, ArenaBytes: 1, PeakRSSBytes: 100 + int64(round), Load: int64(1000 * round)}
	r.Verdict = Verdict{Valid: true, Warnings: warnings}
	return &r
}

func TestJoin(t *testing.T) {
	row := Join(nil, process(1, 1_000_000, "noise: 5.1 % wide"))
	if row.P50 != 1_000_000 || row.P50Lo != 0 || row.P50Hi != 0 || len(row.Processes) != 1 ||
		!slices.Equal(row.Verdict.Warnings, []string{"noise: 5.1 % wide"}) {
		t.Fatalf("one process: %+v, %+v", row.Timing, row.Verdict)
	}
	first := *row.Timing
	row = Join(row, process(2, 1_200_000, "noise: 7.0 % wide", "warm-up did not settle in 12 runs and 30ms"))
	row = Join(row, process(3, 1_100_000))
	if row.P50 != 1_100_000 || row.P50Lo >= 1_000_000 || row.P50Hi <= 1_200_000 || row.N != 33 || len(row.Samples) != 33 ||
		row.Min != 995_000 {
		t.Errorf("three processes: %+v", row.Timing)
	}
	want := []string{"noise: 5.1 % wide (2 of 3 processes)", "warm-up did not settle in 12 runs and 30ms (1 of 3 processes)"}
	if !slices.Equal(row.Verdict.Warnings, want) || !row.Verdict.Valid {
		t.Errorf("verdict %+v, want the warnings %q", row.Verdict, want)
	}
	if row.PeakRSSBytes != 103 || row.Load != 2000 || row.Span != 11*3_300_000 || math.Abs(row.ImagesPerSec-33e9/float64(row.Span)) > 1e-6 {
		t.Errorf("footprint %+v, %v images/s", row.Footprint, row.ImagesPerSec)
	}
	if math.Abs(row.BetweenPercent-9.1) > 0.1 || row.WithinPercent <= 0 || row.WithinPercent > 1 {
		t.Errorf("%.2f %% between, %.2f %% within", row.BetweenPercent, row.WithinPercent)
	}
	if first.N != 11 || len(first.Processes) != 1 || first.P50 != 1_000_000 {
		t.Errorf("joining changed the first share: %+v", first)
	}
	if err := row.Check(); err != nil {
		t.Error(err)
	}
	row.Processes = row.Processes[:2]
	if row.Check() == nil {
		t.Error("samples of no process pass")
	}
}

// TestJoinKeepsAReason holds a row to the worst of its processes.
func TestJoinKeepsAReason(t *testing.T) {
	bad := process(2, 1_000_000)
	bad.Verdict = Verdict{Reasons: []string{"the logits are not finite"}}
	row := Join(Join(process(0, 1_000_000), process(1, 1_000_000)), bad)
	if want := []string{"the logits are not finite (1 of 3 processes)"}; row.Verdict.Valid || !slices.Equal(row.Verdict.Reasons, want) {
		t.Errorf("verdict %+v, want %q", row.Verdict, want)
	}
}

func TestLatencyRatio(t *testing.T) {
	row := func(run string, medians ...int64) *Record {
		var r *Record
		for i, m := range medians {
			r = Join(r, process(i, m))
		}
		r.RunID = run
		return r
	}
	// Rounds differ by half, the rows by a hundredth in each.
	a, b := row("x", 1_000_000, 1_500_000, 1_200_000, 1_010_000), row("x", 1_010_000, 1_515_000, 1_213_000, 1_020_000)
	if r, ok := LatencyRatio(b, a); !ok || r.Lo < 1.009 || r.Hi > 1.012 || r.P > 1e-3 {
		t.Errorf("in one run: %+v, %t", r, ok)
	}
	b.RunID = "y"
	if r, ok := LatencyRatio(b, a); !ok || r.P < 0.5 || r.Lo > 0.8 {
		t.Errorf("in two runs: %+v, %t", r, ok)
	}
	b.RunID = "x"
	for i := range b.Processes {
		b.Processes[i].Round += 10 // resumed apart
	}
	if r, ok := LatencyRatio(b, a); !ok || r.P < 0.5 {
		t.Errorf("without a common round: %+v, %t", r, ok)
	}
	if r, ok := LatencyRatio(row("x", 1_000_000), a); ok {
		t.Errorf("one process: %+v, want none", r)
	}
	if _, ok := LatencyRatio(&Record{}, a); ok {
		t.Error("a row that was not timed has a ratio")
	}
}
