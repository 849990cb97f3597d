package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestCalibrate(t *testing.T) {
	c := Calibrate([]float64{0.95, 0.85, 0.85, 0.15, 1, 0}, []bool{true, true, false, false, true, false}, 10, 1)
	// Bins (0.9, 1]: 0.975 and all right; (0.8, 0.9]: 0.85 and half; (0.1, 0.2]: 0.15 and none; [0, 0.1]: 0 and none.
	if want := (2*0.025 + 2*0.35 + 0.15) / 6; math.Abs(c.ECE-want) > 1e-12 {
		t.Errorf("error %v, want %v", c.ECE, want)
	}
	if b := c.Bins[8]; b.N != 2 || math.Abs(b.Confidence-0.85) > 1e-12 || b.Accuracy != 0.5 || b.Lo != 0.8 || b.Hi != 0.9 {
		t.Errorf("ninth bin: %+v", b)
	}
	if b := c.Bins[4]; !math.IsNaN(b.Accuracy) || !math.IsNaN(b.Perfect.Hi) || b.N != 0 {
		t.Errorf("empty bin: %+v", b)
	}
	if c := Calibrate(nil, nil, 15, 1); !math.IsNaN(c.ECE) || !math.IsNaN(c.Perfect.Mean) {
		t.Errorf("nothing: %+v, want NaN", c)
	}
}

// TestPerfect holds what chance makes of the error to the binomial distribution.
func TestPerfect(t *testing.T) {
	of := func(n int, p float64) Calibration {
		confidence := make([]float64, n)
		for i := range confidence {
			confidence[i] = p
		}
		return Calibrate(confidence, make([]bool, n), 15, 1)
	}
	// Of two coins one shows heads half of the time, and then there is no error; else it is 0.5.
	if p := of(2, 0.5).Perfect; math.Abs(p.Mean-0.25) > 0.02 || p.Lo != 0 || p.Hi != 0.5 {
		t.Errorf("two coins: %+v, want 0.25 in [0, 0.5]", p)
	}
	if c := of(7, 1); c.Perfect != (Range{}) || c.Bins[14].Perfect != (Range{1, 1, 1}) || c.ECE != 1 {
		t.Errorf("sure and always right: %+v", c.Perfect)
	}
	// The mean deviation of a binomial share is sqrt(2pq/πn), its 97.5 % quantile 2.2414 deviations sqrt(pq/n).
	c := of(1000, 0.8)
	deviation := math.Sqrt(0.8 * 0.2 / 1000)
	if p := c.Perfect; math.Abs(p.Mean/(deviation*math.Sqrt(2/math.Pi))-1) > 0.05 || math.Abs(p.Hi/(2.2414*deviation)-1) > 0.05 {
		t.Errorf("a thousand at 0.8: %+v, want a mean of %.4f", p, deviation*math.Sqrt(2/math.Pi))
	}
	if b := c.Bins[11].Perfect; math.Abs(b.Lo-(0.8-1.96*deviation)) > 0.002 || math.Abs(b.Hi-(0.8+1.96*deviation)) > 0.002 {
		t.Errorf("their share: %+v, want 0.8 ± %.4f", b, 1.96*deviation)
	}
}

// TestPerfectCovers draws answers from the confidences, and from lower ones: the error of a calibrated network lies within the
// range in 95 % of runs, and that of one which is right 0.15 less often than it says hardly ever.
func TestPerfectCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 0))
	inside := func(runs, n int, less float64) float64 {
		hit := 0
		for run := range runs {
			confidence, right := make([]float64, n), make([]bool, n)
			for i := range confidence {
				confidence[i] = 1 - 0.9*rng.Float64()*rng.Float64()
				right[i] = rng.Float64() < confidence[i]-less
			}
			if c := Calibrate(confidence, right, 15, uint64(run)); c.Perfect.Lo <= c.ECE && c.ECE <= c.Perfect.Hi {
				hit++
			}
		}
		return float64(hit) / float64(runs)
	}
	if share := inside(300, 100, 0); share < 0.92 || share > 0.98 {
		t.Errorf("%.1f %% of calibrated networks are inside the range, want 95 %%", 100*share)
	}
	if share := inside(30, 500, 0.15); share > 0.05 {
		t.Errorf("%.1f %% of overconfident networks are inside the range", 100*share)
	}
}
