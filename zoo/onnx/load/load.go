// Package load reads an ONNX file as a network: a graph like any other of the program, with its weights.
//
// The contract. Open takes a classifier with one input, images of float32 as (N,C,H,W), whose first result is a row of numbers
// for each image. N may vary or be fixed: the graph is for one image in either case. Operators are those of the default domain,
// opsets 7 to 21. What an operator does to the order of elements (Reshape, Transpose, Slice, Concat) costs nothing: a value is
// seen through a view, and the graph has a node only where the network has a layer. A function of each element is known by what
// it computes, whichever operators it is made of: GELU by erf or by tanh, SiLU, hard-swish. Attention, layer norms and
// shuffles are found from what their operators do. Constants and shapes are computed beforehand.
//
// A parameter has the name that the file has for it, where it has one. Weights are converted when they are read.
//
// Nothing in a file is believed: shapes are compared with the bytes that are there, names are followed only backward, so that
// there is no cycle, and computed constants are bounded. External data lie in the file's folder or below it. All that cannot be
// had is one *Error, with the operators' names.
//
// It leaves to others the bytes of the format (zoo/onnx/message), the recipe of images (bench/runner) and the computation.
package load

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"zoobench/zoo/nn"
	"zoobench/zoo/onnx/message"
)

// The opsets that Open reads.
const (
	MinOpset = 7
	MaxOpset = 21
)

// Options are what a file may leave open.
type Options struct {
	Size int // of images, in pixels, where the file takes any; 0 means 224
}

// A Network is a file's graph and its parameters.
type Network struct {
	Graph      *nn.Graph
	Weights    *Weights
	Properties map[string]string // the file's metadata
	Producer   string

	folder string
	m      *message.Model
}

// An Error is all that a file has and that cannot be had.
type Error struct {
	File   string
	Faults []string // each with the name of its operator
}

// Error has a line for each fault.
func (e *Error) Error() string {
	if len(e.Faults) == 1 {
		return "onnx: " + e.File + ": " + e.Faults[0]
	}
	return fmt.Sprintf("onnx: %s: %d faults:\n\t%s", e.File, len(e.Faults), strings.Join(e.Faults, "\n\t"))
}

// Open reads a file.
func Open(path string, o Options) (*Network, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	if !info.Mode().IsRegular() || info.Size() > message.MaxBytes {
		return nil, fmt.Errorf("onnx: %s: want a file of at most %d bytes", path, message.MaxBytes)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	return Read(filepath.Base(path), b, filepath.Dir(path), o)
}

// Read takes a file's bytes; external data lie in the folder.
func Read(name string, b []byte, folder string, o Options) (*Network, error) {
	m, err := message.Decode(b)
	if err != nil {
		return nil, fmt.Errorf("onnx: %s: %w", name, err)
	}
	n := &Network{
		Producer: strings.TrimSpace(m.Producer + " " + m.ProducerVersion), Properties: map[string]string{}, folder: folder, m: m,
	}
	for _, p := range m.Properties {
		n.Properties[p.Key] = p.Value
	}
	l := n.loader(name)
	n.Weights = l.weights
	if n.Graph, err = l.load(o); err != nil {
		return nil, err
	}
	return n, nil
}

func (n *Network) loader(name string) *loader {
	return &loader{
		file: name, folder: n.folder, m: n.m, values: map[string]any{}, known: map[string]*base{}, names: map[string]bool{},
		weights: &Weights{name: name, params: map[string]param{}},
	}
}

// Build builds the graph again, as an architecture does, for another size where the file takes any. The file has its own
// number of classes.
func (n *Network) Build(g *nn.Builder, x nn.Value) nn.Value {
	l := n.loader(n.Weights.name)
	in, err := l.check()
	if err != nil {
		g.Fail("%w", err)
		return nn.Value{}
	}
	size, err := l.inputSize(in, x.H)
	switch {
	case err != nil:
		g.Fail("%w", err)
	case size != x.H:
		g.Fail("%s takes images of %d×%d alone", l.file, size, size)
	case g.Classes != n.Graph.Classes:
		g.Fail("%s has %d classes, want %d", l.file, n.Graph.Classes, g.Classes)
	default:
		x = l.run(g, in.Name, x)
		if len(l.faults) > 0 {
			g.Fail("%w", l.failed())
		}
	}
	return x
}

// loader goes through the operators of a file.
type loader struct {
	file, folder string
	m            *message.Model
	opset        int64
	batch        int // of the file's input; a large prime where it varies

	g      *nn.Builder
	values map[string]any // *tensor, *image, *scores or *statistic by name; nil for what a fault left out
	known  map[string]*base
	names  map[string]bool // of layers

	node    *message.Node
	index   int
	weights *Weights
	faults  []string
}

// anyBatch stands for a number of images that varies: no other size of a network is a multiple of it.
const anyBatch = 1000003

// A refused panic ends an operator, a stopped one the whole file: its layer did not fit.
type (
	refused struct{ text string }
	stopped struct{}
)

func (l *loader) refuse(format string, args ...any) {
	panic(refused{fmt.Sprintf(format, args...)})
}

// fault notes what an operator, or the file, has wrong.
func (l *loader) fault(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if l.node != nil {
		text = l.title() + ": " + text
	}
	l.faults = append(l.faults, text)
}

// title is an operator's name and what it is.
func (l *loader) title() string {
	name := l.node.Name
	if name == "" {
		name = fmt.Sprintf("node %d", l.index)
	}
	return fmt.Sprintf("%q (%s)", name, l.node.Op)
}

// shown are dimensions for an error: the images' is N.
func (l *loader) shown(dims []int) string {
	var s []string
	for _, d := range dims {
		switch {
		case d%anyBatch == 0 && d > anyBatch:
			s = append(s, fmt.Sprintf("%dN", d/anyBatch))
		case d == anyBatch:
			s = append(s, "N")
		default:
			s = append(s, fmt.Sprint(d))
		}
	}
	return "(" + strings.Join(s, ",") + ")"
}

// load builds the graph.
func (l *loader) load(o Options) (*nn.Graph, error) {
	in, err := l.check()
	if err != nil {
		return nil, err
	}
	if o.Size == 0 {
		o.Size = 224
	}
	size, err := l.inputSize(in, o.Size)
	if err != nil {
		return nil, err
	}
	name := l.m.Graph.Name
	g, err := nn.Build(name, func(g *nn.Builder, x nn.Value) nn.Value { return l.run(g, in.Name, x) }, nn.Config{Size: size, Classes: 1})
	if len(l.faults) > 0 {
		return nil, l.failed()
	}
	if err != nil {
		return nil, fmt.Errorf("onnx: %s: %w", l.file, err)
	}
	g.Classes = g.Output().C
	l.weights.keep(g)
	return g, nil
}

// inputSize is the size of the input's images, which may be left open, and notes how many images the file takes.
func (l *loader) inputSize(in *message.Value, open int) (int, error) {
	size := [3]int{3, open, open}
	for i := range size {
		if d := in.Dims[i+1]; d.Known {
			if d.Size < 1 || d.Size > 8192 {
				return 0, l.failed(fmt.Sprintf("input %q: size %d, want 1 to 8192", in.Name, d.Size))
			}
			size[i] = int(d.Size)
		}
	}
	l.batch = anyBatch
	if d := in.Dims[0]; d.Known && d.Size > 0 && d.Size <= 4096 {
		l.batch = int(d.Size)
	}
	if size[0] != 3 || size[1] != size[2] {
		return 0, l.failed(fmt.Sprintf("input %q: %d×%d×%d, want square images of three channels", in.Name, size[0], size[1], size[2]))
	}
	return size[1], nil
}

func (l *loader) failed(more ...string) error { return &Error{l.file, append(l.faults, more...)} }

// check finds what no operator needs to be looked at for, and the input.
func (l *loader) check() (*message.Value, error) {
	for _, o := range l.m.Opsets {
		if o.Domain == "" || o.Domain == "ai.onnx" {
			l.opset = o.Version
		}
	}
	if l.opset < MinOpset || l.opset > MaxOpset {
		return nil, l.failed(fmt.Sprintf("opset %d, want %d to %d", l.opset, MinOpset, MaxOpset))
	}
	g := &l.m.Graph
	stored := map[string]bool{}
	for _, t := range g.Tensors {
		stored[t.Name] = true
	}
	var inputs []*message.Value
	for i := range g.Inputs {
		if !stored[g.Inputs[i].Name] {
			inputs = append(inputs, &g.Inputs[i])
		}
	}
	if len(inputs) != 1 || len(g.Outputs) == 0 {
		return nil, l.failed(fmt.Sprintf("%d inputs and %d results, want one input and a result", len(inputs), len(g.Outputs)))
	}
	in := inputs[0]
	if in.Type != message.Float32 || len(in.Dims) != 4 {
		return nil, l.failed(fmt.Sprintf("input %q: type %d and %d axes, want float32 of (N,C,H,W)", in.Name, in.Type, len(in.Dims)))
	}
	unknown := map[string][]string{}
	for i := range g.Nodes {
		l.node, l.index = &g.Nodes[i], i
		if n := l.node; n.Domain != "" && n.Domain != "ai.onnx" || operators[n.Op] == nil && folds[n.Op] == nil {
			op := strings.TrimPrefix(n.Domain+"."+n.Op, ".")
			unknown[op] = append(unknown[op], l.title())
		}
	}
	l.node = nil
	for _, op := range slices.Sorted(maps.Keys(unknown)) {
		all := unknown[op]
		text := strings.Join(all[:min(len(all), 5)], ", ")
		if len(all) > 5 {
			text += fmt.Sprintf(" and %d more", len(all)-5)
		}
		l.faults = append(l.faults, "no layer for operator "+op+": "+text)
	}
	if g.Sparse > 0 {
		l.faults = append(l.faults, fmt.Sprintf("%d sparse tensors", g.Sparse))
	}
	if len(l.faults) > 0 {
		return nil, l.failed()
	}
	return in, nil
}

// run goes through the operators that the first result needs.
func (l *loader) run(g *nn.Builder, input string, x nn.Value) (y nn.Value) {
	l.g = g
	defer func() {
		switch r := recover().(type) {
		case nil, stopped:
		case refused:
			l.fault("%s", r.text)
		default:
			panic(r)
		}
	}()
	graph := &l.m.Graph
	for i := range graph.Tensors {
		if t := &graph.Tensors[i]; t.Type != message.Text {
			l.values[t.Name] = l.read(t)
		}
	}
	l.values[input] = l.planes(l.made(x))
	out := graph.Outputs[0].Name
	needed := l.needed(out)
	for i := range graph.Nodes {
		if needed[i] {
			l.step(i)
		}
	}
	l.node = nil
	last, there := l.values[out]
	if len(l.faults) > 0 {
		return nn.Value{}
	}
	logits, ok := last.(*image)
	if !there || !ok {
		l.refuse("result %q does not depend on the images", out)
	}
	logits = l.settled(logits)
	if len(logits.v) < 2 {
		l.refuse("result %q has shape %s, want a row of numbers for each image", out, l.shown(logits.v.dims()))
	}
	logits = l.inChannels(logits, 1)
	if s := logits.base().Shape; s.H != 1 || s.W != 1 {
		l.refuse("result %q has shape %s, want a row of numbers for each image", out, l.shown(logits.v.dims()))
	}
	return l.value(logits.base())
}

// needed are the operators that a value comes from.
func (l *loader) needed(out string) []bool {
	nodes := l.m.Graph.Nodes
	wanted := map[string]bool{out: true}
	needed := make([]bool, len(nodes))
	for i := len(nodes) - 1; i >= 0; i-- {
		for _, name := range nodes[i].Out {
			needed[i] = needed[i] || name != "" && wanted[name]
		}
		for _, name := range nodes[i].In {
			wanted[name] = wanted[name] || needed[i]
		}
	}
	return needed
}

// step does one operator. What depends on one with a fault is left out without another.
func (l *loader) step(i int) {
	n := &l.m.Graph.Nodes[i]
	l.node, l.index = n, i
	defer func() {
		switch r := recover().(type) {
		case nil:
		case refused:
			l.fault("%s", r.text)
		default:
			panic(r)
		}
	}()
	for _, name := range n.Out {
		if _, twice := l.values[name]; twice && name != "" {
			l.refuse("a second value called %q", name)
		}
		l.values[name] = nil
	}
	in := make([]any, len(n.In))
	constant := true
	for k, name := range n.In {
		if name == "" {
			continue
		}
		v, there := l.values[name]
		if !there {
			l.refuse("input %q, which nothing before it makes", name)
		}
		if v == nil {
			return
		}
		if _, is := v.(*tensor); !is {
			constant = false
		}
		in[k] = v
	}
	call := operators[n.Op]
	if f := folds[n.Op]; f != nil && (constant || call == nil) {
		call = f
	}
	if call == nil {
		l.refuse("an operator on constants alone")
	}
	for k, v := range call(l, in) {
		if k < len(n.Out) && n.Out[k] != "" {
			l.values[n.Out[k]] = v
		}
	}
}

// errShort is the error for an external file that ends too early.
var errShort = errors.New("the file is shorter than the tensor's place in it")

// external is a tensor's bytes in another file.
func (l *loader) external(t *message.Tensor, want int64) func() ([]byte, error) {
	x := t.External
	if x.Length >= 0 && x.Length != want {
		l.refuse("tensor %q: %d bytes of external data, want %d", t.Name, x.Length, want)
	}
	root, err := os.OpenRoot(l.folder)
	if err != nil {
		l.refuse("tensor %q: %v", t.Name, err)
	}
	defer root.Close()
	info, err := root.Stat(x.Location)
	switch {
	case err != nil:
		l.refuse("tensor %q: external data: %v", t.Name, err)
	case !info.Mode().IsRegular():
		l.refuse("tensor %q: external data %q: no regular file", t.Name, x.Location)
	case x.Offset > info.Size() || info.Size()-x.Offset < want:
		l.refuse("tensor %q: external data %q: %v", t.Name, x.Location, errShort)
	}
	folder := l.folder
	return func() ([]byte, error) {
		root, err := os.OpenRoot(folder)
		if err != nil {
			return nil, err
		}
		defer root.Close()
		f, err := root.Open(x.Location)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		b := make([]byte, want)
		if _, err := f.ReadAt(b, x.Offset); err != nil {
			return nil, fmt.Errorf("onnx: %s: %w", x.Location, err)
		}
		return b, nil
	}
}
