package gate

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSignedRankAgainstAllSigns gives each difference either sign in turn, which is what the test's distribution is.
func TestSignedRankAgainstAllSigns(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for n := 1; n <= 10; n++ {
		for range 20 {
			d := make(paired, n)
			for i := range d {
				d[i] = float64(rng.IntN(9)-4) + 0.5 // ties are common
			}
			statistic := func(signs int) float64 {
				sum := 0.0
				for i, v := range d {
					if signs>>i&1 == 0 {
						continue
					}
					below, equal := 0, 0
					for _, o := range d {
						switch {
						case math.Abs(o) < math.Abs(v):
							below++
						case math.Abs(o) == math.Abs(v):
							equal++
						}
					}
					sum += float64(below) + float64(equal+1)/2
				}
				return sum
			}
			observed := 0
			for i, v := range d {
				if v > 0 {
					observed |= 1 << i
				}
			}
			have, atLeast, atMost := statistic(observed), 0, 0
			for signs := range 1 << n {
				s := statistic(signs)
				if s >= have {
					atLeast++
				}
				if s <= have {
					atMost++
				}
			}
			above, below := d.test(0)
			all := float64(int(1) << n)
			if math.Abs(above-float64(atLeast)/all) > 1e-12 || math.Abs(below-float64(atMost)/all) > 1e-12 {
				t.Fatalf("%v: got %v and %v, want %v and %v", d, above, below, float64(atLeast)/all, float64(atMost)/all)
			}
		}
	}
}

// TestIntervalCoverage counts how often the intervals enclose the shift of skewed and of heavy-tailed samples.
func TestIntervalCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	heavy := func() float64 { return rng.NormFloat64() / math.Abs(rng.NormFloat64()) } // Cauchy's
	const runs, shift = 2000, 0.3
	for _, test := range []struct {
		name string
		draw func() evidence
	}{
		{"paired, 14 rounds, heavy tails", func() evidence {
			d := make(paired, 14)
			for i := range d {
				d[i] = shift + heavy()
			}
			return d
		}},
		{"unpaired, 40 and 14 rounds, skewed", func() evidence {
			u := unpaired{make([]float64, 40), make([]float64, 14)}
			for i := range u.base {
				u.base[i] = rng.ExpFloat64()
			}
			for i := range u.head {
				u.head[i] = shift + rng.ExpFloat64()
			}
			return u
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inside, alarms := 0, 0
			for range runs {
				e := test.draw()
				if lo, hi := e.interval(0.95); lo <= shift && shift <= hi {
					inside++
				}
				if above, _ := e.test(shift); above <= 0.025 {
					alarms++
				}
			}
			if share := float64(inside) / runs; share < 0.94 || share > 0.975 {
				t.Errorf("encloses the shift in %.3f of the runs, want 0.95", share)
			}
			if share := float64(alarms) / runs; share > 0.035 {
				t.Errorf("finds more than the shift in %.4f of the runs, want at most 0.025", share)
			}
		})
	}
}

func TestIntervalOfFew(t *testing.T) {
	for _, e := range []evidence{paired{}, paired{1, 2, 3}, unpaired{}, unpaired{[]float64{1}, []float64{2}}} {
		if lo, hi := e.interval(0.95); !math.IsInf(lo, -1) || !math.IsInf(hi, 1) {
			t.Errorf("%v: got [%v, %v], want an interval without ends", e, lo, hi)
		}
	}
}

func TestCentre(t *testing.T) {
	if got := (paired{1, 2, 9}).centre(); got != 3.5 { // of 1 1.5 2 5 5.5 9
		t.Errorf("paired: %v, want 3.5", got)
	}
	if got := (unpaired{[]float64{1, 2}, []float64{4, 8}}).centre(); got != 4.5 { // of 2 3 6 7
		t.Errorf("unpaired: %v, want 4.5", got)
	}
	samples := paired{3, 1, 2}
	samples.centre()
	if !slices.Equal(samples, paired{3, 1, 2}) {
		t.Errorf("samples reordered to %v", samples)
	}
}
