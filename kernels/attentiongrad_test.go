package kernels

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"zoobench/kernels/par"
	"zoobench/kernels/ref"
)

// TestAttentionGrad compares with the reference's gradient, over tensors with pixels apart, of one worker and of three.
func TestAttentionGrad(t *testing.T) {
	eachTile(t, func(t *testing.T) {
		for _, s := range []AttentionShape{
			{H: 1, W: 1, Heads: 1, D: 4}, {H: 1, W: 17, Heads: 3, D: 16}, {H: 1, W: 65, Heads: 2, D: 20, HeadsFirst: true},
			{H: 7, W: 9, Heads: 2, D: 33},
		} {
			for _, workers := range []int{1, 3} {
				t.Run(fmt.Sprintf("%dx%d/heads=%d/d=%d/workers=%d", s.H, s.W, s.Heads, s.D, workers), func(t *testing.T) {
					pool := par.New(workers)
					defer pool.Close()
					rng := rand.New(rand.NewPCG(uint64(s.W), 7))
					value := func() float32 { return rng.Float32()*4 - 2 }
					s.Scale = float32(1 / math.Sqrt(float64(s.D)))
					src, dy := newTensor(2, s.H, s.W, 3*s.Heads*s.D, 4, value), newTensor(2, s.H, s.W, s.Heads*s.D, 1, value)
					got := newTensor(2, s.H, s.W, 3*s.Heads*s.D, 0, value)
					a := NewAttentionGrad(s, pool.Size())
					for i := range a.scratch {
						w := &a.scratch[i]
						for _, own := range [][]float32{w.panels, w.p, w.ds, w.turned, w.out} {
							for k := range own {
								own[k] = float32(math.NaN())
							}
						}
					}
					a.Run(pool, got, src, dy)
					want := make([]float64, len(planes(src)))
					ref.AttentionGrad(want, nil, planes(dy), planes(src), nil, ref.AttentionSize{
						N: 2, H: s.H, W: s.W, Heads: s.Heads, D: s.D, Scale: float64(s.Scale), HeadsFirst: s.HeadsFirst,
					})
					worst := 0.0
					for i, v := range planes(got) {
						if d := math.Abs(v - want[i]); !(d <= worst) {
							worst = d
						}
					}
					if !(worst < 1e-5*float64(s.D)) {
						t.Errorf("%v apart, want at most %v", worst, 1e-5*float64(s.D))
					}
				})
			}
		}
	})
}
