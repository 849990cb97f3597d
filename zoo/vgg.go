package zoo

import (
	"fmt"

	"zoobench/zoo/nn"
	"zoobench/zoo/weights"
)

// Simonyan, Zisserman: Very Deep Convolutional Networks for Large-Scale Image Recognition, 2014, arXiv:1409.1556,
// table 1, columns A, B, D and E.
//
// As released:
//   - the variants _bn have a batch norm behind every convolution, which the paper does not have;
//   - timm writes the first fully connected layers as convolutions, 7×7 and 1×1, and averages their outputs, so that a
//     larger input slides the classifier over the image (the paper's own dense evaluation, section 3.2); a smaller one
//     is stretched to 7×7 by the adaptive pool. torchvision pools every size to 7×7 first: the same at 224, the
//     published size, not above it. A file's names say which of the two graphs is meant.
//
// vgg13 and the variants _bn but of 16 layers have no golden: their MACs are this graph's count.
type vgg struct {
	depths [5]int // 3×3 convolutions between pools
	norm   bool
	pocket int // for 32×32 pixels: channels of the first stage, one hidden layer with as many as the last; 0 for the paper's
}

var vggs = family{name: "vgg", year: 2014, paper: "arXiv:1409.1556", rows: []row{
	{"vgg11", vgg{depths: [5]int{1, 1, 2, 2, 2}}.build, 224, 132_863_336, 7_609_090_048, plain},
	{"vgg11_bn", vgg{depths: [5]int{1, 1, 2, 2, 2}, norm: true}.build, 224, 132_868_840, 7_609_090_048, plain},
	{"vgg13", vgg{depths: [5]int{2, 2, 2, 2, 2}}.build, 224, 133_047_848, 11_308_466_176, plain},
	{"vgg13_bn", vgg{depths: [5]int{2, 2, 2, 2, 2}, norm: true}.build, 224, 133_053_736, 11_308_466_176, plain},
	{"vgg16", vgg{depths: [5]int{2, 2, 3, 3, 3}}.build, 224, 138_357_544, 15_470_264_320, plain},
	{"vgg16_bn", vgg{depths: [5]int{2, 2, 3, 3, 3}, norm: true}.build, 224, 138_365_992, 15_470_264_320, plain},
	{"vgg19", vgg{depths: [5]int{2, 2, 4, 4, 4}}.build, 224, 143_667_240, 19_632_062_464, plain},
	{"vgg19_bn", vgg{depths: [5]int{2, 2, 4, 4, 4}, norm: true}.build, 224, 143_678_248, 19_632_062_464, plain},
}, variants: []variants{{
	variant: Variant{Library: "torchvision", Graph: "pools to 7×7 before the classifier"},
}}, renames: []renames{{table: weights.Table{Name: "torchvision", Rows: []weights.Rename{
	{Old: "classifier.0.weight", New: "pre_logits.fc1.weight", Reshape: true}, // (4096,25088) to (4096,512,7,7)
	{Old: "classifier.0.bias", New: "pre_logits.fc1.bias"},
	{Old: "classifier.3.weight", New: "pre_logits.fc2.weight", Reshape: true},
	{Old: "classifier.3.bias", New: "pre_logits.fc2.bias"},
	{Old: "classifier.6.*", New: "head.fc.*"},
}}}}}

func (v vgg) build(g *nn.Builder, x nn.Value) nn.Value {
	width, grid, hidden := 64, 7, []int{4096, 4096}
	if v.pocket > 0 {
		width, grid, hidden = v.pocket, 1, []int{8 * v.pocket}
	}
	layer := 0 // of torchvision's flat list: convolution, norm, activation and pool count one each
	next := func() string { layer++; return fmt.Sprintf("features.%d", layer-1) }
	for i, n := range v.depths {
		for range n {
			x = g.Conv(next(), x, width*min(1<<i, 8), nn.K(3).WithBias())
			if v.norm {
				x = g.BatchNorm(next(), x, 1e-5)
			}
			x = g.ReLU(x)
			next()
		}
		x = g.MaxPool(x, nn.K(2).S(2).Valid())
		next()
	}
	x = g.Expect(x, nn.Shape{C: 8 * width, H: grid, W: grid})
	if x.H < grid || g.Library == "torchvision" {
		x = g.AdaptiveAvgPool(x, grid, grid)
	}
	k := nn.K(grid)
	for i, out := range hidden {
		x = g.ReLU(g.Conv(fmt.Sprintf("pre_logits.fc%d", i+1), x, out, k.Valid().WithBias()))
		k = nn.K(1)
	}
	return g.Linear("head.fc", g.GlobalAvgPool(x), g.Classes)
}
