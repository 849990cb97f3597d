package load

import (
	"slices"

	"zoobench/zoo/nn"
)

// reduced are the axes that an operator reduces, and whether it keeps them with a size of 1.
func (l *loader) reduced(in []any) (over []bool, keep bool) {
	dims := l.dimsOf(in[0])
	axes, named := l.list(in, 1, "axes")
	if !named {
		l.refuse("a reduction of all images")
	}
	over = make([]bool, len(dims))
	for _, a := range axes {
		over[l.axis(a, len(dims))] = true
	}
	return over, l.int("keepdims", 1) != 0
}

// without is a view without the axes that are reduced.
func (v view) without(over []bool, keep bool) (w view) {
	for i, axis := range v {
		switch {
		case !over[i]:
			w = append(w, axis)
		case keep:
			w = append(w, nil)
		}
	}
	return w
}

// allChannels reports whether the axes that are reduced are one, all of the channels.
func (l *loader) allChannels(x *image, over []bool) (axis int, ok bool) {
	at, a := x.v.find(channel)
	if at < 0 || !over[at] || a.size != x.base().C || len(severally(x.v[at])) != 1 {
		return at, false
	}
	over = slices.Clone(over)
	over[at] = false
	return at, !slices.Contains(over, true)
}

// overPixels is an image that is reduced to one pixel by a layer, whatever order its pixels are in.
func (l *loader) overPixels(x *image, over []bool, keep bool, layer func(nn.Value) nn.Value) *image {
	x = l.settled(x)
	n := 1
	for i, axis := range x.v {
		for _, a := range axis {
			if over[i] && a.kind != row && a.kind != column {
				l.refuse("a reduction of axis %d of %s", i, l.shown(x.v.dims()))
			}
			if over[i] {
				n *= a.size
			}
		}
	}
	if s := x.base().Shape; n != s.H*s.W || n == 1 && !slices.Contains(over, true) {
		l.refuse("a reduction of a part of the pixels of %s", l.shown(x.v.dims()))
	}
	y := *x
	y.v = x.v.without(over, keep)
	y.roll = [numKinds]int{}
	y.f = leaf(l.made(layer(l.value(x.base()))))
	return &y
}

// overChannels is an image of one channel, each pixel made of its channels by a pool: of an image of one channel that has a row
// for each.
func (l *loader) overChannels(x *image, axis int, keep bool, pool func(nn.Value, nn.Kernel) nn.Value) *image {
	x = l.inChannels(l.settled(x), axis)
	s := x.base().Shape
	over := make([]bool, len(x.v))
	over[axis] = true
	v := l.value(x.base())
	rows := l.once(func() nn.Value { return l.g.Unflatten(l.g.Flatten(v), nn.Shape{C: 1, H: s.C, W: s.H * s.W}) }, "rows %p", x.base())
	y := *x
	y.v = x.v.without(over, keep)
	y.f = leaf(l.made(l.g.Grid(pool(rows.value, nn.KHW(s.C, 1).Valid()), s.H, s.W)))
	return &y
}

// reduceMean is the mean of all pixels, or what a layer norm begins with.
func (l *loader) reduceMean(in []any) []any {
	over, keep := l.reduced(in)
	if x, ok := in[0].(*statistic); ok {
		return one(l.variance(x, over, keep))
	}
	x := must[*image](l, in, 0)
	if axis, ok := l.allChannels(x, over); ok {
		if keep {
			return one(l.mean(x, axis))
		}
		return one(l.overChannels(x, axis, keep, l.g.AvgPool))
	}
	return one(l.overPixels(x, over, keep, l.g.GlobalAvgPool))
}

// meanImage is a mean of channels that no layer norm begins with.
func (l *loader) meanImage(s *statistic) *image {
	return l.overChannels(s.x, s.axis, true, l.g.AvgPool)
}

func (l *loader) reduceMax(in []any) []any {
	over, keep := l.reduced(in)
	x := must[*image](l, in, 0)
	if axis, ok := l.allChannels(x, over); ok {
		return one(l.overChannels(x, axis, keep, l.g.MaxPool))
	}
	return one(l.overPixels(x, over, keep, func(v nn.Value) nn.Value { return l.g.MaxPool(v, nn.KHW(v.H, v.W).Valid()) }))
}
