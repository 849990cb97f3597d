package load

import (
	"fmt"

	"zoobench/zoo/nn"
	"zoobench/zoo/onnx/message"
)

// mostChannels is how many channels an image has at most whose file does not say where they are.
const mostChannels = 4

// imageShape is the shape of the input's images, whose rows and columns may be left open, and notes where the channels are and
// how many images the file takes.
func (l *loader) imageShape(in *message.Value, open int) (s nn.Shape, err error) {
	few := func(d message.Dim) bool { return d.Known && d.Size <= mostChannels }
	c, h, w := in.Dims[1], in.Dims[2], in.Dims[3]
	same := func(a, b message.Dim) bool { return a.Known && b.Known && a.Size == b.Size }
	if !few(c) && !same(h, w) && (few(w) || same(c, h)) || few(w) && !few(c) && same(c, h) {
		c, h, w, l.last = w, c, h, true
	}
	for _, d := range []struct {
		of   message.Dim
		open int
		to   *int
	}{{c, 3, &s.C}, {h, open, &s.H}, {w, open, &s.W}} {
		*d.to = d.open
		if d.of.Known {
			if d.of.Size < 1 || d.of.Size > 8192 {
				return s, l.failed(fmt.Sprintf("input %q: size %d, want 1 to 8192", in.Name, d.of.Size))
			}
			*d.to = int(d.of.Size)
		}
	}
	l.batch = anyBatch
	if d := in.Dims[0]; d.Known && d.Size > 0 && d.Size <= 4096 {
		l.batch = int(d.Size)
	}
	return s, nil
}

func (l *loader) failed(more ...string) error { return &Error{l.file, append(l.faults, more...)} }

// preparedProperty names the value that a file of zoobench's makes of an image's bytes: there the network begins.
const preparedProperty = "zoobench.input"

// input is the images that the network begins with.
func (l *loader) input() (*message.Value, error) {
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
	for _, p := range l.m.Properties {
		for i := range g.Values {
			if v := &g.Values[i]; p.Key == preparedProperty && v.Name == p.Value {
				in = v
			}
		}
	}
	if len(in.Dims) != 4 {
		return nil, l.failed(fmt.Sprintf("input %q: %d axes, want images, channels, rows and columns", in.Name, len(in.Dims)))
	}
	switch in.Type {
	case message.Float32, message.Float64:
	case message.Float16, message.BFloat16:
		l.note(halfNote)
	case message.Uint8:
		l.bytes = true
	default:
		return nil, l.failed(fmt.Sprintf("input %q: type %d, want floats or bytes", in.Name, in.Type))
	}
	return in, nil
}

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
	in, err := l.input()
	if err != nil {
		return nil, err
	}
	g := &l.m.Graph
	for i := range g.Nodes {
		for _, name := range g.Nodes[i].Out {
			if _, twice := l.makers[name]; !twice && name != "" && name != in.Name {
				l.makers[name] = i
			}
		}
	}
	l.survey(l.needed(l.answers()))
	if g.Sparse > 0 {
		l.faults = append(l.faults, fmt.Sprintf("%d sparse tensors", g.Sparse))
	}
	return in, nil
}

// answers is the name of the network's result: the file's, or what a softmax makes that of.
func (l *loader) answers() string {
	out := l.m.Graph.Outputs[0].Name
	for name := out; ; {
		i, made := l.makers[name]
		if !made || len(l.m.Graph.Nodes[i].In) == 0 {
			return out
		}
		n := &l.m.Graph.Nodes[i]
		axis := int64(-1)
		for _, a := range n.Attributes {
			if a.Name == "axis" {
				axis = a.Int
			}
		}
		switch {
		case n.Domain != "" && n.Domain != "ai.onnx":
			return out
		case (n.Op == "Softmax" || n.Op == "LogSoftmax") && (axis == -1 || axis == 1):
			return n.In[0]
		case n.Op != "Identity" && n.Op != "Cast" || l.makers[n.In[0]] >= i:
			return out
		}
		name = n.In[0]
	}
}
