package nn

import "math"

// Tokens lays an image's pixels in one row, in reading order: C×H×W to C×1×(H·W).
func (g *Builder) Tokens(x Value) Value { return g.regrid(Tokens, x, 1, x.H*x.W) }

// Grid lays a row of tokens out as h rows of w pixels.
func (g *Builder) Grid(x Value, h, w int) Value { return g.regrid(Grid, x, h, w) }

func (g *Builder) regrid(op Op, x Value, h, w int) Value {
	if g.err != nil {
		return Value{}
	}
	if h < 1 || w < 1 || h*w != x.H*x.W {
		g.Fail("%s in %s: %v as %d×%d, which has another number of pixels", op, g.where(), x.Shape, h, w)
		return Value{}
	}
	n := node(op, x)
	n.Out = Shape{x.C, h, w}
	return g.add(n)
}

// SliceTokens is the tokens of a row from up to, not including, to.
func (g *Builder) SliceTokens(x Value, from, to int) Value {
	if g.err != nil {
		return Value{}
	}
	if x.H != 1 || from < 0 || to > x.W || from >= to {
		g.Fail("slice in %s: tokens %d to %d of %v, which has no such range", g.where(), from, to, x.Shape)
		return Value{}
	}
	n := node(SliceTokens, x)
	n.From, n.To, n.Out = from, to, Shape{x.C, 1, to - from}
	return g.add(n)
}

// ConcatTokens lays rows of tokens behind one another.
func (g *Builder) ConcatTokens(xs ...Value) Value {
	if g.err != nil {
		return Value{}
	}
	out := Shape{xs[0].C, 1, 0}
	for _, x := range xs {
		if x.C != out.C || x.H != 1 {
			g.Fail("concat tokens in %s: %v and %v, want equal channels and one row", g.where(), xs[0].Shape, x.Shape)
			return Value{}
		}
		out.W += x.W
	}
	n := node(ConcatTokens, xs...)
	n.Out = out
	return g.add(n)
}

// Const is a parameter as a value, the same for all images: its row-major memory is read as H rows of W pixels of C
// channels. The parameter is called name itself and has the shape dims, s's elements in all.
func (g *Builder) Const(name string, s Shape, dims ...int) Value {
	if g.err != nil {
		return Value{}
	}
	name = g.full(name)
	if p := (Param{Shape: dims}); p.Elems() != s.Elems() {
		g.Fail("%s: shape %v as %v, which has another number of elements", name, dims, s)
		return Value{}
	}
	n := node(Const)
	n.Name, n.Out = name, s
	n.Weight = g.param(name, Learned, dims...)
	return g.add(n)
}

// RelCoords is the offsets between the pixels of an h×w grid as a constant of 2×(2h−1)×(2w−1): channel 0 is
// sign(dy)·ln(1 + |dy|), dy from −(h−1) to h−1 by rows, channel 1 the same of columns, rounded to float32.
func (g *Builder) RelCoords(h, w int) Value {
	if g.err != nil {
		return Value{}
	}
	n := node(RelCoords)
	n.Out = Shape{2, 2*h - 1, 2*w - 1}
	return g.add(n)
}

// Resample takes a constant row of tokens, prefix tokens and then a grid of from[0] rows and from[1] columns, to a grid
// of another size: PyTorch's antialiased bicubic, which timm uses for position tables. The prefix stays as it is, and
// the same size changes nothing.
func (g *Builder) Resample(x Value, from, to [2]int, prefix int) Value {
	if g.err != nil || from == to {
		return x
	}
	if x.H != 1 || x.W != prefix+from[0]*from[1] || to[0] < 1 || to[1] < 1 || !g.graph.Nodes[x.id].Const {
		g.Fail("resample in %s: %v as %d tokens and %d×%d, to %d×%d; want a constant row of so many tokens",
			g.where(), x.Shape, prefix, from[0], from[1], to[0], to[1])
		return Value{}
	}
	n := node(Resample, x)
	n.FromGrid, n.ToGrid, n.Prefix = from, to, prefix
	n.Out = Shape{x.C, 1, prefix + to[0]*to[1]}
	return g.add(n)
}

// AttentionSpec is how the tokens of a grid look at one another.
type AttentionSpec struct {
	Heads      int
	Scale      float64 // of the products of queries and keys; 0 means 1/√d, d being the channels of a head
	HeadsFirst bool    // channels are ordered [heads][q,k,v][d], not [q,k,v][heads][d]
	Window     int     // tokens see those of their own window of Window×Window; 0 means all see all
	Shift      int     // the grid is rolled up and left by this before it is cut into windows (Swin)

	// Bias, unless it is the zero Value, is added to the scaled products: heads×(2h−1)×(2w−1) for a grid (or window) of
	// h×w, at row y−y'+h−1 and column x−x'+w−1 for the query at (y,x) and the key at (y',x').
	Bias Value
}

// Attention is the scaled dot product attention of Vaswani and others 2017: softmax(scale·q·kᵀ + bias)·v over keys, for
// each head. qkv has queries, keys and values, 3·C channels, over the grid of tokens; the result has C, head behind
// head. With a shift, tokens of a window that were not neighbours before the roll see one another with −100 added, as
// Swin has it.
func (g *Builder) Attention(qkv Value, a AttentionSpec) Value {
	if g.err != nil {
		return Value{}
	}
	if a.Heads < 1 || qkv.C%(3*a.Heads) != 0 {
		g.Fail("attention in %s: %v in %d heads, want three times a multiple of the heads as channels", g.where(), qkv.Shape, a.Heads)
		return Value{}
	}
	h, w := qkv.H, qkv.W
	if a.Window != 0 {
		if a.Window < 0 || h%a.Window != 0 || w%a.Window != 0 {
			g.Fail("attention in %s: a grid of %d×%d cannot be cut into windows of %d×%d",
				g.where(), h, w, a.Window, a.Window)
			return Value{}
		}
		h, w = a.Window, a.Window
	}
	if a.Shift < 0 || a.Shift > 0 && a.Shift >= a.Window {
		g.Fail("attention in %s: shift %d of windows of %d, want less than a window", g.where(), a.Shift, a.Window)
		return Value{}
	}
	in := []Value{qkv}
	if a.Bias.C != 0 {
		if want := (Shape{a.Heads, 2*h - 1, 2*w - 1}); a.Bias.Shape != want {
			g.Fail("attention in %s: bias %v, want %v", g.where(), a.Bias.Shape, want)
			return Value{}
		}
		if !g.graph.Nodes[a.Bias.id].Const {
			g.Fail("attention in %s: its bias depends on the image", g.where())
			return Value{}
		}
		in = append(in, a.Bias)
	}
	if a.Scale == 0 {
		a.Scale = 1 / math.Sqrt(float64(qkv.C/3/a.Heads))
	}
	n := node(Attention, in...)
	n.Attention, n.Out = a, Shape{qkv.C / 3, qkv.H, qkv.W}
	return g.add(n)
}
