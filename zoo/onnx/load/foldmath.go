package load

import (
	"math"
	"slices"
)

func (l *loader) foldRange(in []any) []any {
	from, to, step := must[*tensor](l, in, 0), must[*tensor](l, in, 1), must[*tensor](l, in, 2)
	if !from.whole || !to.whole || !step.whole || count(from.dims) != 1 || count(to.dims) != 1 || count(step.dims) != 1 || step.ints[0] == 0 {
		l.refuse("want whole numbers, and a step")
	}
	n := max(0, int(math.Ceil(float64(to.ints[0]-from.ints[0])/float64(step.ints[0]))))
	l.bounded([]int{n})
	v := make([]int64, n)
	for i := range v {
		v[i] = from.ints[0] + int64(i)*step.ints[0]
	}
	return one(wholes([]int{n}, v...))
}

func (l *loader) foldWhere(in []any) []any {
	c, a, b := must[*tensor](l, in, 0), must[*tensor](l, in, 1), must[*tensor](l, in, 2)
	dims := l.bounded(l.broadcast(c.dims, l.broadcast(a.dims, b.dims)))
	if !c.whole || a.whole != b.whole {
		l.refuse("a condition of floats")
	}
	c, a, b = l.spread(c, dims), l.spread(a, dims), l.spread(b, dims)
	y := &tensor{dims: dims, whole: a.whole}
	if a.whole {
		y.ints = slices.Clone(b.ints)
		for i, v := range c.ints {
			if v != 0 {
				y.ints[i] = a.ints[i]
			}
		}
		return one(y)
	}
	x, z := l.numbers(a), slices.Clone(l.numbers(b))
	for i, v := range c.ints {
		if v != 0 {
			z[i] = x[i]
		}
	}
	return one(floating(dims, z...))
}

// elements computes each element of two constants; floats when they are wanted.
func (l *loader) elements(f func(x, y float64) float64, whole bool, a, b *tensor) []any {
	dims := l.bounded(l.broadcast(a.dims, b.dims))
	a, b = l.spread(a, dims), l.spread(b, dims)
	y := &tensor{name: a.name, dims: dims, whole: whole}
	if whole && a.whole && b.whole {
		y.ints = make([]int64, len(a.ints))
		for i := range y.ints {
			y.ints[i] = int64(f(float64(a.ints[i]), float64(b.ints[i])))
		}
		return one(y)
	}
	compute := func() ([]float32, error) {
		p, err := l.floats(a)
		if err != nil {
			return nil, err
		}
		q, err := l.floats(b)
		if err != nil {
			return nil, err
		}
		x := make([]float32, len(p))
		for i := range x {
			x[i] = float32(f(float64(p[i]), float64(q[i])))
		}
		return x, nil
	}
	if !whole {
		y.floats = compute
		return one(y)
	}
	x, err := compute()
	if err != nil {
		l.refuse("%v", err)
	}
	for _, v := range x {
		y.ints = append(y.ints, int64(v))
	}
	return one(y)
}

func single(f func(float64) float64) func(*loader, []any) []any {
	return func(l *loader, in []any) []any {
		t := must[*tensor](l, in, 0)
		return l.elements(func(x, _ float64) float64 { return f(x) }, t.whole, t, wholes(nil, 0))
	}
}

func pairs(f func(x, y float64) float64) func(*loader, []any) []any {
	return func(l *loader, in []any) []any {
		a, b := must[*tensor](l, in, 0), must[*tensor](l, in, 1)
		return l.elements(f, a.whole && b.whole, a, b)
	}
}

// several is an operator of any number of constants.
func several(f func(x, y float64) float64) func(*loader, []any) []any {
	return func(l *loader, in []any) []any {
		y := must[*tensor](l, in, 0)
		for k := range in[1:] {
			t := must[*tensor](l, in, k+1)
			y = l.elements(f, y.whole && t.whole, y, t)[0].(*tensor)
		}
		return one(y)
	}
}

func compare(f func(x, y float64) bool) func(*loader, []any) []any {
	return func(l *loader, in []any) []any {
		return l.elements(func(x, y float64) float64 {
			if f(x, y) {
				return 1
			}
			return 0
		}, true, must[*tensor](l, in, 0), must[*tensor](l, in, 1))
	}
}

func (l *loader) foldDiv(in []any) []any {
	a, b := must[*tensor](l, in, 0), must[*tensor](l, in, 1)
	whole := a.whole && b.whole
	if !whole && (floatTypes[a.of] == "" && a.of != 0 || floatTypes[b.of] == "" && b.of != 0) {
		l.refuse("a quotient of many whole numbers")
	}
	if whole && slices.Contains(b.ints, 0) {
		l.refuse("a division by 0")
	}
	return l.elements(func(x, y float64) float64 {
		if whole {
			return math.Trunc(x / y)
		}
		return x / y
	}, whole, a, b)
}

func (l *loader) foldMod(in []any) []any {
	a, b := must[*tensor](l, in, 0), must[*tensor](l, in, 1)
	if !a.whole || !b.whole || slices.Contains(b.ints, 0) {
		l.refuse("want whole numbers, and none of them 0")
	}
	if l.int("fmod", 0) != 0 {
		return l.elements(math.Mod, true, a, b)
	}
	return l.elements(func(x, y float64) float64 { return x - y*math.Floor(x/y) }, true, a, b)
}
