package train_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zoobench/internal/recipe"
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
	o    recipe.Optimizer
	rate float64
}{
	"sgd":   {recipe.Optimizer{Kind: recipe.SGD, Momentum: 0.9, Nesterov: true, Decay: 5e-4}, 0.01},
	"adamw": {recipe.Optimizer{Kind: recipe.AdamW, Beta1: 0.9, Beta2: 0.999, Eps: 1e-8, Decay: 0.05}, 1e-3},
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

// learner is a network in training, in float64 or float32.
type learner interface {
	step(b twin.Batch, step int) (loss float64, logits []float64, gradients [][]float64)
	evaluate(b twin.Batch) (logits []float64)
	params() [][]float64
}

// inFloat64 learns by the twin.
type inFloat64 struct {
	*testing.T
	*twin.Network
	update func(params, gradients [][]float64)
}

func (l *inFloat64) step(b twin.Batch, _ int) (float64, []float64, [][]float64) {
	r, err := l.Train(b)
	if err != nil {
		l.Fatal(err)
	}
	l.update(l.Params, r.Gradients)
	for i, running := range r.Running {
		if running != nil {
			l.Params[i] = running
		}
	}
	return r.Loss, r.Logits, r.Gradients
}

func (l *inFloat64) evaluate(b twin.Batch) []float64 {
	logits, err := l.Evaluate(b.Images, b.N)
	if err != nil {
		l.Fatal(err)
	}
	return logits
}

func (l *inFloat64) params() [][]float64 { return l.Params }

// inFloat32 learns on kernels.
type inFloat32 struct {
	*testing.T
	*train.Network
	update func(params, gradients [][]float32)
}

func (l *inFloat32) step(b twin.Batch, step int) (float64, []float64, [][]float64) {
	loss, err := l.Train(b.Images, b.Targets, step)
	if err != nil {
		l.Fatal(err)
	}
	gradients := make([][]float64, len(l.Gradients))
	for i, g := range l.Gradients {
		gradients[i] = double(g)
	}
	logits := double(l.Outputs())
	l.update(l.Params, l.Gradients)
	l.Keep()
	return loss, logits, gradients
}

func (l *inFloat32) evaluate(b twin.Batch) []float64 {
	logits, err := l.Evaluate(b.Images)
	if err != nil {
		l.Fatal(err)
	}
	return double(logits)
}

func (l *inFloat32) params() [][]float64 {
	params := make([][]float64, len(l.Params))
	for i, p := range l.Params {
		params[i] = double(p)
	}
	return params
}

// updater is a file's optimizer.
func updater[F recipe.Float](s steps, g *nn.Graph) func(params, gradients [][]F) {
	o := optimizers[s.Optimizer]
	lengths, rules := make([]int, len(g.Params)), make([]recipe.Rule, len(g.Params))
	for i, p := range g.Params {
		lengths[i], rules[i] = p.Elems(), recipe.Rule{Decays: true, Rate: 1}
	}
	moments := recipe.NewMoments[F](o.o, lengths)
	return func(params, gradients [][]F) { recipe.Update(o.o, moments, o.rate, params, gradients, rules) }
}

// allowances are how far figures may lie from PyTorch's: losses by their size, logits by the largest, gradients by the largest
// of all, parameters by their mean or 1. The first loss is held as the logits before are.
type allowances struct{ losses, before, after, gradients, params float64 }

func (s steps) follow(t *testing.T, g *nn.Graph, theirs map[string]string, l learner, a allowances) {
	b := s.batch()
	for step, want := range s.Losses {
		loss, logits, gradients := l.step(b, step)
		allowed := a.losses
		if step == 0 {
			allowed = a.before
		}
		close(t, "loss", loss, want, allowed*max(1, math.Abs(want)))
		if step == 0 {
			closeRows(t, "logits before", logits, s.LogitsBefore, a.before)
			s.compare(t, "gradient", g, gradients, s.Gradients, theirs, func(summary) float64 { return a.gradients * s.MaxGradient })
		}
	}
	closeRows(t, "logits after", l.evaluate(b), s.LogitsAfter, a.after)
	s.compare(t, "parameter after", g, l.params(), s.After, theirs, func(w summary) float64 { return a.params * max(1, w.meanAbs) })
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
			s.follow(t, g, theirs, &inFloat64{t, net, updater[float64](s, g)}, allowances{allowed, allowed, allowed, allowed, allowed})
		})
	}
}

// kinks are networks in which a sum that is 0 but for rounding falls on another side of a ReLU, or of a maximum, than it did in
// PyTorch's own run in float32, which had luck: how far gradients, and then what follows the first step, may lie apart.
var kinks = map[string]struct{ gradients, later float64 }{
	"tv_squeezenet1_1_64":      {1e-4, 0.1},
	"tv_shufflenet_v2_x0_5_64": {1e-2, 0.5},
	"tv_googlenet_64":          {1e-4, 0.5},
	"timm_ecaresnet50d_64":     {1e-4, 0.5},
}

// TestStepsInFloat32 holds the network on kernels to them: within 1e-4, or five times what PyTorch's own float32 is off by.
// Where a gradient is rounding alone AdamW's steps have any sign, so that parameters may differ by all three.
func TestStepsInFloat32(t *testing.T) {
	for _, s := range readSteps(t) {
		t.Run(s.file, func(t *testing.T) {
			g, bound, theirs := s.network(t)
			if n := g.ParamCount(); n > 6e6 && os.Getenv("ZOO_LONG") != "1" {
				t.Skipf("%d parameters; ZOO_LONG=1 runs networks above 6 million", n)
			}
			net, err := train.New(g, bound, train.Options{Batch: s.Batch, Workers: 0})
			if err != nil {
				t.Fatal(err)
			}
			defer net.Close()
			e, kink := s.Float32Error, kinks[s.file]
			allowed := func(theirs, kink float64) float64 { return max(1e-4, 5*theirs, kink) }
			a := allowances{
				losses: allowed(e.Losses, kink.later), before: allowed(e.LogitsBefore, 0), after: allowed(e.LogitsAfter, kink.later),
				gradients: allowed(e.Gradients, kink.gradients), params: allowed(e.LogitsAfter, kink.later),
			}
			if s.Optimizer == "adamw" {
				a.params += 2 * 3 * optimizers["adamw"].rate
			}
			s.follow(t, g, theirs, &inFloat32{t, net, updater[float32](s, g)}, a)
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
