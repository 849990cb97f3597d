package zoo

import (
	"fmt"

	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
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

	momentum float64 // the share of a batch's statistics that batch norms take into the running ones, 0 means a tenth
	keep     keep
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
	momentum := m.momentum
	if momentum == 0 {
		momentum = 0.1
	}
	return g.BatchNormMomentum(norm, g.Conv(conv, x, out, k), eps, momentum)
}

// torchvision is the table of one block, a list of layers to torchvision.
func (b mbConv) torchvision(from, to string) []weights.Rename {
	var layers [][2]string
	switch b.kind {
	case inverted:
		layers = [][2]string{{"conv_pw", "bn1"}, {"conv_dw", "bn2"}, {"se"}, {"conv_pwl", "bn3"}}
	case separable:
		layers = [][2]string{{"conv_dw", "bn1"}, {"se"}, {"conv_pw", "bn2"}}
	case fused:
		layers = [][2]string{{"conv_exp", "bn1"}, {"conv_pwl", "bn2"}}
	case single:
		layers = [][2]string{{"conv", "bn1"}}
	}
	var rows []weights.Rename
	i := 0
	for _, names := range layers {
		at, first, second := fmt.Sprintf("%s%d.", from, i), "0.*", "1.*"
		if names[0] == "se" {
			if b.squeezed == 0 {
				continue
			}
			names, first, second = [2]string{"se.conv_reduce", "se.conv_expand"}, "fc1.*", "fc2.*"
		}
		rows = append(rows,
			weights.Rename{Old: at + first, New: to + names[0] + ".*"}, weights.Rename{Old: at + second, New: to + names[1] + ".*"})
		i++
	}
	return rows
}
