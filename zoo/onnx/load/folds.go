package load

import (
	"math"
	"slices"

	"zoobench/zoo/onnx/message"
)

// folds compute constants. Those that are no operators of images as well may have images as inputs: Shape, Size.
var folds = map[string]func(*loader, []any) []any{
	"Constant": (*loader).constant, "ConstantOfShape": (*loader).constantOfShape, "Shape": (*loader).shapeOf, "Size": (*loader).sizeOf,
	"Gather": (*loader).foldGather, "Unsqueeze": (*loader).foldUnsqueeze, "Squeeze": (*loader).foldSqueeze,
	"Concat": (*loader).foldConcat, "Slice": (*loader).foldSlice, "Reshape": (*loader).foldReshape, "Flatten": (*loader).foldFlatten,
	"QuantizeLinear": (*loader).foldQuantize, "DequantizeLinear": (*loader).foldDequantize,
	"Transpose": (*loader).foldTranspose, "Expand": (*loader).foldExpand, "Cast": (*loader).foldCast, "Identity": (*loader).foldIdentity,
	"Range": (*loader).foldRange, "Where": (*loader).foldWhere, "Not": single(func(x float64) float64 { return 1 - x }),
	"Floor": single(math.Floor), "Ceil": single(math.Ceil), "Sqrt": single(math.Sqrt), "Neg": single(func(x float64) float64 { return -x }),
	"Exp": single(math.Exp), "Abs": single(math.Abs), "Reciprocal": single(func(x float64) float64 { return 1 / x }),
	"Add": pairs(func(x, y float64) float64 { return x + y }), "Sub": pairs(func(x, y float64) float64 { return x - y }),
	"Mul": pairs(func(x, y float64) float64 { return x * y }), "Div": (*loader).foldDiv, "Pow": pairs(math.Pow),
	"Min": several(math.Min), "Max": several(math.Max), "Mod": (*loader).foldMod,
	"Equal":   compare(func(x, y float64) bool { return x == y }),
	"Less":    compare(func(x, y float64) bool { return x < y }),
	"Greater": compare(func(x, y float64) bool { return x > y }),
	"And":     compare(func(x, y float64) bool { return x != 0 && y != 0 }),
	"Or":      compare(func(x, y float64) bool { return x != 0 || y != 0 }),
}

func one(v any) []any { return []any{v} }

func (l *loader) constant([]any) []any {
	if a := l.attribute("value", message.IsTensor); a != nil && a.Tensor != nil {
		return one(l.read(a.Tensor))
	}
	for i := range l.node.Attributes {
		switch a := &l.node.Attributes[i]; {
		case a.Name == "value_int" && a.Kind == message.IsInt:
			return one(wholes(nil, a.Int))
		case a.Name == "value_ints" && a.Kind == message.IsInts:
			return one(wholes([]int{len(a.Ints)}, a.Ints...))
		case a.Name == "value_float" && a.Kind == message.IsFloat:
			return one(floating(nil, a.Float))
		case a.Name == "value_floats" && a.Kind == message.IsFloats:
			return one(floating([]int{len(a.Floats)}, a.Floats...))
		}
	}
	l.refuse("no constant of numbers")
	return nil
}

func floating(dims []int, v ...float32) *tensor {
	return &tensor{dims: dims, floats: func() ([]float32, error) { return v, nil }}
}

func (l *loader) constantOfShape(in []any) []any {
	dims := l.sizes("shape", must[*tensor](l, in, 0).ints)
	t := floating([]int{1}, 0)
	if a := l.attribute("value", message.IsTensor); a != nil && a.Tensor != nil {
		t = l.read(a.Tensor)
	}
	if count(t.dims) != 1 {
		l.refuse("a value of shape %v, want one number", t.dims)
	}
	return one(l.remap(t, dims, func(int) int { return 0 }))
}

// dimsOf is the shape of any value.
func (l *loader) dimsOf(v any) []int {
	switch v := v.(type) {
	case *tensor:
		return v.dims
	case *image:
		return v.v.dims()
	case *scores:
		return v.v.dims()
	case *statistic:
		return v.dims
	}
	l.refuse("input 0 is left out")
	return nil
}

func (l *loader) shapeOf(in []any) []any {
	dims := l.dimsOf(in[0])
	n := int64(len(dims))
	bound := func(v int64) int64 {
		if v < 0 {
			v += n
		}
		return min(max(v, 0), n)
	}
	from, to := bound(l.int("start", 0)), bound(l.int("end", n))
	var v []int64
	for _, d := range dims[from:max(from, to)] {
		v = append(v, int64(d))
	}
	return one(wholes([]int{len(v)}, v...))
}

func (l *loader) sizeOf(in []any) []any { return one(wholes(nil, int64(count(l.dimsOf(in[0]))))) }

func (l *loader) foldIdentity(in []any) []any { return one(must[*tensor](l, in, 0)) }

func (l *loader) foldGather(in []any) []any {
	t, index := must[*tensor](l, in, 0), must[*tensor](l, in, 1)
	if !index.whole || len(t.dims) == 0 {
		l.refuse("an index that is no whole number")
	}
	axis := l.axis(int(l.int("axis", 0)), len(t.dims))
	size := t.dims[axis]
	at := make([]int, len(index.ints))
	for i, v := range index.ints {
		if v < 0 {
			v += int64(size)
		}
		if v < 0 || v >= int64(size) {
			l.refuse("index %d of %d", v, size)
		}
		at[i] = int(v)
	}
	inner := count(t.dims[axis+1:])
	dims := slices.Concat(t.dims[:axis], index.dims, t.dims[axis+1:])
	each := len(at) * inner
	return one(l.remap(t, dims, func(i int) int { return i/each*size*inner + at[i%each/inner]*inner + i%inner }))
}

// unsqueezed are the axes of a shape with new ones of size 1: which of the old ones each is, -1 for a new one.
func (l *loader) unsqueezed(in []any, n int) []int {
	axes, ok := l.list(in, 1, "axes")
	if !ok || len(axes) > 16 {
		l.refuse("%d axes", len(axes))
	}
	old := make([]int, n+len(axes))
	for _, a := range axes {
		old[l.axis(a, len(old))] = -1
	}
	next := 0
	for i := range old {
		if old[i] == 0 {
			old[i] = next
			next++
		}
	}
	if next != n {
		l.refuse("axes %v, of which two are the same", axes)
	}
	return old
}

// squeezed are the axes that are left without those of size 1 that the operator names.
func (l *loader) squeezed(in []any, dims []int) (left []int) {
	axes, named := l.list(in, 1, "axes")
	gone := make([]bool, len(dims))
	for _, a := range axes {
		gone[l.axis(a, len(dims))] = true
	}
	for i, d := range dims {
		if gone[i] && d != 1 {
			l.refuse("axis %d of size %d, want 1", i, d)
		}
		if !gone[i] && (named || d != 1) {
			left = append(left, i)
		}
	}
	return left
}

func (l *loader) foldUnsqueeze(in []any) []any {
	t := must[*tensor](l, in, 0)
	var dims []int
	for _, old := range l.unsqueezed(in, len(t.dims)) {
		if old < 0 {
			dims = append(dims, 1)
		} else {
			dims = append(dims, t.dims[old])
		}
	}
	return one(t.shaped(dims))
}

func (l *loader) foldSqueeze(in []any) []any {
	t := must[*tensor](l, in, 0)
	var dims []int
	for _, i := range l.squeezed(in, t.dims) {
		dims = append(dims, t.dims[i])
	}
	return one(t.shaped(dims))
}

func (l *loader) foldConcat(in []any) []any {
	first := must[*tensor](l, in, 0)
	axis := l.axis(int(l.int("axis", 0)), len(first.dims))
	dims := slices.Clone(first.dims)
	dims[axis] = 0
	whole := true
	var all []*tensor
	for k := range in {
		t := must[*tensor](l, in, k)
		if len(t.dims) != len(dims) {
			l.refuse("shapes %v and %v", first.dims, t.dims)
		}
		for i := range dims {
			if i != axis && t.dims[i] != dims[i] {
				l.refuse("shapes %v and %v", first.dims, t.dims)
			}
		}
		dims[axis] += t.dims[axis]
		whole = whole && t.whole
		all = append(all, t)
	}
	l.bounded(dims)
	outer := count(dims[:axis])
	y := &tensor{dims: dims, whole: whole}
	if whole {
		for o := range outer {
			for _, t := range all {
				n := len(t.ints) / max(outer, 1)
				y.ints = append(y.ints, t.ints[o*n:(o+1)*n]...)
			}
		}
		return one(y)
	}
	y.floats = func() ([]float32, error) {
		parts := make([][]float32, len(all))
		for i, t := range all {
			var err error
			if parts[i], err = l.floats(t); err != nil {
				return nil, err
			}
		}
		x := make([]float32, 0, count(dims))
		for o := range outer {
			for _, p := range parts {
				n := len(p) / outer
				x = append(x, p[o*n:(o+1)*n]...)
			}
		}
		return x, nil
	}
	return one(y)
}

// ranges are the parts of axes that a Slice takes: from, to and step by axis.
func (l *loader) ranges(in []any, dims []int) [][3]int {
	starts, _ := l.list(in, 1, "starts")
	ends, _ := l.list(in, 2, "ends")
	axes, named := l.list(in, 3, "axes")
	steps, stepped := l.list(in, 4, "steps")
	if !named {
		for i := range starts {
			axes = append(axes, i)
		}
	}
	if len(starts) != len(ends) || len(starts) != len(axes) || stepped && len(steps) != len(starts) {
		l.refuse("%d starts, %d ends, %d axes, %d steps", len(starts), len(ends), len(axes), len(steps))
	}
	all := make([][3]int, len(dims))
	for i, d := range dims {
		all[i] = [3]int{0, d, 1}
	}
	for i, a := range axes {
		a = l.axis(a, len(dims))
		d, step := dims[a], 1
		if stepped {
			step = steps[i]
		}
		from, to := starts[i], ends[i]
		if from < 0 {
			from += d
		}
		if to < 0 {
			to += d
		}
		switch {
		case step > 0:
			from, to = min(max(from, 0), d), min(max(to, 0), d)
		case step < 0 && d > 0:
			from, to = min(max(from, 0), d-1), min(max(to, -1), d-1)
		default:
			l.refuse("steps of %d", step)
		}
		all[a] = [3]int{from, to, step}
	}
	return all
}

func (l *loader) foldSlice(in []any) []any {
	t := must[*tensor](l, in, 0)
	parts := l.ranges(in, t.dims)
	dims := make([]int, len(parts))
	for i, p := range parts {
		dims[i] = max((p[1]-p[0]+p[2]-min(max(p[2], -1), 1))/p[2], 0)
	}
	old, step := strides(t.dims), strides(dims)
	return one(l.remap(t, dims, func(i int) int {
		at := 0
		for k, p := range parts {
			at += (p[0] + i/step[k]*p[2]) * old[k]
			i %= step[k]
		}
		return at
	}))
}

// reshaped is the shape that a Reshape asks for.
func (l *loader) reshaped(in []any, dims []int) []int {
	want, ok := l.list(in, 1, "shape")
	if !ok {
		l.refuse("no shape")
	}
	want = slices.Clone(want)
	open, n := -1, 1
	for i, d := range want {
		switch {
		case d == 0 && l.int("allowzero", 0) == 0:
			if i >= len(dims) {
				l.refuse("shape %v from %s", want, l.shown(dims))
			}
			want[i] = dims[i]
		case d == -1 && open < 0:
			open = i
			continue
		case d < 1:
			l.refuse("shape %v", want)
		}
		if n > maxInt/want[i] {
			l.refuse("shape %v", want)
		}
		n *= want[i]
	}
	if open >= 0 {
		want[open] = count(dims) / n
		n *= want[open]
	}
	if n != count(dims) {
		l.refuse("shape %s from %s", l.shown(want), l.shown(dims))
	}
	return want
}

func (l *loader) foldReshape(in []any) []any {
	t := must[*tensor](l, in, 0)
	return one(t.shaped(l.reshaped(in, t.dims)))
}

// flattened is the shape that Flatten gives.
func (l *loader) flattened(dims []int) []int {
	a := int(l.int("axis", 1))
	if a != len(dims) {
		a = l.axis(a, len(dims))
	}
	return []int{count(dims[:a]), count(dims[a:])}
}

func (l *loader) foldFlatten(in []any) []any {
	t := must[*tensor](l, in, 0)
	return one(t.shaped(l.flattened(t.dims)))
}

// perm is the order of axes of a Transpose.
func (l *loader) perm(n int) []int {
	perm := l.ints("perm")
	if perm == nil {
		for i := range n {
			perm = append(perm, n-1-i)
		}
	}
	seen := make([]bool, n)
	for _, p := range perm {
		if p < 0 || p >= n || seen[p] || len(perm) != n {
			l.refuse("order %v of %d axes", perm, n)
		}
		seen[p] = true
	}
	if len(perm) != n {
		l.refuse("order %v of %d axes", perm, n)
	}
	return perm
}

func (l *loader) foldTranspose(in []any) []any {
	t := must[*tensor](l, in, 0)
	return one(l.transposed(t, l.perm(len(t.dims))))
}

// foldExpand leaves the images' axis as it is: whoever reads the constant gives it to every image.
func (l *loader) foldExpand(in []any) []any {
	t := must[*tensor](l, in, 0)
	dims, _ := l.list(in, 1, "shape")
	for _, d := range dims {
		if d < 0 {
			l.refuse("shape %v", dims)
		}
	}
	if len(dims) > 1 && dims[0] == l.batch && (len(t.dims) < len(dims) || t.dims[0] == 1) {
		dims = slices.Clone(dims)
		dims[0] = 1
	}
	return one(l.spread(t, l.broadcast(t.dims, dims)))
}

func (l *loader) foldCast(in []any) []any {
	t := must[*tensor](l, in, 0)
	switch message.Type(l.int("to", 0)) {
	case message.Float32, message.Float16, message.Float64, message.BFloat16:
		if !t.whole {
			return one(t)
		}
		return one(floating(t.dims, l.numbers(t)...))
	case message.Bool:
		return l.elements(func(x, _ float64) float64 {
			if x != 0 {
				return 1
			}
			return 0
		}, true, t, wholes(nil, 0))
	case message.Int64, message.Int32, message.Int16, message.Int8, message.Uint8:
		return l.elements(func(x, _ float64) float64 { return math.Trunc(x) }, true, t, wholes(nil, 0))
	}
	l.refuse("type %d", l.int("to", 0))
	return nil
}
