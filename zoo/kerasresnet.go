package zoo

import (
	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// He, Zhang, Ren, Sun: Deep Residual Learning for Image Recognition, 2015, arXiv:1512.03385, table 1, and Identity
// Mappings in Deep Residual Networks, 2016, arXiv:1603.05027, figure 4e, as Keras Applications has them.
//
// Where Keras differs from resnet50 of resnet.go:
//   - a stage's stride is on its first block's first 1×1 and on the projection, as the paper says;
//   - convolutions have biases;
//   - batch norms have epsilon 1.001e-5;
//   - images have channels blue, green, red, 0 to 255, minus means, and no deviation.
//
// Where Keras differs from resnetv2_50 of resnetv2.go:
//   - a stage's stride is on its last block's 3×3; the fourth stage has none;
//   - the shortcut of a block with a stride is every second pixel (a 1×1 pool), not a projection;
//   - the first, the last and the projecting convolutions have biases;
//   - the first pool sees zeros around the image, which may win;
//   - batch norms have epsilon 1.001e-5.
type kerasResNet struct {
	depths [4]int
	v2     bool // the second paper's
}

// kerasResNetNames have a block's number in front, conv2_block1_1_conv; the graph has scopes.
var kerasResNetNames = []renames{{table: kerasTable(kerasResNetRows)}, {table: kerasFirst(kerasTable(
	func() []weights.Rename { return append(kerasDense("probs", "predictions"), kerasResNetRows()...) }))}}

func kerasResNetRows() []weights.Rename {
	return append(kerasRows("conv*_block*_*_*", "conv*.*.*_*", "kernel", "bias", "norm"), kerasRows("*", "*", "kernel", "bias", "norm")...)
}

var kerasResNets = family{name: "keras_resnet", year: 2015, paper: "arXiv:1512.03385", least: 32, rows: []row{
	//              conv2_x … conv5_x                                       params      MACs
	{"keras_resnet50", kerasResNet{depths: [4]int{3, 4, 6, 3}}.build, 224, 25_583_592, 3_857_973_248, kerasCaffe},
	{"keras_resnet101", kerasResNet{depths: [4]int{3, 4, 23, 3}}.build, 224, 44_601_832, 7_570_194_432, kerasCaffe},
	{"keras_resnet152", kerasResNet{depths: [4]int{3, 8, 36, 3}}.build, 224, 60_268_520, 11_282_415_616, kerasCaffe},
}, renames: kerasResNetNames}

var kerasResNetV2s = family{name: "keras_resnetv2", year: 2016, paper: "arXiv:1603.05027", least: 32, rows: []row{
	{"keras_resnet50v2", kerasResNet{[4]int{3, 4, 6, 3}, true}.build, 224, 25_568_360, 3_482_255_360, bilinearHalf},
	{"keras_resnet101v2", kerasResNet{[4]int{3, 4, 23, 3}, true}.build, 224, 44_577_896, 7_194_476_544, bilinearHalf},
	{"keras_resnet152v2", kerasResNet{[4]int{3, 8, 36, 3}, true}.build, 224, 60_236_904, 10_906_697_728, bilinearHalf},
}, renames: kerasResNetNames}

func (r kerasResNet) build(g *nn.Builder, x nn.Value) nn.Value {
	x = g.Conv("conv1_conv", x, 64, nn.K(7).S(2).WithBias())
	if r.v2 {
		x = g.MaxPool(g.Pad(x, nn.Edges{Top: 1, Left: 1, Bottom: 1, Right: 1}), nn.K(3).S(2).Valid())
	} else {
		x = g.MaxPool(r.normReLU(g, "conv1_bn", x), nn.K(3).S(2))
	}
	for i, n := range r.depths {
		for j := range n {
			stride := 1
			if !r.v2 && i > 0 && j == 0 || r.v2 && i < 3 && j == n-1 {
				stride = 2
			}
			b := g.In("conv%d.%d", i+2, j+1)
			if r.v2 {
				x = r.blockV2(b, x, 64<<i, stride, j == 0)
			} else {
				x = r.block(b, x, 64<<i, stride, j == 0)
			}
		}
	}
	if r.v2 {
		x = r.normReLU(g, "post_bn", x)
	}
	return kerasPredictions(g, g.Expect(x, nn.Shape{C: 2048, H: 7, W: 7}))
}

func (r kerasResNet) block(g *nn.Builder, x nn.Value, planes, stride int, project bool) nn.Value {
	biased := nn.K(1).WithBias()
	y := r.normReLU(g, "1_bn", g.Conv("1_conv", x, planes, biased.S(stride)))
	y = r.normReLU(g, "2_bn", g.Conv("2_conv", y, planes, nn.K(3).WithBias()))
	y = r.norm(g, "3_bn", g.Conv("3_conv", y, 4*planes, biased))
	if project {
		x = r.norm(g, "0_bn", g.Conv("0_conv", x, 4*planes, biased.S(stride)))
	}
	return g.ReLU(g.Add(x, y))
}

// blockV2 projects behind the block's first norm and ReLU.
func (r kerasResNet) blockV2(g *nn.Builder, x nn.Value, planes, stride int, project bool) nn.Value {
	y := r.normReLU(g, "preact_bn", x)
	switch {
	case project:
		x = g.Conv("0_conv", y, 4*planes, nn.K(1).S(stride).WithBias())
	case stride > 1:
		x = g.MaxPool(x, nn.K(1).S(stride))
	}
	y = r.normReLU(g, "1_bn", g.Conv("1_conv", y, planes, nn.K(1)))
	y = r.normReLU(g, "2_bn", g.Conv("2_conv", y, planes, nn.K(3).S(stride)))
	return g.Add(x, g.Conv("3_conv", y, 4*planes, nn.K(1).WithBias()))
}

func (r kerasResNet) norm(g *nn.Builder, name string, x nn.Value) nn.Value {
	return g.BatchNormMomentum(name, x, kerasNorm, 0.01)
}

func (r kerasResNet) normReLU(g *nn.Builder, name string, x nn.Value) nn.Value {
	return g.ReLU(r.norm(g, name, x))
}
