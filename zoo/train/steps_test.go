package train_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zoobench/zoo"
	"zoobench/zoo/nn"
	"zoobench/zoo/train"
	"zoobench/zoo/train/twin"
	"zoobench/zoo/weights"
)

// steps is three training steps of PyTorch in float64 on generated weights and images. The folder is named by ZOO_STEPS,
// absolute or relative to the module's root; testdata/steps has the same files. They are never rewritten from this project's
// output.
type steps struct {
	file         string
	Model        string             `json:"model"`
	Source       string             `json:"source"`
	Size         int                `json:"input_size"`
	Seed         uint64             `json:"seed"`
	Gain         float32            `json:"gain"` // √2 is rounded to float32 and printed with its digits
	Batch        int                `json:"batch"`
	Classes      int                `json:"classes"`
	Optimizer    string             `json:"optimizer"`
	Losses       []float64          `json:"losses"`
	LogitsBefore [][]float64        `json:"logits_before"` // of the first pass
	LogitsAfter  [][]float64        `json:"logits_after"`  // after three steps, in evaluation
	Gradients    map[string]summary `json:"gradients"`     // of the first step
	After        map[string]summary `json:"after"`         // parameters and running statistics after three steps
	MaxGradient  float64            `json:"max_gradient"`

	Float32Error struct {
		Losses       float64 `json:"losses"`
		LogitsBefore float64 `json:"logits_before"`
		LogitsAfter  float64 `json:"logits_after"`
		Gradients    float64 `json:"gradients"`
	} `json:"float32_error"`
}

// summary is what a file has of a tensor: [sum, mean of absolute values, first three elements].
type summary struct {
	sum, meanAbs float64
	first        []float64
}

func (s *summary) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&s.sum, &s.meanAbs, &s.first})
}

// optimizers are those of the files; decay shrinks every parameter there.
var optimizers = map[string]struct {
	o    train.Optimizer
	rate float64
}{
	"sgd":   {train.Optimizer{Kind: train.SGD, Momentum: 0.9, Nesterov: true, Decay: 5e-4}, 0.01},
	"adamw": {train.Optimizer{Kind: train.AdamW, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.05}, 1e-3},
}

func readSteps(t *testing.T) []steps {
	t.Helper()
	dir := filepath.Join("testdata", "steps")
	if named := os.Getenv("ZOO_STEPS"); named != "" {
		if dir = named; !filepath.IsAbs(dir) {
			dir = filepath.Join("..", "..", dir)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no steps in %s (%v)", dir, err)
	}
	var all []steps
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		s := steps{file: strings.TrimSuffix(filepath.Base(file), ".json")}
		if err := json.Unmarshal(b, &s); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		all = append(all, s)
	}
	return all
}

// network is a file's graph, its parameters, and the file's names of them by the graph's.
func (s steps) network(t *testing.T) (*nn.Graph, *weights.Bound, map[string]string) {
	t.Helper()
	spec, err := zoo.Find(s.Source + "_" + s.Model)
	if err != nil {
		if spec, err = zoo.Find(s.Model); err != nil {
			t.Fatal(err)
		}
	}
	g, err := nn.Build(spec.Name, spec.Build, nn.Config{Size: s.Size, Classes: s.Classes, Default: spec.Size, FromScratch: true})
	if err != nil {
		t.Fatal(err)
	}
	shapes := map[string][]int{}
	for _, p := range g.Params {
		shapes[p.Name] = p.Shape
	}
	tables := append([]weights.Table{{}}, spec.Renames...)
	for _, table := range tables {
		theirs := map[string]string{}
		var params []nn.Param
		for name := range s.After {
			own := name
			if table.Name != "" {
				own = table.Apply(name)
			}
			if shape, known := shapes[own]; known {
				theirs[own] = name
				params = append(params, nn.Param{Name: name, Shape: shape})
			}
		}
		if len(params) < len(s.After) {
			continue
		}
		src := weights.Generator{Seed: s.Seed, Gain: float64(s.Gain)}.Source(params)
		bound, err := weights.Bind(src, g.Params, weights.Options{Tables: spec.Renames})
		if err != nil {
			t.Fatal(err)
		}
		return g, bound, theirs
	}
	t.Fatal("the network has other parameters under each of its names")
	return nil, nil, nil
}

// batch is the file's images, (N,H,W,3), and labels.
func (s steps) batch() twin.Batch {
	planes := weights.Generator{Seed: s.Seed, Gain: float64(s.Gain)}.Batch(s.Batch, s.Size)
	pixels := s.Size * s.Size
	b := twin.Batch{Images: make([]float32, len(planes)), Targets: make([]float64, s.Batch*s.Classes), N: s.Batch}
	for i := range s.Batch {
		for k := range 3 * pixels {
			b.Images[i*3*pixels+k%pixels*3+k/pixels] = planes[i*3*pixels+k]
		}
		b.Targets[i*s.Classes+(3*i+1)%s.Classes] = 1
	}
	return b
}

// TestStepsInFloat64 holds the twin and the optimizers to PyTorch's figures.
func TestStepsInFloat64(t *testing.T) {
	const allowed = 1e-6
	for _, s := range readSteps(t) {
		t.Run(s.file, func(t *testing.T) {
			g, bound, theirs := s.network(t)
			if macs := g.MACs(); macs > 1e7 && os.Getenv("ZOO_LONG") != "1" {
				t.Skipf("%d MACs; ZOO_LONG=1 runs networks above 10 million", macs)
			}
			net, err := twin.New(g, bound)
			if err != nil {
				t.Fatal(err)
			}
			o, b := optimizers[s.Optimizer], s.batch()
			var lengths []int
			decays := make([]bool, len(g.Params))
			for i, p := range g.Params {
				lengths = append(lengths, p.Elems())
				decays[i] = true
			}
			moments := train.NewMoments[float64](o.o, lengths)
			for step, want := range s.Losses {
				r, err := net.Train(b)
				if err != nil {
					t.Fatal(err)
				}
				close(t, "loss", r.Loss, want, allowed*max(1, math.Abs(want)))
				if step == 0 {
					closeRows(t, "logits before", r.Logits, s.LogitsBefore, allowed)
					s.compare(t, "gradient", g, r.Gradients, s.Gradients, theirs, func(summary) float64 { return allowed * s.MaxGradient })
				}
				train.Update(o.o, moments, o.rate, net.Params, r.Gradients, decays)
				for i, running := range r.Running {
					if running != nil {
						net.Params[i] = running
					}
				}
			}
			logits, err := net.Evaluate(b.Images, s.Batch)
			if err != nil {
				t.Fatal(err)
			}
			closeRows(t, "logits after", logits, s.LogitsAfter, allowed)
			s.compare(t, "parameter after", g, net.Params, s.After, theirs, func(w summary) float64 { return allowed * max(1, w.meanAbs) })
		})
	}
}

// compare holds every tensor that a file has to its figures: elements and their mean within allowed, the sum within allowed
// for each element.
func (s steps) compare(t *testing.T, what string, g *nn.Graph, got [][]float64, want map[string]summary, theirs map[string]string,
	allowed func(summary) float64) {
	t.Helper()
	found := 0
	for i, p := range g.Params {
		w, known := want[theirs[p.Name]]
		if !known {
			continue
		}
		found++
		sum, sumAbs := 0.0, 0.0
		for _, v := range got[i] {
			sum += v
			sumAbs += math.Abs(v)
		}
		n := float64(len(got[i]))
		close(t, what+" "+p.Name+", sum", sum, w.sum, allowed(w)*n)
		close(t, what+" "+p.Name+", mean of absolute values", sumAbs/n, w.meanAbs, allowed(w))
		for k, v := range w.first {
			close(t, what+" "+p.Name+", first elements", got[i][k], v, allowed(w))
		}
	}
	if found != len(want) {
		t.Errorf("%s: %d tensors compared, want %d", what, found, len(want))
	}
}

func closeRows(t *testing.T, what string, got []float64, want [][]float64, allowed float64) {
	t.Helper()
	top := 0.0
	for _, row := range want {
		for _, v := range row {
			top = max(top, math.Abs(v))
		}
	}
	for i, row := range want {
		for k, v := range row {
			close(t, what, got[i*len(row)+k], v, allowed*top)
		}
	}
}

func close(t *testing.T, what string, got, want, allowed float64) {
	t.Helper()
	if d := math.Abs(got - want); !(d <= allowed) {
		t.Errorf("%s: %.12g, want %.12g: %.3g apart, want at most %.3g", what, got, want, d, allowed)
	}
}
