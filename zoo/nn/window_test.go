package nn

import (
	"strings"
	"testing"
)

// TestOutputs holds sizes to PyTorch's and TensorFlow's, computed by hand from their rules.
func TestOutputs(t *testing.T) {
	tests := []struct {
		name string
		k    Kernel
		size int
		pool bool
		out  int // 0 for a window that does not fit
		pad  Edges
	}{
		{"3×3 keeps the size", K(3), 7, false, 7, Edges{1, 1, 1, 1}},
		{"7×7/2", K(7).S(2), 224, false, 112, Edges{3, 3, 3, 3}},
		{"dilated keeps the size", K(3).D(2), 9, false, 9, Edges{2, 2, 2, 2}},
		{"valid", K(3).S(2).Valid(), 224, false, 111, Edges{}},
		{"even without padding named", K(2), 4, true, 0, Edges{}},
		{"too small", K(3).Valid(), 2, false, 0, Edges{}},
		{"same, odd pixel at the far edge", K(3).S(2).Same(), 224, false, 112, Edges{0, 0, 1, 1}},
		{"same, nothing to split", K(1).S(2).Same(), 224, false, 112, Edges{}},
		{"same, 5×5/2 at odd size", K(5).S(2).Same(), 7, false, 4, Edges{2, 2, 2, 2}},
		{"ceil hangs over", K(3).S(2).Valid().WithCeil(), 112, true, 56, Edges{}},
		{"ceil that fits", K(3).S(2).Valid().WithCeil(), 13, true, 6, Edges{}},
		{"ceil does not start in the far padding", K(2).S(2).P(1).WithCeil(), 3, true, 2, Edges{1, 1, 1, 1}},
		{"ceil one pixel short", K(3).S(2).Valid().WithCeil(), 2, true, 1, Edges{}},
		{"ceil two pixels short", K(3).S(2).Valid().WithCeil(), 1, true, 0, Edges{}},
		{"ceil is for pools", K(3).S(2).Valid().WithCeil(), 112, false, 55, Edges{}},
		{"stride 0", K(3).S(0), 7, false, 0, Edges{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			k, h, w, err := test.k.resolve(test.size, test.size, test.pool)
			if test.out == 0 {
				if err == nil {
					t.Errorf("%d outputs, want an error", h)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if h != test.out || w != test.out || k.Pad != test.pad {
				t.Errorf("%d×%d outputs with padding %v, want %d with %v", h, w, k.Pad, test.out, test.pad)
			}
		})
	}
}

func TestFirstErrorIsKept(t *testing.T) {
	arch := func(g *Builder, x Value) Value {
		x = g.In("stem").Conv("conv1", x, 8, K(9).Valid())
		x = g.BatchNorm("bn1", x, 1e-5)
		return g.Linear("fc", g.GlobalAvgPool(g.Concat(x, g.Add(x, x))), g.Classes)
	}
	_, err := Build("small", arch, Config{Size: 8, Classes: 10})
	if want := "nn: small at 8×8: stem.conv1: window 9×9 does not fit into 8×8 pixels"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
}

func TestBuildErrors(t *testing.T) {
	tests := []struct {
		name string
		arch func(*Builder, Value) Value
		want string
	}{
		{"two parameters of a name", func(g *Builder, x Value) Value {
			return g.Conv("a", g.Conv("a", x, 3, K(1)), 3, K(1))
		}, "a.weight: two parameters of this name"},
		{"groups", func(g *Builder, x Value) Value { return g.Conv("a", x, 4, K(1).G(2)) }, "a: 3 to 4 channels in 2 groups"},
		{"add", func(g *Builder, x Value) Value { return g.Add(x, g.Conv("a", x, 4, K(1))) },
			"add in small: 3×8×8 and 4×8×8, want equal shapes"},
		{"gate", func(g *Builder, x Value) Value {
			return g.Mul(x, g.GlobalAvgPool(g.Conv("a", x, 4, K(1))))
		}, "mul in small: 3×8×8 by 4×1×1, want the same shape or one pixel with as many channels"},
		{"concat", func(g *Builder, x Value) Value { return g.Concat(x, g.GlobalAvgPool(x)) },
			"concat in small: 3×8×8 and 3×1×1, want equal rows and columns"},
		{"expectation", func(g *Builder, x Value) Value {
			return g.In("b").Expect(x, Shape{3, 9, 9})
		}, "b: shape 3×8×8, want 3×9×9"},
		{"dilated max pool", func(g *Builder, x Value) Value {
			return g.In("a").MaxPool(x, K(3).D(2))
		}, "max_pool in a: window 3×3 d2 with dilation 2×2, want 1×1"},
		{"dilated average pool", func(g *Builder, x Value) Value { return g.AvgPool(x, K(3).D(2)) }, "avg_pool in small: window 3×3 d2"},
		{"max pool's first window in the padding", func(g *Builder, x Value) Value {
			return g.In("a").MaxPool(x, K(2).PadEdges(0, 2, 0, 0))
		}, "max_pool in a: window 2×2 with padding {0 2 0 0} over 8×8 pixels: some windows contain padding only"},
		{"max pool's last window in the padding", func(g *Builder, x Value) Value {
			return g.MaxPool(x, K(1).PadEdges(-1, -1, 1, 1))
		}, "some windows contain padding only"},
		{"average of no pixel", func(g *Builder, x Value) Value {
			return g.AvgPool(x, K(3).PadEdges(3, 0, 0, 0).WithoutPad())
		}, "some windows contain padding only"},
		{"average to no pixel", func(g *Builder, x Value) Value {
			return g.In("a").AdaptiveAvgPool(x, 7, 0)
		}, "adaptive_avg_pool in a: 3×8×8 to 7×0 pixels, want at least 1×1"},
		{"result in the middle", func(g *Builder, x Value) Value { g.ReLU(x); return x }, "it returns node 0 of 2, want the last one"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Build("small", test.arch, Config{Size: 8, Classes: 10, Default: 8})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}
