package quantize

import (
	"errors"
	"math"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"zoobench/kernels"
	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

var generator = weights.Generator{Seed: 5, Gain: 1}

const (
	testSize    = 17
	testClasses = 7
	testImages  = 6
)

// networks have between them every operation that a plan in bytes has a kernel for, and float32 in between. A network that has
// none is the same bits on Go's kernels too, which sum float32 otherwise.
var networks = []struct {
	name  string
	float bool // some of it stays in float32
	arch  func(g *nn.Builder, x nn.Value) nn.Value
}{
	{"residual", false, func(g *nn.Builder, x nn.Value) nn.Value {
		x = g.ReLU(g.BatchNorm("bn1", g.Conv("conv1", x, 16, nn.K(3).S(2)), 1e-5))
		y := g.ReLU(g.Conv("conv2", x, 16, nn.K(3).WithBias()))
		x = g.ReLU(g.Add(g.Conv("conv3", y, 16, nn.K(1).WithBias()), x))
		y = g.Activate(g.Conv("dw", x, 16, nn.K(3).G(nn.Depthwise).WithBias()), nn.ReLU6)
		gate := g.Activate(g.Conv("fc1", g.GlobalAvgPool(y), 4, nn.K(1).WithBias()), nn.SiLU)
		gate = g.Activate(g.Conv("fc2", gate, 16, nn.K(1).WithBias()), nn.Sigmoid)
		x = g.Activate(g.Add(g.Conv("grouped", g.Mul(y, gate), 16, nn.K(3).G(4)), x), nn.HardSwish)
		x = g.MaxPool(g.Concat(x, g.ReLU(g.Conv("wide", x, 24, nn.K(1).WithBias()))), nn.K(3).S(2))
		x = g.Shuffle(g.Concat(g.Slice(x, 0, 20), g.Conv("half", g.Slice(x, 20, 40), 20, nn.K(3))), 2)
		return g.Linear("fc", g.Flatten(x), g.Classes)
	}},
	{"before activation", false, func(g *nn.Builder, x nn.Value) nn.Value {
		x = g.Conv("conv1", x, 12, nn.K(3))
		y := g.Conv("conv2", g.ReLU(g.BatchNorm("bn2", x, 1e-5)), 12, nn.K(3).WithBias())
		z := g.Conv("conv3", g.Activate(g.Affine(x, []float64{1.5}, []float64{0.2}), nn.GELU), 12, nn.K(3).D(2).WithBias())
		x = g.Activate(g.Add(x, y, z), nn.SiLU)
		x = g.AvgPool(g.Pad(x, nn.Edges{Top: 1, Right: 1, Bottom: 1, Left: 1}), nn.K(3).S(2))
		x = g.Mul(x, g.Activate(x, nn.HardSigmoid))
		return g.Linear("fc", g.GlobalAvgPool(g.Conv("last", x, 20, nn.K(1).WithBias())), g.Classes)
	}},
	{"tokens", true, func(g *nn.Builder, x nn.Value) nn.Value {
		x = g.Tokens(g.Conv("patch", x, 24, nn.K(4).S(4).Valid().WithBias()))
		x = g.ConcatTokens(g.Const("cls", nn.Shape{C: 24, H: 1, W: 1}, 1, 1, 24), x)
		x = g.Add(x, g.Const("pos", x.Shape, x.H, x.W, x.C))
		x = g.Add(x, g.Linear("proj", g.Attention(g.Linear("qkv", g.LayerNorm("norm1", x, 1e-5), 72), nn.AttentionSpec{Heads: 2}), 24))
		x = g.Add(x, g.Linear("fc2", g.Activate(g.Linear("fc1", g.LayerNorm("norm2", x, 1e-5), 96), nn.GELU), 24))
		return g.Linear("head", g.SliceTokens(g.LayerNorm("norm3", x, 1e-5), 0, 1), g.Classes)
	}},
	{"depthwise before a norm", true, func(g *nn.Builder, x nn.Value) nn.Value {
		x = g.Conv("stem", x, 16, nn.K(3).S(2).WithBias())
		y := g.LayerNorm("norm", g.Conv("dw", x, 16, nn.K(7).G(nn.Depthwise).WithBias()), 1e-6)
		x = g.Add(x, g.Scale("gamma", g.Linear("fc2", g.Activate(g.Linear("fc1", y, 64), nn.GELU), 16)))
		return g.Linear("head", g.LayerNorm("last", g.GlobalAvgPool(x), 1e-6), g.Classes)
	}},
}

// build is a network of the table with generated weights, and images for it.
func build(t testing.TB, arch func(g *nn.Builder, x nn.Value) nn.Value) (*nn.Graph, *weights.Generated, []float32) {
	t.Helper()
	g, err := nn.Build("small", arch, nn.Config{Size: testSize, Classes: testClasses})
	if err != nil {
		t.Fatal(err)
	}
	var images []float32
	for seed := range uint64(testImages) {
		images = append(images, weights.Generator{Seed: seed, Gain: 1}.Images(testSize)[:g.Input().Elems()]...)
	}
	return g, generator.Source(g.Params), images
}

func run(t testing.TB, g *nn.Graph, w engine.Weights, images []float32, o engine.Options) []float32 {
	t.Helper()
	o.Batch = max(o.Batch, 1)
	e, err := engine.New(g, w, o)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	in, classes := g.Input().Elems(), g.Output().Elems()
	n := len(images) / in
	out := make([]float32, n*classes)
	for i := 0; i < n; i += o.Batch {
		k := min(o.Batch, n-i)
		e.Run(out[i*classes:(i+k)*classes], images[i*in:(i+k)*in], k)
	}
	return out
}

// TestNetworks quantises each network: its logits stay near float32's, Make gives the same bits again, and an engine gives the
// same bits on every instruction set, with any number of threads and images, and from the file.
func TestNetworks(t *testing.T) {
	for _, test := range networks {
		t.Run(test.name, func(t *testing.T) {
			g, w, images := build(t, test.arch)
			made, err := Make(g, w, images, testImages, Options{Threads: 1, Share: -1})
			if err != nil {
				t.Fatal(err)
			}
			want := run(t, g, w, images, engine.Options{Threads: 1, Quantized: made.Int8})
			if d := distance(want, run(t, g, w, images, engine.Options{Threads: 1})); d > 0.05 {
				t.Errorf("logits %.3f of their size from float32's", d)
			}
			again, err := Make(g, w, images, testImages, Options{Threads: 2, Share: -1})
			if err != nil || !reflect.DeepEqual(made, again) {
				t.Errorf("other numbers the second time, error %v", err)
			}
			inBytes(t, g, w, made.Int8, test.float)

			isa := kernels.ISA()
			defer kernels.Use(isa)
			for _, level := range kernels.ISAs8() {
				if level == "generic" && test.float {
					continue
				}
				if err := kernels.Use(level); err != nil {
					t.Fatal(err)
				}
				for _, o := range []engine.Options{{Threads: 1}, {Threads: 3}, {Threads: 2, Batch: 4}, {Threads: 1, Batch: testImages}} {
					o.Quantized = made.Int8
					if got := run(t, g, w, images, o); !slices.Equal(got, want) {
						t.Errorf("%s, %d threads, batch %d: other bits", level, o.Threads, o.Batch)
					}
				}
			}
			kernels.Use(isa)

			path := filepath.Join(t.TempDir(), "w.int8.safetensors")
			if err := Write(path, g, w, made, About{}); err != nil {
				t.Fatal(err)
			}
			f, err := weights.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			read, err := Read(f, g)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(read, made) {
				t.Error("the file does not hold what was written")
			}
			if got := run(t, g, f, images, engine.Options{Threads: 1, Quantized: read.Int8}); !slices.Equal(got, want) {
				t.Error("other bits from the file")
			}
		})
	}
}

// inBytes holds that nothing is in float32 that has a kernel in bytes.
func inBytes(t *testing.T, g *nn.Graph, w engine.Weights, q *engine.Quantized, float bool) {
	t.Helper()
	e, err := engine.New(g, w, engine.Options{Threads: 1, Quantized: q})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	for _, l := range e.Layers() {
		if l.Precision == engine.Float32 && (!float || l.MACs > 0 && l.Op != "attention") {
			t.Errorf("%s %s %v: in float32", l.Name, l.Op, l.Fused)
		}
	}
}

// TestRunAllocatesNothing holds that a run in bytes allocates nothing, but the first.
func TestRunAllocatesNothing(t *testing.T) {
	if kernels.ISA8() == "generic" {
		t.Skip("the kernels in Go allocate their sums")
	}
	for _, test := range networks {
		g, w, images := build(t, test.arch)
		made, err := Make(g, w, images, testImages, Options{Threads: 1, Share: -1, Rule: Widest})
		if err != nil {
			t.Fatal(err)
		}
		e, err := engine.New(g, w, engine.Options{Threads: 2, Quantized: made.Int8})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		out := make([]float32, testClasses)
		if n := testing.AllocsPerRun(5, func() { e.Run(out, images, 1) }); n != 0 {
			t.Errorf("%s: %v allocations", test.name, n)
		}
	}
}

// TestKeep keeps the layer in float32 that int8 hurts most.
func TestKeep(t *testing.T) {
	g, w, images := build(t, networks[0].arch)
	made, err := Make(g, w, images, testImages, Options{Threads: 1, Share: 1})
	if err != nil {
		t.Fatal(err)
	}
	kept, worst := 0, 0
	for i, l := range made.Layers {
		if l.Distance > made.Layers[worst].Distance {
			worst = i
		}
		if _, int8 := made.Int8.Layers[l.Node]; int8 == l.Float {
			t.Errorf("%s: float %t, int8 %t", l.Name, l.Float, int8)
		}
		if l.Float {
			kept++
		}
	}
	if kept == 0 || kept == len(made.Layers) || !made.Layers[worst].Float {
		t.Errorf("%d of %d layers in float32, the worst %t", kept, len(made.Layers), made.Layers[worst].Float)
	}
}

// TestRefine gives values rules of their own, by which the logits are nearer to float32's than by any one rule for all.
func TestRefine(t *testing.T) {
	changed := 0
	for _, test := range networks[1:3] {
		g, w, images := build(t, test.arch)
		least := math.Inf(1)
		for _, rule := range Rules() {
			made, err := Make(g, w, images, testImages, Options{Rule: rule, Share: -1})
			if err != nil {
				t.Fatal(err)
			}
			if made.Recipe.Changed != 0 || made.Recipe.Rule != rule {
				t.Errorf("%s: asked for %s, got %s and %d changes", test.name, rule, made.Recipe.Rule, made.Recipe.Changed)
			}
			least = min(least, made.Recipe.Distance)
		}
		made, err := Make(g, w, images, testImages, Options{Share: -1})
		if err != nil {
			t.Fatal(err)
		}
		r := made.Recipe
		if r.Distance > least || r.Changed > 0 != (r.Distance < least) {
			t.Errorf("%s: %d values by other rules: logits %.5f from float32's, %.5f by one rule", test.name, r.Changed, r.Distance, least)
		}
		want := run(t, g, w, images, engine.Options{Threads: 1})
		if d := distance(run(t, g, w, images, engine.Options{Threads: 1, Quantized: made.Int8}), want); d != r.Distance {
			t.Errorf("%s: logits %.5f from float32's, the recipe says %.5f", test.name, d, r.Distance)
		}
		changed += r.Changed
	}
	if changed == 0 {
		t.Error("no value of any network has another rule")
	}
}

// TestAudit measures what each layer in int8 alone gets wrong at its output, and says why layers are in float32.
func TestAudit(t *testing.T) {
	for _, test := range networks {
		g, w, images := build(t, test.arch)
		made, err := Make(g, w, images, testImages, Options{Rule: LeastError, Share: 0.3, Audit: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range made.Layers {
			if !(l.Output > 0 && l.Output < 0.2) {
				t.Errorf("%s: %s: %.5f at its output, want a little", test.name, l.Name, l.Output)
			}
			if l.Float && l.Why == "" {
				t.Errorf("%s: %s is in float32 and nobody says why", test.name, l.Name)
			}
		}
		if last := made.Layers[len(made.Layers)-1]; math.Abs(last.Output-last.Distance) > 1e-3*last.Distance {
			t.Errorf("%s: %s puts out the logits, %.6f from float32's: %.6f at its output", test.name, last.Name, last.Distance, last.Output)
		}
	}
}

// TestStatsJoin comes to the same counts whether one pair of eyes sees all numbers or several see some of them.
func TestStatsJoin(t *testing.T) {
	one, parts, r := newStats(2), newStats(2), rand.New(rand.NewPCG(1, 2))
	for i := range 40 {
		x := make([]float32, 2*9)
		for k := range x {
			x[k] = float32(math.Ldexp(r.NormFloat64(), i%7-3))
		}
		tensor := kernels.Tensor{Data: x, N: 1, H: 3, W: 3, C: 2, Stride: 2}
		part := newStats(2)
		if i%2 == 0 {
			part.clear(parts)
		}
		if err := errors.Join(one.add(tensor), part.add(tensor)); err != nil {
			t.Fatal(err)
		}
		parts.join(part)
	}
	if !slices.Equal(one.histo, parts.histo) || one.reach != parts.reach || one.count != parts.count || one.min != parts.min ||
		one.max != parts.max || !slices.Equal(one.largest, parts.largest) {
		t.Errorf("apart: reach %g of %d numbers, together: %g of %d", parts.reach, parts.count, one.reach, one.count)
	}
	for c := range one.mean {
		if math.Abs(one.mean[c]-parts.mean[c]) > 1e-9*math.Abs(one.square[c]) {
			t.Errorf("channel %d: sums %g and %g", c, one.mean[c], parts.mean[c])
		}
	}
}

// TestMakeRefuses names what cannot be quantised.
func TestMakeRefuses(t *testing.T) {
	g, w, images := build(t, networks[0].arch)
	nan := slices.Clone(images)
	nan[17] = float32(nan[0]-nan[0]) / float32(nan[0]-nan[0])
	constant := make([]float32, len(images))
	for _, test := range []struct {
		name   string
		images []float32
		n      int
		w      engine.Weights
		want   string
	}{
		{"none", nil, 0, w, "no calibration images"},
		{"short", images[1:], testImages, w, "not of the network's size"},
		{"no number", nan, testImages, w, "the image puts out a value of NaN"},
		{"constant", constant, testImages, w, "the image puts out the same value, 0, in all calibration images"},
		{"infinite weights", images, testImages, spoilt{w, "grouped.weight", 4 * 9 * 3}, "grouped puts out a value of"},
	} {
		if _, err := Make(g, test.w, test.images, test.n, Options{Threads: 1}); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q", test.name, err, test.want)
		}
	}
}

// spoilt are weights of which one filter is not finite.
type spoilt struct {
	*weights.Generated
	name  string
	first int
}

func (s spoilt) Read(name string, first int, dst []float32) error {
	err := s.Generated.Read(name, first, dst)
	if name == s.name && first == s.first {
		dst[0] = float32(math.Inf(1))
	}
	return err
}
