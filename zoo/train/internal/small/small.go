// Package small is networks of one operation each, for tests of gradients.
//
// The contract: the cases have every operation and activation of nn, behind a layer with parameters; a test of zoo/train/twin
// finds what they lack. Only tests import it.
//
// It leaves to them what the networks should compute.
package small

import (
	"testing"

	"zoobench/zoo/nn"
)

// Classes is how many classes the networks tell apart.
const Classes = 2

// A Case is a network of one operation, or of a few that belong together.
type Case struct {
	Name string
	Size int
	Arch func(g *nn.Builder, x nn.Value) nn.Value
}

// Cases have every operation and activation of nn, behind a layer with parameters, whose gradients say what comes through.
var Cases = []Case{
	{"conv", 4, func(g *nn.Builder, x nn.Value) nn.Value {
		return g.Conv("conv", in(g, x, 4), 4, nn.K(3).S(2).WithBias())
	}},
	{"grouped conv, dilated and cropped", 6, func(g *nn.Builder, x nn.Value) nn.Value {
		return g.Conv("conv", in(g, x, 4), 6, nn.K(2).G(2).D(2).PadEdges(1, -1, 0, 2))
	}},
	{"depthwise conv", 5, func(g *nn.Builder, x nn.Value) nn.Value {
		return g.Conv("conv", in(g, x, 3), 3, nn.K(3).G(nn.Depthwise).Same().S(2))
	}},
	{"standardised conv", 3, func(g *nn.Builder, x nn.Value) nn.Value {
		return g.Conv("conv", in(g, x, 2), 3, nn.K(3).WithStd(1e-2).WithBias())
	}},
	{"linear", 2, func(g *nn.Builder, x nn.Value) nn.Value { return g.LinearNoBias("linear", in(g, x, 3), 4) }},
	{"batch norm", 2, func(g *nn.Builder, x nn.Value) nn.Value { return g.BatchNorm("norm", in(g, x, 3), 1e-2) }},
	{"batch norm without a weight", 2, func(g *nn.Builder, x nn.Value) nn.Value {
		return g.BatchNormUnscaled("norm", in(g, x, 3), 1e-2, 0.01)
	}},
	{"standardisation", 2, func(g *nn.Builder, x nn.Value) nn.Value { return g.Standardize("norm", in(g, x, 3)) }},
	{"group norm", 2, func(g *nn.Builder, x nn.Value) nn.Value { return g.GroupNorm("norm", in(g, x, 4), 2, 1e-2) }},
	{"layer norm", 2, func(g *nn.Builder, x nn.Value) nn.Value { return g.LayerNorm("norm", in(g, x, 4), 1e-2) }},
	{"max pool", 5, func(g *nn.Builder, x nn.Value) nn.Value { return g.MaxPool(in(g, x, 2), nn.K(3).S(2)) }},
	{"average pool", 5, func(g *nn.Builder, x nn.Value) nn.Value { return g.AvgPool(in(g, x, 2), nn.K(3).S(2)) }},
	{"average pool without padding", 4, func(g *nn.Builder, x nn.Value) nn.Value {
		return g.AvgPool(in(g, x, 2), nn.K(3).S(2).WithCeil().WithoutPad())
	}},
	{"average pool of padding alone", 3, func(g *nn.Builder, x nn.Value) nn.Value {
		return g.AvgPool(in(g, x, 2), nn.K(1).S(2).PadEdges(1, 1, 1, 1))
	}},
	{"adaptive average pool", 5, func(g *nn.Builder, x nn.Value) nn.Value { return g.AdaptiveAvgPool(in(g, x, 2), 3, 2) }},
	{"add", 2, func(g *nn.Builder, x nn.Value) nn.Value {
		x = in(g, x, 3)
		return g.Add(x, x, g.Activate(x, nn.SiLU))
	}},
	{"gate", 2, func(g *nn.Builder, x nn.Value) nn.Value {
		x = in(g, x, 3)
		return g.Mul(x, g.Activate(g.GlobalAvgPool(x), nn.Sigmoid))
	}},
	{"product", 2, func(g *nn.Builder, x nn.Value) nn.Value {
		x = in(g, x, 3)
		return g.Mul(x, g.Activate(x, nn.Sigmoid))
	}},
	{"concat, slice and shuffle", 2, func(g *nn.Builder, x nn.Value) nn.Value {
		x = in(g, x, 4)
		return g.Shuffle(g.Concat(x, g.Slice(x, 1, 3)), 3)
	}},
	{"unflatten", 2, func(g *nn.Builder, x nn.Value) nn.Value {
		return g.Unflatten(g.Flatten(in(g, x, 3)), nn.Shape{C: 2, H: 1, W: 6})
	}},
	{"flatten", 2, func(g *nn.Builder, x nn.Value) nn.Value { return g.Flatten(in(g, x, 3)) }},
	{"affine and scale", 2, func(g *nn.Builder, x nn.Value) nn.Value {
		return g.Scale("gamma", g.Affine(in(g, x, 3), []float64{1, 2, 3}, []float64{0.5}))
	}},
	{"pad", 2, func(g *nn.Builder, x nn.Value) nn.Value {
		return g.MaxPool(g.Pad(in(g, x, 2), nn.Edges{Top: 1, Right: 2}), nn.K(2).Valid())
	}},
	{"split softmax", 2, func(g *nn.Builder, x nn.Value) nn.Value { return g.SplitSoftmax(in(g, x, 6), 3) }},
	{"channel conv", 2, func(g *nn.Builder, x nn.Value) nn.Value {
		return g.ChannelConv("eca", g.GlobalAvgPool(in(g, x, 5)), 3)
	}},
	{"dropout", 2, func(g *nn.Builder, x nn.Value) nn.Value {
		return g.StochasticDepth(g.Dropout(in(g, x, 3), 0.5), 0.25)
	}},
	{"tokens with positions of another size", 3, func(g *nn.Builder, x nn.Value) nn.Value {
		x = g.Tokens(in(g, x, 3))
		x = g.ConcatTokens(g.Const("cls_token", nn.Shape{C: 3, H: 1, W: 1}, 1, 1, 3), x)
		pos := g.Const("pos_embed", nn.Shape{C: 3, H: 1, W: 5}, 1, 5, 3)
		x = g.Add(x, g.Resample(pos, [2]int{2, 2}, [2]int{3, 3}, 1))
		return g.Grid(g.SliceTokens(x, 0, 8), 2, 4)
	}},
	{"attention", 2, func(g *nn.Builder, x nn.Value) nn.Value {
		return g.Attention(in(g, x, 12), nn.AttentionSpec{Heads: 2})
	}},
	{"attention in shifted windows with a table", 4, func(g *nn.Builder, x nn.Value) nn.Value {
		table := g.Const("relative_position_bias_table", nn.Shape{C: 2, H: 3, W: 3}, 9, 2)
		return g.Attention(in(g, x, 12), nn.AttentionSpec{Heads: 2, HeadsFirst: true, Window: 2, Shift: 1, Bias: table})
	}},
	{"attention with a bias from coordinates", 2, func(g *nn.Builder, x nn.Value) nn.Value {
		table := g.Activate(g.Linear("rel", g.RelCoords(2, 2), 2), nn.GELU)
		return g.Attention(in(g, x, 12), nn.AttentionSpec{Heads: 2, Bias: table})
	}},
	{"activations", 3, func(g *nn.Builder, x nn.Value) nn.Value {
		for _, act := range nn.Acts() {
			x = g.Affine(g.Activate(in(g.In("%v", act), x, 4), act), []float64{2}, []float64{0.1})
		}
		return x
	}},
	{"auxiliary head", 2, func(g *nn.Builder, x nn.Value) nn.Value {
		x = in(g, x, 3)
		g.Head(g.Linear("aux", g.GlobalAvgPool(x), g.Classes), 0.3)
		return g.Activate(x, nn.GELU)
	}},
}

func in(g *nn.Builder, x nn.Value, out int) nn.Value { return g.Conv("in", x, out, nn.K(1).WithBias()) }

// Build makes a case a classifier.
func Build(t testing.TB, size int, arch func(g *nn.Builder, x nn.Value) nn.Value) *nn.Graph {
	t.Helper()
	whole := func(g *nn.Builder, x nn.Value) nn.Value {
		return g.Linear("fc", g.Flatten(arch(g, x)), g.Classes)
	}
	g, err := nn.Build("small", whole, nn.Config{Size: size, Classes: Classes, Training: true})
	if err != nil {
		t.Fatal(err)
	}
	return g
}
