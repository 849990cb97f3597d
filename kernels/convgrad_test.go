package kernels

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"zoobench/kernels/par"
	"zoobench/kernels/ref"
)

func (s ConvShape) refSize(n int) ref.ConvSize {
	return ref.ConvSize{
		N: n, C: s.C, H: s.H, W: s.W, O: s.OC, OH: s.OH, OW: s.OW, Groups: s.Groups,
		Window: ref.Window{H: s.KH, W: s.KW, SH: s.SH, SW: s.SW, DH: s.DH, DW: s.DW, Top: s.Top, Left: s.Left},
	}
}

// TestConvGrad compares gradients of weights with those of plain loops: exactly where inputs are small integers, so that no sum
// is rounded, and within the rounding of float32 elsewhere.
func TestConvGrad(t *testing.T) {
	pools := []*par.Pool{par.New(1), par.New(3)}
	for _, p := range pools {
		defer p.Close()
	}
	eachTile(t, func(t *testing.T) {
		rng := rand.New(rand.NewPCG(3, 8))
		cases := convCases()
		for i, s := range depthwiseCases() {
			if i%23 == 0 {
				cases = append(cases, s)
			}
		}
		for range 3 { // each with pixels apart otherwise: rows of sixteen channels are copied as they lie
			cases = append(cases, ConvShape{
				C: 16, H: 7, W: 9, OC: 12, OH: 7, OW: 9, KH: 3, KW: 3, SH: 1, SW: 1, DH: 1, DW: 1, Top: 1, Left: 1, Groups: 1,
			})
		}
		for c := 1; c <= 6; c++ { // rows of the window in one vector, but for the last
			stride := 1 + c%2
			cases = append(cases, ConvShape{
				C: c, H: 10, W: 9, OC: 8 * (1 + c%3), OH: 10 / stride, OW: (9 + c%2) / stride, KH: 3, KW: 3, SH: stride, SW: stride,
				DH: 1, DW: 1, Top: 1, Left: c % 3, Groups: 1,
			})
		}
		for c := 1; c <= 50; c += 3 { // windows of one pixel, whose last panel hangs over
			cases = append(cases, ConvShape{
				C: c, H: 9, W: 8, OC: 8 * (1 + c%3), OH: 9, OW: 8, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1, Groups: 1,
			})
		}
		for groups := 1; groups <= 3; groups++ {
			cases = append(cases, ConvShape{
				C: 16 * groups * groups, H: 9, W: 8, OC: 24 * groups, OH: 5, OW: 4, KH: 1, KW: 1, SH: 2, SW: 2, DH: 1, DW: 1, Groups: groups,
			})
		}
		worst := 0.0
		var room GradRoom // one for all, as in a network
		for i, s := range cases {
			n, whole := 1+i%5*9, i%2 == 0
			if ISA() == "generic" && s.depth()*s.OC > 5000 {
				continue // plain loops on both sides take seconds
			}
			value := func() float32 {
				if whole {
					return float32(rng.IntN(7) - 3)
				}
				return rng.Float32()*2 - 1
			}
			x, dy := newTensor(n, s.H, s.W, s.C, i%3, value), newTensor(n, s.OH, s.OW, s.OC, i%2, value)
			want := make([]float64, s.OC*s.depth())
			ref.ConvGrad(nil, want, nil, planes(dy), planes(x), make([]float64, len(want)), s.refSize(n))
			var first []float32
			for k, pool := range pools {
				got := make([]float32, len(want))
				g := NewConvGrad(s, pool.Size(), &room)
				g.Run(pool, got, dy, x)
				g.Run(pool, got, dy, x) // nothing is left of the run before
				for j, v := range got {
					d := math.Abs(float64(v) - want[j])
					if whole && d != 0 || !(d <= 1e-5*math.Sqrt(float64(dy.Pixels()))+1e-5) {
						t.Fatalf("%s, %d images: weight %d: %v, want %v", s.name(), n, j, v, want[j])
					}
					worst = max(worst, d)
				}
				if k > 0 && !slices.Equal(got, first) {
					t.Errorf("%s: %d workers give other bits than one", s.name(), pool.Size())
				}
				first = got
			}
		}
		t.Logf("largest error %.2g", worst)
	})
}

func TestConvGradPanics(t *testing.T) {
	s := ConvShape{C: 3, H: 2, W: 2, OC: 4, OH: 2, OW: 2, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1, Groups: 1}
	pool := par.New(1)
	defer pool.Close()
	defer func() {
		if got, want := recover(), "kernels: convolution's gradient: short destination"; got != want {
			t.Errorf("panic %v, want %q", got, want)
		}
	}()
	zero := func() float32 { return 0 }
	NewConvGrad(s, 1, new(GradRoom)).Run(pool, make([]float32, 11), newTensor(1, 2, 2, 4, 0, zero), newTensor(1, 2, 2, 3, 0, zero))
}
