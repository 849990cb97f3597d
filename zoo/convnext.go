package zoo

import (
	"fmt"

	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// Liu, Mao, Wu, Feichtenhofer, Darrell, Xie: A ConvNet for the 2020s, 2022, arXiv:2201.03545, table 9.
//
// As released: the 1×1 convolutions of a block are linear layers over channels, and its residual has a layer scale,
// which table 9 does not show (it is in the text of appendix A). torchvision computes the same; its layer scales have
// the shape (C,1,1).
//
// convnext_small and convnext_base have no golden: their MACs are this graph's count, their parameters torchvision's.
type convNeXt struct {
	depths [4]int // blocks of a stage
	width  int    // channels of the first stage; each next has twice as many

	front func(*nn.Builder, nn.Value) nn.Value // what the network does to images first, nil for nothing
}

var convNeXts = family{name: "convnext", year: 2022, paper: "arXiv:2201.03545", rows: []row{
	//                      blocks                     channels              params      MACs
	{"convnext_tiny", convNeXt{depths: [4]int{3, 3, 9, 3}, width: 96}.build, 224, 28_589_128, 4_455_531_264, bicubic95},
	{"convnext_small", convNeXt{depths: [4]int{3, 3, 27, 3}, width: 96}.build, 224, 50_223_688, 8_683_712_256, bicubic95},
	{"convnext_base", convNeXt{depths: [4]int{3, 3, 27, 3}, width: 128}.build, 224, 88_591_464, 15_354_729_472,
		Recipe{Interpolation: "bicubic", TestSize: 288, TestCropPct: 1}},
},
	variants: []variants{{variant: convNeXtVariant}},
	renames:  []renames{{table: renamed("torchvision", convNeXtTorchvision)}, {table: convNeXtTransformers()}},
}

func (c convNeXt) build(g *nn.Builder, x nn.Value) nn.Value {
	if c.front != nil {
		x = c.front(g, x)
	}
	x = g.Conv("stem.0", x, c.width, nn.K(4).S(4).Valid().WithBias())
	x = g.LayerNorm("stem.1", x, 1e-6)
	for i, n := range c.depths {
		stage := g.In("stages.%d", i)
		if i > 0 {
			x = stage.LayerNorm("downsample.0", x, 1e-6)
			x = stage.Conv("downsample.1", x, c.width<<i, nn.K(2).S(2).Valid().WithBias())
		}
		for j := range n {
			x = convNeXtBlock(stage.In("blocks.%d", j), x)
		}
		x = g.Expect(x, nn.Shape{C: c.width << i, H: 56 >> i, W: 56 >> i})
	}
	eps := 1e-6
	if g.Library == transformers {
		eps = 1e-12
	}
	x = g.LayerNorm("head.norm", g.GlobalAvgPool(x), eps)
	return g.Linear("head.fc", x, g.Classes)
}

// convNeXtBlock is figure 4's: depthwise 7×7, norm, and the only activation between the two 1×1 layers.
func convNeXtBlock(g *nn.Builder, x nn.Value) nn.Value {
	y := g.Conv("conv_dw", x, x.C, nn.K(7).G(nn.Depthwise).WithBias())
	y = g.LayerNorm("norm", y, 1e-6)
	y = mlp(g.In("mlp"), y, 4*x.C)
	return g.Add(g.Scale("gamma", y), x)
}

// convNeXtTorchvision is the table from torchvision's names: features.0 is the stem, an odd number a stage, an even one
// what goes before the next stage.
func convNeXtTorchvision() []weights.Rename {
	rows := []weights.Rename{
		{Old: "features.0.0.*", New: "stem.0.*"}, {Old: "features.0.1.*", New: "stem.1.*"},
		{Old: "classifier.0.*", New: "head.norm.*"}, {Old: "classifier.2.*", New: "head.fc.*"},
	}
	for i := range 4 {
		stage := fmt.Sprintf("features.%d.", 2*i+1)
		block := fmt.Sprintf("stages.%d.blocks.*.", i)
		rows = append(rows,
			weights.Rename{Old: stage + "*.layer_scale", New: block + "gamma", Reshape: true},
			weights.Rename{Old: stage + "*.block.0.*", New: block + "conv_dw.*"},
			weights.Rename{Old: stage + "*.block.2.*", New: block + "norm.*"},
			weights.Rename{Old: stage + "*.block.3.*", New: block + "mlp.fc1.*"},
			weights.Rename{Old: stage + "*.block.5.*", New: block + "mlp.fc2.*"},
		)
		if i > 0 {
			rows = append(rows, weights.Rename{
				Old: fmt.Sprintf("features.%d.*.*", 2*i), New: fmt.Sprintf("stages.%d.downsample.*.*", i),
			})
		}
	}
	return rows
}
