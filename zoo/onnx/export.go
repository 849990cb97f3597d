package onnx

import (
	"fmt"
	"slices"
	"strconv"

	"zoobench/zoo/interp"
	"zoobench/zoo/nn"
	"zoobench/zoo/onnx/message"
)

// The names of the file's input and output.
const (
	inputName  = "x"
	outputName = "logits"
)

// exporter turns the nodes of a graph into operators.
type exporter struct {
	g    *nn.Graph
	src  Weights
	o    Options
	at   int         // the node that is being written
	fold map[int]int // by batch norm: the convolution that it becomes part of, and the other way round

	out   message.Graph
	made  map[string]fill // by tensor
	names map[string]int  // how often an operator's result was called so

	forms  []forms           // by node
	bytes  []forms           // by node: its value rounded for those that read it so
	consts map[int][]float32 // by node, (H,W,C)
}

// export writes all nodes. A value that no image reaches is a tensor.
func export(g *nn.Graph, src Weights, o Options) (*exporter, error) {
	e := &exporter{g: g, src: src, o: o, made: map[string]fill{}, names: map[string]int{}, forms: make([]forms, len(g.Nodes)),
		bytes: make([]forms, len(g.Nodes)), fold: map[int]int{}}
	var err error
	if e.consts, err = interp.Constants(g, src); err != nil {
		return nil, err
	}
	if o.Fold && o.Int8 == nil {
		e.findFolds()
	}
	for i := range g.Nodes {
		n := &g.Nodes[i]
		if n.Const {
			continue
		}
		write := writers[n.Op]
		if write == nil {
			return nil, fmt.Errorf("node %d: no ONNX operators for %v", i, n.Op)
		}
		e.at = i
		if o.Int8 != nil && o.Int8.Folded[i] {
			write = (*exporter).identity
		}
		write(e, n)
		e.roundMade()
	}
	e.finish()
	return e, nil
}

// finish gives the file's graph its name, its input and its output, the last operator's.
func (e *exporter) finish() {
	e.at = len(e.g.Nodes) - 1
	y := e.as(e.at, flat)
	if e.out.Nodes[len(e.out.Nodes)-1].Out[0] != y {
		e.op("Identity", y)
	}
	e.out.Nodes[len(e.out.Nodes)-1].Out[0] = outputName
	e.out.Name = e.g.Name
	e.out.Outputs = []message.Value{images(outputName, e.g.Output().C)}
}

// images is a value of float32 for any number of images.
func images(name string, dims ...int) message.Value {
	v := message.Value{Name: name, Type: message.Float32, Shaped: true, Dims: []message.Dim{{Name: "batch"}}}
	for _, d := range dims {
		v.Dims = append(v.Dims, message.Dim{Size: int64(d), Known: true})
	}
	return v
}

// writers write one node each; a test checks that every operation has one. What depends on parameters alone (Const, RelCoords,
// Resample) has none: it is a tensor.
var writers = map[nn.Op]func(*exporter, *nn.Node){
	nn.Input: (*exporter).input, nn.Conv: (*exporter).conv, nn.Linear: (*exporter).linear, nn.BatchNorm: (*exporter).batchNorm,
	nn.Activate: (*exporter).activate, nn.MaxPool: (*exporter).maxPool, nn.AvgPool: (*exporter).avgPool,
	nn.AdaptiveAvgPool: (*exporter).adaptiveAvgPool, nn.Add: (*exporter).add, nn.Mul: (*exporter).mul,
	nn.Concat: (*exporter).concat, nn.Flatten: (*exporter).flatten, nn.Unflatten: (*exporter).unflatten, nn.Identity: (*exporter).identity,
	nn.Slice: (*exporter).slice, nn.Shuffle: (*exporter).shuffle, nn.Affine: (*exporter).affine, nn.Pad: (*exporter).pad,
	nn.GroupNorm: (*exporter).groupNorm, nn.LayerNorm: (*exporter).layerNorm, nn.Scale: (*exporter).scale,
	nn.SplitSoftmax: (*exporter).splitSoftmax, nn.ChannelConv: (*exporter).channelConv, nn.Tokens: (*exporter).regrid,
	nn.Grid: (*exporter).regrid, nn.SliceTokens: (*exporter).sliceTokens, nn.ConcatTokens: (*exporter).concatTokens,
	nn.Attention: (*exporter).attention,
}

// op adds an operator and returns the name of its result: the layer's, or the operation's with its number, and the operator's.
func (e *exporter) op(op string, in ...string) string { return e.opWith(op, nil, in...) }

func (e *exporter) opWith(op string, attributes []message.Attribute, in ...string) string {
	n := &e.g.Nodes[e.at]
	layer := n.Name
	if layer == "" {
		layer = n.Op.String() + "_" + strconv.Itoa(e.at)
	}
	name := layer + "/" + op
	if e.names[name]++; e.names[name] > 1 {
		name += "_" + strconv.Itoa(e.names[name])
	}
	e.out.Nodes = append(e.out.Nodes, message.Node{Name: name, Op: op, In: in, Out: []string{name}, Attributes: attributes})
	return name
}

func (e *exporter) reshape(x string, dims ...int) string { return e.op("Reshape", x, e.ints(dims...)) }

func (e *exporter) transpose(x string, perm ...int) string {
	return e.opWith("Transpose", []message.Attribute{numbers("perm", perm...)}, x)
}

func (e *exporter) concatAt(axis int, xs ...string) string {
	return e.opWith("Concat", []message.Attribute{number("axis", axis)}, xs...)
}

func (e *exporter) sliceAt(x string, axis, from, to int) string {
	return e.op("Slice", x, e.ints(from), e.ints(to), e.ints(axis))
}

// readers are the nodes that read node i.
func (e *exporter) readers(i int) (all []int) {
	for r := range e.g.Nodes {
		if slices.Contains(e.g.Nodes[r].In, i) {
			all = append(all, r)
		}
	}
	return all
}
