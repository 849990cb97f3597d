package zoo

import (
	"fmt"

	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014, arXiv:1409.1556,
// table 1, columns D and E, as Keras Applications has them.
//
// Where Keras differs from vgg16 and vgg19 of vgg.go:
//   - the last pool's pixels go to fc1 all at once, so that fc1 has as many inputs as the image's size makes;
//   - fc1 takes them pixel by pixel, with a pixel's channels together: a 7×7 convolution at 224;
//   - images have channels blue, green, red, 0 to 255, minus means, and no deviation.
type kerasVGG struct {
	depths [5]int // 3×3 convolutions between pools
}

var kerasVGGs = family{name: "keras_vgg", year: 2014, paper: "arXiv:1409.1556", least: 32, rows: []row{
	{"keras_vgg16", kerasVGG{[5]int{2, 2, 3, 3, 3}}.build, 224, 138_357_544, 15_470_264_320, kerasCaffe},
	{"keras_vgg19", kerasVGG{[5]int{2, 2, 4, 4, 4}}.build, 224, 143_667_240, 19_632_062_464, kerasCaffe},
}, renames: []renames{{table: kerasTable(func() []weights.Rename {
	fc1 := weights.Rename{Old: "fc1/kernel", New: "fc1.weight", Last: true, Reshape: true} // (25088,4096) to (4096,512,7,7)
	return append([]weights.Rename{fc1}, kerasRows("*", "*", "kernel", "bias")...)
})}}}

func (v kerasVGG) build(g *nn.Builder, x nn.Value) nn.Value {
	for i, n := range v.depths {
		for j := range n {
			x = g.ReLU(g.Conv(fmt.Sprintf("block%d_conv%d", i+1, j+1), x, min(64<<i, 512), nn.K(3).WithBias()))
		}
		x = g.MaxPool(x, nn.K(2).S(2).Valid())
	}
	x = g.Expect(x, nn.Shape{C: 512, H: 7, W: 7})
	x = g.ReLU(g.Conv("fc1", x, 4096, nn.KHW(x.H, x.W).Valid().WithBias()))
	x = g.ReLU(g.Linear("fc2", x, 4096))
	return g.Linear("predictions", x, g.Classes)
}
