package nn

// Slice is the channels from up to, not including, to.
func (g *Builder) Slice(x Value, from, to int) Value {
	if g.err != nil {
		return Value{}
	}
	if from < 0 || to > x.C || from >= to {
		g.Fail("slice in %s: channels %d to %d of %v, which has no such range", g.where(), from, to, x.Shape)
		return Value{}
	}
	n := node(Slice, x)
	n.From, n.To, n.Out = from, to, Shape{to - from, x.H, x.W}
	return g.add(n)
}

// Shuffle deals groups of channels out in turn: channel j·groups + i of the result is channel i·C/groups + j of x.
func (g *Builder) Shuffle(x Value, groups int) Value { return g.grouped(Shuffle, "", x, groups, 0) }

// SplitSoftmax is a softmax over parts equal ranges of channels: of parts elements for each channel of a range, at
// every pixel.
func (g *Builder) SplitSoftmax(x Value, parts int) Value {
	return g.grouped(SplitSoftmax, "", x, parts, 0)
}

// GroupNorm normalises each group of channels by the mean and the variance of its pixels, then scales and shifts each
// channel. One group normalises the whole image.
func (g *Builder) GroupNorm(name string, x Value, groups int, eps float64) Value {
	return g.grouped(GroupNorm, name, x, groups, eps)
}

// grouped adds an operation on equal ranges of channels, with a norm's parameters where it has a name.
func (g *Builder) grouped(op Op, name string, x Value, groups int, eps float64) Value {
	if g.err != nil {
		return Value{}
	}
	if groups < 1 || x.C%groups != 0 {
		g.Fail("%s in %s: %d channels in %d groups, which must divide them", op, g.where(), x.C, groups)
		return Value{}
	}
	n := node(op, x)
	n.Groups, n.Eps, n.Out = groups, eps, x.Shape
	if name != "" {
		g.normParams(&n, name, x.C)
	}
	return g.add(n)
}

// LayerNorm normalises each pixel by the mean and the variance of its channels, then scales and shifts each channel:
// LayerNorm over tokens and LayerNorm2d over an image alike.
func (g *Builder) LayerNorm(name string, x Value, eps float64) Value {
	if g.err != nil {
		return Value{}
	}
	n := node(LayerNorm, x)
	n.Out, n.Eps = x.Shape, eps
	g.normParams(&n, name, x.C)
	return g.add(n)
}

func (g *Builder) normParams(n *Node, name string, channels int) {
	n.Name = g.full(name)
	n.Weight = g.param(n.Name+".weight", Learned, channels)
	n.Bias = g.param(n.Name+".bias", Learned, channels)
}

// Scale multiplies each channel by a learned number: a layer scale. The parameter, of shape (C), is called name itself.
func (g *Builder) Scale(name string, x Value) Value {
	if g.err != nil {
		return Value{}
	}
	n := node(Scale, x)
	n.Name, n.Out = g.full(name), x.Shape
	n.Weight = g.param(n.Name, Learned, x.C)
	return g.add(n)
}

// Affine is x·scale + shift with constants by channel; a single number holds for all channels, none means 1 and 0.
func (g *Builder) Affine(x Value, scale, shift []float64) Value {
	if g.err != nil {
		return Value{}
	}
	n := node(Affine, x)
	n.Out = x.Shape
	n.Scale, n.Shift = spread(scale, x.C, 1), spread(shift, x.C, 0)
	if n.Scale == nil || n.Shift == nil {
		g.Fail("affine in %s: %d scales and %d shifts for %v, want none, one, or one for each channel",
			g.where(), len(scale), len(shift), x.Shape)
		return Value{}
	}
	return g.add(n)
}

// spread gives a number to each of c channels, nil where there is another number of them.
func spread(v []float64, c int, none float64) []float64 {
	all := make([]float64, c)
	for i := range all {
		switch len(v) {
		case 0:
			all[i] = none
		case 1:
			all[i] = v[0]
		case c:
			all[i] = v[i]
		default:
			return nil
		}
	}
	return all
}

// Pad puts zeros around an image, where no window's own padding says it: a maximum over zeros, for one.
func (g *Builder) Pad(x Value, e Edges) Value {
	if g.err != nil {
		return Value{}
	}
	if min(e.Top, e.Left, e.Bottom, e.Right) < 0 {
		g.Fail("pad in %s: edges %v, want none below 0", g.where(), e)
		return Value{}
	}
	n := node(Pad, x)
	n.Kernel.Pad = e
	n.Out = Shape{x.C, x.H + e.Top + e.Bottom, x.W + e.Left + e.Right}
	return g.add(n)
}

// ChannelConv is a convolution along the channels of a vector, k wide, zeros beyond its ends, without a bias; its
// weight is (1,1,k).
func (g *Builder) ChannelConv(name string, x Value, k int) Value {
	if g.err != nil {
		return Value{}
	}
	name = g.full(name)
	if x.H != 1 || x.W != 1 || k < 1 || k%2 == 0 {
		g.Fail("%s: %d wide over %v, want an odd width over one pixel", name, k, x.Shape)
		return Value{}
	}
	n := node(ChannelConv, x)
	n.Name, n.Out = name, x.Shape
	n.Weight = g.param(name+".weight", Learned, 1, 1, k)
	return g.add(n)
}
