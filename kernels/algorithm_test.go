package kernels

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"zoobench/kernels/par"
)

func TestAlgorithms(t *testing.T) {
	inTiles, ofBytes := "bf16", "gemm8"
	if level8.Tiled {
		inTiles, ofBytes = "bf16 bf16_amx", "gemm8_amx gemm8"
	}
	bytes := func(s ConvShape) ConvShape { s.Int8 = true; return s }
	for _, test := range []struct {
		name  string
		shape ConvShape
		want  string // in order, the default first
	}{
		{"pointwise", square(64, 56, 64, 1, 1, 1), "gemm"},
		{"many tiles", square(64, 56, 64, 3, 1, 1), "winograd4x3 gemm"},
		{"few tiles, many weights", square(512, 7, 512, 3, 1, 1), "gemm winograd4x3"},
		{"few channels", square(3, 224, 64, 3, 1, 1), "gemm winograd4x3"},
		{"stride", square(64, 56, 64, 3, 2, 1), "gemm"},
		{"bf16", inBF16(square(64, 56, 64, 3, 1, 1)), inTiles},
		{"bf16, one pixel", inBF16(square(64, 1, 64, 1, 1, 1)), "bf16"},
		{"bytes", bytes(square(64, 56, 64, 3, 1, 1)), ofBytes},
		{"bytes in bf16", bytes(inBF16(square(64, 56, 64, 3, 1, 1))), ofBytes},
		{"bytes, one pixel", bytes(square(64, 1, 64, 1, 1, 1)), "gemm8"},
		{"bytes in groups", bytes(square(128, 56, 128, 3, 1, 32)), "gemm8"},
		{"bf16 in groups", inBF16(square(128, 56, 128, 3, 1, 32)), "gemm"},
		{"groups", square(128, 56, 128, 3, 1, 32), "gemm"},
		{"exact", func() ConvShape { s := square(64, 56, 64, 3, 1, 1); s.Exact = true; return s }(), "gemm"},
	} {
		var names []string
		for _, a := range test.shape.Algorithms() {
			names = append(names, a.Name)
		}
		if got := strings.Join(names, " "); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// inBF16 is a shape to be computed in bf16.
func inBF16(s ConvShape) ConvShape {
	s.BF16 = true
	return s
}

// TestAlgorithmErrors holds every algorithm to the error that it states, over images and filters of normally
// distributed numbers, and to its name.
func TestAlgorithmErrors(t *testing.T) {
	pool := par.New(1)
	defer pool.Close()
	eachISA(t, func(t *testing.T) {
		worst := map[string]float64{}
		for _, channels := range []int{16, 48, 64, 128, 256, 512, 1024} {
			if ISA() == "generic" && channels > 128 {
				continue // the same sums, at a fiftieth of the speed
			}
			rng := rand.New(rand.NewPCG(uint64(channels), 7))
			value := func() float32 { return float32(rng.NormFloat64()) }
			s := square(channels, 8, 32, 3, 1, 1)
			s.Act, s.Weight = None, make([]float32, s.OC*s.depth())
			for i := range s.Weight {
				s.Weight[i] = value()
			}
			src := newTensor(1, s.H, s.W, s.C, 0, value)
			want, largest := make([]float64, s.OH*s.OW*s.OC), 0.0
			for i := range want {
				want[i], _ = convReference(s, src, Tensor{}, 0, i/s.OC/s.OW, i/s.OC%s.OW, i%s.OC)
				largest = max(largest, math.Abs(want[i]))
			}
			dst := newTensor(1, s.OH, s.OW, s.OC, 0, func() float32 { return 0 })
			shape := inBF16(s)
			for _, a := range append(s.Algorithms(), shape.Algorithms()...) {
				c := a.New(s, 1)
				c.Run(pool, dst, src, Tensor{})
				for i, v := range want {
					d := math.Abs(float64(dst.Data[i/s.OC*dst.Stride+i%s.OC])-v) / largest
					if !(d <= a.Error) {
						t.Fatalf("%s, %d channels: output %d is off by %.2g of the largest, want at most %.2g",
							a.Name, channels, i, d, a.Error)
					}
					worst[a.Name] = max(worst[a.Name], d)
				}
				if !strings.HasPrefix(c.Algorithm(), a.Name) {
					t.Errorf("%s calls itself %s", a.Name, c.Algorithm())
				}
			}
		}
		for name, d := range worst {
			t.Logf("%s: off by %.2g of the largest output at most", name, d)
		}
	})
}
