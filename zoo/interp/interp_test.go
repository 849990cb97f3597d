package interp

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"zoobench/zoo/nn"
)

// table is weights by name; released counts the calls of Release.
type table struct {
	tensors  map[string][]float32
	mu       sync.Mutex
	released map[string]int
}

var errNone = errors.New("none of this name")

func (w *table) Float32(name string) ([]float32, error) {
	x, ok := w.tensors[name]
	if !ok {
		return nil, fmt.Errorf("%s: %w", name, errNone)
	}
	return x, nil
}

func (w *table) Release(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.released == nil {
		w.released = map[string]int{}
	}
	w.released[name]++
}

func build(t *testing.T, size int, arch func(g *nn.Builder, x nn.Value) nn.Value) *nn.Graph {
	t.Helper()
	g, err := nn.Build("small", arch, nn.Config{Size: size, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestRun computes each operation on two images of 2×2 pixels, by hand.
func TestRun(t *testing.T) {
	w := &table{tensors: map[string][]float32{
		"sum.weight":        {1, 1, 1},
		"std.weight":        {1, 3, 5},
		"std.bias":          {100},
		"norm.weight":       {1, 1, 2},
		"norm.bias":         {0, 0, 10},
		"norm.running_mean": {1, 1, 1},
		"norm.running_var":  {3, 3, 15},
		"linear.weight":     {1, 10, 100, 0, 0, 1},
		"linear.bias":       {0.5, 0},
		"bias.weight":       {2, 0, 0},
		"bias.bias":         {-3},
		"gamma":             {1, 10, 100},
		"cls":               {7, 8, 9},
		"pos":               {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
		"eca.weight":        {1, 10, 100},
		"ones.weight":       {1, 1, 1},
		"ones.bias":         {0, 0, 5},
		"grow.weight":       {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1},
		"grow.bias":         make([]float32, 9),
		"table":             {0, 0, 0, 0, 1e3, 0, 0, 0, 0},
		"mlp.weight":        {0, 0},
		"mlp.bias":          {5},
	}}
	// Pixels in reading order, channels inside: image 0 counts 1 to 12, image 1 is its negative.
	src := make([]float32, 24)
	for i := range 12 {
		src[i], src[12+i] = float32(i+1), -float32(i+1)
	}
	tests := []struct {
		name string
		arch func(g *nn.Builder, x nn.Value) nn.Value
		want []float64
	}{
		{"conv sums channels", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.Conv("sum", x, 1, nn.K(1))
		}, []float64{6, 15, 24, 33, -6, -15, -24, -33}},
		{"conv with bias and stride", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.Conv("bias", x, 1, nn.K(1).S(2).WithBias())
		}, []float64{-1, -5}},
		{"conv with standardised weights", func(g *nn.Builder, x nn.Value) nn.Value {
			// mean 3, variance 8/3: weights −2, 0, 2 over √(8/3 + 4/3) = 2
			return g.Conv("std", x, 1, nn.K(1).WithStd(4./3).WithBias())
		}, []float64{102, 102, 102, 102, 98, 98, 98, 98}},
		{"batch norm", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.GlobalAvgPool(g.BatchNorm("norm", x, 1))
		}, []float64{4.5 / 2, 5.5 / 2, 6.5/4*2 + 10, -6.5 / 2, -7.5 / 2, -8.5/4*2 + 10}},
		{"linear of means", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.Linear("linear", g.GlobalAvgPool(x), 2)
		}, []float64{5.5 + 65 + 750 + 0.5, 7.5, -5.5 - 65 - 750 + 0.5, -7.5}},
		{"max pool, relu and flatten", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.Flatten(g.ReLU(g.MaxPool(x, nn.K(2).Valid())))
		}, []float64{10, 11, 12, 0, 0, 0}},
		{"average pool", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.AvgPool(x, nn.K(2).Valid())
		}, []float64{5.5, 6.5, 7.5, -5.5, -6.5, -7.5}},
		{"add", func(g *nn.Builder, x nn.Value) nn.Value {
			x = g.GlobalAvgPool(x)
			return g.Add(x, x, x)
		}, []float64{16.5, 19.5, 22.5, -16.5, -19.5, -22.5}},
		{"gate", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.GlobalAvgPool(g.Mul(x, g.GlobalAvgPool(x)))
		}, []float64{5.5 * 5.5, 6.5 * 6.5, 7.5 * 7.5, 5.5 * 5.5, 6.5 * 6.5, 7.5 * 7.5}},
		{"concat", func(g *nn.Builder, x nn.Value) nn.Value {
			x = g.GlobalAvgPool(x)
			return g.Concat(x, g.ReLU(x))
		}, []float64{5.5, 6.5, 7.5, 5.5, 6.5, 7.5, -5.5, -6.5, -7.5, 0, 0, 0}},
		{"slice", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.GlobalAvgPool(g.Slice(x, 1, 3))
		}, []float64{6.5, 7.5, -6.5, -7.5}},
		{"shuffle", func(g *nn.Builder, x nn.Value) nn.Value {
			x = g.GlobalAvgPool(x)
			return g.Shuffle(g.Concat(x, g.ReLU(x)), 2)
		}, []float64{5.5, 5.5, 6.5, 6.5, 7.5, 7.5, -5.5, 0, -6.5, 0, -7.5, 0}},
		{"affine", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.Affine(g.GlobalAvgPool(x), []float64{1, 2, 3}, []float64{1})
		}, []float64{6.5, 14, 23.5, -4.5, -12, -21.5}},
		{"affine without shift", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.Affine(g.GlobalAvgPool(x), []float64{2}, nil)
		}, []float64{11, 13, 15, -11, -13, -15}},
		{"max over padded zeros", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.MaxPool(g.Pad(x, nn.Edges{Top: 1, Left: 1}), nn.K(3).Valid())
		}, []float64{10, 11, 12, 0, 0, 0}},
		{"strided samples of a cropped image", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.AvgPool(x, nn.K(1).S(2).PadEdges(-1, -1, 0, 0))
		}, []float64{10, 11, 12, -10, -11, -12}},
		{"cropped at the far edge", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.MaxPool(x, nn.K(1).PadEdges(0, 0, -1, -1))
		}, []float64{1, 2, 3, -1, -2, -3}},
		{"shifted by one row", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.Conv("sum", x, 1, nn.K(1).PadEdges(-1, 0, 1, 0))
		}, []float64{24, 33, 0, 0, -24, -33, 0, 0}},
		{"group norm", func(g *nn.Builder, x nn.Value) nn.Value {
			// mean 6.5, variance 143/12 over one group; √(143/12 + 1/12) = √12
			return g.AvgPool(g.GroupNorm("ones", x, 1, 1./12), nn.K(1).S(2).Valid())
		}, []float64{-5.5 / math.Sqrt(12), -4.5 / math.Sqrt(12), -3.5/math.Sqrt(12) + 5,
			5.5 / math.Sqrt(12), 4.5 / math.Sqrt(12), 3.5/math.Sqrt(12) + 5}},
		{"layer norm", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.GlobalAvgPool(g.LayerNorm("ones", x, 1./3)) // variance 2/3
		}, []float64{-1, 0, 6, 1, 0, 4}},
		{"layer scale", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.Scale("gamma", g.GlobalAvgPool(x))
		}, []float64{5.5, 65, 750, -5.5, -65, -750}},
		{"split softmax", func(g *nn.Builder, x nn.Value) nn.Value {
			x = g.Affine(g.GlobalAvgPool(x), []float64{0}, []float64{math.Log(3), 0, 1})
			return g.SplitSoftmax(g.Concat(x, g.Affine(x, []float64{0}, nil)), 2)
		}, slices.Repeat([]float64{0.75, 0.5, math.E / (1 + math.E), 0.25, 0.5, 1 / (1 + math.E)}, 2)},
		{"channel conv", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.ChannelConv("eca", g.GlobalAvgPool(x), 3)
		}, []float64{705, 820.5, 81.5, -705, -820.5, -81.5}},
		{"class token and positions", func(g *nn.Builder, x nn.Value) nn.Value {
			x = g.Add(g.Tokens(x), g.Const("pos", nn.Shape{C: 3, H: 1, W: 4}, 1, 4, 3))
			x = g.ConcatTokens(g.Const("cls", nn.Shape{C: 3, H: 1, W: 1}, 1, 1, 3), x)
			return g.Flatten(g.SliceTokens(x, 0, 2))
		}, []float64{7, 2, 8, 4, 9, 6, 7, 0, 8, 0, 9, 0}},
		{"tokens and back", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.AvgPool(g.Grid(g.Tokens(x), 2, 2), nn.K(2).Valid())
		}, []float64{5.5, 6.5, 7.5, -5.5, -6.5, -7.5}},
		{"attention to nothing but oneself", func(g *nn.Builder, x nn.Value) nn.Value {
			y := g.Attention(g.Linear("grow", x, 9), nn.AttentionSpec{
				Heads: 1, Bias: g.Const("table", nn.Shape{C: 1, H: 3, W: 3}, 9, 1),
			})
			return g.AvgPool(y, nn.K(1).S(2).Valid())
		}, []float64{1, 2, 3, -1, -2, -3}},
		{"attention in windows of one token", func(g *nn.Builder, x nn.Value) nn.Value {
			y := g.Attention(g.Linear("grow", x, 9), nn.AttentionSpec{Heads: 3, Window: 1})
			return g.AvgPool(y, nn.K(1).S(2).Valid())
		}, []float64{1, 2, 3, -1, -2, -3}},
		{"bias from a network of coordinates", func(g *nn.Builder, x nn.Value) nn.Value {
			y := g.Attention(g.Linear("grow", x, 9), nn.AttentionSpec{
				Heads: 1, Scale: 1e-300, Bias: g.Linear("mlp", g.RelCoords(2, 2), 1),
			})
			return g.GlobalAvgPool(y) // one bias for all, so that each token is the mean
		}, []float64{5.5, 6.5, 7.5, -5.5, -6.5, -7.5}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			g := build(t, 2, test.arch)
			got, err := Run(g, w, src, 2)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(test.want) {
				t.Fatalf("%d results, want %d", len(got), len(test.want))
			}
			for i := range got {
				if math.Abs(got[i]-test.want[i]) > 1e-12 {
					t.Errorf("result %d: %v, want %v", i, got[i], test.want[i])
				}
			}
			for _, p := range g.Params {
				if w.released[p.Name] == 0 {
					t.Errorf("%s is not released", p.Name)
				}
			}
		})
	}
}

func TestActivations(t *testing.T) {
	for _, act := range []nn.Act{nn.ReLU, nn.ReLU6, nn.Sigmoid, nn.SiLU, nn.HardSigmoid, nn.HardSwish, nn.GELU, nn.GELUTanh} {
		g := build(t, 1, func(g *nn.Builder, x nn.Value) nn.Value { return g.Activate(x, act) })
		got, err := Run(g, &table{}, []float32{-8, 0, 8}, 1)
		if err != nil {
			t.Errorf("%v: %v", act, err)
			continue
		}
		if got[0] < -0.01 || got[0] > 0.01 || got[2] < 0.99 {
			t.Errorf("%v of −8, 0 and 8: %v", act, got)
		}
	}
}

// TestConstants holds that the values that a runner wants come out, that no other is kept and that no parameter is.
func TestConstants(t *testing.T) {
	g := build(t, 2, func(g *nn.Builder, x nn.Value) nn.Value {
		pos := g.Const("pos", nn.Shape{C: 3, H: 2, W: 2}, 1, 4, 3)
		return g.Add(x, g.Add(pos, pos, g.Const("cls", x.Shape, 12)), pos)
	})
	tensors := map[string][]float32{"pos": make([]float32, 12), "cls": make([]float32, 12)}
	sum := make([]float32, 12)
	for i := range 12 {
		tensors["pos"][i], tensors["cls"][i] = float32(i), float32(100*i)
		sum[i] = float32(102 * i)
	}
	w := &table{tensors: tensors}
	r := newRunner(g, w, 1, true)
	got, err := r.constants()
	if err != nil {
		t.Fatal(err)
	}
	if want := map[int][]float32{1: tensors["pos"], 3: sum}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", got, want)
	}
	for i, v := range r.values {
		if v != nil {
			t.Errorf("node %d's value is kept", i)
		}
	}
	for name := range tensors {
		if w.released[name] != 1 {
			t.Errorf("%s is released %d times, want once", name, w.released[name])
		}
	}
}

func TestTrace(t *testing.T) {
	g := build(t, 1, func(g *nn.Builder, x nn.Value) nn.Value { return g.ReLU(g.Conv("sum", x, 1, nn.K(1))) })
	w := &table{tensors: map[string][]float32{"sum.weight": {1, 1, 1}}}
	_, lines, err := Trace(g, w, []float32{1, 2, 3, -4, -5, -1}, 2)
	if err != nil {
		t.Fatal(err)
	}
	want := []Line{
		{0, "", nn.Shape{C: 3, H: 1, W: 1}, -4. / 6, 16. / 6},
		{1, "sum", nn.Shape{C: 1, H: 1, W: 1}, -2, 8},
		{2, "", nn.Shape{C: 1, H: 1, W: 1}, 3, 3},
	}
	if fmt.Sprint(lines) != fmt.Sprint(want) {
		t.Errorf("%v, want %v", lines, want)
	}
}

func TestErrors(t *testing.T) {
	g := build(t, 1, func(g *nn.Builder, x nn.Value) nn.Value { return g.Linear("fc", x, 2) })
	full := map[string][]float32{"fc.weight": make([]float32, 6), "fc.bias": make([]float32, 2)}
	tests := []struct {
		name    string
		tensors map[string][]float32
		src     []float32
		n       int
		want    string
	}{
		{"no images", full, nil, 0, "interp: small: 0 elements for 0 images of 3×1×1"},
		{"half an image", full, make([]float32, 4), 2, "interp: small: 4 elements for 2 images of 3×1×1"},
		{"missing", map[string][]float32{"fc.weight": full["fc.weight"]}, make([]float32, 3), 1, "fc.bias: none of this name"},
		{"misshapen", map[string][]float32{"fc.weight": full["fc.bias"]}, make([]float32, 3), 1,
			"interp: small: fc.weight: 2 elements, want 6 for shape [2 3]"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Run(g, &table{tensors: test.tensors}, test.src, test.n)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func ExampleRun() {
	arch := func(g *nn.Builder, x nn.Value) nn.Value {
		x = g.ReLU(g.Conv("conv", x, 2, nn.K(1).WithBias()))
		return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
	}
	g, err := nn.Build("tiny", arch, nn.Config{Size: 1, Classes: 2})
	if err != nil {
		fmt.Println(err)
		return
	}
	w := &table{tensors: map[string][]float32{
		"conv.weight": {1, 1, 1, -1, -1, -1}, "conv.bias": {0, 0},
		"fc.weight": {1, 0, 0, 1}, "fc.bias": {0.5, 0.25},
	}}
	logits, err := Run(g, w, []float32{1, 2, 3}, 1)
	fmt.Println(logits, err)
	// Output: [6.5 0.25] <nil>
}
