package zoo

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"zoobench/kernels"
	"zoobench/zoo/engine"
	"zoobench/zoo/interp"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// golden is what a reference implementation computed once in float64 for generated weights and images. The folder is
// named by ZOO_GOLDENS, absolute or relative to the module's root; testdata/goldens has the same files with the traces
// left out. Those of Keras are in the folder named by ZOO_KERAS; testdata/keras has them with the layers left out. They
// are never rewritten from this project's output.
type golden struct {
	file      string
	Model     string    `json:"model"`
	Source    string    `json:"source"` // "tv", "timm", "cadene"
	Size      int       `json:"input_size"`
	Seed      uint64    `json:"seed"`
	Gain      float64   `json:"gain"`
	Params    int64     `json:"params"`
	MACs      int64     `json:"macs"`
	StateDict stateDict `json:"state_dict"`
	Top5      [][]int   `json:"top5"`
	MaxAbs    float64   `json:"max_abs"`
	Config    config    `json:"config"`
	Trace     []module  `json:"trace"`

	// Keras's alone: it counts moving statistics as parameters, and names those that are learned apart.
	Options   kerasOptions `json:"options"`
	Weights   stateDict    `json:"weights"`
	Trainable int64        `json:"trainable"`
	Counted   int64        `json:"-"` // Keras's count, once params is ours

	Float32Error float64 `json:"float32_error"` // of the reference's own float32 run, over MaxAbs
}

// config is the reference's preprocessing, all zero where the library keeps it elsewhere.
type config struct {
	Interpolation string     `json:"interpolation"`
	CropPct       float64    `json:"crop_pct"`
	Mean          [3]float64 `json:"mean"`
	Std           [3]float64 `json:"std"`
	TestInputSize []int      `json:"test_input_size"`
	TestCropPct   float64    `json:"test_crop_pct"`
}

// stateDict is [name, shape] for every floating-point tensor.
type stateDict []nn.Param

// UnmarshalJSON reads the array of two-element arrays.
func (d *stateDict) UnmarshalJSON(b []byte) error {
	var entries []json.RawMessage
	if err := json.Unmarshal(b, &entries); err != nil {
		return err
	}
	for _, e := range entries {
		var p nn.Param
		if err := json.Unmarshal(e, &[]any{&p.Name, &p.Shape}); err != nil {
			return err
		}
		*d = append(*d, p)
	}
	return nil
}

// module is a line of a trace: [name, type, output shape, mean, mean of absolute values].
type module struct {
	name, kind    string
	shape         []int
	mean, meanAbs float64
}

// UnmarshalJSON reads the five-element array.
func (m *module) UnmarshalJSON(b []byte) error {
	return json.Unmarshal(b, &[]any{&m.name, &m.kind, &m.shape, &m.mean, &m.meanAbs})
}

// paths are the ways to run a network, each with what the goldens allow it. maxMACs is the largest network that a path
// runs without ZOO_LONG=1.
var paths = []struct {
	name      string
	tolerance func(golden) float64 // of the largest difference over MaxAbs
	maxMACs   int64
	run       func(*nn.Graph, *weights.Bound, []float32) ([]float64, []interp.Line, error)
}{
	{"oracle", func(golden) float64 { return 1e-6 }, 2e9,
		func(g *nn.Graph, w *weights.Bound, images []float32) ([]float64, []interp.Line, error) {
			return interp.Trace(g, w, images, 2)
		}},
	{"engine", func(golden) float64 { return 1e-3 }, engineMACs(), runEngine(engine.Options{Batch: 2})},
	{"engine_exact", func(g golden) float64 { return max(2e-5, 5*g.Float32Error) }, engineMACs(),
		runEngine(engine.Options{Batch: 2, Exact: true})},
}

// engineMACs is the largest network that an engine runs: any with assembly, small ones on the Go kernels, which are
// fifty times slower.
func engineMACs() int64 {
	if kernels.ISA() == "generic" {
		return 4e8
	}
	return math.MaxInt64
}

// runEngine runs two images as one batch; an engine has no trace.
func runEngine(o engine.Options) func(*nn.Graph, *weights.Bound, []float32) ([]float64, []interp.Line, error) {
	return func(g *nn.Graph, w *weights.Bound, images []float32) ([]float64, []interp.Line, error) {
		e, err := engine.New(g, w, o)
		if err != nil {
			return nil, nil, err
		}
		defer e.Close()
		out := make([]float32, 2*g.Output().Elems())
		e.Run(out, images, 2)
		logits := make([]float64, len(out))
		for i, v := range out {
			logits[i] = float64(v)
		}
		return logits, nil, nil
	}
}

// TestGoldenWhole says which networks the zoo lacks.
func TestGoldenWhole(t *testing.T) {
	for _, g := range goldens(t) {
		if _, err := g.spec(); err != nil {
			t.Errorf("%s: %v", g.file, err)
		}
	}
}

// TestGoldenGraph compares counts, parameter names and shapes.
func TestGoldenGraph(t *testing.T) {
	for _, g := range built(t) {
		t.Run(g.file, func(t *testing.T) {
			spec, graph := g.graph(t)
			if got := graph.ParamCount(); got != g.Params {
				t.Errorf("%d parameters, want %d", got, g.Params)
			}
			if got := graph.MACs(); got != g.MACs {
				t.Errorf("%d MACs, want %d", got, g.MACs)
			}
			if g.Size == spec.Size && (spec.Params != g.Params || spec.MACs != g.MACs) {
				t.Errorf("row says %d parameters and %d MACs, want %d and %d", spec.Params, spec.MACs, g.Params, g.MACs)
			}
			if counted := graph.ElementCount(); g.Counted != 0 && counted != g.Counted {
				t.Errorf("%d parameters and moving statistics, want %d", counted, g.Counted)
			}
			bound := g.bind(t, spec, graph)
			if aux := len(g.StateDict) - len(bound.Tensors()); len(bound.Ignored()) != aux {
				t.Errorf("%d tensors of the state dict are left out, want %d", len(bound.Ignored()), aux)
			}
			if table := g.table(spec, bound); table.Name != "" {
				if err := table.Check(paramNames(g.StateDict), paramNames(graph.Params)); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestGoldenRecipe(t *testing.T) {
	for _, g := range built(t) {
		if g.Config.CropPct == 0 {
			continue
		}
		spec, _ := g.graph(t)
		r := spec.Recipe.Full(spec.Size)
		got := config{Interpolation: r.Interpolation, CropPct: r.CropPct, Mean: r.Mean, Std: r.Std, TestCropPct: r.TestCropPct}
		if r.TestSize != 0 {
			got.TestInputSize = []int{3, r.TestSize, r.TestSize}
		}
		want := g.Config
		if want.TestCropPct == 0 && r.TestSize != 0 {
			want.TestCropPct = want.CropPct
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: recipe %v, want %v", g.file, got, want)
		}
	}
}

// TestGoldenLogits runs every network that has a golden on every path.
func TestGoldenLogits(t *testing.T) {
	for _, path := range paths {
		t.Run(path.name, func(t *testing.T) {
			var score scoreboard
			t.Run("networks", func(t *testing.T) {
				for _, g := range built(t) {
					t.Run(g.file, func(t *testing.T) {
						if g.MACs > path.maxMACs && os.Getenv("ZOO_LONG") != "1" {
							t.Skipf("%d MACs; ZOO_LONG=1 runs networks above %d", g.MACs, path.maxMACs)
						}
						t.Parallel()
						spec, graph := g.graph(t)
						bound := g.bind(t, spec, graph)
						got, lines, err := path.run(graph, bound, g.images())
						if err != nil {
							t.Fatal(err)
						}
						g.compareTrace(t, g.table(spec, bound), graph, lines)
						if worst := g.compareLogits(t, got, path.tolerance(g)); !t.Failed() {
							score.add(spec.Family, worst)
						}
					})
				}
			})
			score.log(t, path.name)
		})
	}
}

// compareLogits returns the largest difference over MaxAbs.
func (g golden) compareLogits(t *testing.T, got []float64, tolerance float64) float64 {
	t.Helper()
	want := logits(t, g)
	if len(got) != len(want) {
		t.Fatalf("%d logits, want %d", len(got), len(want))
	}
	worst, classes := 0.0, len(want)/2
	for i := range want {
		if d := math.Abs(got[i] - float64(want[i])); !(d <= worst) {
			worst = d
		}
	}
	worst /= g.MaxAbs
	if !(worst <= tolerance) && g.Counted != 0 {
		tolerance = max(tolerance, g.moved(t))
		t.Logf("the last bits move the logits by %.2g of the largest: the golden says no more", tolerance)
	}
	if !(worst <= tolerance) {
		t.Errorf("logits differ by %.3g of the largest, want at most %.3g", worst, tolerance)
	}
	for n, top := range g.Top5 {
		row := want[n*classes:][:classes]
		margin := float64(row[top[0]] - row[top[1]])
		if best := argmax(got[n*classes:][:classes]); best != top[0] && margin > 2*tolerance*g.MaxAbs {
			t.Errorf("image %d: class %d, want %d", n, best, top[0])
		}
	}
	return worst
}

// compareTrace holds each module that both sides name to 1e-6 of its mean of absolute values, and says where the two
// part.
func (g golden) compareTrace(t *testing.T, table weights.Table, graph *nn.Graph, lines []interp.Line) {
	t.Helper()
	if len(g.Trace) == 0 || len(lines) == 0 {
		return
	}
	lineOf := map[string]interp.Line{} // by the name of the node's weight
	for _, l := range lines {
		if n := graph.Nodes[l.Node]; n.Weight >= 0 {
			lineOf[graph.Params[n.Weight].Name] = l
		}
	}
	compared, last := 0, "the input"
	for _, m := range g.Trace {
		l, ok := lineOf[table.Apply(m.name+".weight")]
		if !ok || m.shape[0] == 1 { // some files also list a run of one image
			continue
		}
		copies := 2
		if graph.Nodes[l.Node].Const {
			copies = 1 // the same for both images
		}
		if l.Shape.Elems()*copies != elems(m.shape) {
			t.Errorf("%s (%s): shape %v an image, want %v for two", m.name, m.kind, l.Shape, m.shape)
		}
		if tolerance := 1e-6 * m.meanAbs; math.Abs(l.Mean-m.mean) > tolerance || math.Abs(l.MeanAbs-m.meanAbs) > tolerance {
			t.Fatalf("%s (%s): mean %.9g, mean abs %.9g, want %.9g and %.9g; all agree up to %s",
				m.name, m.kind, l.Mean, l.MeanAbs, m.mean, m.meanAbs, last)
		}
		compared++
		last = m.name
	}
	if compared*2 < len(lineOf) {
		t.Errorf("the trace names %d of %d modules", compared, len(lineOf))
	}
}

// spec is the network that a golden is for: torchvision's own (tv_…) where the two libraries differ.
func (g golden) spec() (*Spec, error) {
	if len(g.Weights) > 0 {
		return g.kerasSpec()
	}
	if s, err := Find(g.Source + "_" + g.Model); err == nil {
		return s, nil
	}
	return Find(g.Model)
}

func (g golden) graph(t *testing.T) (*Spec, *nn.Graph) {
	t.Helper()
	spec, err := g.spec()
	if err != nil {
		t.Fatal(err)
	}
	graph, err := spec.Graph(g.Size, 0)
	if err != nil {
		t.Fatal(err)
	}
	return spec, graph
}

// bind fits the golden's generated weights to the graph as a loader does: every name and shape of the state dict has to
// be a parameter, and no other may be.
func (g golden) bind(t *testing.T, spec *Spec, graph *nn.Graph) *weights.Bound {
	t.Helper()
	bound, err := weights.Bind(g.source(), graph.Params, weights.Options{Tables: spec.Renames})
	if err != nil {
		t.Fatal(err)
	}
	return bound
}

func (g golden) generator() weights.Generator { return weights.Generator{Seed: g.Seed, Gain: g.Gain} }

// table is the one that bind took, empty for the graph's own names.
func (g golden) table(spec *Spec, bound *weights.Bound) weights.Table {
	for _, t := range spec.Renames {
		if t.Name == bound.Table() {
			return t
		}
	}
	return weights.Table{}
}

// images is the two input images, (2,H,W,3).
func (g golden) images() []float32 {
	x, pixels := g.generator().Images(g.Size), g.Size*g.Size
	y := make([]float32, 0, len(x))
	for i := range 2 * pixels {
		for c := range 3 {
			y = append(y, x[(i/pixels*3+c)*pixels+i%pixels])
		}
	}
	return y
}

var readGoldens = sync.OnceValues(func() ([]golden, error) {
	own, err := goldensOf("goldens", "ZOO_GOLDENS")
	if err != nil {
		return nil, err
	}
	keras, err := goldensOf("keras", "ZOO_KERAS")
	return append(own, keras...), err
})

// goldensOf reads a folder of testdata, or the one that the environment names instead.
func goldensOf(folder, variable string) ([]golden, error) {
	dir := filepath.Join("testdata", folder)
	if env := os.Getenv(variable); env != "" {
		dir = env
		if !filepath.IsAbs(env) {
			dir = filepath.Join("..", env) // the module's root lies above this package
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("no goldens in %s", dir)
	}
	var all []golden
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		g := golden{file: strings.TrimSuffix(path, ".json")}
		if err := json.Unmarshal(b, &g); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if len(g.Weights) > 0 {
			g.StateDict, g.Counted, g.Params = g.Weights, g.Params, g.Trainable
		}
		all = append(all, g)
	}
	return all, nil
}

// goldens is every golden, file being its name without folder or ending.
func goldens(t *testing.T) []golden {
	t.Helper()
	all, err := readGoldens()
	if err != nil {
		t.Fatal(err)
	}
	named := slices.Clone(all)
	for i := range named {
		named[i].file = filepath.Base(named[i].file)
	}
	return named
}

// built is the goldens whose network the zoo has.
func built(t *testing.T) []golden {
	t.Helper()
	return slices.DeleteFunc(goldens(t), func(g golden) bool { _, err := g.spec(); return err != nil })
}

// logits reads the one tensor beside a golden, (2, classes).
func logits(t *testing.T, g golden) []float32 {
	t.Helper()
	all, _ := readGoldens()
	i := slices.IndexFunc(all, func(o golden) bool { return filepath.Base(o.file) == g.file })
	b, err := os.ReadFile(all[i].file + ".safetensors")
	if err != nil {
		t.Fatal(err)
	}
	var header map[string]struct {
		Offsets [2]int `json:"data_offsets"`
	}
	data := b[8+binary.LittleEndian.Uint64(b):]
	if err := json.Unmarshal(b[8:len(b)-len(data)], &header); err != nil {
		t.Fatal(err)
	}
	at := header["logits"].Offsets
	out := make([]float32, (at[1]-at[0])/4)
	if _, err := binary.Decode(data[at[0]:at[1]], binary.LittleEndian, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// scoreboard counts networks passed and keeps the largest error, by family.
type scoreboard struct {
	mu       sync.Mutex
	families []string
	networks map[string]int
	worst    map[string]float64
}

func (s *scoreboard) add(family string, worst float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.networks == nil {
		s.networks, s.worst = map[string]int{}, map[string]float64{}
	}
	if s.networks[family] == 0 {
		s.families = append(s.families, family)
	}
	s.networks[family]++
	s.worst[family] = max(s.worst[family], worst)
}

func (s *scoreboard) log(t *testing.T, path string) {
	t.Helper()
	slices.Sort(s.families)
	for _, f := range s.families {
		t.Logf("%s: %-14s %2d networks passed, largest relative error %.2g", path, f, s.networks[f], s.worst[f])
	}
}

func paramNames(params []nn.Param) []string {
	var names []string
	for _, p := range params {
		names = append(names, p.Name)
	}
	return names
}

func argmax(x []float64) int {
	best := 0
	for i, v := range x {
		if v > x[best] {
			best = i
		}
	}
	return best
}

func elems(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}
