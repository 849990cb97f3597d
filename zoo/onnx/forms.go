package onnx

import (
	"strconv"

	"zoobench/zoo/nn"
)

// form is how the elements of a value of (C,H,W) lie in the file.
type form uint8

// The forms. A value of one pixel has any of them for the price of a Reshape.
const (
	planes form = iota // (N,C,H,W)
	last               // (N,H,W,C)
	tokens             // (N,H·W,C)
	flat               // (N,C), of one pixel only
	numForms
)

// forms are the names of a value in the forms that the file has it in, and the first of them.
type forms struct {
	name [numForms]string
	own  form
}

// dims are a form's dimensions behind the first.
func (f form) dims(s nn.Shape) []int {
	switch f {
	case planes:
		return []int{s.C, s.H, s.W}
	case last:
		return []int{s.H, s.W, s.C}
	case tokens:
		return []int{s.H * s.W, s.C}
	}
	return []int{s.C}
}

// channels is the axis of channels.
func (f form) channels() int {
	if f == planes {
		return 1
	}
	return -1
}

// put is the value of the node that is being written.
func (e *exporter) put(f form, name string) {
	v := &e.forms[e.at]
	v.own = f
	v.name[f] = name
}

// onePixel reports whether a shape is a vector.
func onePixel(s nn.Shape) bool { return s.H == 1 && s.W == 1 }

// ownForm is the form that the file has a value in.
func (e *exporter) ownForm(i int) form {
	if e.g.Nodes[i].Const {
		return tokens
	}
	return e.forms[i].own
}

// as is a node's value in a form, which the file gets if it does not have it. Values that no image reaches have one image.
func (e *exporter) as(i int, f form) string {
	v := &e.forms[i]
	if v.name == [numForms]string{} {
		v.own, v.name[tokens] = tokens, e.constant(i)
	}
	if rounded := e.roundedFor(i); rounded != nil {
		v = rounded
	}
	if v.name[f] == "" {
		v.name[f] = e.convert(v.name[v.own], v.own, f, e.g.Nodes[i].Out)
	}
	return v.name[f]
}

// convert takes a value of a shape from one form to another.
func (e *exporter) convert(x string, from, to form, s nn.Shape) string {
	lay := func(f form) { x = e.reshape(x, append([]int{0}, f.dims(s)...)...) }
	switch {
	case onePixel(s) || from != planes && to != planes:
		lay(to)
	case from == planes && to == last:
		x = e.transpose(x, 0, 2, 3, 1)
	case from == planes:
		x = e.transpose(e.reshape(x, 0, s.C, s.H*s.W), 0, 2, 1)
	case from == last:
		x = e.transpose(x, 0, 3, 1, 2)
	default:
		x = e.transpose(x, 0, 2, 1)
		lay(planes)
	}
	return x
}

// constant is the value of a node that no image reaches, as tokens of one image: the parameter itself where it is one.
func (e *exporter) constant(i int) string {
	n := &e.g.Nodes[i]
	dims := append([]int{1}, tokens.dims(n.Out)...)
	if n.Op != nn.Const {
		name := n.Op.String() + "_" + strconv.Itoa(i)
		if from := e.parameterOf(i); from != "" {
			name = from + "/" + n.Op.String()
		}
		return e.floats(name, e.consts[i], dims...)
	}
	x := e.param(n.Weight)
	if have := e.g.Params[n.Weight].Shape; len(have) == 3 && have[0] == 1 && have[1] == dims[1] {
		return x
	}
	return e.reshape(x, dims...)
}

// parameterOf is the parameter from which a resampled table of positions comes, "" for other values.
func (e *exporter) parameterOf(i int) string {
	n := &e.g.Nodes[i]
	if n.Op == nn.Resample {
		if from := &e.g.Nodes[n.In[0]]; from.Op == nn.Const {
			return from.Name
		}
	}
	return ""
}

// spread gives a row of a number for each channel the shape that it needs beside a value of this form.
func (f form) spread() []int {
	if f == planes {
		return []int{-1, 1, 1}
	}
	return []int{-1}
}
