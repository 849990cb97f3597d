package zoo

import (
	"math"
	"testing"

	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// TestVGGBeyond224 runs torchvision's graph of vgg11 where it differs from timm's. The logits are torchvision 0.14's, in
// float64, of the generator's weights under the parameters' names here (the goldens' seed 1, gain √2, 10 classes).
func TestVGGBeyond224(t *testing.T) {
	if testing.Short() {
		t.Skip("133 million weights")
	}
	spec, err := Find("vgg11")
	if err != nil {
		t.Fatal(err)
	}
	g, err := spec.GraphOf("torchvision", 256, 10)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := g.MACs(), int64(9_896_501_248); got != want {
		t.Errorf("%d MACs, want %d", got, want)
	}
	got := logitsOf(t, g, golden{Seed: 1, Size: 256}.images())
	for i, want := range []float64{ // the first five of the first image, and of the second
		3.86494806, -1.15196025, -0.07138249, -0.55836103, 1.71790553, 2.87831929, -1.90871578, -0.0846013, -2.38303899, 2.10509362,
	} {
		if have := got[i/5*10+i%5]; math.Abs(have-want) > 2e-4 {
			t.Errorf("image %d, class %d: %v, want %v", i/5, i%5, have, want)
		}
	}
}

// logitsOf is what the engine, with direct algorithms, makes of two images and the generator's weights of seed 1.
func logitsOf(t *testing.T, g *nn.Graph, images []float32) []float64 {
	t.Helper()
	e, err := engine.New(g, weights.Generator{Seed: 1, Gain: math.Sqrt2}.Source(g.Params), engine.Options{Batch: 2, Exact: true})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	out := make([]float32, 2*g.Output().Elems())
	e.Run(out, images, 2)
	logits := make([]float64, len(out))
	for i, v := range out {
		logits[i] = float64(v)
	}
	return logits
}

// TestVariants checks what the rows say of other libraries: each has a table of names or says which files are its, and one
// that computes differently says so and does.
func TestVariants(t *testing.T) {
	for _, s := range All() {
		for _, v := range s.Variants {
			named := v.Of != nil
			for _, table := range s.Renames {
				named = named || table.Name == v.Library
			}
			if !named || v.Graph == "" && v.Recipe == nil {
				t.Errorf("%s: a variant of %q without a table of its names, or without a difference", s.Name, v.Library)
			}
		}
	}
}
