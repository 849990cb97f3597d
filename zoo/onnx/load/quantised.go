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

// QuantisedNote is the note of a file of whole numbers of few bits.
const QuantisedNote = "the file computes with whole numbers of few bits between QuantizeLinear and DequantizeLinear; " +
	"here its weights are turned into float32, and values are not rounded so"

// typeRanges are what types of whole numbers can hold.
var typeRanges = map[message.Type][2]float64{
	message.Uint8: {0, 255}, message.Int8: {-128, 127}, message.Uint16: {0, 65535}, message.Int16: {-32768, 32767},
	message.Int32: {math.MinInt32, math.MaxInt32},
}

// gridOf is the grid of an operator for a value of an image, and the type of its numbers.
func (l *loader) gridOf(in []any) (g grid, of message.Type) {
	scales := must[*tensor](l, in, 1)
	l.checkScales(scales)
	g.by, of = l.scalar(scales), message.Uint8
	if t := input[*tensor](l, in, 2); t != nil {
		of = t.of
		l.checkZeros(t, of)
		g.zero = l.scalar(t)
	}
	if _, ok := typeRanges[of]; !ok || of == message.Int32 {
		l.refuse("a value of an image as numbers of type %d, want 8 or 16 bits", of)
	}
	return g, of
}

// checkScales refuses scales that are no steps.
func (l *loader) checkScales(t *tensor) {
	for i, v := range l.numbers(t) {
		if !(v > 0 && v <= math.MaxFloat32) {
			l.refuse("scale %d of %d is %v, want a number above 0", i, count(t.dims), v)
		}
	}
}

// checkZeros refuses zero points of another type than the numbers', or that are none of its numbers.
func (l *loader) checkZeros(t *tensor, of message.Type) {
	limits, ok := typeRanges[of]
	if !ok || t.of != of {
		l.refuse("zero points of type %d for numbers of type %d", t.of, of)
	}
	for i, v := range l.numbers(t) {
		if !(float64(v) >= limits[0] && float64(v) <= limits[1]) {
			l.refuse("zero point %d of %d is %v, want %v to %v", i, count(t.dims), v, limits[0], limits[1])
		}
	}
}

// ownProducer is the producer of zoobench's files.
const ownProducer = "zoobench"

// quantize is no rounding here. Where the smallest number stands for 0, other quantisers leave out the ReLU before it.
func (l *loader) quantize(in []any) []any {
	if _, ok := in[0].(*image); !ok { // in the middle of an attention or a layer norm
		return one(in[0])
	}
	x := must[*image](l, in, 0)
	g, of := l.gridOf(in)
	lowest := typeRanges[of][0]
	l.rounded = append(l.rounded, rounding{x.f, g, of})
	if g.zero == lowest && l.m.Producer != ownProducer {
		x = l.each(x, func(x float64) float64 { return max(x, 0) })
		l.rounded = append(l.rounded, rounding{x.f, g, of})
	}
	y := *x
	y.grid = g
	l.note(QuantisedNote)
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

// beside is a tensor of a number for each part of an axis, or a single one, as one that is broadcast to dims, and that axis.
func (l *loader) beside(t *tensor, dims []int) (*tensor, int) {
	if count(t.dims) == 1 {
		return t.shaped(nil), 0
	}
	axis := l.axis(int(l.int("axis", 1)), len(dims))
	if len(t.dims) != 1 || t.dims[0] != dims[axis] || l.int("block_size", 0) != 0 {
		l.refuse("scales of shape %v for %v, axis %d", t.dims, dims, axis)
	}
	wide := make([]int, len(dims))
	for i := range wide {
		wide[i] = 1
	}
	wide[axis] = t.dims[0]
	return t.shaped(wide), axis
}

func (l *loader) foldDequantize(in []any) []any {
	x, scales := must[*tensor](l, in, 0), must[*tensor](l, in, 1)
	l.checkScales(scales)
	by, axis := l.beside(scales, x.dims)
	s := &steps{scale: l.numbers(scales), axis: axis, of: x.of}
	whole := x
	if zero := input[*tensor](l, in, 2); zero != nil {
		l.checkZeros(zero, x.of)
		s.zero = l.numbers(zero)
		beside, _ := l.beside(zero, x.dims)
		x = l.elements(func(x, z float64) float64 { return x - z }, false, x, beside)[0].(*tensor)
	}
	if whole.of == message.Int32 && whole.whole {
		s.ints = whole.ints
	}
	l.note(QuantisedNote)
	y := l.elements(func(x, s float64) float64 { return x * s }, false, x, by)[0].(*tensor)
	y.steps = s
	return one(y)
}

func (l *loader) foldQuantize(in []any) []any {
	x, scales := must[*tensor](l, in, 0), must[*tensor](l, in, 1)
	l.checkScales(scales)
	by, _ := l.beside(scales, x.dims)
	zero := input[*tensor](l, in, 2)
	if zero == nil {
		zero = wholes(nil, 0)
		zero.of = message.Type(l.int("output_dtype", int64(message.Uint8)))
	}
	l.checkZeros(zero, zero.of)
	limits := typeRanges[zero.of]
	share := l.elements(func(x, s float64) float64 { return x / s }, false, x, by)[0].(*tensor)
	beside, _ := l.beside(zero, x.dims)
	y := l.elements(func(x, z float64) float64 {
		return min(max(math.RoundToEven(x)+z, limits[0]), limits[1])
	}, false, share, beside)[0].(*tensor)
	y.of = zero.of
	return one(y)
}
