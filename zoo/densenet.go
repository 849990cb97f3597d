package zoo

import (
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// Huang, Liu, van der Maaten, Weinberger: Densely Connected Convolutional Networks, 2016, arXiv:1608.06993, table 1
// (DenseNet-BC); densenet161 is the authors' later release, wider and with a growth of 48.
//
// As released (torchvision, timm): nothing departs from the paper's ImageNet form.
//
// densenet161 and densenet169 have no golden: their MACs are this graph's count, their parameters torchvision's.
type denseNet struct {
	stem   int    // channels of the first convolution
	growth int    // k, channels that a layer adds
	depths [4]int // a block of none ends the network
	keras  bool   // see kerasdensenet.go
	pocket bool   // for 32×32 pixels (section 4.2): a stem of one 3×3, layers and transitions that narrow nothing
}

var denseNets = family{name: "densenet", year: 2016, paper: "arXiv:1608.06993", rows: []row{
	//                                               layers of blocks 1 … 4              params      MACs
	{"densenet121", denseNet{stem: 64, growth: 32, depths: [4]int{6, 12, 24, 16}}.build, 224, 7_978_856, 2_834_161_664, bicubic88},
	{"densenet161", denseNet{stem: 96, growth: 48, depths: [4]int{6, 12, 36, 24}}.build, 224, 28_681_000, 7_727_907_072, bicubic},
	{"densenet169", denseNet{stem: 64, growth: 32, depths: [4]int{6, 12, 32, 32}}.build, 224, 14_149_480, 3_359_843_328, bicubic},
	{"densenet201", denseNet{stem: 64, growth: 32, depths: [4]int{6, 12, 48, 32}}.build, 224, 20_013_928, 4_291_365_888, bicubic},
}, renames: []renames{{table: weights.Table{Name: "torchvision, as first published", Rows: []weights.Rename{
	{Old: "features.denseblock*.denselayer*.norm.*.*", New: "features.denseblock*.denselayer*.norm*.*"},
	{Old: "features.denseblock*.denselayer*.conv.*.*", New: "features.denseblock*.denselayer*.conv*.*"},
}}}}}

func (d denseNet) build(g *nn.Builder, x nn.Value) nn.Value {
	f := g.In("features")
	if d.pocket {
		x = f.Conv("conv0", x, d.stem, nn.K(3))
	} else {
		x = d.normReLU(f, "norm0", f.Conv("conv0", x, d.stem, nn.K(7).S(2)))
		x = f.MaxPool(x, nn.K(3).S(2))
	}
	first := x.Shape
	for i, n := range d.depths {
		if n == 0 {
			break
		}
		x = g.Expect(x, nn.Shape{C: x.C, H: first.H >> i, W: first.W >> i})
		for j := range n {
			y := d.layer(f.In("denseblock%d.denselayer%d", i+1, j+1), x)
			x = g.Concat(x, y)
		}
		if i < len(d.depths)-1 && d.depths[i+1] > 0 {
			t, out := f.In("transition%d", i+1), x.C/2
			if d.pocket {
				out = x.C
			}
			x = t.Conv("conv", d.normReLU(t, "norm", x), out, nn.K(1))
			x = t.AvgPool(x, nn.K(2).S(2).Valid())
		}
	}
	x = d.normReLU(f, "norm5", x)
	return g.Linear("classifier", g.GlobalAvgPool(x), g.Classes)
}

// layer is what one layer adds: a 1×1 to 4·k channels, then a 3×3 to k, each behind a norm and a ReLU.
func (d denseNet) layer(g *nn.Builder, x nn.Value) nn.Value {
	if d.pocket {
		return g.Conv("conv1", d.normReLU(g, "norm1", x), d.growth, nn.K(3))
	}
	x = g.Conv("conv1", d.normReLU(g, "norm1", x), 4*d.growth, nn.K(1))
	return g.Conv("conv2", d.normReLU(g, "norm2", x), d.growth, nn.K(3))
}

func (d denseNet) normReLU(g *nn.Builder, name string, x nn.Value) nn.Value {
	if d.keras {
		return g.ReLU(g.BatchNormMomentum(name, x, kerasNorm, 0.01))
	}
	return normReLU(g, name, x)
}
