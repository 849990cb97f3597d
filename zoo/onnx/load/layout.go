package load

import (
	"slices"

	"zoobench/zoo/nn"
	"zoobench/zoo/onnx/message"
)

// regrouped is an image, or products of an attention, with axes of other sizes.
func (l *loader) regrouped(v any, dims []int) []any {
	switch x := v.(type) {
	case *image:
		if x.pad != (nn.Edges{}) {
			x = l.settled(x)
		}
		y := *x
		w, ok := x.v.regroup(dims)
		if !ok {
			l.refuse("shape %s from %s, whose axes it cuts through", l.shown(dims), l.shown(x.v.dims()))
		}
		y.v = w
		return one(&y)
	case *scores:
		y := *x
		w, ok := x.v.regroup(dims)
		if !ok {
			l.refuse("shape %s from %s, whose axes it cuts through", l.shown(dims), l.shown(x.v.dims()))
		}
		y.v = w
		return one(&y)
	}
	l.refuse("input 0 is %s, want %s", what(v), what((*image)(nil)))
	return nil
}

func (l *loader) reshape(in []any) []any {
	return l.regrouped(in[0], l.reshaped(in, l.dimsOf(in[0])))
}

func (l *loader) flatten(in []any) []any {
	return l.regrouped(in[0], l.flattened(l.dimsOf(in[0])))
}

func (l *loader) transpose(in []any) []any {
	if x, ok := in[0].(*scores); ok {
		y := *x
		y.v = x.v.permuted(l.perm(len(x.v)))
		return one(&y)
	}
	x := must[*image](l, in, 0)
	y := *x
	y.v = x.v.permuted(l.perm(len(x.v)))
	return one(&y)
}

func (l *loader) unsqueeze(in []any) []any {
	x := must[*image](l, in, 0)
	y := *x
	y.v = nil
	for _, old := range l.unsqueezed(in, len(x.v)) {
		if old < 0 {
			y.v = append(y.v, nil)
		} else {
			y.v = append(y.v, x.v[old])
		}
	}
	return one(&y)
}

func (l *loader) squeeze(in []any) []any {
	x := must[*image](l, in, 0)
	var dims []int
	for _, i := range l.squeezed(in, x.v.dims()) {
		dims = append(dims, size(x.v[i]))
	}
	return l.regrouped(x, dims)
}

// expand changes nothing, or gives a constant to every image.
func (l *loader) expand(in []any) []any {
	x := must[*image](l, in, 0)
	dims, _ := l.list(in, 1, "shape")
	if !slices.Equal(l.broadcast(x.v.dims(), dims), x.v.dims()) {
		l.refuse("shape %s from %s", l.shown(dims), l.shown(x.v.dims()))
	}
	return one(x)
}

// part is an axis from up to, not including, to.
func (l *loader) part(x *image, axis, from, to int) *image {
	if from == 0 && to == size(x.v[axis]) {
		return x
	}
	if from >= to {
		l.refuse("elements %d to %d of axis %d, of which there are none", from, to, axis)
	}
	if x.pad != (nn.Edges{}) {
		x = l.settled(x)
	}
	if ordered(x.v[axis], x.base().Shape) && x.base().H > 1 && x.base().W > 1 {
		x = l.rowed(l.settled(x))
	}
	if a := x.v[axis]; len(a) > 1 && a[0].kind == channel && a[0].stride < a[1].stride {
		x = l.inChannels(l.settled(x), axis)
	}
	have := x.v[axis]
	n := to - from
	// A part along the slowest atom is whole steps of those behind it.
	inner := 1
	if len(have) > 0 {
		inner = size(have) / have[0].size
	}
	if len(have) == 0 || from%inner != 0 || n%inner != 0 || have[0].kind == images {
		l.refuse("elements %d to %d of axis %d of %s", from, to, axis, l.shown(x.v.dims()))
	}
	a := have[0]
	y := *x
	y.start[a.kind] += from / inner * a.stride
	var atoms []atom
	if n > inner {
		atoms = append(atoms, atom{a.kind, n / inner, a.stride})
	}
	y.v = x.v.replaced(axis, append(atoms, have[1:]...))
	return &y
}

func (l *loader) slice(in []any) []any {
	x := must[*image](l, in, 0)
	for axis, p := range l.ranges(in, x.v.dims()) {
		if p[2] != 1 {
			l.refuse("steps of %d", p[2])
		}
		x = l.part(x, axis, p[0], p[1])
	}
	return one(x)
}

// gather takes one element of an axis, or several that follow one another.
func (l *loader) gather(in []any) []any {
	x, index := must[*image](l, in, 0), must[*tensor](l, in, 1)
	axis := l.axis(int(l.int("axis", 0)), len(x.v))
	if !index.whole || len(index.ints) == 0 || len(index.dims) > 1 {
		l.refuse("an index of shape %v, want whole numbers", index.dims)
	}
	n := int64(size(x.v[axis]))
	first := index.ints[0]
	if first < 0 {
		first += n
	}
	for i, v := range index.ints {
		if v < 0 {
			v += n
		}
		if v != first+int64(i) || v < 0 || v >= n {
			l.refuse("elements %v of axis %d, want some that follow one another", index.ints[:min(len(index.ints), 8)], axis)
		}
	}
	x = l.part(x, axis, int(first), int(first)+len(index.ints))
	if len(index.dims) > 0 {
		return one(x)
	}
	y := *x
	if rest := x.v[axis]; len(rest) > 0 { // images alone
		l.refuse("one of the images")
	}
	y.v = slices.Delete(slices.Clone(x.v), axis, axis+1)
	return one(&y)
}

// split cuts an axis into parts, of equal sizes where it does not say them.
func (l *loader) split(in []any) []any {
	x := must[*image](l, in, 0)
	axis := l.axis(int(l.int("axis", 0)), len(x.v))
	n := size(x.v[axis])
	sizes, ok := l.list(in, 1, "split")
	if !ok {
		parts := len(l.node.Out)
		each := (n + parts - 1) / parts
		for rest := n; rest > 0; rest -= each {
			sizes = append(sizes, min(each, rest))
		}
	}
	var all []any
	from := 0
	for _, s := range sizes {
		if s < 1 || s > n-from {
			l.refuse("parts %v of %d elements", sizes, n)
		}
		all = append(all, l.part(x, axis, from, from+s))
		from += s
	}
	if from != n || len(all) != len(l.node.Out) {
		l.refuse("parts %v of %d elements for %d results", sizes, n, len(l.node.Out))
	}
	return all
}

func (l *loader) concat(in []any) []any {
	var like *image
	for _, v := range in {
		if x, ok := v.(*image); ok && like == nil {
			like = x
		}
	}
	axis := l.axis(int(l.int("axis", 0)), len(like.v))
	if y := l.rolled(in, axis); y != nil {
		return one(y)
	}
	var parts []*image
	tokens := false
	for k := range in {
		if x, ok := in[k].(*image); ok {
			x = l.settled(x)
			if len(x.v) != len(like.v) {
				l.refuse("values of %d and %d axes", len(like.v), len(x.v))
			}
			parts = append(parts, x)
			at, _ := x.v.find(channel)
			tokens = tokens || x.base().C > 1 && at != axis
			continue
		}
		parts = append(parts, nil)
	}
	if tokens {
		return one(l.concatTokens(in, parts, axis))
	}
	var values []nn.Value
	var first *image
	for k, x := range parts {
		if x == nil {
			l.refuse("input %d is a constant", k)
		}
		if len(x.v) == 4 && axis == 1 {
			x = l.gridded(x)
		} else {
			x = l.inChannels(x, axis)
		}
		if first == nil {
			first = x
		}
		if !x.v.replaced(axis, nil).equal(first.v.replaced(axis, nil)) || x.roll != first.roll {
			l.refuse("values of %s and %s", l.shown(first.v.dims()), l.shown(x.v.dims()))
		}
		values = append(values, l.value(x.base()))
	}
	y := first.with(l.made(l.g.Concat(values...)))
	y.v = first.v.replaced(axis, full(channel, y.base().C))
	return one(y)
}

// rolled is the image of which the inputs are two parts in another order, nil where they are not.
func (l *loader) rolled(in []any, axis int) *image {
	if len(in) != 2 {
		return nil
	}
	a, _ := in[0].(*image)
	b, _ := in[1].(*image)
	if a == nil || b == nil || a.f != b.f || len(a.v) != len(b.v) || len(a.v[axis]) != 1 {
		return nil
	}
	k := a.v[axis][0].kind
	n := a.extent(k)
	if k != row && k != column || a.v[axis][0].stride != 1 || b.start[k] != 0 || a.start[k] != size(b.v[axis]) ||
		size(a.v[axis])+size(b.v[axis]) != n || !a.v.replaced(axis, nil).equal(b.v.replaced(axis, nil)) {
		return nil
	}
	y := *a
	y.v = a.v.replaced(axis, full(k, n))
	y.start[k] = 0
	y.roll[k] = (a.roll[k] + a.start[k]) % n
	return &y
}

// concatTokens lays tokens behind one another, constant ones too.
func (l *loader) concatTokens(in []any, parts []*image, axis int) *image {
	var first *image
	for k, x := range parts {
		if x == nil {
			continue
		}
		x = l.rowed(x)
		l.unrolled(x)
		if have := x.v[axis]; !slices.Equal(have, full(column, x.base().W)) {
			l.refuse("an axis of %s that is no row of tokens", l.shown(x.v.dims()))
		}
		parts[k] = x
		if first == nil {
			first = x
		}
		if !x.v.replaced(axis, nil).equal(first.v.replaced(axis, nil)) {
			l.refuse("values of %s and %s", l.shown(first.v.dims()), l.shown(x.v.dims()))
		}
	}
	var values []nn.Value
	for k, x := range parts {
		if x != nil {
			values = append(values, l.value(x.base()))
			continue
		}
		t := must[*tensor](l, in, k)
		if len(t.dims) != len(first.v) {
			l.refuse("a constant of shape %v beside %s", t.dims, l.shown(first.v.dims()))
		}
		n := t.dims[axis]
		s := nn.Shape{C: first.base().C, H: 1, W: n}
		values = append(values, l.asValue(t, first.v.replaced(axis, full(column, n)), s))
	}
	y := first.with(l.made(l.g.ConcatTokens(values...)))
	y.v = first.v.replaced(axis, full(column, y.base().W))
	return y
}

// asValue is a constant as a value of a shape, seen as v.
func (l *loader) asValue(t *tensor, v view, s nn.Shape) nn.Value {
	at, over, ok := reader(t.dims, v)
	if !ok || over[images] && l.batch != 1 {
		l.refuse("a constant of shape %v beside %s", t.dims, l.shown(v.dims()))
	}
	name := l.unique(l.constantName(t))
	value := l.made(l.g.Const(name, s, 1, s.H*s.W, s.C)).value
	l.setFloats(name, func() ([]float32, error) {
		x, err := l.floats(t)
		if err != nil {
			return nil, err
		}
		y := make([]float32, 0, s.Elems())
		var place [numKinds]int
		for place[row] = range s.H {
			for place[column] = range s.W {
				for place[channel] = range s.C {
					y = append(y, x[at(&place)])
				}
			}
		}
		return y, nil
	}, 1, s.H*s.W, s.C)
	return value
}

func (l *loader) constantName(t *tensor) string {
	if t.name != "" {
		return t.name
	}
	return l.node.Op + "_constant"
}

func (l *loader) identity(in []any) []any { return one(in[0]) }

// dropout is none in evaluation.
func (l *loader) dropout(in []any) []any {
	if t := input[*tensor](l, in, 2); t != nil && l.scalar(t) != 0 {
		l.refuse("a dropout for training")
	}
	return one(in[0])
}

func (l *loader) cast(in []any) []any {
	switch to := message.Type(l.int("to", 0)); to {
	case message.Float32, message.Float64, message.Float16, message.BFloat16:
	default:
		l.refuse("values of images as type %d", to)
	}
	return one(in[0])
}
