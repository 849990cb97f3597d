package twin

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"zoobench/zoo/nn"
	"zoobench/zoo/train/internal/small"
	"zoobench/zoo/weights"
)

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
	for _, test := range small.Cases {
		t.Run(test.Name, func(t *testing.T) {
			g := small.Build(t, test.Size, test.Arch)
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
	for _, test := range small.Cases {
		for _, n := range small.Build(t, test.Size, test.Arch).Nodes {
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
	g := small.Build(t, 2, func(g *nn.Builder, x nn.Value) nn.Value {
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
	g := small.Build(t, 1, arch)
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
	g := small.Build(t, 1, func(g *nn.Builder, x nn.Value) nn.Value { return g.BatchNorm("norm", x, 0) })
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
