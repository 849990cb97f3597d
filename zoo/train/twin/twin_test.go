package twin

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

const classes = 2

// cases have every operation and activation of nn, behind a layer with parameters, whose gradients say what comes through.
var cases = []struct {
	name string
	size int
	arch func(g *nn.Builder, x nn.Value) nn.Value
}{
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

// build makes a case a classifier.
func build(t testing.TB, size int, arch func(g *nn.Builder, x nn.Value) nn.Value) *nn.Graph {
	t.Helper()
	whole := func(g *nn.Builder, x nn.Value) nn.Value {
		return g.Linear("fc", g.Flatten(arch(g, x)), g.Classes)
	}
	g, err := nn.Build("small", whole, nn.Config{Size: size, Classes: classes, Training: true})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// batch is two images and what they show.
func batch(t testing.TB, g *nn.Graph, w weights.Generator) Batch {
	t.Helper()
	return Batch{
		Images: w.Images(g.Input().H), Targets: []float64{0.9, 0.1, 0.2, 0.8}, N: 2,
		Drop: func(i int) []float64 {
			factors := make([]float64, 2*g.Nodes[i].Out.Elems())
			for k := range factors {
				if k%3 > 0 {
					factors[k] = 1.5
				}
			}
			return factors
		},
	}
}

// TestGradients compares the gradient of every parameter with the loss's central difference.
func TestGradients(t *testing.T) {
	const h = 1e-5
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			g := build(t, test.size, test.arch)
			w := weights.Generator{Seed: 1}
			net, err := New(g, w.Source(g.Params))
			if err != nil {
				t.Fatal(err)
			}
			b := batch(t, g, w)
			result, err := net.Train(b)
			if err != nil {
				t.Fatal(err)
			}
			loss := func() float64 {
				r, err := net.Train(b)
				if err != nil {
					t.Fatal(err)
				}
				return r.Loss
			}
			for i, p := range g.Params {
				if p.Kind != nn.Learned {
					if result.Gradients[i] != nil {
						t.Errorf("%s has a gradient and is not learned", p.Name)
					}
					continue
				}
				moved := false
				for k, was := range net.Params[i] {
					net.Params[i][k] = was + h
					above := loss()
					net.Params[i][k] = was - h
					want := (above - loss()) / (2 * h)
					net.Params[i][k] = was
					if got := result.Gradients[i][k]; math.Abs(got-want) > 1e-8 {
						t.Errorf("%s[%d]: gradient %v, central difference %v", p.Name, k, got, want)
					}
					moved = moved || math.Abs(want) > 1e-6
				}
				if !moved && !strings.HasSuffix(p.Name, "in.bias") { // a norm behind it takes a bias away
					t.Errorf("%s: no central difference is above 1e-6: the case cannot fail", p.Name)
				}
			}
		})
	}
}

// TestEveryOperation finds operations and activations of nn that no case has, and so no gradient is known of.
func TestEveryOperation(t *testing.T) {
	ops, acts := map[nn.Op]bool{}, map[nn.Act]bool{}
	for _, test := range cases {
		for _, n := range build(t, test.size, test.arch).Nodes {
			ops[n.Op], acts[n.Act] = true, true
		}
	}
	for _, op := range nn.Ops() {
		if !ops[op] {
			t.Errorf("no case has a %v", op)
		}
	}
	for _, act := range nn.Acts() {
		if !acts[act] {
			t.Errorf("no case has a %v", act)
		}
	}
}

// TestTies gives a maximum's whole gradient to the first of equal elements, as PyTorch does.
func TestTies(t *testing.T) {
	g := build(t, 2, func(g *nn.Builder, x nn.Value) nn.Value {
		x = g.Add(g.Affine(x, []float64{0}, nil), g.Const("pos", nn.Shape{C: 3, H: 2, W: 2}, 4, 3))
		return g.MaxPool(x, nn.K(2).Valid())
	})
	net := &Network{Graph: g, Params: [][]float64{slices.Repeat([]float64{7}, 12), {1, 0, 0, 0, 0, 0}, {0, 0}}}
	r, err := net.Train(batch(t, g, weights.Generator{}))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range r.Gradients[0] {
		if (v != 0) != (k == 0) {
			t.Errorf("gradient %v of element %d, want it at pixel 0, channel 0 alone", v, k)
		}
	}
}

// TestRunning moves running statistics a tenth of the way to the batch's, of the variance to the estimate that is not biased.
func TestRunning(t *testing.T) {
	arch := func(g *nn.Builder, x nn.Value) nn.Value { return g.GlobalAvgPool(g.BatchNorm("norm", x, 0)) }
	g := build(t, 1, arch)
	w := weights.Generator{Seed: 1}
	net, err := New(g, w.Source(g.Params))
	if err != nil {
		t.Fatal(err)
	}
	mean, variance := slices.Clone(net.Params[2]), slices.Clone(net.Params[3])
	r, err := net.Train(Batch{Images: []float32{1, 2, 3, 3, 6, 9}, Targets: []float64{1, 0, 0, 1}, N: 2})
	if err != nil {
		t.Fatal(err)
	}
	for ch := range 3 {
		k := float64(ch + 1) // channels are k and 3k: mean 2k, variance with divisor 1 2k²
		wantMean, wantVar := 0.9*mean[ch]+0.1*2*k, 0.9*variance[ch]+0.1*2*k*k
		if math.Abs(r.Running[2][ch]-wantMean) > 1e-12 || math.Abs(r.Running[3][ch]-wantVar) > 1e-12 {
			t.Errorf("channel %d: running mean %v, variance %v; want %v, %v", ch, r.Running[2][ch], r.Running[3][ch], wantMean, wantVar)
		}
	}
	if !slices.Equal(net.Params[2], mean) {
		t.Error("a pass changes the network's own statistics")
	}
}

func TestErrors(t *testing.T) {
	g := build(t, 1, func(g *nn.Builder, x nn.Value) nn.Value { return g.BatchNorm("norm", x, 0) })
	w := weights.Generator{}
	net, err := New(g, w.Source(g.Params))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		b    Batch
		want string
	}{
		{"no images", Batch{}, "twin: small: 0 elements for 0 images of 3×1×1"},
		{"no targets", Batch{Images: make([]float32, 3), N: 1}, "twin: small: 0 targets for 1 images, want 2"},
		{"one element", Batch{Images: make([]float32, 3), Targets: make([]float64, 2), N: 1},
			"twin: small: node 1 norm: a batch norm of one element a channel, want at least two: more images or larger ones"},
	} {
		_, err := net.Train(test.b)
		if fmt.Sprint(err) != test.want {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
	if _, err := New(g, short{}); fmt.Sprint(err) != "twin: small: norm.weight: 1 elements, want 3 for shape [3]" {
		t.Errorf("a parameter too short: error %v", err)
	}
}

// short has one element of every parameter.
type short struct{}

func (short) Float32(string) ([]float32, error) { return []float32{0}, nil }
func (short) Release(string)                    {}
