package load

import (
	"context"
	"math"
	"testing"
	"time"
)

func TestCalibration(t *testing.T) {
	c := Calibration{Samples: []int64{100, 110, 100, 110, 100, 110}, Median: 105}
	if got, want := c.AA(), 10.0/105; math.Abs(got-want) > 1e-12 {
		t.Errorf("A/A %v, want %v", got, want)
	}
	if got := (Calibration{Median: 5, Samples: []int64{5, 5, 5}}).Noise(); got != 0 {
		t.Errorf("noise %v of equal samples", got)
	}
	if got := Drift(Calibration{Median: 100}, Calibration{Median: 103}); math.Abs(got-0.03) > 1e-12 {
		t.Errorf("drift %v, want 0.03", got)
	}
	if c := (Calibration{}); c.Noise() != 0 || c.AA() != 0 || Drift(c, c) != 0 {
		t.Error("nothing measured, yet a figure")
	}
	real := Calibrate(nil)
	if len(real.Samples) != calibrationSamples || real.Median <= 0 || real.Noise() < 0 {
		t.Errorf("%d samples, median %d ns, noise %v", len(real.Samples), real.Median, real.Noise())
	}
	if want := chain(0, chainLength*calibrationSamples); real.Sum != want {
		t.Errorf("sum %d, want %d: not all the work was done", real.Sum, want)
	}
	t.Logf("median %d ns, noise %.2f %%, A/A %.3f %%", real.Median, 100*real.Noise(), 100*real.AA())
}

func TestTimer(t *testing.T) {
	got := MeasureTimer(&fakeClock{cost: 25})
	if want := (Timer{Step: 25, Cost: 25}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if real := MeasureTimer(nil); real.Step <= 0 || real.Cost <= 0 {
		t.Errorf("the system's clock: %+v", real)
	}
}

func TestWaitUntil(t *testing.T) {
	c := newMonotonic()
	until := c.Now() + 3*ms
	c.WaitUntil(until)
	if now := c.Now(); now < until {
		t.Errorf("woke %v early", until-now)
	}
	c.WaitUntil(0) // long past
}

// BenchmarkNullSystem reports what the harness adds to each sample.
func BenchmarkNullSystem(b *testing.B) {
	r := run{ctx: context.Background(), sys: null{}, clock: newMonotonic(), o: Options{MinSamples: 1, MaxDuration: time.Hour}}
	for b.Loop() {
		r.res.Samples = r.res.Samples[:0]
		if err := r.stream(1); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(overhead(newMonotonic())), "overhead-ns")
}
