package load

import (
	"math"
	"slices"

	"zoobench/zoo/nn"
)

// function is an operator of one element.
func function(f func(float64) float64) func(*loader, []any) []any {
	return func(l *loader, in []any) []any { return one(l.each(must[*image](l, in, 0), f)) }
}

// each is an image with a function of each element.
func (l *loader) each(x *image, f func(float64) float64) *image {
	if x.pad != (nn.Edges{}) {
		x = l.settled(x)
	}
	y := *x
	y.f = l.apply(l.node.Op, x.f, nil, func(x, _ float64) float64 { return f(x) })
	return &y
}

func (l *loader) hardSigmoid(in []any) []any {
	alpha, beta := l.float("alpha", 0.2), l.float("beta", 0.5)
	return function(func(x float64) float64 { return min(max(alpha*x+beta, 0), 1) })(l, in)
}

func (l *loader) clip(in []any) []any {
	lo, hi := l.float("min", math.Inf(-1)), l.float("max", math.Inf(1))
	if t := input[*tensor](l, in, 1); t != nil {
		lo = l.scalar(t)
	}
	if t := input[*tensor](l, in, 2); t != nil {
		hi = l.scalar(t)
	}
	return function(func(x float64) float64 { return min(max(x, lo), hi) })(l, in)
}

func (l *loader) gelu(in []any) []any {
	act := nn.GELU
	switch form := l.text("approximate", "none"); form {
	case "none":
	case "tanh":
		act = nn.GELUTanh
	default:
		l.refuse("approximate %q", form)
	}
	return function(functions[act])(l, in)
}

func (l *loader) add(in []any) []any {
	return one(l.two(in, func(x, y float64) float64 { return x + y }))
}

func (l *loader) mul(in []any) []any {
	return one(l.two(in, func(x, y float64) float64 { return x * y }))
}

func (l *loader) sub(in []any) []any {
	return one(l.two(in, func(x, y float64) float64 { return x - y }))
}

func (l *loader) div(in []any) []any {
	return one(l.two(in, func(x, y float64) float64 { return x / y }))
}

func (l *loader) pow(in []any) []any {
	t := must[*tensor](l, in, 1)
	by := l.scalar(t)
	if x, ok := in[0].(*statistic); ok {
		return one(l.powered(x, by))
	}
	return one(l.each(must[*image](l, in, 0), func(x float64) float64 { return math.Pow(x, by) }))
}

// sum adds any number of values up.
func (l *loader) sum(in []any) []any {
	if len(in) == 1 { // the zeros of a Pad before it count
		return one(l.settled(must[*image](l, in, 0)))
	}
	y := must[any](l, in, 0)
	for _, x := range in[1:] {
		y = l.two([]any{y, x}, func(x, y float64) float64 { return x + y })
	}
	return one(y)
}

// two is an operator of two values, by name and by what it does with each element. Sum adds.
func (l *loader) two(in []any, f func(x, y float64) float64) any {
	if len(in) != 2 || in[0] == nil || in[1] == nil {
		l.refuse("an input is left out")
	}
	op := l.node.Op
	if op == "Sum" || op == "Mean" {
		op = "Add"
	}
	a, b := in[0], in[1]
	if s, ok := a.(*scores); ok {
		return l.scored(op, s, must[*tensor](l, in, 1))
	}
	if s, ok := b.(*scores); ok && (op == "Add" || op == "Mul") {
		return l.scored(op, s, must[*tensor](l, in, 0))
	}
	if _, ok := a.(*statistic); ok {
		return l.statistics(op, a, b)
	}
	if _, ok := b.(*statistic); ok {
		return l.statistics(op, a, b)
	}
	if t, ok := a.(*tensor); ok {
		x := must[*image](l, in, 1)
		if count(t.dims) == 1 && len(t.dims) <= len(x.v) {
			c := l.scalar(t)
			return l.each(x, func(x float64) float64 { return f(c, x) })
		}
		if op != "Add" && op != "Mul" {
			l.refuse("%s from a constant of shape %v", op, t.dims)
		}
		return l.withConstant(op, x, t)
	}
	x := must[*image](l, in, 0)
	if t, ok := b.(*tensor); ok {
		if count(t.dims) == 1 && len(t.dims) <= len(x.v) {
			c := l.scalar(t)
			return l.each(x, func(x float64) float64 { return f(x, c) })
		}
		switch op {
		case "Sub":
			return l.withConstant("Add", x, l.scaled(t, -1))
		case "Div":
			inverse := l.elements(func(x, _ float64) float64 { return 1 / x }, false, t, wholes(nil, 0))[0].(*tensor)
			return l.withConstant("Mul", x, inverse)
		}
		return l.withConstant(op, x, t)
	}
	return l.images(op, x, must[*image](l, in, 1), f)
}

// withConstant adds a constant to an image, or multiplies it by one: a number for each channel, or one for each element.
func (l *loader) withConstant(op string, x *image, t *tensor) *image {
	x = l.settled(x)
	_, over, ok := reader(t.dims, x.v)
	if !ok || over[images] && l.batch != 1 {
		l.refuse("a constant of shape %v beside %s", t.dims, l.shown(x.v.dims()))
	}
	if over[row] || over[column] {
		l.unrolled(x)
		v := l.value(x.base())
		c := l.asValue(t, x.v, x.base().Shape)
		if op == "Add" {
			return x.with(l.made(l.g.Add(v, c)))
		}
		return x.with(l.made(l.g.Mul(v, c)))
	}
	at, _, _ := reader(t.dims, x.v)
	c := x.base().C
	vector := t
	if !slices.Equal(t.dims, []int{c}) {
		vector = l.remap(t, []int{c}, func(i int) int { return at(&[numKinds]int{channel: i}) })
	}
	b := x.base()
	switch {
	case op == "Add" && b.add != nil:
		return x.with(b.add(vector))
	case op == "Mul" && b.mul != nil:
		return x.with(b.mul(vector))
	case op == "Add":
		return x.with(l.channelBase(b, nil, vector))
	}
	return x.with(l.channelBase(b, vector, nil))
}

// channelBase multiplies each channel and adds to it: a layer scale where it only multiplies.
func (l *loader) channelBase(in *base, factor, summand *tensor) *base {
	v := l.value(in)
	if summand == nil {
		name := l.constantName(factor)
		y := l.waiting(in.Shape, func() nn.Value {
			name := l.unique(name)
			l.set(name, factor, in.C)
			return l.g.Scale(name, v)
		})
		y.add = func(t *tensor) *base { return l.channelBase(in, factor, t) }
		return y
	}
	wide := func(t *tensor) (x []float64) {
		if t != nil {
			for _, v := range l.numbers(t) {
				x = append(x, float64(v))
			}
		}
		return x
	}
	return l.waiting(in.Shape, func() nn.Value { return l.g.Affine(v, wide(factor), wide(summand)) })
}

// images adds or multiplies two.
func (l *loader) images(op string, x, y *image, f func(x, y float64) float64) *image {
	if x.f.base == y.f.base && x.v.equal(y.v) && x.start == y.start && x.roll == y.roll && x.pad == y.pad && x.pad == (nn.Edges{}) {
		z := *x
		z.f = l.apply(op, x.f, y.f, f)
		return &z
	}
	if op == "Sub" {
		minus := l.each(y, func(v float64) float64 { return -v })
		return l.images("Add", x, minus, func(x, y float64) float64 { return x + y })
	}
	if op != "Add" && op != "Mul" {
		l.refuse("%s of two values that depend on the image", op)
	}
	x, y = l.settled(x), l.settled(y)
	if op == "Mul" {
		if l.gates(x, y) {
			return x.with(l.made(l.g.Mul(l.value(x.base()), l.value(y.base()))))
		}
		if l.gates(y, x) {
			return y.with(l.made(l.g.Mul(l.value(y.base()), l.value(x.base()))))
		}
		if l.dims(x, y) {
			return l.dimmed(x, y)
		}
		if l.dims(y, x) {
			return l.dimmed(y, x)
		}
	}
	if !x.v.equal(y.v) || x.base().Shape != y.base().Shape || x.roll != y.roll {
		x, y = l.alike(x, y)
	}
	a, b := l.value(x.base()), l.value(y.base())
	if op == "Add" {
		return x.with(l.made(l.g.Add(a, b)))
	}
	return x.with(l.made(l.g.Mul(a, b)))
}

// alike are two settled images as values of one shape.
func (l *loader) alike(x, y *image) (*image, *image) {
	if len(x.v) != len(y.v) || l.shown(x.v.dims()) != l.shown(y.v.dims()) {
		l.refuse("values of %s and %s", l.shown(x.v.dims()), l.shown(y.v.dims()))
	}
	if at, _ := x.v.find(channel); len(x.v) == 4 && at == 1 {
		x, y = l.gridded(x), l.gridded(y)
	} else {
		x, y = l.rowed(x), l.rowed(y)
	}
	if !x.v.equal(y.v) || x.base().Shape != y.base().Shape || x.roll != y.roll {
		l.refuse("values of %s and %s, whose elements are in another order", l.shown(x.v.dims()), l.shown(y.v.dims()))
	}
	return x, y
}

// gates reports whether y is a number for each channel of x.
func (l *loader) gates(x, y *image) bool {
	if s := y.base().Shape; s.H != 1 || s.W != 1 || s.C != x.base().C || len(y.v) > len(x.v) || x.base().Shape == s {
		return false
	}
	for i, axis := range y.v {
		have := x.v[i+len(x.v)-len(y.v)]
		if len(axis) > 0 && len(axis) != len(have) {
			return false
		}
		for k := range axis {
			if axis[k] != have[k] {
				return false
			}
		}
	}
	at, _ := y.v.find(images)
	return at >= 0 || l.batch == 1
}

// dims reports whether y is a number for each pixel of x, the same for all channels.
func (l *loader) dims(x, y *image) bool {
	at, _ := x.v.find(channel)
	s := x.base().Shape
	return at >= 0 && s.C > 1 && y.base().Shape == nn.Shape{C: 1, H: s.H, W: s.W} && y.v.equal(x.v.replaced(at, nil)) && x.roll == y.roll
}

// dimmed is x by a number for each pixel.
func (l *loader) dimmed(x, y *image) *image {
	a, b := l.value(x.base()), l.value(y.base())
	b = l.g.AdaptiveAvgPool(l.g.Tokens(b), a.C, a.H*a.W) // the same row for each channel
	return x.with(l.made(l.g.Mul(a, l.g.Unflatten(l.g.Flatten(b), a.Shape))))
}
