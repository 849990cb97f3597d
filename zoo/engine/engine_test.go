package engine_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

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

// TestAgainstOracle runs the cheapest network of every family at a small size on every instruction set. Float32 sums may
// part from the oracle's by 5e-5 of the largest logit: group norms over the few pixels of a small size magnify rounding,
// 2.3e-5 in BiT; the goldens hold full sizes closer.
func TestAgainstOracle(t *testing.T) {
	cheapest := map[string]*zoo.Spec{}
	for _, spec := range zoo.All() {
		if c := cheapest[spec.Family]; c == nil || spec.MACs < c.MACs {
			cheapest[spec.Family] = spec
		}
	}
	for _, spec := range cheapest {
		t.Run(spec.Name, func(t *testing.T) {
			g, err := spec.Graph(64, 10)
			if err != nil {
				t.Skipf("not at 64 pixels: %v", err)
			}
			w, images := generator.Source(g.Params), generator.Images(64)
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

// TestFlattenedResult holds that a flattened image comes out channel by channel where no linear layer reads it.
func TestFlattenedResult(t *testing.T) {
	g, err := nn.Build("flat", func(g *nn.Builder, x nn.Value) nn.Value { return g.Flatten(g.Conv("conv", x, 5, nn.K(3))) },
		nn.Config{Size: 6, Classes: 1})
	if err != nil {
		t.Fatal(err)
	}
	w, images := generator.Source(g.Params), generator.Images(6)
	want, err := interp.Run(g, w, images, 2)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, len(want))
	newEngine(t, g, w, engine.Options{Batch: 2}).Run(got, images, 2)
	for i, v := range got {
		if math.Abs(float64(v)-want[i]) > 1e-5 {
			t.Fatalf("element %d: %v, want %v", i, v, want[i])
		}
	}
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
