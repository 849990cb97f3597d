package kernels

import (
	"math"
	"testing"

	"zoobench/kernels/internal/f32"
)

// actReference are the definitions in float64.
var actReference = map[Act]func(float64) float64{
	Sigmoid:     func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
	SiLU:        func(x float64) float64 { return x / (1 + math.Exp(-x)) },
	HardSigmoid: func(x float64) float64 { return min(max(x+3, 0), 6) / 6 },
	HardSwish:   func(x float64) float64 { return x * min(max(x+3, 0), 6) / 6 },
	GELU:        func(x float64) float64 { return 0.5 * x * math.Erfc(-x/math.Sqrt2) },
	GELUTanh: func(x float64) float64 {
		return 0.5 * x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	},
}

// actLimit is the allowed error over max(|x|, 1): Act's doc comment states it.
const actLimit = 1.5e-7

func TestActAccuracy(t *testing.T) {
	var xs []float32
	for x := float32(-120); x < 120; x += 0.0037 {
		xs = append(xs, x)
	}
	xs = append(xs, 0, 1e-30, -1e-30, 1e-10, -1e-10, 1e5, -1e5, 1e20, -1e20, math.MaxFloat32, -math.MaxFloat32)
	eachISA(t, func(t *testing.T) {
		for act, reference := range actReference {
			got, scratch := append([]float32(nil), xs...), f32.Rows{}
			act.apply(level, &scratch, got, len(got), len(got), 1)
			worst := 0.0
			for i, x := range xs {
				want := reference(float64(x))
				d := math.Abs(float64(got[i])-want) / max(math.Abs(float64(x)), 1)
				if !(d <= actLimit) {
					t.Fatalf("act %d of %v: %v, want %v, error %.3g", act, x, got[i], want, d)
				}
				worst = max(worst, d)
			}
			t.Logf("act %d: largest error %.3g", act, worst)
		}
	})
}

// TestActEdges runs every width around the vector's, with rows apart, guards and a NaN.
func TestActEdges(t *testing.T) {
	eachISA(t, func(t *testing.T) {
		for act, reference := range actReference {
			for c := 1; c < 20; c++ {
				x := newTensor(1, 2, 3, c, c%3, func() float32 { return 0.7 })
				x.Data[4*x.Stride+c-1] = float32(math.NaN())
				scratch := f32.Rows{}
				act.apply(level, &scratch, x.Data, x.Stride, c, 6)
				checkGuards(t, x)
				for p := range 6 {
					for i := range c {
						got, want := float64(x.Data[p*x.Stride+i]), reference(float64(float32(0.7)))
						if p == 4 && i == c-1 {
							if !math.IsNaN(got) {
								t.Fatalf("act %d, %d channels: NaN became %v", act, c, got)
							}
						} else if math.Abs(got-want) > actLimit {
							t.Fatalf("act %d, %d channels, pixel %d: %v, want %v", act, c, p, got, want)
						}
					}
				}
			}
		}
	})
}
