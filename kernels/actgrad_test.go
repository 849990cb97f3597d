package kernels

import (
	"math"
	"math/rand/v2"
	"testing"

	"zoobench/kernels/par"
	"zoobench/kernels/ref"
)

// TestActGrad compares every function's slope with the reference's, around its corners and far out.
func TestActGrad(t *testing.T) {
	step := func(lo, hi float64) func(float64) float64 {
		return func(x float64) float64 {
			if x > lo && x < hi {
				return 1
			}
			return 0
		}
	}
	slopes := map[Act]func(float64) float64{
		None: step(math.Inf(-1), math.Inf(1)), ReLU: step(0, math.Inf(1)), ReLU6: step(0, 6),
		Sigmoid: ref.SigmoidSlope, SiLU: ref.SiLUSlope, HardSigmoid: ref.HardSigmoidSlope, HardSwish: ref.HardSwishSlope,
		GELU: ref.GELUSlope, GELUTanh: ref.GELUTanhSlope,
	}
	x := []float32{0, float32(math.Copysign(0, -1)), 1e-30, -1e-30, 0.01, -0.01, 0.0101, -0.0099, 3, -3, 6, -6, 20, -20, 1e4, -1e4}
	r := rand.New(rand.NewPCG(1, 2))
	for len(x) < 2*taskElems+5 {
		x = append(x, float32(4*r.NormFloat64()))
	}
	eachISA(t, func(t *testing.T) {
		pool := par.New(2)
		defer pool.Close()
		for act, slope := range slopes {
			of, dx, dy := x, make([]float32, len(x)), make([]float32, len(x))
			for i := range dy {
				dy[i] = float32(i%7 - 3)
			}
			g := NewActGrad(act, 2)
			if g.OfResult() {
				lo, hi := act.clamp()
				of = make([]float32, len(x))
				for i, v := range x {
					of[i] = min(max(v, lo), hi)
				}
			}
			g.Run(pool, dx, dy, of)
			for i, v := range x {
				if want := float64(dy[i]) * slope(float64(v)); !(math.Abs(float64(dx[i])-want) <= 1e-6*max(1, math.Abs(float64(dy[i])))) {
					t.Errorf("function %d at %v: %v, want %v", act, v, dx[i], want)
				}
			}
		}
	})
}
