package stat

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
)

func TestPairedInterval(t *testing.T) {
	for _, test := range []struct {
		name            string
		onlyA, onlyB, n int
		lo, hi          float64
	}{
		// Agresti and Min's formula by hand: centre -20/162, deviation sqrt(61 - 400/162)/162 = 0.0472256.
		{"40 and 20 of 160", 20, 40, 160, -0.216017, -0.030896},
		// Airway hyper-responsiveness of 21 children (Bentur et al. 2009): centre -6/23, deviation sqrt(9 - 36/23)/23 = 0.118550.
		{"1 and 7 of 21", 1, 7, 21, -0.493223, -0.028516},
		{"none", 0, 0, 98, -0.0196, 0.0196}, // ±1.96/100: as many images that agree leave room for a difference
		{"all one way", 3, 0, 3, 0.018581, 1},
	} {
		lo, hi := PairedInterval(test.onlyA, test.onlyB, test.n)
		if math.Abs(lo-test.lo) > 1e-5 || math.Abs(hi-test.hi) > 1e-5 {
			t.Errorf("%s: got [%.6f, %.6f], want [%.6f, %.6f]", test.name, lo, hi, test.lo, test.hi)
		}
		if b, a := PairedInterval(test.onlyB, test.onlyA, test.n); b != -hi || a != -lo {
			t.Errorf("%s: [%.6f, %.6f] the other way round", test.name, b, a)
		}
	}
}

// TestPairedIntervalCovers draws few images of which few differ, where Wald's interval covers the least.
func TestPairedIntervalCovers(t *testing.T) {
	const draws = 20_000
	rng := rand.New(rand.NewPCG(2, 0))
	for _, test := range []struct {
		a, b float64
		n    int
	}{{0.02, 0.02, 100}, {0.06, 0.03, 100}, {0.1, 0, 30}, {0.06, 0.03, 1000}, {0.3, 0.1, 50}} {
		hit := 0
		for range draws {
			a, b := 0, 0
			for range test.n {
				switch u := rng.Float64(); {
				case u < test.a:
					a++
				case u < test.a+test.b:
					b++
				}
			}
			if lo, hi := PairedInterval(a, b, test.n); lo <= test.a-test.b && test.a-test.b <= hi {
				hit++
			}
		}
		share := float64(hit) / draws
		t.Logf("%.2f and %.2f of %d: covered in %.1f %%", test.a, test.b, test.n, 100*share)
		if share < 0.94 {
			t.Errorf("%.2f and %.2f of %d: covered in %.1f %%, want 95 %%", test.a, test.b, test.n, 100*share)
		}
	}
}

func TestImagesToSeparate(t *testing.T) {
	for _, test := range []struct {
		onlyA, onlyB, n int
		level           float64
		want            int
		ok              bool
	}{
		// Connor's formula by hand: discordant 0.1, difference 0.02: ((1.96·0.31623 + 0.84162·0.31559)/0.02)² = 1959.9.
		{60, 40, 1000, 0.05, 1960, true},
		{40, 60, 1000, 0.05, 1960, true},
		{50, 50, 1000, 0.05, 0, false},
		{0, 0, 10, 0.05, 0, false},
		{10, 0, 10, 0.05, 6, true},       // always one and never the other: Connor has (1.96)² = 3.84, but five of five have p = 0.0625
		{10, 0, 10, 0.05 / 28, 11, true}, // and ten of ten 0.00195
		// One of 28 pairs, whose p of 0.002 separates it at 5 % but not at its share: z = 3.124.
		{60, 30, 1000, 0.05, 783, true},
		{60, 30, 1000, 0.05 / 28, 1570, true},
		// squeezenet1_0 and 1_1 on 450 photographs, p = 0.0257, where two pairs are not separated.
		{51, 30, 450, 0.05, 647, true},
		{51, 30, 450, 0.025, 784, true},
	} {
		if got, ok := ImagesToSeparate(test.onlyA, test.onlyB, test.n, test.level); got != test.want || ok != test.ok {
			t.Errorf("%d and %d of %d at %.4f: got %d, %t, want %d, %t", test.onlyA, test.onlyB, test.n, test.level, got, ok, test.want, test.ok)
		}
	}
}

// TestImagesToSeparateMore holds what is needed above what did not do, whatever the counts.
func TestImagesToSeparateMore(t *testing.T) {
	for _, level := range []float64{0.05, 0.025, 0.05 / 28, 0.05 / 3000} {
		for a := range 100 {
			for b := range a {
				for _, n := range []int{a + b, a + b + 1, 2 * (a + b), 10 * (a + b)} {
					if McNemar(a, b) < level {
						continue
					}
					if need, _ := ImagesToSeparate(a, b, n, level); need <= n {
						t.Fatalf("%d and %d of %d are not separated at %.5f, but %d images are to do", a, b, n, level, need)
					}
				}
			}
		}
	}
}

// TestImagesToSeparatePower draws fresh images from the assumed shares: about four of five tests must separate.
func TestImagesToSeparatePower(t *testing.T) {
	const draws = 2000
	power := func(onlyA, onlyB, of, images int, level float64) float64 {
		rng, found := rand.New(rand.NewPCG(1, 0)), 0
		for range draws {
			a, b := 0, 0
			for range images {
				switch u := rng.IntN(of); {
				case u < onlyA:
					a++
				case u < onlyA+onlyB:
					b++
				}
			}
			if McNemar(a, b) < level {
				found++
			}
		}
		return float64(found) / draws
	}
	for _, test := range []struct {
		onlyA, onlyB, n int
		level           float64
	}{{60, 40, 1000, 0.05}, {60, 30, 1000, 0.05 / 28}, {51, 30, 450, 0.025}, {6, 1, 100, 0.025}} {
		images, _ := ImagesToSeparate(test.onlyA, test.onlyB, test.n, test.level)
		share := power(test.onlyA, test.onlyB, test.n, images, test.level)
		t.Logf("%d and %d of %d at %.4f: %d images separate in %.1f %%", test.onlyA, test.onlyB, test.n, test.level, images, 100*share)
		if share < 0.76 || share > 0.83 {
			t.Errorf("%d and %d of %d at %.4f: separated in %.3f of the draws, want about 0.8", test.onlyA, test.onlyB, test.n, test.level, share)
		}
	}
	// As many as would do at 5 % are too few at the pair's share.
	if share := power(51, 30, 450, 450+197, 0.025); share > 0.72 {
		t.Errorf("197 more of 450 separate in %.3f of the draws, want about 0.69", share)
	}
}

func TestTieRanks(t *testing.T) {
	score := []float64{80, 79.5, 70, 60, 60.2}
	got := TieRanks(len(score), func(i, j int) bool { return score[i] > score[j]+1 })
	if want := []int{1, 1, 3, 4, 4}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
