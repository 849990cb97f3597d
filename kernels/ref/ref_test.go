package ref

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// direct is the convolution's formula, one element at a time, with every tap tested.
func direct(x, w, bias []float64, s ConvSize) []float64 {
	k, cg, og := s.Window, s.C/s.Groups, s.O/s.Groups
	var y []float64
	for n := range s.N {
		for o := range s.O {
			for oh := range s.OH {
				for ow := range s.OW {
					sum := bias[o]
					for c := range cg {
						for kh := range k.H {
							for kw := range k.W {
								ih, iw := oh*k.SH-k.Top+kh*k.DH, ow*k.SW-k.Left+kw*k.DW
								if ih >= 0 && ih < s.H && iw >= 0 && iw < s.W {
									sum += w[((o*cg+c)*k.H+kh)*k.W+kw] * x[((n*s.C+o/og*cg+c)*s.H+ih)*s.W+iw]
								}
							}
						}
					}
					y = append(y, sum)
				}
			}
		}
	}
	return y
}

// integers are small, so that every sum is exact in whatever order it is taken.
func integers(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(r.IntN(17) - 8)
	}
	return x
}

func TestConvIsItsFormula(t *testing.T) {
	tests := []struct {
		name       string
		n, c, h, w int
		o, groups  int
		k          Window
	}{
		{"1x1", 2, 5, 4, 3, 7, 1, Window{H: 1, W: 1, SH: 1, SW: 1, DH: 1, DW: 1}},
		{"1x1 one pixel", 2, 5, 1, 1, 7, 1, Window{H: 1, W: 1, SH: 1, SW: 1, DH: 1, DW: 1}},
		{"1x1 stride 2 padded to its own size", 1, 2, 2, 2, 3, 1, Window{1, 1, 2, 2, 1, 1, 0, 0, 1, 1}},
		{"3x3", 2, 3, 7, 6, 4, 1, Window{3, 3, 1, 1, 1, 1, 1, 1, 1, 1}},
		{"3x3 stride 2", 1, 3, 8, 9, 4, 1, Window{3, 3, 2, 2, 1, 1, 1, 1, 1, 1}},
		{"3x3 valid", 1, 2, 5, 5, 3, 1, Window{H: 3, W: 3, SH: 1, SW: 1, DH: 1, DW: 1}},
		{"far padding only", 1, 3, 8, 8, 2, 1, Window{3, 3, 2, 2, 1, 1, 0, 0, 1, 1}},
		{"depthwise 5x5", 2, 6, 6, 5, 6, 6, Window{5, 5, 1, 1, 1, 1, 2, 2, 2, 2}},
		{"groups", 1, 8, 5, 5, 4, 2, Window{3, 3, 1, 1, 1, 1, 1, 1, 1, 1}},
		{"1x7", 1, 3, 4, 9, 2, 1, Window{1, 7, 1, 1, 1, 1, 0, 3, 0, 3}},
		{"dilated", 1, 2, 9, 9, 2, 1, Window{3, 3, 1, 1, 2, 3, 2, 3, 2, 3}},
		{"stride 3×2", 1, 2, 9, 10, 2, 1, Window{2, 4, 3, 2, 1, 1, 1, 0, 0, 2}},
		{"window larger than the image", 1, 2, 2, 2, 2, 1, Window{5, 5, 1, 1, 1, 1, 2, 2, 2, 2}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			k := test.k
			s := ConvSize{
				N: test.n, C: test.c, H: test.h, W: test.w, O: test.o, Groups: test.groups, Window: k,
				OH: (test.h+k.Top+k.Bottom-k.DH*(k.H-1)-1)/k.SH + 1,
				OW: (test.w+k.Left+k.Right-k.DW*(k.W-1)-1)/k.SW + 1,
			}
			x := integers(r, s.N*s.C*s.H*s.W)
			w, bias := integers(r, s.O*s.C/s.Groups*k.H*k.W), integers(r, s.O)
			got := make([]float64, s.N*s.O*s.OH*s.OW)
			Conv(got, x, w, bias, s)
			equal(t, got, direct(x, w, bias, s))
		})
	}
}

func TestLinear(t *testing.T) {
	// Two pixels of two channels; weights [[1 2] [3 4] [5 6]].
	got := make([]float64, 6)
	Linear(got, []float64{1, 10, 2, 20}, []float32{1, 2, 3, 4, 5, 6}, []float32{100, 200, 300}, 1, 2, 3, 2)
	equal(t, got, []float64{105, 150, 211, 310, 317, 470})
	Linear(got, []float64{1, 10, 2, 20}, []float32{1, 2, 3, 4, 5, 6}, nil, 1, 2, 3, 2)
	equal(t, got, []float64{5, 50, 11, 110, 17, 170})
}

func TestBatchNorm(t *testing.T) {
	got := make([]float64, 4)
	BatchNorm(got, []float64{1, 3, 5, 7}, []float32{1, 5}, []float32{3, 15}, []float32{2, 8}, []float32{0, 1}, 1, 1, 2, 2)
	equal(t, got, []float64{0, 2, 1, 5})
}

func TestMaxPool(t *testing.T) {
	plane := []float64{
		-1, -2, -3,
		-4, -5, -6,
		-7, -8, -9,
	}
	got := make([]float64, 4)
	s := PoolSize{1, 3, 3, 2, 2, Window{3, 3, 2, 2, 1, 1, 1, 1, 1, 1}}
	MaxPool(got, plane, s)
	equal(t, got, []float64{-1, -2, -4, -5})
	plane[4] = math.NaN()
	MaxPool(got, plane, s)
	for i, v := range got {
		if !math.IsNaN(v) {
			t.Errorf("window %d with a NaN: %v", i, v)
		}
	}
}

func TestAvgPoolDivisor(t *testing.T) {
	plane := []float64{
		1, 2, 3,
		4, 5, 6,
		7, 8, 9,
	}
	tests := []struct {
		name       string
		excludePad bool
		s          PoolSize
		want       []float64
	}{
		{"padding counts", false, PoolSize{1, 3, 3, 2, 2, Window{3, 3, 2, 2, 1, 1, 1, 1, 1, 1}},
			[]float64{12. / 9, 16. / 9, 24. / 9, 28. / 9}},
		{"padding left out", true, PoolSize{1, 3, 3, 2, 2, Window{3, 3, 2, 2, 1, 1, 1, 1, 1, 1}},
			[]float64{3, 4, 6, 7}},
		{"an overhang never counts", false, PoolSize{1, 3, 3, 2, 2, Window{H: 2, W: 2, SH: 2, SW: 2, DH: 1, DW: 1}},
			[]float64{3, 4.5, 7.5, 9}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := make([]float64, len(test.want))
			AvgPool(got, plane, test.excludePad, test.s)
			equal(t, got, test.want)
		})
	}
}

func TestAdaptiveAvgPoolBins(t *testing.T) {
	// Five columns to three: PyTorch's bins are [0 1], [1 2 3], [3 4].
	got := make([]float64, 3)
	AdaptiveAvgPool(got, []float64{2, 4, 6, 8, 16}, 1, 1, 5, 1, 3)
	equal(t, got, []float64{3, 6, 12})
	// One pixel to two by two: each bin holds it.
	got = make([]float64, 4)
	AdaptiveAvgPool(got, []float64{7}, 1, 1, 1, 2, 2)
	equal(t, got, []float64{7, 7, 7, 7})
}

func TestAddMulConcat(t *testing.T) {
	a, b := []float64{1, 2, 3, 4}, []float64{10, 20, 30, 40}
	got := make([]float64, 4)
	Add(got, a, b, a)
	equal(t, got, []float64{12, 24, 36, 48})
	Mul(got, a, []float64{2, 3}, 2, 2)
	equal(t, got, []float64{2, 4, 9, 12})
	Mul(got, a, b, 2, 2)
	equal(t, got, []float64{10, 40, 90, 160})
	// Two images: one channel of a, two of c, each of two pixels.
	got = make([]float64, 12)
	Concat(got, 2, a, []float64{5, 6, 7, 8, 9, 10, 11, 12})
	equal(t, got, []float64{1, 2, 5, 6, 7, 8, 3, 4, 9, 10, 11, 12})
}

func TestStandardize(t *testing.T) {
	got := make([]float64, 4)
	Standardize(got, []float32{1, 3, 10, 30}, 3, 2)
	equal(t, got, []float64{-0.5, 0.5, -10 / math.Sqrt(103), 10 / math.Sqrt(103)})
}

// TestActivations compares with values computed apart, to 12 digits.
func TestActivations(t *testing.T) {
	tests := []struct {
		name string
		f    func(float64) float64
		x    float64
		want float64
	}{
		{"relu", ReLU, -2, 0},
		{"relu", ReLU, 2, 2},
		{"relu6", ReLU6, 7, 6},
		{"sigmoid", Sigmoid, 1, 0.731058578630005},
		{"sigmoid far left", Sigmoid, -1000, 0},
		{"silu", SiLU, 1, 0.731058578630005},
		{"hard sigmoid", HardSigmoid, 1, 2. / 3},
		{"hard swish", HardSwish, -4, 0},
		{"hard swish", HardSwish, 1.5, 1.125},
		{"gelu", GELU, 1, 0.841344746068543},
		{"gelu", GELU, -2, -0.045500263896358},
		{"gelu tanh", GELUTanh, 1, 0.841191990608276},
	}
	for _, test := range tests {
		got := []float64{test.x}
		Apply(got, got, test.f)
		if math.Abs(got[0]-test.want) > 1e-12 {
			t.Errorf("%s(%v) = %.15f, want %.15f", test.name, test.x, got[0], test.want)
		}
	}
}

func TestWrongLengthPanics(t *testing.T) {
	defer func() {
		if got, want := recover(), "kernels/ref: x has the wrong length"; got != want {
			t.Errorf("panic %v, want %q", got, want)
		}
	}()
	Linear(make([]float64, 2), make([]float64, 3), make([]float32, 4), nil, 1, 2, 2, 1)
}

func equal(t *testing.T, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d elements, want %d", len(got), len(want))
	}
	for i := range got {
		if math.Abs(got[i]-want[i]) > 1e-12 {
			t.Fatalf("element %d: %v, want %v", i, got[i], want[i])
		}
	}
}

func ExampleConv() {
	x := []float64{
		1, 2, 3,
		4, 5, 6,
		7, 8, 9,
	}
	w := []float32{
		0, 1, 0,
		1, 0, 1,
		0, 1, 0,
	}
	y := make([]float64, 9)
	Conv(y, x, w, nil, ConvSize{
		N: 1, C: 1, H: 3, W: 3, O: 1, OH: 3, OW: 3, Groups: 1,
		Window: Window{H: 3, W: 3, SH: 1, SW: 1, DH: 1, DW: 1, Top: 1, Left: 1, Bottom: 1, Right: 1},
	})
	fmt.Println(y)
	// Output: [6 9 8 13 20 17 12 21 14]
}
