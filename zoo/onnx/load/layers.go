package load

import (
	"math"
	"slices"
	"strconv"

	"zoobench/zoo/nn"
)

// operators are those that take images; what has constants alone is folded where it can be.
var operators = map[string]func(*loader, []any) []any{
	"Conv": (*loader).conv, "Gemm": (*loader).gemm, "MatMul": (*loader).matMul, "BatchNormalization": (*loader).batchNorm,
	"LayerNormalization": (*loader).layerNorm, "InstanceNormalization": (*loader).instanceNorm,
	"MaxPool": (*loader).maxPool, "AveragePool": (*loader).averagePool, "GlobalAveragePool": (*loader).globalAveragePool,
	"ReduceMean": (*loader).reduceMean, "Pad": (*loader).padding, "Softmax": (*loader).softmax,
	"Reshape": (*loader).reshape, "Flatten": (*loader).flatten, "Transpose": (*loader).transpose, "Unsqueeze": (*loader).unsqueeze,
	"Squeeze": (*loader).squeeze, "Expand": (*loader).expand, "Slice": (*loader).slice, "Gather": (*loader).gather,
	"Split": (*loader).split, "Concat": (*loader).concat, "Identity": (*loader).identity, "Dropout": (*loader).dropout,
	"Cast": (*loader).cast,
	"Add":  (*loader).add, "Sub": (*loader).sub, "Mul": (*loader).mul, "Div": (*loader).div, "Pow": (*loader).pow, "Sum": (*loader).sum,
	"Relu":    function(func(x float64) float64 { return max(x, 0) }),
	"Sigmoid": function(functions[nn.Sigmoid]), "HardSwish": function(functions[nn.HardSwish]),
	"Erf": function(math.Erf), "Tanh": function(math.Tanh), "Exp": function(math.Exp), "Neg": function(func(x float64) float64 { return -x }),
	"Softplus":    function(func(x float64) float64 { return math.Log1p(math.Exp(x)) }),
	"HardSigmoid": (*loader).hardSigmoid, "Clip": (*loader).clip, "Gelu": (*loader).gelu, "Sqrt": (*loader).sqrt,
	"Reciprocal": (*loader).reciprocal, "LeakyRelu": (*loader).leaky, "PRelu": (*loader).sloped, "Max": (*loader).largest,
	"Min": (*loader).smallest, "Mean": (*loader).average, "GlobalMaxPool": (*loader).globalMaxPool, "ReduceMax": (*loader).reduceMax,
	"GroupNormalization": (*loader).groupNorm, "QuantizeLinear": (*loader).quantize, "DequantizeLinear": (*loader).dequantize,
}

func (l *loader) conv(in []any) []any {
	x, w, b := must[*image](l, in, 0), must[*tensor](l, in, 1), input[*tensor](l, in, 2)
	if len(w.dims) == 3 && len(x.v) == 3 {
		return one(l.channelConv(x, w, b))
	}
	if len(w.dims) != 4 || len(x.v) != 4 || min(w.dims[0], w.dims[1], w.dims[2], w.dims[3]) < 1 || max(w.dims[2], w.dims[3]) > maxWindow {
		l.refuse("a weight of shape %v for %s, want images", w.dims, l.shown(x.v.dims()))
	}
	if shape := l.ints("kernel_shape"); shape != nil && !slices.Equal(shape, w.dims[2:]) {
		l.refuse("kernel_shape %v for a weight of shape %v", shape, w.dims)
	}
	k := l.window(x, w.dims[2], w.dims[3])
	v, pad := l.unpadded(x, func(nn.Edges) bool { return true })
	k = padded(k, plus(k.Pad, pad))
	groups := int(l.int("group", 1))
	if groups < 1 || groups > v.C || w.dims[1] != v.C/groups || v.C%groups != 0 {
		l.refuse("a weight of shape %v in %d groups for %v", w.dims, groups, v.Shape)
	}
	k = k.G(groups)
	name := l.layer(w, ".weight")
	l.set(name+".weight", w, w.dims...)
	if b != nil {
		k = k.WithBias()
		l.set(name+".bias", b, w.dims[0])
	}
	return one(l.planes(l.made(l.g.Conv(name, v, w.dims[0], k))))
}

// channelConv is a convolution along the channels of a vector.
func (l *loader) channelConv(x *image, w, b *tensor) *image {
	n := w.dims[2]
	pads := l.ints("pads")
	for _, name := range []string{"strides", "dilations"} {
		if v := l.ints(name); v != nil && !slices.Equal(v, []int{1}) {
			l.refuse("%s %v", name, v)
		}
	}
	if b != nil || w.dims[0] != 1 || w.dims[1] != 1 || len(x.v[1]) > 0 || !slices.Equal(pads, []int{n / 2, n / 2}) || l.int("group", 1) != 1 {
		l.refuse("a weight of shape %v for %s, want images", w.dims, l.shown(x.v.dims()))
	}
	x = l.inLast(x)
	name := l.layer(w, ".weight")
	l.set(name+".weight", w, 1, 1, n)
	return x.with(l.made(l.g.ChannelConv(name, l.value(x.base()), n)))
}

// linear is a layer over the last axis, built once its bias is known.
func (l *loader) linear(x *image, w *tensor, out int, bias *tensor) *image {
	x, w = l.flattenedFor(l.settled(x), w, out)
	x = l.inLast(x)
	s := x.base().Shape
	if s.C != count(w.dims)/max(out, 1) {
		l.refuse("a weight of shape %v for %d channels", w.dims, s.C)
	}
	name := l.layer(w, ".weight")
	l.set(name+".weight", w, out, s.C)
	y := x.with(l.linearBase(name, x.base(), out, bias))
	y.v = x.v.replaced(len(x.v)-1, full(channel, out))
	return y
}

// flattenedFor lays a flattened image out channel by channel, whose pixels came first, as files of TensorFlow have it, and a
// weight's columns in that order too.
func (l *loader) flattenedFor(x *image, w *tensor, out int) (*image, *tensor) {
	last, s := x.v[len(x.v)-1], x.base().Shape
	want := join(full(channel, s.C), join(full(row, s.H), full(column, s.W)...)...)
	v := view{last}
	if len(last) < 2 || len(w.dims) != 2 || size(last) != s.Elems() || w.dims[1] != s.Elems() || slices.Equal(last, want) ||
		v.covers(channel) != s.C || v.covers(row) != s.H || v.covers(column) != s.W || x.roll != [numKinds]int{} {
		return x, w
	}
	at, _, _ := reader([]int{s.Elems()}, v)
	y := *x
	y.v = x.v.replaced(len(x.v)-1, want)
	laid := l.remap(w, []int{out, s.Elems()}, func(i int) int {
		p := i % s.Elems()
		place := [numKinds]int{channel: p / (s.H * s.W), row: p / s.W % s.H, column: p % s.W}
		return i - p + at(&place)
	})
	laid.steps = w.steps.shaped(w.dims, laid.dims)
	return &y, laid
}

func (l *loader) linearBase(name string, in *base, out int, bias *tensor) *base {
	v := l.value(in)
	if bias != nil {
		l.set(name+".bias", bias, out)
		return l.made(l.g.Linear(name, v, out))
	}
	y := l.waiting(nn.Shape{C: out, H: v.H, W: v.W}, func() nn.Value { return l.g.LinearNoBias(name, v, out) })
	y.add = func(t *tensor) *base { return l.linearBase(name, in, out, t) }
	return y
}

func (l *loader) gemm(in []any) []any {
	x, w, b := must[*image](l, in, 0), must[*tensor](l, in, 1), input[*tensor](l, in, 2)
	if len(w.dims) != 2 || l.int("transA", 0) != 0 || len(x.v) != 2 {
		l.refuse("a product of %s and %v, want rows and a matrix", l.shown(x.v.dims()), w.dims)
	}
	if l.int("transB", 0) == 0 {
		w = l.transposed(w, []int{1, 0})
	}
	w = l.scaled(w, l.float("alpha", 1))
	if b != nil {
		b = l.scaled(b, l.float("beta", 1))
		if len(b.dims) == 2 && b.dims[0] == 1 {
			b = b.shaped(b.dims[1:])
		}
		b = l.spread(b, []int{w.dims[0]})
	}
	return one(l.linear(x, w, w.dims[0], b))
}

func (l *loader) scaled(t *tensor, by float64) *tensor {
	if by == 1 {
		return t
	}
	return l.elements(func(x, y float64) float64 { return x * y }, false, t, floating(nil, float32(by)))[0].(*tensor)
}

func (l *loader) matMul(in []any) []any {
	if in[0] == nil || len(in) < 2 || in[1] == nil {
		l.refuse("an input is left out")
	}
	switch a := in[0].(type) {
	case *tensor:
		return one(l.binned(a, must[*image](l, in, 1)))
	case *scores:
		return one(l.attend(a, must[*image](l, in, 1)))
	}
	x := must[*image](l, in, 0)
	if y, ok := in[1].(*image); ok {
		return one(l.products(x, y))
	}
	w := must[*tensor](l, in, 1)
	if len(w.dims) != 2 {
		l.refuse("a product of %s and %v, want a matrix", l.shown(x.v.dims()), w.dims)
	}
	if x.base().bin != nil && x.f == leaf(x.base()) && x.v.equal(l.planes(x.base()).v) {
		return one(l.bins(x, w))
	}
	return one(l.linear(x, l.transposed(w, []int{1, 0}), w.dims[1], nil))
}

// binned is the first half of an adaptive mean: rows are multiplied by a matrix of bins.
func (l *loader) binned(rows *tensor, x *image) *image {
	x = l.gridded(l.settled(x))
	s := x.base().Shape
	if len(rows.dims) != 2 || rows.dims[1] != s.H || len(x.v) != 4 || !l.areBins(rows) {
		l.refuse("a product of %v and %s", rows.dims, l.shown(x.v.dims()))
	}
	v, h := l.value(x.base()), rows.dims[0]
	y := l.waiting(nn.Shape{C: s.C, H: h, W: s.W}, func() nn.Value { return l.g.AdaptiveAvgPool(v, h, s.W) })
	y.bin = func(w int) *base { return l.made(l.g.AdaptiveAvgPool(v, h, w)) }
	return l.planes(y)
}

// bins is the second half.
func (l *loader) bins(x *image, columns *tensor) *image {
	t := l.transposed(columns, []int{1, 0})
	if t.dims[1] != x.base().W || !l.areBins(t) {
		l.refuse("a product of %s and %v", l.shown(x.v.dims()), columns.dims)
	}
	return l.planes(x.base().bin(t.dims[0]))
}

// areBins reports whether a matrix (out, in) takes the means of an adaptive pool.
func (l *loader) areBins(t *tensor) bool {
	out, in := t.dims[0], t.dims[1]
	m := l.numbers(t)
	for o := range out {
		from, to := o*in/out, ((o+1)*in+out-1)/out
		for i := range in {
			want := 0.0
			if i >= from && i < to {
				want = 1 / float64(to-from)
			}
			if math.Abs(float64(m[o*in+i])-want) > 1e-6 {
				return false
			}
		}
	}
	return true
}

func (l *loader) batchNorm(in []any) []any {
	x := must[*image](l, in, 0)
	if l.int("training_mode", 0) != 0 || l.int("spatial", 1) != 1 || len(l.node.Out) > 1 && l.node.Out[1] != "" {
		l.refuse("a batch norm for training")
	}
	x = l.inChannels(l.settled(x), 1)
	c := x.base().C
	w := must[*tensor](l, in, 1)
	name := l.layer(w, ".weight")
	for k, part := range []string{".weight", ".bias", ".running_mean", ".running_var"} {
		l.set(name+part, must[*tensor](l, in, k+1), c)
	}
	return one(x.with(l.made(l.g.BatchNorm(name, l.value(x.base()), l.epsilon()))))
}

// epsilon is the setting, as the number that its float32 was meant to be.
func (l *loader) epsilon() float64 {
	e := l.float("epsilon", 1e-5)
	if !(e >= 0 && e <= 1) {
		l.refuse("epsilon %v", e)
	}
	return shortest(e)
}

// shortest is the float64 of a float32's shortest decimal.
func shortest(v float64) float64 {
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', -1, 32), 64)
	return r
}

func (l *loader) layerNorm(in []any) []any {
	x, w, b := must[*image](l, in, 0), must[*tensor](l, in, 1), input[*tensor](l, in, 2)
	if l.axis(int(l.int("axis", -1)), len(x.v)) != len(x.v)-1 {
		l.refuse("an axis that is not the last")
	}
	return one(l.normalised(l.inLast(x), w, b, l.epsilon()))
}

// normalised is a layer norm of an image whose last axis is its channels; no bias means zeros.
func (l *loader) normalised(x *image, w, b *tensor, eps float64) *image {
	c := x.base().C
	name := l.layer(w, ".weight")
	l.set(name+".weight", w, c)
	l.set(name+".bias", l.filled(b, 0, c), c)
	return x.with(l.made(l.g.LayerNorm(name, l.value(x.base()), eps)))
}

// instanceNorm of groups of channels is a group norm, whose factors come behind it.
func (l *loader) instanceNorm(in []any) []any {
	x, w, b := must[*image](l, in, 0), must[*tensor](l, in, 1), must[*tensor](l, in, 2)
	x = l.settled(x)
	s := x.base().Shape
	groups := size(x.v[1])
	outer := x.v[1]
	if len(x.v) < 3 || len(x.v[0]) != 1 || x.v[0][0].kind != images || s.C%groups != 0 ||
		len(outer) > 1 || len(outer) == 1 && (outer[0].kind != channel || outer[0].size*outer[0].stride != s.C) ||
		size(x.v[0])*groups*count(x.v[2:].dims()) != l.batch*s.Elems() {
		l.refuse("a norm over a part of %s", l.shown(x.v.dims()))
	}
	unit := func(t *tensor, v float32) bool {
		return !slices.ContainsFunc(l.numbers(t), func(x float32) bool { return x != v })
	}
	if !unit(w, 1) || !unit(b, 0) {
		if groups != s.C {
			l.refuse("factors of groups")
		}
		return one(x.with(l.groupBase(x.base(), groups, l.epsilon(), w, b)))
	}
	return one(x.with(l.groupBase(x.base(), groups, l.epsilon(), nil, nil)))
}

// groupBase is a group norm that waits for its factors and summands.
func (l *loader) groupBase(in *base, groups int, eps float64, w, b *tensor) *base {
	y := l.waiting(in.Shape, func() nn.Value {
		w, b := l.filled(w, 1, in.C), l.filled(b, 0, in.C)
		name := l.layer(w, ".weight")
		l.set(name+".weight", w, in.C)
		l.set(name+".bias", b, in.C)
		return l.g.GroupNorm(name, l.value(in), groups, eps)
	})
	if w == nil && b == nil {
		y.mul = func(t *tensor) *base { return l.groupBase(in, groups, eps, t, nil) }
	}
	if b == nil {
		y.add = func(t *tensor) *base { return l.groupBase(in, groups, eps, w, t) }
	}
	return y
}

func (l *loader) padding(in []any) []any {
	x := must[*image](l, in, 0)
	pads, _ := l.list(in, 1, "pads")
	if t := input[*tensor](l, in, 2); t != nil && l.scalar(t) != 0 || l.float("value", 0) != 0 || l.text("mode", "constant") != "constant" {
		l.refuse("padding with other than zeros")
	}
	if input[*tensor](l, in, 3) != nil || len(pads) != 2*len(x.v) {
		l.refuse("%d numbers for %d axes", len(pads), len(x.v))
	}
	if !slices.ContainsFunc(pads, func(p int) bool { return p != 0 }) {
		return one(x)
	}
	x = l.settled(x)
	if len(x.v) == 4 && len(x.v[0]) == 1 && x.v[0][0].kind == images {
		if at, _ := x.v.find(channel); at == 1 || at < 0 {
			x = l.gridded(x)
		}
	}
	y := *x
	s := x.base().Shape
	for axis := range x.v {
		before, after := pads[axis], pads[axis+len(x.v)]
		if before == 0 && after == 0 {
			continue
		}
		if max(before, after) > maxWindow || min(before, after) < -maxWindow {
			l.refuse("pads %v", pads)
		}
		switch {
		case slices.Equal(x.v[axis], full(row, s.H)) && (s.H > 1 || len(x.v) == 4 && axis == 2):
			y.pad.Top, y.pad.Bottom = before, after
			y.v = y.v.replaced(axis, full(row, before+s.H+after))
		case slices.Equal(x.v[axis], full(column, s.W)) && (s.W > 1 || len(x.v) == 4 && axis == 3):
			y.pad.Left, y.pad.Right = before, after
			y.v = y.v.replaced(axis, full(column, before+s.W+after))
		default:
			l.refuse("padding of axis %d of %s", axis, l.shown(x.v.dims()))
		}
	}
	if s.H+y.pad.Top+y.pad.Bottom < 1 || s.W+y.pad.Left+y.pad.Right < 1 {
		l.refuse("edges %v around %v, which leave nothing", y.pad, s)
	}
	return one(&y)
}

// softmax is an attention's, or one over ranges of channels.
func (l *loader) softmax(in []any) []any {
	if x, ok := in[0].(*scores); ok {
		if l.axis(int(l.int("axis", -1)), len(x.v)) != len(x.v)-1 {
			l.refuse("a softmax that is not over keys")
		}
		return one(l.softened(x))
	}
	x := l.settled(must[*image](l, in, 0))
	otherwise := int64(-1)
	if l.opset < 13 {
		otherwise = 1
	}
	axis := l.axis(int(l.int("axis", otherwise)), len(x.v))
	c := x.base().C
	if l.opset < 13 && axis != len(x.v)-1 && count(x.v[axis+1:].dims()) != 1 {
		l.refuse("a softmax over several axes")
	}
	if a := x.v[axis]; len(a) == 1 && a[0].kind == channel && a[0].size*a[0].stride == c {
		return one(x.with(l.made(l.g.SplitSoftmax(l.value(x.base()), a[0].size))))
	}
	l.refuse("a softmax over axis %d of %s", axis, l.shown(x.v.dims()))
	return nil
}
