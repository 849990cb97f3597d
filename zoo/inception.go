package zoo

import (
	"slices"

	"zoobench/zoo/nn"
)

// Branches are a module, one figure of the Inception papers: branches over one input, their results concatenated in the
// table's order.
type branches []branch

// A branch is a chain of steps; an empty one hands its input on.
type branch []step

// A step is a convolution with batch norm and ReLU, or a pool, or several convolutions of one value, concatenated.
type step struct {
	name string
	out  int
	k    nn.Kernel
	pool nn.Op // nn.MaxPool or nn.AvgPool over k; no name, no out
	fork []step
}

// A convolution adds a convolution with its batch norm and ReLU, under the names that its network's files have.
type convolution func(name string, x nn.Value, out int, k nn.Kernel) nn.Value

// Windows and pools that several tables name.
var (
	k1, k3, k5 = nn.K(1), nn.K(3), nn.K(5)
	k1x7, k7x1 = nn.KHW(1, 7), nn.KHW(7, 1)
	k1x3, k3x1 = nn.KHW(1, 3), nn.KHW(3, 1)
	k3s2       = nn.K(3).S(2).Valid()
	max3s2     = step{pool: nn.MaxPool, k: k3s2}
	avg3       = step{pool: nn.AvgPool, k: k3}
	avg3NoPad  = step{pool: nn.AvgPool, k: k3.WithoutPad()}
)

// scopedConv puts convolution and norm in a scope of their own, name.conv and name.bn, with TensorFlow's epsilon.
func scopedConv(g *nn.Builder) convolution {
	return func(name string, x nn.Value, out int, k nn.Kernel) nn.Value {
		g := g.In("%s", name)
		return g.ReLU(g.BatchNorm("bn", g.Conv("conv", x, out, k), 1e-3))
	}
}

// shiftingConv is scopedConv with a norm that shifts and does not scale, as Keras's Inceptions have it.
func shiftingConv(g *nn.Builder) convolution {
	return func(name string, x nn.Value, out int, k nn.Kernel) nn.Value {
		g := g.In("%s", name)
		return g.ReLU(g.BatchNormUnscaled("bn", g.Conv("conv", x, out, k), 1e-3, 0.01))
	}
}

// withoutPad is a module whose averages leave padding out of their divisor.
func (m branches) withoutPad() branches {
	var out branches
	for _, b := range m {
		b = slices.Clone(b)
		for i := range b {
			if b[i].pool == nn.AvgPool {
				b[i].k = b[i].k.WithoutPad()
			}
		}
		out = append(out, b)
	}
	return out
}

// convs names a module's convolutions in the table's order.
func (m branches) convs() (names []string) {
	for _, b := range m {
		for _, s := range b {
			for _, f := range s.fork {
				names = append(names, f.name)
			}
			if s.name != "" {
				names = append(names, s.name)
			}
		}
	}
	return names
}

func (m branches) build(g *nn.Builder, x nn.Value, conv convolution) nn.Value {
	var parts []nn.Value
	for _, b := range m {
		parts = append(parts, b.build(g, x, conv))
	}
	return g.Concat(parts...)
}

func (b branch) build(g *nn.Builder, x nn.Value, conv convolution) nn.Value {
	for _, s := range b {
		x = s.build(g, x, conv)
	}
	return x
}

func (s step) build(g *nn.Builder, x nn.Value, conv convolution) nn.Value {
	switch {
	case s.pool == nn.MaxPool:
		return g.MaxPool(x, s.k)
	case s.pool == nn.AvgPool:
		return g.AvgPool(x, s.k)
	case s.fork == nil:
		return conv(s.name, x, s.out, s.k)
	}
	var parts []nn.Value
	for _, f := range s.fork {
		parts = append(parts, f.build(g, x, conv))
	}
	return g.Concat(parts...)
}

// auxConv lists the parameters of an auxiliary head's convolution and norm.
func auxConv(g *nn.Builder, in, out, k int) {
	g.Aux("conv.weight", out, in, k, k)
	for _, name := range []string{"weight", "bias", "running_mean", "running_var"} {
		g.Aux("bn."+name, out)
	}
}

// fromImageNet takes images normalised by ImageNet's statistics to −1 … 1, which weights trained in TensorFlow want:
// torchvision's transform_input. A network that learns from scratch takes images as they come.
func fromImageNet(g *nn.Builder, x nn.Value) nn.Value {
	if g.FromScratch {
		return x
	}
	scale, shift := make([]float64, 3), make([]float64, 3)
	for c := range scale {
		scale[c] = imageNetStd[c] / 0.5
		shift[c] = (imageNetMean[c] - 0.5) / 0.5
	}
	return g.Affine(x, scale, shift)
}
