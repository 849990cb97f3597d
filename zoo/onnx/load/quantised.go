package load

import (
	"math"

	"zoobench/zoo/onnx/message"
)

// A grid is what whole numbers of eight or sixteen bits stand for: by times their distance from zero. by is 0 for none.
type grid struct{ by, zero float64 }

// onGrid are the operators that take values of images on a grid.
var onGrid = map[string]bool{
	"DequantizeLinear": true, "MaxPool": true, "Reshape": true, "Flatten": true, "Transpose": true, "Squeeze": true, "Unsqueeze": true,
	"Slice": true, "Split": true, "Gather": true, "Identity": true, "Shape": true, "Size": true, "Concat": true,
}

const quantisedNote = "the file computes with whole numbers of few bits between QuantizeLinear and DequantizeLinear; " +
	"here its weights are turned into float32, and values are not rounded so"

// ranges are what types of whole numbers can hold.
var typeRanges = map[message.Type][2]float64{
	message.Uint8: {0, 255}, message.Int8: {-128, 127}, message.Uint16: {0, 65535}, message.Int16: {-32768, 32767},
}

// gridOf is the grid of an operator for a value of an image, and the range of its type.
func (l *loader) gridOf(in []any) (g grid, limits [2]float64) {
	g.by = l.scalar(must[*tensor](l, in, 1))
	of := message.Uint8
	if t := input[*tensor](l, in, 2); t != nil {
		g.zero, of = l.scalar(t), t.of
	}
	limits, ok := typeRanges[of]
	if !(g.by > 0) || !ok {
		l.refuse("scale %v for numbers of type %d", g.by, of)
	}
	return g, limits
}

// quantize is no rounding here. Where the smallest number stands for 0, quantisers leave out the ReLU before it.
func (l *loader) quantize(in []any) []any {
	if _, ok := in[0].(*image); !ok { // in the middle of an attention or a layer norm
		return one(in[0])
	}
	x := must[*image](l, in, 0)
	g, limits := l.gridOf(in)
	if g.zero == limits[0] {
		x = l.each(x, func(x float64) float64 { return max(x, 0) })
	}
	y := *x
	y.grid = g
	l.note(quantisedNote)
	return one(&y)
}

func (l *loader) dequantize(in []any) []any {
	if _, ok := in[0].(*image); !ok {
		return one(in[0])
	}
	x := must[*image](l, in, 0)
	g, _ := l.gridOf(in)
	switch {
	case x.grid == g:
		y := *x
		y.grid = grid{}
		return one(&y)
	case x.grid == grid{} && l.bytes && x.base() == l.first:
		return one(l.each(x, func(x float64) float64 { return (x - g.zero) * g.by }))
	}
	l.refuse("numbers that were not quantised by the same scale")
	return nil
}

// beside is a tensor of a number for each part of an axis, or a single one, as one that is broadcast to dims.
func (l *loader) beside(t *tensor, dims []int) *tensor {
	if count(t.dims) == 1 {
		return t.shaped(nil)
	}
	axis := l.axis(int(l.int("axis", 1)), len(dims))
	if len(t.dims) != 1 || t.dims[0] != dims[axis] || l.int("block_size", 0) != 0 {
		l.refuse("scales of shape %v for %v", t.dims, dims)
	}
	wide := make([]int, len(dims))
	for i := range wide {
		wide[i] = 1
	}
	wide[axis] = t.dims[0]
	return t.shaped(wide)
}

func (l *loader) foldDequantize(in []any) []any {
	x, by := must[*tensor](l, in, 0), l.beside(must[*tensor](l, in, 1), must[*tensor](l, in, 0).dims)
	if zero := input[*tensor](l, in, 2); zero != nil {
		x = l.elements(func(x, z float64) float64 { return x - z }, false, x, l.beside(zero, x.dims))[0].(*tensor)
	}
	l.note(quantisedNote)
	return l.elements(func(x, s float64) float64 { return x * s }, false, x, by)
}

func (l *loader) foldQuantize(in []any) []any {
	x := must[*tensor](l, in, 0)
	by := l.beside(must[*tensor](l, in, 1), x.dims)
	zero := input[*tensor](l, in, 2)
	if zero == nil {
		zero = wholes(nil, 0)
		zero.of = message.Type(l.int("output_dtype", int64(message.Uint8)))
	}
	limits, ok := typeRanges[zero.of]
	if !ok {
		l.refuse("numbers of type %d", zero.of)
	}
	share := l.elements(func(x, s float64) float64 { return x / s }, false, x, by)[0].(*tensor)
	y := l.elements(func(x, z float64) float64 {
		return min(max(math.RoundToEven(x)+z, limits[0]), limits[1])
	}, false, share, l.beside(zero, x.dims))[0].(*tensor)
	y.of = zero.of
	return one(y)
}
