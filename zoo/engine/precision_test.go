package engine_test

import (
	"math"
	"strings"
	"testing"

	"zoobench/kernels"
	"zoobench/zoo/engine"
	"zoobench/zoo/interp"
)

// TestBF16 holds networks in bf16 to the oracle, as near as eight digits of each product let them be: one rounding is of up to 2⁻⁹
// of a number, and those of layers behind one another add up. Their packed weights take about half the memory, and a layer in groups
// stays as it is.
func TestBF16(t *testing.T) {
	const size = 64
	for _, name := range []string{"resnet18", "mobilenetv2_100", "squeezenet1_1", "resnext50_32x4d", "convnext_tiny"} {
		t.Run(name, func(t *testing.T) {
			g, w := build(t, name, size)
			images := generator.Images(size)
			want, err := interp.Run(g, w, images, 2)
			if err != nil {
				t.Fatal(err)
			}
			whole := newEngine(t, g, w, engine.Options{Batch: 2, Exact: true})
			e := newEngine(t, g, w, engine.Options{Batch: 2, Precision: engine.BF16})
			got, before := make([]float32, len(want)), make([]float32, len(want))
			e.Run(got, images, 2)
			whole.Run(before, images, 2)
			largest, worst, differ := 0.0, 0.0, false
			for i, v := range want {
				largest, worst = max(largest, math.Abs(v)), max(worst, math.Abs(float64(got[i])-v))
				differ = differ || got[i] != before[i]
			}
			if !(worst < 0.05*largest) || !differ {
				t.Errorf("off by %.2g of the largest logit, differs from float32: %t; want less than 0.05, and true", worst/largest, differ)
			}
			if share := float64(e.WeightBytes()) / float64(whole.WeightBytes()); share > 0.6 {
				t.Errorf("weights take %.2f of float32's memory, want about a half", share)
			}
			if e.Plan().Hash == whole.Plan().Hash {
				t.Error("the plan is that of float32")
			}
			for _, l := range e.Layers() {
				product := l.Kind == engine.KindConv || l.Kind == engine.KindConv1x1 || l.Kind == engine.KindLinear
				if product != strings.HasPrefix(l.Algorithm, "bf16_") {
					t.Errorf("%s of kind %s is computed by %s", l.Name, l.Kind, l.Algorithm)
				}
			}
		})
	}
}

// TestBF16Choices holds networks to the oracle whose plan names products of tiles for every layer that has them, and a run with any
// number of threads to the same bits.
func TestBF16Choices(t *testing.T) {
	const size = 64
	for _, name := range []string{"resnet18", "mobilenetv2_100", "vit_tiny_patch16_224"} {
		t.Run(name, func(t *testing.T) {
			size := size
			if strings.HasSuffix(name, "224") {
				size = 224
			}
			g, w := build(t, name, size)
			images := generator.Images(size)
			choices := newEngine(t, g, w, engine.Options{Batch: 2, Precision: engine.BF16}).Plan().Choices
			if len(choices) == 0 {
				t.Skip("AMX: this machine has none, or the system does not let this process use it")
			}
			for i := range choices {
				choices[i].Algorithm = kernels.BF16AMX
			}
			want, err := interp.Run(g, w, images, 2)
			if err != nil {
				t.Fatal(err)
			}
			var first []float32
			for threads := 1; threads <= 3; threads += 2 {
				e := newEngine(t, g, w, engine.Options{Batch: 2, Threads: threads, Precision: engine.BF16, Choices: choices})
				got := make([]float32, len(want))
				e.Run(got, images, 2)
				largest, worst := 0.0, 0.0
				for i, v := range want {
					largest, worst = max(largest, math.Abs(v)), max(worst, math.Abs(float64(got[i])-v))
					if first != nil && got[i] != first[i] {
						t.Fatalf("logit %d: %v with %d threads, %v with 1", i, got[i], threads, first[i])
					}
				}
				t.Logf("off by %.2g of the largest logit", worst/largest)
				if first = got; !(worst < 0.05*largest) {
					t.Errorf("off by %.2g of the largest logit, want less than 0.05", worst/largest)
				}
			}
		})
	}
}

// TestPlanOfAMX refuses a plan whose layers this machine cannot compute as it says, and names AMX.
func TestPlanOfAMX(t *testing.T) {
	g, w := build(t, "squeezenet1_1", 64)
	defer use(t, kernels.ISA())
	use(t, "generic")
	_, err := engine.New(g, w, engine.Options{Precision: engine.BF16, Choices: []engine.Choice{{Layer: "conv1", Algorithm: kernels.BF16AMX}}})
	if err == nil || !strings.Contains(err.Error(), "conv1") || !strings.Contains(err.Error(), "AMX") {
		t.Errorf("error %v, want one that names the layer and AMX", err)
	}
}

// TestPrecisions refuses what engines do not run, by name.
func TestPrecisions(t *testing.T) {
	g, w := build(t, "squeezenet1_1", 64)
	for _, name := range append(engine.AllPrecisions(), "bf17", "FLOAT32") {
		e, err := engine.New(g, w, engine.Options{Precision: name})
		if name == engine.Int8 { // it also needs the ranges of values
			if err == nil || !strings.Contains(err.Error(), "zoobench quantize") {
				t.Errorf("int8 without ranges: error %v, want one that says who finds them", err)
			}
			continue
		}
		if runs := engine.CheckPrecision(name) == nil; runs != (err == nil) {
			t.Errorf("%s: error %v, and it is checked as %t", name, err, runs)
		}
		if err == nil {
			e.Close()
		} else if !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), engine.BF16) {
			t.Errorf("%s: error %v names neither it nor what there is", name, err)
		}
	}
}
