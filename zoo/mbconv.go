package zoo

import (
	"math"

	"zoobench/zoo/nn"
)

// The blocks that the mobile networks share: Sandler and others 2018, arXiv:1801.04381, figure 4d (inverted residual);
// Howard and others 2019, arXiv:1905.02244, figure 4 (with squeeze and excitation); Tan, Le 2021, arXiv:2104.00298,
// figure 2 (fused). Names are timm's.

// mobile is what the blocks of one network have in common.
type mobile struct {
	act     nn.Act  // after every norm but a projection's, where a block names none of its own
	squeeze nn.Act  // of squeeze and excitation, between its two layers
	gate    nn.Act  // and after them
	eps     float64 // of batch norms, 0 means 1e-5
	same    bool    // TensorFlow's padding instead of PyTorch's
}

// mbConv is one block. It adds its input to its result where its stride and its channels let them have one shape.
type mbConv struct {
	kind     mbKind
	k, s     int    // window and stride of the convolution over pixels
	mid, out int    // channels after the expansion and after the projection
	squeezed int    // channels between the two layers of squeeze and excitation, 0 means there are none
	act      nn.Act // None means the network's own
}

// mbKind is a block's sequence of convolutions.
type mbKind uint8

const (
	inverted  mbKind = iota // 1×1 to mid, depthwise k×k, 1×1 to out
	separable               // depthwise k×k, 1×1 to out
	fused                   // k×k to mid, 1×1 to out
	single                  // k×k to out, with an activation
)

func (m mobile) block(g *nn.Builder, x nn.Value, b mbConv) nn.Value {
	act := b.act
	if act == nn.None {
		act = m.act
	}
	over, point := nn.K(b.k).S(b.s), nn.K(1)
	depthwise := over.G(nn.Depthwise)
	y := x
	switch b.kind {
	case inverted:
		y = g.Activate(m.convNorm(g, "conv_pw", "bn1", y, b.mid, point), act)
		y = g.Activate(m.convNorm(g, "conv_dw", "bn2", y, b.mid, depthwise), act)
		y = m.squeezeExcite(g.In("se"), y, b.squeezed)
		y = m.convNorm(g, "conv_pwl", "bn3", y, b.out, point)
	case separable:
		y = g.Activate(m.convNorm(g, "conv_dw", "bn1", y, x.C, depthwise), act)
		y = m.squeezeExcite(g.In("se"), y, b.squeezed)
		y = m.convNorm(g, "conv_pw", "bn2", y, b.out, point)
	case fused:
		y = g.Activate(m.convNorm(g, "conv_exp", "bn1", y, b.mid, over), act)
		y = m.convNorm(g, "conv_pwl", "bn2", y, b.out, point)
	case single:
		y = g.Activate(m.convNorm(g, "conv", "bn1", y, b.out, over), act)
	}
	if b.s == 1 && b.out == x.C {
		return g.Add(y, x)
	}
	return y
}

// squeezeExcite is blocks.go's with the network's own activations, under timm's names for mobile networks.
func (m mobile) squeezeExcite(g *nn.Builder, x nn.Value, squeezed int) nn.Value {
	if squeezed == 0 {
		return x
	}
	y := g.Conv("conv_reduce", g.GlobalAvgPool(x), squeezed, nn.K(1).WithBias())
	y = g.Conv("conv_expand", g.Activate(y, m.squeeze), x.C, nn.K(1).WithBias())
	return g.Mul(x, g.Activate(y, m.gate))
}

// convNorm is a convolution and its batch norm, padded as the network pads.
func (m mobile) convNorm(g *nn.Builder, conv, norm string, x nn.Value, out int, k nn.Kernel) nn.Value {
	if m.same {
		k = k.Same()
	}
	eps := m.eps
	if eps == 0 {
		eps = 1e-5
	}
	return g.BatchNorm(norm, g.Conv(conv, x, out, k), eps)
}

// mbNet is a network of such blocks in stages: stem, stages, a 1×1 convolution to head channels, classifier.
type mbNet struct {
	mobile
	stem, head   int // channels
	stages       []mbStage
	width, depth float64 // factors on the stages' channels and layers, 0 means 1
}

// mbStage is one row of such a network's table.
type mbStage struct {
	kind mbKind
	t    int  // expansion
	k    int  // window
	c    int  // channels
	n    int  // layers
	s    int  // stride of the first
	se   bool // squeeze and excitation, to a quarter of the block's input
}

func (m mbNet) build(g *nn.Builder, x nn.Value) nn.Value {
	x = g.Activate(m.convNorm(g, "conv_stem", "bn1", x, m.stem, nn.K(3).S(2)), m.act)
	for i, s := range m.stages {
		for j := range m.layers(s.n) {
			b := mbConv{kind: s.kind, k: s.k, s: 1, mid: s.t * x.C, out: m.channels(s.c)}
			if j == 0 {
				b.s = s.s
			}
			if s.se {
				b.squeezed = x.C / 4
			}
			x = m.block(g.In("blocks.%d.%d", i, j), x, b)
		}
	}
	x = g.Activate(m.convNorm(g, "conv_head", "bn2", x, m.head, nn.K(1)), m.act)
	return g.Linear("classifier", g.GlobalAvgPool(x), g.Classes)
}

func (m mbNet) channels(c int) int {
	if m.width == 0 {
		return c
	}
	return round8(float64(c)*m.width, 0.9)
}

func (m mbNet) layers(n int) int {
	if m.depth == 0 {
		return n
	}
	return int(math.Ceil(float64(n) * m.depth))
}
