package stat

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSignFlip holds the p-value to that of all ways written out, and to McNemar's test where differences are of one.
func TestSignFlip(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 0))
	for range 200 {
		d := make([]int, 1+rng.IntN(12))
		sum := 0
		for i := range d {
			d[i] = rng.IntN(11) - 5
			sum += d[i]
		}
		far := 0
		for way := range 1 << len(d) {
			s := 0
			for i, v := range d {
				if way>>i&1 == 1 {
					v = -v
				}
				s += v
			}
			if max(s, -s) >= max(sum, -sum) {
				far++
			}
		}
		want := float64(far) / float64(int(1)<<len(d))
		if got := SignFlip(d); math.Abs(got-want) > 1e-12 {
			t.Errorf("%v: %g, want %g", d, got, want)
		}
	}
	for _, n := range [][2]int{{0, 0}, {0, 3}, {5, 5}, {12, 31}, {300, 400}, {20, 4000}} {
		var d []int
		for range n[0] {
			d = append(d, 1, 0)
		}
		for range n[1] {
			d = append(d, -1)
		}
		if got, want := SignFlip(d), McNemar(n[0], n[1]); math.Abs(got-want) > 1e-12+1e-9*want {
			t.Errorf("%v: %g, McNemar's test gives %g", n, got, want)
		}
	}
}

// TestSignFlipUnderNull has differences of no direction: 5 % of the p-values are below 5 %, or fewer.
func TestSignFlipUnderNull(t *testing.T) {
	rng := rand.New(rand.NewPCG(12, 0))
	const trials = 4000
	below := 0
	for range trials {
		d := make([]int, 60)
		for i := range d {
			d[i] = rng.IntN(11) - 5
		}
		if SignFlip(d) < 0.05 {
			below++
		}
	}
	if share := float64(below) / trials; share > 0.05+3*math.Sqrt(0.05*0.95/trials) || share < 0.03 {
		t.Errorf("%.3f of the p-values are below 0.05", share)
	}
}
