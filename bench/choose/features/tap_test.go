package features

import (
	"testing"

	"zoobench/zoo"
	"zoobench/zoo/engine"
	"zoobench/zoo/interp"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// TestTapEveryNetwork holds the features of every network of the zoo to be a vector before the logits: what the last
// weights of the classifier take.
func TestTapEveryNetwork(t *testing.T) {
	for _, s := range zoo.All() {
		g, err := s.Graph(0, 0)
		if err != nil {
			t.Fatal(err)
		}
		nodes := len(g.Nodes)
		tapped, features, err := Tap(g)
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			continue
		}
		if len(g.Nodes) != nodes {
			t.Errorf("%s: its graph has %d nodes now, had %d", s.Name, len(g.Nodes), nodes)
		}
		if got, want := tapped.Output(), (nn.Shape{C: features + g.Output().C, H: 1, W: 1}); got != want || features < 64 || features > 1<<14 {
			t.Errorf("%s: %d features, output %v, want %v", s.Name, features, got, want)
		}
		h, err := Classify(g, false, 3)
		if err != nil || h.Output().C != 3 || len(h.Nodes) > nodes+3 || h.Params[len(g.Params)].Shape[1] != features {
			t.Errorf("%s: with a head of 3 classes over %d features: %v", s.Name, features, err)
		}
	}
}

// TestClassify computes heads over features and over logits, and compares them with the product that they are.
func TestClassify(t *testing.T) {
	for _, name := range []string{"squeezenet1_1", "deit_tiny_distilled_patch16_224"} {
		for _, overLogits := range []bool{false, true} {
			s, err := zoo.Find(name)
			if err != nil {
				t.Fatal(err)
			}
			g, err := s.Graph(64, 10)
			if err != nil {
				t.Fatal(err)
			}
			tapped, features, err := Tap(g)
			if err != nil {
				t.Fatal(err)
			}
			h, err := Classify(g, overLogits, 3)
			if err != nil {
				t.Fatal(err)
			}
			src := weights.Generator{}.Source(h.Params)
			images := weights.Generator{}.Images(64)[:3*64*64]
			x, err := interp.Run(tapped, src, images, 1)
			if err != nil {
				t.Fatal(err)
			}
			got, err := interp.Run(h, src, images, 1)
			if err != nil {
				t.Fatal(err)
			}
			if x = x[:features]; overLogits {
				x = x[features : features+10]
			}
			w, _ := src.Float32(HeadWeight)
			b, _ := src.Float32(HeadBias)
			for c := range got {
				want, sum := float64(b[c]), abs(float64(b[c]))
				for i, v := range x {
					want += v * float64(w[c*len(x)+i])
					sum += abs(v * float64(w[c*len(x)+i]))
				}
				if abs(got[c]-want) > 1e-9*sum {
					t.Errorf("%s, over logits %v: class %d: %v, want %v", name, overLogits, c, got[c], want)
				}
			}
		}
	}
}

// TestTapComputes compares the engine's features and logits with the oracle's, and the logits with the untapped graph's.
func TestTapComputes(t *testing.T) {
	for _, name := range []string{"squeezenet1_1", "resnet18", "mobilenetv3_small_100", "deit_tiny_distilled_patch16_224", "googlenet"} {
		t.Run(name, func(t *testing.T) {
			s, err := zoo.Find(name)
			if err != nil {
				t.Fatal(err)
			}
			size := 96
			g, err := s.Graph(size, 10)
			if err != nil {
				t.Fatal(err)
			}
			tapped, features, err := Tap(g)
			if err != nil {
				t.Fatal(err)
			}
			src := weights.Generator{}.Source(g.Params)
			images := weights.Generator{}.Images(size) // (2, 3, size, size)
			hwc := make([]float32, 3*size*size)
			for i := range hwc {
				hwc[i] = images[i%3*size*size+i/3]
			}
			want, err := interp.Run(tapped, src, hwc, 1)
			if err != nil {
				t.Fatal(err)
			}
			e, err := engine.New(tapped, src, engine.Options{Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			got := make([]float32, features+10)
			e.Run(got, hwc, 1)
			largest, worst := 0.0, 0.0
			for i, v := range want {
				largest = max(largest, abs(v))
				worst = max(worst, abs(v-float64(got[i])))
			}
			if worst > 1e-3*largest {
				t.Errorf("differs from the oracle by %g of %g", worst, largest)
			}
			plain, err := interp.Run(g, src, hwc, 1)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range plain {
				if abs(v-want[features+i]) > 1e-6*largest {
					t.Errorf("logit %d: %g, want %g", i, want[features+i], v)
				}
			}
		})
	}
}

func abs(v float64) float64 { return max(v, -v) }
