package kernels

import (
	"math"
	"math/rand/v2"
	"testing"

	"zoobench/kernels/par"
)

// winogradLimit is the allowed error over the sum of the terms' sizes: direct sums of this depth stay under 2e-6.
const winogradLimit = 1e-5

func TestWinograd(t *testing.T) {
	pools := []*par.Pool{par.New(1), par.New(3)}
	for _, p := range pools {
		defer p.Close()
	}
	var cases []ConvShape
	for _, size := range [][2]int{{1, 1}, {3, 4}, {4, 4}, {5, 9}, {8, 8}, {13, 22}, {28, 28}} {
		for _, c := range [][2]int{{1, 1}, {3, 17}, {8, 16}, {19, 70}, {120, 31}, {400, 70}} {
			for pad := -2; pad < 3; pad++ {
				if c[0] > 200 && (pad != 1 || size[0] > 5) {
					continue
				}
				s := ConvShape{C: c[0], H: size[0], W: size[1], OC: c[1], KH: 3, KW: 3, SH: 1, SW: 1, DH: 1, DW: 1, Top: pad,
					Left: pad, Groups: 1}
				s.OH, s.OW = s.H+2*pad-2, s.W+2*pad-2
				if s.OH > 0 && s.OW > 0 {
					s.Act = []Act{None, ReLU6, SiLU}[(pad+2+c[0])%3]
					cases = append(cases, s)
				}
			}
		}
	}
	eachTile(t, func(t *testing.T) {
		worst := 0.0
		for i, s := range cases {
			rng := rand.New(rand.NewPCG(uint64(i), 3))
			value := func() float32 { return rng.Float32()*2 - 1 }
			s.Weight, s.Bias = make([]float32, s.OC*s.C*9), make([]float32, s.OC)
			for i := range s.Weight {
				s.Weight[i] = value()
			}
			for i := range s.Bias {
				s.Bias[i] = value()
			}
			for n := 1; n < 3; n++ {
				pool := pools[n-1]
				src, dst := newTensor(n, s.H, s.W, s.C, n, value), newTensor(n, s.OH, s.OW, s.OC, 2, value)
				res := newTensor(n, s.OH, s.OW, s.OC, 1, value)
				if n == 2 {
					res.Data = nil
				}
				newWinograd(s, pool.Size()).Run(pool, dst, src, res)
				checkGuards(t, dst)
				for p := range dst.Pixels() {
					for oc := range s.OC {
						want, size := convReference(s, src, res, p/(s.OH*s.OW), p/s.OW%s.OH, p%s.OW, oc)
						lo, hi := s.Act.clamp()
						want = min(max(want, float64(lo)), float64(hi))
						if f := actReference[s.Act]; f != nil {
							want = f(want)
						}
						d := math.Abs(float64(dst.Data[p*dst.Stride+oc])-want) / (size + 2)
						if !(d <= winogradLimit) {
							t.Fatalf("%s: pixel %d, channel %d: %v, want %v", s.name(), p, oc, dst.Data[p*dst.Stride+oc], want)
						}
						worst = max(worst, d)
					}
				}
			}
		}
		t.Logf("largest error %.2g of the terms' sizes", worst)
	})
}
