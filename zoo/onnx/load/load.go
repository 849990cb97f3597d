// Package load reads an ONNX file as a network: a graph like any other of the program, with its weights.
//
// The contract. Open takes a classifier with one input, images as (N,C,H,W) or (N,H,W,C), whose first result is a row of numbers
// for each image. N may vary or be fixed: the graph is for one image in either case. The images are floats, or bytes from 0 to
// 255. Other floats and quantised numbers become float32: Notes say so. A softmax at the end is left out, so that
// the answers are logits. Operators are those of the default domain, opsets 7 to 21. What an operator does to the order of
// elements (Reshape, Transpose, Slice, Concat) costs nothing: a value is seen through a view, and the graph has a node only where
// the network has a layer. A function of each element is known by what it computes, whichever operators it is made of: GELU by
// erf or by tanh, SiLU, hard-swish. Attention, layer norms and shuffles are found from what their operators do. Constants and
// shapes are computed beforehand.
//
// A parameter has the name that the file has for it, where it has one. The file is mapped, and weights are converted when they are
// read.
//
// Nothing in a file is believed: shapes are compared with the bytes that are there, names are followed only backward, so that
// there is no cycle, and computed constants are bounded. External data lie in the file's folder or below it. All that cannot be
// had is one *Error, with the names of the operators and of those before them, and nothing of a network is allocated before it.
//
// It leaves to others the bytes of the format (zoo/onnx/message), the recipe of images (bench/runner) and the computation.
package load

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"zoobench/zoo/nn"
	"zoobench/zoo/onnx/message"
	"zoobench/zoo/weights"
)

// The opsets that Open reads.
const (
	MinOpset = 7
	MaxOpset = 21
)

// Options are what a file may leave open.
type Options struct {
	Size int // of images, in pixels, where the file takes any; 0 means 224

	// Luma gives a network of grey images a layer before the others that makes them of red, green and blue.
	Luma bool
}

// A Network is a file's graph and its parameters.
type Network struct {
	Graph      *nn.Graph
	Weights    *Weights
	Properties map[string]string // the file's metadata
	Producer   string
	Bytes      bool     // whether the images are bytes from 0 to 255 as they are
	Notes      []string // what is computed otherwise than the file says
	Int8       *Int8    // what the file has in whole numbers of eight bits, nil for nothing

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
	file, err := weights.Map(path, message.MaxBytes)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	var n *Network
	err = file.Guard(func() (err error) {
		n, err = Read(filepath.Base(path), file.Bytes(), filepath.Dir(path), o)
		return err
	})
	if err != nil {
		file.Close()
		return nil, err
	}
	n.Weights.file = file
	return n, nil
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
	n.Bytes, n.Notes, n.Int8 = l.bytes, l.notes, l.int8(n.Graph)
	return n, nil
}

func (n *Network) loader(name string) *loader {
	return &loader{
		file: name, folder: n.folder, m: n.m, values: map[string]any{}, known: map[string]*base{}, names: map[string]bool{},
		makers: map[string]int{}, weights: &Weights{name: name, params: map[string]param{}},
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
	shape, err := l.imageShape(in, x.H)
	switch {
	case err != nil:
		g.Fail("%w", err)
	case shape != x.Shape:
		g.Fail("%s takes images of %d×%d alone", l.file, shape.H, shape.W)
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
	batch        int  // of the file's input; a large prime where it varies
	last         bool // whether the file's images have their channels last
	bytes        bool // whether they are bytes
	luma         bool // whether a layer makes them grey
	first        *base
	makers       map[string]int // operators by the names of their results

	g      *nn.Builder
	values map[string]any // *tensor, *image, *scores or *statistic by name; nil for what a fault left out
	known  map[string]*base
	names  map[string]bool // of layers

	node    *message.Node
	index   int
	weights *Weights
	faults  []string
	notes   []string

	rounded []rounding
}

// anyBatch stands for a number of images that varies: no other size of a network is a multiple of it.
const anyBatch = 1000003

// A refused panic ends an operator.
type refused struct{ text string }

func (l *loader) refuse(format string, args ...any) {
	panic(refused{fmt.Sprintf(format, args...)})
}

// fault notes what an operator, or the file, has wrong.
func (l *loader) fault(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if l.node != nil {
		text = l.place() + ": " + text
	}
	if !slices.Contains(l.faults, text) { // a layer that two others wait for
		l.faults = append(l.faults, text)
	}
}

// note notes what is computed otherwise than the file says.
func (l *loader) note(text string) {
	if !slices.Contains(l.notes, text) {
		l.notes = append(l.notes, text)
	}
}

// title is an operator's name and what it is.
func (l *loader) title() string { return titleOf(l.node, l.index) }

func titleOf(n *message.Node, i int) string {
	name := n.Name
	if name == "" {
		name = fmt.Sprintf("node %d", i)
	}
	return fmt.Sprintf("%q (%s)", name, n.Op)
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
	shape, err := l.imageShape(in, o.Size)
	if err != nil {
		return nil, err
	}
	if o.Luma && shape.C == 1 {
		l.luma, shape.C = true, 3
	}
	name := l.m.Graph.Name
	g, err := nn.Build(name, func(g *nn.Builder, x nn.Value) nn.Value { return l.run(g, in.Name, x) },
		nn.Config{Size: shape.H, Input: shape, Classes: 1})
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

// run goes through the operators that the result needs.
func (l *loader) run(g *nn.Builder, input string, x nn.Value) (y nn.Value) {
	l.g = g
	defer func() {
		switch r := recover().(type) {
		case nil:
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
	if l.luma {
		x = g.Conv("luma", x, 1, nn.K(1))
		l.setFloats("luma.weight", func() ([]float32, error) { return []float32{0.299, 0.587, 0.114}, nil }, 1, 3, 1, 1)
		l.names["luma"] = true
	}
	l.first = l.made(x)
	images := l.planes(l.first)
	if l.last {
		images.v = images.v.permuted([]int{0, 2, 3, 1})
	}
	l.values[input] = images
	out := l.answers()
	needed := l.needed(out)
	for i := range graph.Nodes {
		if needed[i] {
			l.step(i)
		}
	}
	l.node = nil
	if len(l.faults) > 0 {
		return nn.Value{}
	}
	logits, ok := l.values[out].(*image)
	if !ok {
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
			at, made := l.makers[name]
			needed[i] = needed[i] || made && at == i && wanted[name]
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
	if !l.knows(n.Domain, n.Op) { // is a fault that was noted
		return
	}
	if call == nil || constant && folds[n.Op] == nil {
		l.refuse("an operator on constants alone")
	}
	for k := range in {
		if s, ok := in[k].(*statistic); ok && s.is == aMean && !onMeans[n.Op] {
			in[k] = l.meanImage(s)
		}
		if x, ok := in[k].(*image); ok && x.grid != (grid{}) && !onGrid[n.Op] {
			l.refuse("input %d is quantised, want DequantizeLinear before it", k)
		}
	}
	for k, v := range call(l, in) {
		if k < len(n.Out) && n.Out[k] != "" {
			l.values[n.Out[k]] = v
		}
	}
}
