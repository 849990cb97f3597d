package load

import (
	"slices"

	"zoobench/zoo/nn"
)

// leaky is a ReLU that lets a share of the negative numbers pass: the sum of two functions that layers have.
func (l *loader) leaky(in []any) []any {
	alpha := l.float("alpha", 0.01)
	x := must[*image](l, in, 0)
	positive := l.each(x, func(x float64) float64 { return max(x, 0) })
	return one(l.images("Add", l.each(x, func(x float64) float64 { return alpha * x }),
		l.each(positive, func(x float64) float64 { return (1 - alpha) * x }), func(x, y float64) float64 { return x + y }))
}

// sloped is leaky with a share for each channel.
func (l *loader) sloped(in []any) []any {
	x, t := must[*image](l, in, 0), must[*tensor](l, in, 1)
	rest := l.elements(func(a, _ float64) float64 { return 1 - a }, false, t, wholes(nil, 0))[0].(*tensor)
	x = l.settled(x)
	positive := l.settled(l.each(x, functions[nn.ReLU]))
	plus := func(x, y float64) float64 { return x + y }
	return one(l.images("Add", l.withConstant("Mul", x, t), l.withConstant("Mul", positive, rest), plus))
}

func (l *loader) largest(in []any) []any {
	return l.limited(in, func(x, y float64) float64 { return max(x, y) })
}
func (l *loader) smallest(in []any) []any {
	return l.limited(in, func(x, y float64) float64 { return min(x, y) })
}

// limited is the larger or smaller of an image and a number.
func (l *loader) limited(in []any, f func(x, y float64) float64) []any {
	if len(in) == 1 {
		return one(must[*image](l, in, 0))
	}
	if _, ok := in[0].(*tensor); ok {
		in = slices.Clone(in)
		slices.Reverse(in)
	}
	if len(in) != 2 {
		l.refuse("%d inputs, want an image and a number", len(in))
	}
	x, limit := must[*image](l, in, 0), l.scalar(must[*tensor](l, in, 1))
	return one(l.each(x, func(x float64) float64 { return f(x, limit) }))
}

// average is a sum, divided.
func (l *loader) average(in []any) []any {
	x, ok := l.sum(in)[0].(*image)
	if !ok {
		l.refuse("a mean of products of queries and keys")
	}
	return one(l.each(x, func(x float64) float64 { return x / float64(len(in)) }))
}

func (l *loader) globalMaxPool(in []any) []any {
	v := l.inPlanes(must[*image](l, in, 0))
	return one(l.planes(l.made(l.g.MaxPool(v, nn.KHW(v.H, v.W).Valid()))))
}

// groupNorm has factors and summands for each channel or, before opset 21, for each group.
func (l *loader) groupNorm(in []any) []any {
	x, w, b := must[*image](l, in, 0), must[*tensor](l, in, 1), must[*tensor](l, in, 2)
	x = l.inChannels(l.settled(x), 1)
	c, groups := x.base().C, int(l.int("num_groups", 0))
	if groups < 1 || c%groups != 0 {
		l.refuse("%d groups of %d channels", groups, c)
	}
	each := func(t *tensor) *tensor {
		if n := count(t.dims); len(t.dims) != 1 || n != c && n != groups {
			l.refuse("factors of shape %v for %d channels in %d groups", t.dims, c, groups)
		}
		per := c / t.dims[0]
		return l.remap(t, []int{c}, func(i int) int { return i / per })
	}
	return one(x.with(l.groupBase(x.base(), groups, l.epsilon(), each(w), each(b))))
}
