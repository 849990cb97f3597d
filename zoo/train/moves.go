package train

import (
	"zoobench/internal/recipe"
	"zoobench/kernels"
	"zoobench/zoo/nn"
)

// addition is a sum; an input that is one value for all images is lent to each.
type addition struct {
	site
	run *kernels.Pointwise
}

func (a *addition) forward() error {
	var rest []kernels.Tensor
	for k := 1; k < len(a.node.In); k++ {
		rest = append(rest, a.x(k))
	}
	first := a.x(0)
	if first.N < a.n && len(rest) > 0 { // the first one sets the number of images
		first, rest[0] = rest[0], first
	}
	a.run.Run(a.pool, a.y(), first, kernels.Tensor{}, rest)
	return nil
}

func (a *addition) backward() error {
	dy := a.dy()
	for k := range a.node.In {
		a.to(k, func(dst kernels.Tensor) {
			if a.Graph.Spread(a.i, k) {
				a.gather(dst, dy, 0)
			} else {
				a.copy(dst, 0, dy, 0, dst.C)
			}
		})
	}
	return nil
}

// gather sums over all images what is one value for all: of every pixel, the channels of dst from channel from on.
func (s site) gather(dst, dy kernels.Tensor, from int) {
	s.each(dst.Pixels(), func(p int) {
		out := dst.Data[p*dst.C:][:dst.C]
		clear(out)
		for i := range dy.N {
			for c, v := range dy.Data[(i*dst.Pixels()+p)*dy.C+from:][:dst.C] {
				out[c] += v
			}
		}
	})
}

// identity copies: what only looks at memory otherwise, and what drops elements or images in training.
type identity struct {
	site
	factors []float32 // of the step under way; nil where nothing is dropped, or where the gradient draws them again
}

func (d *identity) forward() error {
	d.draw()
	d.copy(d.y(), d.x(0))
	if d.schedule.recomputes(d.i) {
		d.factors = nil
	}
	return nil
}

// draw makes the factors of the step: the same ones each time.
func (d *identity) draw() {
	if d.factors = nil; d.training && d.node.Drop > 0 {
		d.factors = d.drops(d.i, d.step)
	}
}

func (d *identity) backward() error {
	if d.factors == nil {
		d.draw()
	}
	d.to(0, func(dst kernels.Tensor) { d.copy(dst, d.dy()) })
	return nil
}

// piece is how many elements of a tensor are a worker's at a time.
const piece = 1 << 14

func (d *identity) copy(dst, src kernels.Tensor) {
	each := d.dropped()
	d.each((len(src.Data)+piece-1)/piece, func(i int) {
		from, to := i*piece, min((i+1)*piece, len(src.Data))
		if d.factors == nil {
			copy(dst.Data[from:to], src.Data[from:to])
			return
		}
		if each == 1 {
			for k := from; k < to; k++ {
				dst.Data[k] = d.factors[k] * src.Data[k]
			}
			return
		}
		for from < to {
			image := from / each
			end, factor := min(to, (image+1)*each), d.factors[image]
			for k := from; k < end; k++ {
				dst.Data[k] = factor * src.Data[k]
			}
			from = end
		}
	})
}

// dropped is how many neighbouring elements a node drops together.
func (s site) dropped() int {
	if s.node.DropImages {
		return s.node.Out.Elems()
	}
	return 1
}

// Factors are what a node that drops multiplies its elements by in a step, (n,H,W,C): 0, or 1/(1 − Drop).
func (net *Network) Factors(node, step int) []float32 {
	drops := net.drops(node, step)
	factors := make([]float32, net.n*net.Graph.Nodes[node].Out.Elems())
	for i := range factors {
		factors[i] = drops[i*len(drops)/len(factors)]
	}
	return factors
}

// drops are the factors with one for all elements that are dropped together.
func (net *Network) drops(node, step int) []float32 {
	s := site{net, node, &net.Graph.Nodes[node]}
	r := recipe.Random(net.Seed, step, forDropping+uint64(node))
	kept := float32(1 / (1 - s.node.Drop))
	factors := make([]float32, net.n*s.node.Out.Elems()/s.dropped())
	for i := range factors {
		if r.Float64() >= s.node.Drop {
			factors[i] = kept
		}
	}
	return factors
}

// concat lays channels behind one another, or tokens; an input that is one value for all images is lent to each.
type concat struct{ site }

func (c *concat) forward() error {
	at := 0
	for k := range c.node.In {
		x := c.wide(c.x(k))
		c.copy(c.wide(c.y()), at, x, 0, x.C)
		at += x.C
	}
	return nil
}

func (c *concat) backward() error {
	at := 0
	for k := range c.node.In {
		c.to(k, func(dst kernels.Tensor) {
			if dst, dy := c.wide(dst), c.wide(c.dy()); c.Graph.Spread(c.i, k) {
				c.gather(dst, dy, at)
			} else {
				c.copy(dst, 0, dy, at, dst.C)
			}
		})
		at += c.wide(c.x(k)).C
	}
	return nil
}

// wide is a tensor whose row of tokens is one pixel's channels, where the node moves tokens.
func (s site) wide(t kernels.Tensor) kernels.Tensor {
	if s.node.Op == nn.ConcatTokens || s.node.Op == nn.SliceTokens {
		t.C, t.W = t.W*t.C, 1
		t.Stride = t.C
	}
	return t
}

// slice is a range of channels, or of tokens.
type slice struct{ site }

// channels is the range's first channel, and how many there are.
func (c *slice) channels() (from, n int) {
	n = c.wide(c.y()).C
	return c.node.From * (n / (c.node.To - c.node.From)), n
}

func (c *slice) forward() error {
	from, n := c.channels()
	c.copy(c.wide(c.y()), 0, c.wide(c.x(0)), from, n)
	return nil
}

func (c *slice) backward() error {
	from, n := c.channels()
	c.to(0, func(dst kernels.Tensor) {
		clear(dst.Data)
		c.copy(c.wide(dst), from, c.wide(c.dy()), 0, n)
	})
	return nil
}

// copy copies n channels of every pixel, from channel from on to channel at on; src may be one value for all images.
func (s site) copy(dst kernels.Tensor, at int, src kernels.Tensor, from, n int) {
	s.each(dst.N*dst.H, func(row int) {
		to, of := dst.Data[row*dst.W*dst.C:], src.Data[row%(src.N*src.H)*src.W*src.C:]
		if n == dst.C && n == src.C {
			copy(to[:dst.W*n], of)
			return
		}
		for p := range dst.W {
			copy(to[p*dst.C+at:][:n], of[p*src.C+from:])
		}
	})
}

// flatten lays an image's elements in one row, channel by channel.
type flatten struct {
	site
	turn *kernels.Turn
}

func (f *flatten) forward() error {
	x := f.x(0)
	f.turn.Run(f.pool, f.y().Data, x.Data, x.N, x.H*x.W, x.C)
	return nil
}

func (f *flatten) backward() error {
	f.to(0, func(dst kernels.Tensor) { f.turn.Run(f.pool, dst.Data, f.dy().Data, dst.N, dst.C, dst.H*dst.W) })
	return nil
}

// unflatten is a flatten backward.
type unflatten struct {
	site
	turn *kernels.Turn
}

func (f *unflatten) forward() error {
	y := f.y()
	f.turn.Run(f.pool, y.Data, f.x(0).Data, y.N, y.C, y.H*y.W)
	return nil
}

func (f *unflatten) backward() error {
	dy := f.dy()
	f.to(0, func(dst kernels.Tensor) { f.turn.Run(f.pool, dst.Data, dy.Data, dy.N, dy.H*dy.W, dy.C) })
	return nil
}

// product is a value by a gate of one pixel, or by another value of its own shape.
type product struct {
	site
	columns *kernels.Columns
}

func (m *product) forward() error {
	m.sum.Run(m.pool, m.y(), m.x(0), m.x(1), nil)
	return nil
}

func (m *product) backward() error {
	dy := m.dy()
	m.to(0, func(dst kernels.Tensor) { m.sum.Run(m.pool, dst, dy, m.x(1), nil) })
	m.to(1, func(dst kernels.Tensor) {
		if dst.H*dst.W == dy.H*dy.W {
			m.sum.Run(m.pool, dst, dy, m.x(0), nil)
			return
		}
		m.columns.ImageProducts(m.pool, dst, m.x(0), dy)
	})
	return nil
}

// activation is an activation function of its own.
type activation struct {
	site
	function *kernels.Pointwise
	slope    *kernels.ActGrad
}

func newActivation(s site) *activation {
	act, workers := acts[s.node.Act], s.pool.Size()
	return &activation{s, kernels.NewPointwise(nil, nil, act, workers), kernels.NewActGrad(act, workers)}
}

func (a *activation) forward() error {
	if a.joined[a.i] {
		return nil
	}
	a.function.Run(a.pool, a.y(), a.x(0), kernels.Tensor{}, nil)
	return nil
}

func (a *activation) backward() error {
	of := a.x(0)
	if a.slope.OfResult() {
		of = a.y()
	}
	a.to(0, func(dst kernels.Tensor) { a.slope.Run(a.pool, dst.Data, a.dy().Data, of.Data) })
	return nil
}
