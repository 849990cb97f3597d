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
			{H: 7, W: 9, Heads: 2, D: 33}, {H: 5, W: 3, Heads: 3, D: 8, Bias: []float32{}},
			{H: 8, W: 12, Heads: 2, D: 16, Window: 4, Shift: 2, Bias: []float32{}, HeadsFirst: true}, {H: 6, W: 6, Heads: 1, D: 8, Window: 3},
		} {
			for _, workers := range []int{1, 3} {
				name := fmt.Sprintf("%dx%d/heads=%d/d=%d/window=%d/bias=%v/workers=%d", s.H, s.W, s.Heads, s.D, s.Window, s.Bias != nil, workers)
				t.Run(name, func(t *testing.T) {
					pool := par.New(workers)
					defer pool.Close()
					rng := rand.New(rand.NewPCG(uint64(s.W), 7))
					value := func() float32 { return rng.Float32()*4 - 2 }
					s.Scale = float32(1 / math.Sqrt(float64(s.D)))
					src, dy := newTensor(2, s.H, s.W, 3*s.Heads*s.D, 4, value), newTensor(2, s.H, s.W, s.Heads*s.D, 1, value)
					got := newTensor(2, s.H, s.W, 3*s.Heads*s.D, 0, value)
					size := ref.AttentionSize{N: 2, H: s.H, W: s.W, Heads: s.Heads, D: s.D, Scale: float64(s.Scale), HeadsFirst: s.HeadsFirst,
						Window: s.Window, Shift: s.Shift}
					var bias, dbias Tensor
					if s.Bias != nil {
						h, w := s.H, s.W
						if s.Window > 0 {
							h, w = s.Window, s.Window
						}
						bias, dbias = newTensor(1, 2*h-1, 2*w-1, s.Heads, 0, value), newTensor(1, 2*h-1, 2*w-1, s.Heads, 0, value)
						s.Bias = make([]float32, len(bias.Data))
					}
					of := NewAttention(s, pool.Size())
					if s.Bias != nil {
						of.Take(bias.Data)
					}
					a := NewAttentionGrad(of, pool.Size())
					for i := range a.scratch {
						w := &a.scratch[i]
						for _, own := range [][]float32{w.panels, w.p, w.ds, w.turned, w.out} {
							for k := range own {
								own[k] = float32(math.NaN())
							}
						}
					}
					a.Run(pool, got, dbias.Data, src, dy)
					want, wantBias := make([]float64, len(planes(src))), make([]float64, len(bias.Data))
					if s.Bias == nil {
						ref.AttentionGrad(want, nil, planes(dy), planes(src), nil, size)
					} else {
						ref.AttentionGrad(want, wantBias, planes(dy), planes(src), planes(bias), size)
						want = append(want, wantBias...)
					}
					all := planes(got)
					if s.Bias != nil {
						all = append(all, planes(dbias)...)
					}
					worst := 0.0
					for i, v := range all {
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
