package replay

import (
	"errors"
	"fmt"
	"slices"
)

// operators are those that package zoo/onnx writes.
var operators map[string]func(*operation) (*Value, error)

func init() {
	operators = map[string]func(*operation) (*Value, error){
		"Identity": first, "Reshape": reshape, "Flatten": flatten, "Transpose": transpose, "Concat": concat, "Slice": slice, "Gather": gather,
		"Expand": expand, "Shape": shape, "Pad": pad,
		"Relu": unary, "Sigmoid": unary, "HardSigmoid": unary, "HardSwish": unary, "Erf": unary, "Tanh": unary, "Gelu": unary,
		"Clip": clip, "Add": pairs, "Sub": pairs, "Mul": pairs, "Div": pairs, "Pow": pairs, "Sum": first,
		"Conv": conv, "Gemm": gemm, "MatMul": matMul, "MaxPool": pool, "AveragePool": pool, "GlobalAveragePool": globalMean, "ReduceMean": mean,
		"BatchNormalization": batchNorm, "LayerNormalization": layerNorm, "InstanceNormalization": instanceNorm, "Softmax": softmax,
		"QuantizeLinear": quantize, "DequantizeLinear": dequantize,
	}
}

// first is the only input as it is.
func first(o *operation) (*Value, error) {
	if len(o.in) != 1 {
		return nil, fmt.Errorf("%d inputs, want 1", len(o.in))
	}
	return o.in[0], nil
}

// as is a value's numbers in another shape.
func as(x *Value, dims ...int) *Value { return &Value{Dims: dims, Floats: x.Floats, Ints: x.Ints} }

func reshape(o *operation) (*Value, error) {
	x, dims := o.in[0], narrow(o.in[1].Ints)
	open, known := -1, 1
	for i, d := range dims {
		switch {
		case d == 0 && i < len(x.Dims):
			dims[i] = x.Dims[i]
		case d == -1:
			open = i
			continue
		}
		known *= dims[i]
	}
	if open >= 0 {
		dims[open] = count(x.Dims) / max(known, 1)
	}
	return as(x, dims...), nil
}

func flatten(o *operation) (*Value, error) {
	x, axis := o.in[0], o.int("axis", 1)
	return as(x, count(x.Dims[:axis]), count(x.Dims[axis:])), nil
}

// strides are the distances between neighbours along each axis.
func strides(dims []int) []int {
	s := make([]int, len(dims))
	n := 1
	for i, d := range slices.Backward(dims) {
		s[i], n = n, n*d
	}
	return s
}

// walk calls do for each element of a shape, in order, with an offset that moves by strides.
func walk(dims, strides []int, do func(i, offset int)) {
	at := make([]int, len(dims))
	offset := 0
	for i := range count(dims) {
		do(i, offset)
		for a := len(dims) - 1; a >= 0; a-- {
			at[a]++
			offset += strides[a]
			if at[a] < dims[a] {
				break
			}
			offset -= at[a] * strides[a]
			at[a] = 0
		}
	}
}

func transpose(o *operation) (*Value, error) {
	return turned(o.in[0], o.ints("perm")...), nil
}

func turned(x *Value, perm ...int) *Value {
	from := strides(x.Dims)
	y, step := &Value{Floats: make([]float32, len(x.Floats))}, make([]int, len(perm))
	for i, p := range perm {
		y.Dims, step[i] = append(y.Dims, x.Dims[p]), from[p]
	}
	walk(y.Dims, step, func(i, offset int) { y.Floats[i] = x.Floats[offset] })
	return y
}

func concat(o *operation) (*Value, error) {
	axis := o.axis(o.int("axis", 0))
	dims := slices.Clone(o.in[0].Dims)
	for _, x := range o.in[1:] {
		if len(x.Dims) != len(dims) {
			return nil, fmt.Errorf("shapes %v and %v", dims, x.Dims)
		}
		dims[axis] += x.Dims[axis]
	}
	y := &Value{Dims: dims}
	for i := range count(dims[:axis]) {
		for _, x := range o.in {
			part := count(x.Dims[axis:])
			if x.Ints != nil {
				y.Ints = append(y.Ints, x.Ints[i*part:(i+1)*part]...)
			} else {
				y.Floats = append(y.Floats, x.Floats[i*part:(i+1)*part]...)
			}
		}
	}
	return y, nil
}

func slice(o *operation) (*Value, error) {
	x, axis := o.in[0], o.axis(int(o.in[3].Ints[0]))
	from, to := int(o.in[1].Ints[0]), int(o.in[2].Ints[0])
	if len(o.in[1].Ints) != 1 || from < 0 || from > to || to > x.Dims[axis] {
		return nil, fmt.Errorf("%d to %d of %v", from, to, x.Dims)
	}
	return picked(x, axis, from, to), nil
}

// picked are the elements from from to to along an axis.
func picked(x *Value, axis, from, to int) *Value {
	y := &Value{Dims: slices.Clone(x.Dims)}
	y.Dims[axis] = to - from
	inner := count(x.Dims[axis+1:])
	for i := range count(x.Dims[:axis]) {
		row := x.Floats[i*x.Dims[axis]*inner:]
		y.Floats = append(y.Floats, row[from*inner:to*inner]...)
	}
	return y
}

func gather(o *operation) (*Value, error) {
	x, axis := o.in[0], o.axis(o.int("axis", 0))
	dims := slices.Clone(x.Dims)
	dims[axis] = len(o.in[1].Ints)
	inner, y := count(x.Dims[axis+1:]), floats(dims...)
	to := y.Floats
	for i := range count(x.Dims[:axis]) {
		for _, at := range o.in[1].Ints {
			if at < 0 || int(at) >= x.Dims[axis] {
				return nil, fmt.Errorf("element %d of %v", at, x.Dims)
			}
			to = to[copy(to, x.Floats[(i*x.Dims[axis]+int(at))*inner:][:inner]):]
		}
	}
	if len(o.in[1].Dims) == 0 {
		y.Dims = slices.Delete(y.Dims, axis, axis+1)
	}
	return y, nil
}

func expand(o *operation) (*Value, error) {
	dims, err := joined(o.in[0].Dims, narrow(o.in[1].Ints))
	if err != nil {
		return nil, err
	}
	y := floats(dims...)
	walk(dims, spread(o.in[0].Dims, dims), func(i, offset int) { y.Floats[i] = o.in[0].Floats[offset] })
	return y, nil
}

func shape(o *operation) (*Value, error) {
	dims := o.in[0].Dims
	dims = dims[o.int("start", 0):o.int("end", len(dims))]
	y := &Value{Dims: []int{len(dims)}}
	for _, d := range dims {
		y.Ints = append(y.Ints, int64(d))
	}
	return y, nil
}

// pad adds zeros around an image's planes, or cuts them where a number is negative.
func pad(o *operation) (*Value, error) {
	x, p := o.in[0], narrow(o.in[1].Ints)
	if len(x.Dims) != 4 || len(p) != 8 || p[0] != 0 || p[1] != 0 || p[4] != 0 || p[5] != 0 {
		return nil, errors.New("want planes")
	}
	h, w := x.Dims[2], x.Dims[3]
	y := floats(x.Dims[0], x.Dims[1], h+p[2]+p[6], w+p[3]+p[7])
	oh, ow := y.Dims[2], y.Dims[3]
	for plane := range x.Dims[0] * x.Dims[1] {
		for row := max(0, -p[2]); row < min(h, oh-p[2]); row++ {
			for column := max(0, -p[3]); column < min(w, ow-p[3]); column++ {
				y.Floats[(plane*oh+row+p[2])*ow+column+p[3]] = x.Floats[(plane*h+row)*w+column]
			}
		}
	}
	return y, nil
}

// joined is the shape that two shapes have together: sizes of one repeat.
func joined(a, b []int) ([]int, error) {
	if len(a) < len(b) {
		a, b = b, a
	}
	dims := slices.Clone(a)
	for i, d := range b {
		switch at := len(a) - len(b) + i; {
		case dims[at] == 1:
			dims[at] = d
		case d != 1 && d != dims[at]:
			return nil, fmt.Errorf("shapes %v and %v", a, b)
		}
	}
	return dims, nil
}

// spread are the strides of a value in a larger shape, 0 where it repeats.
func spread(dims, in []int) []int {
	s := make([]int, len(in))
	for i, step := range strides(dims) {
		if dims[i] > 1 {
			s[len(in)-len(dims)+i] = step
		}
	}
	return s
}
