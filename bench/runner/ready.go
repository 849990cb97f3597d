package runner

import (
	"cmp"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"zoobench/datasets/preprocess"
	"zoobench/kernels"
	"zoobench/zoo"
	"zoobench/zoo/engine"
	"zoobench/zoo/nn"
	"zoobench/zoo/onnx/load"
	"zoobench/zoo/quantize"
	"zoobench/zoo/weights"
)

// A Ready is what a task's checkpoint says of itself, read once, and the graph and recipe that follow from it. It holds
// the checkpoint's file open until Load or Close.
type Ready struct {
	Spec   *zoo.Spec
	Graph  *nn.Graph  // of the recipe's input size and the file's number of classes; Load packs the graph that is here
	Recipe zoo.Recipe // every value filled in, for the graph's input size

	Tag    string // of the checkpoint, "" where it has none or weights are generated
	File   string // "" for generated weights; FILE#SECTION where a section of the file was asked for
	SHA256 string // of the file
	Naming string // whose parameter names the file has: "torchvision", or "" for the network's own; the graph is that library's
	Source string // of the recipe: what it follows, before the task's own settings
	Taken  Taken  // what of the file is read

	Trained *Trained // what the file says of itself, nil where zoobench did not train it

	Int8 *quantize.Network // of a file of int8 weights or, once it is loaded, of a network that was quantised on the way; nil otherwise

	task   Task
	onnx   *load.Network  // nil for networks of a list
	names  []string       // of an ONNX file's classes, nil where it has none
	file   *weights.File  // nil for generated weights
	bound  *weights.Bound // nil for generated weights, and where the file's tensors do not fit
	unfit  error          // why they do not, or that the file ends before the classifier
	notes  []string       // what a reader of any figure should know
	ofInt8 *nn.Graph      // that a file of int8 weights is of, nil for other files
	images calibrated     // that Int8 comes from

	generator weights.Generator // of the weights that a network without a checkpoint is quantised with

	took time.Duration // to build the graph and find its parameters, without the file's hash
}

// Describe reads what a task's checkpoint says of itself: its header, its hash, whose names it has, its number of classes;
// and builds the graph with the recipe that follow. If the task's network is an ONNX file, that is its checkpoint too. It
// packs nothing: that is Load's, and so is the error where the file's tensors are not the graph's parameters, so that a
// network's cost is known of a file that is incomplete.
func Describe(list *zoo.List, t Task) (*Ready, error) {
	r, err := describe(list, t)
	if err != nil {
		return nil, err
	}
	if err := r.settle(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// describe is Describe without the file's hash and, where the task names no tag, what follows from it. The hash is computed
// beside what comes next; settle waits for it.
func describe(list *zoo.List, t Task) (*Ready, error) {
	if IsONNX(t.Model) {
		r := &Ready{File: t.Model, task: t}
		start := time.Now()
		if err := r.readONNX(); err != nil {
			return nil, err
		}
		r.took = time.Since(start)
		return r, nil
	}
	spec, err := list.Find(t.Model)
	if err != nil {
		return nil, err
	}
	r := &Ready{Spec: spec, Tag: t.Tag, File: t.Weights, task: t}
	if err := r.read(); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

// read opens the checkpoint, if there is one, and builds what follows from it.
func (r *Ready) read() (err error) {
	if r.File != "" {
		if r.file, err = weights.Open(r.File); err != nil {
			return err
		}
		r.file.StartSHA256()
		if r.Trained, err = readTrained(r.file); err != nil {
			return err
		}
		if r.Trained != nil {
			r.Naming = r.Trained.Library
		}
	}
	if r.file != nil && quantize.Is(r.file) {
		if err := r.readInt8(); err != nil {
			return err
		}
	}
	start := time.Now() // the time to load does not depend on whether somebody wants the hash
	defer func() { r.took = time.Since(start) }()
	if err := r.fit(); err != nil {
		return err
	}
	if err := r.build(); err != nil || r.file == nil {
		return err
	}
	return r.bind()
}

// settle takes the hash of the checkpoint's file, and follows the checkpoint that was published with it.
func (r *Ready) settle() (err error) {
	if r.file == nil || r.SHA256 != "" {
		return nil
	}
	if r.SHA256, err = r.file.SHA256(); err != nil {
		return err
	}
	if r.Tag != "" {
		return nil
	}
	if r.Tag = publishedTag(r.Spec, r.SHA256); r.Tag == "" {
		return nil
	}
	size := r.Recipe.Size
	if r.prepare(); r.Recipe.Size == size {
		return nil
	}
	if err := r.build(); err != nil {
		return err
	}
	return r.bind()
}

// fit chooses the section of the file that has the network's parameters.
func (r *Ready) fit() error {
	if r.file == nil || quantize.Is(r.file) {
		return nil
	}
	g, err := r.Spec.Graph(0, 0)
	if err != nil {
		return err
	}
	if err := r.file.Fit(g.Params, r.Spec.Renames...); err != nil {
		return err
	}
	r.Taken = taken(r.File, r.file)
	return nil
}

// Options are the engine's options that the task asks for.
func (r *Ready) Options() engine.Options {
	t := &r.task
	o := engine.Options{Threads: t.Threads, Batch: t.Batch, Exact: t.Exact, Choices: t.Choices, Precision: t.Precision}
	if !t.NoTune {
		o.Tuner = NewTuner()
	}
	return o
}

// loadGCPercent is the collector's setting while weights are packed: each tensor is needed once, and a heap that may
// grow by half its size would hold most of them twice.
const loadGCPercent = 10

// Load packs the weights for r.Graph, plans its engine and closes the file: a Ready is loaded once. It changes the
// instruction set for the whole process if the task names one. Network.LoadTime counts Describe's share as well.
func (r *Ready) Load(o engine.Options) (*Network, error) {
	defer r.Close()
	if r.unfit != nil {
		return nil, r.unfit
	}
	if r.task.ISA != "" {
		if err := kernels.Use(r.task.ISA); err != nil {
			return nil, err
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(loadGCPercent))
	if err := r.quantized(&o); err != nil {
		return nil, err
	}
	if o.Tuner != nil && r.file != nil && r.SHA256 == "" {
		o.Tuner.Before = func() { _, _ = r.file.SHA256() } // an error is settle's
	}
	n := &Network{Ready: r}
	for packed := (*nn.Graph)(nil); packed != r.Graph; {
		if packed = r.Graph; n.Engine != nil {
			n.Close()
		}
		if err := r.pack(n, o); err != nil {
			return nil, err
		}
		if err := r.settle(); err != nil {
			n.Close()
			return nil, err
		}
	}
	runtime.GC()
	return n, nil
}

// pack makes the engine of r.Graph.
func (r *Ready) pack(n *Network, o engine.Options) error {
	start := time.Now()
	err := r.Read(weights.Generator{}, func(src weights.Source) (err error) {
		n.Engine, err = engine.New(r.Graph, src, o)
		return err
	})
	if err != nil {
		return err
	}
	n.LoadTime = r.took + time.Since(start) - n.Engine.Trials().Time
	return nil
}

// Read calls do with the parameters of r.Graph: the file's or, without a file, generated ones. A file that others cut short
// while do reads it is an error.
func (r *Ready) Read(g weights.Generator, do func(weights.Source) error) error {
	switch {
	case r.unfit != nil:
		return r.unfit
	case r.onnx != nil:
		return do(r.onnx.Weights)
	case r.file == nil:
		return do(g.Source(r.Graph.Params))
	}
	if r.ofInt8 != nil {
		return weights.Guard(r.file, func() error { return do(r.file) })
	}
	return weights.Guard(r.file, func() error { return do(r.bound) })
}

// Preprocessing is the network's recipe as package preprocess takes it.
func (r *Ready) Preprocessing() preprocess.Recipe {
	p := Preprocessing(r.Recipe)
	if in := r.Graph.Input(); in.W != in.H {
		p.Width = in.W
	}
	return p
}

// Preprocessing is a recipe, every value filled in, as package preprocess has it.
func Preprocessing(r zoo.Recipe) preprocess.Recipe {
	return preprocess.Recipe{
		Size: r.Size, CropPct: r.CropPct, Resize: r.Resize, Interpolation: preprocess.Filter(r.Interpolation),
		CropMode: preprocess.CropMode(r.CropMode), Mean: r.Mean, Std: r.Std, BGR: r.BGR,
	}
}

// Close closes the checkpoint's file.
func (r *Ready) Close() {
	if r.file != nil {
		r.file.Close()
		r.file, r.bound = nil, nil
	}
	if r.onnx != nil {
		r.onnx.Weights.Close()
	}
}

// Name is the network with the checkpoint's tag, as resnet50.tv_in1k, or the network alone where there is none.
func (r *Ready) Name() string {
	if r.Tag == "" {
		return r.Spec.Name
	}
	return r.Spec.Name + "." + r.Tag
}

// Parameters are the checkpoint's, under the graph's names, until Close; nil for generated weights. A file that ends
// before the classifier has all but those of the last layers.
func (r *Ready) Parameters() (*weights.Bound, error) {
	if r.bound != nil {
		return r.bound, nil
	}
	return nil, r.unfit
}

// build sets the recipe and the graph, of as many classes as the task says, else as the file has.
func (r *Ready) build() (err error) {
	classes := r.task.NumClasses
	if r.file != nil {
		own, err := r.classes()
		if err != nil {
			return err
		}
		if classes > 0 && own > 0 && own != classes {
			return fmt.Errorf("runner: %s: the file has %d classes, want %d", r.file.Name(), own, classes)
		}
		classes = cmp.Or(own, classes)
	}
	r.prepare()
	r.Graph, err = r.Spec.GraphWith(nn.Config{
		Size: r.Recipe.Size, Classes: classes, Library: r.Naming, FromScratch: r.Trained != nil && r.Trained.FromScratch,
	})
	if err == nil && r.Trained != nil && len(r.Trained.Classes) != r.Graph.Classes {
		return fmt.Errorf("runner: %s: names of %d classes for %d, want as many", r.file.Name(), len(r.Trained.Classes), r.Graph.Classes)
	}
	return err
}

// bind finds the graph's parameters in the file. Where the file's names are another library's, so are the recipe and the
// graph, which is built anew if they differ.
func (r *Ready) bind() error {
	if quantize.Is(r.file) {
		r.ofInt8 = r.Graph
		r.Int8, r.unfit = quantize.Read(r.file, r.Graph)
		return nil
	}
	o := weights.Options{Tables: r.Spec.Renames}
	bound, err := weights.Bind(r.file, r.Graph.Params, o)
	if err != nil {
		r.unfit = err
		var report *weights.BindError
		if errors.As(err, &report) && report.Fitting == 0 && r.file.Keras() != nil {
			report.Remedy = "the file is one of Keras, whose networks have names that begin with keras_"
		}
		g, err := r.Spec.Graph(0, 0)
		if err != nil {
			return err
		}
		o.Top = top(g)
		if bound, err = weights.Bind(r.file, r.Graph.Params, o); err != nil {
			return nil
		}
		r.unfit = fmt.Errorf("runner: %s: ends before the classifier: has no %s; want the whole file; zoobench train can begin with this one",
			r.file.Name(), strings.Join(o.Top, ", "))
	}
	r.bound = bound
	// A library can have two spellings: "torchvision, published".
	naming, _, _ := strings.Cut(bound.Table(), ", ")
	for _, v := range r.Spec.Variants {
		if v.Of != nil && v.Of(r.file) {
			naming = v.Library
		}
	}
	if naming == r.Naming || r.Trained != nil {
		return nil
	}
	r.Naming = naming
	size := r.Recipe.Size
	if r.prepare(); r.Recipe.Size == size && r.Spec.Variant(r.Naming).Graph == "" {
		return nil
	}
	if err := r.build(); err != nil {
		return err
	}
	return r.bind()
}

// top are the parameters of the layers behind a network's last image: its classifier's, and of those that lead to it.
func top(g *nn.Graph) (names []string) {
	for _, n := range slices.Backward(g.Nodes) {
		if n.Out.H*n.Out.W > 1 {
			break
		}
		for _, p := range []int{n.Weight, n.Bias, n.Mean, n.Var} {
			if p >= 0 {
				names = append(names, g.Params[p].Name)
			}
		}
	}
	return names
}

// prepare decides how images are prepared: as the checkpoint was published, else as the library whose names the file
// has published the network first, else as the network's own row says; then what the task overrides.
func (r *Ready) prepare() {
	recipe, known := r.Spec.Recipe, r.Spec.Checkpoints
	r.Source = "the default of " + r.Spec.Name
	of := slices.IndexFunc(known, func(c zoo.Checkpoint) bool { return c.Tag == r.Tag })
	if of < 0 && r.Naming != "" {
		of = slices.IndexFunc(known, func(c zoo.Checkpoint) bool { return c.Library == r.Naming })
	}
	if of >= 0 {
		recipe = known[of].Recipe
		r.Source = known[of].Library + "'s " + known[of].Tag
	} else if own := r.Spec.Variant(r.Naming).Recipe; own != nil {
		recipe = *own
		r.Source = "the default of " + r.Naming
	}
	if r.Trained != nil {
		recipe, of = r.Trained.Recipe, -1
		r.Source = "the checkpoint's own"
	}
	if size := r.task.ImgSize; size != 0 && size != recipe.Size {
		full := recipe.Full(r.Spec.Size)
		recipe.Resize = 0 // was published for another size; the crop's fraction stays
		switch recipe.Size = size; {
		case size == full.TestSize:
			recipe.CropPct = full.TestCropPct
		case recipe.CropPct == 0 && of >= 0 && known[of].Recipe.Resize != 0:
			recipe.CropPct = float64(full.Size) / float64(full.Resize)
		}
	}
	if r.task.Recipe != (Recipe{}) || r.task.ImgSize != 0 {
		r.Source += ", with changes that were asked for"
	}
	full := recipe.Full(r.Spec.Size)
	recipe.Mean, recipe.Std = full.Mean, full.Std // so that a mean of zeros that was asked for stays one
	r.Recipe = r.task.Recipe.apply(recipe).Full(r.Spec.Size)
}

// maxClasses bounds what a file may claim before a classifier of that size is built.
const maxClasses = 1 << 20

// classes returns the checkpoint's own number of classes, or 0 where its classifier cannot be found; what is missing
// then is for Bind to say.
func (r *Ready) classes() (int, error) {
	g, err := r.Spec.Graph(0, 0)
	if err != nil {
		return 0, err
	}
	for _, node := range slices.Backward(g.Nodes) {
		if node.Weight < 0 || (node.Op != nn.Conv && node.Op != nn.Linear) {
			continue
		}
		name := g.Params[node.Weight].Name
		shape, ok := weights.ShapeOf(r.file, name, r.Spec.Renames...)
		if !ok || len(shape) == 0 {
			return 0, nil
		}
		if shape[0] < 1 || shape[0] > maxClasses {
			return 0, fmt.Errorf("runner: %s: %s: %d classes, want 1 to %d", r.file.Name(), name, shape[0], maxClasses)
		}
		return shape[0], nil
	}
	return 0, errors.New("runner: " + r.Spec.Name + ": no classifier")
}

// publishedTag returns the tag of the network's checkpoint with this hash, "" where none is known. Files' names have at
// least eight of its digits.
func publishedTag(spec *zoo.Spec, sha256 string) string {
	for _, c := range spec.Checkpoints {
		if len(c.SHA256) >= 8 && strings.HasPrefix(sha256, c.SHA256) {
			return c.Tag
		}
	}
	return ""
}
