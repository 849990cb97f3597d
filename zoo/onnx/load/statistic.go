package load

import (
	"math"

	"zoobench/zoo/nn"
)

// A statistic is a value on the way to a layer norm that is made of a mean and a variance of channels.
type statistic struct {
	x    *image
	axis int // of the channels
	is   int
	eps  float64
	w, b *tensor // factors and summands, nil for none
	dims []int
}

// What a statistic is. An exporter of TensorFlow's computes x·i + (b − mean·i) for the inverse i of the root, times the factors.
const (
	aMean       = iota
	aCentred    // x − mean
	aSquare     // of x − mean
	aVariance   // the mean of the square
	aVarianceUp // with epsilon
	aDeviation  // its root
	anInverse   // one over the root, maybe times factors
	aScaled     // x times the inverse
	aScaledMean // the mean times the inverse
	aRest       // summands less that
)

// mean is that of the channels of an image, which are its axis.
func (l *loader) mean(x *image, axis int) *statistic {
	dims := x.v.dims()
	dims[axis] = 1
	return &statistic{x: x, axis: axis, is: aMean, dims: dims}
}

// onMeans are the operators of a layer norm that a mean may be for.
var onMeans = map[string]bool{
	"Sub": true, "Mul": true, "Cast": true, "Identity": true, "QuantizeLinear": true, "DequantizeLinear": true, "Shape": true,
}

func (s *statistic) as(is int) *statistic {
	t := *s
	t.is = is
	return &t
}

// of reports whether two statistics are of one value, and this one is what is asked for.
func (s *statistic) of(other *statistic, is int) bool {
	return s.is == is && s.x.f == other.x.f && s.axis == other.axis && s.x.v.equal(other.x.v)
}

func (l *loader) powered(s *statistic, by float64) *statistic {
	switch {
	case s.is == aCentred && by == 2:
		return s.as(aSquare)
	case s.is == aVarianceUp && by == 0.5:
		return s.as(aDeviation)
	case s.is == aVarianceUp && by == -0.5 || s.is == aDeviation && by == -1:
		return s.as(anInverse)
	}
	l.refuse("power %v of a mean or a variance", by)
	return nil
}

func (l *loader) sqrt(in []any) []any {
	if s, ok := in[0].(*statistic); ok {
		return one(l.powered(s, 0.5))
	}
	return function(math.Sqrt)(l, in)
}

func (l *loader) reciprocal(in []any) []any {
	if s, ok := in[0].(*statistic); ok {
		return one(l.powered(s, -1))
	}
	return function(func(x float64) float64 { return 1 / x })(l, in)
}

func (l *loader) variance(s *statistic, over []bool, keep bool) *statistic {
	for i, is := range over {
		if is != (i == s.axis) || !keep || s.is != aSquare {
			l.refuse("a mean that no layer norm has")
		}
	}
	t := s.as(aVariance)
	t.dims = l.mean(s.x, s.axis).dims
	return t
}

// statistics is a sum, a difference, a product or a quotient on the way.
func (l *loader) statistics(op string, a, b any) any {
	s, first := a.(*statistic)
	t, second := b.(*statistic)
	switch {
	case first && second:
		return l.twoStatistics(op, s, t)
	case first:
		return l.statisticAnd(op, s, b)
	case op == "Add" || op == "Mul":
		return l.statisticAnd(op, t, a)
	}
	x, isImage := a.(*image)
	c, isTensor := a.(*tensor)
	switch {
	case op == "Sub" && isImage && t.is == aMean && t.x.f == x.f && t.x.v.equal(x.v):
		y := t.as(aCentred)
		y.dims = x.v.dims()
		return y
	case op == "Sub" && isTensor && t.is == aScaledMean:
		y := t.as(aRest)
		y.b = l.alongChannels(c, t.x)
		return y
	case op == "Div" && isTensor && t.is == aDeviation && count(c.dims) == 1 && l.scalar(c) == 1:
		return t.as(anInverse)
	}
	l.refuse("%s of a mean or a variance", op)
	return nil
}

func (l *loader) twoStatistics(op string, s, t *statistic) any {
	if op == "Mul" && s.is == anInverse {
		s, t = t, s
	}
	if op == "Add" && s.is == aRest {
		s, t = t, s
	}
	switch {
	case op == "Mul" && s.is == aCentred && t.of(s, aCentred):
		return s.as(aSquare)
	case op == "Div" && s.is == aCentred && t.of(s, aDeviation), op == "Mul" && s.is == aCentred && t.of(s, anInverse):
		return l.normed(t, t.w, nil)
	case op == "Mul" && s.is == aMean && t.of(s, anInverse):
		return t.as(aScaledMean)
	case op == "Add" && s.is == aScaled && t.of(s, aRest) && s.w == t.w:
		return l.normed(t, t.w, t.b)
	}
	l.refuse("%s of means or variances", op)
	return nil
}

func (l *loader) statisticAnd(op string, s *statistic, b any) any {
	c, isTensor := b.(*tensor)
	x, isImage := b.(*image)
	switch {
	case op == "Add" && s.is == aVariance && isTensor:
		y := s.as(aVarianceUp)
		y.eps = shortest(l.scalar(c))
		return y
	case op == "Mul" && s.is == anInverse && isTensor && s.w == nil:
		y := s.as(anInverse)
		y.w = l.alongChannels(c, s.x)
		return y
	case op == "Mul" && s.is == anInverse && isImage && s.x.f == x.f && s.x.v.equal(x.v):
		y := s.as(aScaled)
		y.dims = x.v.dims()
		return y
	}
	l.refuse("%s of a mean or a variance", op)
	return nil
}

// alongChannels is a constant beside an image as a number for each of its channels.
func (l *loader) alongChannels(t *tensor, x *image) *tensor {
	at, over, ok := reader(t.dims, x.v)
	if !ok || over[images] || over[row] || over[column] {
		l.refuse("a constant of shape %v beside %s, want a number for each channel", t.dims, l.shown(x.v.dims()))
	}
	return l.remap(t, []int{x.base().C}, func(i int) int { return at(&[numKinds]int{channel: i}) })
}

// normed is the layer norm that a statistic belongs to.
func (l *loader) normed(s *statistic, w, b *tensor) *image {
	x := l.inChannels(l.settled(s.x), s.axis)
	return x.with(l.normBase(x, w, b, s.eps))
}

// normBase is a layer norm that waits for its factors and summands.
func (l *loader) normBase(x *image, w, b *tensor, eps float64) *base {
	y := l.waiting(x.base().Shape, func() nn.Value { return l.value(l.normalised(x, l.filled(w, 1, x.base().C), b, eps).base()) })
	if w == nil && b == nil {
		y.mul = func(w *tensor) *base { return l.normBase(x, w, nil, eps) }
	}
	if b == nil {
		y.add = func(b *tensor) *base { return l.normBase(x, w, b, eps) }
	}
	return y
}

// filled is a tensor or, where there is none, one of n equal numbers.
func (l *loader) filled(t *tensor, v float32, n int) *tensor {
	if t != nil {
		return t
	}
	return l.remap(floating([]int{1}, v), []int{n}, func(int) int { return 0 })
}
