package nn

import (
	"strings"
	"testing"
)

// TestShapesAndCosts builds each operation over 6 channels of 4×4 pixels.
func TestShapesAndCosts(t *testing.T) {
	tests := []struct {
		name        string
		arch        func(*Builder, Value) Value
		out         Shape
		params      string // names of those behind the stem's
		macs, elems int64  // of the last node
	}{
		{"slice", func(g *Builder, x Value) Value { return g.Slice(x, 1, 4) }, Shape{3, 4, 4}, "", 0, 0},
		{"shuffle", func(g *Builder, x Value) Value { return g.Shuffle(x, 3) }, Shape{6, 4, 4}, "", 0, 0},
		{"affine", func(g *Builder, x Value) Value { return g.Affine(x, nil, []float64{1}) }, Shape{6, 4, 4}, "", 0, 0},
		{"pad", func(g *Builder, x Value) Value { return g.Pad(x, Edges{1, 2, 3, 4}) }, Shape{6, 8, 10}, "", 0, 0},
		{"group norm", func(g *Builder, x Value) Value { return g.GroupNorm("n", x, 2, 1e-5) }, Shape{6, 4, 4}, "n.weight n.bias", 0, 0},
		{"layer norm", func(g *Builder, x Value) Value { return g.In("a").LayerNorm("n", x, 1e-5) }, Shape{6, 4, 4},
			"a.n.weight a.n.bias", 0, 0},
		{"scale", func(g *Builder, x Value) Value { return g.Scale("gamma", x) }, Shape{6, 4, 4}, "gamma", 0, 0},
		{"split softmax", func(g *Builder, x Value) Value { return g.SplitSoftmax(x, 2) }, Shape{6, 4, 4}, "", 0, 0},
		{"channel conv", func(g *Builder, x Value) Value {
			return g.ChannelConv("c", g.GlobalAvgPool(x), 5)
		}, Shape{6, 1, 1}, "c.weight", 30, 6},
		{"linear without a bias", func(g *Builder, x Value) Value {
			return g.LinearNoBias("l", x, 5)
		}, Shape{5, 4, 4}, "l.weight", 5 * 6 * 16, 5 * 16},
		{"tokens", func(g *Builder, x Value) Value { return g.Tokens(x) }, Shape{6, 1, 16}, "", 0, 0},
		{"grid", func(g *Builder, x Value) Value { return g.Grid(g.Tokens(x), 2, 8) }, Shape{6, 2, 8}, "", 0, 0},
		{"slice of tokens", func(g *Builder, x Value) Value { return g.SliceTokens(g.Tokens(x), 3, 5) }, Shape{6, 1, 2}, "", 0, 0},
		{"class token", func(g *Builder, x Value) Value {
			return g.ConcatTokens(g.Const("cls", Shape{6, 1, 1}, 1, 1, 6), g.Tokens(x))
		}, Shape{6, 1, 17}, "cls", 0, 0},
		{"resampled positions", func(g *Builder, x Value) Value {
			p := g.Const("pos", Shape{6, 1, 10}, 1, 10, 6)
			return g.Add(g.ConcatTokens(g.Tokens(x), g.SliceTokens(p, 0, 1)), g.Resample(p, [2]int{3, 3}, [2]int{4, 4}, 1))
		}, Shape{6, 1, 17}, "pos", 0, 0},
		{"attention", func(g *Builder, x Value) Value {
			return g.Attention(x, AttentionSpec{Heads: 2})
		}, Shape{2, 4, 4}, "", 2 * 16 * 16 * 2, 16*16*2 + 32},
		{"attention in windows", func(g *Builder, x Value) Value {
			bias := g.Grid(g.Const("table", Shape{1, 1, 9}, 9, 1), 3, 3)
			return g.Attention(x, AttentionSpec{Heads: 1, Window: 2, Shift: 1, Bias: bias})
		}, Shape{2, 4, 4}, "table", 2 * 16 * 4 * 2, 16*4 + 32},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			arch := func(g *Builder, x Value) Value { return test.arch(g, g.Conv("stem", x, 6, K(1))) }
			g, err := Build("small", arch, Config{Size: 4, Classes: 2})
			if err != nil {
				t.Fatal(err)
			}
			if got := g.Output(); got != test.out {
				t.Errorf("shape %v, want %v", got, test.out)
			}
			var names []string
			for _, p := range g.Params[1:] {
				names = append(names, p.Name)
			}
			if got := strings.Join(names, " "); got != test.params {
				t.Errorf("parameters %q, want %q", got, test.params)
			}
			last := len(g.Nodes) - 1
			if got := g.NodeMACs(last); got != test.macs {
				t.Errorf("%d MACs, want %d", got, test.macs)
			}
			if got := g.nodeActivations(last); got != test.elems {
				t.Errorf("%d activations, want %d", got, test.elems)
			}
			if n := g.Nodes[last]; n.Const {
				t.Errorf("%v is a constant", n.Op)
			}
		})
	}
}

func TestTokenErrors(t *testing.T) {
	tests := []struct {
		name string
		arch func(*Builder, Value) Value
		want string
	}{
		{"slice", func(g *Builder, x Value) Value { return g.Slice(x, 2, 4) }, "slice in small: channels 2 to 4 of 3×4×4"},
		{"shuffle", func(g *Builder, x Value) Value { return g.In("a").Shuffle(x, 2) }, "shuffle in a: 3 channels in 2 groups"},
		{"affine", func(g *Builder, x Value) Value {
			return g.Affine(x, []float64{1, 2}, nil)
		}, "affine in small: 2 scales and 0 shifts for 3×4×4"},
		{"pad", func(g *Builder, x Value) Value { return g.Pad(x, Edges{Top: -1}) }, "pad in small: edges {-1 0 0 0}"},
		{"cropped ceil mode", func(g *Builder, x Value) Value {
			return g.AvgPool(x, K(2).PadEdges(-1, 0, 0, 0).WithCeil())
		}, "window 2×2 in ceil mode cannot crop edges, have {-1 0 0 0}"},
		{"channel conv", func(g *Builder, x Value) Value {
			return g.ChannelConv("c", x, 3)
		}, "c: 3 wide over 3×4×4, want an odd width over one pixel"},
		{"grid", func(g *Builder, x Value) Value { return g.Grid(g.Tokens(x), 3, 5) }, "grid in small: 3×1×16 as 3×5"},
		{"slice of tokens", func(g *Builder, x Value) Value { return g.SliceTokens(x, 0, 1) }, "tokens 0 to 1 of 3×4×4"},
		{"concat tokens", func(g *Builder, x Value) Value { return g.ConcatTokens(g.Tokens(x), x) }, "3×1×16 and 3×4×4"},
		{"const", func(g *Builder, x Value) Value {
			return g.Const("cls", Shape{3, 1, 1}, 1, 1, 4)
		}, "cls: shape [1 1 4] as 3×1×1"},
		{"nothing but a constant", func(g *Builder, x Value) Value {
			return g.ReLU(g.Const("cls", Shape{3, 1, 1}, 3))
		}, "its result does not depend on the image"},
		{"resample", func(g *Builder, x Value) Value {
			return g.Resample(g.Tokens(x), [2]int{4, 4}, [2]int{5, 5}, 0)
		}, "resample in small: 3×1×16 as 0 tokens and 4×4, to 5×5"},
		{"heads", func(g *Builder, x Value) Value {
			return g.Attention(x, AttentionSpec{Heads: 2})
		}, "attention in small: 3×4×4 in 2 heads"},
		{"windows", func(g *Builder, x Value) Value {
			return g.Attention(x, AttentionSpec{Heads: 1, Window: 3})
		}, "attention in small: a grid of 4×4 cannot be cut into windows of 3×3"},
		{"shift", func(g *Builder, x Value) Value {
			return g.Attention(x, AttentionSpec{Heads: 1, Window: 2, Shift: 2})
		}, "attention in small: shift 2 of windows of 2"},
		{"bias", func(g *Builder, x Value) Value {
			return g.Attention(x, AttentionSpec{Heads: 1, Bias: g.Const("b", Shape{1, 7, 5}, 35, 1)})
		}, "attention in small: bias 1×7×5, want 1×7×7"},
		{"bias of the image", func(g *Builder, x Value) Value {
			b := g.Pad(g.Slice(x, 0, 1), Edges{Top: 3, Left: 3})
			return g.Attention(x, AttentionSpec{Heads: 1, Bias: b})
		}, "attention in small: its bias depends on the image"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Build("small", test.arch, Config{Size: 4, Classes: 2})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestResampleToTheSameSize(t *testing.T) {
	var p, same Value
	_, err := Build("small", func(g *Builder, x Value) Value {
		p = g.Const("pos", Shape{3, 1, 17}, 1, 17, 3)
		same = g.Resample(p, [2]int{4, 4}, [2]int{4, 4}, 1)
		return g.Add(g.SliceTokens(same, 1, 17), g.Tokens(x))
	}, Config{Size: 4, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	if same != p {
		t.Errorf("node %d, want %d itself", same.id, p.id)
	}
}
