package load

import (
	"fmt"
	"math"
	"slices"

	"zoobench/zoo/nn"
	"zoobench/zoo/onnx/message"
)

// A base is a value of the graph. Layers whose parameters come in several operators are built when somebody wants their result:
// a product and the sum that is its bias, say.
type base struct {
	nn.Shape
	value nn.Value
	build func() nn.Value // nil where value is there
	leaf  *fn

	// Of a layer that is not built: its operator, and what takes a factor or a summand for each channel in; nil where it cannot.
	node     *message.Node
	index    int
	mul, add func(*tensor) *base
	bin      func(columns int) *base // takes the means of columns in; nil where it cannot
}

// waiting is the base of a layer that is built when somebody wants its result.
func (l *loader) waiting(s nn.Shape, build func() nn.Value) *base {
	return &base{Shape: s, build: build, node: l.node, index: l.index}
}

func (l *loader) value(b *base) nn.Value {
	if b.build != nil {
		node, index := l.node, l.index
		l.node, l.index = b.node, b.index // whose fault it is
		b.value = l.built(b.build())
		l.node, l.index = node, index
		b.build, b.mul, b.add, b.bin = nil, nil, nil, nil
	}
	return b.value
}

// made is the base of a value that was added to the graph.
func (l *loader) made(v nn.Value) *base {
	l.built(v)
	return &base{Shape: v.Shape, value: v}
}

// built is a fault where the builder refused a layer, or where one is larger than any image.
func (l *loader) built(v nn.Value) nn.Value {
	if err := l.g.Refused(); err != nil {
		l.refuse("%v", err)
	}
	if v.C > maxElems/v.H/v.W {
		l.refuse("%v elements for an image, want at most %d", v.Shape, maxElems)
	}
	return v
}

// once makes what is asked for several times only once.
func (l *loader) once(make func() nn.Value, format string, args ...any) *base {
	key := fmt.Sprintf(format, args...)
	if b := l.known[key]; b != nil {
		return b
	}
	b := l.made(make())
	l.known[key] = b
	return b
}

// An image is a value that depends on the image: a function of each element of a base, seen in an order.
type image struct {
	f     *fn
	v     view
	start [numKinds]int // where a part begins: the view does not have all of that kind
	roll  [numKinds]int // by how much rows and columns moved up and left
	pad   nn.Edges      // zeros around it that the view has already
	grid  grid          // of whole numbers that stand for the values
}

func (x *image) base() *base { return x.f.base }

// whole reports whether the view has all of a kind.
func (x *image) whole(k kind) bool { return x.v.covers(k) == x.extent(k) }

// extent is how many elements of a kind the base has.
func (x *image) extent(k kind) int {
	s := x.base().Shape
	switch k {
	case channel:
		return s.C
	case row:
		return s.H
	}
	return s.W
}

// with is the same view of another base of the same shape.
func (x *image) with(b *base) *image {
	y := *x
	y.f = leaf(b)
	return &y
}

// planes are all of a base as (N,C,H,W).
func (l *loader) planes(b *base) *image {
	return &image{f: leaf(b), v: view{full(images, l.batch), full(channel, b.C), full(row, b.H), full(column, b.W)}}
}

// settled is an image whose function, padding and part are values of the graph.
func (l *loader) settled(x *image) *image {
	x = x.with(l.realise(x.f))
	if x.pad != (nn.Edges{}) {
		x = l.padded(x)
	}
	for _, k := range []kind{channel, row, column} {
		if !x.whole(k) {
			x = l.partOf(x, k)
		}
	}
	return x
}

func (l *loader) padded(x *image) *image {
	if min(x.pad.Top, x.pad.Left, x.pad.Bottom, x.pad.Right) < 0 {
		l.refuse("edges %v that nothing but a convolution or a pool reads", x.pad)
	}
	v := l.value(x.base())
	b := l.once(func() nn.Value { return l.g.Pad(v, x.pad) }, "pad %p %v", x.base(), x.pad)
	y := x.with(b)
	y.pad = nn.Edges{}
	return y
}

// partOf is what an image has of a kind, as a value of its own.
func (l *loader) partOf(x *image, k kind) *image {
	axis, a := x.v.find(k)
	n, from := x.v.covers(k), x.start[k]
	if k == row || k == column && x.base().H != 1 {
		l.refuse("a part of the rows or columns of %v", x.base().Shape)
	}
	if axis >= 0 && (a.size != n || a.stride != 1) {
		l.refuse("a part of %v in an order that no layer has", x.base().Shape)
	}
	v := l.value(x.base())
	y := x.with(l.once(func() nn.Value {
		if k == channel {
			return l.g.Slice(v, from, from+n)
		}
		return l.g.SliceTokens(v, from, from+n)
	}, "part %p %d %d %d", x.base(), k, from, n))
	y.start[k] = 0
	return y
}

// inPlanes is an image of rank 4 (or a vector of rank 2) as a value with its rows and columns.
func (l *loader) inPlanes(x *image) nn.Value { return l.value(l.gridded(l.settled(x)).base()) }

// gridded is a settled image whose axes are images, channels, rows and columns, with a base of as many rows and columns.
func (l *loader) gridded(x *image) *image {
	if len(x.v) < 2 || len(x.v) > 4 {
		l.refuse("a value of shape %v, want images, channels, rows and columns", l.shown(x.v.dims()))
	}
	if at, _ := x.v.find(channel); len(x.v) == 4 && (at > 1 || len(x.v[1]) > 0 && x.v[1][0].kind != channel) {
		return l.relaid(x)
	}
	x = l.inChannels(x, 1)
	s := x.base().Shape
	var space []atom
	h, w := 1, 1
	if len(x.v) > 2 {
		h = size(x.v[2])
		space = join(space, x.v[2]...)
	}
	if len(x.v) > 3 {
		w = size(x.v[3])
		space = join(space, x.v[3]...)
	}
	l.unrolled(x)
	if !ordered(space, s) {
		l.refuse("rows and columns of %v in an order that no layer has", s)
	}
	if h == s.H && w == s.W {
		return x
	}
	if s.H != 1 {
		x = l.rowed(x)
	}
	if h == 1 {
		return x
	}
	v := l.value(x.base())
	y := x.with(l.once(func() nn.Value { return l.g.Grid(v, h, w) }, "grid %p %d %d", x.base(), h, w))
	y.v = y.v.replaced(2, full(row, h))
	if len(y.v) > 3 {
		y.v = y.v.replaced(3, full(column, w))
	}
	return y
}

// relaid is a settled image whose axes together are all channels, rows and columns in their order, but not one by one: the same
// numbers as an image of that shape.
func (l *loader) relaid(x *image) *image {
	s := x.base().Shape
	var all []atom
	for _, axis := range x.v[1:] {
		all = join(all, axis...)
	}
	if !slices.Equal(all, join(full(channel, s.C), join(full(row, s.H), full(column, s.W)...)...)) {
		l.refuse("channels in an axis of %s that is not 1", l.shown(x.v.dims()))
	}
	l.unrolled(x)
	d := x.v.dims()
	shape := nn.Shape{C: d[1], H: d[2], W: d[3]}
	v := l.value(x.base())
	return l.planes(l.once(func() nn.Value { return l.g.Unflatten(l.g.Flatten(v), shape) }, "relaid %p %v", x.base(), shape))
}

// ordered reports whether atoms are all rows and columns in reading order.
func ordered(atoms []atom, s nn.Shape) bool {
	want := join(full(row, s.H), full(column, s.W)...)
	if len(atoms) != len(want) {
		return false
	}
	for i := range want {
		if atoms[i] != want[i] {
			return false
		}
	}
	return true
}

func (l *loader) unrolled(x *image) {
	if x.roll != [numKinds]int{} {
		l.refuse("rows and columns that were rolled")
	}
}

// rowed is an image whose base has one row: tokens in reading order.
func (l *loader) rowed(x *image) *image {
	s := x.base().Shape
	if s.H == 1 {
		return x
	}
	l.unrolled(x)
	y := &image{f: leaf(l.once(func() nn.Value { return l.g.Tokens(l.value(x.base())) }, "row %p", x.base()))}
	for _, axis := range x.v {
		var atoms []atom
		for _, a := range axis {
			switch a.kind {
			case row:
				a.kind, a.stride = column, a.stride*s.W
			}
			atoms = join(atoms, a)
		}
		y.v = append(y.v, atoms)
	}
	return y
}

// inChannels is a settled image whose axis is all channels in their order: shuffled or flattened ones become such.
func (l *loader) inChannels(x *image, axis int) *image {
	s := x.base().Shape
	have := severally(x.v[axis])
	if other, _ := x.v.find(channel); other >= 0 && other != axis {
		l.refuse("channels in axis %d of %d, want axis %d", other, len(x.v), axis)
	}
	switch {
	case len(have) == 0 || len(have) == 1 && have[0] == (atom{channel, s.C, 1}):
		return x
	case len(have) == 2 && have[0].kind == channel && have[1].kind == channel && have[0].stride == 1 && have[1].stride == have[0].size:
		groups := have[1].size
		v := l.value(x.base())
		y := x.with(l.once(func() nn.Value { return l.g.Shuffle(v, groups) }, "shuffle %p %d", x.base(), groups))
		y.v = y.v.replaced(axis, full(channel, s.C))
		return y
	}
	l.unrolled(x)
	want := join(full(channel, s.C), join(full(row, s.H), full(column, s.W)...)...)
	if len(have) != len(want) {
		l.refuse("channels of %v in an order that no layer has", s)
	}
	for i := range want {
		if have[i] != want[i] {
			l.refuse("channels of %v in an order that no layer has", s)
		}
	}
	v := l.value(x.base())
	y := x.with(l.once(func() nn.Value { return l.g.Flatten(v) }, "flatten %p", x.base()))
	y.v = y.v.replaced(axis, full(channel, y.base().C))
	return y
}

// inLast is a settled image whose last axis is its channels.
func (l *loader) inLast(x *image) *image { return l.inChannels(l.settled(x), len(x.v)-1) }

// samples are where functions of one element are compared.
var samples = func() (x [129]float64) {
	for i := range x {
		x[i] = float64(i-64)/8 + 0.03
	}
	return x
}()

// An fn is a function of each element of a base: what operators made of it one after another.
type fn struct {
	base  *base
	op    string
	node  *message.Node // that made it
	index int
	a, b  *fn // operands; nil for the base itself
	call  func(x, y float64) float64
	at    [len(samples)]float64
	there *base // its value, once somebody wanted it
}

// leaf is the base itself.
func leaf(b *base) *fn {
	if b.leaf == nil {
		b.leaf = &fn{base: b, at: samples, there: b}
	}
	return b.leaf
}

// apply is a function of one or two functions of one base.
func (l *loader) apply(op string, a, b *fn, call func(x, y float64) float64) *fn {
	f := &fn{base: a.base, op: op, node: l.node, index: l.index, a: a, b: b, call: call}
	for i := range f.at {
		y := 0.0
		if b != nil {
			y = b.at[i]
		}
		f.at[i] = call(a.at[i], y)
	}
	return f
}

// line is a function's factor and summand; not ok where it has others.
func (f *fn) line() (factor, summand float64, ok bool) {
	lo, hi := 0, len(samples)-1
	factor = (f.at[hi] - f.at[lo]) / (samples[hi] - samples[lo])
	summand = f.at[lo] - factor*samples[lo]
	if math.Abs(summand) < 1e-9*math.Abs(factor) {
		summand = 0
	}
	return factor, summand, f.is(func(x float64) float64 { return factor*x + summand })
}

// is reports whether a function is this one, to what float32 constants leave of it.
func (f *fn) is(want func(float64) float64) bool {
	for i, x := range samples {
		w := want(x)
		if !(math.Abs(f.at[i]-w) <= 2e-6*(1+math.Abs(w))) {
			return false
		}
	}
	return true
}

// functions are the activations as they are written down.
var functions = map[nn.Act]func(float64) float64{
	nn.ReLU:        func(x float64) float64 { return max(x, 0) },
	nn.ReLU6:       func(x float64) float64 { return min(max(x, 0), 6) },
	nn.Sigmoid:     func(x float64) float64 { return 1 / (1 + math.Exp(-x)) },
	nn.SiLU:        func(x float64) float64 { return x / (1 + math.Exp(-x)) },
	nn.HardSigmoid: func(x float64) float64 { return min(max(x+3, 0), 6) / 6 },
	nn.HardSwish:   func(x float64) float64 { return x * min(max(x+3, 0), 6) / 6 },
	nn.GELU:        func(x float64) float64 { return x * (1 + math.Erf(x/math.Sqrt2)) / 2 },
	nn.GELUTanh: func(x float64) float64 {
		return x / 2 * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x)))
	},
}

// realise is a function's value in the graph: an activation that is known by what it computes, whichever operators do, or a
// factor and a summand, else what its operands give.
func (l *loader) realise(f *fn) *base {
	if f.there == nil {
		f.there = l.realised(f)
	}
	return f.there
}

func (l *loader) realised(f *fn) *base {
	if factor, summand, ok := f.line(); ok {
		if factor == 1 && summand == 0 {
			return f.base
		}
		return l.made(l.g.Affine(l.value(f.base), []float64{factor}, []float64{summand}))
	}
	for _, act := range nn.Acts() {
		if f.is(functions[act]) {
			return l.made(l.g.Activate(l.value(f.base), act))
		}
	}
	switch {
	case f.b == nil && f.a.a == nil || f.b != nil && f.op != "Add" && f.op != "Mul":
		l.node, l.index = f.node, f.index
		l.refuse("a function that no layer has")
	case f.b == nil:
		return l.realise(l.apply(f.op, leaf(l.realise(f.a)), nil, f.call))
	}
	a, b := l.value(l.realise(f.a)), l.value(l.realise(f.b))
	if f.op == "Add" {
		return l.made(l.g.Add(a, b))
	}
	return l.made(l.g.Mul(a, b))
}
