package zoo

import (
	"fmt"
	"math"

	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// mbNet is a network of such blocks in stages: stem, stages, a 1×1 convolution to head channels, classifier.
type mbNet struct {
	mobile
	stem, head   int // channels
	stages       []mbStage
	width, depth float64 // factors on the stages' channels and layers, 0 means 1

	nearest bool // channels are the nearest multiple of 8, even if that is less by more than a tenth

	front func(*nn.Builder, nn.Value) nn.Value // what the network does to images first, nil for nothing
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
	if m.front != nil {
		x = m.front(g, x)
	}
	keep := m.keep
	x = g.Activate(m.convNorm(g, "conv_stem", "bn1", x, m.stem, nn.K(3).S(keep.stride(2))), m.act)
	for i, s := range m.stages {
		for j := range m.layers(s.n) {
			b := mbConv{kind: s.kind, k: s.k, s: 1, mid: s.t * x.C, out: m.channels(s.c)}
			if j == 0 {
				b.s = keep.stride(s.s)
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
	limit := 0.9
	if m.nearest {
		limit = 0
	}
	return round8(float64(c)*m.width, limit)
}

func (m mbNet) layers(n int) int {
	if m.depth == 0 {
		return n
	}
	return int(math.Ceil(float64(n) * m.depth))
}

// mbNetTorchvision is the table from torchvision's names: features.0 is the stem, then come the stages and the head.
func mbNetTorchvision(stages []mbStage) []weights.Rename {
	last := fmt.Sprintf("features.%d.", len(stages)+1)
	rows := []weights.Rename{
		{Old: "features.0.0.*", New: "conv_stem.*"}, {Old: "features.0.1.*", New: "bn1.*"},
		{Old: last + "0.*", New: "conv_head.*"}, {Old: last + "1.*", New: "bn2.*"},
		{Old: "classifier.1.*", New: "classifier.*"},
	}
	for i, s := range stages {
		b := mbConv{kind: s.kind}
		if s.se {
			b.squeezed = 1
		}
		rows = append(rows, b.torchvision(fmt.Sprintf("features.%d.*.block.", i+1), fmt.Sprintf("blocks.%d.*.", i))...)
	}
	return rows
}
