package load

import (
	"math"

	"zoobench/zoo/nn"
)

// A statistic is a value on the way to a layer norm that is made of a mean and a variance of channels.
type statistic struct {
	x    *image
	is   int
	eps  float64
	dims []int
}

// What a statistic is.
const (
	aMean       = iota
	aCentred    // x − mean
	aSquare     // of x − mean
	aVariance   // the mean of the square
	aVarianceUp // with epsilon
	aDeviation  // its root
	aWeighted   // of (x − mean)/root, which waits for its factors
)

// mean is that of the channels of an image whose last axis they are.
func (l *loader) mean(x *image) *statistic {
	dims := x.v.dims()
	dims[len(dims)-1] = 1
	return &statistic{x: x, is: aMean, dims: dims}
}

func (s *statistic) as(is int) *statistic {
	t := *s
	t.is = is
	return &t
}

// centred is x − mean.
func (l *loader) centred(x *image, mean *statistic) *statistic {
	if mean.is != aMean || mean.x.f != x.f || !mean.x.v.equal(x.v) {
		l.refuse("a mean of another value")
	}
	s := mean.as(aCentred)
	s.dims = x.v.dims()
	return s
}

func (l *loader) powered(s *statistic, by float64) *statistic {
	switch {
	case s.is == aCentred && by == 2:
		return s.as(aSquare)
	case s.is == aVarianceUp && by == 0.5:
		return s.as(aDeviation)
	}
	l.refuse("power %v of a mean or a variance", by)
	return nil
}

func (l *loader) sqrt(in []any) []any {
	if s, ok := in[0].(*statistic); ok && s.is == aVarianceUp {
		return one(s.as(aDeviation))
	}
	return function(math.Sqrt)(l, in)
}

func (l *loader) reciprocal(in []any) []any {
	return function(func(x float64) float64 { return 1 / x })(l, in)
}

func (l *loader) variance(s *statistic, over []bool, keep bool) *statistic {
	for i, is := range over {
		if is != (i == len(over)-1) || !keep || s.is != aSquare {
			l.refuse("a mean that no layer norm has")
		}
	}
	t := s.as(aVariance)
	t.dims = l.mean(s.x).dims
	return t
}

// statistics is a sum or a product on the way.
func (l *loader) statistics(op string, a, b any) any {
	s, ok := a.(*statistic)
	other := b
	if !ok {
		s, other = b.(*statistic), a
	}
	t, constant := other.(*tensor)
	switch {
	case op == "Mul" && s.is == aCentred && other == any(s):
		return s.as(aSquare)
	case op == "Add" && s.is == aVariance && constant:
		y := s.as(aVarianceUp)
		y.eps = shortest(l.scalar(t))
		return y
	case op == "Mul" && s.is == aWeighted && constant && len(t.dims) == 1:
		x := l.inLast(s.x)
		return x.with(l.normBase(x, t, nil, s.eps))
	}
	l.refuse("%s of a mean or a variance", op)
	return nil
}

// divided is what a layer norm multiplies by its factors.
func (l *loader) divided(in []any) any {
	a, b := in[0].(*statistic), in[1]
	if s, ok := b.(*statistic); ok && a.is == aCentred && s.is == aDeviation && s.x.f == a.x.f {
		y := s.as(aWeighted)
		y.dims = a.dims
		return y
	}
	l.refuse("Div of a mean or a variance")
	return nil
}

// normBase is a layer norm that waits for its summands.
func (l *loader) normBase(x *image, w, b *tensor, eps float64) *base {
	y := &base{Shape: x.base().Shape}
	if b == nil {
		y.add = func(b *tensor) *base { return l.normBase(x, w, b, eps) }
	}
	node, index := l.node, l.index
	y.build = func() (v nn.Value) {
		now, at := l.node, l.index
		l.node, l.index = node, index
		v = l.value(l.normalised(x, w, b, eps).base())
		l.node, l.index = now, at
		return v
	}
	return y
}
