package load

import (
	"math"
	"slices"

	"zoobench/zoo/nn"
)

// scores are an attention's products of queries and keys, and after a softmax its shares. The view has keys as kinds of their own.
type scores struct {
	q, k   *image
	batch  view // the axes before tokens, as queries, keys and values have them
	tokens []atom
	scale  float64
	bias   *tensor
	seen   view // as the bias was added
	shift  int  // of windows, whose mask was added; 0 for none
	soft   bool
	v      view
}

// products are those of queries and keys.
func (l *loader) products(q, k *image) any {
	n := len(q.v)
	if n != len(k.v) || n < 3 {
		l.refuse("a product of %s and %s", l.shown(q.v.dims()), l.shown(k.v.dims()))
	}
	scale := 1.0
	q, scale = l.unscaled(q, scale)
	k, scale = l.unscaled(k, scale)
	s := &scores{q: q, k: k, batch: q.v[:n-2], tokens: q.v[n-2], scale: scale}
	width := func(axis []atom) bool {
		return len(axis) == 0 || len(axis) == 1 && axis[0].kind == channel && axis[0].stride == 1
	}
	if !width(q.v[n-1]) || !slices.Equal(s.tokens, k.v[n-1]) || size(q.v[n-1]) != size(k.v[n-2]) || !width(k.v[n-2]) || len(s.tokens) == 0 ||
		slices.ContainsFunc(s.tokens, func(a atom) bool { return a.kind != row && a.kind != column }) {
		l.refuse("a product of %s and %s that is not of queries and keys", l.shown(q.v.dims()), l.shown(k.v.dims()))
	}
	var keys []atom
	for _, a := range s.tokens {
		a.kind += keyRow - row
		keys = append(keys, a)
	}
	s.v = append(slices.Clone(s.batch), s.tokens, keys)
	return s
}

// unscaled is an image without its factor, which goes into scale.
func (l *loader) unscaled(x *image, scale float64) (*image, float64) {
	if factor, summand, ok := x.f.line(); ok && summand == 0 && factor > 0 {
		return x.with(x.f.base), scale * factor
	}
	return x.with(l.realise(x.f)), scale
}

// scored is an operator of products and a constant: a factor, the bias of positions, or the mask of windows.
func (l *loader) scored(op string, s *scores, t *tensor) *scores {
	y := *s
	if s.soft {
		l.refuse("%s of an attention's shares", op)
	}
	if count(t.dims) == 1 && (op == "Mul" || op == "Div") && s.bias == nil && s.shift == 0 {
		c := l.scalar(t)
		if op == "Div" {
			c = 1 / c
		}
		y.scale *= c
		return &y
	}
	_, over, ok := reader(t.dims, s.v)
	if op != "Add" || !ok || over[images] && l.batch != 1 {
		l.refuse("%s of products of queries and keys, %s, and a constant of shape %v", op, l.shown(s.v.dims()), t.dims)
	}
	if !over[channel] && l.masks(s, t) {
		y.shift = s.q.roll[row]
		return &y
	}
	if s.bias != nil {
		l.refuse("a second bias of positions")
	}
	y.bias, y.seen = t, s.v
	return &y
}

// masks reports whether a constant is the mask of rolled windows: −100 where two tokens were not neighbours.
func (l *loader) masks(s *scores, t *tensor) bool {
	w, shift := s.window(), s.q.roll[row]
	if w == 0 || shift == 0 || s.shift != 0 || s.q.roll[column] != shift {
		return false
	}
	at, _, _ := reader(t.dims, s.v)
	m := l.numbers(t)
	g := s.q.base().Shape
	region := func(i, n int) int {
		switch {
		case i < n-w:
			return 0
		case i < n-shift:
			return 1
		}
		return 2
	}
	var p [numKinds]int
	for p[row] = range g.H {
		for p[column] = range g.W {
			for ky := range w {
				for kx := range w {
					p[keyRow], p[keyColumn] = p[row]/w*w+ky, p[column]/w*w+kx
					want := float32(0)
					if region(p[row], g.H) != region(p[keyRow], g.H) || region(p[column], g.W) != region(p[keyColumn], g.W) {
						want = -100
					}
					if m[at(&p)] != want {
						return false
					}
				}
			}
		}
	}
	return true
}

// window is the rows and columns of the windows whose tokens see each other; 0 where all do.
func (s *scores) window() int {
	g := s.q.base().Shape
	if ordered(s.tokens, g) {
		return 0
	}
	n := 1
	if len(s.tokens) == 2 && s.tokens[0].kind == row && s.tokens[1].kind == column && s.tokens[0].size == s.tokens[1].size {
		n = s.tokens[0].size
	}
	want := view{{{row, n, 1}, {column, n, 1}}}
	if n == 1 || g.H%n != 0 || g.W%n != 0 || !slices.Equal(s.tokens, want[0]) {
		return -1
	}
	return n
}

// softened are shares.
func (l *loader) softened(s *scores) *scores {
	last := s.v[len(s.v)-1]
	if len(s.v) != len(s.batch)+2 || !s.v[:len(s.batch)].equal(s.batch) || !slices.Equal(s.v[len(s.batch)], s.tokens) || len(last) == 0 ||
		last[0].kind < keyRow {
		l.refuse("a softmax over %s that is not over keys", l.shown(s.v.dims()))
	}
	y := *s
	y.soft = true
	return &y
}

// attend multiplies shares by values: the attention is whole.
func (l *loader) attend(s *scores, x *image) *image {
	n := len(x.v)
	x = x.with(l.realise(x.f))
	window := s.window()
	if !s.soft || n != len(s.batch)+2 || !slices.Equal(x.v[n-2], s.tokens) || window < 0 ||
		s.q.roll != s.k.roll || s.q.roll != x.roll || s.q.roll[row] != s.q.roll[column] || s.shift != s.q.roll[row] {
		l.refuse("a product with %s that is no attention over all tokens or over windows", l.shown(x.v.dims()))
	}
	d := size(x.v[n-1])
	heads := 1
	for _, y := range []*image{s.q, s.k, x} {
		h := l.headsOf(y, d)
		if heads = max(heads, h); h != heads {
			l.refuse("%d heads and %d", heads, h)
		}
	}
	a := nn.AttentionSpec{Heads: heads, Scale: s.scale, Window: window, Shift: s.shift}
	g := s.q.base().Shape
	if s.bias != nil {
		a.Bias = l.positions(s, heads)
	}
	if std := 1 / math.Sqrt(float64(d)); math.Abs(a.Scale-std) < 1e-6*std {
		a.Scale = 0
	}
	var qkv nn.Value
	switch q, k := s.q, s.k; {
	case q.base() == k.base() && q.base() == x.base() && g.C == 3*heads*d &&
		(l.placed(q, 0, d, d) && l.placed(k, heads*d, d, d) && l.placed(x, 2*heads*d, d, d)):
		qkv = l.value(q.base())
	case q.base() == k.base() && q.base() == x.base() && g.C == 3*heads*d &&
		(l.placed(q, 0, 3*d, d) && l.placed(k, d, 3*d, d) && l.placed(x, 2*d, 3*d, d)):
		qkv = l.value(q.base())
		a.HeadsFirst = true
	default:
		var three []nn.Value
		for _, y := range []*image{q, k, x} {
			if !l.placed(y, y.start[channel], d, d) {
				l.refuse("channels of heads in an order that no layer has")
			}
			y = l.settled(l.headless(y))
			if y.base().C != heads*d {
				l.refuse("%d channels in %d heads of %d", y.base().C, heads, d)
			}
			three = append(three, l.value(y.base()))
		}
		qkv = l.made(l.g.Concat(three...)).value
	}
	y := x.with(l.made(l.g.Attention(qkv, a)))
	y.start = [numKinds]int{}
	y.v = nil
	for _, axis := range s.batch {
		var atoms []atom
		for _, a := range axis {
			if a.kind == channel {
				a.stride = d
			}
			atoms = append(atoms, a)
		}
		y.v = append(y.v, atoms)
	}
	y.v = append(y.v, s.tokens, full(channel, d))
	return y
}

// headsOf is the number of heads of an image: it must have all images and windows once, and heads of channels, d each.
func (l *loader) headsOf(x *image, d int) int {
	g := x.base().Shape
	heads := 1
	for _, axis := range x.v[:len(x.v)-2] {
		for _, a := range axis {
			if a.kind == channel {
				heads *= a.size
			}
		}
	}
	if x.v.covers(images) != l.batch || x.v.covers(row) != g.H || x.v.covers(column) != g.W || x.v.covers(channel) != heads*d {
		l.refuse("a product with a part of %s", l.shown(x.v.dims()))
	}
	return heads
}

// placed reports whether the heads of an image begin at a channel and are so many apart.
func (l *loader) placed(x *image, start, stride, d int) bool {
	ok := x.start[channel] == start
	x.v.each(func(axis int, a atom) {
		if a.kind == channel && axis < len(x.v)-2 {
			ok = ok && a.stride == stride
		}
	})
	return ok
}

// headless is an image seen as planes of its part of the channels.
func (l *loader) headless(x *image) *image {
	y := *x
	s := x.base().Shape
	y.v = view{full(images, l.batch), full(channel, x.v.covers(channel)), full(row, s.H), full(column, s.W)}
	return &y
}

// positions is the table of a bias that depends on how far a key is from its query: heads × offsets of rows × of columns.
func (l *loader) positions(s *scores, heads int) nn.Value {
	g := s.q.base().Shape
	h, w := g.H, g.W
	if n := s.window(); n > 0 {
		h, w = n, n
	}
	at, over, _ := reader(s.bias.dims, s.seen)
	m := l.numbers(s.bias)
	_, head := s.batch.find(channel)
	step := max(head.stride, 1)
	table := make([]float32, (2*h-1)*(2*w-1)*heads)
	set := make([]bool, len(table))
	if !over[keyRow] && !over[keyColumn] {
		l.refuse("a bias of shape %v that does not depend on keys", s.bias.dims)
	}
	var p [numKinds]int
	for head := range heads {
		p[channel] = head * step
		for q := range h * w {
			p[row], p[column] = q/w, q%w
			for k := range h * w {
				p[keyRow], p[keyColumn] = k/w, k%w
				i := ((p[row]-p[keyRow]+h-1)*(2*w-1)+p[column]-p[keyColumn]+w-1)*heads + head
				v := m[at(&p)]
				if set[i] && table[i] != v {
					l.refuse("a bias of shape %v that depends on more than how far a key is from its query", s.bias.dims)
				}
				table[i], set[i] = v, true
			}
		}
	}
	name := l.unique(l.constantName(s.bias))
	shape := []int{(2*h - 1) * (2*w - 1), heads}
	l.setFloats(name, func() ([]float32, error) { return table, nil }, shape...)
	return l.made(l.g.Const(name, nn.Shape{C: heads, H: 2*h - 1, W: 2*w - 1}, shape...)).value
}
