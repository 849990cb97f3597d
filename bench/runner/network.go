package runner

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"zoobench/bench/record"
	"zoobench/kernels"
	"zoobench/zoo"
	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// A Network is a network of the zoo, ready to run.
type Network struct {
	Spec   *zoo.Spec
	Graph  *nn.Graph
	Engine *engine.Engine
	Recipe zoo.Recipe // every value filled in, for the graph's input size

	Tag    string // of the checkpoint, "" where it has none or weights are generated
	File   string // "" for generated weights
	SHA256 string // of the file
	Naming string // whose parameter names the file has: "torchvision", or "" for the network's own
	Load   time.Duration

	tuner *engine.Tuner // nil for none
}

// loadGCPercent is the collector's setting while weights are packed: each tensor is needed once, and a heap that may
// grow by half its size would hold most of them twice.
const loadGCPercent = 10

// Open makes a task's network ready: its graph, its weights and the engine's plan. The time it takes is Network.Load,
// the file's hash and trials of algorithms apart. It changes the instruction set for the whole process if the task names one.
func Open(list *zoo.List, t Task) (*Network, error) {
	spec, err := list.Find(t.Model)
	if err != nil {
		return nil, err
	}
	if t.ISA != "" {
		if err := kernels.Use(t.ISA); err != nil {
			return nil, err
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(loadGCPercent))
	n := &Network{Spec: spec, Tag: t.Tag, File: t.Weights}
	if !t.NoTune {
		n.tuner = NewTuner() // outside the time to load: it may hash the program
	}
	start := time.Now()
	if n.File == "" {
		err = n.generate(t)
	} else {
		err = n.read(t, &start)
	}
	if err != nil {
		return nil, err
	}
	n.Load = time.Since(start) - n.Engine.Trials().Time
	runtime.GC()
	return n, nil
}

// Graph is the network of a task as Open builds it, of its checkpoint's input size and its file's number of classes. Of
// the file, only what describes its tensors is read, and all of it where a hash has to tell which checkpoint it is.
func Graph(list *zoo.List, t Task) (*nn.Graph, error) {
	spec, err := list.Find(t.Model)
	if err != nil {
		return nil, err
	}
	n := &Network{Spec: spec, Tag: t.Tag, File: t.Weights}
	if n.File == "" {
		err = n.build(t, nil)
		return n.Graph, err
	}
	f, err := weights.Open(n.File)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if n.Tag == "" {
		sum, err := f.SHA256()
		if err != nil {
			return nil, err
		}
		n.Tag = published(spec.Name, sum)
	}
	if err := n.build(t, f); err != nil {
		return nil, err
	}
	_, _ = n.bind(t, f) // for the names alone: what is missing in the file is for Open to say
	return n.Graph, nil
}

// Close ends the engine's workers.
func (n *Network) Close() { n.Engine.Close() }

func (n *Network) generate(t Task) error {
	if err := n.build(t, nil); err != nil {
		return err
	}
	return n.plan(t, weights.Generator{}.Source(n.Graph.Params))
}

// read opens the checkpoint's file. Its hash is taken first, and start set after it, so that the time to load does not
// depend on whether somebody wants the hash.
func (n *Network) read(t Task, start *time.Time) error {
	f, err := weights.Open(n.File)
	if err != nil {
		return err
	}
	defer f.Close()
	if n.SHA256, err = f.SHA256(); err != nil {
		return err
	}
	if n.Tag == "" {
		n.Tag = published(n.Spec.Name, n.SHA256)
	}
	*start = time.Now()
	if err := n.build(t, f); err != nil {
		return err
	}
	bound, err := n.bind(t, f)
	if err != nil {
		return err
	}
	return weights.Guard(f, func() error { return n.plan(t, bound) })
}

// build sets the recipe and the graph, of as many classes as the task says, else as the file has, which may be nil.
func (n *Network) build(t Task, f *weights.File) (err error) {
	classes := t.NumClasses
	if classes == 0 && f != nil {
		if classes, err = n.classes(f); err != nil {
			return err
		}
	}
	n.recipe(t)
	n.Graph, err = n.Spec.Graph(n.Recipe.Size, classes)
	return err
}

// bind finds the graph's parameters in the file. Where the file's names are another library's, so is the recipe; if that is
// of another input size, the graph is built anew.
func (n *Network) bind(t Task, f *weights.File) (*weights.Bound, error) {
	bound, err := weights.Bind(f, n.Graph.Params, weights.Options{Tables: n.Spec.Renames})
	if err != nil || bound.Table() == n.Naming {
		return bound, err
	}
	n.Naming = bound.Table()
	size := n.Recipe.Size
	if n.recipe(t); n.Recipe.Size == size {
		return bound, nil
	}
	if err := n.build(t, f); err != nil {
		return nil, err
	}
	return n.bind(t, f)
}

func (n *Network) plan(t Task, w engine.Weights) (err error) {
	n.Engine, err = engine.New(n.Graph, w, engine.Options{Threads: t.Threads, Batch: t.Batch, Exact: t.Exact, Tuner: n.tuner, Choices: t.Choices})
	return err
}

// NewTuner chooses algorithms by trials and remembers them in the cache folder, where there is one.
func NewTuner() *engine.Tuner {
	m := record.ThisMachine()
	// A virtual machine may call two generations of a processor by one name; their caches differ.
	cpu := fmt.Sprintf("%s, caches of %d, %d and %d KiB", m.CPU, m.L1DBytes>>10, m.L2Bytes>>10, m.L3Bytes>>10)
	t := &engine.Tuner{CPU: cpu, Build: kernelBuild()}
	if cache, err := DefaultCache(); err == nil {
		t.File = filepath.Join(cache.Dir, "trials.jsonl")
	}
	return t
}

// recipe decides how pictures are prepared: as the checkpoint was published, else as the library whose names the file
// has published the network first, else as the network's own row says; then what the task overrides.
func (n *Network) recipe(t Task) {
	r := n.Spec.Recipe
	known, _ := zoo.Checkpoints(n.Spec.Name) // a network of another list has none
	of := slices.IndexFunc(known, func(c zoo.Checkpoint) bool { return c.Tag == n.Tag })
	if of < 0 && n.Naming != "" {
		of = slices.IndexFunc(known, func(c zoo.Checkpoint) bool { return c.Library == n.Naming })
	}
	if of >= 0 {
		r = known[of].Recipe
	}
	if t.ImgSize != 0 && t.ImgSize != r.Size {
		full := r.Full(n.Spec.Size)
		r.Resize = 0 // was published for another size; the crop's fraction stays
		switch r.Size = t.ImgSize; {
		case t.ImgSize == full.TestSize:
			r.CropPct = full.TestCropPct
		case r.CropPct == 0 && of >= 0 && known[of].Recipe.Resize != 0:
			r.CropPct = float64(full.Size) / float64(full.Resize)
		}
	}
	n.Recipe = t.Recipe.apply(r).Full(n.Spec.Size)
}

// maxClasses bounds what a file may claim before a classifier of that size is built.
const maxClasses = 1 << 20

// classes returns the checkpoint's own number of classes, or 0 where its classifier cannot be found; what is missing
// then is for Bind to say.
func (n *Network) classes(f *weights.File) (int, error) {
	g, err := n.Spec.Graph(0, 0)
	if err != nil {
		return 0, err
	}
	for _, node := range slices.Backward(g.Nodes) {
		if node.Weight < 0 || (node.Op != nn.Conv && node.Op != nn.Linear) {
			continue
		}
		name := g.Params[node.Weight].Name
		shape, ok := weights.ShapeOf(f, name, n.Spec.Renames...)
		if !ok || len(shape) == 0 {
			return 0, nil
		}
		if shape[0] < 1 || shape[0] > maxClasses {
			return 0, fmt.Errorf("runner: %s: %s: %d classes, want 1 to %d", f.Name(), name, shape[0], maxClasses)
		}
		return shape[0], nil
	}
	return 0, errors.New("runner: " + n.Spec.Name + ": no classifier")
}

// published returns the tag of the network's checkpoint with this hash, "" where none is known. Files' names have at
// least eight of its digits.
func published(network, sha256 string) string {
	known, _ := zoo.Checkpoints(network)
	for _, c := range known {
		if len(c.SHA256) >= 8 && strings.HasPrefix(sha256, c.SHA256) {
			return c.Tag
		}
	}
	return ""
}

// publishedHash is the beginning of the hash of the network's checkpoint of this tag, "" where none is published.
func publishedHash(network, tag string) string {
	known, _ := zoo.Checkpoints(network) // a network of another list has none
	for _, c := range known {
		if tag != "" && c.Tag == tag {
			return c.SHA256
		}
	}
	return ""
}

// footprint is what the network takes up now; the peak is that of the whole process so far.
func (n *Network) footprint() (f *record.Footprint, peakKnown bool) {
	f = &record.Footprint{
		WeightsBytes: n.Engine.WeightBytes(), ArenaBytes: n.Engine.ArenaBytes(), Load: n.Load.Nanoseconds(),
		Tune: n.Engine.Trials().Time.Nanoseconds(),
	}
	f.PeakRSSBytes, peakKnown = peakRSS()
	return f, peakKnown
}

// layers are the steps of the engine's plan.
func (n *Network) layers() []record.Layer {
	var layers []record.Layer
	for _, l := range n.Engine.Layers() {
		layers = append(layers, record.Layer{
			Name: l.Name, Op: strings.Join(append([]string{l.Op}, l.Fused...), "+"),
			Out: []int{l.Out.C, l.Out.H, l.Out.W}, Params: l.Params, MACs: l.MACs, Algorithm: l.Algorithm, MaxError: l.Error,
		})
	}
	return layers
}

// planRecord is how the engine computes, as a record has it.
func (n *Network) planRecord() *record.Plan {
	plan := n.Engine.Plan()
	p := &record.Plan{Hash: plan.Hash, Source: plan.Source}
	for _, c := range plan.Choices {
		p.Choices = append(p.Choices, record.Choice(c))
	}
	for _, l := range n.Engine.Layers() {
		p.MaxError = max(p.MaxError, l.Error)
	}
	return p
}
