package engine_test

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"zoobench/kernels"
	"zoobench/zoo"
	"zoobench/zoo/engine"
	"zoobench/zoo/interp"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// build is a network of the zoo at some size with generated weights.
func build(t testing.TB, name string, size int) (*nn.Graph, *weights.Generated) {
	t.Helper()
	spec, err := zoo.Find(name)
	if err != nil {
		t.Fatal(err)
	}
	g, err := spec.Graph(size, 0)
	if err != nil {
		t.Fatal(err)
	}
	return g, generator.Source(g.Params)
}

var generator = weights.Generator{Seed: 5, Gain: 1}

// newEngine is an engine that is closed when the test ends.
func newEngine(t testing.TB, g *nn.Graph, w engine.Weights, o engine.Options) *engine.Engine {
	t.Helper()
	e, err := engine.New(g, w, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// TestAgainstOracle runs the cheapest network of every family, and of every paper, at a small size on every instruction set. Float32 sums
// may part from the oracle's by 5e-5 of the largest logit: group norms over the few pixels of a small size magnify
// rounding, 2.3e-5 in BiT; the goldens hold full sizes closer.
func TestAgainstOracle(t *testing.T) {
	cheapest := map[string]*zoo.Spec{}
	for _, spec := range zoo.All() {
		of := spec.Family + spec.Paper
		if c := cheapest[of]; c == nil || spec.MACs < c.MACs {
			cheapest[of] = spec
		}
	}
	// Families that have one size alone.
	skipped := []string{"swin"}
	for _, spec := range cheapest {
		t.Run(spec.Name, func(t *testing.T) {
			size := min(spec.Size, 64)
			g, err := spec.Graph(size, 10)
			if err != nil { // windows of an Inception do not fit
				size = min(spec.Size, 96)
				g, err = spec.Graph(size, 10)
			}
			if err != nil {
				if !slices.Contains(skipped, spec.Family) {
					t.Fatalf("only %q may be skipped: %v", skipped, err)
				}
				t.Skip(err)
			}
			w, images := generator.Source(g.Params), generator.Images(size)
			want, err := interp.Run(g, w, images, 2)
			if err != nil {
				t.Fatal(err)
			}
			largest := 0.0
			for _, v := range want {
				largest = max(largest, math.Abs(v))
			}
			defer use(t, kernels.ISA())
			for threads, isa := range kernels.ISAs() {
				threads = 1 + threads%2 // one runs the first layers image by image, two run both at once
				use(t, isa)
				e := newEngine(t, g, w, engine.Options{Threads: threads, Batch: 2, Exact: true})
				got := make([]float32, len(want))
				e.Run(got, images, 2)
				for i, v := range got {
					if d := math.Abs(float64(v)-want[i]) / largest; !(d < 5e-5) {
						t.Fatalf("%s: logit %d: %v, want %v: %.2g of the largest", isa, i, v, want[i], d)
					}
				}
			}
		})
	}
}

// TestGraphs holds small graphs of forms that the zoo does not have to the oracle, alone and in a batch.
func TestGraphs(t *testing.T) {
	full := func(g *nn.Builder, name string, x nn.Value) nn.Value { return g.Const(name, x.Shape, x.H, x.W, x.C) }
	gate := func(g *nn.Builder, name string, x nn.Value) nn.Value {
		return g.Const(name, nn.Shape{C: x.C, H: 1, W: 1}, x.C)
	}
	for _, test := range []struct {
		name string
		arch func(g *nn.Builder, x nn.Value) nn.Value
	}{
		{"elements in another shape", func(g *nn.Builder, x nn.Value) nn.Value {
			x = g.Conv("conv", x, 5, nn.K(3))
			y := g.Unflatten(g.Flatten(x), nn.Shape{C: 1, H: x.C, W: x.H * x.W})
			y = g.AdaptiveAvgPool(g.MaxPool(y, nn.KHW(x.C, 1).Valid()), x.C, x.H*x.W)
			return g.Add(g.Mul(x, g.Unflatten(g.Flatten(y), x.Shape)), x)
		}},
		{"flattened result", func(g *nn.Builder, x nn.Value) nn.Value { return g.Flatten(g.Conv("conv", x, 5, nn.K(3))) }},
		{"linear over a flattened slice", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.Linear("fc", g.Flatten(g.Slice(g.Conv("conv", x, 7, nn.K(3)), 2, 5)), 4)
		}},
		{"linear over a flattened slice of a vector", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.Linear("fc", g.Flatten(g.Slice(g.GlobalAvgPool(g.Conv("conv", x, 7, nn.K(3))), 2, 5)), 4)
		}},
		{"linear over flattened tokens", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.Linear("fc", g.Flatten(g.Flatten(g.Tokens(x))), 4)
		}},
		{"constant gate", func(g *nn.Builder, x nn.Value) nn.Value { return g.Mul(x, gate(g, "gate", x)) }},
		{"constant gate of a vector", func(g *nn.Builder, x nn.Value) nn.Value {
			x = g.GlobalAvgPool(x)
			return g.Mul(x, gate(g, "gate", x))
		}},
		{"constant gate of the image's shape", func(g *nn.Builder, x nn.Value) nn.Value { return g.Mul(x, full(g, "gate", x)) }},
		{"gated constant", func(g *nn.Builder, x nn.Value) nn.Value { return g.Mul(full(g, "image", x), x) }},
		{"constant gated by a vector", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.Mul(full(g, "image", x), g.GlobalAvgPool(x))
		}},
		{"constant gate, then a sum", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.ReLU(g.Add(g.Mul(x, gate(g, "gate", x)), x))
		}},
		{"sum with a constant", func(g *nn.Builder, x nn.Value) nn.Value { return g.Add(x, full(g, "a", x)) }},
		{"sum with two constants first", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.Add(full(g, "a", x), full(g, "b", x), x, x)
		}},
		{"mean of padding", func(g *nn.Builder, x nn.Value) nn.Value { return g.AvgPool(x, nn.K(1).P(1)) }},
		{"samples beyond the image", func(g *nn.Builder, x nn.Value) nn.Value {
			return g.AvgPool(x, nn.K(1).PadEdges(-1, -1, 1, 1))
		}},
		{"cropped", func(g *nn.Builder, x nn.Value) nn.Value {
			x = g.Pad(x, nn.Edges{Top: 5, Left: 4, Bottom: 3, Right: 6})
			x = g.Conv("few", x, 16, nn.K(3).PadEdges(-1, -1, 1, 1))
			x = g.Conv("winograd", x, 16, nn.K(3).PadEdges(-2, -1, 2, 1))
			x = g.Conv("band", x, 16, nn.K(3).S(2).PadEdges(0, -2, 1, 3).G(nn.Depthwise))
			return g.Conv("rows", x, 16, nn.K(2).PadEdges(-1, -1, 1, 1).G(nn.Depthwise))
		}},
		{"part of the image", func(g *nn.Builder, x nn.Value) nn.Value { return g.Slice(x, 1, 3) }},
		{"function of a part of the image", func(g *nn.Builder, x nn.Value) nn.Value { return g.ReLU(g.Slice(x, 0, 2)) }},
		{"concatenated constant", func(g *nn.Builder, x nn.Value) nn.Value { return g.Concat(full(g, "a", x), x) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			const size, batch = 2, 4 // as many images as pixels
			g, err := nn.Build("small", test.arch, nn.Config{Size: size, Classes: 1})
			if err != nil {
				t.Fatal(err)
			}
			w, images := generator.Source(g.Params), slices.Concat(generator.Images(size), generator.Images(size))
			for i := range images {
				images[i] += float32(i) / 64 // no two images alike
			}
			for _, n := range []int{1, batch} {
				src := images[:n*g.Input().Elems()]
				want, err := interp.Run(g, w, src, n)
				if err != nil {
					t.Fatal(err)
				}
				want = channelsLast(want, g.Output())
				got := make([]float32, len(want))
				newEngine(t, g, w, engine.Options{Threads: 2, Batch: n}).Run(got, src, n)
				for i, v := range got {
					if !(math.Abs(float64(v)-want[i]) <= 1e-5) {
						t.Fatalf("%d images: element %d: %v, want %v", n, i, v, want[i])
					}
				}
			}
		})
	}
}

// channelsLast turns images of (C,H,W) into (H,W,C).
func channelsLast(x []float64, s nn.Shape) []float64 {
	out := make([]float64, len(x))
	pixels := s.H * s.W
	for i, v := range x {
		image, c, p := i/s.Elems(), i/pixels%s.C, i%pixels
		out[image*s.Elems()+p*s.C+c] = v
	}
	return out
}

// attentive is a graph with attention, its biases a constant made of another one.
func attentive(t *testing.T) (*nn.Graph, *weights.Generated) {
	t.Helper()
	g, err := nn.Build("attentive", func(g *nn.Builder, x nn.Value) nn.Value {
		bias := g.Linear("mlp", g.RelCoords(6, 6), 2)
		x = g.Attention(g.Linear("qkv", x, 24), nn.AttentionSpec{Heads: 2, Bias: bias})
		x = g.Add(x, g.Const("pos", x.Shape, x.H, x.W, x.C))
		return g.Linear("fc", g.GlobalAvgPool(x), g.Classes)
	}, nn.Config{Size: 6, Classes: 3})
	if err != nil {
		t.Fatal(err)
	}
	return g, generator.Source(g.Params)
}

// TestWeightBytes holds that the weights' memory depends on no thread's working memory.
func TestWeightBytes(t *testing.T) {
	g, w := attentive(t)
	one, many := newEngine(t, g, w, engine.Options{Threads: 1}), newEngine(t, g, w, engine.Options{Threads: 4})
	if got, want := many.WeightBytes(), one.WeightBytes(); got != want || want < 4*g.ParamCount() {
		t.Errorf("%d bytes of weights with four threads and %d with one, of %d parameters", got, want, g.ParamCount())
	}
}

// tiny is a graph that costs nothing.
func tiny(t *testing.T) (*nn.Graph, *weights.Generated) {
	t.Helper()
	g, err := nn.Build("tiny", func(g *nn.Builder, x nn.Value) nn.Value {
		return g.Linear("fc", g.GlobalAvgPool(g.Conv("conv", x, 5, nn.K(3))), g.Classes)
	}, nn.Config{Size: 4, Classes: 2})
	if err != nil {
		t.Fatal(err)
	}
	return g, generator.Source(g.Params)
}

// TestOptions holds the limits on threads and images.
func TestOptions(t *testing.T) {
	g, w := tiny(t)
	for _, o := range []engine.Options{{Threads: -1}, {Batch: -1}, {Threads: 1025}, {Batch: 4097},
		{Threads: math.MaxInt, Batch: math.MaxInt}} {
		e, err := engine.New(g, w, o)
		if o.Batch == 0 {
			o.Batch = 1
		}
		want := fmt.Sprintf("engine: tiny: %d threads and a batch of %d, want 1 to 1024 and 1 to 4096", o.Threads, o.Batch)
		if err == nil {
			e.Close()
		}
		if err == nil || err.Error() != want {
			t.Errorf("%+v: error %v, want %s", o, err, want)
		}
	}
	for _, o := range []engine.Options{{}, {Threads: 1024, Batch: 1}, {Threads: 1, Batch: 4096}} {
		if e := newEngine(t, g, w, o); e.Threads() < 1 || e.Batch() != max(1, o.Batch) {
			t.Errorf("%+v: %d threads, a batch of %d", o, e.Threads(), e.Batch())
		}
	}
}

// TestRunChecks holds that Run and RunTimed refuse images, logits and times that do not fit the engine.
func TestRunChecks(t *testing.T) {
	g, w := tiny(t)
	e := newEngine(t, g, w, engine.Options{Threads: 1, Batch: 2})
	dst, src, times := make([]float32, 6), make([]float32, 3*48), make([]time.Duration, len(e.Layers()))
	for _, test := range []struct {
		name     string
		dst, src []float32
		n        int
		times    []time.Duration
		want     string // "" for none
	}{
		{"none", dst, src, 0, times, "engine: no images, or more than the engine was made for"},
		{"too many", dst, src, 3, times, "engine: no images, or more than the engine was made for"},
		{"short images", dst, src[:95], 2, times, "engine: short images or logits"},
		{"short logits", dst[:3], src, 2, times, "engine: short images or logits"},
		{"few times", dst, src, 2, times[1:], "engine: times for fewer layers than there are"},
		{"two", dst[:4], src[:96], 2, times, ""},
	} {
		for name, run := range map[string]func(){
			"Run":      func() { e.Run(test.dst, test.src, test.n) },
			"RunTimed": func() { e.RunTimed(test.dst, test.src, test.n, test.times) },
		} {
			want := test.want
			if name == "Run" && test.name == "few times" {
				want = ""
			}
			if got := panicOf(run); got != want {
				t.Errorf("%s: %s: panic %q, want %q", test.name, name, got, want)
			}
		}
	}
}

// panicOf is what f panics with, "" if it does not.
func panicOf(f func()) (text string) {
	defer func() {
		if r := recover(); r != nil {
			text = fmt.Sprint(r)
		}
	}()
	f()
	return ""
}

func use(t *testing.T, isa string) {
	t.Helper()
	if err := kernels.Use(isa); err != nil {
		t.Fatal(err)
	}
}

// TestSameBits holds that neither threads, nor a repetition, nor the room for a larger batch, nor the other images of a
// batch change a bit.
func TestSameBits(t *testing.T) {
	g, w := build(t, "seresnet18", 64)
	images := generator.Images(64)
	run := func(o engine.Options, images []float32, n int) []float32 {
		e := newEngine(t, g, w, o)
		out := make([]float32, n*1000)
		e.Run(out, images, n)
		again := make([]float32, n*1000)
		e.Run(again, images, n)
		if !slices.Equal(out, again) {
			t.Errorf("%+v: the second run differs from the first", o)
		}
		return out
	}
	one := run(engine.Options{Threads: 1}, images, 1)
	for _, o := range []engine.Options{{Threads: 3}, {Threads: 1, Batch: 5}} {
		if !slices.Equal(one, run(o, images, 1)) {
			t.Errorf("%+v: other bits than one thread's at batch 1", o)
		}
	}
	two := run(engine.Options{Threads: 2, Batch: 2}, images, 2)
	if !slices.Equal(one, two[:1000]) {
		t.Error("other bits in a batch of 2 than alone")
	}
	// Two workers take the first layers of three images as two and one.
	three := run(engine.Options{Threads: 2, Batch: 5}, slices.Concat(images, images), 3)
	if !slices.Equal(three, slices.Concat(two, one)) {
		t.Error("other bits in three of a batch of 5 than alone")
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	for _, name := range []string{"squeezenet1_1", "seresnet18", "mobilenetv2_035"} {
		g, w := build(t, name, 64)
		e := newEngine(t, g, w, engine.Options{Threads: 2})
		images, out := generator.Images(64), make([]float32, 1000)
		if n := testing.AllocsPerRun(5, func() { e.Run(out, images, 1) }); n != 0 {
			t.Errorf("%s: %v allocations a run, want 0", name, n)
		}
	}
}

// TestLayers holds that the plan accounts for everything in the graph.
func TestLayers(t *testing.T) {
	for _, name := range []string{"resnet50", "vgg11", "squeezenet1_0", "mobilenetv1_100", "seresnet50"} {
		g, _ := build(t, name, 0)
		var params, macs int64
		e := newEngine(t, g, zeros{g}, engine.Options{})
		for _, l := range e.Layers() {
			params += l.Params
			macs += l.MACs
			// 64 channels of 56×56 pixels come in, 256 go out, and 256 of the shortcut are added.
			if want := int64((64 + 256 + 256) * 56 * 56); name == "resnetv2_50" && l.Name == "stages.0.blocks.0.conv3" && l.Moved != want {
				t.Errorf("%s: %s moves %d elements, want %d", name, l.Name, l.Moved, want)
			}
		}
		if params != g.ParamCount() || macs != g.MACs() {
			t.Errorf("%s: layers have %d parameters and %d MACs, want %d and %d", name, params, macs, g.ParamCount(), g.MACs())
		}
	}
}

// zeros are weights for tests that read no logits.
type zeros struct{ g *nn.Graph }

func (z zeros) Float32(name string) ([]float32, error) {
	for _, p := range z.g.Params {
		if p.Name == name {
			return make([]float32, p.Elems()), nil
		}
	}
	return nil, fmt.Errorf("no %s", name)
}

func (zeros) Release(string) {}

func (zeros) Read(string, int, []float32) error { return nil }

func BenchmarkRun(b *testing.B) {
	for _, name := range []string{"resnet50", "vgg16", "mobilenetv2_100", "squeezenet1_1", "alexnet", "resnext50_32x4d", "resnet18"} {
		b.Run("model="+name, func(b *testing.B) {
			g, w := build(b, name, 0)
			e := newEngine(b, g, w, engine.Options{Threads: 1})
			images, out := generator.Images(g.Input().H), make([]float32, 1000)
			for b.Loop() {
				e.Run(out, images, 1)
			}
			b.ReportMetric(float64(g.MACs())*float64(b.N)/b.Elapsed().Seconds(), "macs/s")
		})
	}
}
